//! What people do about alerts, and what that holds back.

use serde_json::{Value, json};

use crate::{
    people::{act, action, advance, contact, everybody, messages, raise, resolve, timeline, told},
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
async fn an_acknowledgement_that_is_forgotten_ends_and_the_ladder_goes_on_from_where_it_was() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    act(&world, &alert, "acknowledge", "12:10:00").await;
    assert_eq!(advance(&world, "13:09:59").await, 0);
    assert_eq!(status(&world).await, "acknowledged");
    assert_eq!(advance(&world, "13:10:00").await, 0);
    assert_eq!(status(&world).await, "firing");
    assert_eq!(told(&world).await, ["on_call_primary"]);
    let reminder = world
        .rows(
            "select facts #>> '{escalation,acknowledgedBy}' as by from ops.outbox
             where kind = 'escalation' and facts #> '{escalation,level}' = 'null' and channel = 'slack'",
        )
        .await;
    assert_eq!(reminder, json!([{"by": "Anna"}]));
    assert_eq!(
        timeline(&world).await[1..],
        [
            "escalated",
            "acknowledged Anna",
            "acknowledgement_ending",
            "acknowledgement_ended"
        ]
    );
    assert_eq!(advance(&world, "13:10:30").await, 0, "once");
    // The distances are those of the ladder.
    for (early, due, name) in [
        ("13:24:59", "13:25:00", "on_call_secondary"),
        ("13:39:59", "13:40:00", "senior_engineer"),
        ("14:09:59", "14:10:00", "vendor_support"),
    ] {
        assert_eq!(advance(&world, early).await, 0, "{early}");
        assert_eq!(advance(&world, due).await, 1, "{due}");
        assert_eq!(told(&world).await.last().unwrap(), name);
    }
}

#[tokio::test]
async fn whoever_acknowledged_is_warned_and_asked_first_when_it_runs_out() {
    let world = World::migrated().await;
    everybody(&world).await;
    let cleo = json!({"email": "cleo@wine.example", "slack": "U0CLEO"});
    contact(&world, "Cleo", "cto", cleo).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    let by_cleo = json!({"p_actor": "cleo (by a link)"});
    world
        .call(
            "ops_act_on_alert",
            action(&alert, "acknowledge", "12:10:00", &by_cleo),
        )
        .await;
    for time in [
        "12:59:59", "13:00:00", "13:00:30", "13:09:59", "13:10:00", "13:10:30",
    ] {
        advance(&world, time).await;
        world.deliver(time).await;
    }
    assert_eq!(
        messages(&world).await[2..],
        [
            "reminder email sent Cleo",
            "reminder slack sent Cleo",
            "escalation email sent Cleo",
            "escalation slack sent Cleo",
        ]
    );
    let times = world.rows("select distinct to_char(created_at, 'HH24:MI:SS') as at, kind from ops.outbox order by 1 offset 1");
    assert_eq!(
        times.await,
        json!([{"at": "13:00:00", "kind": "reminder"}, {"at": "13:10:00", "kind": "escalation"}])
    );
    let alone = "(select array_agg(distinct facts #> '{recipients,usual}') from ops.outbox where channel = 'email' and kind <> 'firing')";
    assert_eq!(world.value(alone).await, json!([false]));
    // The resolution reaches Cleo once.
    resolve(&world, "13:11:00", "x").await;
    world.deliver("13:11:05").await;
    let ends: Vec<String> = messages(&world).await.split_off(6);
    assert_eq!(
        ends,
        [
            "resolved email sent Cleo",
            "resolved email sent on_call_primary",
            "resolved slack sent on_call_primary",
        ]
    );
}

#[tokio::test]
async fn what_was_refused_is_not_sent_after_the_answer_or_the_end() {
    for (what, outcome, expected) in [
        // Nobody can have got it.
        ("acknowledge", "refused", vec!["firing slack superseded"]),
        ("resolve", "refused", vec!["firing slack superseded"]),
        // Somebody may have.
        ("acknowledge", "retry", vec!["firing slack pending"]),
        (
            "resolve",
            "retry",
            vec!["firing slack superseded", "resolved slack pending"],
        ),
    ] {
        let world = World::migrated().await;
        let alert = raise(&world, "12:00:00", "high", "x").await;
        settle_as(&world, "12:00:05", outcome).await;
        act(&world, &alert, what, "12:00:10").await;
        assert_eq!(messages(&world).await, expected, "{what} after {outcome}");
    }
}

