//! The copy of the backups in another place, as the database sees it.

use ops::monitoring::document::Replica;
use serde_json::{Value, json};

use crate::{
    backups::{back_up, shown},
    support::{World, at, transitions, verdict},
};

const RULE: &str = "backup_replica_behind";

async fn record(world: &World, here: &str, there: Option<&str>, now: &str) -> Value {
    let replication = json!({
        "id": uuid::Uuid::new_v4(), "place": "s3://copies/wine", "newestHere": at(here),
        "newestThere": there.map(at), "copied": 1, "objects": 12, "bytes": 5000, "backupsLeft": 0,
        "trouble": there.is_none().then_some("permission is denied"),
    });
    let arguments = json!({"p_replication": replication, "p_now": at(now)});
    world.call("ops_record_replication", arguments).await
}

async fn told(world: &World, now: &str) -> Vec<String> {
    let mut told = transitions(&world.tick(now, &[]).await);
    told.retain(|one| one.contains(RULE));
    told
}

#[tokio::test]
async fn a_copy_that_falls_behind_is_told_whoever_is_to_blame() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let tick = world.tick("09:01:00", &[]).await;
    assert_eq!(verdict(&tick, RULE, "replica"), &Value::Null);
    assert_eq!(
        shown(&world, "09:01:00").await["replica"]["status"],
        "not_set_up"
    );
    let stands = record(&world, "09:00:00", Some("09:00:00"), "09:02:00").await;
    assert_eq!(
        (&stands["status"], &stands["lagMinutes"]),
        (&json!("ok"), &json!(0))
    );
    // Backups go on and nobody copies.
    back_up(&world, "11:00:00").await;
    assert_eq!(told(&world, "11:01:00").await, [""; 0]);
    back_up(&world, "11:30:00").await;
    assert_eq!(
        told(&world, "11:31:00").await,
        [format!("opened {RULE} replica")]
    );
    let behind: Replica =
        serde_json::from_value(shown(&world, "11:31:00").await["replica"].clone()).unwrap();
    assert_eq!(
        (behind.status.as_str(), behind.lag_minutes),
        ("behind", Some(150.0))
    );
    record(&world, "11:30:00", Some("11:30:00"), "11:40:00").await;
    assert_eq!(
        told(&world, "11:41:00").await,
        [format!("resolved {RULE} replica")]
    );
}

#[tokio::test]
async fn a_copy_without_a_backup_is_as_old_as_the_first_one() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    back_up(&world, "11:30:00").await;
    let stands = record(&world, "11:30:00", None, "11:31:00").await;
    assert_eq!(
        (&stands["status"], &stands["lagMinutes"], &stands["trouble"]),
        (
            &json!("behind"),
            &json!(150),
            &json!("permission is denied")
        )
    );
}

/// That nobody could look is told, and is no copy that lost its backups.
#[tokio::test]
async fn a_place_that_is_away_is_as_far_behind_as_it_was() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    back_up(&world, "11:00:00").await;
    record(&world, "11:00:00", Some("11:00:00"), "11:01:00").await;
    let away = |place: &str| {
        json!({
            "id": uuid::Uuid::new_v4(), "place": place, "newestHere": null, "newestThere": null,
            "copied": 0, "objects": 0, "bytes": 0, "backupsLeft": 0, "trouble": "permission is denied",
        })
    };
    for (place, now, lag) in [
        ("s3://copies/wine", "11:05:00", 0),
        ("s3://new/place", "11:06:00", 120),
    ] {
        let arguments = json!({"p_replication": away(place), "p_now": at(now)});
        let stands = world.call("ops_record_replication", arguments).await;
        assert_eq!(
            (&stands["lagMinutes"], &stands["trouble"]),
            (&json!(lag), &json!("permission is denied")),
            "{place}"
        );
    }
}
