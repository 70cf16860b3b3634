//! Rules about the watching itself: channels that take nothing, jobs that fail,
//! are not called or take too long.

use serde_json::{Value, json};
use tokio_postgres::SimpleQueryMessage;
use uuid::Uuid;

use crate::{
    failing_channels::settle,
    people::raise,
    support::{World, at, minutes, transitions, verdict},
};

/// A tick at that time, and what it says of a rule.
async fn judged(world: &World, now: &str, rule: &str, subject: &str) -> Value {
    let tick = world.tick(now, &[]).await;
    verdict(&tick, rule, subject)["verdict"].clone()
}

#[tokio::test]
async fn a_failing_channel_is_told_by_another_and_is_well_once_it_takes_something() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    settle(&world, "12:00:05", "slack", "retry").await;
    assert_eq!(
        judged(&world, "12:05:00", "channel_failing", "slack").await,
        "good"
    );
    let tick = world.tick("12:06:00", &[]).await;
    assert_eq!(transitions(&tick), ["opened channel_failing slack"]);
    assert_eq!(verdict(&tick, "channel_failing", "slack")["value"], 5.9);
    let told = world
        .rows("select channel from ops.outbox where facts ->> 'rule' = 'channel_failing'")
        .await;
    assert_eq!(told, json!([{"channel": "email"}]));

    settle(&world, "12:06:30", "email", "sent").await;
    let tick = world.tick("12:07:00", &[]).await;
    assert_eq!(verdict(&tick, "channel_failing", "slack")["verdict"], "bad");
    settle(&world, "12:07:30", "slack", "sent").await;
    let tick = world.tick("12:08:00", &[]).await;
    assert_eq!(transitions(&tick), ["resolved channel_failing slack"]);
}

#[tokio::test]
async fn a_failing_channel_that_nobody_tries_again_stays_an_alert() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    assert_eq!(
        judged(&world, "12:01:00", "channel_failing", "slack").await,
        "bad"
    );
    assert_eq!(
        judged(&world, "13:01:00", "channel_failing", "slack").await,
        "insufficient"
    );
    let claim = world.claim("13:02:00").await;
    let tick = world
        .commit(&claim, "13:02:00", &[], json!({"channels": ["email"]}))
        .await;
    assert_eq!(
        transitions(&tick)[0],
        "resolved channel_failing slack",
        "it is configured no more"
    );
}

#[tokio::test]
async fn one_message_that_a_channel_refuses_is_not_a_failing_channel() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    raise(&world, "12:00:10", "medium", "y").await;
    settle(&world, "12:00:15", "slack", "sent").await;
    assert_eq!(
        judged(&world, "12:01:00", "channel_failing", "slack").await,
        "good"
    );
}

/// A scheduled run of a job that begins and ends then; without an end it is
/// killed.
async fn run(world: &World, job: &str, from: &str, ends: Option<(&str, &str)>) {
    run_as(world, job, from, ends, false).await;
}

async fn run_as(world: &World, job: &str, from: &str, ends: Option<(&str, &str)>, manual: bool) {
    let claim = json!({
        "p_run": Uuid::new_v4(), "p_job": job, "p_every_seconds": 60, "p_lease_seconds": 57,
        "p_manual": manual, "p_now": at(from),
    });
    let run = world.call("ops_claim_run", claim).await;
    assert_eq!(run["outcome"], "claimed", "{run}");
    if let Some((outcome, to)) = ends {
        let end = json!({"p_run": run["run"], "p_fence": run["fence"], "p_outcome": outcome,
                         "p_summary": {}, "p_now": at(to)});
        world.call("ops_finish_run", end).await;
    }
}

#[tokio::test]
async fn three_runs_that_fail_or_are_killed_in_a_row_are_an_alert_until_one_succeeds() {
    let world = World::migrated().await;
    run(&world, "dispatch", "12:00:00", Some(("failed", "12:00:05"))).await;
    run(&world, "dispatch", "12:01:00", None).await;
    assert_eq!(
        judged(&world, "12:01:30", "job_failing", "dispatch").await,
        "good"
    );
    run(&world, "dispatch", "12:02:00", Some(("failed", "12:02:05"))).await;
    // What an operator runs by hand says nothing about the schedule.
    run_as(
        &world,
        "dispatch",
        "12:02:10",
        Some(("done", "12:02:15")),
        true,
    )
    .await;
    let tick = world.tick("12:02:30", &[]).await;
    assert_eq!(transitions(&tick), ["opened job_failing dispatch"]);
    run(
        &world,
        "dispatch",
        "12:03:00",
        Some(("partial", "12:03:05")),
    )
    .await;
    let tick = world.tick("12:03:30", &[]).await;
    assert_eq!(transitions(&tick), ["resolved job_failing dispatch"]);
}

