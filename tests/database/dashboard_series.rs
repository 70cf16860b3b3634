//! What the dashboard draws over time, against the rows themselves.

use serde_json::{Value, json};

use crate::{
    support::{World, app, array, at, dependency},
    uptime::{seconds, store, uptime},
};

/// When the tests look.
const NOON: &str = "12:00:00";

const DAY: i64 = 86_400;

/// Asserts that what the charts of a range hold is what the rows say, point by point.
async fn check_range(world: &World, range: u32) {
    let document = world.dashboard(range, NOON).await;
    let series = &document["series"];
    let requests = &series["requests"];
    let now = at(NOON);
    let expected = world
        .rows(&format!(
            "with points as (
                 select floor(extract(epoch from \"timestamp\" - interval '1 microsecond' - timestamptz {from})
                     / {step})::integer as point, status_code
                 from public.api_usage_metrics
                 where \"timestamp\" > timestamptz {from} and \"timestamp\" <= '{now}'
             )
             select point, count(*) as requests, count(*) filter (where status_code between 400 and 499) as client,
                 count(*) filter (where status_code between 500 and 599) as server
             from points group by point order by point",
            from = requests["from"].to_string().replace('"', "'"),
            step = requests["step"],
        ))
        .await;
    let numbers = |name: &str| array(&requests[name]).clone();
    let mut shown = Vec::new();
    for (point, requests) in numbers("requests").iter().enumerate() {
        if requests.as_u64() != Some(0) {
            shown.push(json!({
                "point": point, "requests": requests, "client": numbers("clientErrors")[point],
                "server": numbers("serverErrors")[point],
            }));
        }
    }
    assert_eq!(Value::from(shown), expected, "of {range} seconds");
    assert!(array(&requests["requests"]).len() <= 1000);
    check_latency(world, &series["latency"]).await;
}

async fn check_latency(world: &World, latency: &Value) {
    for (name, fraction) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        let exact = world
            .rows(&format!(
                "select floor(extract(epoch from \"timestamp\" - interval '1 microsecond' - timestamptz {from})
                     / {step})::integer as point,
                     percentile_cont({fraction}) within group (order by response_time) as value
                 from public.api_usage_metrics
                 where \"timestamp\" > timestamptz {from} and \"timestamp\" <= '{now}'
                 group by 1",
                from = latency["from"].to_string().replace('"', "'"),
                step = latency["step"],
                now = at(NOON),
            ))
            .await;
        let shown = array(&latency[name]);
        let known = shown.iter().filter(|value| !value.is_null()).count();
        assert_eq!(known, array(&exact).len(), "{name}");
        for point in array(&exact) {
            let exact = point["value"].as_f64().unwrap();
            let nth = usize::try_from(point["point"].as_u64().unwrap()).unwrap();
            let read = shown[nth].as_f64().expect("a number");
            assert!(
                (read - exact).abs() <= 0.02 * exact + 0.051,
                "{name} is {read} for {exact} at {point}"
            );
        }
    }
}

#[tokio::test]
async fn points_hold_what_the_rows_say() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "set jit = off;
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/' || n % 5, 'GET', (array[200, 200, 404, 500, 401])[1 + n % 5], 3 + n * 7919 % 900,
                 timestamptz '{now}' - n * n * interval '9 s'
             from generate_series(0, 900) as n",
            now = at(NOON),
        ))
        .await;
    for rolled_up in [0, 300, 1_000_000] {
        world
            .execute(&format!(
                "select ops.roll_up_figures({rolled_up}, '{}')",
                at(NOON)
            ))
            .await;
        for range in [3600, 86_400, 604_800, 2_592_000, 7_776_000, 31_536_000] {
            check_range(&world, range).await;
        }
    }
}

