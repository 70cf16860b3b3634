//! What users report.

use serde_json::{Value, json};

use crate::{
    incidents::{show, update},
    people::raise,
    support::{World, array, at},
};

/// A report of that title; returns what became of it.
async fn report(world: &World, now: &str, title: &str, over: Value) -> Value {
    let mut alert = json!({"status": "firing", "source": "user-report", "type": "external", "severity": null,
                           "title": title});
    alert
        .as_object_mut()
        .unwrap()
        .extend(over.as_object().unwrap().clone());
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert], "p_channels": ["slack", "email"],
                           "p_now": at(now)});
    world.call("ops_raise_alerts", arguments).await["results"][0].clone()
}

fn from(reporter: &str) -> Value {
    json!({"data": {"reporter": reporter}})
}

#[tokio::test]
async fn a_report_opens_an_incident_and_the_same_again_is_counted_there() {
    let world = World::migrated().await;
    let first = report(&world, "12:00:00", "I cannot sign in", from("ada")).await;
    assert_eq!(
        (&first["outcome"], &first["incident"]),
        (&json!("opened"), &json!(1))
    );
    for reporter in ["bo", "ada"] {
        let again = report(&world, "12:01:00", "I cannot sign in", from(reporter)).await;
        assert_eq!(
            (&again["outcome"], &again["incident"]),
            (&json!("updated"), &json!(1))
        );
    }
    report(&world, "12:02:00", "The images are gone", json!({})).await;
    let incident = show(&world, 1, "12:05:00").await;
    assert_eq!(
        [
            &incident["title"],
            &incident["severity"],
            &incident["openedBy"]
        ],
        [
            &json!("I cannot sign in"),
            &json!("medium"),
            &json!("user-report")
        ]
    );
    assert_eq!(
        (
            &incident["impact"]["reports"],
            &incident["impact"]["reporters"]
        ),
        (&json!(3), &json!(2))
    );
    let other = show(&world, 2, "12:05:00").await;
    assert_eq!(other["title"], "The images are gone");
    assert_eq!(
        (&other["impact"]["reports"], &other["impact"]["reporters"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(
        world.deliver("12:05:01").await,
        2,
        "people hear of each once"
    );
}

#[tokio::test]
async fn a_report_is_an_incident_of_its_own_however_bad_it_says_it_is() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "x").await;
    let reported = report(
        &world,
        "12:01:00",
        "Nothing works",
        json!({"severity": "critical"}),
    )
    .await;
    assert_eq!(reported["incident"], 2);
    assert_eq!(show(&world, 2, "12:02:00").await["severity"], "critical");
}

#[tokio::test]
async fn whoever_resolves_the_incident_ends_its_reports_and_the_next_one_opens_another() {
    let world = World::migrated().await;
    report(&world, "12:00:00", "I cannot sign in", from("ada")).await;
    world.deliver("12:00:05").await;
    update(&world, 1, "12:10:00", json!({"p_state": "resolved"})).await;
    assert_eq!(
        world.value("(select status from ops.alerts)").await,
        "resolved"
    );
    assert_eq!(
        world.deliver("12:10:05").await,
        3,
        "people hear of that, and of the incident's end on both channels"
    );
    let next = report(&world, "12:11:00", "I cannot sign in", from("bo")).await;
    assert_eq!(
        (&next["outcome"], &next["incident"]),
        (&json!("opened"), &json!(2))
    );
}

#[tokio::test]
async fn an_incident_is_not_over_because_a_report_is_taken_back() {
    let world = World::migrated().await;
    report(&world, "12:00:00", "I cannot sign in", json!({})).await;
    let back = json!({"status": "resolved"});
    assert_eq!(
        report(&world, "12:01:00", "I cannot sign in", back).await["outcome"],
        "resolved"
    );
    assert_eq!(show(&world, 1, "12:02:00").await["status"], "investigating");
    let again = report(&world, "12:03:00", "I cannot sign in", json!({})).await;
    assert_eq!(
        (&again["outcome"], &again["incident"]),
        (&json!("opened"), &json!(1))
    );
    assert_eq!(
        array(&show(&world, 1, "12:04:00").await["openAlerts"]).len(),
        1
    );
}
