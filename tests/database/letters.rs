//! Messages as an operator sees them, and dead ones that are sent after all.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    failing_channels::settle,
    people::{messages, raise, resolve},
    support::{World, array, at},
};

fn resend(message: &Value, now: &str) -> Value {
    json!({"p_request": Uuid::new_v4(), "p_message": message, "p_actor": "Anna", "p_now": at(now)})
}

/// An alert whose message was given up; returns the message.
async fn dead(world: &World) -> Value {
    raise(world, "12:00:00", "high", "x").await;
    settle(world, "12:00:05", "slack", "dead").await;
    world.value("(select id from ops.outbox)").await
}

#[tokio::test]
async fn the_list_has_attempts_receipts_and_errors() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    world.deliver("12:00:05").await;
    raise(&world, "12:01:00", "high", "y").await;
    settle(&world, "12:01:05", "slack", "dead").await;
    let list = async |arguments: Value| {
        let listed = world.call("ops_list_messages", arguments).await;
        array(&listed["messages"]).clone()
    };
    let all = list(json!({})).await;
    let subjects: Vec<&Value> = all.iter().map(|message| &message["subject"]).collect();
    assert_eq!(subjects, ["y", "x"], "the newest first");
    assert_eq!(all[1]["sentAt"], "2026-11-24T12:00:05+00:00");
    assert_eq!(all[1]["deliveries"][0]["outcome"], "sent");

    let given_up = list(json!({"p_dead": true})).await;
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0]["error"], "refused");
    assert_eq!(given_up[0]["attempts"], 1);

    let of_one = list(json!({"p_alert": alert})).await;
    assert_eq!(of_one.len(), 1);
    assert_eq!(of_one[0]["subject"], "x");
    assert_eq!(list(json!({"p_limit": 1})).await.len(), 1);
}

#[tokio::test]
async fn a_dead_message_is_queued_anew_once_per_request() {
    let world = World::migrated().await;
    let message = dead(&world).await;
    let request = resend(&message, "12:01:00");
    let first = world.call("ops_resend_message", request.clone()).await;
    assert_eq!(first["outcome"], "queued");
    assert_eq!(world.call("ops_resend_message", request).await, first);
    assert_eq!(
        messages(&world).await,
        ["firing slack superseded", "firing slack pending"]
    );
    let again = world
        .call("ops_resend_message", resend(&message, "12:02:00"))
        .await;
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(settle(&world, "12:02:05", "slack", "sent").await, 1);
}

#[tokio::test]
async fn a_dead_message_may_take_another_channel() {
    let world = World::migrated().await;
    let message = dead(&world).await;
    let mut request = resend(&message, "12:01:00");
    request["p_channel"] = json!("email");
    world.call("ops_resend_message", request).await;
    assert_eq!(
        messages(&world).await,
        ["firing slack superseded", "firing email pending"]
    );
}

#[tokio::test]
async fn the_beginning_of_what_is_over_is_not_sent_anew() {
    let world = World::migrated().await;
    let message = dead(&world).await;
    resolve(&world, "12:00:30", "x").await;
    let answer = world
        .call("ops_resend_message", resend(&message, "12:01:00"))
        .await;
    assert_eq!(answer, json!({"outcome": "over", "message": null}));
    let nobody = resend(&json!(Uuid::nil()), "12:01:00");
    let answer = world.call("ops_resend_message", nobody).await;
    assert_eq!(answer["outcome"], "unknown");
}

#[tokio::test]
async fn what_had_no_channel_needs_one_to_be_sent() {
    let world = World::migrated().await;
    let raised = json!({"status": "firing", "source": "test", "type": "t", "severity": "high",
                        "title": "T", "subject": "x"});
    let arguments = json!({"p_request": Uuid::new_v4(), "p_alerts": [raised],
                           "p_channels": [], "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    let message = world.value("(select id from ops.outbox)").await;
    let mut request = resend(&message, "12:01:00");
    let [code, text, hint] = world.refusal("ops_resend_message", request.clone()).await;
    assert_eq!((code.as_str(), hint.as_str()), ("22023", "Name one."));
    assert!(
        text.starts_with("channel must be given for message"),
        "{text}"
    );
    request["p_channel"] = json!("pigeon");
    assert_eq!(
        world.refusal("ops_resend_message", request.clone()).await[0],
        "22023"
    );
    request["p_channel"] = json!("email");
    let answer = world.call("ops_resend_message", request).await;
    assert_eq!(answer["outcome"], "queued");
}
