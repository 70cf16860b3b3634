//! The ladder asks whoever has a rotation; a hole is told before it comes.

use serde_json::{Value, json};

use crate::{
    oncall_calendar::{away, rotation, save, take, weekly},
    people::{advance, contact, raise, told},
    support::{World, app, array, transitions, verdict},
};

/// Two primaries and the chief, each with an address; their ids.
async fn team(world: &World) -> [String; 3] {
    let mut ids = Vec::new();
    for (name, role) in [
        ("Ada", "on_call_primary"),
        ("Bo", "on_call_primary"),
        ("Chief", "cto"),
    ] {
        let address = json!({"email": format!("{name}@wine.example")});
        ids.push(contact(world, name, role, address).await);
    }
    ids.try_into().unwrap()
}

async fn next_of(world: &World, now: &str) -> Value {
    world
        .value(&format!(
            "(select ops.next_asked(alert, '{now}') from ops.alerts as alert where status <> 'resolved')"
        ))
        .await
}

#[tokio::test]
async fn who_has_the_rotation_stands_for_its_role() {
    let world = World::migrated().await;
    let [ada, bo, _] = team(&world).await;
    rotation(&world, "Primary", weekly(&[&ada, &bo])).await;
    raise(&world, "12:00:00", "critical", "s").await;
    assert_eq!(told(&world).await, ["Ada"]);
    advance(&world, "12:15:00").await;
    assert_eq!(told(&world).await, ["Ada"]);
}

#[tokio::test]
async fn a_rung_picks_who_has_it_when_it_is_due_and_next_says_so() {
    let world = World::migrated().await;
    let [ada, bo, chief] = team(&world).await;
    let primary = rotation(&world, "Primary", weekly(&[&ada])).await;
    let secondary = uuid::Uuid::new_v4().to_string();
    let fields = json!({"name": "Secondary", "role": "on_call_secondary", "layer": weekly(&[&bo])});
    save(&world, &secondary, &fields).await;
    raise(&world, "12:00:00", "critical", "s").await;
    let next = next_of(&world, "2026-11-24T12:01:00Z").await;
    assert_eq!(next["names"], json!(["Bo"]));
    // Meanwhile somebody else takes it, who is asked for that role.
    take(
        &world,
        &secondary,
        &chief,
        "2026-11-24T12:10:00Z",
        "2026-11-24T13:00:00Z",
    )
    .await;
    assert_eq!(
        next_of(&world, "2026-11-24T12:11:00Z").await["names"],
        json!(["Chief"])
    );
    advance(&world, "12:15:00").await;
    assert_eq!(told(&world).await, ["Ada", "Chief"]);
    let roles = world
        .rows("select person ->> 'role' as role from ops.escalations where status = 'told' order by told_at")
        .await;
    assert_eq!(array(&roles)[1]["role"], "on_call_secondary");
    let facts = world
        .value("(select facts -> 'escalation' from ops.outbox where channel = 'slack' and kind = 'escalation')")
        .await;
    assert_eq!(facts["onCall"][0]["rotation"], "Primary");
    assert_eq!(facts["onCall"][1]["name"], "Chief");
    assert_eq!(facts["onCall"][1]["until"], "2026-11-24T13:00:00+00:00");
    assert_eq!(facts["onCall"][1]["next"], "Bo");
    assert!(!primary.is_empty());
}

/// Whom a critical alert asks while the first so many of the team are away.
async fn asked_without(away_now: usize) -> Vec<String> {
    let world = World::migrated().await;
    let team = team(&world).await;
    rotation(&world, "Primary", weekly(&[&team[0], &team[1]])).await;
    for id in &team[..away_now] {
        away(&world, id, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
    }
    raise(&world, "12:00:00", "critical", "s").await;
    told(&world).await
}

#[tokio::test]
async fn a_hole_asks_the_next_level_and_if_everybody_is_away_that_is_ignored() {
    assert_eq!(asked_without(0).await, ["Ada"]);
    assert_eq!(asked_without(1).await, ["Bo"]);
    assert_eq!(asked_without(2).await, ["Chief"]);
    assert_eq!(asked_without(3).await, ["Ada", "Bo"]);
}

#[tokio::test]
async fn whoever_is_away_is_not_asked_by_own_hours_either() {
    let world = World::migrated().await;
    let [ada, ..] = team(&world).await;
    away(&world, &ada, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
    raise(&world, "12:00:00", "critical", "s").await;
    assert_eq!(told(&world).await, ["Bo"]);
}

#[tokio::test]
async fn a_hole_is_an_alert_two_weeks_before_and_over_once_it_is_filled() {
    let world = World::migrated().await;
    let [ada, bo, _] = team(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada])).await;
    away(&world, &ada, "2026-12-08T13:00:00Z", "2026-12-09T00:00:00Z").await;
    away(&world, &ada, "2026-12-20T00:00:00Z", "2026-12-21T00:00:00Z").await;
    let checks = [app("up")];
    let tick = world.tick("11:59:00", &checks).await;
    assert_eq!(verdict(&tick, "oncall_hole", "Primary")["verdict"], "good");
    let tick = world.tick("12:01:00", &checks).await;
    assert_eq!(transitions(&tick), ["opened oncall_hole Primary"]);
    let facts = world
        .value("(select facts from ops.outbox where channel = 'slack' and kind = 'firing')")
        .await;
    assert_eq!(
        facts["detail"],
        json!({"hole": {"from": "2026-12-08T13:00:00+00:00", "to": "2026-12-08T13:01:00+00:00"}, "holes": 1})
    );
    take(
        &world,
        &id,
        &bo,
        "2026-12-08T13:00:00Z",
        "2026-12-09T00:00:00Z",
    )
    .await;
    let tick = world.tick("12:02:00", &checks).await;
    assert_eq!(transitions(&tick), ["resolved oncall_hole Primary"]);
}

#[tokio::test]
async fn a_hole_of_a_rotation_that_was_removed_is_over() {
    let world = World::migrated().await;
    team(&world).await;
    let id = rotation(&world, "Primary", weekly(&[])).await;
    let tick = world.tick("12:00:00", &[app("up")]).await;
    assert_eq!(transitions(&tick), ["opened oncall_hole Primary"]);
    world
        .call("ops_remove_rotation", json!({"p_rotation": id}))
        .await;
    let tick = world.tick("12:01:00", &[app("up")]).await;
    assert_eq!(transitions(&tick), ["resolved oncall_hole Primary"]);
}
