//! Reminders: what still fires and nobody answers is said again, and no more.

use serde_json::json;

use crate::{
    people::{act, advance, everybody, messages, raise, resolve},
    support::{World, array, at},
};

/// The reminders so far: when each was queued, its channel and its status.
async fn reminders(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select to_char(created_at, 'DD HH24:MI ') || channel || ' ' || status as line
             from ops.outbox where kind = 'reminder' order by created_at, channel",
        )
        .await;
    array(&rows)
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

/// Moves the ladder and delivers what is due, at each of those times.
async fn pass(world: &World, times: &[&str]) {
    for now in times {
        advance(world, now).await;
        world.deliver(now).await;
    }
}

#[tokio::test]
async fn what_nobody_answers_is_said_again_after_its_time_on_chat_alone() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "c").await;
    pass(&world, &["12:00:05", "13:00:04"]).await;
    assert!(reminders(&world).await.is_empty());
    pass(&world, &["13:00:05", "13:00:06", "14:00:05"]).await;
    assert_eq!(
        reminders(&world).await,
        ["24 13:00 slack sent", "24 14:00 slack sent"]
    );
    let facts = world
        .value(
            "(select facts from ops.outbox where kind = 'reminder' order by created_at desc limit 1)",
        )
        .await;
    assert_eq!(facts["kind"], "reminder");
    assert_eq!(facts["escalation"]["at"], "2026-11-24T14:00:05+00:00");
}

#[tokio::test]
async fn an_end_waits_while_one_of_two_beginnings_is_being_sent() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "c").await;
    pass(&world, &["12:00:05"]).await;
    advance(&world, "13:00:05").await;
    let sending = &world.claim_messages("13:00:06").await["messages"][0];
    assert_eq!(sending["kind"], "reminder");
    resolve(&world, "13:00:07", "c").await;
    assert_eq!(world.deliver("13:00:08").await, 1, "the end by email");
    assert_eq!(world.deliver("13:01:05").await, 0, "not the end by Slack");
    let settled = json!({
        "p_claim": sending["lease"], "p_results": [{"id": sending["id"], "outcome": "sent"}],
        "p_now": at("13:01:05"),
    });
    world.call("ops_settle_messages", settled).await;
    assert_eq!(world.deliver("13:01:05").await, 1, "the end by Slack");
}

#[tokio::test]
async fn each_severity_has_its_own_time() {
    let world = World::migrated().await;
    for severity in ["high", "medium", "low"] {
        raise(&world, "08:00:00", severity, severity).await;
    }
    pass(&world, &["08:00:00", "11:59:59"]).await;
    assert!(reminders(&world).await.is_empty());
    pass(&world, &["12:00:00", "2026-11-25T07:59:59Z"]).await;
    assert_eq!(
        reminders(&world).await,
        ["24 12:00 slack sent", "25 07:59 slack sent"],
        "high after four hours, once however long nobody called"
    );
    pass(&world, &["2026-11-25T09:00:00Z"]).await;
    let medium = "(select array_agg(severity) from ops.outbox where kind = 'reminder')";
    assert_eq!(
        world.value(medium).await,
        json!(["high", "high", "medium"]),
        "and what is low never"
    );
}

#[tokio::test]
async fn nothing_is_said_again_once_somebody_answers_or_wants_silence() {
    for (what, over) in [
        ("acknowledge", json!({})),
        ("snooze", json!({"p_until": at("20:00:00")})),
        (
            "silence",
            json!({"p_until": at("20:00:00"), "p_note": "known"}),
        ),
        ("resolve", json!({})),
    ] {
        let world = World::migrated().await;
        let alert = raise(&world, "12:00:00", "high", "h").await;
        world.deliver("12:00:05").await;
        let action = crate::people::action(&alert, what, "12:30:00", &over);
        let settings =
            json!({"p_key": "escalation.acknowledged_minutes", "p_value": 1440, "p_by": "test"});
        world.call("ops_set_setting", settings).await;
        world.call("ops_act_on_alert", action).await;
        pass(&world, &["16:30:00", "19:00:00"]).await;
        assert!(reminders(&world).await.is_empty(), "{what}");
    }
}

#[tokio::test]
async fn a_reminder_that_has_not_left_is_dropped_and_never_doubled() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "critical", "c").await;
    world.deliver("12:00:05").await;
    for now in ["13:01:00", "13:02:00", "15:00:00"] {
        advance(&world, now).await;
    }
    assert_eq!(reminders(&world).await, ["24 13:01 slack pending"]);
    act(&world, &alert, "acknowledge", "15:01:00").await;
    assert_eq!(reminders(&world).await, ["24 13:01 slack superseded"]);
    resolve(&world, "15:02:00", "c").await;
    world.deliver("15:02:05").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing email sent",
            "firing slack sent",
            "reminder slack superseded",
            "resolved email sent",
            "resolved slack sent",
        ]
    );
}

#[tokio::test]
async fn a_call_for_help_is_as_good_as_a_reminder() {
    let world = World::migrated().await;
    let once = json!({"p_key": "escalation.repeat_minutes", "p_value": 1440, "p_by": "test"});
    world.call("ops_set_setting", once).await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "c").await;
    pass(
        &world,
        &["12:00:05", "12:15:00", "12:30:00", "13:00:00", "13:59:59"],
    )
    .await;
    assert!(reminders(&world).await.is_empty());
    pass(&world, &["14:00:00", "14:59:59", "15:00:00"]).await;
    assert_eq!(
        reminders(&world).await,
        ["24 15:00 slack sent"],
        "an hour after the last level"
    );
    let told = world
        .value("(select facts #> '{escalation,told}' from ops.outbox where kind = 'reminder')")
        .await;
    assert_eq!(array(&told).len(), 8, "who was told: {told}");
}

#[tokio::test]
async fn what_is_turned_off_or_was_never_told_is_not_repeated() {
    let world = World::migrated().await;
    let off = json!({"p_key": "reminder.critical_minutes", "p_value": 0, "p_by": "test"});
    world.call("ops_set_setting", off).await;
    raise(&world, "12:00:00", "critical", "c").await;
    raise(&world, "12:00:00", "high", "h").await;
    world
        .execute("update ops.outbox set status = 'dead' where severity = 'high'")
        .await;
    pass(&world, &["12:00:05", "18:00:00"]).await;
    assert!(reminders(&world).await.is_empty());
}

#[tokio::test]
async fn reminders_that_fail_are_not_piled_up() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "c").await;
    world.deliver("12:00:05").await;
    for now in ["13:01:00", "13:02:00", "13:03:00"] {
        advance(&world, now).await;
        world
            .execute("update ops.outbox set status = 'dead' where kind = 'reminder'")
            .await;
    }
    assert_eq!(reminders(&world).await, ["24 13:01 slack dead"]);
    advance(&world, "14:01:00").await;
    assert_eq!(reminders(&world).await.len(), 2);
}
