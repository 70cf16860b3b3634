//! Discord and the webhook beside Slack and email. Where an alert of each severity
//! goes is in `alerts::routing`.

use serde_json::{Value, json};

use crate::{
    people::{act, contact, messages},
    support::{World, array, at},
};

async fn raise(world: &World, now: &str, severity: &str, channels: &[&str]) -> String {
    let alert = json!({"status": "firing", "source": "test", "type": "t", "severity": severity,
                       "title": "T", "subject": "x"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": channels, "p_now": at(now)});
    let result = world.call("ops_raise_alerts", arguments).await;
    let alert = &result["results"][0]["alert"];
    alert.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_low_and_became_worse_is_told_a_machine_again() {
    let world = World::migrated().await;
    let channels = ["slack", "webhook"];
    raise(&world, "12:00:00", "low", &channels).await;
    let claim = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": ["webhook"], "p_limit": 9,
                       "p_lease_seconds": 60, "p_now": at("12:00:01")});
    let claimed = world.call("ops_claim_messages", claim).await;
    assert_eq!(claimed["messages"][0]["severity"], "low");
    raise(&world, "12:01:00", "high", &channels).await;
    raise(&world, "12:02:00", "critical", &channels).await;
    let told = world
        .rows("select channel, severity, status from ops.outbox order by channel, created_at")
        .await;
    assert_eq!(
        told,
        json!([
            {"channel": "slack", "severity": "low", "status": "superseded"},
            {"channel": "slack", "severity": "high", "status": "pending"},
            {"channel": "webhook", "severity": "low", "status": "pending"},
            {"channel": "webhook", "severity": "high", "status": "pending"},
        ])
    );
}

#[tokio::test]
async fn an_acknowledgement_taken_back_restores_what_a_machine_was_not_told_yet() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "low", &["slack", "webhook"]).await;
    act(&world, &alert, "acknowledge", "12:00:01").await;
    let superseded = ["firing slack superseded", "firing webhook superseded"];
    assert_eq!(messages(&world).await, superseded);
    act(&world, &alert, "unacknowledge", "12:00:02").await;
    let pending = ["firing slack pending", "firing webhook pending"];
    assert_eq!(messages(&world).await, pending);
}

#[tokio::test]
async fn without_slack_and_email_people_are_named_wherever_there_is_somebody() {
    for (channels, expected) in [
        (
            vec!["discord", "webhook"],
            vec!["firing discord pending Anna", "firing webhook pending Anna"],
        ),
        (vec!["webhook"], vec!["firing webhook pending Anna"]),
        (
            vec!["slack", "discord"],
            vec!["firing discord pending", "firing slack pending Anna"],
        ),
    ] {
        let world = World::migrated().await;
        let address = json!({"email": "anna@wine.example"});
        contact(&world, "Anna", "on_call_primary", address).await;
        raise(&world, "12:00:00", "critical", &channels).await;
        assert_eq!(messages(&world).await, expected, "{channels:?}");
    }
}

#[tokio::test]
async fn whoever_hears_of_a_beginning_on_a_channel_hears_of_its_end_there() {
    let world = World::migrated().await;
    let channels = ["slack", "email", "discord", "webhook"];
    let alert = raise(&world, "12:00:00", "critical", &channels).await;
    let arguments = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": channels, "p_limit": 9,
                           "p_lease_seconds": 60, "p_now": at("12:00:01")});
    let claimed = world.call("ops_claim_messages", arguments).await;
    let results: Vec<Value> = array(&claimed["messages"])
        .iter()
        .map(|message| json!({"id": message["id"], "outcome": "sent"}))
        .collect();
    assert_eq!(results.len(), 4);
    let lease = &claimed["messages"][0]["lease"];
    let settle = json!({"p_claim": lease, "p_results": results, "p_now": at("12:00:02")});
    world.call("ops_settle_messages", settle).await;
    act(&world, &alert, "resolve", "12:05:00").await;
    let ended = "select channel from ops.outbox where kind = 'resolved' order by channel";
    assert_eq!(
        world.rows(ended).await,
        json!([{"channel": "discord"}, {"channel": "email"}, {"channel": "slack"}, {"channel": "webhook"}])
    );
}

#[tokio::test]
async fn a_channel_that_is_not_known_is_refused_with_those_that_are() {
    let world = World::migrated().await;
    let known = world.value("ops.join_words(ops.known_channels())").await;
    let known = format!("must be a list of {}, got pager", known.as_str().unwrap());
    let raised =
        json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [], "p_channels": ["pager"]});
    let advanced = json!({"p_channels": ["pager"]});
    for (function, arguments) in [
        ("ops_raise_alerts", raised),
        ("ops_advance_ladder", advanced),
    ] {
        let [state, message, _] = world.refusal(function, arguments).await;
        assert_eq!(state, "22023");
        assert!(message.contains(&known), "{message}");
    }
    let claim = world.claim("12:00:00").await;
    for fields in [
        json!({"channels": ["pager"]}),
        json!({"emergency": {"since": at("11:50:00"), "channels": ["pager"]}}),
    ] {
        let mut tick = json!({"environment": "production", "everySeconds": 60, "checks": [],
                              "channels": ["slack"], "emergency": null});
        for (key, value) in fields.as_object().unwrap() {
            tick[key] = value.clone();
        }
        let arguments = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_tick": tick,
                               "p_now": at("12:00:01")});
        let [state, message, _] = world.refusal("ops_commit_tick", arguments).await;
        assert_eq!(state, "22023");
        assert!(message.contains(&known), "{message}");
    }
    let unknown =
        "insert into ops.outbox (kind, channel, severity, facts, next_attempt_at, created_at)
                   values ('notice', 'pager', 'low', '{}', now(), now())";
    assert!(world.admin.batch_execute(unknown).await.is_err());
}
