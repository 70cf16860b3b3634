//! What scrapers are told: counted by hand, and counters that never decline.

use serde_json::{Value, json};

use crate::support::{World, at, dependency};

async fn metrics(world: &World, now: &str) -> Value {
    let arguments = json!({"p_environment": "production", "p_now": at(now)});
    world.call("ops_metrics", arguments).await
}

/// Every number below some keys that a scraper takes for a counter.
fn counters(document: &Value) -> Vec<(String, f64)> {
    fn walk(place: &str, value: &Value, found: &mut Vec<(String, f64)>) {
        match value {
            Value::Number(number) => found.push((place.to_owned(), number.as_f64().unwrap())),
            Value::Array(values) => {
                for (nth, value) in values.iter().enumerate() {
                    walk(&format!("{place}/{nth}"), value, found);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    walk(&format!("{place}/{name}"), value, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    for pointer in [
        "/requests/tallies",
        "/requests/milliseconds",
        "/errors/severities",
        "/door/taken",
        "/door/dropped",
    ] {
        walk(pointer, document.pointer(pointer).unwrap(), &mut found);
    }
    let spread: f64 = document["requests"]["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count.as_f64().unwrap())
        .sum();
    found.push(("times".to_owned(), spread));
    found
}

#[tokio::test]
async fn without_data_counts_are_zero_and_the_rest_is_null() {
    let world = World::migrated().await;
    let mut empty = metrics(&world, "12:00:00").await;
    let database = empty.as_object_mut().unwrap().remove("database").unwrap();
    assert!(database["bytes"].as_f64() > Some(1e6), "{database}");
    let job = |job: &str, every: u32| json!({"job": job, "everySeconds": every, "lastSuccess": null, "seconds": null});
    assert_eq!(
        empty,
        json!({
            "requests": {"tallies": [], "milliseconds": 0, "buckets": [], "counts": []},
            "endpoints": {"most": [], "requests": 0, "failed": 0},
            "errors": {"severities": {"low": 0, "medium": 0, "high": 0, "critical": 0}, "categories": []},
            "services": [],
            "availability": {"targetPercent": 99.9, "percent": null, "budgetMinutes": 43.2, "minutesLeft": null},
            "outbox": {"pending": 0, "oldestSeconds": null, "dead": 0},
            "jobs": [job("backup", 1800), job("maintenance", 600), job("monitor", 60)],
            "backups": {"ageSeconds": null, "takenAt": null, "bytes": null, "bytesRead": null, "bytesStored": null},
            "door": {"taken": [], "dropped": {}, "reasons": [], "recent": 0},
            "webVitals": {}, "people": {"24h": 0, "7d": 0, "30d": 0},
            "alerts": [], "incidents": {},
        })
    );
}

#[tokio::test]
async fn everything_is_counted_once_and_what_is_lately_is_of_five_minutes() {
    let world = World::migrated().await;
    world
        .tick("11:59:00", &[dependency("storage", "degraded")])
        .await;
    world
        .execute(
            "insert into auth.users (id) values ('00000000-0000-4000-8000-00000000000a');
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, timestamp)
             select '/a', 'GET', status, 50, '00000000-0000-4000-8000-00000000000a', time::timestamptz
             from unnest('{200,401,404,500,7}'::int[]) as status,
                 unnest('{2026-11-24T11:58:30Z,2026-11-24T11:00:00Z,2024-02-29T01:00:00Z}'::text[]) as time;
             insert into public.error_logs (message, severity, context, timestamp)
             values ('x', 'critical', '{\"category\": \"ai\"}', '2026-11-24T11:58:30Z'),
                    ('x', 'critical', '{\"category\": \"ai\"}', '2026-11-01T11:58:30Z')",
        )
        .await;
    for rolled in [false, true] {
        if rolled {
            world
                .execute("select ops.roll_up_figures(10000, '2026-11-24T12:00:00Z')")
                .await;
        }
        let told = metrics(&world, "12:00:00").await;
        assert_eq!(told["requests"]["tallies"], json!([0, 3, 0, 3, 3, 3, 3]));
        assert_eq!(told["requests"]["milliseconds"], 750.0);
        assert_eq!(told["requests"]["counts"], json!([15]));
        assert_eq!(
            told["endpoints"],
            json!({"most": [{"endpoint": "GET /a", "requests": 4, "failed": 1,
                             "p50": 50.0, "p95": 50.0, "p99": 50.0}],
                   "requests": 4, "failed": 1})
        );
        assert_eq!(told["errors"]["severities"]["critical"], 2);
        assert_eq!(
            told["errors"]["categories"],
            json!([{"category": "ai", "errors": 1}])
        );
        assert_eq!(told["people"], json!({"24h": 1, "7d": 1, "30d": 1}));
        assert_eq!(told["services"][0]["status"], "degraded");
        assert_eq!(told["services"][0]["milliseconds"], 20);
    }
}

#[tokio::test]
async fn counters_never_decline_whatever_is_rolled_up_and_deleted() {
    let world = World::of_ninety_days().await;
    world
        .execute(
            "insert into ops.door_keys (id, name, items_a_minute, items_a_day, created_at, created_by)
             values (1, 'web', 10, 10, '2025-01-01T00:00:00Z', 'anna');
             insert into ops.door_counts (key, span, begins_at, taken, refused)
             select 1, 'day', '2025-10-01T00:00:00Z'::timestamptz + nth * interval '1 day', 10, 1
             from generate_series(0, 400) as nth;
             insert into ops.door_drops (at, key, source, reason, items)
             select '2025-10-01T00:00:00Z'::timestamptz + nth * interval '1 day', 1, 'own', 'unusable', 3
             from generate_series(0, 400) as nth",
        )
        .await;
    let before = metrics(&world, "12:00:30").await;
    assert_eq!(before["door"]["taken"][0]["items"], 4010);
    assert_eq!(before["door"]["dropped"], json!({"own": 1203}));
    assert!(before["requests"]["tallies"][1].as_u64() > Some(100));
    let before = counters(&before);
    // A day, a week, a quarter and years later, each time with all that is forgotten then.
    for now in [
        "2026-11-25T12:00:00Z",
        "2026-12-02T12:00:00Z",
        "2027-03-01T12:00:00Z",
        "2029-01-01T12:00:00Z",
    ] {
        world
            .execute(&format!(
                "select ops.roll_up_figures(1000000, '{now}'),
                     ops.forget_minutes(1000000, '{now}'),
                     ops.forget_hours(1000000, ops.read_settings(), '{now}'),
                     ops.forget_door_counts('{now}')"
            ))
            .await;
        assert_eq!(counters(&metrics(&world, now).await), before, "{now}");
    }
    let left = world.value("(select count(*) from ops.door_counts)").await;
    assert_eq!(left, 0, "it was all deleted");
}

#[tokio::test]
async fn an_environment_that_does_not_exist_is_refused() {
    let world = World::migrated().await;
    let arguments = json!({"p_environment": "staging"});
    assert_eq!(world.refusal("ops_metrics", arguments).await[0], "22023");
}
