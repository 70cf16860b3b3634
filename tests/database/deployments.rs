//! Which deployment serves, and how each compares with the day before it.

use serde_json::{Value, json};

use crate::support::{World, array, at, transitions, verdict};

/// A deployment's event, as the door takes it down.
async fn event(world: &World, event: &str, deployment: &str, time: &str) {
    event_of(world, None, event, deployment, time).await;
}

/// The same with the project that it is of.
async fn event_of(world: &World, project: Option<&str>, event: &str, deployment: &str, time: &str) {
    let told = json!([{
        "id": uuid::Uuid::new_v4(), "time": at(time), "event": event, "deployment": deployment,
        "project": project, "environment": "production",
    }]);
    // It is told when it happens; what it says of its time is believed within minutes.
    world
        .execute(&format!(
            "select ops.take_deployments(1, 'vercel webhooks', '{told}', '{}')",
            at(time),
        ))
        .await;
}

/// What the platform said of a project.
async fn read_project(world: &World, source: &str, document: &Value, now: &str) {
    let arguments = json!({
        "p_source": source, "p_document": document, "p_error": null, "p_now": at(now),
    });
    world.call("ops_store_platform_reading", arguments).await;
}

/// Requests every two seconds in a time, log-normal around 150 ms times `factor`, of which
/// `failing` in a hundred fail.
async fn requests(world: &World, from: &str, to: &str, factor: f64, failing: u32) {
    world
        .execute(&format!(
            "select setseed(0.5);
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/a', 'GET', case when random() * 100 < {failing} then 500 else 200 end,
                 {factor} * exp(5 + 0.6 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())), time
             from generate_series('{}'::timestamptz, '{}', interval '2 seconds') as time",
            at(from),
            at(to),
        ))
        .await;
}

/// The usual traffic of the hour after noon the day before.
async fn yesterday(world: &World) {
    requests(
        world,
        "2026-11-23T11:55:00Z",
        "2026-11-23T13:05:00Z",
        1.0,
        1,
    )
    .await;
}

async fn compare(world: &World, now: &str) -> Value {
    world
        .value(&format!("ops.compare_deployments(20, '{}')", at(now)))
        .await
}

/// Every comparison that was made, as `dpl_a 15 fine`.
async fn made(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select deployment || ' ' || age_minutes || ' ' || verdict as line
             from ops.deployment_comparisons
             join ops.served_deployments on id = served
             order by began_at, id, age_minutes",
        )
        .await;
    lines(&rows)
}

/// What served, as `dpl_a 12:00:10 webhook`.
async fn served(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select concat_ws(' ', deployment, to_char(began_at at time zone 'utc', 'HH24:MI:SS'), told_by) as line
             from ops.served_deployments order by began_at, id",
        )
        .await;
    lines(&rows)
}

