//! Backups as the database sees them: the lease that is renewed, how a run
//! ends, the rules with their dates, the dashboard's section.

use ops::monitoring::document::Backups;
use serde_json::{Value, json};

use crate::support::{World, at, minutes, transitions, verdict};

/// Arguments of a claim of the backup's slot at that time.
fn claim_arguments(now: &str, manual: bool) -> Value {
    json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "backup", "p_every_seconds": 1800,
        "p_lease_seconds": 90, "p_manual": manual, "p_now": at(now),
    })
}

pub(crate) async fn claim(world: &World, now: &str) -> Value {
    let claim = world
        .call("ops_claim_run", claim_arguments(now, false))
        .await;
    assert_eq!(claim["outcome"], "claimed", "{claim}");
    claim
}

/// What a run reports that sealed a snapshot of that time.
fn sealed(taken_at: &str) -> Value {
    json!({
        "snapshot": format!("snapshot-of-{taken_at}"), "takenAt": at(taken_at), "sealedAt": at(taken_at),
        "figures": {"rows": 10, "requests": requests(), "bytesRead": 1000, "bytesStored": 100, "bytesReused": 300},
        "suspect": null, "reason": null,
    })
}

fn requests() -> Value {
    json!({"put": 3, "get": 2, "head": 1, "list": 1})
}

fn failed(reason: &str) -> Value {
    json!({"snapshot": null, "takenAt": null, "figures": null, "suspect": null, "reason": reason})
}

fn finish_arguments(claim: &Value, outcome: &str, backup: &Value, now: &str) -> Value {
    json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": outcome,
           "p_backup": backup, "p_now": at(now)})
}

/// A whole scheduled run: claimed at that time, ended as said ten seconds later.
async fn run(world: &World, now: &str, outcome: &str, backup: Value) {
    let claim = claim(world, now).await;
    let later = format!("{}:10", &now[..5]);
    let finished = world
        .call(
            "ops_finish_backup",
            finish_arguments(&claim, outcome, &backup, &later),
        )
        .await;
    assert_eq!(finished["outcome"], "finished");
}

/// A backup with files of Storage, of which that many wait, and that many rows have none.
pub(crate) async fn back_up_files(world: &World, now: &str, waiting: u64, without_file: u64) {
    let mut backup = sealed(now);
    backup["figures"]["files"] = json!({
        "files": 20, "bytes": 2000, "kept": 20 - waiting - without_file, "keptBytes": 1500, "newer": 0,
        "waiting": waiting, "failed": 0, "gone": 0, "rowsWithoutFile": without_file,
        "oldestUnsavedAt": null, "fetched": 1, "fetchedBytes": 100, "reason": null,
    });
    run(world, now, "done", backup).await;
}

pub(crate) async fn back_up(world: &World, now: &str) {
    run(world, now, "done", sealed(now)).await;
}

async fn extend(world: &World, claim: &Value, now: &str) -> Value {
    let arguments = json!({"p_run": claim["run"], "p_fence": claim["fence"],
                           "p_lease_seconds": 90, "p_now": at(now)});
    world.call("ops_extend_lease", arguments).await
}

/// The backups of the dashboard at that time.
pub(crate) async fn shown(world: &World, now: &str) -> Value {
    world.dashboard(3600, now).await["backups"].clone()
}

#[tokio::test]
async fn a_lease_that_is_renewed_keeps_others_out() {
    let world = World::migrated().await;
    let first = claim(&world, "12:00:00").await;
    for now in ["12:01:00", "12:02:00", "12:03:00"] {
        assert_eq!(extend(&world, &first, now).await["outcome"], "extended");
        let second = world
            .call("ops_claim_run", claim_arguments(now, true))
            .await;
        assert_eq!(second["reason"], "busy", "{now}");
    }
    // A renewal that arrives late takes nothing away.
    let late = extend(&world, &first, "12:00:20").await;
    assert_eq!(late["until"], "2026-11-24T12:04:30+00:00");
    let until = world
        .rows("select lease_until = (select lease_until from ops.jobs where job = 'backup') as same from ops.runs")
        .await;
    assert_eq!(until, json!([{"same": true}]));
}

