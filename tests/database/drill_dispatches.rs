//! When verifications and drills are due, how their workflow is asked for, and what is told when
//! they stay away or take longer and longer.

use ops::monitoring::document::Drills;
use serde_json::{Value, json};

use crate::{
    backups::{back_up, shown},
    support::{World, at, transitions, verdict},
};

/// A day of the world, later than those whose hours have names.
fn on(day: i64, time: &str) -> String {
    let first: jiff::Timestamp = at(time).parse().unwrap();
    (first + jiff::SignedDuration::from_hours(24 * day)).to_string()
}

fn drill(level: u8, seconds: f64, finished_at: &str) -> Value {
    json!({
        "id": uuid::Uuid::new_v4(), "level": level, "snapshot": "snapshot-of-09:00:00", "takenAt": at("09:00:00"),
        "startedAt": finished_at, "finishedAt": finished_at, "reason": null, "missing": [],
        "tables": ["public.a", "public.b"], "seconds": seconds, "rows": 10, "bytes": 1000, "tablesInBackup": 2,
    })
}

async fn drilled(world: &World, drill: &Value, now: &str) {
    let arguments = json!({"p_drill": drill, "p_now": now});
    world.call("ops_record_drill", arguments).await;
}

async fn opened(world: &World, now: &str) {
    let receipt = json!({
        "id": uuid::Uuid::new_v4(), "snapshot": "s", "takenAt": now, "level": 2, "startedAt": now,
        "finishedAt": now, "objects": 9, "bytes": 900, "faultCount": 0, "faults": [],
    });
    let arguments = json!({"p_verification": receipt, "p_now": now});
    world.call("ops_record_verification", arguments).await;
}

async fn claimed(world: &World, now: &str) -> Vec<(u64, String)> {
    let claimed = world
        .call("ops_claim_drill_dispatches", json!({"p_now": now}))
        .await;
    let due = claimed["due"].as_array().unwrap().iter();
    due.map(|one| {
        let slot = one["slot"].as_str().unwrap().to_owned();
        (one["level"].as_u64().unwrap(), slot)
    })
    .collect()
}

async fn levels(world: &World, now: &str) -> Vec<u64> {
    let claimed = claimed(world, now).await.into_iter();
    claimed.map(|(level, _)| level).collect()
}

async fn settle(world: &World, level: u64, slot: &str, started: bool, now: &str) {
    let arguments = json!({
        "p_level": level, "p_slot": slot, "p_started": started,
        "p_answer": (!started).then_some("answered 403: no"), "p_now": now,
    });
    let settled = world.call("ops_settle_drill_dispatch", arguments).await;
    assert_eq!(settled["settled"], true);
}

async fn due(world: &World, now: &str) -> Value {
    world.call("ops_list_drills", json!({"p_now": now})).await["dueLevels"].clone()
}

async fn told(world: &World, rule: &str, now: &str) -> Vec<String> {
    let mut told = transitions(&world.tick(now, &[]).await);
    told.retain(|one| one.contains(rule));
    told
}

#[tokio::test]
async fn nobody_is_asked_where_no_drill_was_ever_made() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    assert_eq!(levels(&world, &on(30, "09:00:00")).await, [0_u64; 0]);
    // A workflow that asks for the first time tries everything.
    assert_eq!(due(&world, &on(30, "09:00:00")).await, json!([2, 3, 4]));
}