fn lines(rows: &Value) -> Vec<String> {
    let lines = array(rows).iter();
    lines
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

/// The measures of the newest comparison by verdict.
async fn measures(world: &World, verdict: &str) -> Vec<String> {
    let rows = world
        .rows(&format!(
            "select measure ->> 'measure' as line
             from (select * from ops.deployment_comparisons order by made_at desc, age_minutes desc limit 1) as newest
             cross join lateral jsonb_array_elements(measures) as measure
             where measure ->> 'verdict' = '{verdict}'
             order by 1",
        ))
        .await;
    lines(&rows)
}

fn of_releases(tick: &Value) -> Vec<String> {
    let mut changes = transitions(tick);
    changes.retain(|change| change.contains("release_"));
    changes
}

#[tokio::test]
async fn one_that_is_twice_as_slow_is_found_at_fifteen_minutes_and_resolved_by_going_back() {
    let world = World::migrated().await;
    yesterday(&world).await;
    event(&world, "promoted", "dpl_good", "2026-11-22T09:00:00Z").await;
    event(&world, "promoted", "dpl_slow", "12:00:10").await;
    requests(&world, "12:00:10", "12:40:00", 2.0, 1).await;

    let tick = world.tick("12:17:00", &[]).await;
    assert_eq!(of_releases(&tick), Vec::<String>::new());
    let tick = world.tick("12:18:00", &[]).await;
    assert_eq!(of_releases(&tick), ["opened release_regressed dpl_slow"]);
    assert_eq!(tick["warnings"], json!([]));
    let facts = world
        .value(
            "(select facts from ops.outbox where facts ->> 'rule' = 'release_regressed' limit 1)",
        )
        .await;
    assert_eq!(facts["detail"]["before"], "dpl_good");
    let found: Vec<&Value> = array(&facts["detail"]["evidence"])
        .iter()
        .map(|measure| &measure["measure"])
        .collect();
    assert_eq!(found, ["latency_p50", "latency_p95"]);
    assert_eq!(measures(&world, "same").await, ["error_rate"]);

    event(&world, "rolled_back", "dpl_good", "12:25:00").await;
    let tick = world.tick("12:26:00", &[]).await;
    assert_eq!(of_releases(&tick), ["resolved release_regressed dpl_slow"]);
    let shown = world.dashboard(3600, "12:26:00").await["production"]["served"].clone();
    assert_eq!(
        (&shown[0]["deployment"], &shown[1]["endedAt"]),
        (&json!("dpl_good"), &json!("2026-11-24T12:25:00+00:00"))
    );
    assert_eq!(shown[1]["comparisons"][0]["verdict"], "regressed");
    assert_eq!(shown[1]["comparisons"][1]["verdict"], "replaced");
}

#[tokio::test]
async fn a_regression_ends_with_a_newer_comparison_that_is_fine() {
    let world = World::migrated().await;
    yesterday(&world).await;
    event(&world, "promoted", "dpl_a", "12:00:00").await;
    requests(&world, "12:00:00", "12:16:00", 1.0, 12).await;
    requests(&world, "12:16:00", "13:05:00", 1.0, 0).await;
    let tick = world.tick("12:18:00", &[]).await;
    assert_eq!(of_releases(&tick), ["opened release_regressed dpl_a"]);
    assert_eq!(measures(&world, "worse").await, ["error_rate"]);
    // What comes after makes up for it.
    requests(&world, "12:00:01", "13:01:00", 1.0, 0).await;
    requests(&world, "12:00:01", "13:01:00", 1.0, 0).await;
    let tick = world.tick("13:02:00", &[]).await;
    assert_eq!(of_releases(&tick), ["resolved release_regressed dpl_a"]);
    assert_eq!(made(&world).await, ["dpl_a 15 regressed", "dpl_a 60 fine"]);
}

/// Two hundred pairs of quarters of an hour, each of the same distribution, at two widths.
#[tokio::test]
async fn what_is_equal_is_hardly_ever_found_worse() {
    let world = World::migrated().await;
    world
        .execute(
            "select setseed(0.25);
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/a', 'GET', case when random() < 0.02 then 500 else 200 end,
                 exp(5 + sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())), time
             from generate_series('2026-11-20T00:00:00Z'::timestamptz, '2026-11-23T03:00:00Z', interval '3 seconds') as time;
             insert into public.analytics_events (event_name, timestamp)
             select 'wine_added', time + random() * interval '10 seconds'
             from generate_series('2026-11-20T00:00:00Z'::timestamptz, '2026-11-23T03:00:00Z', interval '10 seconds') as time;
             select ops.roll_up_figures(1000000, '2026-11-24T00:00:00Z')",
        )
        .await;
    let verdicts = world
        .rows(
            "select measure ->> 'measure' as measure, measure ->> 'verdict' as verdict, count(*)::integer as pairs
             from generate_series(0, 199) as nth
             cross join lateral jsonb_array_elements(
                 ops.compare_deployment('2026-11-21T00:00:00Z'::timestamptz + nth * interval '15 minutes', 15, '2026-11-24T00:00:00Z')
             ) as measure
             where measure ->> 'verdict' <> 'insufficient'
             group by 1, 2 order by 1, 2",
        )
        .await;
    let same = |name: &str| json!({"measure": name, "verdict": "same", "pairs": 200});
    assert_eq!(
        verdicts,
        json!([
            same("error_rate"),
            same("event wine_added"),
            same("latency_p50"),
            same("latency_p95")
        ])
    );
}

#[tokio::test]
async fn too_little_traffic_says_so() {
    let world = World::migrated().await;
    yesterday(&world).await;
    event(&world, "promoted", "dpl_a", "12:00:00").await;
    requests(&world, "12:05:00", "12:08:00", 9.0, 50).await;
    let tick = world.tick("12:18:00", &[]).await;
    assert_eq!(of_releases(&tick), Vec::<String>::new());
    assert_eq!(verdict(&tick, "release_regressed", "dpl_a"), &Value::Null);
    assert_eq!(made(&world).await, ["dpl_a 15 insufficient"]);
    let shown = world.dashboard(3600, "12:18:00").await["production"]["served"][0].clone();
    assert_eq!(shown["comparisons"][0]["measures"][0]["afterSamples"], 91);
    assert_eq!(shown["comparisons"][1]["verdict"], "waiting");
}