#[tokio::test]
async fn a_lease_that_was_lost_is_not_renewed() {
    let world = World::migrated().await;
    let first = claim(&world, "12:00:00").await;
    // It counts until somebody takes over, not after.
    assert_eq!(
        extend(&world, &first, "12:02:00").await["outcome"],
        "extended"
    );
    let second = claim(&world, "12:30:00").await;
    assert_eq!(
        extend(&world, &first, "12:30:01").await,
        json!({"outcome": "superseded", "until": null})
    );
    let outcome = world
        .call(
            "ops_finish_backup",
            finish_arguments(&first, "done", &sealed("12:00:00"), "12:30:02"),
        )
        .await;
    assert_eq!(outcome["outcome"], "superseded");
    assert_eq!(world.rows("select run from ops.backups").await, json!([]));
    back_up_of(&world, &second, "12:30:03").await;
    assert_eq!(
        extend(&world, &second, "12:30:04").await["outcome"],
        "superseded",
        "a run that has ended holds nothing"
    );
}

async fn back_up_of(world: &World, claim: &Value, now: &str) {
    let arguments = finish_arguments(claim, "done", &sealed(now), now);
    world.call("ops_finish_backup", arguments).await;
}

#[tokio::test]
async fn a_run_ends_once_however_often_it_says_so() {
    let world = World::migrated().await;
    let claim = claim(&world, "12:00:00").await;
    for (outcome, backup) in [("done", sealed("12:00:01")), ("failed", failed("too late"))] {
        let arguments = finish_arguments(&claim, outcome, &backup, "12:00:30");
        let answer = world.call("ops_finish_backup", arguments).await;
        assert_eq!(answer, json!({"outcome": "finished"}));
    }
    assert_eq!(
        world
            .rows("select outcome, snapshot, reason from ops.backups")
            .await,
        json!([{"outcome": "done", "snapshot": "snapshot-of-12:00:01", "reason": null}]),
    );
    assert_eq!(
        world
            .rows("select outcome, finished_at from ops.runs")
            .await,
        json!([{"outcome": "done", "finished_at": "2026-11-24T12:00:30+00:00"}]),
    );
    let lease = "select lease_run, lease_until from ops.jobs where job = 'backup'";
    assert_eq!(
        world.rows(lease).await,
        json!([{"lease_run": null, "lease_until": null}])
    );
}

#[tokio::test]
async fn what_is_no_backup_is_refused() {
    let world = World::migrated().await;
    let run = claim(&world, "12:00:00").await;
    let unsealed = json!({"snapshot": "x", "takenAt": at("12:00:00")});
    let monitor = world.claim("12:00:00").await;
    let mut unknown = run.clone();
    unknown["run"] = json!(uuid::Uuid::nil());
    for (claim, outcome, backup) in [
        (&run, "sealed", &sealed("12:00:01")),
        (&run, "done", &unsealed),
        (&run, "done", &Value::Null),
        (&monitor, "done", &sealed("12:00:01")),
        (&unknown, "done", &sealed("12:00:01")),
    ] {
        let arguments = finish_arguments(claim, outcome, backup, "12:00:30");
        let [code, ..] = world.refusal("ops_finish_backup", arguments).await;
        assert_eq!(code, "22023", "{outcome} {backup}");
    }
    for seconds in [0, 3601] {
        let arguments =
            json!({"p_run": run["run"], "p_fence": run["fence"], "p_lease_seconds": seconds});
        let [code, ..] = world.refusal("ops_extend_lease", arguments).await;
        assert_eq!(code, "22023");
    }
}

#[tokio::test]
async fn without_a_scheduled_run_no_rule_speaks() {
    let world = World::migrated().await;
    let tick = world.tick("12:00:00", &[]).await;
    let manual = world
        .call("ops_claim_run", claim_arguments("08:00:00", true))
        .await;
    back_up_of(&world, &manual, "08:00:10").await;
    let later = world.tick("12:01:00", &[]).await;
    for rule in ["backup_overdue", "backup_rpo_breached"] {
        assert_eq!(verdict(&tick, rule, "backup"), &Value::Null);
        assert_eq!(
            verdict(&later, rule, "backup"),
            &Value::Null,
            "a run by hand promises no other"
        );
    }
}

