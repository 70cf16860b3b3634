//! Drills and gaps as the database sees them: receipts, the rules with their dates,
//! and what an operator accepts by its name.

use ops::monitoring::document::Backups;
use serde_json::{Value, json};

use crate::{
    backups::{back_up, claim, shown},
    support::{World, at, transitions, verdict},
};

/// The receipt of a drill of that time that found nothing.
fn receipt(finished_at: &str) -> Value {
    json!({
        "id": uuid::Uuid::new_v4(), "snapshot": "snapshot-of-11:00:00", "takenAt": at("11:00:00"),
        "startedAt": at("11:00:01"), "finishedAt": at(finished_at), "reason": null, "missing": [],
        "tables": ["public.wines"], "seconds": 30.5, "rows": 10, "bytes": 1000, "tablesInBackup": 2,
    })
}

fn with(mut receipt: Value, key: &str, value: Value) -> Value {
    receipt[key] = value;
    receipt
}

async fn record(world: &World, receipt: &Value, now: &str) -> Value {
    let arguments = json!({"p_drill": receipt, "p_now": at(now)});
    world.call("ops_record_drill", arguments).await
}

async fn set(world: &World, key: &str, value: Value) {
    let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

async fn at_tick(world: &World, now: &str) -> Vec<String> {
    transitions(&world.tick(now, &[]).await)
}

/// A sealed backup that leaves these out.
async fn back_up_with_gaps(world: &World, now: &str, gaps: Value) {
    let claim = claim(world, now).await;
    let backup = json!({"snapshot": format!("snapshot-of-{now}"), "takenAt": at(now),
                        "sealedAt": at(now), "figures": {}, "gaps": gaps});
    let arguments = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "done",
                           "p_backup": backup, "p_now": at(now)});
    world.call("ops_finish_backup", arguments).await;
}

const NO_BACKUP_RULE: [(&str, u32); 2] = [
    ("threshold.backup_overdue_minutes", 44_640),
    ("threshold.backup_rpo_minutes", 44_640),
];

#[tokio::test]
async fn before_the_first_drill_none_is_set_up_and_no_rule_speaks() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let tick = world.tick("11:01:00", &[]).await;
    for rule in ["backup_drill_failed", "backup_drill_overdue"] {
        assert_eq!(verdict(&tick, rule, "backup"), &Value::Null);
    }
    let drills = shown(&world, "11:01:00").await["drills"].clone();
    assert_eq!(
        drills,
        json!({"status": "not_set_up", "everyDays": 7, "rtoSeconds": 14400, "last": null,
               "schedule": [], "dispatches": [], "forecast": null})
    );
    let listed = world.call("ops_list_drills", json!({})).await;
    assert_eq!(
        (&listed["drills"], &listed["lastDrilled"]),
        (&json!([]), &json!({}))
    );
}

#[tokio::test]
async fn one_is_due_before_the_first_after_the_setting_and_a_day_after_a_bad_one() {
    for (reason, last, now, due) in [
        (None, None, "11:00:00", true),
        (None, Some("11:10:00"), "11:10:01", false),
        (None, Some("11:10:00"), "2026-12-01T11:09:59Z", false),
        (None, Some("11:10:00"), "2026-12-01T11:10:00Z", true),
        (
            Some("not equal"),
            Some("11:10:00"),
            "2026-11-25T11:09:59Z",
            false,
        ),
        (
            Some("not equal"),
            Some("11:10:00"),
            "2026-11-25T11:10:00Z",
            true,
        ),
    ] {
        let world = World::migrated().await;
        if let Some(last) = last {
            let receipt = with(receipt(last), "reason", json!(reason));
            record(&world, &receipt, last).await;
        }
        let listed = world
            .call("ops_list_drills", json!({"p_now": at(now)}))
            .await;
        assert_eq!(listed["due"], due, "{reason:?} {last:?} {now}");
    }
}

