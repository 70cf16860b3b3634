//! Figures: that counting never stands in the application's way, that names are bounded,
//! what is kept for how long, and what is taken over from earlier releases.

use serde_json::{Value, json};

use crate::{
    dashboard::section,
    dashboard_app::is_near,
    rollups::maintain,
    support::{World, array, at, call},
};

const NOON: i64 = 12 * 3600;

async fn count(world: &World, table: &str) -> Value {
    world
        .value(&format!("(select count(*) from {table})"))
        .await
}

/// So many requests of an endpoint, each of its own number, at a time.
async fn requests(world: &World, endpoint: &str, count: u32, time: &str) {
    world
        .execute(&format!(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '{endpoint}' || n, 'GET', 200, 100, '{}' from generate_series(1, {count}) as n",
            at(time),
        ))
        .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_counted_is_kept_and_told() {
    let world = World::migrated().await;
    world
        .execute("alter table ops.pending_figures add constraint broken check (n < 0) not valid")
        .await;
    world.execute("set role service_role").await;
    world.execute(include_str!("../sql/app_inserts.sql")).await;
    world.execute("reset role").await;
    assert_eq!(count(&world, "public.api_usage_metrics").await, 1);
    assert_eq!(count(&world, "ops.pending_figures").await, 0);
    let noted = world
        .rows(
            "select table_name, rows, left(reason, 5) as state from ops.uncounted_rows order by 1",
        )
        .await;
    let tables = [
        "analytics_events",
        "api_usage_metrics",
        "business_metrics",
        "error_logs",
        "feature_usage",
        "performance_metrics",
        "user_sessions",
    ];
    let expected: Vec<Value> = tables
        .iter()
        .map(|table| json!({"table_name": table, "rows": 1, "state": "23514"}))
        .collect();
    assert_eq!(noted, json!(expected));

    world
        .execute(&format!(
            "update ops.uncounted_rows set at = '{}'",
            at("11:30:00")
        ))
        .await;
    let document = world.dashboard(3600, "12:00:00").await;
    assert_eq!(document["dataQuality"]["uncounted"]["rows"], 7);
    assert_eq!(document["audit"]["clean"], false);
    assert_eq!(
        array(&document["audit"]["findings"])[0],
        json!({"kind": "uncounted_rows", "subject": "analytics_events", "count": 1,
               "since": "2026-11-24T11:30:00+00:00"})
    );
}

/// All at once they would take the server's memory: a statement of 33 million rows took 5 GB.
#[tokio::test]
async fn what_one_statement_writes_is_counted_so_many_rows_at_a_time() {
    const ROWS: i64 = 25_001;
    let world = World::migrated().await;
    world.execute("set role service_role").await;
    world
        .execute(&format!(
            "insert into public.analytics_events (event_name, timestamp)
             select 'wine_added', '{}' from generate_series(1, {ROWS});
             insert into public.feature_usage (feature_name, usage_count, date)
             select 'scan', 2, '2026-11-24' from generate_series(1, {ROWS});
             update public.feature_usage set usage_count = 3",
            at("11:00:00"),
        ))
        .await;
    world.execute("reset role").await;
    assert_eq!(count(&world, "ops.uncounted_rows").await, 0);
    let pending =
        |what: &str, of: &str| format!("(select {what} from ops.pending_figures where {of})");
    let (events, uses) = ("kind = 'event'", "kind = 'feature' and part = 'uses'");
    assert_eq!(world.value(&pending("sum(n)", events)).await, ROWS);
    assert_eq!(world.value(&pending("count(*)", events)).await, 3);
    assert_eq!(world.value(&pending("sum(n)", uses)).await, ROWS);
    assert_eq!(world.value(&pending("sum(total)", uses)).await, 3 * ROWS);
}

/// Whoever writes needs no right on the tables of figures.
#[tokio::test]
async fn the_applications_server_counts_what_it_writes_and_nobody_else_counts() {
    let world = World::migrated().await;
    let server = world.session().await;
    server
        .batch_execute(
            "revoke all on all tables in schema ops from service_role; set role service_role",
        )
        .await
        .unwrap();
    server
        .batch_execute(include_str!("../sql/app_inserts.sql"))
        .await
        .unwrap();
    assert_eq!(count(&world, "ops.uncounted_rows").await, 0);
    assert_ne!(count(&world, "ops.pending_figures").await, 0);
    let refused = call(
        &server,
        "ops_dashboard",
        json!({"p_seconds": 3600, "p_environment": "production"}),
    )
    .await;
    assert!(refused.is_err());
}

/// A day has 500 names of a kind; what comes after them is counted together.
#[tokio::test]
async fn a_flood_of_names_is_counted_as_other() {
    let world = World::migrated().await;
    requests(&world, "/a", 450, "11:30:00").await;
    maintain(&world, NOON, 200).await;
    requests(&world, "/b", 5000, "11:40:00").await;
    // One that is known stays what it is.
    requests(&world, "/a", 1, "11:50:00").await;
    maintain(&world, NOON + 60, 200).await;
    let days = "select count(*) as names, sum(n) as requests, sum(n) filter (where name = 'other') as others,
                    sum(n) filter (where name = 'GET /a1') as known
                from ops.figures where kind = 'request' and grain = 86400";
    assert_eq!(
        world.rows(days).await,
        json!([{"names": 501, "requests": 5451, "others": 4950, "known": 2}])
    );
    let performance = section(&world, "performance").await;
    assert_eq!(performance["requests"], 5451);
    assert_eq!(performance["endpoints"][0]["endpoint"], "other");
    assert_eq!(array(&performance["endpoints"]).len(), 20);

    world
        .execute(&format!(
            "insert into public.error_logs (message, severity, context, timestamp)
             select 'kind ' || repeat(chr(97 + n % 26), 1 + n / 26), 'low', jsonb_build_object('category', 'c' || n), '{}'
             from generate_series(1, 600) as n",
            at("11:30:00"),
        ))
        .await;
    maintain(&world, NOON + 120, 200).await;
    let errors = section(&world, "errors").await;
    assert_eq!(errors["totalErrors"], 600);
    assert_eq!(errors["errorsByCategory"].as_object().unwrap().len(), 51);
    assert_eq!(errors["errorsByCategory"]["other"], 550);
    assert_eq!(count(&world, "ops.error_groups").await, 501);
}

/// Minutes go after some days and hours after some months; every window stays what it is.
#[tokio::test]
async fn what_is_forgotten_is_in_its_day() {
    let world = World::migrated().await;
    for day in [
        "2026-07-01",
        "2026-08-26",
        "2026-10-01",
        "2026-11-20",
        "2026-11-23",
        "2026-11-24",
    ] {
        requests(&world, "/a", 10, &format!("{day}T03:04:05Z")).await;
    }
    let grains =
        "select grain, count(*) as n from ops.figures where kind = 'request' group by 1 order by 1";
    let windows = async |world: &World| {
        let mut seen = Vec::new();
        for seconds in [
            3600, 86_400, 172_800, 604_800, 5_184_000, 7_862_400, 31_536_000,
        ] {
            let document = world.dashboard(seconds, "12:00:00").await;
            seen.push(document["performance"]["requests"].clone());
        }
        seen
    };
    let before = windows(&world).await;
    assert_eq!(before, [0, 10, 20, 30, 40, 50, 60].map(Value::from));
    maintain(&world, NOON, 1).await;
    assert_eq!(windows(&world).await, before);
    // The older minutes and hours were never made or are gone.
    assert_eq!(
        world.rows(grains).await,
        json!([{"grain": 60, "n": 20}, {"grain": 3600, "n": 50}, {"grain": 21600, "n": 50}, {"grain": 86400, "n": 60}, {"grain": 604_800, "n": 50}, {"grain": 2_419_200, "n": 50}])
    );
    assert_eq!(
        count(&world, "ops.figures where kind = 'requests' and grain = 60").await,
        3
    );
}

/// An older release counts in the grains that it knows; what it leaves out is made up.
#[tokio::test]
async fn coarse_figures_that_a_release_did_not_add_up_are_made_up() {
    let world = World::migrated().await;
    for day in ["2026-10-01", "2026-11-22", "2026-11-23", "2026-11-24"] {
        requests(&world, "/a", 7, &format!("{day}T03:04:05Z")).await;
        requests(&world, "/b", 9, &format!("{day}T05:04:05Z")).await;
    }
    maintain(&world, NOON, 200).await;
    let coarse = "select * from ops.figures where grain in (21600, 2419200)
                  order by kind, environment, grain, at, name, part";
    let make_up = "select ops.make_up_figures(3600, 21600), ops.make_up_figures(604800, 2419200)";
    let before = world.rows(coarse).await;
    world.rows(make_up).await;
    assert_eq!(world.rows(coarse).await, before);
    world
        .execute(
            "delete from ops.figures where grain = 21600 and at >= '2026-11-23Z';
             update ops.figures set n = n - 1, buckets = '{}', counts = '{}'
             where grain in (21600, 2419200) and kind = 'request' and at < '2026-10-02Z'",
        )
        .await;
    assert_ne!(world.rows(coarse).await, before);
    world.rows(make_up).await;
    assert_eq!(world.rows(coarse).await, before);
}

/// What an earlier release counted is kept where the rows themselves are gone.
#[tokio::test]
async fn hours_of_an_earlier_release_are_taken_over() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into ops.request_hours (hour, requests, failures, fast)
             values ('2026-11-20T10:00:00Z', 100, 2, 90), ('2026-11-24T10:00:00Z', 7, 7, 0);
             set session_replication_role = replica;
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/', 'GET', 200, 100, '{}' from generate_series(1, 50);
             set session_replication_role = origin;
             update ops.counted_tables
             set finished = false, key = null, at = 'infinity', id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
             where name = 'api_usage_metrics'",
            at("10:30:00"),
        ))
        .await;
    maintain(&world, NOON, 200).await;
    let counted = format!(
        "to_jsonb(c) from ops.sum_requests('2026-11-01Z', '{0}', '{0}', 'production') as c",
        at("12:00:00")
    );
    assert_eq!(
        world.value(&format!("(select {counted})")).await,
        json!({"requests": 150, "failures": 2, "refused": 0, "fast": 140})
    );
}

