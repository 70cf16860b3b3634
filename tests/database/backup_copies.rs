//! Copies beside the newest backup as the database sees them: what was verified in the store, and
//! archives of the application, and files of Storage.

use ops::monitoring::document::Backups;
use serde_json::{Value, json};

use crate::{
    backups::{back_up, back_up_files, shown},
    support::{World, at, transitions, verdict},
};

const RULE: &str = "application_archive_overdue";

/// The receipt of a verification of the backup of that time.
fn receipt(taken_at: &str, level: u8, faults: &Value) -> Value {
    json!({
        "id": uuid::Uuid::new_v4(), "snapshot": format!("snapshot-of-{taken_at}"), "takenAt": at(taken_at),
        "level": level, "startedAt": at("11:40:00"), "finishedAt": at("11:41:00"), "objects": 12, "bytes": 5000,
        "faultCount": faults.as_array().unwrap().len(), "faults": faults,
    })
}

async fn record(world: &World, receipt: &Value, now: &str) -> Value {
    let arguments = json!({"p_verification": receipt, "p_now": at(now)});
    world.call("ops_record_verification", arguments).await
}

async fn accept(world: &World, names: Value) {
    let arguments = json!({"p_key": "backup.accepted", "p_value": names, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

/// What a tick at that time changes about a rule.
async fn told(world: &World, rule: &str, now: &str) -> Vec<String> {
    let mut told = transitions(&world.tick(now, &[]).await);
    told.retain(|one| one.contains(rule));
    told
}

/// An archive of that time with these documents, which lacks those.
async fn archive(world: &World, taken_at: &str, documents: &[&str], absent: Value) -> Value {
    let stamp = at(taken_at).replace(['-', ':'], "");
    let archive = json!({
        "name": format!("{stamp}-0123abcd"), "takenAt": at(taken_at), "bytes": 100, "repositoryBytes": null,
        "documents": documents, "absent": absent, "differences": null, "leaves": {},
    });
    let arguments = json!({"p_archive": archive, "p_now": at(taken_at)});
    world.call("ops_record_archive", arguments).await
}

#[tokio::test]
async fn before_anybody_looked_none_is_set_up_and_no_rule_speaks() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let tick = world.tick("11:01:00", &[]).await;
    for (rule, subject) in [
        ("backup_damaged", "backup"),
        ("application_archive_overdue", "application"),
    ] {
        assert_eq!(verdict(&tick, rule, subject), &Value::Null);
    }
    let document = shown(&world, "11:01:00").await;
    assert_eq!(
        document["verifications"],
        json!({"status": "not_set_up", "last": null, "wholeAt": null})
    );
    assert_eq!(
        document["application"],
        json!({"status": "not_set_up", "ageDays": null, "mostDays": 2, "missed": [], "last": null})
    );
}

#[tokio::test]
async fn a_verification_counts_once_and_is_shown() {
    let world = World::migrated().await;
    back_up(&world, "11:30:00").await;
    let receipt = receipt("11:30:00", 1, &json!([]));
    let first = record(&world, &receipt, "11:41:01").await;
    let mut changed = receipt.clone();
    changed["objects"] = json!(13);
    assert_eq!(record(&world, &changed, "11:41:02").await, first);
    assert_eq!(
        (&first["outcome"], &first["objects"]),
        (&json!("whole"), &json!(12))
    );
    let document = shown(&world, "11:42:00").await;
    assert_eq!(document["verifications"]["last"], first);
    let typed: Backups = serde_json::from_value(document).unwrap();
    assert_eq!(typed.verifications.status, "ok");
    assert_eq!(
        typed.verifications.whole_at,
        Some(at("11:41:00").parse().unwrap())
    );
}

#[tokio::test]
async fn damage_stands_until_that_backup_or_a_newer_one_is_whole_as_deep() {
    let world = World::migrated().await;
    back_up(&world, "11:30:00").await;
    let damaged = json!([{"what": "v1/data/ab", "why": "it is missing"}, 7]);
    record(&world, &receipt("11:30:00", 2, &damaged), "11:42:00").await;
    assert_eq!(
        told(&world, "backup_damaged", "11:43:00").await,
        ["opened backup_damaged backup"]
    );
    let facts = world
        .value("(select facts from ops.alerts where rule = 'backup_damaged')")
        .await;
    assert_eq!(
        (&facts["reason"], &facts["detail"]["found"]),
        (&json!("it is missing"), &json!("v1/data/ab"))
    );
    for (taken_at, level, now) in [("11:30:00", 1, "11:44:00"), ("11:00:00", 2, "11:45:00")] {
        record(&world, &receipt(taken_at, level, &json!([])), now).await;
        assert_eq!(told(&world, "backup_damaged", now).await, [""; 0], "{now}");
    }
    let shown_then = shown(&world, "11:45:30").await["verifications"].clone();
    assert_eq!(
        (&shown_then["status"], &shown_then["last"]["faultCount"]),
        (&json!("damaged"), &json!(2))
    );
    record(&world, &receipt("11:35:00", 2, &json!([])), "11:46:00").await;
    assert_eq!(
        told(&world, "backup_damaged", "11:47:00").await,
        ["resolved backup_damaged backup"]
    );
}

#[tokio::test]
async fn what_is_no_receipt_of_a_verification_is_refused() {
    let world = World::migrated().await;
    let whole = receipt("11:30:00", 1, &json!([]));
    for (key, odd) in [
        ("id", Value::Null),
        ("snapshot", json!("")),
        ("takenAt", json!("infinity")),
        ("startedAt", Value::Null),
        ("finishedAt", Value::Null),
        ("level", json!(3)),
        ("objects", json!(-1)),
        ("bytes", Value::Null),
        ("faultCount", Value::Null),
    ] {
        let mut receipt = whole.clone();
        receipt[key] = odd;
        let [code, message, ..] = world
            .refusal(
                "ops_record_verification",
                json!({"p_verification": receipt}),
            )
            .await;
        assert_eq!(code, "22023", "{key}");
        assert!(message.contains(key), "{message}");
    }
}

#[tokio::test]
async fn an_archive_is_overdue_after_two_days() {
    let world = World::migrated().await;
    archive(
        &world,
        "2026-11-22T11:00:00Z",
        &["vercel.app.project"],
        json!({}),
    )
    .await;
    assert_eq!(told(&world, RULE, "11:00:00").await, [""; 0]);
    assert_eq!(
        told(&world, RULE, "13:00:00").await,
        ["opened application_archive_overdue application"]
    );
    archive(&world, "13:01:00", &["vercel.app.project"], json!({})).await;
    assert_eq!(
        told(&world, RULE, "13:02:00").await,
        ["resolved application_archive_overdue application"]
    );
}

#[tokio::test]
async fn what_archives_lack_for_two_days_is_named_until_it_is_read_or_accepted() {
    let world = World::migrated().await;
    let all = [
        "supabase.auth",
        "vercel.app.domains",
        "vercel.app.project",
        "vercel.ops.project",
    ];
    archive(&world, "2026-11-21T11:00:00Z", &all, json!({})).await;
    // The function was taken away on purpose; the token of Vercel has ended.
    let ended = json!({"vercel.app.domains": "answered 403: Forbidden", "vercel.app.project": "answered 403: Forbidden"});
    for day in ["22", "23", "24"] {
        let now = format!("2026-11-{day}T10:00:00Z");
        archive(&world, &now, &["supabase.auth"], ended.clone()).await;
    }
    assert_eq!(told(&world, RULE, "2026-11-23T11:00:00Z").await, [""; 0]);
    assert_eq!(
        told(&world, RULE, "12:00:00").await,
        ["opened application_archive_overdue application"]
    );
    let facts = world
        .value("(select facts from ops.alerts where rule = 'application_archive_overdue')")
        .await;
    assert_eq!(
        (&facts["reason"], &facts["detail"]["found"]),
        (
            &json!("archive_lacks"),
            &json!("vercel.app.domains, vercel.app.project")
        )
    );
    accept(&world, json!(["vercel.app.domains"])).await;
    back_up(&world, "11:30:00").await;
    let document = shown(&world, "12:01:00").await;
    assert_eq!(document["application"]["status"], "overdue");
    assert_eq!(
        document["application"]["missed"],
        json!([
            {"what": "vercel.app.domains", "heldAt": "2026-11-21T11:00:00+00:00", "why": "answered 403: Forbidden", "accepted": true},
            {"what": "vercel.app.project", "heldAt": "2026-11-21T11:00:00+00:00", "why": "answered 403: Forbidden", "accepted": false},
        ])
    );
    let typed: Backups = serde_json::from_value(document).unwrap();
    assert_eq!(typed.application.missed.len(), 2);
    accept(&world, json!(["vercel.app.domains", "vercel.app.project"])).await;
    assert_eq!(
        told(&world, RULE, "12:02:00").await,
        ["resolved application_archive_overdue application"]
    );
}

async fn set(world: &World, key: &str, value: Value) {
    let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

#[tokio::test]
async fn files_that_are_in_no_backup_for_too_long_are_an_alert() {
    let world = World::migrated().await;
    set(&world, "threshold.storage_unsaved_hours", json!(1)).await;
    back_up(&world, "08:00:00").await;
    let tick = world.tick("08:01:00", &[]).await;
    let rule = "storage_files_unsaved";
    assert_eq!(verdict(&tick, rule, "storage"), &Value::Null);
    assert_eq!(
        shown(&world, "08:01:00").await["files"]["status"],
        "not_set_up"
    );

    back_up_files(&world, "08:30:00", 0, 0).await;
    assert_eq!(shown(&world, "08:31:00").await["files"]["status"], "ok");
    back_up_files(&world, "09:00:00", 3, 0).await;
    let document = shown(&world, "09:20:00").await["files"].clone();
    assert_eq!(document["status"], "catching_up");
    assert_eq!(document["behindHours"], 0.8);
    let typed: Backups = serde_json::from_value(shown(&world, "09:20:00").await).unwrap();
    assert_eq!(typed.files.last.unwrap().coverage.waiting, 3);
    assert!(told(&world, rule, "09:20:00").await.is_empty());

    // More and more are saved, and still some have been in no backup for an hour.
    back_up_files(&world, "09:30:00", 1, 0).await;
    assert_eq!(
        told(&world, rule, "09:40:00").await,
        ["opened storage_files_unsaved storage"]
    );
    let facts = world
        .value("(select facts from ops.alerts where rule = 'storage_files_unsaved')")
        .await;
    assert_eq!(
        (&facts["reason"], &facts["detail"]["found"]),
        (&json!("files_unsaved"), &json!("1 of 20"))
    );
    assert_eq!(shown(&world, "09:41:00").await["files"]["status"], "behind");
    back_up_files(&world, "10:00:00", 0, 0).await;
    assert_eq!(
        told(&world, rule, "10:01:00").await,
        ["resolved storage_files_unsaved storage"]
    );
}

#[tokio::test]
async fn rows_that_name_no_file_are_an_alert_until_they_do() {
    let world = World::migrated().await;
    let rule = "storage_rows_without_file";
    back_up_files(&world, "10:00:00", 0, 2).await;
    assert_eq!(
        told(&world, rule, "10:01:00").await,
        ["opened storage_rows_without_file storage"]
    );
    assert_eq!(
        shown(&world, "10:01:00").await["files"]["status"],
        "rows_without_file"
    );
    back_up_files(&world, "10:30:00", 0, 0).await;
    assert_eq!(
        told(&world, rule, "10:31:00").await,
        ["resolved storage_rows_without_file storage"]
    );
}

#[tokio::test]
async fn what_a_run_may_fetch_follows_the_settings() {
    let world = World::migrated().await;
    assert_eq!(
        world.call("ops_file_budget", json!({})).await,
        json!({"enabled": true, "bytes": 500_000_000, "seconds": 60})
    );
    set(&world, "backup.files", json!(false)).await;
    set(&world, "backup.files_megabytes", json!(1)).await;
    set(&world, "backup.files_seconds", json!(5)).await;
    assert_eq!(
        world.call("ops_file_budget", json!({})).await,
        json!({"enabled": false, "bytes": 1_000_000, "seconds": 5})
    );
}
