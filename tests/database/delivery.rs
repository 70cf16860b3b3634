//! The outbox: leases, retries, dead letters and digests.

use serde_json::{Value, json};

use crate::{
    people,
    support::{World, array, at, call, claim_arguments},
};

/// Raises an alert from outside, which queues its messages.
async fn raise(world: &World, now: &str, severity: &str, subject: &str) {
    let alert = json!({"status": "firing", "source": "test", "type": "t", "severity": severity,
                       "title": "T", "subject": subject});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": ["slack", "email"], "p_now": at(now)});
    world.call("ops_raise_alerts", arguments).await;
}

async fn settle(world: &World, claimed: &Value, now: &str, result: Value) -> Value {
    let message = &claimed["messages"][0];
    let mut results = json!([{"id": message["id"]}]);
    for (key, value) in result.as_object().unwrap() {
        results[0][key] = value.clone();
    }
    let arguments = json!({"p_claim": message["lease"], "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", arguments).await
}

fn counts(settled: u32, stale: u32, sent: u32, retried: u32, dead: u32) -> Value {
    json!({"settled": settled, "stale": stale, "sent": sent, "retried": retried, "dead": dead})
}

fn subjects(claimed: &Value) -> Vec<String> {
    array(&claimed["messages"])
        .iter()
        .map(|message| {
            format!(
                "{} {}",
                message["facts"]["subject"].as_str().unwrap(),
                message["channel"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn the_worst_is_delivered_first_and_within_the_limit() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "m").await;
    raise(&world, "12:00:01", "high", "h").await;
    raise(&world, "12:00:02", "medium", "n").await;
    raise(&world, "12:00:03", "critical", "c").await;
    let mut arguments = claim_arguments("12:00:04");
    arguments["p_limit"] = json!(4);
    let claimed = world.call("ops_claim_messages", arguments).await;
    let mut first = subjects(&claimed);
    first[..2].sort();
    assert_eq!(first, ["c email", "c slack", "h slack", "m slack"]);
    assert_eq!(
        subjects(&world.claim_messages("12:00:05").await),
        ["n slack"]
    );
    assert!(subjects(&world.claim_messages("12:00:06").await).is_empty());
}

#[tokio::test]
async fn only_configured_channels_are_claimed() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "c").await;
    let mut arguments = claim_arguments("12:00:01");
    arguments["p_channels"] = json!(["email"]);
    assert_eq!(
        subjects(&world.call("ops_claim_messages", arguments).await),
        ["c email"]
    );
}

#[tokio::test]
async fn a_repeated_claim_returns_the_same_messages() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    let arguments = claim_arguments("12:00:01");
    let first = world.call("ops_claim_messages", arguments.clone()).await;
    raise(&world, "12:00:02", "critical", "later").await;
    assert_eq!(world.call("ops_claim_messages", arguments).await, first);
    assert_eq!(
        world.value("(select sum(attempts) from ops.outbox)").await,
        1
    );
}

#[tokio::test]
async fn two_workers_never_hold_one_message() {
    let world = World::migrated().await;
    for subject in 0..5 {
        raise(&world, "12:00:00", "medium", &subject.to_string()).await;
    }
    let (one, two) = (world.session().await, world.session().await);
    let arguments = |limit: u32| {
        let mut arguments = claim_arguments("12:00:01");
        arguments["p_limit"] = json!(limit);
        arguments
    };
    // The first has claimed but not committed; the second neither waits nor
    // takes anything, for two who choose at once would choose two first messages.
    one.batch_execute("begin").await.unwrap();
    let held = call(&one, "ops_claim_messages", arguments(3))
        .await
        .unwrap();
    two.batch_execute("set lock_timeout = '2s'").await.unwrap();
    let meanwhile = call(&two, "ops_claim_messages", arguments(10))
        .await
        .unwrap();
    one.batch_execute("commit").await.unwrap();
    assert!(subjects(&meanwhile).is_empty());
    let others = call(&two, "ops_claim_messages", arguments(10))
        .await
        .unwrap();
    let mut all = [subjects(&held), subjects(&others)].concat();
    assert_eq!((subjects(&held).len(), all.len()), (3, 5));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5);
}

