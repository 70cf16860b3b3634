//! Threads on Slack, and changes of an alert's first message there.

use serde_json::{Value, json};

use crate::{
    people::{act, action, advance, contact, messages, raise, resolve},
    support::{World, array, at},
};

/// Leases what is due on Slack.
async fn claim(world: &World, now: &str) -> Value {
    let arguments = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": ["slack"], "p_limit": 50,
                           "p_lease_seconds": 60, "p_now": at(now)});
    world.call("ops_claim_messages", arguments).await
}

/// Says that what was leased was sent, each message under the name that follows.
async fn settle(world: &World, claimed: &Value, names: &[&str], now: &str) {
    let claimed = array(&claimed["messages"]);
    assert_eq!(claimed.len(), names.len(), "{claimed:?}");
    let results: Vec<Value> = claimed
        .iter()
        .zip(names)
        .map(|(message, name)| {
            let name = (!name.is_empty()).then_some(name);
            json!({"id": message["id"], "outcome": "sent", "providerId": name})
        })
        .collect();
    let lease = &claimed[0]["lease"];
    let arguments = json!({"p_claim": lease, "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", arguments).await;
}

/// An alert that was told on Slack, whose message has that name.
async fn told(world: &World, severity: &str, name: &str) -> String {
    let alert = raise(world, "12:00:00", severity, "x").await;
    let claimed = claim(world, "12:00:01").await;
    assert_eq!(claimed["messages"][0]["thread"], Value::Null);
    settle(world, &claimed, &[name], "12:00:02").await;
    alert
}

/// Every change so far: its status, the state that it shows, and who holds it.
async fn changes(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select concat_ws(' ', status, facts ->> 'kind', facts #>> '{acknowledgement,by}') as line
             from ops.outbox where kind = 'change' order by created_at, id",
        )
        .await;
    let lines = array(&rows).iter().map(|row| row["line"].as_str().unwrap());
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_first_message_shows_who_has_taken_an_alert_over_and_until_when() {
    let world = World::migrated().await;
    let alert = told(&world, "high", "C1:1.1").await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    let claimed = claim(&world, "12:01:01").await;
    let change = &claimed["messages"][0];
    assert_eq!(
        (&change["kind"], &change["thread"]),
        (&json!("change"), &json!("C1:1.1"))
    );
    let facts = &change["facts"];
    assert_eq!(facts["kind"], "firing");
    assert_eq!(
        facts["acknowledgement"],
        json!({"by": "Anna", "until": "2026-11-24T13:01:00+00:00"})
    );
    assert_eq!(change["createdAt"], "2026-11-24T12:01:00+00:00");
}

#[tokio::test]
async fn each_thing_that_happens_to_an_alert_is_shown_and_only_the_latest() {
    let world = World::migrated().await;
    let alert = told(&world, "medium", "C1:1.1").await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    act(&world, &alert, "unacknowledge", "12:02:00").await;
    let snooze = json!({"p_until": at("12:30:00")});
    world
        .call(
            "ops_act_on_alert",
            action(&alert, "snooze", "12:03:00", &snooze),
        )
        .await;
    advance(&world, "12:30:00").await;
    act(&world, &alert, "resolve", "12:31:00").await;
    assert_eq!(
        changes(&world).await,
        [
            "superseded firing Anna",
            "superseded firing",
            "superseded firing Anna",
            "superseded firing",
            "pending resolved",
        ]
    );
}

#[tokio::test]
async fn what_is_said_later_belongs_to_the_first_message() {
    let world = World::migrated().await;
    for (name, role) in [("Anna", "on_call_primary"), ("Bo", "on_call_secondary")] {
        contact(&world, name, role, json!({"slack": "U0ABC"})).await;
    }
    told(&world, "critical", "C1:1.1").await;
    advance(&world, "12:15:00").await;
    let escalation = claim(&world, "12:15:01").await;
    let threads = |claimed: &Value| {
        let claimed = array(&claimed["messages"]).iter();
        let mut lines: Vec<String> = claimed
            .map(|message| format!("{} {}", message["kind"], message["thread"]))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(threads(&escalation), [r#""escalation" "C1:1.1""#]);
    settle(&world, &escalation, &["C1:2.2"], "12:15:02").await;
    resolve(&world, "12:20:00", "x").await;
    assert_eq!(
        threads(&claim(&world, "12:20:01").await),
        [r#""change" "C1:1.1""#, r#""resolved" "C1:1.1""#]
    );
}

#[tokio::test]
async fn without_a_name_there_is_no_thread_and_nothing_is_changed() {
    let world = World::migrated().await;
    let alert = told(&world, "high", "").await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    resolve(&world, "12:02:00", "x").await;
    let claimed = claim(&world, "12:02:01").await;
    assert_eq!(claimed["messages"][0]["kind"], "resolved");
    assert_eq!(claimed["messages"][0]["thread"], Value::Null);
    assert_eq!(changes(&world).await, [""; 0]);
}

#[tokio::test]
async fn another_channels_receipt_is_no_name_on_slack() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    let sent = "update ops.outbox set status = 'sent', sent_at = created_at, provider_id = 're_1'
                where channel = 'email'";
    world.execute(sent).await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    assert_eq!(changes(&world).await, [""; 0]);
}

#[tokio::test]
async fn what_happened_while_the_first_message_was_under_way_is_shown_afterwards() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    let claimed = claim(&world, "12:00:01").await;
    act(&world, &alert, "acknowledge", "12:00:02").await;
    assert_eq!(changes(&world).await, [""; 0]);
    settle(&world, &claimed, &["C1:1.1"], "12:00:03").await;
    assert_eq!(changes(&world).await, ["pending firing Anna"]);
    assert_eq!(
        messages(&world).await,
        ["firing slack sent", "change slack pending"]
    );
}

#[tokio::test]
async fn a_digest_is_about_others_too_and_is_not_changed() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "low", "x").await;
    let due = "update ops.outbox set next_attempt_at = created_at";
    world.execute(due).await;
    let claimed = claim(&world, "12:00:01").await;
    let digest = &claimed["digests"][0];
    let arguments = json!({
        "p_claim": digest["lease"], "p_now": at("12:00:02"),
        "p_results": [{"id": digest["ids"][0], "outcome": "sent", "providerId": "C1:1.1"}],
    });
    world.call("ops_settle_messages", arguments).await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    assert_eq!(changes(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_change_never_overtakes_one_that_is_under_way() {
    let world = World::migrated().await;
    let alert = told(&world, "high", "C1:1.1").await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    let under_way = claim(&world, "12:01:01").await;
    assert_eq!(array(&under_way["messages"]).len(), 1);
    act(&world, &alert, "unacknowledge", "12:01:02").await;
    assert_eq!(claim(&world, "12:02:00").await["messages"], json!([]));
    let next = claim(&world, "12:02:01").await;
    assert_eq!(next["messages"][0]["kind"], "change");
    assert_eq!(next["messages"][0]["facts"]["acknowledgement"], Value::Null);
}
