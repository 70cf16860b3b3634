//! Collections of backups as the database sees them: when one is due, what it goes by, what is
//! recorded of it, and when nobody collects for too long.

use ops::monitoring::document::Backups;
use serde_json::{Value, json};

use crate::{
    backups::{back_up, shown},
    support::{World, at, transitions},
};

const RULE: &str = "backup_collection_overdue";

async fn claim(world: &World, now: &str) -> Value {
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "backup", "p_every_seconds": 1800, "p_lease_seconds": 90,
        "p_manual": true, "p_now": at(now),
    });
    let claim = world.call("ops_claim_run", arguments).await;
    assert_eq!(claim["outcome"], "claimed", "{claim}");
    claim
}

fn collection(outcome: &str, now: &str) -> Value {
    let heap = json!({"objects": 3, "bytes": 300});
    let reason = (outcome != "done").then(|| format!("it was {outcome}"));
    json!({
        "outcome": outcome, "reason": reason, "startedAt": at(now), "forced": false,
        "figures": {
            "kept": 2, "pinned": 1, "rungs": {"hourly": 2, "newest": 2}, "oldestAt": at("11:00:00"), "trashed": 1,
            "putBack": 0, "forgotten": 0, "inTrash": 1, "stored": heap, "unneeded": heap, "doomed": heap,
            "deleted": heap, "heldBack": 0, "renewed": heap, "notRenewed": null,
        },
        "decisions": [{"snapshot": "a", "takenAt": at("11:00:00"), "fate": "keep: hourly"}],
    })
}

fn record_arguments(claim: &Value, collection: &Value, by: Option<&str>, now: &str) -> Value {
    json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_collection": collection, "p_by": by, "p_now": at(now)})
}

/// One that was made at that time.
async fn collect(world: &World, outcome: &str, by: Option<&str>, now: &str) -> Value {
    let claim = claim(world, now).await;
    let arguments = record_arguments(&claim, &collection(outcome, now), by, now);
    let recorded = world.call("ops_record_collection", arguments).await;
    assert_eq!(recorded["outcome"], "finished");
    claim
}

async fn plan(world: &World, now: &str) -> Value {
    world
        .call("ops_plan_collection", json!({"p_now": at(now)}))
        .await
}

async fn is_due(world: &World, now: &str) -> bool {
    plan(world, now).await["due"].as_bool().unwrap()
}

