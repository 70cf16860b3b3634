//! What is read again of what backups rest on, and what is damaged, as the database sees it.

use ops::{backups::reread::Plan, monitoring::document::Reread};
use serde_json::{Value, json};

use crate::{
    backups::{back_up, shown},
    support::{World, at, transitions, verdict},
};

const BEHIND: &str = "backup_reread_behind";
const DAMAGED: &str = "backup_damaged";
const OBJECT: &str = "v1/seg/1/ab/c.zst.age";

/// A share that was read, of which nothing has been unread since longer than `oldest`.
fn share(oldest: &str, more: &Value) -> Value {
    let mut share = json!({
        "id": uuid::Uuid::new_v4(), "startedAt": at("09:00:00"), "finishedAt": at("09:00:10"),
        "beganAt": at("08:00:00"), "from": 10, "upto": 20, "objects": 3, "bytes": 300,
        "objectsThere": 40, "bytesThere": 4000, "objectsOld": 30, "objectsOldRead": 29,
        "oldestAt": oldest, "unread": [], "damaged": [], "whole": [], "copied": [], "gone": [],
    });
    let fields = more.as_object().unwrap().clone();
    share.as_object_mut().unwrap().extend(fields);
    share
}

async fn record(world: &World, share: &Value, now: &str) -> Reread {
    let arguments = json!({"p_reread": share, "p_now": at(now)});
    let document = world.call("ops_record_reread", arguments).await;
    serde_json::from_value(document).unwrap()
}

async fn plan(world: &World, now: &str) -> Value {
    let plan = world
        .call("ops_plan_reread", json!({"p_now": at(now)}))
        .await;
    serde_json::from_value::<Plan>(plan.clone()).unwrap();
    plan
}

async fn set(world: &World, key: &str, value: &Value) {
    let change = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", change).await;
}

fn damaged(what: &str) -> Value {
    json!({"what": what, "why": "its content is not the one it was stored with", "snapshot": "20261124T090000Z-1-ab",
           "backups": 2, "length": 100, "sha256": "a".repeat(64)})
}

async fn told(world: &World, rule: &str, now: &str) -> Vec<String> {
    let mut told = transitions(&world.tick(now, &[]).await);
    told.retain(|one| one.contains(rule));
    told
}