#[tokio::test]
async fn two_roll_ups_at_once_do_the_work_once() {
    let world = World::migrated().await;
    requests(&world, "/a", 30, "11:30:00").await;
    let (one, other) = (world.session().await, world.session().await);
    let roll_up = format!("select ops.roll_up_figures(1000, '{}')", at("12:00:00"));
    one.batch_execute("begin").await.unwrap();
    let first: i32 = one.query_one(&roll_up, &[]).await.unwrap().get(0);
    let second: i32 = other.query_one(&roll_up, &[]).await.unwrap().get(0);
    one.batch_execute("commit").await.unwrap();
    assert_eq!((first, second), (30, 0));
    assert_eq!(section(&world, "performance").await["requests"], 30);
}

#[tokio::test]
async fn who_was_there_what_they_used_and_how_pages_felt() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
             from generate_series(1, 4) as n;
             insert into public.analytics_events (event_name, user_id, session_id, timestamp) values
                 ('x', '00000000-0000-4000-8000-000000000001', 'old', '2026-11-20T10:00:00Z'),
                 ('x', '00000000-0000-4000-8000-000000000001', 'a', '2026-11-24T11:10:00Z'),
                 ('x', '00000000-0000-4000-8000-000000000002', 'b', '2026-11-24T11:20:00Z'),
                 ('y', '00000000-0000-4000-8000-000000000002', 'b', '2026-11-24T11:30:00Z'),
                 ('x', '00000000-0000-4000-8000-000000000003', 'c', '2026-11-23T11:30:00Z'),
                 ('x', null, 'old', '2026-11-24T11:30:00Z');
             insert into public.user_sessions (device_type, duration_seconds, page_views, events_count, session_start) values
                 ('mobile', 100, 3, 1, '2026-11-24T11:30:00Z'), ('mobile', null, 1, 0, '2026-11-24T11:40:00Z'),
                 (null, 300, 2, 5, '2026-11-24T11:50:00Z'), ('desktop', 900, 9, 9, '2026-11-24T10:50:00Z');
             update public.user_sessions set duration_seconds = 200 where duration_seconds is null;
             insert into public.feature_usage (feature_name, user_id, usage_count, success_rate, average_duration, date) values
                 ('scan', '00000000-0000-4000-8000-000000000001', 3, 90, 10, '2026-11-24'),
                 ('scan', '00000000-0000-4000-8000-000000000002', 2, 100, 30, '2026-11-24'),
                 ('scan', '00000000-0000-4000-8000-000000000001', 9, 100, 30, '2026-11-23');
             insert into public.feature_usage (feature_name, user_id, usage_count, date)
             values ('scan', '00000000-0000-4000-8000-000000000001', 1, '2026-11-24')
             on conflict (feature_name, user_id, date)
                 do update set usage_count = public.feature_usage.usage_count + excluded.usage_count;
             insert into public.performance_metrics (name, value, unit, metadata, timestamp)
             select 'LCP', n * 100, 'ms', jsonb_build_object('page', case when n % 2 = 0 then 'https://wine.example/wines?x=1' else '/' end),
                    '2026-11-24T11:30:00Z'
             from generate_series(1, 40) as n;
             insert into public.performance_metrics (name, value, unit, timestamp) values ('query', 8, 'ms', '2026-11-24T11:30:00Z')",
        )
        .await;
    let check = async |when: &str| {
        let document = world.dashboard(3600, "12:00:00").await;
        assert_eq!(
            document["people"],
            json!({"active": 2, "new": 1, "returning": 1, "active24h": 2, "active7d": 3, "active30d": 3,
                   "activeADay": 0.07, "stickinessPercent": 2.22, "visitors": 0}),
            "{when}"
        );
        let mut sessions = document["sessions"].clone();
        is_near(&sessions["medianSeconds"], 200.0);
        sessions.as_object_mut().unwrap().remove("medianSeconds");
        assert_eq!(
            sessions,
            json!({"visits": 2, "visitsPerPerson": 1.0, "sessions": 3, "averageSeconds": 200.0, "pageViews": 6, "pagesPerSession": 2.0,
                   "events": 6, "devices": {"mobile": 2, "unknown": 1}}),
            "{when}"
        );
        assert_eq!(
            document["features"],
            json!([{"feature": "scan", "uses": 6, "userDays": 2, "successRate": 95.0, "averageDuration": 20.0}]),
            "{when}"
        );
        let lcp = &document["webVitals"]["LCP"];
        is_near(&lcp["p75"], 3025.0);
        assert_eq!(lcp["views"], 40);
        let pages: Vec<_> = array(&lcp["pages"])
            .iter()
            .map(|page| (&page["page"], &page["views"]))
            .collect();
        assert_eq!(
            pages,
            [(&json!("/"), &json!(20)), (&json!("/wines"), &json!(20))]
        );
        assert_eq!(
            document["metrics"]["query"],
            json!({"measurements": 1, "average": 8.0, "p50": 8.0, "p95": 8.0})
        );
        serde_json::from_value::<ops::monitoring::document::Document>(document)
            .expect("a document");
    };
    check("pending").await;
    maintain(&world, NOON, 200).await;
    check("rolled up").await;
}
