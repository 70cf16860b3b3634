//! Claiming and finishing runs: one slot, one run.

use serde_json::{Value, json};

use crate::support::{World, array, at, call};

fn claim(now: &str) -> Value {
    json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "backup", "p_every_seconds": 60,
        "p_lease_seconds": 50, "p_manual": false, "p_now": at(now),
    })
}

fn manual(now: &str) -> Value {
    let mut arguments = claim(now);
    arguments["p_manual"] = json!(true);
    arguments
}

async fn finish(world: &World, run: &Value, outcome: &str, now: &str) -> Value {
    let arguments = json!({
        "p_run": run["run"], "p_fence": run["fence"], "p_outcome": outcome,
        "p_summary": {"n": 1}, "p_now": at(now),
    });
    world.call("ops_finish_run", arguments).await["outcome"].clone()
}

async fn outcomes(world: &World) -> Value {
    world
        .rows("select slot, outcome from ops.runs where job = 'backup' order by started_at, fence")
        .await
}

#[tokio::test]
async fn a_claim_has_the_slot_of_its_time() {
    let world = World::migrated().await;
    let run = world.call("ops_claim_run", claim("12:00:59.9")).await;
    assert_eq!(run["outcome"], "claimed");
    assert_eq!(run["slot"], "2026-11-24T12:00:00+00:00");
    assert_eq!(run["now"], "2026-11-24T12:00:59.9+00:00");
    assert_eq!(run["fence"], 1);
    assert_eq!(run["missed"], 0, "nothing came before the first claim");
    assert_eq!(run["settings"]["alert.bad_after"], 3);
    let odd = json!({"p_every_seconds": 1800});
    let mut arguments = claim("12:59:00");
    arguments["p_every_seconds"] = odd["p_every_seconds"].clone();
    arguments["p_job"] = json!("other");
    let run = world.call("ops_claim_run", arguments).await;
    assert_eq!(run["slot"], "2026-11-24T12:30:00+00:00");
}

#[tokio::test]
async fn a_run_is_ended_by_the_fence_that_it_was_claimed_with() {
    let world = World::migrated().await;
    let run = world.call("ops_claim_run", claim("12:00:05")).await;
    for fence in [json!(0), json!(2), Value::Null] {
        let mut other = run.clone();
        other["fence"] = fence.clone();
        assert_eq!(
            finish(&world, &other, "done", "12:00:06").await,
            "superseded",
            "{fence}"
        );
    }
    assert_eq!(outcomes(&world).await[0]["outcome"], "running");
    assert_eq!(finish(&world, &run, "done", "12:00:07").await, "finished");
}

#[tokio::test]
async fn a_second_caller_is_told_busy_and_later_done() {
    let world = World::migrated().await;
    let run = world.call("ops_claim_run", claim("12:00:05")).await;
    let second = world.call("ops_claim_run", claim("12:00:06")).await;
    assert_eq!(
        (&second["outcome"], &second["reason"]),
        (&json!("skipped"), &json!("busy"))
    );
    assert_eq!(second["settings"], Value::Null);
    assert_eq!(
        second["holder"],
        json!({
            "run": run["run"],
            "manual": false,
            "since": "2026-11-24T12:00:05+00:00",
            "until": "2026-11-24T12:00:55+00:00",
        })
    );

    for (outcome, slot) in [("done", "12:00"), ("failed", "12:01"), ("partial", "12:02")] {
        let run = if slot == "12:00" {
            run.clone()
        } else {
            world
                .call("ops_claim_run", claim(&format!("{slot}:05")))
                .await
        };
        assert_eq!(
            finish(&world, &run, outcome, &format!("{slot}:20")).await,
            "finished"
        );
        let third = world
            .call("ops_claim_run", claim(&format!("{slot}:30")))
            .await;
        assert_eq!(
            (&third["outcome"], &third["reason"]),
            (&json!("skipped"), &json!("done"))
        );
    }
}

#[tokio::test]
async fn a_lease_holds_until_its_instant_and_not_at_it() {
    let world = World::migrated().await;
    for (later, outcome) in [("12:00:54.999", "skipped"), ("12:00:55", "claimed")] {
        world
            .execute("truncate ops.runs, ops.backups, ops.backup_collections")
            .await;
        world
            .execute("update ops.jobs set lease_run = null, lease_until = null where true")
            .await;
        world.call("ops_claim_run", claim("12:00:05")).await;
        let second = world.call("ops_claim_run", manual(later)).await;
        assert_eq!(second["outcome"], outcome, "{later}");
    }
}

#[tokio::test]
async fn a_repeated_claim_returns_its_first_result() {
    let world = World::migrated().await;
    let arguments = claim("12:00:05");
    let first = world.call("ops_claim_run", arguments.clone()).await;
    let mut later = arguments;
    later["p_now"] = json!(at("12:07:05"));
    assert_eq!(world.call("ops_claim_run", later).await, first);
    assert_eq!(
        world
            .value("(select fence from ops.jobs where job = 'backup')")
            .await,
        1
    );
}

