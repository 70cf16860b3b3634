//! Incidents: which alert belongs to which, and how they end.

use serde_json::{Value, json};

use crate::{
    people::{raise, resolve},
    support::{World, app, array, at, dependency, minutes},
};

/// One incident with its timeline, at that time.
pub(crate) async fn show(world: &World, number: u32, now: &str) -> Value {
    let arguments = json!({"p_number": number, "p_now": at(now)});
    world.call("ops_show_incident", arguments).await
}

/// What happened to the incident itself: time, kind, actor, from, to.
pub(crate) async fn own_events(world: &World, number: u32) -> Vec<String> {
    let rows = world
        .rows(&format!(
            "select concat_ws(' ', to_char(event.at, 'HH24:MI:SS'), kind, actor, detail ->> 'from', detail ->> 'to') as line
             from ops.incident_events as event
             join ops.incidents as incident on incident.id = event.incident
             where incident.number = {number}
             order by event.at, event.id"
        ))
        .await;
    array(&rows)
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

async fn numbers(world: &World) -> Value {
    world
        .rows(
            "select alert.subject, incident.number
             from ops.alerts as alert left join ops.incidents as incident on incident.id = alert.incident
             order by alert.opened_at, alert.fingerprint",
        )
        .await
}

/// What Anna's request to open one is.
pub(crate) fn opening(title: &str, affects: &[&str], now: &str) -> Value {
    json!({"p_request": uuid::Uuid::new_v4(), "p_title": title, "p_severity": "medium",
           "p_affects": affects, "p_by": "Anna", "p_now": at(now)})
}

/// Anna opens one; returns its number.
pub(crate) async fn open(world: &World, title: &str, affects: &[&str], now: &str) -> u32 {
    let opened = world
        .call("ops_open_incident", opening(title, affects, now))
        .await;
    u32::try_from(opened["number"].as_u64().unwrap()).unwrap()
}

/// What Anna's request to change one is.
pub(crate) fn updating(number: u32, now: &str, changes: &Value) -> Value {
    let mut arguments = json!({
        "p_request": uuid::Uuid::new_v4(), "p_number": number, "p_state": null, "p_severity": null,
        "p_cause": null, "p_public": null, "p_by": "Anna", "p_now": at(now),
    });
    let changes = changes.as_object().unwrap().clone();
    arguments.as_object_mut().unwrap().extend(changes);
    arguments
}

/// Anna changes one; returns it.
pub(crate) async fn update(world: &World, number: u32, now: &str, changes: Value) -> Value {
    world
        .call("ops_update_incident", updating(number, now, &changes))
        .await
}

#[tokio::test]
async fn what_people_opened_takes_only_alerts_that_fit_it() {
    let world = World::migrated().await;
    world
        .tick(
            "11:59:00",
            &[
                app("up"),
                dependency("database", "up"),
                dependency("email", "up"),
            ],
        )
        .await;
    let named = open(&world, "No mail arrives", &["email"], "12:00:00").await;
    for now in minutes("12:01:00", 3) {
        world
            .tick(&now, &[app("down"), dependency("database", "up")])
            .await;
    }
    let page = "https://app.example/";
    assert_eq!(
        numbers(&world).await,
        json!([{"subject": page, "number": 2}]),
        "another component is another incident"
    );
    update(&world, 2, "12:04:00", json!({"p_state": "resolved"})).await;
    let unnamed = open(&world, "Something is odd", &[], "12:05:00").await;
    for now in minutes("12:06:00", 3) {
        world
            .tick(&now, &[app("down"), dependency("database", "down")])
            .await;
    }
    assert_eq!(
        numbers(&world).await,
        json!([{"subject": page, "number": 2}, {"subject": "database", "number": unnamed}])
    );
    assert_eq!(show(&world, named, "12:09:00").await["alerts"], 0);
}

#[tokio::test]
async fn what_people_opened_is_closed_by_people() {
    let world = World::migrated().await;
    open(&world, "Something is odd", &[], "12:00:00").await;
    raise(&world, "12:01:00", "high", "x").await;
    resolve(&world, "12:02:00", "x").await;
    let incident = show(&world, 1, "12:03:00").await;
    assert_eq!(
        (&incident["status"], &incident["alerts"]),
        (&json!("investigating"), &json!(1))
    );
    let resolved = update(&world, 1, "12:10:00", json!({"p_state": "resolved"})).await;
    assert_eq!(
        (
            &resolved["status"],
            &resolved["resolvedBy"],
            &resolved["timeToResolveSeconds"]
        ),
        (&json!("resolved"), &json!("Anna"), &json!(600.0))
    );
}

#[tokio::test]
async fn what_people_resolved_stays_resolved_and_later_alerts_open_another() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    update(&world, 1, "12:05:00", json!({"p_state": "resolved"})).await;
    // The same alert, worse; its end; and its return within the time of flapping.
    raise(&world, "12:06:00", "critical", "x").await;
    resolve(&world, "12:07:00", "x").await;
    raise(&world, "12:08:00", "high", "x").await;
    let incident = show(&world, 1, "12:09:00").await;
    assert_eq!(
        (
            &incident["status"],
            &incident["resolvedAt"],
            &incident["severity"]
        ),
        (
            &json!("resolved"),
            &json!("2026-11-24T12:05:00+00:00"),
            &json!("high")
        )
    );
    assert_eq!(
        numbers(&world).await,
        json!([{"subject": "x", "number": 1}, {"subject": "x", "number": 2}])
    );
}

