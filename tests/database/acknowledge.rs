//! What people do about alerts, and what that holds back.

use serde_json::{Value, json};

use crate::{
    people::{act, action, advance, everybody, messages, raise, timeline, told},
    support::{World, app, at, minutes, transitions},
};

async fn status(world: &World) -> Value {
    world
        .value("(select status from ops.alerts order by opened_at desc limit 1)")
        .await
}

#[tokio::test]
async fn an_acknowledgement_holds_the_ladder_and_takes_back_what_is_queued() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    advance(&world, "12:15:00").await;
    assert_eq!(act(&world, &alert, "acknowledge", "12:15:10").await, "done");
    assert_eq!(
        messages(&world).await[2..],
        [
            "escalation email superseded on_call_secondary",
            "escalation slack superseded on_call_secondary",
        ]
    );
    assert_eq!(advance(&world, "12:30:00").await, 0);
    assert_eq!(advance(&world, "13:15:09").await, 0);
    assert_eq!(status(&world).await, "acknowledged");
}

#[tokio::test]
async fn what_a_worker_holds_is_not_taken_back() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    world.claim_messages("12:00:05").await;
    act(&world, &alert, "acknowledge", "12:00:06").await;
    assert_eq!(messages(&world).await, ["firing slack pending"]);
}

#[tokio::test]
async fn an_acknowledgement_that_is_forgotten_ends_and_the_ladder_is_where_the_time_says() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    act(&world, &alert, "acknowledge", "12:10:00").await;
    assert_eq!(advance(&world, "13:09:59").await, 0);
    assert_eq!(status(&world).await, "acknowledged");
    assert_eq!(advance(&world, "13:10:00").await, 3);
    assert_eq!(status(&world).await, "firing");
    assert_eq!(told(&world).await.last().unwrap(), "vendor_support");
    let reminder = world
        .rows(
            "select facts #>> '{escalation,acknowledgedBy}' as by from ops.outbox
             where kind = 'escalation' and facts #> '{escalation,level}' = 'null' and channel = 'slack'",
        )
        .await;
    assert_eq!(reminder, json!([{"by": "Anna"}]));
    assert_eq!(
        timeline(&world).await[1..4],
        ["escalated", "acknowledged Anna", "acknowledgement_ended"]
    );
    assert_eq!(advance(&world, "13:10:30").await, 0, "once");
}

#[tokio::test]
async fn how_long_an_acknowledgement_holds_is_a_setting() {
    let world = World::migrated().await;
    let setting = json!({"p_key": "escalation.acknowledged_minutes", "p_value": 5, "p_by": "test"});
    world.call("ops_set_setting", setting).await;
    let alert = raise(&world, "12:00:00", "medium", "x").await;
    act(&world, &alert, "acknowledge", "12:01:00").await;
    advance(&world, "12:05:59").await;
    assert_eq!(status(&world).await, "acknowledged");
    advance(&world, "12:06:00").await;
    assert_eq!(status(&world).await, "firing");
    assert_eq!(
        messages(&world).await,
        ["firing slack pending", "escalation slack pending"],
        "nobody had been told before"
    );
}

#[tokio::test]
async fn a_snooze_holds_until_its_own_time() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    let until = json!({"p_until": at("16:00:00"), "p_note": "waiting for the vendor"});
    let snooze = action(&alert, "snooze", "12:05:00", &until);
    let document = world.call("ops_act_on_alert", snooze).await["alert"].clone();
    assert_eq!(document["acknowledgedUntil"], "2026-11-24T16:00:00+00:00");
    assert_eq!(advance(&world, "15:59:59").await, 0);
    assert_eq!(advance(&world, "16:00:00").await, 4);
    assert!(
        timeline(&world)
            .await
            .contains(&"snoozed Anna waiting for the vendor".to_owned())
    );
}

#[tokio::test]
async fn an_acknowledgement_taken_back_lets_the_ladder_go_on() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    act(&world, &alert, "acknowledge", "12:05:00").await;
    assert_eq!(
        act(&world, &alert, "unacknowledge", "12:20:00").await,
        "done"
    );
    assert_eq!(
        act(&world, &alert, "unacknowledge", "12:20:01").await,
        "unchanged"
    );
    assert_eq!(advance(&world, "12:20:02").await, 1);
    assert_eq!(told(&world).await, ["on_call_primary", "on_call_secondary"]);
}

#[tokio::test]
async fn what_was_taken_back_is_told_when_the_acknowledgement_is() {
    let world = World::migrated().await;
    for (subject, severity, now) in [("x", "high", "12:00:00"), ("y", "low", "12:01:00")] {
        let alert = raise(&world, now, severity, subject).await;
        act(&world, &alert, "acknowledge", "12:01:10").await;
        act(&world, &alert, "unacknowledge", "12:01:20").await;
    }
    assert_eq!(
        messages(&world).await,
        ["firing slack pending", "firing slack pending"]
    );
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_time() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    let request = action(&alert, "acknowledge", "12:01:00", &json!({}));
    let first = world.call("ops_act_on_alert", request.clone()).await;
    act(&world, &alert, "unacknowledge", "12:02:00").await;
    assert_eq!(world.call("ops_act_on_alert", request).await, first);
    assert_eq!(status(&world).await, "firing", "and does nothing");
}

#[tokio::test]
async fn what_is_resolved_by_hand_and_still_bad_opens_anew() {
    let world = World::migrated().await;
    for now in minutes("12:00:00", 3) {
        world.tick(&now, &[app("down")]).await;
    }
    world.deliver("12:02:05").await;
    let alert = world.value("(select id from ops.alerts)").await;
    let alert = alert.as_str().unwrap();
    let close = action(alert, "resolve", "12:02:30", &json!({"p_note": "known"}));
    let closed = world.call("ops_act_on_alert", close).await;
    assert_eq!(closed["alert"]["status"], "resolved");
    assert_eq!(
        timeline(&world).await.last_chunk::<2>().unwrap(),
        &["closed Anna known", "resolved"]
    );
    assert_eq!(
        world.deliver("12:02:40").await,
        2,
        "both channels hear of it"
    );
    assert_eq!(act(&world, alert, "resolve", "12:02:50").await, "unchanged");
    let mut happened = Vec::new();
    for now in minutes("12:03:00", 3) {
        happened.extend(transitions(&world.tick(&now, &[app("down")]).await));
    }
    assert_eq!(happened, ["opened app_down https://app.example/"]);
}

#[tokio::test]
async fn an_action_without_sense_is_refused() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    for (what, over) in [
        ("ignore", json!({})),
        ("acknowledge", json!({"p_actor": " "})),
        ("acknowledge", json!({"p_note": "x".repeat(1001)})),
        ("acknowledge", json!({"p_until": at("11:59:59")})),
        ("acknowledge", json!({"p_until": "2026-12-02T00:00:00Z"})),
        ("snooze", json!({})),
        ("silence", json!({"p_until": at("13:00:00")})),
        ("silence", json!({"p_note": "planned"})),
    ] {
        let request = action(&alert, what, "12:01:00", &over);
        let [code, ..] = world.refusal("ops_act_on_alert", request).await;
        assert_eq!(code, "22023", "{what} {over}");
    }
    let nobody = uuid::Uuid::new_v4().to_string();
    assert_eq!(
        act(&world, &nobody, "acknowledge", "12:01:00").await,
        "unknown"
    );
}