#[tokio::test]
async fn a_level_is_asked_for_once_when_it_is_due_and_again_with_patience() {
    let world = World::migrated().await;
    // Two gigabytes of rows, so that a week lies between two restores.
    back_up(&world, "09:00:00").await;
    world
        .execute("update ops.backups set figures = figures || '{\"bytesRead\": 2000000000}'")
        .await;
    drilled(
        &world,
        &drill(3, 60.0, &on(0, "10:00:00")),
        &on(0, "10:00:00"),
    )
    .await;
    let first = claimed(&world, &on(0, "10:01:00")).await;
    assert_eq!(first.len(), 1, "nobody has ever opened one: {first:?}");
    let (level, slot) = &first[0];
    assert_eq!(*level, 2);
    for (name, now) in [("at once", "10:02:00"), ("within the patience", "10:15:59")] {
        assert_eq!(levels(&world, &on(0, now)).await, [0_u64; 0], "{name}");
    }
    // Whoever claimed it was killed; then the platform refuses, twice.
    assert_eq!(claimed(&world, &on(0, "10:16:00")).await, first);
    settle(&world, 2, slot, false, &on(0, "10:16:01")).await;
    assert_eq!(
        levels(&world, &on(0, "10:45:59")).await,
        [0_u64; 0],
        "half an hour after the second"
    );
    assert_eq!(levels(&world, &on(0, "10:46:00")).await, [2]);
    settle(&world, 2, slot, true, &on(0, "10:46:01")).await;
    let shown = shown(&world, "11:00:00").await["drills"].clone();
    let shown: Drills = serde_json::from_value(shown).unwrap();
    let asked = &shown.dispatches[0];
    assert_eq!(
        (asked.level, asked.attempts, asked.started),
        (2, 3, Some(true))
    );
    assert_eq!(
        levels(&world, &on(0, "16:45:00")).await,
        [0_u64; 0],
        "it is at work"
    );
    assert_eq!(
        levels(&world, &on(0, "16:46:00")).await,
        [2],
        "nothing came of it"
    );
    opened(&world, &on(0, "17:00:00")).await;
    assert_eq!(due(&world, &on(0, "17:30:00")).await, json!([4]));
    assert_eq!(levels(&world, &on(1, "16:59:00")).await, [0_u64; 0]);
    assert_eq!(due(&world, &on(1, "16:00:00")).await, json!([2, 4]));
    assert_eq!(levels(&world, &on(1, "17:00:00")).await, [2]);
    opened(&world, &on(6, "12:00:00")).await;
    assert_eq!(levels(&world, &on(7, "09:59:00")).await, [0_u64; 0]);
    assert_eq!(levels(&world, &on(7, "10:00:00")).await, [3]);
    let off = json!({"p_key": "backup.drill_dispatch", "p_value": false, "p_by": "anna"});
    world.call("ops_set_setting", off).await;
    assert_eq!(levels(&world, &on(20, "10:00:00")).await, [0_u64; 0]);
}

#[tokio::test]
async fn a_small_backup_and_one_that_failed_are_restored_the_next_day() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    opened(&world, &on(0, "09:30:00")).await;
    drilled(
        &world,
        &drill(3, 60.0, &on(0, "10:00:00")),
        &on(0, "10:00:00"),
    )
    .await;
    // A level that is due stays so until there is a receipt.
    opened(&world, &on(1, "09:59:00")).await;
    assert_eq!(levels(&world, &on(1, "09:59:30")).await, [0_u64; 0]);
    assert_eq!(
        levels(&world, &on(1, "10:00:00")).await,
        [3],
        "it is under a gigabyte"
    );
    world
        .execute("update ops.backups set figures = figures || '{\"bytesRead\": 2000000000}'")
        .await;
    let mut bad = drill(3, 60.0, &on(1, "11:00:00"));
    bad["reason"] = json!("the server is away");
    drilled(&world, &bad, &on(1, "11:00:00")).await;
    opened(&world, &on(2, "10:59:00")).await;
    assert_eq!(levels(&world, &on(2, "10:59:30")).await, [0_u64; 0]);
    assert_eq!(
        levels(&world, &on(2, "11:00:00")).await,
        [3],
        "the last one was bad"
    );
}