#[tokio::test]
async fn the_age_counts_from_the_snapshot_and_alerts_above_50_and_60_minutes() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    for (now, expected) in [
        ("11:49:00", vec![]),
        ("11:50:00", vec![]),
        ("11:51:00", vec!["opened backup_overdue backup"]),
        ("12:00:00", vec![]),
        ("12:01:00", vec!["opened backup_rpo_breached backup"]),
        ("12:02:00", vec![]),
    ] {
        let tick = world.tick(now, &[]).await;
        assert_eq!(transitions(&tick), expected, "{now}");
    }
    let figures = world
        .rows("select facts ->> 'value' as value, facts ->> 'threshold' as threshold, facts ->> 'unit' as unit from ops.alerts order by opened_at")
        .await;
    assert_eq!(
        figures,
        json!([{"value": "51.0", "threshold": "50", "unit": "min"},
               {"value": "61.0", "threshold": "60", "unit": "min"}])
    );
    back_up(&world, "12:02:30").await;
    let tick = world.tick("12:03:00", &[]).await;
    assert_eq!(
        transitions(&tick),
        [
            "resolved backup_rpo_breached backup",
            "resolved backup_overdue backup"
        ]
    );
}

#[tokio::test]
async fn before_the_first_backup_the_age_counts_from_the_first_slot() {
    let world = World::migrated().await;
    run(&world, "11:05:00", "partial", failed("out of time")).await;
    let tick = world.tick("11:50:00", &[]).await;
    assert_eq!(transitions(&tick), [""; 0], "the slot began at 11:00");
    let tick = world.tick("11:51:00", &[]).await;
    assert_eq!(transitions(&tick), ["opened backup_overdue backup"]);
}

#[tokio::test]
async fn limits_are_settings() {
    let world = World::migrated().await;
    for (key, value) in [
        ("threshold.backup_overdue_minutes", 1500),
        ("threshold.backup_rpo_minutes", 2880),
    ] {
        let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
        world.call("ops_set_setting", arguments).await;
    }
    let yesterday = "2026-11-23T11:00:00Z";
    let claim = claim(&world, yesterday).await;
    back_up_of(&world, &claim, yesterday).await;
    let tick = world.tick("12:00:00", &[]).await;
    assert_eq!(transitions(&tick), [""; 0]);
    assert_eq!(verdict(&tick, "backup_overdue", "backup")["value"], 1500.0);
    assert_eq!(shown(&world, "12:00:00").await["rpoSeconds"], 172_800.0);
}

#[tokio::test]
async fn the_first_failure_alerts_and_only_a_success_resolves_it() {
    let world = World::migrated().await;
    back_up(&world, "11:00:00").await;
    let tick = world.tick("11:01:00", &[]).await;
    assert_eq!(transitions(&tick), [""; 0]);
    run(&world, "11:30:00", "failed", failed("the store refuses")).await;
    let tick = world.tick("11:31:00", &[]).await;
    assert_eq!(transitions(&tick), ["opened backup_failed backup"]);
    let reason = world
        .value("(select facts ->> 'reason' from ops.alerts)")
        .await;
    assert_eq!(reason, "the store refuses");
    for now in minutes("11:32:00", 3) {
        assert_eq!(transitions(&world.tick(&now, &[]).await), [""; 0]);
    }
    // One that ran out of time is no success.
    run(&world, "12:00:00", "partial", failed("out of time")).await;
    let tick = world.tick("12:00:30", &[]).await;
    assert!(
        !transitions(&tick).contains(&"resolved backup_failed backup".to_owned()),
        "{tick}"
    );
    back_up(&world, "12:30:00").await;
    let tick = world.tick("12:31:00", &[]).await;
    assert!(
        transitions(&tick).contains(&"resolved backup_failed backup".to_owned()),
        "{tick}"
    );
}

#[tokio::test]
async fn a_suspect_backup_alerts_until_one_is_not() {
    let world = World::migrated().await;
    let mut suspect = sealed("11:00:00");
    suspect["suspect"] = json!("public.wines has lost 99 % of its rows");
    run(&world, "11:00:00", "done", suspect).await;
    let tick = world.tick("11:01:00", &[]).await;
    assert_eq!(transitions(&tick), ["opened backup_suspect backup"]);
    assert_eq!(shown(&world, "11:01:00").await["status"], "suspect");
    run(&world, "11:30:00", "failed", failed("no matter")).await;
    let tick = world.tick("11:31:00", &[]).await;
    assert_eq!(transitions(&tick), ["opened backup_failed backup"]);
    back_up(&world, "12:00:00").await;
    let tick = world.tick("12:01:00", &[]).await;
    let mut ended = transitions(&tick);
    ended.sort();
    assert_eq!(
        ended,
        [
            "resolved backup_failed backup",
            "resolved backup_suspect backup"
        ]
    );
}