#[tokio::test]
async fn a_job_that_was_never_called_by_schedule_says_nothing() {
    let world = World::migrated().await;
    run_as(
        &world,
        "dispatch",
        "12:00:00",
        Some(("failed", "12:00:59")),
        true,
    )
    .await;
    let tick = world.tick("12:01:00", &[]).await;
    for rule in ["job_failing", "job_missed", "job_slow"] {
        assert_eq!(verdict(&tick, rule, "dispatch"), &Value::Null, "{rule}");
    }
}

#[tokio::test]
async fn slots_that_nobody_calls_are_an_alert_above_a_fifth() {
    let world = World::migrated().await;
    let calls = minutes("12:00:00", 20);
    // Every second one.
    for now in calls.iter().step_by(2).take(5) {
        run(&world, "dispatch", now, Some(("done", now))).await;
    }
    let early = judged(&world, "12:08:30", "job_missed", "dispatch").await;
    assert_eq!(early, "insufficient", "nine slots say little");
    for now in calls.iter().skip(10) {
        run(&world, "dispatch", now, Some(("done", now))).await;
    }
    let tick = world.tick("12:19:30", &[]).await;
    let missed = verdict(&tick, "job_missed", "dispatch");
    assert_eq!(
        (&missed["verdict"], &missed["value"], &missed["samples"]),
        (&json!("bad"), &json!(25.0), &json!(20))
    );
    for now in minutes("12:20:00", 5) {
        run(&world, "dispatch", &now, Some(("done", &now))).await;
    }
    assert_eq!(
        judged(&world, "12:24:30", "job_missed", "dispatch").await,
        "good"
    );
}

#[tokio::test]
async fn a_run_that_takes_four_fifths_of_its_interval_is_slow() {
    let world = World::migrated().await;
    for (minute, to, expected) in [
        ("12:00:00", "12:00:48", "good"),
        ("12:01:00", "12:01:49", "bad"),
        ("12:02:00", "12:02:10", "good"),
    ] {
        run(&world, "dispatch", minute, Some(("done", to))).await;
        let found = judged(&world, to, "job_slow", "dispatch").await;
        assert_eq!(found, expected, "{minute} to {to}");
    }
}

/// How many blocks a query of that function reads.
async fn blocks_read(world: &World, call: &str) -> u64 {
    let sql = format!("explain (analyze, buffers, timing off, format json) select * from {call}");
    // The first call reads the catalogue as well.
    world.admin.simple_query(&sql).await.unwrap();
    let answer = world.admin.simple_query(&sql).await.unwrap();
    let plan: Value = answer
        .iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => serde_json::from_str(row.get(0)?).ok(),
            _ => None,
        })
        .unwrap();
    let blocks = |key: &str| plan[0]["Plan"][key].as_u64().unwrap();
    blocks("Shared Hit Blocks") + blocks("Shared Read Blocks")
}

#[tokio::test]
async fn no_rule_reads_a_history_whole() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
             select gen_random_uuid(), 'monitor', at, 1, 'done', at, at
             from generate_series('2026-09-01T00:00:00Z'::timestamptz, '2026-11-09T00:00:00Z', '1 min') as at;
             insert into ops.outbox (kind, channel, severity, facts, status, attempts, created_at, next_attempt_at, sent_at)
             select 'notice', 'slack', 'low', '{}', 'sent', 1, at, at, at
             from generate_series('2026-09-01T00:00:00Z'::timestamptz, '2026-11-09T00:00:00Z', '1 min') as at;
             insert into ops.deliveries (message, lease, attempt, started_at)
             select id, gen_random_uuid(), 1, created_at from ops.outbox;
             update ops.jobs set first_slot = '2026-09-01T00:00:00Z' where job = 'monitor';
             analyze ops.runs; analyze ops.outbox; analyze ops.deliveries",
        )
        .await;
    let now = "'2026-11-09T00:00:00Z'";
    for call in [
        format!("ops.observe_channels('{{slack,email}}', {now}, ops.read_settings())"),
        format!("ops.observe_jobs({now}, ops.read_settings())"),
        format!("ops.audit_messages('10 min', {now})"),
    ] {
        let blocks = blocks_read(&world, &call).await;
        assert!(blocks < 1_000, "{call} reads {blocks} blocks");
    }
}