#[tokio::test]
async fn in_quick_succession_only_what_served_throughout_is_compared_and_once() {
    let world = World::migrated().await;
    yesterday(&world).await;
    requests(&world, "11:55:00", "13:05:00", 1.0, 1).await;
    for (deployment, time) in [
        ("dpl_a", "12:00:00"),
        ("dpl_b", "12:05:00"),
        ("dpl_c", "12:09:30"),
    ] {
        event(&world, "ready", deployment, time).await;
        event(&world, "promoted", deployment, time).await;
    }
    assert_eq!(compare(&world, "12:26:00").await, 0);
    assert_eq!(compare(&world, "12:27:00").await, 1);
    assert_eq!(compare(&world, "12:28:00").await, 0);
    assert_eq!(made(&world).await, ["dpl_c 15 fine"]);
    // Nobody looked for thirteen hours: what is left is what can still be said.
    assert_eq!(compare(&world, "2026-11-25T02:00:00Z").await, 0);
    assert_eq!(compare(&world, "2026-11-25T13:02:00Z").await, 1);
    assert_eq!(made(&world).await, ["dpl_c 15 fine", "dpl_c 1440 fine"]);
}

#[tokio::test]
async fn a_webhook_may_be_missing_late_twice_or_ahead_of_its_time() {
    let world = World::migrated().await;
    let read = async |deployment: &str, since: &str, now: &str| {
        let document = json!({
            "name": "app", "assigns": true, "change": null,
            "live": {"id": deployment, "at": at(since), "commit": null},
        });
        read_project(&world, "app_project", &document, now).await;
        compare(&world, now).await
    };
    event(&world, "promoted", "dpl_a", "09:00:00").await;
    compare(&world, "09:01:00").await;
    read("dpl_a", "08:59:58", "09:30:00").await;
    assert_eq!(served(&world).await, ["dpl_a 09:00:00 webhook"]);

    // Nobody told of this one; the project says since when.
    read("dpl_b", "10:10:00", "10:30:00").await;
    assert_eq!(served(&world).await[1..], ["dpl_b 10:10:00 reading"]);
    // Its webhook comes after all, and twice.
    event(&world, "promoted", "dpl_b", "10:09:00").await;
    event(&world, "ready", "dpl_b", "10:11:00").await;
    compare(&world, "10:45:00").await;
    assert_eq!(served(&world).await[1..], ["dpl_b 10:09:00 webhook"]);

    // The platform's clock is four minutes fast.
    event(&world, "promoted", "dpl_c", "11:04:00").await;
    compare(&world, "11:00:00").await;
    compare(&world, "11:05:00").await;
    assert_eq!(served(&world).await[2..], ["dpl_c 11:00:00 webhook"]);

    // One is told late that served between two others.
    event(&world, "promoted", "dpl_x", "10:30:00").await;
    compare(&world, "11:06:00").await;
    assert_eq!(
        served(&world).await[1..],
        [
            "dpl_b 10:09:00 webhook",
            "dpl_x 10:30:00 webhook",
            "dpl_c 11:00:00 webhook"
        ]
    );
}

#[tokio::test]
async fn what_is_ready_while_production_is_pinned_serves_nobody() {
    let world = World::migrated().await;
    event(&world, "ready", "dpl_a", "09:00:00").await;
    event(&world, "ready", "dpl_b", "09:10:00").await;
    event(&world, "rolled_back", "dpl_a", "09:20:00").await;
    event(&world, "ready", "dpl_c", "09:30:00").await;
    event(&world, "promoted", "dpl_d", "09:40:00").await;
    event(&world, "ready", "dpl_e", "09:50:00").await;
    compare(&world, "10:00:00").await;
    assert_eq!(
        served(&world).await,
        [
            "dpl_a 09:00:00 webhook",
            "dpl_b 09:10:00 webhook",
            "dpl_a 09:20:00 webhook",
            "dpl_d 09:40:00 webhook",
            "dpl_e 09:50:00 webhook"
        ]
    );
    // The project knows better than a webhook.
    let document = json!({
        "name": "app", "assigns": false, "change": null,
        "live": {"id": "dpl_d", "at": at("09:40:00"), "commit": null},
    });
    read_project(&world, "app_project", &document, "10:30:00").await;
    compare(&world, "10:31:00").await;
    assert_eq!(served(&world).await[5..], ["dpl_d 10:30:00 reading"]);
}