#[tokio::test]
async fn a_receipt_counts_once_and_is_shown() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let receipt = receipt("11:10:00");
    let first = record(&world, &receipt, "11:10:01").await;
    let changed = with(receipt.clone(), "reason", json!("something else"));
    assert_eq!(record(&world, &changed, "11:10:02").await, first);
    let expected = json!({
        "id": receipt["id"], "outcome": "good", "reason": null, "snapshot": "snapshot-of-11:00:00",
        "takenAt": "2026-11-24T11:00:00+00:00", "startedAt": "2026-11-24T11:00:01+00:00",
        "finishedAt": "2026-11-24T11:10:00+00:00", "restored": true, "seconds": 30.5, "rows": 10,
        "bytes": 1000, "tables": 1, "tablesInBackup": 2, "missing": [], "level": 3, "compared": null,
    });
    assert_eq!(first, expected);
    assert_eq!(at_tick(&world, "11:11:00").await, [""; 0]);

    let document = shown(&world, "11:11:00").await;
    let typed: Backups = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(typed.drills.status, "ok");
    assert_eq!(document["drills"]["last"], expected);
    let listed = world.call("ops_list_drills", json!({})).await;
    assert_eq!(
        listed["lastDrilled"],
        json!({"public.wines": "2026-11-24T11:10:00+00:00"})
    );
    assert_eq!(listed["drills"], json!([expected]));
}

#[tokio::test]
async fn a_drill_that_broke_off_alerts_until_one_is_good() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let broken = with(
        receipt("11:05:00"),
        "reason",
        json!("not equal to the backup"),
    );
    assert_eq!(record(&world, &broken, "11:05:00").await["outcome"], "bad");
    assert_eq!(
        at_tick(&world, "11:06:00").await,
        ["opened backup_drill_failed backup"]
    );
    let told = world
        .value("(select facts ->> 'reason' from ops.alerts)")
        .await;
    assert_eq!(told, "not equal to the backup");
    assert_eq!(
        shown(&world, "11:06:00").await["drills"]["status"],
        "failed"
    );
    record(&world, &receipt("11:07:00"), "11:07:00").await;
    assert_eq!(
        at_tick(&world, "11:08:00").await,
        ["resolved backup_drill_failed backup"]
    );
}

#[tokio::test]
async fn what_is_missing_alerts_until_all_of_it_is_accepted_by_name() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let missing = json!([{"what": "index public.a", "reason": "no"}, {"what": "view public.b", "reason": "why"}]);
    let bad = record(
        &world,
        &with(receipt("11:05:00"), "missing", missing),
        "11:05:00",
    )
    .await;
    assert_eq!(bad["reason"], "missing: index public.a; view public.b");
    assert_eq!(
        at_tick(&world, "11:06:00").await,
        ["opened backup_drill_failed backup"]
    );
    set(&world, "backup.accepted", json!(["index public.a"])).await;
    assert_eq!(at_tick(&world, "11:07:00").await, [""; 0]);
    let names = json!(["index public.a", "view public.b"]);
    set(&world, "backup.accepted", names).await;
    assert_eq!(
        at_tick(&world, "11:08:00").await,
        ["resolved backup_drill_failed backup"]
    );
    let last = shown(&world, "11:08:00").await["drills"]["last"].clone();
    assert_eq!(last["outcome"], "good");
    assert_eq!(
        last["missing"][1],
        json!({"what": "view public.b", "reason": "why", "accepted": true})
    );
}

#[tokio::test]
async fn a_restore_that_takes_longer_than_it_may_is_a_bad_drill() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let just = with(receipt("11:04:00"), "seconds", json!(14_400));
    assert_eq!(record(&world, &just, "11:04:00").await["outcome"], "good");
    let slow = with(receipt("11:05:00"), "seconds", json!(14_401));
    let drill = record(&world, &slow, "11:05:00").await;
    assert_eq!(
        (&drill["outcome"], &drill["reason"]),
        (&json!("bad"), &json!("too_long"))
    );
    set(&world, "threshold.backup_rto_minutes", json!(241)).await;
    assert_eq!(at_tick(&world, "11:06:00").await, [""; 0]);
}