#[tokio::test]
async fn what_fails_while_its_alert_ends_is_not_tried_again() {
    for (outcome, expected) in [
        (
            "refused",
            ["firing slack superseded", "resolved slack superseded"],
        ),
        (
            "untried",
            ["firing slack superseded", "resolved slack superseded"],
        ),
        (
            "retry",
            ["firing slack superseded", "resolved slack pending"],
        ),
        ("sent", ["firing slack sent", "resolved slack pending"]),
    ] {
        let world = World::migrated().await;
        let alert = raise(&world, "12:00:00", "high", "x").await;
        let claimed = world.claim_messages("12:00:05").await;
        act(&world, &alert, "resolve", "12:00:10").await;
        let message = &claimed["messages"][0];
        let results = json!([{"id": message["id"], "outcome": outcome}]);
        let arguments =
            json!({"p_claim": message["lease"], "p_results": results, "p_now": at("12:00:15")});
        world.call("ops_settle_messages", arguments).await;
        assert_eq!(messages(&world).await, expected, "{outcome}");
    }
}

#[tokio::test]
async fn an_end_waits_while_a_beginning_is_being_sent_and_no_longer() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    world.deliver("12:00:05").await;
    // The second beginning on Slack is under way when the alert is closed.
    raise(&world, "12:01:00", "critical", "x").await;
    world
        .execute(
            "insert into ops.outbox (kind, channel, severity, alert, facts, created_at, next_attempt_at)
             select 'escalation', 'slack', 'critical', id, '{}', '2026-11-24T12:01:00Z', '2026-11-24T12:01:00Z' from ops.alerts",
        )
        .await;
    world.claim_messages("12:01:05").await;
    act(&world, &alert, "resolve", "12:01:10").await;
    let slack = async |now: &str| {
        let claimed = world.claim_messages(now).await;
        let claimed = crate::support::array(&claimed["messages"]).clone();
        let ends = claimed
            .iter()
            .filter(|message| message["channel"] == "slack");
        ends.count()
    };
    assert_eq!(slack("12:02:04").await, 0, "the lease holds");
    assert_eq!(slack("12:02:05").await, 1, "the lease has ended");
}

#[tokio::test]
async fn a_rung_whose_messages_were_taken_back_asks_when_its_time_comes_again() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    advance(&world, "12:15:00").await;
    act(&world, &alert, "acknowledge", "12:15:10").await;
    assert_eq!(told(&world).await, ["on_call_primary"]);
    advance(&world, "13:15:10").await;
    assert_eq!(told(&world).await, ["on_call_primary"], "first Anna");
    assert_eq!(advance(&world, "13:30:10").await, 1);
    assert_eq!(told(&world).await, ["on_call_primary", "on_call_secondary"]);
}

#[tokio::test]
async fn an_end_says_how_it_ended_by_whom_and_why() {
    let world = World::migrated().await;
    for now in minutes("12:00:00", 3) {
        world.tick(&now, &[app("down")]).await;
    }
    world.deliver("12:02:05").await;
    let alert = world.value("(select id from ops.alerts)").await;
    let close = action(
        alert.as_str().unwrap(),
        "resolve",
        "12:02:30",
        &json!({"p_note": "known"}),
    );
    world.call("ops_act_on_alert", close).await;
    let ended =
        "(select array_agg(distinct facts -> 'ended') from ops.outbox where kind = 'resolved')";
    assert_eq!(
        world.value(ended).await,
        json!([{"how": "closed", "by": "Anna", "note": "known"}])
    );
}

/// Settles the one message that is due.
async fn settle_as(world: &World, now: &str, outcome: &str) {
    let claimed = world.claim_messages(now).await;
    let message = &claimed["messages"][0];
    let results = json!([{"id": message["id"], "outcome": outcome}]);
    let arguments = json!({"p_claim": message["lease"], "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", arguments).await;
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
        [
            "firing slack pending",
            "reminder slack superseded",
            "escalation slack pending"
        ],
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
    assert_eq!(status(&world).await, "acknowledged");
    advance(&world, "16:00:00").await;
    assert_eq!(status(&world).await, "firing");
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
