//! Maintenance silences messages and nothing else.

use serde_json::{Value, json};

use crate::{
    failing_channels::settle,
    maintenance::{announce, remove},
    people::{advance, everybody, messages, raise},
    support::{World, app, array, at, dependency, minutes, transitions},
};

/// Ticks a minute apart with those checks; what they opened and resolved.
pub(crate) async fn ticks(world: &World, from: &str, count: u32, checks: &[Value]) -> Vec<String> {
    let mut seen = Vec::new();
    for now in minutes(from, count) {
        seen.extend(transitions(&world.tick(&now, checks).await));
    }
    seen
}

/// Delivers what is due; how many messages about the page have been sent so far.
async fn told(world: &World, now: &str) -> Value {
    world.deliver(now).await;
    let sent = "select from ops.outbox where status = 'sent' and facts ->> 'rule' = 'app_down'";
    world
        .value(&format!("(select count(*) from ({sent}) as sent)"))
        .await
}

#[tokio::test]
async fn maintenance_holds_a_message_back_until_it_ends() {
    let world = World::migrated().await;
    announce(
        &world,
        "10:00:00",
        json!({"reason": "x", "endsAt": at("10:30:00")}),
    )
    .await;
    let opened = ticks(&world, "10:05:00", 3, &[app("down")]).await;
    assert_eq!(opened, ["opened app_down https://app.example/"]);
    assert_eq!(told(&world, "10:29:00").await, 0);
    assert_eq!(world.value("(select count(*) from ops.incidents)").await, 1);
    assert_eq!(
        world
            .value("(select count(*) from ops.samples where status = 'down')")
            .await,
        6
    );
    // It is still down: now it is said, on both channels, and so is its end.
    assert_eq!(told(&world, "10:30:00").await, 2);
    ticks(&world, "10:31:00", 2, &[app("up")]).await;
    assert_eq!(told(&world, "10:33:00").await, 4);
}

#[tokio::test]
async fn what_nobody_has_read_when_the_maintenance_begins_waits_until_it_ends() {
    for outcome in [None, Some("refused"), Some("untried"), Some("retry")] {
        let world = World::migrated().await;
        raise(&world, "10:00:00", "medium", "x").await;
        if let Some(outcome) = outcome {
            settle(&world, "10:00:05", "slack", outcome).await;
        }
        let window = json!({"reason": "x", "startsAt": at("10:01:00"), "endsAt": at("10:30:00")});
        announce(&world, "10:00:30", window).await;
        // Who may have read it is not left with half of it.
        let within = u64::from(outcome == Some("retry"));
        assert_eq!(world.deliver("10:10:00").await, within, "{outcome:?}");
        assert_eq!(world.deliver("10:30:00").await, 1 - within, "{outcome:?}");
    }
}

#[tokio::test]
async fn what_is_over_before_the_maintenance_is_never_told() {
    let world = World::migrated().await;
    announce(
        &world,
        "10:00:00",
        json!({"reason": "x", "endsAt": at("10:30:00")}),
    )
    .await;
    ticks(&world, "10:05:00", 3, &[app("down")]).await;
    let resolved = ticks(&world, "10:10:00", 2, &[app("up")]).await;
    assert_eq!(resolved, ["resolved app_down https://app.example/"]);
    assert_eq!(told(&world, "11:00:00").await, 0);
}

#[tokio::test]
async fn a_resolution_is_told_in_maintenance_if_its_firing_was() {
    let world = World::migrated().await;
    ticks(&world, "09:50:00", 3, &[app("down")]).await;
    assert_eq!(told(&world, "09:53:00").await, 2);
    announce(
        &world,
        "10:00:00",
        json!({"reason": "x", "endsAt": at("10:30:00")}),
    )
    .await;
    ticks(&world, "10:05:00", 2, &[app("up")]).await;
    assert_eq!(told(&world, "10:07:00").await, 4);
}

#[tokio::test]
async fn removing_maintenance_tells_at_once_and_adjoining_windows_are_one() {
    let world = World::migrated().await;
    let window = announce(
        &world,
        "10:00:00",
        json!({"reason": "x", "endsAt": at("10:30:00")}),
    )
    .await;
    let next = json!({"reason": "y", "startsAt": at("10:30:00"), "endsAt": at("11:00:00")});
    let next = announce(&world, "10:00:00", next).await;
    ticks(&world, "10:05:00", 3, &[app("down")]).await;
    assert_eq!(told(&world, "10:45:00").await, 0);
    remove(&world, &window["id"], "10:08:00").await;
    remove(&world, &next["id"], "10:08:00").await;
    assert_eq!(told(&world, "10:08:00").await, 2);
}

#[tokio::test]
async fn a_window_for_one_service_or_check_silences_that_alone() {
    for (scope, told) in [
        (json!({"services": ["ai"]}), vec!["app_down", "app_down"]),
        (
            json!({"checks": ["app:https://app.example/"]}),
            vec!["service_degraded"],
        ),
        (json!({"services": ["app", "ai"]}), vec![]),
    ] {
        let world = World::migrated().await;
        world
            .tick("09:00:00", &[app("up"), dependency("ai", "up")])
            .await;
        let mut window = json!({"reason": "x", "endsAt": at("12:00:00")});
        window
            .as_object_mut()
            .unwrap()
            .extend(scope.as_object().unwrap().clone());
        announce(&world, "09:01:00", window).await;
        ticks(
            &world,
            "09:02:00",
            3,
            &[app("down"), dependency("ai", "down")],
        )
        .await;
        let claimed = world.claim_messages("09:05:00").await;
        let rules: Vec<&str> = array(&claimed["messages"])
            .iter()
            .map(|message| message["facts"]["rule"].as_str().unwrap())
            .collect();
        assert_eq!(rules, told, "{scope}");
    }
}

#[tokio::test]
async fn that_monitoring_was_blind_is_told_in_maintenance_too() {
    let world = World::migrated().await;
    announce(
        &world,
        "10:00:00",
        json!({"reason": "x", "endsAt": at("12:00:00")}),
    )
    .await;
    let emergency = json!({"emergency": {
        "since": at("10:20:00"), "reason": "away", "channels": [], "sentAt": at("10:20:00"),
    }});
    world.tick_with("10:30:00", &[], emergency).await;
    assert_eq!(world.deliver("10:31:00").await, 2);
}

#[tokio::test]
async fn maintenance_postpones_a_step_that_nobody_heard_of_yet() {
    let world = World::migrated().await;
    everybody(&world).await;
    ticks(&world, "10:00:00", 3, &[app("down")]).await;
    world.deliver("10:02:30").await;
    assert_eq!(advance(&world, "10:17:00").await, 1);
    // It is queued, and then the work is announced after all.
    let window = announce(
        &world,
        "10:17:10",
        json!({"reason": "x", "endsAt": at("10:50:00")}),
    )
    .await;
    assert_eq!(world.deliver("10:40:00").await, 0);
    assert_eq!(
        advance(&world, "10:40:00").await,
        0,
        "nor is the next level"
    );
    remove(&world, &window["id"], "10:41:00").await;
    assert_eq!(world.deliver("10:41:00").await, 2);
    let escalations: Vec<String> = messages(&world)
        .await
        .into_iter()
        .filter(|line| line.starts_with("escalation"))
        .collect();
    assert_eq!(
        escalations,
        [
            "escalation email sent on_call_secondary",
            "escalation slack sent on_call_secondary",
        ]
    );
}
