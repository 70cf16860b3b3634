//! Roll-ups: they say what samples say, whenever they run and however often.

use serde_json::{Value, json};

use crate::{
    chance::Dice,
    support::{World, array, at},
    uptime::{Sample, brute_force, seconds, store, uptime},
};

/// Seconds of the tests' day as a time.
fn time(second: i64) -> String {
    let midnight: jiff::Timestamp = at("00:00:00").parse().unwrap();
    (midnight + jiff::SignedDuration::from_secs(second)).to_string()
}

/// One run of the maintenance job at that second, part by part to its end.
pub(crate) async fn maintain(world: &World, second: i64, limit: u32) -> u32 {
    let now = time(second);
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 57, "p_manual": true, "p_now": now,
    });
    let claim = world.call("ops_claim_run", claim).await;
    assert_eq!(claim["outcome"], "claimed", "{claim}");
    let mut parts = 1;
    while part(world, &claim, &now, limit).await == "more" {
        parts += 1;
    }
    let finish = json!({
        "p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "done", "p_summary": {},
        "p_now": now,
    });
    world.call("ops_finish_run", finish).await;
    parts
}

async fn part(world: &World, claim: &Value, now: &str, limit: u32) -> Value {
    let arguments = json!({
        "p_run": claim["run"], "p_fence": claim["fence"], "p_limit": limit, "p_now": now,
    });
    world.call("ops_maintain", arguments).await["outcome"].clone()
}

/// Everything that roll-ups hold of uptime.
async fn rolled(world: &World) -> [Value; 2] {
    [
        world
            .rows("select * from ops.uptime_spans order by check_name, started_at")
            .await,
        world
            .rows("select * from ops.uptime_days order by check_name, day")
            .await,
    ]
}

async fn announce(world: &World, created: i64, from: i64, to: i64, services: &[&str]) {
    let arguments = json!({
        "p_id": uuid::Uuid::new_v4(), "p_by": "anna", "p_now": time(created),
        "p_window": {"reason": "work", "startsAt": time(from), "endsAt": time(to), "services": services},
    });
    world.call("ops_add_maintenance", arguments).await;
}

async fn watch(world: &World, check: &str) {
    world
        .execute(&format!(
            "insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
             values ('{check}', 'dependency', '{check}', 60, false, 'production', '{0}', '{0}')",
            at("00:00:00"),
        ))
        .await;
}

/// Up, degraded, down, unknown and maintenance by asking every second for itself.
fn by_the_second(samples: &[Sample], windows: &[(i64, i64)], from: i64, to: i64) -> [i32; 5] {
    let newest = samples
        .iter()
        .filter(|(at, ..)| *at <= from)
        .map(|(at, ..)| *at)
        .max();
    // What came before the newest one never counts again.
    let samples: Vec<Sample> = samples
        .iter()
        .filter(|(at, ..)| Some(*at) >= newest)
        .copied()
        .collect();
    let mut sums = [0; 5];
    let mut second = from;
    while second < to {
        if windows
            .iter()
            .any(|(from, to)| (*from..*to).contains(&second))
        {
            sums[4] += 1;
        } else {
            let one = brute_force(&samples, second, second + 1);
            for (sum, one) in sums.iter_mut().zip(one) {
                *sum += one;
            }
        }
        second += 1;
    }
    sums
}

const HOUR: i64 = 3600;

/// Three days of samples with gaps, windows of maintenance announced on the way,
/// a clock that is set back now and then, and roll-ups at any time: at every
/// moment, any period is what its seconds say.
#[tokio::test]
async fn any_history_rolled_up_at_any_time_equals_brute_force() {
    let world = World::migrated().await;
    let mut dice = Dice(5);
    for case in 0..12 {
        let check = format!("case-{case}");
        watch(&world, &check).await;
        let (mut samples, mut windows) = (Vec::<Sample>::new(), Vec::new());
        let mut now = 40 * HOUR + dice.below(6 * HOUR.unsigned_abs());
        let mut set_back = false;
        for _ in 0..14 {
            // What the monitor saw since the last time, with gaps.
            let mut fresh = Vec::new();
            for _ in 0..dice.below(9) {
                now += dice.below(2500);
                let status = ["up", "up", "degraded", "down", "unknown"]
                    [usize::try_from(dice.below(5)).unwrap()];
                fresh.push((now, status, 1 + dice.below(4000)));
            }
            store(&world, &check, &fresh).await;
            samples.extend(fresh);
            if dice.below(3) == 0 {
                let from = now + dice.below(7200) - 3600;
                let to = from.max(now) + 1 + dice.below(9000);
                announce(&world, now, from, to, &[&check]).await;
                // Not before it was announced.
                windows.push((from.max(now), to));
            }
            // What was written into hours that are rolled up counts from the
            // next run on.
            if set_back || dice.below(2) == 0 {
                maintain(&world, now, 1 + u32::try_from(dice.below(3)).unwrap()).await;
            }

            let from = now - dice.below(12 * HOUR.unsigned_abs());
            let to = from + dice.below(12 * HOUR.unsigned_abs());
            let measured = uptime(&world, &check, from, to).await;
            let expected = by_the_second(&samples, &windows, from, to);
            assert_eq!(
                seconds(&measured),
                expected,
                "{check} {from}..{to} at {now}: {windows:?} {samples:?}"
            );
            let [up, _, down, unknown, maintenance] = expected;
            assert_eq!(i64::from(up + down + unknown + maintenance), to - from);

            // An hour and a half back at most.
            set_back = dice.below(5) == 0;
            if set_back {
                now -= dice.below(5400);
            }
        }
    }
    assert_ne!(rolled(&world).await[1], json!([]), "days were rolled up");
}

