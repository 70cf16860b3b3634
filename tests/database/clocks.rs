//! The clocks that call the jobs: which are known, which have fallen silent, and who hears.

use serde_json::{Value, json};

use crate::support::{World, at, minutes, transitions, verdict};

/// A scheduled call of a clock at that time, which another may have done already.
async fn call(world: &World, clock: &str, now: &str) -> Value {
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "dispatch", "p_every_seconds": 60, "p_lease_seconds": 57,
        "p_manual": false, "p_now": at(now), "p_clock": clock, "p_scheduled_for": null
    });
    world.call("ops_claim_run", claim).await
}

async fn shown(world: &World, now: &str) -> Value {
    world
        .value(&format!("ops.dashboard_clocks('{}')", at(now)))
        .await
}

/// A call of the monitor, for which nothing is claimed.
async fn note(world: &World, clock: &str, scheduled_for: &str, now: &str) {
    world
        .execute(&format!(
            "select ops.note_clock('{clock}', {scheduled_for}, known, '{now}')
             from ops.jobs as known where known.job = 'monitor'"
        ))
        .await;
}

/// What a tick at that time changes about clocks.
async fn told(world: &World, now: &str) -> Vec<String> {
    let mut told = transitions(&world.tick(now, &[]).await);
    told.retain(|one| one.contains(" clock"));
    told.sort();
    told
}

/// Every clock calls in each of five minutes from 12:00 on.
async fn with_clocks(clocks: &[&str]) -> World {
    let world = World::migrated().await;
    for minute in 0..5 {
        for clock in clocks {
            call(&world, clock, &format!("12:0{minute}:05")).await;
        }
    }
    world
}

#[tokio::test]
async fn a_clock_counts_although_another_had_the_slot_and_twice_is_once() {
    let world = World::migrated().await;
    for (clock, now, outcome) in [
        ("vercel", "12:00:01", "claimed"),
        ("aws", "12:00:02", "skipped"),
        ("aws", "12:00:03", "skipped"),
        ("aws", "12:01:02", "claimed"),
        ("aws", "12:02:02", "claimed"),
    ] {
        assert_eq!(call(&world, clock, now).await["outcome"], outcome, "{now}");
    }
    let clocks = shown(&world, "12:02:30").await;
    assert_eq!(clocks[0]["clock"], "aws");
    assert_eq!(
        (&clocks[0]["everySeconds"], &clocks[0]["status"]),
        (&json!(60.0), &json!("ok"))
    );
    assert_eq!(
        (&clocks[1]["everySeconds"], &clocks[1]["status"]),
        (&Value::Null, &json!("new"))
    );
}

#[tokio::test]
async fn a_run_by_hand_is_no_clocks_call() {
    let world = World::migrated().await;
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "dispatch", "p_every_seconds": 60, "p_lease_seconds": 57,
        "p_manual": true, "p_now": at("12:00:00"), "p_clock": "vercel"
    });
    world.call("ops_claim_run", claim).await;
    assert_eq!(shown(&world, "12:00:00").await, json!([]));
}

#[tokio::test]
async fn a_slot_far_from_now_is_not_believed() {
    let world = World::migrated().await;
    for (slot, late) in [
        ("2026-11-24T11:59:00Z", json!(60.0)),
        ("2026-11-22T12:00:00Z", Value::Null),
        ("2027-11-24T12:00:00Z", Value::Null),
    ] {
        note(&world, "aws", &format!("'{slot}'"), &at("12:00:00")).await;
        assert_eq!(
            shown(&world, "12:00:00").await[0]["lateSeconds"],
            late,
            "{slot}"
        );
    }
}