#[tokio::test]
async fn an_expired_lease_is_due_again_and_its_settlement_stale() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    let lost = world.claim_messages("12:00:01").await;
    assert!(subjects(&world.claim_messages("12:01:00").await).is_empty());
    let again = world.claim_messages("12:01:01").await;
    assert_eq!(again["messages"][0]["attempt"], 2);
    let sent = json!({"outcome": "sent", "providerId": "p-1", "statusCode": 200});
    assert_eq!(
        settle(&world, &lost, "12:01:02", sent.clone()).await,
        counts(0, 1, 0, 0, 0)
    );
    assert_eq!(
        world.value("(select status from ops.outbox)").await,
        "pending"
    );
    assert_eq!(
        settle(&world, &again, "12:01:03", sent.clone()).await,
        counts(1, 0, 1, 0, 0)
    );
    assert_eq!(
        settle(&world, &again, "12:01:04", sent).await,
        counts(1, 0, 1, 0, 0),
        "repeated"
    );
    assert_eq!(
        world
            .rows("select status, sent_at, provider_id, lease from ops.outbox")
            .await,
        json!([{"status": "sent", "sent_at": "2026-11-24T12:01:03+00:00", "provider_id": "p-1", "lease": null}]),
    );
    assert_eq!(
        world
            .rows("select attempt, outcome, status_code from ops.deliveries order by attempt")
            .await,
        json!([{"attempt": 1, "outcome": null, "status_code": null},
               {"attempt": 2, "outcome": "sent", "status_code": 200}]),
    );
}

#[tokio::test]
async fn a_late_settlement_counts_while_nobody_else_holds_the_message() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    let slow = world.claim_messages("12:00:01").await;
    assert_eq!(
        settle(&world, &slow, "12:09:00", json!({"outcome": "sent"})).await,
        counts(1, 0, 1, 0, 0)
    );
}

#[tokio::test]
async fn pauses_double_within_bounds() {
    let world = World::migrated().await;
    for (attempts, seconds) in [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (20, 3600)] {
        for (jitter, factor) in [("0", 0.8), ("1", 1.2)] {
            let pause = format!("extract(epoch from ops.retry_after({attempts}, {jitter}))");
            let expected = f64::from(seconds) * factor;
            let pause = world.value(&pause).await.as_f64().unwrap();
            assert!(
                (pause - expected).abs() < 1e-6,
                "{attempts} at {jitter}: {pause}"
            );
        }
    }
}

#[tokio::test]
async fn a_retry_waits_for_the_longer_of_backoff_and_what_the_provider_asks() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    let pause =
        "(select extract(epoch from next_attempt_at - '2026-11-24T12:00:02Z') from ops.outbox)";

    let claimed = world.claim_messages("12:00:01").await;
    let failed = json!({"outcome": "retry", "statusCode": 500, "error": "oops"});
    assert_eq!(
        settle(&world, &claimed, "12:00:02", failed).await,
        counts(1, 0, 0, 1, 0)
    );
    let backoff = world.value(pause).await.as_f64().unwrap();
    assert!((24.0..=36.0).contains(&backoff), "{backoff}");
    assert_eq!(
        world.value("(select last_error from ops.outbox)").await,
        "oops"
    );
    assert!(subjects(&world.claim_messages("12:00:20").await).is_empty());

    let claimed = world.claim_messages("12:01:00").await;
    let asked = json!({"outcome": "retry", "statusCode": 429, "retryAfterSeconds": 600});
    settle(&world, &claimed, "12:00:02", asked).await;
    assert_eq!(world.value(pause).await, 600.0);
}

#[tokio::test]
async fn what_fails_too_often_is_dead() {
    let world = World::migrated().await;
    let arguments = json!({"p_key": "delivery.maximum_attempts", "p_value": 2, "p_by": "test"});
    world.call("ops_set_setting", arguments).await;
    raise(&world, "12:00:00", "high", "h").await;
    let failed = json!({"outcome": "retry", "error": "gone"});
    let first = world.claim_messages("12:00:01").await;
    assert_eq!(
        settle(&world, &first, "12:00:02", failed.clone()).await,
        counts(1, 0, 0, 1, 0)
    );
    let second = world.claim_messages("12:10:00").await;
    assert_eq!(
        settle(&world, &second, "12:10:01", failed.clone()).await,
        counts(1, 0, 0, 0, 1)
    );
    assert_eq!(
        settle(&world, &second, "12:10:02", failed).await,
        counts(1, 0, 0, 0, 1),
        "repeated"
    );
    assert!(subjects(&world.claim_messages("13:00:00").await).is_empty());
    let outbox = world.dashboard(3600, "12:30:00").await["outbox"].clone();
    assert_eq!(outbox["dead"][0]["error"], "gone");
}