/// Samples of three days, a minute apart, with everything in them.
async fn three_days(world: &World) {
    watch(world, "app").await;
    world
        .execute(&format!(
            "insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
             select 'app', timestamptz '{}' + n * interval '60.000123 s',
                    (array['up', 'up', 'up', 'down', 'degraded', 'unknown'])[1 + n / 7 % 6],
                    120, gen_random_uuid(), 'production'
             from generate_series(0, 4319) as n
             where n % 411 > 20",
            at("00:00:00"),
        ))
        .await;
}

/// Any period over those days, as exact text.
async fn periods(world: &World) -> Value {
    world
        .rows(&format!(
            "select period.*, u.*
             from (values (0, 259200), (100, 86400), (86400, 172800), (86399, 172801), (3601, 7200), (90000, 250000)) as period (a, b)
             cross join lateral ops.uptime(
                 'app', timestamptz '{0}' + make_interval(secs => a), timestamptz '{0}' + make_interval(secs => b)
             ) as u",
            at("00:00:00"),
        ))
        .await
}

#[tokio::test]
async fn a_roll_up_is_what_its_samples_said_and_doing_it_twice_changes_nothing() {
    let world = World::migrated().await;
    three_days(&world).await;
    announce(&world, 0, 50_000, 60_000, &["app"]).await;
    let raw = periods(&world).await;

    maintain(&world, 60 * HOUR + 300, 200).await;
    assert_eq!(periods(&world).await, raw, "half way");
    maintain(&world, 74 * HOUR, 200).await;
    assert_eq!(periods(&world).await, raw);
    let once = rolled(&world).await;
    assert_eq!(array(&once[1]).len(), 3, "days");

    maintain(&world, 74 * HOUR + 60, 200).await;
    assert_eq!(rolled(&world).await, once);
    // From nothing once more, and in the smallest parts.
    world.execute("delete from ops.uptime_rollups").await;
    assert!(maintain(&world, 74 * HOUR + 120, 1).await > 3);
    assert_eq!(rolled(&world).await, once);
    assert_eq!(periods(&world).await, raw);
}

#[tokio::test]
async fn an_hour_is_rolled_up_once_it_has_been_over_for_ten_minutes() {
    let world = World::migrated().await;
    three_days(&world).await;
    for (now, rolled_to) in [
        (HOUR + 599, "2026-11-24T00:00:00+00:00"),
        (HOUR + 600, "2026-11-24T01:00:00+00:00"),
        (25 * HOUR, "2026-11-25T00:00:00+00:00"),
    ] {
        maintain(&world, now, 200).await;
        assert_eq!(
            world
                .value("(select rolled_to from ops.uptime_rollups)")
                .await,
            rolled_to
        );
    }
}

#[tokio::test]
async fn samples_are_deleted_only_when_old_and_rolled_up_and_uptime_stays() {
    let world = World::migrated().await;
    three_days(&world).await;
    // Kept as long as it is valid: whoever rolls up anew may need it.
    store(&world, "app", &[(3000, "up", 400_000)]).await;
    let raw = periods(&world).await;
    let setting = json!({"p_key": "retention.samples_days", "p_value": 2, "p_by": "anna"});
    world.call("ops_set_setting", setting).await;
    let count = "(select count(*) from ops.samples)";
    let all = world.value(count).await.as_u64().unwrap();

    // Old enough, but a part that rolls nothing up deletes nothing.
    let settings = world.value("ops.read_settings()").await;
    world
        .execute(&format!(
            "select ops.forget_samples(100000, '{settings}', '{}')",
            time(73 * HOUR)
        ))
        .await;
    assert_eq!(world.value(count).await, all);

    maintain(&world, 73 * HOUR, 200).await;
    let left = world.value(count).await.as_u64().unwrap();
    assert!(left < all && left > all / 2, "{left} of {all}");
    let oldest = "(select min(at) from ops.samples where valid_seconds = 120)";
    assert_eq!(
        world
            .value(&format!(
                "{oldest} >= timestamptz '{}'",
                time(25 * HOUR - 120)
            ))
            .await,
        true
    );
    assert_eq!(
        world
            .value("(select count(*) from ops.samples where valid_seconds = 400000)")
            .await,
        1
    );
    assert_eq!(periods(&world).await, raw);
}