#[tokio::test]
async fn what_was_tried_once_and_not_again_is_told() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let tick = world.tick(&on(0, "09:01:00"), &[]).await;
    for (rule, subject) in [
        ("backup_verification_overdue", "backup"),
        ("backup_recovery_drill_overdue", "stock_tools"),
    ] {
        assert_eq!(
            verdict(&tick, rule, subject),
            &Value::Null,
            "nobody has begun"
        );
    }
    opened(&world, &on(0, "10:00:00")).await;
    drilled(
        &world,
        &drill(4, 60.0, &on(0, "10:00:00")),
        &on(0, "10:00:00"),
    )
    .await;
    for (rule, subject, days) in [
        ("backup_verification_overdue", "backup", 8),
        ("backup_recovery_drill_overdue", "stock_tools", 35),
    ] {
        assert_eq!(
            told(&world, rule, &on(days, "09:00:00")).await,
            [""; 0],
            "{rule}"
        );
        let opened = told(&world, rule, &on(days, "13:00:00")).await;
        assert_eq!(opened, [format!("opened {rule} {subject}")]);
    }
    // By stock tools is no restore by the command, nor the other way round.
    assert_eq!(
        shown(&world, "11:00:00").await["drills"]["status"],
        "not_set_up"
    );
    let mut bad = drill(4, 60.0, &on(36, "10:00:00"));
    bad["reason"] = json!("psql did not restore it");
    drilled(&world, &bad, &on(36, "10:00:00")).await;
    let failed = told(&world, "backup_drill_failed", &on(36, "10:01:00")).await;
    assert_eq!(failed, ["opened backup_drill_failed stock_tools"]);
    drilled(
        &world,
        &drill(4, 60.0, &on(36, "10:02:00")),
        &on(36, "10:02:00"),
    )
    .await;
    let good = told(&world, "backup_drill_failed", &on(36, "10:03:00")).await;
    assert_eq!(good, ["resolved backup_drill_failed stock_tools"]);
}

/// Guided recoveries are ways back as well, each kind by itself.
#[tokio::test]
async fn a_guided_recovery_that_failed_or_is_not_tried_again_is_told() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    let recover = async |id: u32, outcome: &str, state: &str, when: &str| {
        let receipt = json!({
            "id": format!("00000000-0000-4000-8000-{id:012}"), "kind": "database", "isDrill": true,
            "snapshot": null, "startedAt": when, "finishedAt": when, "outcome": outcome,
            "steps": [
                {"step": "restore the database", "state": "done", "seconds": 12.5},
                {"step": "look at it", "state": state, "seconds": null},
            ],
        });
        let arguments = json!({"p_recovery": receipt, "p_now": when});
        world.call("ops_record_recovery", arguments).await;
    };
    recover(1, "failed", "todo", &on(0, "10:00:00")).await;
    let failed = told(&world, "backup_drill_failed", &on(0, "10:01:00")).await;
    assert_eq!(failed, ["opened backup_drill_failed recover_database"]);
    recover(2, "done", "done", &on(0, "10:02:00")).await;
    let good = told(&world, "backup_drill_failed", &on(0, "10:03:00")).await;
    assert_eq!(good, ["resolved backup_drill_failed recover_database"]);
    let rule = "backup_recovery_drill_overdue";
    assert_eq!(told(&world, rule, &on(35, "09:00:00")).await, [""; 0]);
    let overdue = told(&world, rule, &on(35, "13:00:00")).await;
    assert_eq!(overdue, [format!("opened {rule} recover_database")]);
    let facts = world.call(
        "ops_plan_receipts",
        json!({"p_limit": 100, "p_now": on(35, "13:00:00")}),
    );
    let facts = facts.await["facts"].as_array().unwrap().clone();
    let told = facts.iter().filter(|fact| fact["kind"] == "recovery");
    let outcomes: Vec<_> = told.map(|fact| &fact["facts"]["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "done"]);
}

/// The line, by hand: medians of sorted lists.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        let middle = all.len() / 2;
        if all.len() % 2 == 1 {
            all[middle]
        } else {
            f64::midpoint(all[middle - 1], all[middle])
        }
    };
    let pairs = points.iter().enumerate().flat_map(|(nth, one)| {
        let later = points[nth + 1..]
            .iter()
            .filter(move |two| (two.0 - one.0).abs() > 0.0);
        later.map(move |two| (two.1 - one.1) / (two.0 - one.0))
    });
    let slope = median(pairs.collect());
    (
        slope,
        median(points.iter().map(|(x, y)| y - slope * x).collect()),
    )
}

