//! Receipts of guided recoveries, as the database keeps them.

use ops::backups::recovery_receipts::{Kind, Outcome, Recovery};
use serde_json::{Value, json};

use crate::support::{World, at};

fn receipt(kind: &str, outcome: &str, finished_at: &str) -> Value {
    json!({
        "id": "00000000-0000-4000-8000-000000006401", "kind": kind, "isDrill": true,
        "snapshot": "20261124T120000Z-1-sample", "startedAt": at("11:00:00"), "finishedAt": at(finished_at),
        "steps": [{"step": "restore the database, and compare it", "state": "done", "seconds": 12.5}],
        "outcome": outcome,
    })
}

async fn record(world: &World, receipt: &Value, now: &str) -> Value {
    let arguments = json!({"p_recovery": receipt, "p_now": at(now)});
    world.call("ops_record_recovery", arguments).await
}

#[tokio::test]
async fn a_recovery_that_was_gone_on_with_is_kept_once_as_it_ended() {
    let world = World::migrated().await;
    let failed = record(
        &world,
        &receipt("database", "failed", "11:10:00"),
        "11:10:01",
    )
    .await;
    assert_eq!(failed["outcome"], "failed");
    let done = receipt("database", "done", "11:45:00");
    for now in ["11:45:01", "11:45:09"] {
        let kept: Recovery = serde_json::from_value(record(&world, &done, now).await).unwrap();
        assert_eq!((kept.minutes, kept.outcome), (45.0, Outcome::Done));
    }
    // The first receipt once more, late.
    let late = record(
        &world,
        &receipt("database", "failed", "11:10:00"),
        "11:50:00",
    )
    .await;
    assert_eq!(late["outcome"], "done");
    let count = world
        .value("(select count(*) from ops.backup_recoveries)")
        .await;
    assert_eq!(count, 1);
}

#[tokio::test]
async fn words_that_nobody_knows_are_refused_and_those_of_this_build_are_taken() {
    let world = World::migrated().await;
    for kind in Kind::ALL {
        let kept = record(
            &world,
            &receipt(kind.as_str(), "done", "11:20:00"),
            "11:20:01",
        )
        .await;
        assert_eq!(kept["outcome"], "done", "{kind:?}");
    }
    for (name, value) in [
        ("kind", json!("planet")),
        ("outcome", json!("perhaps")),
        ("steps", json!({})),
        ("snapshot", json!("x".repeat(201))),
    ] {
        let mut odd = receipt("database", "done", "11:20:00");
        odd[name] = value;
        let arguments = json!({"p_recovery": odd, "p_now": at("11:21:00")});
        let [code, message, ..] = world.refusal("ops_record_recovery", arguments).await;
        assert_eq!(code, "22023", "{name}: {message}");
        assert!(message.contains(name), "{name}: {message}");
    }
}