#[tokio::test]
async fn the_dashboard_knows_how_much_would_be_lost_and_what_it_cost() {
    let world = World::migrated().await;
    assert_eq!(shown(&world, "11:00:00").await, Value::Null);
    let running = claim(&world, "11:00:05").await;
    let before = shown(&world, "11:00:08").await;
    assert_eq!(before["status"], "waiting");
    assert_eq!(before["lastBackupAt"], Value::Null);
    assert_eq!(before["ageSeconds"], 8.0);
    back_up_of(&world, &running, "11:00:10").await;
    let document = shown(&world, "11:10:10").await;
    // The struct refuses keys that it does not know and misses none.
    let typed: Backups = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(typed.runs[0].requests.unwrap().put, 3);
    assert_eq!(
        document,
        json!({
            "status": "ok", "lastBackupAt": "2026-11-24T11:00:10+00:00", "ageSeconds": 600.0,
            "rpoSeconds": 3600.0, "projectedMonthlyEgressBytes": 1_440_000,
            "projectedMonthlyEgressCost": 0.0,
            "runs": [{
                "run": running["run"], "slot": "2026-11-24T11:00:00+00:00", "outcome": "done",
                "snapshot": "snapshot-of-11:00:10", "takenAt": "2026-11-24T11:00:10+00:00",
                "sealedAt": "2026-11-24T11:00:10+00:00", "durationMs": 5000, "rows": 10, "requests": requests(),
                "bytesRead": 1000, "bytesStored": 100, "bytesReused": 300, "reusedPercent": 30.0,
                "bytesReceived": null, "bytesTakenOver": null, "checksumMs": null,
                "tablesWhole": null, "tablesInPart": null, "tablesUnchanged": null,
                "suspect": null, "reason": null,
            }],
            "restores": [], "gaps": [], "notCovered": [],
            "receipts": {
                "status": "not_verified", "receipts": 0, "newestAt": null, "waiting": 1, "verifiedAt": null,
                "brokenSince": null, "faults": [], "lastReview": null,
            },
            "drills": {
                "status": "not_set_up", "everyDays": 7, "rtoSeconds": 14400, "last": null,
                "schedule": [], "dispatches": [], "forecast": null,
            },
            "reread": {
                "status": "not_set_up", "days": 7, "readAt": null, "objects": null, "bytes": null,
                "objectsOld": null, "objectsOldRead": null, "oldestAt": null, "unread": 0, "damages": [],
            },
            "verifications": {"status": "not_set_up", "last": null, "wholeAt": null},
            "application": {"status": "not_set_up", "ageDays": null, "mostDays": 2, "missed": [], "last": null},
            "files": {"status": "not_set_up", "behindHours": null, "mostHours": 24, "takenAt": null, "last": null},
            "collection": {
                "status": "not_set_up", "ageDays": null, "mostDays": 3, "last": null, "lastWhole": null, "lock": null,
            },
            "replica": {
                "status": "not_set_up", "place": null, "lagMinutes": null, "copiedAt": null,
                "newestThere": null, "backupsLeft": null, "trouble": null,
            },
        }),
    );
    assert_eq!(shown(&world, "11:50:11").await["status"], "overdue");
    run(&world, "11:30:00", "failed", failed("the store refuses")).await;
    let failing = shown(&world, "11:31:00").await;
    assert_eq!(failing["status"], "failing");
    assert_eq!(failing["runs"][0]["reason"], "the store refuses");
    assert_eq!(failing["runs"][0]["bytesRead"], Value::Null);
    assert_eq!(failing["ageSeconds"], 1850.0);
}

#[tokio::test]
async fn the_canary_is_hidden_from_a_session_that_does_not_bypass_policies() {
    let world = World::migrated().await;
    // Roles are the whole server's.
    let role = format!("reader_{}", uuid::Uuid::new_v4().simple());
    world
        .execute(&format!(
            "insert into ops.backup_canary (id, nonce, written_at) values (1, 'x', now());
             create role {role} nologin;
             grant usage on schema ops to {role};
             grant select on ops.backup_canary to {role};
             set role {role}"
        ))
        .await;
    assert_eq!(
        world.rows("select nonce from ops.backup_canary").await,
        json!([])
    );
    let refused = world
        .admin
        .batch_execute("set row_security = off; select nonce from ops.backup_canary")
        .await;
    let error = refused.expect_err("an error instead of no rows");
    assert_eq!(error.code().unwrap().code(), "42501");
    world
        .execute(&format!(
            "reset row_security; reset role; drop owned by {role}; drop role {role}"
        ))
        .await;
}
