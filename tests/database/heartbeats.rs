//! What the tick reads by itself: jobs that have to report, and events that have
//! to go on happening.

use serde_json::{Value, json};

use crate::support::{World, app, at, minutes, transitions, verdict};

/// A heartbeat of a minute's period and grace, and its token's hash.
async fn heartbeat(world: &World) -> String {
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 600});
    let arguments = json!({"p_name": "import", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
    token(world).await
}

/// Gives the heartbeat another token, by its hash.
async fn token(world: &World) -> String {
    let hash = uuid::Uuid::new_v4().simple().to_string().repeat(2);
    let arguments = json!({"p_name": "import", "p_by": "anna", "p_token_hash": hash});
    world.call("ops_issue_heartbeat_token", arguments).await;
    hash
}

#[tokio::test]
async fn what_is_no_hash_of_a_token_is_refused() {
    let world = World::migrated().await;
    heartbeat(&world).await;
    for hash in [
        json!(null),
        json!(""),
        json!("F".repeat(64)),
        json!("0".repeat(63)),
    ] {
        let arguments = json!({"p_name": "import", "p_by": "anna", "p_token_hash": hash});
        let [code, message, _] = world.refusal("ops_issue_heartbeat_token", arguments).await;
        assert_eq!(code, "22023", "{hash}: {message}");
    }
}

async fn beat(world: &World, hash: &str, event: &str, now: &str) -> Value {
    beat_of(world, hash, event, "", now).await
}

/// A report about one run.
async fn beat_of(world: &World, hash: &str, event: &str, run: &str, now: &str) -> Value {
    let arguments = json!({"p_token_hash": hash, "p_event": event, "p_run": run, "p_now": at(now)});
    world.call("ops_beat", arguments).await
}

/// Ticks of these tests are rare, and that is no blindness.
async fn sees_all_the_time(world: &World) {
    world
        .execute(
            "create function public.unnoted() returns trigger language plpgsql as 'begin return null; end';
             create trigger unnoted before insert on ops.blind_spans
                 for each row execute function public.unnoted()",
        )
        .await;
}

#[tokio::test]
async fn a_heartbeat_by_what_it_reported_and_when() {
    let world = World::migrated().await;
    let cases = [
        (
            "nothing yet",
            json!({}),
            "12:00:00",
            "unknown",
            Some("not_set_up"),
        ),
        (
            "in time",
            json!({"first_at": "10:00:00", "succeeded_at": "11:00:00"}),
            "12:10:00",
            "up",
            None,
        ),
        (
            "late",
            json!({"first_at": "10:00:00", "succeeded_at": "11:00:00"}),
            "12:11:00",
            "down",
            Some("late"),
        ),
        (
            "started only, in time",
            json!({"first_at": "12:00:00", "running": "12:00:00"}),
            "12:10:00",
            "up",
            None,
        ),
        (
            "started only, never ended",
            json!({"first_at": "12:00:00", "running": "12:00:00"}),
            "12:11:00",
            "down",
            Some("stuck"),
        ),
        (
            "started again, not ended",
            json!({"first_at": "10:00:00", "succeeded_at": "11:00:00", "running": "11:30:00"}),
            "11:41:00",
            "down",
            Some("stuck"),
        ),
        (
            "started again, ended",
            json!({"first_at": "10:00:00", "succeeded_at": "11:32:00"}),
            "11:41:00",
            "up",
            None,
        ),
        (
            "failed",
            json!({"first_at": "10:00:00", "succeeded_at": "11:00:00", "failed_at": "11:30:00"}),
            "11:31:00",
            "down",
            Some("failed"),
        ),
        (
            "failed, then tried again",
            json!({"first_at": "10:00:00", "failed_at": "11:30:00", "running": "11:35:00"}),
            "11:36:00",
            "down",
            Some("failed"),
        ),
        (
            "failed, then succeeded",
            json!({"first_at": "10:00:00", "failed_at": "11:30:00", "succeeded_at": "11:40:00"}),
            "11:41:00",
            "up",
            None,
        ),
    ];
    for (name, seen, now, status, reason) in cases {
        let spec = r#"{"periodSeconds": 3600, "graceSeconds": 600}"#;
        let found = judged(&world, spec, seen, now).await;
        assert_eq!(found, (json!(status), json!(reason)), "{name}");
    }
}

/// The status and reason of a heartbeat that has seen that at those times of day,
/// `running` among it: when the run that began first did so.
async fn judged(world: &World, spec: &str, mut seen: Value, now: &str) -> (Value, Value) {
    for time in seen.as_object_mut().unwrap().values_mut() {
        *time = json!(at(time.as_str().unwrap()));
    }
    let now = at(now);
    let query = format!(
        "select s.status, s.reason
         from (select jsonb_populate_record(null::ops.heartbeats, '{seen}') as heartbeat) as h
         cross join lateral ops.heartbeat_status(
             heartbeat, '{spec}',
             '{now}'::timestamptz - coalesce((heartbeat).succeeded_at, (heartbeat).first_at),
             '{now}'::timestamptz - ('{seen}'::jsonb ->> 'running')::timestamptz
         ) as s"
    );
    let found = world.rows(&query).await;
    (found[0]["status"].clone(), found[0]["reason"].clone())
}

/// How long a run may take is one thing, and how late it may be another.
#[tokio::test]
async fn lateness_and_run_time_are_bounded_apart() {
    let world = World::migrated().await;
    // An hour's period, a minute's grace, and two hours for a run.
    let spec = r#"{"periodSeconds": 3600, "graceSeconds": 60, "maxRunSeconds": 7200}"#;
    for (succeeded, running, now, reason) in [
        ("10:00:00", None, "11:01:00", Value::Null),
        ("10:00:00", None, "11:01:01", json!("late")),
        ("10:00:00", Some("11:01:00"), "13:01:00", Value::Null),
        ("10:00:00", Some("11:01:00"), "13:01:01", json!("stuck")),
        ("10:00:00", Some("11:01:01"), "11:01:02", json!("late")),
        // A run may have begun before the one that succeeded.
        ("12:59:00", Some("11:01:00"), "13:01:01", json!("stuck")),
    ] {
        let mut seen = json!({"first_at": "09:00:00", "succeeded_at": succeeded});
        if let Some(running) = running {
            seen["running"] = json!(running);
        }
        let (_, found) = judged(&world, spec, seen, now).await;
        assert_eq!(found, reason, "{succeeded} {running:?} {now}");
    }
}

/// A case's name, when the job last succeeded, when the run that goes on began, what time
/// it is, and what is wrong then.
type Case = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    Option<&'static str>,
);

