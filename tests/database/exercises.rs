//! Exercises: kept once, judged by their age; and the overview, which tells of them and of
//! everything else in one document.

use serde_json::{Value, json};

use crate::support::{World, app, array, at};

/// The receipt of an exercise that was finished at that time of the day of the tests.
fn receipt(exercise: &str, finished_at: &str) -> Value {
    json!({
        "id": uuid::Uuid::new_v4(), "exercise": exercise, "startedAt": at("08:00:00"),
        "finishedAt": at(finished_at), "steps": [{"step": "alert seen", "at": at("08:03:00")}],
    })
}

fn recording(receipt: &Value) -> Value {
    json!({"p_exercise": receipt, "p_by": "Anna", "p_now": at("10:00:00")})
}

async fn statuses(world: &World, now: &str) -> Vec<String> {
    let listed = world
        .call("ops_list_exercises", json!({"p_now": now}))
        .await;
    let statuses = array(&listed["exercises"]).iter();
    statuses
        .map(|one| format!("{} {}", one["exercise"], one["status"]).replace('"', ""))
        .collect()
}

#[tokio::test]
async fn an_exercise_is_overdue_ninety_days_after_it_was_done() {
    let world = World::migrated().await;
    world
        .call(
            "ops_record_exercise",
            recording(&receipt("restore", "09:00:00")),
        )
        .await;
    for (now, restore) in [
        ("2026-11-24T08:59:59Z", "never"),
        ("2026-11-24T09:00:00Z", "ok"),
        ("2027-02-22T08:59:59Z", "ok"),
        ("2027-02-22T09:00:00Z", "overdue"),
    ] {
        assert_eq!(
            statuses(&world, now).await,
            [
                "alert never",
                &format!("restore {restore}"),
                "incident never"
            ],
            "{now}"
        );
    }
}

#[tokio::test]
async fn a_receipt_that_is_sent_twice_is_kept_once() {
    let world = World::migrated().await;
    let arguments = recording(&receipt("incident", "09:00:00"));
    let first = world.call("ops_record_exercise", arguments.clone()).await;
    assert_eq!(first["by"], "Anna");
    assert_eq!(first["seconds"].as_f64(), Some(3_600.0));
    assert_eq!(world.call("ops_record_exercise", arguments).await, first);
    assert_eq!(world.value("(select count(*) from ops.exercises)").await, 1);
}

#[tokio::test]
async fn a_receipt_that_says_nothing_is_refused_with_what_is_missing() {
    let world = World::migrated().await;
    for (field, value, words) in [
        (
            "exercise",
            json!("yoga"),
            "exercise must be alert, restore or incident",
        ),
        ("id", Value::Null, "id must be"),
        ("finishedAt", Value::Null, "finishedAt must be"),
        (
            "steps",
            json!("all"),
            "steps must be a list of at most 100 steps",
        ),
        (
            "steps",
            json!([{"at": at("08:00:00")}]),
            "step must be a text",
        ),
    ] {
        let mut receipt = receipt("alert", "09:00:00");
        receipt[field] = value;
        let refusal = world
            .refusal("ops_record_exercise", recording(&receipt))
            .await;
        assert!(
            refusal.iter().any(|text| text.contains(words)),
            "{refusal:?}"
        );
    }
}

#[tokio::test]
async fn the_overview_says_what_is_known_and_nothing_else() {
    let world = World::migrated().await;
    let overview = async |now: &str| {
        let arguments = json!({"p_now": at(now)});
        world.call("ops_show_overview", arguments).await
    };
    let before = overview("12:00:00").await;
    assert_eq!(before["tick"]["ageSeconds"], Value::Null);
    assert_eq!(before["backup"]["ageSeconds"], Value::Null);
    assert_eq!(
        before["alerts"],
        json!({"open": 0, "critical": 0, "unanswered": 0})
    );

    for now in ["12:01:00", "12:02:00", "12:03:00"] {
        world.tick(now, &[app("down")]).await;
    }
    let after = overview("12:03:30").await;
    assert_eq!(after["tick"]["everySeconds"], 60);
    assert_eq!(after["tick"]["ageSeconds"].as_f64(), Some(30.0), "{after}");
    assert_eq!(
        after["alerts"],
        json!({"open": 1, "critical": 1, "unanswered": 1}),
        "{after}"
    );
    assert_eq!(array(&after["exercises"]).len(), 3);
    assert_eq!(after["functions"]["release"], env!("CARGO_PKG_VERSION"));
}