#[tokio::test]
async fn the_line_is_the_one_of_the_definition() {
    let world = World::migrated().await;
    for points in [
        vec![(0.0, 1.0), (1.0, 3.0)],
        vec![(0.0, 5.0), (1.0, 5.0), (2.0, 5.0)],
        vec![
            (-3.0, 1.0),
            (-2.0, 2.0),
            (-1.0, 300.0),
            (0.0, 4.0),
            (1.0, 5.0),
        ],
        vec![(0.0, 1.0), (0.0, 2.0), (4.0, 7.5), (4.0, -2.0), (9.0, 0.25)],
    ] {
        let numbers = |all: Vec<f64>| all.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let x = numbers(points.iter().map(|point| point.0).collect());
        let y = numbers(points.iter().map(|point| point.1).collect());
        let query =
            format!("(select array[slope, intercept] from ops.theil_sen('{{{x}}}', '{{{y}}}'))");
        let found = world.value(&query).await;
        let (slope, intercept) = line(&points);
        let close =
            |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-9;
        assert!(
            close(&found[0], slope) && close(&found[1], intercept),
            "{points:?}: {found}"
        );
    }
    let alone = world
        .value("(select slope from ops.theil_sen('{1,1}', '{2,3}'))")
        .await;
    assert_eq!(alone, Value::Null);
}

#[tokio::test]
async fn restores_that_will_take_too_long_are_told_before_they_do() {
    let rule = "backup_rto_trend";
    for (name, minutes, days, expected) in [
        (
            "steady",
            &[100.0, 101.0, 99.0, 100.0, 102.0, 100.0][..],
            5,
            None,
        ),
        (
            "growing by four minutes a day",
            &[100.0, 120.0, 140.0, 160.0, 180.0][..],
            5,
            Some(300.0),
        ),
        (
            "growing slowly",
            &[100.0, 101.0, 102.0, 103.0, 104.0, 105.0][..],
            5,
            None,
        ),
        (
            "one outlier bends nothing",
            &[100.0, 230.0, 100.0, 101.0, 100.0, 101.0][..],
            5,
            None,
        ),
        ("too few", &[100.0, 140.0, 180.0, 220.0][..], 5, None),
        (
            "of too few days",
            &[100.0, 130.0, 160.0, 190.0, 220.0][..],
            3,
            None,
        ),
    ] {
        let world = World::migrated().await;
        back_up(&world, "09:00:00").await;
        let mut last = String::new();
        for (nth, minutes) in (0..).zip(minutes) {
            last = on(days * nth, "10:00:00");
            drilled(&world, &drill(3, 60.0 * minutes, &last), &last).await;
        }
        let forecast =
            world.call("ops_list_drills", json!({"p_now": last})).await["forecast"].clone();
        let opened = told(&world, rule, &last).await;
        match expected {
            None => assert_eq!(opened, [""; 0], "{name}: {forecast}"),
            Some(minutes) => {
                assert_eq!(
                    opened,
                    [format!("opened {rule} backup")],
                    "{name}: {forecast}"
                );
                assert_eq!(forecast["inAMonthMinutes"], json!(minutes), "{name}");
                let exceeds = forecast["exceedsAt"].as_str().unwrap();
                assert!(
                    exceeds.starts_with(&on(35, "10:00:00")[..10]),
                    "{name}: {forecast}"
                );
            }
        }
        let is_measured = minutes.len() >= 5 && days == 5;
        assert_eq!(forecast.is_object(), is_measured, "{name}: {forecast}");
    }
}

/// A drill with a budget counts by its pace, if it restored enough to have one.
#[tokio::test]
async fn a_part_of_the_rows_is_counted_by_its_pace() {
    let world = World::migrated().await;
    back_up(&world, "09:00:00").await;
    world
        .execute("update ops.backups set figures = figures || '{\"bytesRead\": 2000}'")
        .await;
    for (tables, bytes, minutes) in [
        (2, 1000, Some(1.0)),
        (1, 1000, Some(2.0)),
        (1, 999, None),
        (2, 2000, Some(1.0)),
    ] {
        let now = on(0, "10:00:00");
        world.execute("truncate ops.backup_drills").await;
        let mut drill = drill(3, 60.0, &now);
        drill["bytes"] = json!(bytes);
        drill["tables"] = json!(["public.a", "public.b"][..tables]);
        drilled(&world, &drill, &now).await;
        let query =
            format!("(select minutes from ops.measured_restores('{now}', ops.read_settings()))");
        let found = world.value(&query).await;
        assert_eq!(found.as_f64(), minutes, "{tables} tables, {bytes} bytes");
    }
}