/// Of an hour's period, ten minutes' grace and as long for a run, with nobody looking from
/// half past ten to eleven.
const AROUND_BLIND_TIME: [Case; 14] = [
    ("silent since before", "10:00:00", None, "11:40:00", None),
    (
        "silent too long",
        "10:00:00",
        None,
        "11:40:01",
        Some("late"),
    ),
    (
        "silent since in it",
        "10:45:00",
        None,
        "12:10:01",
        Some("late"),
    ),
    ("silent since after it", "11:00:00", None, "12:10:00", None),
    ("and too long", "11:00:00", None, "12:10:01", Some("late")),
    (
        "began before it",
        "10:20:00",
        Some("10:25:00"),
        "11:05:00",
        None,
    ),
    (
        "and runs too long",
        "10:20:00",
        Some("10:25:00"),
        "11:05:01",
        Some("stuck"),
    ),
    (
        "began in it",
        "10:20:00",
        Some("10:55:00"),
        "11:10:00",
        None,
    ),
    (
        "and runs too long",
        "10:20:00",
        Some("10:55:00"),
        "11:10:01",
        Some("stuck"),
    ),
    (
        "began after it",
        "10:20:00",
        Some("11:10:00"),
        "11:20:00",
        None,
    ),
    (
        "and runs too long",
        "10:20:00",
        Some("11:10:00"),
        "11:20:01",
        Some("stuck"),
    ),
    (
        "ran before it",
        "10:20:00",
        Some("10:15:00"),
        "10:25:01",
        Some("stuck"),
    ),
    (
        "began as late as it may",
        "10:00:00",
        Some("11:40:00"),
        "11:50:00",
        None,
    ),
    (
        "began too late",
        "10:00:00",
        Some("11:40:01"),
        "11:40:02",
        Some("late"),
    ),
];