#[tokio::test]
async fn what_always_kills_its_worker_is_dead_too() {
    let world = World::migrated().await;
    let arguments = json!({"p_key": "delivery.maximum_attempts", "p_value": 2, "p_by": "test"});
    world.call("ops_set_setting", arguments).await;
    raise(&world, "12:00:00", "high", "h").await;
    for now in ["12:00:01", "12:10:00"] {
        assert_eq!(subjects(&world.claim_messages(now).await).len(), 1);
    }
    assert!(subjects(&world.claim_messages("12:20:00").await).is_empty());
    assert_eq!(
        world
            .rows("select status, last_error from ops.outbox")
            .await,
        json!([{"status": "dead", "last_error": "lease ran out at the last attempt"}]),
    );
}

#[tokio::test]
async fn a_low_alert_waits_for_the_digest() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "low", "one").await;
    raise(&world, "13:00:00", "low", "two").await;
    for now in ["14:00:00", "2026-11-25T08:59:59Z"] {
        assert_eq!(
            world.claim_messages(now).await["digests"],
            json!([]),
            "{now}"
        );
    }
    let arguments = claim_arguments("2026-11-25T09:00:00Z");
    let claimed = world.call("ops_claim_messages", arguments.clone()).await;
    assert_eq!(claimed["messages"], json!([]));
    let digest = &claimed["digests"][0];
    assert_eq!(array(&claimed["digests"]).len(), 1);
    assert_eq!(digest["channel"], "slack");
    assert_eq!(digest["lease"], arguments["p_claim"]);
    let items: Vec<&Value> = array(&digest["items"])
        .iter()
        .map(|item| &item["subject"])
        .collect();
    assert_eq!(items, ["one", "two"]);

    let results: Vec<Value> = array(&digest["ids"])
        .iter()
        .map(|id| json!({"id": id, "outcome": "sent"}))
        .collect();
    let settlement =
        json!({"p_claim": digest["lease"], "p_results": results, "p_now": "2026-11-25T09:00:05Z"});
    assert_eq!(
        world.call("ops_settle_messages", settlement).await,
        counts(2, 0, 2, 0, 0)
    );
    assert_eq!(
        world.claim_messages("2026-11-26T09:00:00Z").await["digests"],
        json!([])
    );
}

#[tokio::test]
async fn whoever_read_the_digest_and_was_told_at_once_is_told_of_the_end_once() {
    for (what, in_the_digest) in [("digest", true), ("worse", false), ("acknowledged", false)] {
        let world = World::migrated().await;
        let alert = people::raise(&world, "08:00:00", "low", "x").await;
        world.deliver("09:00:00").await;
        match what {
            "worse" => raise(&world, "09:10:00", "high", "x").await,
            "acknowledged" => {
                people::act(&world, &alert, "acknowledge", "09:10:00").await;
                people::advance(&world, "10:10:01").await;
            }
            _ => {}
        }
        world.deliver("10:10:05").await;
        people::resolve(&world, "10:20:00", "x").await;
        let ends = "select channel, digest from ops.outbox where kind = 'resolved'";
        let expected = json!([{"channel": "slack", "digest": in_the_digest}]);
        assert_eq!(world.rows(ends).await, expected, "{what}");
    }
}

#[tokio::test]
async fn the_next_digest_is_at_its_hour_utc() {
    let world = World::migrated().await;
    for (now, next) in [
        ("2026-11-24T08:59:59Z", "2026-11-24T09:00:00+00:00"),
        ("2026-11-24T09:00:00Z", "2026-11-25T09:00:00+00:00"),
        ("2026-11-24T23:30:00-05:00", "2026-11-25T09:00:00+00:00"),
        ("2026-12-31T12:00:00Z", "2027-01-01T09:00:00+00:00"),
    ] {
        assert_eq!(
            world
                .value(&format!("ops.next_digest_at('{now}', 9)"))
                .await,
            next,
            "{now}"
        );
    }
}