#[tokio::test]
async fn one_silent_clock_is_told_and_resolved_and_two_page() {
    let world = with_clocks(&["vercel", "supabase", "aws"]).await;
    let tick = world.tick("12:07:00", &[]).await;
    assert_eq!(verdict(&tick, "clock_silent", "aws")["verdict"], "good");

    let mut said = Vec::new();
    for now in minutes("12:08:00", 6) {
        call(&world, "vercel", &now).await;
        call(&world, "supabase", &now).await;
        said.extend(told(&world, &now).await);
    }
    assert_eq!(said, ["opened clock_silent aws"]);

    said.clear();
    for now in minutes("12:14:00", 8) {
        call(&world, "vercel", &now).await;
        said.extend(told(&world, &now).await);
    }
    assert_eq!(
        said,
        [
            "opened clock_silent supabase",
            "opened clocks_missing clocks"
        ]
    );
    let facts = world
        .value("(select facts -> 'detail' -> 'clocks' from ops.outbox where facts ->> 'rule' = 'clocks_missing' limit 1)")
        .await;
    assert_eq!(facts, json!(["aws", "supabase"]));

    said.clear();
    for now in minutes("12:22:00", 3) {
        for clock in ["vercel", "supabase", "aws"] {
            call(&world, clock, &now).await;
        }
        said.extend(told(&world, &now).await);
    }
    said.sort();
    assert_eq!(
        said,
        [
            "resolved clock_silent aws",
            "resolved clock_silent supabase",
            "resolved clocks_missing clocks"
        ]
    );
}

#[tokio::test]
async fn a_clock_is_known_from_its_third_call() {
    let world = World::migrated().await;
    for (minute, every, status) in [
        (0, Value::Null, "new"),
        (1, Value::Null, "new"),
        (2, json!(60.0), "ok"),
    ] {
        let now = format!("12:0{minute}:01");
        call(&world, "aws", &now).await;
        let clock = shown(&world, &now).await[0].clone();
        assert_eq!(
            (&clock["everySeconds"], &clock["status"]),
            (&every, &json!(status)),
            "{now}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_never_came_back_is_told_after_two_days_and_pages_nobody() {
    let world = World::migrated().await;
    for clock in ["aws", "other"] {
        note(&world, clock, "null", "2026-11-22T12:00:00Z").await;
        note(&world, clock, "null", "2026-11-22T12:01:00Z").await;
    }
    assert_eq!(shown(&world, "12:00:30").await[0]["status"], "new");
    let tick = world.tick("12:02:00", &[]).await;
    let observed = verdict(&tick, "clock_silent", "aws");
    assert_eq!(observed["verdict"], "bad", "{observed}");
    assert_eq!(
        verdict(&tick, "clocks_missing", "clocks")["verdict"],
        "good"
    );
    let clock = shown(&world, "12:02:00").await[0].clone();
    assert_eq!(
        (&clock["status"], &clock["silentPeriods"]),
        (&json!("gone"), &Value::Null)
    );
    // Somebody mends it.
    for now in ["12:03:00", "12:04:00", "12:05:00"] {
        note(&world, "aws", "null", &at(now)).await;
    }
    assert_eq!(shown(&world, "12:05:00").await[0]["status"], "ok");
}

#[tokio::test]
async fn a_clock_that_calls_once_a_day_is_not_missed_after_three_minutes() {
    let world = World::migrated().await;
    for day in ["22", "23", "24"] {
        let now = format!("2026-11-{day}T06:00:00Z");
        note(&world, "vercel", "null", &now).await;
    }
    let clock = shown(&world, "12:00:00").await[0].clone();
    assert_eq!(
        (&clock["everySeconds"], &clock["status"]),
        (&json!(86400.0), &json!("ok"))
    );
}

#[tokio::test]
async fn a_clock_that_is_forgotten_is_not_missed() {
    let world = with_clocks(&["vercel", "aws"]).await;
    let mut said = Vec::new();
    for now in minutes("12:08:00", 4) {
        call(&world, "vercel", &now).await;
        said.extend(told(&world, &now).await);
    }
    assert_eq!(said, ["opened clock_silent aws"]);
    let forget = json!({"p_clock": "aws"});
    assert_eq!(
        world.call("ops_forget_clock", forget.clone()).await,
        json!({"forgotten": true})
    );
    assert_eq!(
        world.call("ops_forget_clock", forget).await,
        json!({"forgotten": false})
    );
    said.clear();
    for now in minutes("12:12:00", 3) {
        call(&world, "vercel", &now).await;
        said.extend(told(&world, &now).await);
    }
    assert_eq!(said, ["resolved clock_silent aws"]);
}