/// A team's webhooks tell of all its projects.
#[tokio::test]
async fn only_the_apps_deployments_say_something_of_its_users() {
    let world = World::migrated().await;
    let free = |project: &str| json!({"id": project, "name": project, "assigns": true});
    read_project(&world, "own_project", &free("prj_ops"), "08:00:00").await;
    for (project, what, deployment, time) in [
        (Some("prj_app"), "promoted", "dpl_a", "09:00:00"),
        // A row of before projects were kept.
        (None, "promoted", "dpl_old", "09:10:00"),
        (Some("prj_ops"), "promoted", "dpl_ops", "09:20:00"),
        // Nobody knows yet that this one is not the app's.
        (Some("prj_other"), "promoted", "dpl_other", "09:30:00"),
    ] {
        event_of(&world, project, what, deployment, time).await;
    }
    compare(&world, "10:00:00").await;
    let of_the_app = [
        "dpl_a 09:00:00 webhook",
        "dpl_old 09:10:00 webhook",
        "dpl_other 09:30:00 webhook",
    ];
    assert_eq!(served(&world).await, of_the_app);

    read_project(&world, "app_project", &free("prj_app"), "10:10:00").await;
    // One of the team's is rolled back, which pins nothing of ours.
    for (project, what, deployment, time) in [
        (Some("prj_other"), "rolled_back", "dpl_other", "10:20:00"),
        (Some("prj_ops"), "rolled_back", "dpl_ops", "10:21:00"),
        (Some("prj_app"), "ready", "dpl_b", "10:30:00"),
    ] {
        event_of(&world, project, what, deployment, time).await;
    }
    compare(&world, "10:40:00").await;
    assert_eq!(served(&world).await[3..], ["dpl_b 10:30:00 webhook"]);

    let shown = world.dashboard(3 * 3600, "10:40:00").await;
    let marks = |list: &Value| -> Vec<String> {
        let marks = array(list).iter();
        marks
            .map(|mark| mark["deployment"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(marks(&shown["deployments"]), ["dpl_b", "dpl_old", "dpl_a"]);
    assert_eq!(
        marks(&shown["production"]["ownDeployments"]),
        ["dpl_ops", "dpl_ops"]
    );
}

/// Every measure is found worse when it is, by itself.
#[tokio::test]
async fn each_measure_is_found_by_itself() {
    for (rows, measure) in [
        (
            "insert into public.performance_metrics (name, value, unit, environment, timestamp)
             select 'LCP', case when time < '2026-11-24' then 1500 else 2600 end + 400 * random(), 'ms', 'production', time
             from unnest(array['2026-11-23T12:02:00Z', '2026-11-24T12:02:00Z']::timestamptz[]) as time
             cross join generate_series(1, 150)",
            "LCP_p75",
        ),
        (
            "insert into public.analytics_events (event_name, timestamp)
             select 'wine_added', time
             from unnest(array['2026-11-23T12:02:00Z', '2026-11-24T12:02:00Z']::timestamptz[]) as time
             cross join generate_series(1, 120) as n
             where time < '2026-11-24' or n <= 40",
            "event wine_added",
        ),
        (
            "insert into ops.jobs (job, every_seconds) values ('nightly', 60) on conflict do nothing;
             insert into ops.runs (id, job, slot, fence, outcome, started_at)
             select gen_random_uuid(), 'nightly', time + n * interval '1 minute', n,
                 case when time > '2026-11-24' then 'failed' else 'done' end, time + n * interval '1 minute'
             from unnest(array['2026-11-23T12:01:00Z', '2026-11-24T12:01:00Z']::timestamptz[]) as time
             cross join generate_series(1, 14) as n",
            "failed_jobs",
        ),
        (
            "insert into ops.issues (id, environment, key, title, culprit, category, severity, status, events, people,
                 first_seen, last_seen, first_release, last_release, changed_at)
             select gen_random_uuid(), 'production', title, title, '', 'x', 'high', 'open', 12, 3,
                 '2026-11-24T12:05:00Z', '2026-11-24T12:06:00Z', release, release, '2026-11-24T12:05:00Z'
             from (values ('TypeError: a', '2.0'), ('an old version', '1.0')) as issue (title, release);
             insert into ops.releases (environment, release, first_seen, last_seen) values
                 ('production', '1.0', '2026-11-20T00:00:00Z', '2026-11-24T00:00:00Z'),
                 ('production', '2.0', '2026-11-24T12:00:30Z', '2026-11-24T12:06:00Z')",
            "new_errors",
        ),
    ] {
        let world = World::migrated().await;
        yesterday(&world).await;
        event(&world, "promoted", "dpl_a", "12:00:00").await;
        requests(&world, "12:00:00", "12:16:00", 1.0, 1).await;
        world.execute(rows).await;
        assert_eq!(compare(&world, "12:17:00").await, 1);
        assert_eq!(measures(&world, "worse").await, [measure]);
    }
}