/// What may have been reported unseen excuses whoever was to report it, and nobody else.
#[tokio::test]
async fn blind_time_excuses_only_what_it_covers() {
    let world = World::migrated().await;
    heartbeat(&world).await;
    world
        .execute(&format!(
            "insert into ops.blind_spans (began_at, ended_at) values ('{}', '{}')",
            at("10:30:00"),
            at("11:00:00")
        ))
        .await;
    for (name, succeeded, running, now, reason) in AROUND_BLIND_TIME {
        let running = running.map_or_else(|| "null".to_owned(), |time| format!("'{}'", at(time)));
        world
            .execute(&format!(
                "update ops.heartbeats set first_at = '{first}', succeeded_at = '{}';
                 delete from ops.heartbeat_runs;
                 insert into ops.heartbeat_runs (heartbeat, run, started_at, failed)
                 select name, '', {running}, false from ops.heartbeats where {running} is not null",
                at(succeeded),
                first = at("09:00:00"),
            ))
            .await;
        let found = world
            .rows(&format!(
                "select reason from ops.derived_checks('{{}}', '{}')",
                at(now)
            ))
            .await;
        assert_eq!(found[0]["reason"], json!(reason), "{name}");
    }
}

#[tokio::test]
async fn a_run_that_hangs_is_noticed_while_others_of_its_job_succeed() {
    let world = World::migrated().await;
    let hash = heartbeat(&world).await;
    beat_of(&world, &hash, "start", "a", "10:00:00").await;
    beat_of(&world, &hash, "start", "b", "10:01:00").await;
    let b = beat_of(&world, &hash, "success", "b", "10:02:30").await;
    assert_eq!(b["tookSeconds"], 90.0);
    let mut seen = Vec::new();
    for now in minutes("10:09:59", 4) {
        seen.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(seen, ["opened check_failing import"]);
    let sample = world
        .rows("select reason, detail from ops.samples where check_name = 'check:import' order by at desc limit 1")
        .await;
    assert_eq!(sample[0]["reason"], "stuck");
    assert_eq!(
        sample[0]["detail"]["runningSince"],
        "2026-11-24T10:00:00+00:00"
    );
    assert_eq!(sample[0]["detail"]["lastRunSeconds"], 90.0);

    // One that began before the other should have ended says nothing about the job.
    beat_of(&world, &hash, "start", "c", "10:10:00").await;
    beat_of(&world, &hash, "success", "c", "10:13:30").await;
    assert!(transitions(&world.tick("10:14:00", &[app("up")]).await).is_empty());
    // One that began later shows that it is well again.
    beat_of(&world, &hash, "start", "d", "10:14:10").await;
    beat_of(&world, &hash, "success", "d", "10:14:20").await;
    for now in ["10:15:00", "10:16:00"] {
        seen.extend(transitions(&world.tick(now, &[app("up")]).await));
    }
    assert_eq!(seen.last().unwrap(), "resolved check_failing import");
}

#[tokio::test]
async fn reports_about_a_run_come_twice_or_in_any_order() {
    let world = World::migrated().await;
    let hash = heartbeat(&world).await;
    for (run, reports, kept) in [
        (
            "in order",
            vec![("start", "10:00:00"), ("success", "10:05:00")],
            json!(["10:00", "10:05", false]),
        ),
        (
            "a start twice",
            vec![
                ("start", "10:00:00"),
                ("start", "10:01:00"),
                ("failure", "10:05:00"),
            ],
            json!(["10:00", "10:05", true]),
        ),
        (
            "a start after its end",
            vec![("failure", "10:05:00"), ("start", "10:06:00")],
            json!([null, "10:05", true]),
        ),
        (
            "an end alone",
            vec![("success", "10:05:00")],
            json!([null, "10:05", false]),
        ),
        (
            "once more",
            vec![
                ("start", "10:00:00"),
                ("failure", "10:05:00"),
                ("start", "10:10:00"),
            ],
            json!(["10:10", null, false]),
        ),
        (
            "",
            vec![("start", "10:00:00"), ("start", "10:10:00")],
            json!(["10:10", null, false]),
        ),
    ] {
        for (event, now) in reports {
            beat_of(&world, &hash, event, run, now).await;
        }
        let found = world
            .rows(&format!(
                "select jsonb_build_array(to_char(started_at, 'HH24:MI'), to_char(ended_at, 'HH24:MI'), failed) as run
                 from ops.heartbeat_runs where run = '{run}'"
            ))
            .await;
        assert_eq!(found[0]["run"], kept, "{run}");
    }
}

#[tokio::test]
async fn a_hundred_runs_are_kept_and_those_under_way_first() {
    let world = World::migrated().await;
    let hash = heartbeat(&world).await;
    beat_of(&world, &hash, "start", "first", "10:00:00").await;
    for run in 0..110 {
        beat_of(
            &world,
            &hash,
            "failure",
            &run.to_string(),
            &format!("10:{:02}:{:02}", 1 + run / 60, run % 60),
        )
        .await;
    }
    let kept = world
        .rows("select count(*) as runs, count(*) filter (where run in ('first', '109', '10')) as those from ops.heartbeat_runs")
        .await;
    assert_eq!(kept, json!([{"runs": 100, "those": 2}]));
}

#[tokio::test]
async fn a_job_that_falls_silent_alerts_and_its_return_resolves() {
    let world = World::migrated().await;
    sees_all_the_time(&world).await;
    let hash = heartbeat(&world).await;
    let quiet = world.tick("09:59:05", &[app("up")]).await;
    assert_eq!(
        verdict(&quiet, "check_failing", "import")["verdict"],
        "insufficient"
    );

    assert_eq!(
        beat(&world, &hash, "success", "10:00:00").await["heartbeat"],
        "import"
    );
    for now in minutes("11:08:05", 2) {
        assert!(transitions(&world.tick(&now, &[app("up")]).await).is_empty());
    }
    let mut seen = Vec::new();
    for now in minutes("11:10:05", 3) {
        seen.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(seen, ["opened check_failing import"]);
    beat(&world, &hash, "success", "11:13:00").await;
    for now in minutes("11:13:05", 2) {
        seen.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(seen.last().unwrap(), "resolved check_failing import");
    let statuses = world
        .rows("select status, count(*) as ticks from ops.samples where check_name = 'check:import' group by 1 order by 1")
        .await;
    assert_eq!(
        statuses,
        json!([{"status": "down", "ticks": 3}, {"status": "unknown", "ticks": 1}, {"status": "up", "ticks": 4}])
    );
}

#[tokio::test]
async fn only_the_newest_token_reports_and_a_late_report_undoes_nothing() {
    let world = World::migrated().await;
    let old = heartbeat(&world).await;
    let new = token(&world).await;
    assert_eq!(
        beat(&world, &old, "success", "10:00:00").await["heartbeat"],
        Value::Null
    );
    beat(&world, &new, "success", "11:00:00").await;
    beat(&world, &new, "success", "10:30:00").await;
    let kept = world
        .rows("select first_at, succeeded_at from ops.heartbeats")
        .await;
    assert_eq!(kept[0]["succeeded_at"], "2026-11-24T11:00:00+00:00");
    let arguments = json!({"p_token_hash": new, "p_event": "ended"});
    let [code, ..] = world.refusal("ops_beat", arguments).await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn an_event_that_stops_happening_alerts_and_its_return_resolves() {
    let world = World::migrated().await;
    sees_all_the_time(&world).await;
    let check = json!({"kind": "rule", "event": "user_registered", "windowMinutes": 60, "minimum": 2,
                       "severity": "medium"});
    let arguments = json!({"p_name": "sign-ups", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
    let happen = async |at: &str, count: u32, environment: &str| {
        world
            .execute(&format!(
                "insert into public.analytics_events (event_name, \"timestamp\", environment)
                 select 'user_registered', '2026-11-24T{at}Z', '{environment}' from generate_series(1, {count})"
            ))
            .await;
    };
    let mut seen = Vec::new();
    let mut tick = async |now: &str| {
        let committed = world.tick(now, &[app("up")]).await;
        seen.extend(transitions(&committed));
        verdict(&committed, "check_failing", "sign-ups")["verdict"].clone()
    };
    // Until it was met once there is nothing that could stop.
    assert_eq!(tick("09:00:05").await, "insufficient");
    happen("09:00:30", 1, "production").await;
    happen("09:00:30", 5, "preview").await;
    assert_eq!(tick("09:01:05").await, "insufficient");
    happen("09:01:30", 1, "production").await;
    assert_eq!(tick("09:02:05").await, Value::Null, "good");
    assert_eq!(
        tick("10:00:05").await,
        Value::Null,
        "both are within the hour"
    );
    for now in ["10:01:05", "10:02:05", "10:03:05"] {
        assert_eq!(tick(now).await, "bad", "{now}");
    }
    happen("10:03:30", 2, "production").await;
    for now in ["10:04:05", "10:05:05"] {
        assert_eq!(tick(now).await, Value::Null, "{now}");
    }
    assert_eq!(
        seen,
        [
            "opened check_failing sign-ups",
            "resolved check_failing sign-ups"
        ]
    );
}

/// A world with orders of 10, 20, 30 and 40 in the weeks before and of 12 now, from 100
/// carts, and with what must not be counted.
async fn shop() -> World {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.business_metrics (metric_name, metric_value, \"timestamp\")
             select 'orders', value, '2026-11-24T11:30:00Z'::timestamptz - make_interval(weeks => weeks)
             from (values (4, 10), (3, 20), (2, 30), (1, 40), (0, 12)) as week (weeks, value);
             insert into public.business_metrics (metric_name, metric_value, \"timestamp\", environment)
             values ('orders', 'NaN', '2026-11-24T11:31:00Z', 'production'),
                    ('orders', 900, '2026-11-24T11:32:00Z', 'preview'),
                    ('orders', 900, '2026-11-24T10:59:59Z', 'production'),
                    ('new', 5, '2026-11-17T11:30:00Z', 'production'),
                    ('new', 5, '2026-11-24T11:30:00Z', 'production');
             insert into public.analytics_events (event_name, \"timestamp\")
             select event, '2026-11-24T11:30:00Z'
             from (values ('cart', 100), ('paid', 12)) as counted (event, times), generate_series(1, times)",
        )
        .await;
    world
}

#[tokio::test]
async fn a_rule_is_judged_by_what_it_measures_and_by_what_was_usual() {
    let world = shop().await;
    let spec = |fields: Value| {
        let mut spec = json!({"windowMinutes": 60});
        spec.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        spec
    };
    for (fields, status, reason) in [
        (json!({"metric": "orders", "minimum": 12}), "up", None),
        (
            json!({"metric": "orders", "minimum": 12.5}),
            "down",
            Some("below"),
        ),
        (json!({"metric": "orders", "maximum": 12}), "up", None),
        (
            json!({"metric": "orders", "maximum": 11}),
            "down",
            Some("above"),
        ),
        // Usual are 25: half of that is 12.5.
        (
            json!({"metric": "orders", "dropPercent": 50}),
            "down",
            Some("dropped"),
        ),
        (json!({"metric": "orders", "dropPercent": 52}), "up", None),
        (json!({"metric": "orders", "risePercent": 1}), "up", None),
        (
            json!({"metric": "new", "dropPercent": 1}),
            "unknown",
            Some("no_past"),
        ),
        (
            json!({"metric": "none", "minimum": 1}),
            "unknown",
            Some("no_data"),
        ),
        (
            json!({"metric": "orders", "minimum": 99, "minimumSamples": 2}),
            "unknown",
            Some("no_data"),
        ),
        (
            json!({"metric": "orders", "minimum": 99, "minimumSamples": 1}),
            "down",
            Some("below"),
        ),
        (
            json!({"event": "paid", "of": "cart", "minimum": 12}),
            "up",
            None,
        ),
        (
            json!({"event": "paid", "of": "cart", "minimum": 13}),
            "down",
            Some("below"),
        ),
        (
            json!({"event": "paid", "of": "none", "minimum": 13}),
            "unknown",
            Some("no_data"),
        ),
        (
            json!({"event": "paid", "maximum": 11}),
            "down",
            Some("above"),
        ),
        (
            json!({"event": "paid", "minimum": 13}),
            "unknown",
            Some("not_set_up"),
        ),
    ] {
        let sql = format!(
            "select status, reason from ops.business_status('{}', false, 'production', '2026-11-24T12:00:00Z')",
            spec(fields.clone())
        );
        let seen = &world.rows(&sql).await[0];
        assert_eq!(
            (&seen["status"], &seen["reason"]),
            (&json!(status), &json!(reason)),
            "{fields}"
        );
    }
}

#[tokio::test]
async fn a_figure_is_put_together_as_the_rule_says() {
    let world = shop().await;
    for (aggregate, value) in [
        ("sum", 912),
        ("lowest", 12),
        ("highest", 900),
        ("latest", 12),
        ("average", 456),
    ] {
        let fields =
            json!({"metric": "orders", "aggregate": aggregate, "windowMinutes": 61, "maximum": 1});
        let sql = format!(
            "select (detail ->> 'value')::numeric as value
             from ops.business_status('{fields}', true, 'production', '2026-11-24T12:00:00Z')"
        );
        assert_eq!(
            world.rows(&sql).await[0]["value"].as_f64(),
            Some(f64::from(value)),
            "{aggregate}"
        );
    }
}