#[tokio::test]
async fn a_drill_is_overdue_a_day_after_it_was_due() {
    let world = World::migrated().await;
    for (key, value) in NO_BACKUP_RULE {
        set(&world, key, json!(value)).await;
    }
    back_up_with_gaps(&world, "2026-11-16T11:00:00Z", json!([])).await;
    record(&world, &receipt("11:05:00"), "2026-11-16T12:00:00Z").await;
    for (now, expected) in [
        ("2026-11-24T12:00:00Z", vec![]),
        (
            "2026-11-24T14:30:00Z",
            vec!["opened backup_drill_overdue backup"],
        ),
    ] {
        let tick = world.tick(now, &[]).await;
        let drills: Vec<_> = transitions(&tick)
            .into_iter()
            .filter(|line| line.contains("drill"))
            .collect();
        assert_eq!(drills, expected, "{now}");
    }
    assert_eq!(
        shown(&world, "2026-11-24T14:30:00Z").await["drills"]["status"],
        "overdue"
    );
    record(&world, &receipt("11:05:00"), "2026-11-24T14:31:00Z").await;
    assert_eq!(
        at_tick(&world, "2026-11-24T14:32:00Z").await,
        ["resolved backup_drill_overdue backup"]
    );
}

#[tokio::test]
async fn each_gap_alerts_by_its_name_until_it_is_accepted_or_closed() {
    let world = World::migrated().await;
    let gaps = json!([{"what": "large objects", "why": "they are too large"}, {"what": "cast (a as b)", "why": "it is odd"}, 7]);
    back_up_with_gaps(&world, "11:00:00", gaps).await;
    let mut opened = at_tick(&world, "11:01:00").await;
    opened.sort();
    assert_eq!(
        opened,
        [
            "opened backup_gap cast (a as b)",
            "opened backup_gap large objects"
        ]
    );
    set(&world, "backup.accepted", json!(["large objects"])).await;
    assert_eq!(
        at_tick(&world, "11:02:00").await,
        ["resolved backup_gap large objects"]
    );
    let listed = shown(&world, "11:02:00").await["gaps"].clone();
    assert_eq!(
        listed,
        json!([{"what": "large objects", "why": "they are too large", "accepted": true},
               {"what": "cast (a as b)", "why": "it is odd", "accepted": false}])
    );
    back_up(&world, "11:30:00").await;
    assert_eq!(
        at_tick(&world, "11:31:00").await,
        ["resolved backup_gap cast (a as b)"]
    );
    assert_eq!(shown(&world, "11:31:00").await["gaps"], json!([]));
}

#[tokio::test]
async fn what_is_no_receipt_is_refused() {
    let world = World::migrated().await;
    let whole = receipt("11:05:00");
    for key in ["id", "snapshot", "takenAt", "startedAt", "finishedAt"] {
        let drill = with(whole.clone(), key, Value::Null);
        let [code, message, ..] = world
            .refusal("ops_record_drill", json!({"p_drill": drill}))
            .await;
        assert_eq!(code, "22023", "{key}");
        assert!(message.contains(key), "{message}");
    }
    for (key, odd) in [
        ("takenAt", json!("-infinity")),
        ("startedAt", json!("0044-03-15 00:00:00+00 BC")),
        ("finishedAt", json!("infinity")),
        ("seconds", json!("NaN")),
        ("seconds", json!("infinity")),
        ("seconds", json!(-1)),
    ] {
        let drill = with(whole.clone(), key, odd.clone());
        let [code, message, ..] = world
            .refusal("ops_record_drill", json!({"p_drill": drill}))
            .await;
        assert_eq!(code, "22023", "{key} {odd}");
        assert!(message.contains(key), "{message}");
    }
    let [code, ..] = world
        .refusal("ops_record_drill", json!({"p_drill": null}))
        .await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn only_names_are_accepted() {
    let world = World::migrated().await;
    for value in [json!("index a"), json!([""]), json!([7]), json!([null])] {
        let arguments = json!({"p_key": "backup.accepted", "p_value": value, "p_by": "anna"});
        let [code, ..] = world.refusal("ops_set_setting", arguments).await;
        assert_eq!(code, "22023", "{value}");
    }
}