#[tokio::test]
async fn a_settlement_without_sense_is_refused() {
    let world = World::migrated().await;
    let id = uuid::Uuid::nil();
    for results in [
        json!({}),
        json!([{"id": id}]),
        json!([{"outcome": "sent"}]),
        json!([{"id": id, "outcome": "maybe"}]),
    ] {
        let arguments = json!({"p_claim": id, "p_results": results});
        assert_eq!(
            world.refusal("ops_settle_messages", arguments).await[0],
            "22023"
        );
    }
    let unknown = json!({"p_claim": id, "p_results": [{"id": id, "outcome": "sent"}]});
    assert_eq!(
        world.call("ops_settle_messages", unknown).await,
        counts(0, 1, 0, 0, 0)
    );
}

#[tokio::test]
async fn what_nobody_tried_to_send_loses_no_attempt_and_waits_as_long_as_was_asked() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    let claimed = world.claim_messages("12:00:01").await;
    let untried = json!({"outcome": "untried", "retryAfterSeconds": 30, "error": "wait"});
    assert_eq!(
        settle(&world, &claimed, "12:00:02", untried.clone()).await,
        counts(1, 0, 0, 1, 0)
    );
    let row = "(select jsonb_build_array(attempts, status, lease) from ops.outbox)";
    assert_eq!(world.value(row).await, json!([0, "pending", null]));
    assert!(subjects(&world.claim_messages("12:00:31").await).is_empty());
    let claimed = world.claim_messages("12:00:32").await;
    assert_eq!(claimed["messages"][0]["attempt"], 1);
    let untried = json!({"outcome": "untried"});
    settle(&world, &claimed, "12:00:33", untried).await;
    assert_eq!(
        subjects(&world.claim_messages("12:00:33").await),
        ["h slack"]
    );
}

#[tokio::test]
async fn in_the_place_of_what_cannot_be_read_a_bare_message_goes_out_and_is_answered() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    let odd =
        "update ops.outbox set facts = facts || '{\"since\": {\"a\": 1}, \"detail\": [[[]]]}'";
    world.execute(odd).await;
    let claimed = world.claim_messages("12:00:01").await;
    let unread = json!({"outcome": "unread", "error": "it cannot be read"});
    assert_eq!(
        settle(&world, &claimed, "12:00:02", unread.clone()).await,
        counts(1, 0, 0, 0, 1)
    );
    let bare = world.claim_messages("12:00:02").await;
    let facts = &bare["messages"][0]["facts"];
    let known = json!({
        "kind": facts["kind"], "rule": facts["rule"], "title": facts["title"], "since": facts["since"],
        "detail": facts["detail"], "severity": facts["severity"], "bare": facts["bare"],
    });
    let expected = json!({
        "kind": "firing", "rule": "external", "title": "T", "since": null, "detail": null,
        "severity": "high", "bare": true,
    });
    assert_eq!(known, expected);
    settle(&world, &bare, "12:00:03", json!({"outcome": "sent"})).await;

    // The channel is not to blame, and no other channel is asked to read it.
    let arguments = json!({"p_channels": ["slack", "email"], "p_now": at("12:00:04")});
    world.call("ops_advance_ladder", arguments).await;
    let failing = world.value(
        "(select count(*) from ops.failing_channels(ops.read_settings(), '2026-11-24T12:00:04Z'))",
    );
    assert_eq!(failing.await, 0);
    let over = json!({"status": "resolved", "source": "test", "type": "t", "subject": "h"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [over],
                           "p_channels": ["slack", "email"], "p_now": at("12:01:00")});
    world.call("ops_raise_alerts", arguments).await;
    let rows = "select kind, channel, status from ops.outbox order by created_at, kind, status";
    assert_eq!(
        world.rows(rows).await,
        json!([
            {"kind": "firing", "channel": "slack", "status": "dead"},
            {"kind": "firing", "channel": "slack", "status": "sent"},
            {"kind": "resolved", "channel": "slack", "status": "pending"},
        ])
    );
}

#[tokio::test]
async fn of_a_bare_message_that_cannot_be_read_either_there_is_no_other() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "h").await;
    for now in ["12:00:01", "12:00:02"] {
        let claimed = world.claim_messages(now).await;
        settle(&world, &claimed, now, json!({"outcome": "unread"})).await;
    }
    assert!(subjects(&world.claim_messages("12:00:03").await).is_empty());
}