#[tokio::test]
async fn errors_and_visits_are_counted_by_point() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into public.error_logs (message, severity, timestamp)
             select 'Odd ' || n % 3, 'low', timestamptz '{now}' - n * interval '5 min' from generate_series(1, 12) as n;
             insert into public.analytics_events (event_name, session_id, environment, timestamp)
             select 'page_view', 's' || n / 4, 'production', timestamptz '{now}' - n * interval '5 min'
             from generate_series(0, 7) as n;
             select ops.roll_up_figures(1000, '{now}');
             -- Visits of no environment are nobody's, here as in the totals.
             insert into ops.figures (kind, environment, grain, at, name, part, n, tallies, fast, left_out, measured, total,
                 buckets, counts)
             values ('visit', '', 60, timestamptz '{now}' - interval '3 min', '', '', 1, '{{}}', 0, 0, 0, 0, '{{}}', '{{}}')",
            now = at(NOON),
        ))
        .await;
    let usage = world.dashboard(3600, NOON).await["series"]["usage"].clone();
    let hits = |name: &str| -> Vec<usize> {
        array(&usage[name])
            .iter()
            .enumerate()
            .filter(|(_, n)| **n == json!(1))
            .map(|(point, _)| point)
            .collect()
    };
    assert_eq!(usage["step"], 60);
    assert_eq!(usage["from"], "2026-11-24T11:00:00+00:00");
    // A row is in the minute that ends with it.
    assert_eq!(hits("errors"), [4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 54]);
    // Two visits: the events of 11:25 to 11:40, and of 11:45 to noon.
    assert_eq!(hits("visits"), [24, 44]);
}

#[tokio::test]
async fn services_have_the_mean_of_what_was_answered() {
    let world = World::migrated().await;
    for (now, latency) in [("11:57:00", 10), ("11:58:00", 30)] {
        let mut database = dependency("database", "up");
        database["latencyMs"] = json!(latency);
        world.tick(now, &[app("up"), database]).await;
    }
    world
        .tick("11:59:00", &[app("up"), dependency("database", "down")])
        .await;
    let services = world.dashboard(3600, NOON).await["series"]["services"].clone();
    let database = array(&services["responseTimes"]["database"]).clone();
    assert_eq!(database[57..], [json!(10.0), json!(30.0), Value::Null]);
    assert_eq!(database.len(), 60);
    assert_eq!(
        world.dashboard(604_800, NOON).await["series"]["services"],
        Value::Null
    );
}

#[tokio::test]
async fn days_of_a_strip_are_what_uptime_says_of_each() {
    let world = World::migrated().await;
    // Three days, of which the middle one is half known, with an outage and work on the service.
    let mut samples = Vec::new();
    for second in (-3 * DAY..0).step_by(600) {
        if !(-2 * DAY..-2 * DAY + DAY / 2).contains(&second) {
            let status = if second % 5400 == 0 { "down" } else { "up" };
            samples.push((second, status, 700));
        }
    }
    store(&world, "database", &samples).await;
    world
        .execute(
            "insert into ops.maintenance_windows (id, reason, author, services, starts_at, ends_at, created_at)
             values (gen_random_uuid(), 'Upgrade', 'anna', '{database}', '2026-11-22T20:00:00Z', '2026-11-22T23:00:00Z',
                 '2026-11-20T00:00:00Z')",
        )
        .await;
    world
        .tick("11:59:00", &[app("up"), dependency("database", "up")])
        .await;
    world
        .execute("update ops.checks set created_at = '2026-11-21T00:00:00Z'")
        .await;
    for _ in 0..2 {
        let days = world.dashboard(3600, NOON).await["uptime"]["days"].clone();
        assert_eq!(days["from"], "2026-08-27");
        let strip = &days["services"]["database"];
        for (nth, from) in [(86, -3 * DAY), (87, -2 * DAY), (88, -DAY), (89, 0)] {
            let to = if from == 0 { DAY / 2 } else { from + DAY };
            let exact = seconds(&uptime(&world, "database", from, to).await);
            let shown = ["up", "degraded", "down", "unknown", "maintenance"]
                .map(|key| strip[key][nth].as_i64().unwrap());
            assert_eq!(shown, exact.map(i64::from), "day {nth}");
        }
        assert_eq!(strip["maintenance"][87], 10_800);
        assert_eq!(strip["unknown"][85], DAY);
        // The same from rows of days.
        world
            .execute(&format!(
                "select ops.notice_samples(10000); select ops.roll_up_uptime(1000, '{}')",
                at(NOON)
            ))
            .await;
    }
}