#[tokio::test]
async fn a_round_goes_on_where_the_last_share_ended() {
    let world = World::migrated().await;
    back_up(&world, "08:00:00").await;
    let first = plan(&world, "09:00:00").await;
    assert_eq!((&first["days"], &first["round"]), (&json!(7), &Value::Null));
    assert_eq!(
        (&first["bytes"], &first["stretches"]),
        (&json!(1_000_000_000), &json!([]))
    );
    assert_eq!(
        shown(&world, "09:00:00").await["reread"]["status"],
        "not_set_up"
    );
    let tick = world.tick("09:01:00", &[]).await;
    assert_eq!(verdict(&tick, BEHIND, "backup"), &Value::Null);

    let unread = json!({"what": OBJECT, "why": "it fails", "since": at("08:30:00")});
    let one = share(&at("08:00:00"), &json!({"unread": [unread]}));
    let stands = record(&world, &one, "09:02:00").await;
    assert_eq!((stands.status.as_str(), stands.unread), ("ok", 1));
    assert_eq!(
        (stands.objects_old, stands.objects_old_read),
        (Some(30), Some(29))
    );
    let next = plan(&world, "09:03:00").await;
    assert_eq!(next["round"]["upto"], 20);
    assert_eq!(next["unread"][0]["what"], OBJECT);
    assert_eq!(next["stretches"].as_array().unwrap().len(), 1);
    assert_eq!(next["firstAt"], next["stretches"][0]["at"]);
    // The same again is no other share.
    record(&world, &one, "09:04:00").await;
    let again = plan(&world, "09:05:00").await;
    assert_eq!(again["stretches"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_waits_for_twice_its_days_is_told_until_it_is_read() {
    let world = World::migrated().await;
    back_up(&world, "08:00:00").await;
    for (oldest, status, now) in [
        ("2026-11-10T09:01:00Z", "ok", "09:00:00"),
        ("2026-11-09T08:00:00Z", "behind", "09:00:30"),
    ] {
        let stands = record(&world, &share(oldest, &json!({})), now).await;
        assert_eq!(stands.status, status, "{oldest}");
    }
    assert_eq!(
        told(&world, BEHIND, "09:01:00").await,
        [format!("opened {BEHIND} backup")]
    );
    set(&world, "backup.reread_days", &json!(0)).await;
    assert_eq!(shown(&world, "09:01:30").await["reread"]["status"], "off");
    assert_eq!(
        told(&world, BEHIND, "09:02:00").await,
        [format!("resolved {BEHIND} backup")]
    );
}

#[tokio::test]
async fn damage_stands_until_it_is_whole_copied_gone_or_accepted() {
    for (name, ending) in [
        ("whole", json!({"whole": [OBJECT]})),
        (
            "copied",
            json!({"damaged": [damaged(OBJECT)], "copied": [OBJECT]}),
        ),
        ("gone", json!({"gone": [OBJECT]})),
    ] {
        let world = World::migrated().await;
        back_up(&world, "08:00:00").await;
        let found = share(&at("08:00:00"), &json!({"damaged": [damaged(OBJECT)]}));
        let stands = record(&world, &found, "09:00:00").await;
        assert_eq!(
            (stands.damages[0].what.as_str(), stands.damages[0].backups),
            (OBJECT, Some(2))
        );
        assert_eq!(
            told(&world, DAMAGED, "09:01:00").await,
            [format!("opened {DAMAGED} backup")]
        );
        assert_eq!(
            shown(&world, "09:01:30").await["verifications"]["status"],
            "damaged"
        );
        assert_eq!(plan(&world, "09:02:00").await["damaged"], json!([OBJECT]));
        let ended = record(&world, &share(&at("08:00:00"), &ending), "09:03:00").await;
        assert_eq!(ended.damages, []);
        assert_eq!(
            told(&world, DAMAGED, "09:04:00").await,
            [format!("resolved {DAMAGED} backup")]
        );
        let how = world
            .value("(select ended_as from ops.backup_damages)")
            .await;
        assert_eq!(how, name);
        assert_eq!(plan(&world, "09:05:00").await["damaged"], json!([]));
        // It decays once more.
        record(
            &world,
            &share(&at("08:00:00"), &json!({"damaged": [damaged(OBJECT)]})),
            "09:06:00",
        )
        .await;
        assert_eq!(
            told(&world, DAMAGED, "09:07:00").await,
            [format!("opened {DAMAGED} backup")]
        );
        set(&world, "backup.accepted", &json!([OBJECT])).await;
        assert_eq!(
            told(&world, DAMAGED, "09:08:00").await,
            [format!("resolved {DAMAGED} backup")]
        );
        assert_eq!(
            plan(&world, "09:09:00").await["damaged"],
            json!([OBJECT]),
            "it is still looked at"
        );
    }
}

/// What an operator's verification finds is known to the runs as well, and ends with it.
#[tokio::test]
async fn what_a_verification_found_ends_when_each_of_its_objects_is_whole() {
    let world = World::migrated().await;
    back_up(&world, "08:00:00").await;
    let other = "v1/seg/1/cd/e.zst.age";
    let faults =
        json!([{"what": OBJECT, "why": "it is missing"}, {"what": other, "why": "it is missing"}]);
    for level in [1, 2] {
        let receipt = json!({
            "id": uuid::Uuid::new_v4(), "snapshot": "s", "takenAt": at("08:00:00"), "level": level,
            "startedAt": at("08:50:00"), "finishedAt": at("08:51:00"), "objects": 9, "bytes": 900,
            "faultCount": 2, "faults": faults,
        });
        let now = format!("09:{level}0:00");
        world
            .call(
                "ops_record_verification",
                json!({"p_verification": receipt, "p_now": at(&now)}),
            )
            .await;
        let after = |minute: u32| format!("09:{level}{minute}:00");
        assert_eq!(
            told(&world, DAMAGED, &after(1)).await,
            [format!("opened {DAMAGED} backup")]
        );
        record(
            &world,
            &share(&at("08:00:00"), &json!({"whole": [OBJECT]})),
            &after(2),
        )
        .await;
        assert_eq!(
            told(&world, DAMAGED, &after(3)).await,
            [""; 0],
            "the other is not"
        );
        record(
            &world,
            &share(&at("08:00:00"), &json!({"whole": [other]})),
            &after(4),
        )
        .await;
        let expected = match level {
            1 => vec![format!("resolved {DAMAGED} backup")],
            // That it could not be opened says more than its hash.
            _ => Vec::new(),
        };
        assert_eq!(told(&world, DAMAGED, &after(5)).await, expected, "{level}");
    }
}
