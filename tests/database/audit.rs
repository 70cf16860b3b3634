//! The self-audit: what is left undone and nobody is about to do.

use serde_json::{Value, json};

use crate::{
    failing_channels::settle,
    people::{act, everybody, raise},
    support::{World, array, at},
};

/// The findings at that time but alerts that nobody was told of, as `kind subject count`.
async fn findings(world: &World, now: &str) -> Vec<String> {
    let audit = world.value(&format!("ops.self_audit('{}')", at(now))).await;
    let lines: Vec<String> = array(&audit["findings"])
        .iter()
        .map(|finding| {
            let [kind, subject] = ["kind", "subject"].map(|key| finding[key].as_str().unwrap());
            format!("{kind} {subject} {}", finding["count"])
        })
        .collect();
    assert_eq!(audit["clean"], lines.is_empty(), "{audit}");
    let lines = lines.into_iter();
    lines
        .filter(|line| !line.starts_with("untold_alerts "))
        .collect()
}

#[tokio::test]
async fn a_due_message_that_nobody_leases_is_found() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    raise(&world, "12:00:00", "low", "for the digest").await;
    assert_eq!(findings(&world, "12:09:59").await, [""; 0]);
    let found = findings(&world, "12:10:00").await;
    assert_eq!(found, ["unowned_messages slack 1"]);

    // Tried and refused, it waits for its next time.
    settle(&world, "12:10:05", "slack", "retry").await;
    assert_eq!(findings(&world, "12:11:00").await, [""; 0]);
    let found = findings(&world, "12:21:00").await;
    assert_eq!(found, ["unowned_messages slack 1"]);
    // Leased, somebody is at it, until long after the lease.
    world.claim_messages("12:21:30").await;
    assert_eq!(findings(&world, "12:31:00").await, [""; 0]);
    assert_eq!(findings(&world, "12:33:00").await.len(), 1);
}

#[tokio::test]
async fn what_waits_on_purpose_is_no_finding() {
    let world = World::migrated().await;
    let silence = json!({
        "p_silence": uuid::Uuid::new_v4(), "p_match": {"subject": "x"}, "p_until": at("13:00:00"),
        "p_reason": "known", "p_author": "Anna", "p_now": at("11:59:00"),
    });
    world.call("ops_add_silence", silence).await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    assert_eq!(findings(&world, "12:40:00").await, [""; 0]);

    // What failed is tried later.
    raise(&world, "12:00:00", "medium", "y").await;
    settle(&world, "12:00:05", "slack", "retry").await;
    world
        .execute(
            "update ops.outbox set next_attempt_at = '2026-11-24T13:00:00Z' where attempts = 1",
        )
        .await;
    assert_eq!(findings(&world, "12:40:00").await, [""; 0]);
}

#[tokio::test]
async fn a_step_of_a_ladder_that_nobody_takes_is_found_unless_somebody_answered() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    assert_eq!(findings(&world, "12:24:59").await, [""; 0]);
    let found = findings(&world, "12:25:00").await;
    assert_eq!(found, ["overdue_escalations x 1"]);
    act(&world, &alert, "acknowledge", "12:25:30").await;
    assert_eq!(findings(&world, "12:26:00").await, [""; 0]);
}

#[tokio::test]
async fn a_job_that_nobody_calls_is_found() {
    let world = World::migrated().await;
    let claim = |manual: bool| {
        json!({"p_run": uuid::Uuid::new_v4(), "p_job": "dispatch", "p_every_seconds": 60,
               "p_lease_seconds": 57, "p_manual": manual, "p_now": at("12:00:00")})
    };
    let by_hand = world.call("ops_claim_run", claim(true)).await;
    assert_eq!(findings(&world, "13:00:00").await, [""; 0], "not set up");
    let end = json!({"p_run": by_hand["run"], "p_fence": by_hand["fence"], "p_outcome": "done",
                     "p_summary": {}, "p_now": at("12:00:01")});
    world.call("ops_finish_run", end).await;
    world.call("ops_claim_run", claim(false)).await;
    assert_eq!(findings(&world, "12:03:00").await, [""; 0]);
    let found = findings(&world, "12:03:01").await;
    assert_eq!(found, ["stale_jobs dispatch 1"]);
}

#[tokio::test]
async fn a_tick_and_the_dashboard_carry_the_audit() {
    let world = World::migrated().await;
    let tick = world.tick("12:00:00", &[]).await;
    let clean: Value = json!({"clean": true, "findings": []});
    assert_eq!(tick["audit"], clean);
    raise(&world, "12:00:30", "medium", "x").await;
    let audit = world.dashboard(3600, "12:20:00").await["audit"].clone();
    assert_eq!(audit["clean"], false);
    let kinds: Vec<&Value> = array(&audit["findings"])
        .iter()
        .map(|finding| &finding["kind"])
        .collect();
    assert_eq!(kinds, ["stale_jobs", "unowned_messages", "untold_alerts"]);
}