#[tokio::test]
async fn a_killed_run_is_taken_over_in_its_slot() {
    let world = World::migrated().await;
    let killed = world.call("ops_claim_run", claim("12:00:01")).await;
    let early = world.call("ops_claim_run", claim("12:00:50")).await;
    assert_eq!(early["reason"], "busy");
    // At the instant at which the lease ends, nobody has it any more.
    let next = world.call("ops_claim_run", claim("12:00:51")).await;
    assert_eq!(next["outcome"], "claimed");
    assert_eq!(next["slot"], killed["slot"]);
    assert_eq!(next["fence"], 2);
    assert_eq!(
        finish(&world, &killed, "done", "12:00:53").await,
        "superseded"
    );
    assert_eq!(finish(&world, &next, "done", "12:00:54").await, "finished");
    assert_eq!(
        outcomes(&world).await,
        json!([
            {"slot": "2026-11-24T12:00:00+00:00", "outcome": "abandoned"},
            {"slot": "2026-11-24T12:00:00+00:00", "outcome": "done"},
        ]),
    );
}

#[tokio::test]
async fn finishing_twice_is_finishing_once() {
    let world = World::migrated().await;
    let run = world.call("ops_claim_run", claim("12:00:01")).await;
    assert_eq!(finish(&world, &run, "failed", "12:00:10").await, "finished");
    assert_eq!(finish(&world, &run, "done", "12:00:20").await, "finished");
    assert_eq!(
        world
            .rows("select outcome, finished_at, summary from ops.runs where job = 'backup'")
            .await,
        json!([{"outcome": "failed", "finished_at": "2026-11-24T12:00:10+00:00", "summary": {"n": 1}}]),
    );
    assert_eq!(
        world
            .rows("select lease_run, lease_until from ops.jobs where job = 'backup'")
            .await,
        json!([{"lease_run": null, "lease_until": null}]),
    );
    let [code, ..] = world
        .refusal(
            "ops_finish_run",
            json!({"p_run": run["run"], "p_fence": 1, "p_outcome": "fine", "p_summary": {}}),
        )
        .await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn slots_that_nobody_called_are_recorded() {
    let world = World::migrated().await;
    let first = world.call("ops_claim_run", claim("12:00:05")).await;
    finish(&world, &first, "done", "12:00:06").await;
    let late = world.call("ops_claim_run", claim("12:03:05")).await;
    assert_eq!(late["missed"], 2);
    assert_eq!(
        outcomes(&world).await,
        json!([
            {"slot": "2026-11-24T12:00:00+00:00", "outcome": "done"},
            {"slot": "2026-11-24T12:01:00+00:00", "outcome": "missed"},
            {"slot": "2026-11-24T12:02:00+00:00", "outcome": "missed"},
            {"slot": "2026-11-24T12:03:00+00:00", "outcome": "running"},
        ]),
    );
    finish(&world, &late, "done", "12:03:06").await;
    let next = world.call("ops_claim_run", claim("12:04:05")).await;
    assert_eq!(next["missed"], 0);
}

#[tokio::test]
async fn of_a_long_silence_the_newest_day_is_recorded_and_all_is_counted() {
    let world = World::migrated().await;
    world
        .call("ops_claim_run", claim("2026-11-20T12:00:05Z"))
        .await;
    let late = world.call("ops_claim_run", claim("12:00:05")).await;
    assert_eq!(late["missed"], 4 * 1440 - 1);
    assert_eq!(
        world
            .rows(
                "select count(*) as n, min(slot) as oldest from ops.runs where outcome = 'missed'"
            )
            .await,
        json!([{"n": 1440, "oldest": "2026-11-23T12:00:00+00:00"}]),
    );
}

#[tokio::test]
async fn a_manual_run_has_no_slot_and_the_same_lease() {
    let world = World::migrated().await;
    let by_hand = world.call("ops_claim_run", manual("12:00:05")).await;
    assert_eq!(
        (&by_hand["outcome"], &by_hand["slot"]),
        (&json!("claimed"), &Value::Null)
    );
    assert_eq!(
        world
            .value("(select first_slot from ops.jobs where job = 'backup')")
            .await,
        Value::Null,
        "running by hand does not set a schedule up",
    );
    let scheduled = world.call("ops_claim_run", claim("12:00:06")).await;
    assert_eq!(scheduled["reason"], "busy");
    finish(&world, &by_hand, "done", "12:00:07").await;
    let scheduled = world.call("ops_claim_run", claim("12:00:08")).await;
    assert_eq!(scheduled["outcome"], "claimed");
    finish(&world, &scheduled, "done", "12:00:09").await;
    let again = world.call("ops_claim_run", manual("12:00:10")).await;
    assert_eq!(
        again["outcome"], "claimed",
        "by hand a slot may run once more"
    );
}

#[tokio::test]
async fn of_ten_callers_at_once_one_claims() {
    let world = World::migrated().await;
    let mut callers = Vec::new();
    for _ in 0..10 {
        let session = world.session().await;
        callers.push(tokio::spawn(async move {
            call(&session, "ops_claim_run", claim("12:00:05"))
                .await
                .unwrap()
        }));
    }
    let mut claimed = 0;
    for caller in callers {
        let answer = caller.await.unwrap();
        if answer["outcome"] == "claimed" {
            claimed += 1;
        } else {
            assert_eq!(answer["reason"], "busy");
        }
    }
    assert_eq!(claimed, 1);
    assert_eq!(array(&outcomes(&world).await).len(), 1);
}

#[tokio::test]
async fn a_claim_without_sense_is_refused() {
    let world = World::migrated().await;
    for (argument, value) in [
        ("p_run", Value::Null),
        ("p_job", Value::Null),
        ("p_manual", Value::Null),
        ("p_every_seconds", json!(0)),
        ("p_lease_seconds", json!(3601)),
    ] {
        let mut arguments = claim("12:00:05");
        arguments[argument] = value;
        assert_eq!(
            world.refusal("ops_claim_run", arguments).await[0],
            "22023",
            "{argument}"
        );
    }
}