async fn set(world: &World, key: &str, value: Value) {
    let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

async fn told(world: &World, now: &str) -> Vec<String> {
    let mut told = transitions(&world.tick(now, &[]).await);
    told.retain(|one| one.contains(RULE));
    told
}

#[tokio::test]
async fn a_collection_is_due_once_a_day_and_sooner_if_it_came_to_nothing() {
    let world = World::migrated().await;
    assert!(is_due(&world, "2026-11-20T12:00:00Z").await);
    for (outcome, not_yet, again) in [
        ("done", "2026-11-21T10:59:00Z", "2026-11-21T11:01:00Z"),
        ("refused", "2026-11-21T10:59:00Z", "2026-11-21T11:01:00Z"),
        ("partial", "2026-11-20T12:19:00Z", "2026-11-20T12:21:00Z"),
        ("frozen", "2026-11-20T14:59:00Z", "2026-11-20T15:01:00Z"),
        ("failed", "2026-11-20T14:59:00Z", "2026-11-20T15:01:00Z"),
    ] {
        collect(&world, outcome, None, "2026-11-20T12:00:00Z").await;
        assert!(!is_due(&world, not_yet).await, "{outcome}");
        assert!(is_due(&world, again).await, "{outcome}");
        world.execute("delete from ops.backup_collections").await;
    }
    set(&world, "backup.retention", json!(false)).await;
    let planned = plan(&world, "2026-11-22T12:00:00Z").await;
    assert_eq!(
        (&planned["due"], &planned["enabled"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn a_collection_goes_by_the_settings_the_drills_and_the_newest_backup() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    back_up(&world, "11:30:00").await;
    set(&world, "backup.keep_yearly", json!(0)).await;
    let drill = |snapshot: &str, reason: Value| {
        json!({"p_drill": {
            "id": uuid::Uuid::new_v4(), "snapshot": snapshot, "takenAt": at("11:00:00"), "startedAt": at("11:31:00"),
            "finishedAt": at("11:32:00"), "reason": reason, "missing": [], "tables": ["public.a"], "seconds": 60,
            "rows": 1, "bytes": 10, "tablesInBackup": 1,
        }, "p_now": at("11:33:00")})
    };
    for (snapshot, reason) in [
        ("good", json!(null)),
        ("good", json!(null)),
        ("bad", json!("it broke")),
    ] {
        world
            .call("ops_record_drill", drill(snapshot, reason))
            .await;
    }
    assert_eq!(
        plan(&world, "12:00:00").await,
        json!({
            "due": true, "enabled": true, "hourly": 48, "daily": 30, "weekly": 12, "monthly": 12, "yearly": 0,
            "trashDays": 7, "lockDays": 0, "proveLock": false, "drillDays": 7, "drilled": ["good"], "newest": "snapshot-of-11:30:00",
        })
    );
}

#[tokio::test]
async fn what_was_decided_is_recorded_once_and_releases_the_lease() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let claimed = collect(&world, "done", Some("anna"), "11:05:00").await;
    let again = record_arguments(
        &claimed,
        &collection("failed", "11:05:00"),
        Some("anna"),
        "11:06:00",
    );
    assert_eq!(
        world.call("ops_record_collection", again).await["outcome"],
        "finished"
    );
    let rows = world
        .rows("select outcome, asked_by, decisions -> 0 ->> 'fate' as fate from ops.backup_collections")
        .await;
    assert_eq!(
        rows,
        json!([{"outcome": "done", "asked_by": "anna", "fate": "keep: hourly"}])
    );
    let runs = world
        .rows("select outcome, summary -> 'collection' ->> 'outcome' as of_it from ops.runs where slot is null")
        .await;
    assert_eq!(runs, json!([{"outcome": "done", "of_it": "done"}]));
    // Whoever is scheduled leaves no row in the audit log, and the lease is free.
    collect(&world, "done", None, "11:07:00").await;
    let written = world
        .rows("select action, subject from ops.audit order by seq")
        .await;
    assert_eq!(
        written,
        json!([{"action": "backup.pruned", "subject": claimed["run"]}])
    );
    // No backup was made or lost by it.
    let document = shown(&world, "11:10:00").await;
    assert_eq!(
        (
            &document["status"],
            &document["runs"].as_array().unwrap().len()
        ),
        (&json!("ok"), &1)
    );
}

#[tokio::test]
async fn whoever_comes_late_and_whatever_is_no_collection_is_refused() {
    let world = World::migrated().await;
    let late = claim(&world, "11:00:00").await;
    back_up(&world, "11:30:00").await;
    let arguments = record_arguments(&late, &collection("done", "11:00:00"), None, "11:31:00");
    assert_eq!(
        world.call("ops_record_collection", arguments).await["outcome"],
        "superseded"
    );
    assert_eq!(
        world
            .value("(select count(*) from ops.backup_collections)")
            .await,
        json!(0)
    );
    let claimed = claim(&world, "11:40:00").await;
    for (member, wrong) in [
        ("outcome", json!("well")),
        ("figures", json!([])),
        ("decisions", json!({})),
    ] {
        let mut odd = collection("done", "11:40:00");
        odd[member] = wrong;
        let arguments = record_arguments(&claimed, &odd, None, "11:41:00");
        let [code, message, _] = world.refusal("ops_record_collection", arguments).await;
        assert_eq!(code, "22023", "{member}");
        assert!(message.contains(member), "{message}");
    }
    for (member, wrong) in [
        ("lock.found", json!("gone")),
        ("lock.found", json!({"at": at("11:40:00"), "found": "open"})),
        ("lock.at", json!({"found": "gone"})),
        ("lock.at", json!({"at": "infinity", "found": "gone"})),
    ] {
        let mut odd = collection("done", "11:40:00");
        odd["figures"]["lock"] = wrong;
        let arguments = record_arguments(&claimed, &odd, None, "11:41:00");
        let [code, message, _] = world.refusal("ops_record_collection", arguments).await;
        assert_eq!(code, "22023", "{member}");
        assert!(message.contains(member), "{message}");
    }
    let monitor = world.claim("11:50:00").await;
    let arguments = record_arguments(&monitor, &collection("done", "11:50:00"), None, "11:50:01");
    let [code, message, _] = world.refusal("ops_record_collection", arguments).await;
    assert_eq!(code, "22023");
    assert!(message.contains("backup"), "{message}");
}

#[tokio::test]
async fn collections_that_come_to_nothing_for_three_days_are_told() {
    let world = World::migrated().await;
    assert_eq!(told(&world, "2026-11-20T11:00:00Z").await, [""; 0]);
    collect(&world, "done", None, "2026-11-20T12:00:00Z").await;
    for day in ["21", "22", "23"] {
        collect(&world, "frozen", None, &format!("2026-11-{day}T12:00:00Z")).await;
    }
    assert_eq!(told(&world, "2026-11-23T11:00:00Z").await, [""; 0]);
    assert_eq!(
        told(&world, "2026-11-23T15:00:00Z").await,
        ["opened backup_collection_overdue collection"]
    );
    let facts = world
        .value("(select facts from ops.alerts where rule = 'backup_collection_overdue')")
        .await;
    assert_eq!(
        (&facts["reason"], &facts["detail"]["outcome"]),
        (&json!("it was frozen"), &json!("frozen"))
    );
    // A store that keeps everything does what a lock is for.
    collect(&world, "refused", None, "2026-11-23T16:00:00Z").await;
    assert_eq!(
        told(&world, "2026-11-23T16:01:00Z").await,
        ["resolved backup_collection_overdue collection"]
    );
    collect(&world, "failed", None, "2026-11-27T16:00:00Z").await;
    assert_eq!(
        told(&world, "2026-11-27T16:01:00Z").await,
        ["opened backup_collection_overdue collection"]
    );
    set(&world, "backup.retention", json!(false)).await;
    assert_eq!(
        told(&world, "2026-11-27T16:02:00Z").await,
        ["resolved backup_collection_overdue collection"]
    );
}

#[tokio::test]
async fn how_collections_stand_is_shown() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let stands = async |now: &str| {
        let document = shown(&world, now).await;
        serde_json::from_value::<Backups>(document)
            .unwrap()
            .collection
    };
    let before = stands("11:01:00").await;
    assert_eq!(
        (before.status.as_str(), before.last, before.age_days),
        ("not_set_up", None, None)
    );
    collect(&world, "done", None, "11:05:00").await;
    let after = stands("11:06:00").await;
    assert_eq!(after.status, "ok");
    let figures = after.last.unwrap().figures.unwrap();
    assert_eq!((figures.kept, figures.pinned, figures.in_trash), (2, 1, 1));
    assert_eq!(
        (figures.rungs["hourly"], figures.stored.unwrap().bytes),
        (2, 300)
    );
    collect(&world, "failed", None, "11:07:00").await;
    let failed = stands("11:08:00").await;
    assert_eq!(failed.status, "failed");
    assert_eq!(failed.last.unwrap().reason.unwrap(), "it was failed");
    assert_eq!(failed.last_whole.unwrap().outcome, "done");
    set(&world, "backup.retention", json!(false)).await;
    assert_eq!(stands("11:09:00").await.status, "off");
    // The job is the backups': none of those failed.
    let failed = world
        .value("(select count(*) from ops.runs where outcome = 'failed')")
        .await;
    assert_eq!(failed, json!(0));
}

#[tokio::test]
async fn who_pins_a_backup_is_in_the_audit_log() {
    let world = World::migrated().await;
    let note = |action: &str| json!({"p_action": action, "p_snapshot": "a", "p_by": "anna", "p_reason": "the audit"});
    for action in ["backup.pinned", "backup.unpinned", "backup.put_back"] {
        assert_eq!(
            world.call("ops_note_pin", note(action)).await,
            json!({"outcome": "noted"})
        );
    }
    let written = world
        .rows("select action, subject from ops.audit order by seq")
        .await;
    assert_eq!(
        written,
        json!([
            {"action": "backup.pinned", "subject": "a"}, {"action": "backup.unpinned", "subject": "a"},
            {"action": "backup.put_back", "subject": "a"},
        ])
    );
    let [code, ..] = world
        .refusal("ops_note_pin", note("database.restored"))
        .await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn a_lock_is_tried_once_a_week_and_one_that_is_open_is_told() {
    const RULE: &str = "backup_lock_open";
    let world = World::migrated().await;
    let is_due = async |now: &str| plan(&world, now).await["proveLock"].as_bool().unwrap();
    let tried = async |found: Option<&str>, now: &str| {
        let claim = claim(&world, now).await;
        let mut collection = collection("refused", now);
        if let Some(found) = found {
            collection["figures"]["lock"] = json!({"at": at(now), "found": found});
        }
        let arguments = record_arguments(&claim, &collection, None, now);
        world.call("ops_record_collection", arguments).await;
    };
    let told = async |now: &str| {
        let mut told = transitions(&world.tick(now, &[]).await);
        told.retain(|one| one.contains(RULE));
        told
    };
    assert!(!is_due("2026-11-17T12:00:00Z").await, "nothing is locked");
    set(&world, "backup.lock_days", json!(30)).await;
    assert!(is_due("2026-11-17T12:00:00Z").await);
    tried(Some("refused"), "2026-11-17T12:00:00Z").await;
    tried(None, "2026-11-18T12:00:00Z").await;
    assert!(!is_due("2026-11-24T10:59:00Z").await);
    assert!(is_due("2026-11-24T11:01:00Z").await);
    assert_eq!(told("2026-11-24T11:01:00Z").await, [""; 0]);

    back_up(&world, "11:30:00").await;
    tried(Some("gone"), "2026-11-24T12:00:00Z").await;
    assert_eq!(
        told("2026-11-24T12:01:00Z").await,
        [format!("opened {RULE} store")]
    );
    assert!(
        is_due("2026-11-24T12:02:00Z").await,
        "until it holds, each collection tries it"
    );
    let document = shown(&world, "2026-11-24T12:02:00Z").await;
    assert_eq!(document["collection"]["lock"]["found"], "gone");
    let typed: Backups = serde_json::from_value(document).unwrap();
    assert!(typed.collection.lock.is_some());
    tried(Some("hidden"), "2026-11-24T13:00:00Z").await;
    assert_eq!(
        told("2026-11-24T13:01:00Z").await,
        [format!("resolved {RULE} store")]
    );

    tried(Some("gone"), "2026-11-24T14:00:00Z").await;
    assert_eq!(
        told("2026-11-24T14:01:00Z").await,
        [format!("opened {RULE} store")]
    );
    set(&world, "backup.lock_days", json!(0)).await;
    assert_eq!(
        told("2026-11-24T14:02:00Z").await,
        [format!("resolved {RULE} store")]
    );
}
