//! The emergency path: what the function told on its own becomes an alert that
//! was already delivered, and is resolved exactly once.

use serde_json::{Value, json};

use crate::support::{World, app, minutes, transitions};

fn emergency(since: &str, channels: &[&str]) -> Value {
    json!({"emergency": {
        "since": format!("2026-11-24T{since}Z"), "sentAt": "2026-11-24T12:20:00Z",
        "channels": channels, "reason": "timeout",
    }})
}

async fn messages(world: &World) -> Value {
    world
        .rows(
            "select kind, channel, status from ops.outbox
             where facts ->> 'rule' = 'monitoring_blind' order by kind, channel",
        )
        .await
}

#[tokio::test]
async fn a_handover_is_followed_by_exactly_one_resolution_per_channel() {
    let world = World::migrated().await;
    world.tick("12:00:05", &[app("up")]).await;
    let handover = world
        .tick_with(
            "12:30:05",
            &[app("up")],
            emergency("12:10:00", &["slack", "email"]),
        )
        .await;
    assert_eq!(handover["openAlerts"], 1);
    let alert = world
        .rows("select severity, source, status, first_bad_at, opened_at, facts from ops.alerts")
        .await;
    assert_eq!(alert[0]["severity"], "critical");
    assert_eq!(alert[0]["source"], "emergency");
    assert_eq!(alert[0]["first_bad_at"], "2026-11-24T12:10:00+00:00");
    assert_eq!(alert[0]["opened_at"], "2026-11-24T12:20:00+00:00");
    // The gap is part of it, so that nobody is told twice of one silence.
    assert_eq!(handover["gap"]["seconds"], 1800.0);
    assert_eq!(alert[0]["facts"]["detail"]["gap"], handover["gap"]);
    assert_eq!(
        world
            .value("(select count(*) from ops.outbox where kind = 'notice')")
            .await,
        0
    );
    assert_eq!(
        messages(&world).await,
        json!([
            {"kind": "firing", "channel": "email", "status": "sent"},
            {"kind": "firing", "channel": "slack", "status": "sent"},
        ]),
    );
    assert_eq!(world.deliver("12:30:06").await, 0, "it has been told");

    // The tick that handed over was the first good one.
    let next = world.tick("12:31:05", &[app("up")]).await;
    assert_eq!(transitions(&next), ["resolved monitoring_blind database"]);
    assert_eq!(world.deliver("12:31:06").await, 2);
    for now in minutes("12:32:05", 3) {
        assert!(transitions(&world.tick(&now, &[app("up")]).await).is_empty());
        assert_eq!(world.deliver(&now).await, 0);
    }
}

#[tokio::test]
async fn a_second_instance_joins_what_is_open() {
    let world = World::migrated().await;
    world
        .tick_with("12:30:05", &[], emergency("12:10:00", &["slack"]))
        .await;
    world
        .tick_with("12:31:05", &[], emergency("12:05:00", &["slack", "email"]))
        .await;
    assert_eq!(world.value("(select count(*) from ops.alerts)").await, 1);
    assert_eq!(
        world.value("(select first_bad_at from ops.alerts)").await,
        "2026-11-24T12:05:00+00:00",
    );
    world.tick("12:32:05", &[]).await;
    assert_eq!(
        messages(&world).await,
        json!([
            {"kind": "firing", "channel": "email", "status": "sent"},
            {"kind": "firing", "channel": "slack", "status": "sent"},
            {"kind": "resolved", "channel": "email", "status": "pending"},
            {"kind": "resolved", "channel": "slack", "status": "pending"},
        ]),
    );
}

#[tokio::test]
async fn a_later_silence_starts_the_recovery_anew() {
    let world = World::migrated().await;
    world
        .tick_with("12:21:05", &[], emergency("12:10:00", &["slack"]))
        .await;
    let again = world
        .tick_with("12:22:05", &[], emergency("12:21:30", &["slack"]))
        .await;
    assert!(transitions(&again).is_empty());
    let next = world.tick("12:23:05", &[]).await;
    assert_eq!(transitions(&next), ["resolved monitoring_blind database"]);
}

#[tokio::test]
async fn a_handover_of_what_is_over_is_ignored() {
    let world = World::migrated().await;
    world
        .tick_with("12:30:05", &[], emergency("12:10:00", &["slack"]))
        .await;
    world.tick("12:31:05", &[]).await;
    let late = world
        .tick_with("12:32:05", &[], emergency("12:15:00", &["slack", "email"]))
        .await;
    assert!(transitions(&late).is_empty());
    assert_eq!(late["openAlerts"], 0);
    assert_eq!(world.value("(select count(*) from ops.alerts)").await, 1);

    let other = world
        .tick_with("12:33:05", &[], emergency("12:32:30", &["slack"]))
        .await;
    assert_eq!(other["openAlerts"], 1, "a new silence is a new alert");
}

#[tokio::test]
async fn an_emergency_that_reached_nobody_is_told_the_ordinary_way() {
    let world = World::migrated().await;
    world
        .tick_with("12:30:05", &[], emergency("12:10:00", &[]))
        .await;
    assert_eq!(
        messages(&world).await,
        json!([
            {"kind": "firing", "channel": "email", "status": "pending"},
            {"kind": "firing", "channel": "slack", "status": "pending"},
        ]),
    );
}