#[tokio::test]
async fn what_ended_by_itself_and_comes_back_soon_is_the_same_incident() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    resolve(&world, "12:05:00", "x").await;
    raise(&world, "12:14:59", "critical", "x").await;
    assert_eq!(
        own_events(&world, 1).await,
        [
            "12:00:00 opened",
            "12:00:00 alert_joined",
            "12:05:00 resolved investigating resolved",
            "12:14:59 reopened resolved investigating",
            "12:14:59 severity_changed high critical",
            "12:14:59 alert_joined",
        ]
    );
    resolve(&world, "12:15:00", "x").await;
    raise(&world, "12:25:00", "high", "x").await;
    resolve(&world, "12:26:00", "x").await;
    raise(&world, "12:27:00", "high", "y").await;
    assert_eq!(
        world
            .rows("select number, status from ops.incidents order by number")
            .await,
        json!([{"number": 1, "status": "resolved"}, {"number": 2, "status": "resolved"},
               {"number": 3, "status": "investigating"}]),
        "not after the time, and not another alert"
    );
}

#[tokio::test]
async fn how_soon_is_a_setting() {
    let world = World::migrated().await;
    let setting = json!({"p_key": "incident.reopen_minutes", "p_value": 0, "p_by": "test"});
    world.call("ops_set_setting", setting).await;
    raise(&world, "12:00:00", "high", "x").await;
    resolve(&world, "12:05:00", "x").await;
    raise(&world, "12:05:00", "high", "x").await;
    assert_eq!(
        world.value("(select max(number) from ops.incidents)").await,
        2
    );
}

#[tokio::test]
async fn a_severity_set_by_hand_holds_until_something_worse_comes() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "x").await;
    update(&world, 1, "12:01:00", json!({"p_severity": "high"})).await;
    raise(&world, "12:02:00", "high", "y").await;
    assert_eq!(show(&world, 1, "12:02:30").await["severity"], "high");
    raise(&world, "12:03:00", "critical", "z").await;
    let changes: Vec<_> = own_events(&world, 1)
        .await
        .into_iter()
        .filter(|line| line.contains("severity"))
        .collect();
    assert_eq!(
        changes,
        [
            "12:01:00 severity_changed Anna critical high",
            "12:03:00 severity_changed high critical",
        ]
    );
}

#[tokio::test]
async fn an_alert_that_becomes_worse_joins_when_it_does() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    raise(&world, "12:03:00", "high", "x").await;
    assert_eq!(
        own_events(&world, 1).await,
        ["12:03:00 opened", "12:03:00 alert_joined"]
    );
}
