//! The dashboard's sections about operation: every number from rows that were
//! counted by hand.

use serde_json::{Value, json};

use crate::{
    dashboard::{never_run, section},
    support::{World, at},
};

#[tokio::test]
async fn outbox() {
    let world = World::migrated().await;
    let quiet = json!({"p_key": "reminder.critical_minutes", "p_value": 0, "p_by": "test"});
    world.call("ops_set_setting", quiet).await;
    let raise = |severity: &str, channels: Value, now: &str| {
        json!({"p_request": uuid::Uuid::new_v4(), "p_channels": channels, "p_now": at(now), "p_alerts": [
            {"status": "firing", "source": "ci", "type": "t", "severity": severity, "title": "T", "subject": now},
        ]})
    };
    let both = json!(["slack", "email"]);
    world
        .call(
            "ops_raise_alerts",
            raise("medium", both.clone(), "2026-11-23T11:00:00Z"),
        )
        .await;
    world.deliver("2026-11-23T11:59:59Z").await;
    world
        .call(
            "ops_raise_alerts",
            raise("critical", both.clone(), "2026-11-23T12:30:00Z"),
        )
        .await;
    world.deliver("2026-11-23T12:30:01Z").await;
    world
        .call("ops_raise_alerts", raise("low", both.clone(), "11:00:00"))
        .await;
    world
        .call("ops_raise_alerts", raise("critical", both, "11:59:00"))
        .await;
    world
        .call("ops_raise_alerts", raise("medium", json!([]), "11:59:30"))
        .await;
    let mut outbox = section(&world, "outbox").await;
    let dead = outbox["dead"][0].as_object_mut().unwrap();
    assert!(dead.remove("id").unwrap().is_string());
    assert_eq!(
        outbox,
        json!({
            "pending": 3, "oldestPendingSeconds": 60.0, "sent24h": 2,
            "dead": [{"channel": null, "rule": "external", "severity": "medium",
                      "error": "no channel configured", "at": "2026-11-24T11:59:30+00:00"}],
        }),
    );
}

#[tokio::test]
async fn jobs() {
    let world = World::migrated().await;
    world.tick("11:50:05", &[]).await;
    let claim = world.claim("11:57:05").await;
    let finish = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "failed",
                        "p_summary": {}, "p_now": at("11:57:07.5")});
    world.call("ops_finish_run", finish).await;
    let mut jobs = section(&world, "jobs").await;
    let slots = jobs[2].as_object_mut().unwrap().remove("slots").unwrap();
    let mut outcomes = vec![Value::Null; 60];
    outcomes[49..57].fill(json!("missed"));
    outcomes[49] = json!("done");
    outcomes[56] = json!("failed");
    assert_eq!(
        slots,
        json!({"from": "2026-11-24T11:01:00+00:00", "outcomes": outcomes})
    );
    assert_eq!(
        jobs,
        json!([never_run("backup", 1800), never_run("maintenance", 600), {
            "job": "monitor", "everySeconds": 60, "lastSlot": "2026-11-24T11:57:00+00:00",
            "lastOutcome": "failed", "lastStartedAt": "2026-11-24T11:57:05+00:00",
            "lastFinishedAt": "2026-11-24T11:57:07.5+00:00", "durationMs": 2500, "missed24h": 6,
            "status": "ok",
        }]),
    );
    let later = world.dashboard(3600, "12:00:01").await["jobs"].clone();
    assert_eq!(later[2]["status"], "overdue");
    let next_day = world.dashboard(3600, "2026-11-25T11:53:30Z").await["jobs"].clone();
    assert_eq!(next_day[2]["missed24h"], 3);
}