#[tokio::test]
async fn a_run_that_was_taken_over_changes_nothing() {
    let world = World::migrated().await;
    three_days(&world).await;
    let claim = |second: i64| {
        json!({
            "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
            "p_lease_seconds": 57, "p_manual": false, "p_now": time(second),
        })
    };
    let first = world.call("ops_claim_run", claim(73 * HOUR)).await;
    world.call("ops_claim_run", claim(73 * HOUR + 600)).await;
    let late = part(&world, &first, &time(73 * HOUR + 601), 200).await;
    assert_eq!(late, "superseded");
    assert_eq!(rolled(&world).await, [json!([]), json!([])]);
}

#[tokio::test]
async fn old_spans_and_runs_are_deleted_and_days_are_kept() {
    let world = World::migrated().await;
    three_days(&world).await;
    maintain(&world, 74 * HOUR, 200).await;
    let days = rolled(&world).await[1].clone();
    maintain(&world, 24 * HOUR * 405, 200).await;
    let [spans, later] = rolled(&world).await;
    assert_eq!(spans, json!([]));
    assert_eq!(later[0], days[0]);
    assert_eq!(
        world.value("(select count(*) from ops.runs)").await,
        1,
        "the run that is at work"
    );
}

/// Days of a project in which backups succeed, fail, run out of time and are killed: the
/// maintenance of each day comes to its end, and what it forgets is what nothing needs. They
/// are the first ones, those from which on something is forgotten, and one on which all that
/// came before them is.
#[tokio::test]
async fn maintenance_succeeds_on_every_kind_of_day_of_the_first_months() {
    let world = World::migrated().await;
    let day = 24 * HOUR;
    let days = [1, 2, 34, 35, 36, 37, 71];
    for number in days {
        let noon = number * day + 12 * HOUR;
        for (hour, outcome) in [(0, "done"), (1, "failed"), (2, "partial"), (3, "killed")] {
            let now = time(noon + hour * HOUR);
            let claim = json!({
                "p_run": uuid::Uuid::new_v4(), "p_job": "backup", "p_every_seconds": 3600,
                "p_lease_seconds": 300, "p_manual": hour == 1, "p_now": now,
            });
            let run = world.call("ops_claim_run", claim).await;
            assert_eq!(run["outcome"], "claimed", "{run}");
            if outcome == "killed" {
                continue;
            }
            let backup = json!({"snapshot": now, "takenAt": now, "sealedAt": now});
            let finish = json!({
                "p_run": run["run"], "p_fence": run["fence"], "p_outcome": outcome,
                "p_backup": backup, "p_now": now,
            });
            world.call("ops_finish_backup", finish).await;
        }
        world.tick(&time(noon + 4 * HOUR), &[]).await;
        maintain(&world, noon + 5 * HOUR, 200).await;
    }
    let kept = world
        .rows(
            "select job, count(*) filter (where outcome = 'done') as done, min(started_at) as since
             from ops.runs where outcome <> 'missed' group by job order by job",
        )
        .await;
    // Thirty-five days of ticks, and every backup that ever was.
    let oldest_backup = time(day + 12 * HOUR).replace('Z', "+00:00");
    assert_eq!(
        kept[0],
        json!({"job": "backup", "done": days.len(), "since": oldest_backup})
    );
    assert_eq!(kept[2]["job"], "monitor");
    assert_eq!(
        kept[2]["since"],
        time(37 * day + 16 * HOUR).replace('Z', "+00:00")
    );
    let history = world.value("(select count(*) from ops.backups)").await;
    assert_eq!(history, 3 * days.len());
}

#[tokio::test]
async fn a_run_is_forgotten_once_it_is_older_than_its_setting() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into ops.runs (id, job, slot, fence, outcome, started_at)
             select gen_random_uuid(), 'monitor', null, 1, 'failed', timestamptz '{}' - interval '840 hours' - age
             from unnest('{{0 s,1 ms}}'::interval[]) as age",
            at("12:00:00"),
        ))
        .await;
    let forgotten = format!(
        "ops.forget_runs(100, ops.read_settings(), '{}')",
        at("12:00:00")
    );
    assert_eq!(world.value(&forgotten).await, 1);
    assert_eq!(world.value(&forgotten).await, 0);
}

#[tokio::test]
async fn runs_of_backups_are_kept_for_the_history_of_backups() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into ops.jobs (job, every_seconds) values ('backup', 1800), ('monitor', 60) on conflict do nothing;
             insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
             select gen_random_uuid(), job, at, 1, 'failed', at, at
             from unnest(array['backup', 'monitor']) as job, (select timestamptz '{}' as at) as noon;
             insert into ops.backups (run, outcome, finished_at, reason)
             select id, 'failed', finished_at, 'the store refuses' from ops.runs where job = 'backup'",
            at("12:00:00"),
        ))
        .await;
    maintain(&world, 24 * HOUR * 405, 200).await;
    let left = world.rows("select job from ops.runs where outcome = 'failed'");
    assert_eq!(left.await, json!([{"job": "backup"}]));
}
