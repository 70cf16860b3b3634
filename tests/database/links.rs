//! Links in messages: each acts once, in its time, on its own alert.

use serde_json::{Value, json};

use crate::{
    people::{action, raise, resolve},
    support::{World, at},
};

/// The alert and the one message about it.
async fn linked(world: &World, subject: &str) -> (String, Value) {
    let alert = raise(world, "12:00:00", "high", subject).await;
    let message = world
        .value(&format!(
            "(select id from ops.outbox where alert = '{alert}')"
        ))
        .await;
    (alert, message)
}

async fn use_link(world: &World, alert: &str, message: &Value, what: &str, now: &str) -> Value {
    let link = json!({"message": message, "expiresAt": at("18:00:00")});
    let until = (what == "snooze").then(|| at("17:00:00"));
    let over = json!({"p_link": link, "p_until": until});
    let result = world
        .call("ops_act_on_alert", action(alert, what, now, &over))
        .await;
    result["outcome"].clone()
}

async fn show(world: &World, alert: &str, message: &Value, what: &str, now: &str) -> Value {
    let arguments = json!({"p_alert": alert, "p_message": message, "p_action": what,
                           "p_expires_at": at("18:00:00"), "p_now": at(now)});
    world.call("ops_show_link", arguments).await["outcome"].clone()
}

#[tokio::test]
async fn a_link_acts_once_and_each_action_has_its_own() {
    let world = World::migrated().await;
    let (alert, message) = linked(&world, "x").await;
    for (what, outcome) in [
        ("acknowledge", "done"),
        ("acknowledge", "used"),
        ("snooze", "done"),
        ("snooze", "used"),
    ] {
        assert_eq!(
            use_link(&world, &alert, &message, what, "12:05:00").await,
            outcome
        );
    }
}

#[tokio::test]
async fn looking_at_a_link_does_not_use_it() {
    let world = World::migrated().await;
    let (alert, message) = linked(&world, "x").await;
    for _ in 0..3 {
        assert_eq!(
            show(&world, &alert, &message, "acknowledge", "12:05:00").await,
            "ready"
        );
    }
    assert_eq!(
        world.value("(select status from ops.alerts)").await,
        "firing"
    );
    use_link(&world, &alert, &message, "acknowledge", "12:05:00").await;
    assert_eq!(
        show(&world, &alert, &message, "acknowledge", "12:05:01").await,
        "used"
    );
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_with_its_alert() {
    let world = World::migrated().await;
    let (alert, message) = linked(&world, "x").await;
    assert_eq!(
        show(&world, &alert, &message, "acknowledge", "17:59:59").await,
        "ready"
    );
    assert_eq!(
        show(&world, &alert, &message, "acknowledge", "18:00:00").await,
        "expired"
    );
    assert_eq!(
        use_link(&world, &alert, &message, "acknowledge", "18:00:00").await,
        "expired"
    );
    resolve(&world, "12:30:00", "x").await;
    assert_eq!(
        use_link(&world, &alert, &message, "acknowledge", "12:31:00").await,
        "resolved"
    );
}

#[tokio::test]
async fn a_message_has_no_link_to_another_alert() {
    let world = World::migrated().await;
    let (_, message) = linked(&world, "x").await;
    let (other, _) = linked(&world, "other").await;
    assert_eq!(
        use_link(&world, &other, &message, "acknowledge", "12:05:00").await,
        "unknown"
    );
    assert_eq!(
        show(&world, &other, &message, "acknowledge", "12:05:00").await,
        "unknown"
    );
    assert_eq!(
        world
            .value("(select count(*) from ops.alerts where status = 'acknowledged')")
            .await,
        0
    );
}
