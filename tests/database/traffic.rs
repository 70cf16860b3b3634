//! Rules on the application's own figures, each over its window.

use serde_json::{Value, json};

use crate::{
    dashboard_app::is_near,
    support::{World, at, minutes, transitions, verdict},
};

/// Requests that were answered at that time.
async fn requests(world: &World, time: &str, count: u32, failures: u32, ms: u32, endpoint: &str) {
    world
        .execute(&format!(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '{endpoint}', 'GET', case when n <= {failures} then 500 else 499 end, {ms}, '{}'
             from generate_series(1, {count}) as n",
            at(time),
        ))
        .await;
}

async fn page_loads(world: &World, time: &str, count: u32, ms: u32, environment: &str) {
    world
        .execute(&format!(
            "insert into public.performance_metrics (name, value, unit, environment, timestamp)
             select 'page_load_time', {ms}, 'ms', '{environment}', '{}' from generate_series(1, {count})",
            at(time),
        ))
        .await;
}

/// What a tick at noon says of that rule.
async fn at_noon(world: &World, rule: &str) -> Value {
    let tick = world.tick("12:00:00", &[]).await;
    let mut seen = verdict(&tick, rule, "app").clone();
    for key in ["rule", "subject"] {
        seen.as_object_mut().unwrap().remove(key);
    }
    seen
}

#[tokio::test]
async fn error_rate() {
    for (rows, expected) in [
        // 500 and above over all rows of the last five minutes.
        (
            vec![
                ("11:59:00", 40, 3),
                ("11:55:00", 100, 100),
                ("12:00:01", 100, 100),
            ],
            json!({"verdict": "bad", "value": 7.5, "threshold": 5, "unit": "%", "samples": 40}),
        ),
        (
            vec![("12:00:00", 40, 2)],
            json!({"verdict": "good", "value": 5.0, "threshold": 5, "unit": "%", "samples": 40}),
        ),
        (
            vec![("11:59:00", 29, 29)],
            json!({"verdict": "insufficient", "value": 100.0, "threshold": 5, "unit": "%", "samples": 29}),
        ),
        (
            vec![("11:59:00", 3, 0)],
            json!({"verdict": "good", "value": 0.0, "threshold": 5, "unit": "%", "samples": 3}),
        ),
        (
            vec![],
            json!({"verdict": "insufficient", "value": null, "threshold": 5, "unit": "%", "samples": 0}),
        ),
    ] {
        let world = World::migrated().await;
        for (time, count, failures) in &rows {
            requests(&world, time, *count, *failures, 10, "/").await;
        }
        assert_eq!(
            at_noon(&world, "error_rate_high").await,
            expected,
            "{rows:?}"
        );
    }
}

#[tokio::test]
async fn api_latency() {
    let world = World::migrated().await;
    requests(&world, "11:58:00", 90, 0, 100, "/a").await;
    requests(&world, "11:58:00", 10, 0, 6000, "/b").await;
    // In the window of the average, not in that of the percentile.
    requests(&world, "11:50:00", 100, 0, 200, "/c").await;
    requests(&world, "11:44:00", 500, 0, 60000, "/d").await;
    let tick = world.tick("12:00:00", &[]).await;
    let slow = verdict(&tick, "api_slow", "app");
    assert_eq!(
        (&slow["verdict"], &slow["samples"]),
        (&json!("bad"), &json!(100))
    );
    is_near(&slow["value"], 6000.0);
    // (90 × 100 + 10 × 6000 + 100 × 200) / 200
    let average = verdict(&tick, "api_average_slow", "app");
    assert_eq!(
        (&average["verdict"], &average["value"], &average["samples"]),
        (&json!("good"), &json!(445.0), &json!(200)),
    );
}

#[tokio::test]
async fn page_load() {
    let world = World::migrated().await;
    page_loads(&world, "11:46:00", 30, 2001, "production").await;
    page_loads(&world, "11:46:00", 90, 1, "preview").await;
    page_loads(&world, "11:45:00", 90, 1, "production").await;
    assert_eq!(
        at_noon(&world, "page_load_slow").await,
        json!({"verdict": "bad", "value": 2001.0, "threshold": 2000, "unit": "ms", "samples": 30}),
    );
}

#[tokio::test]
async fn an_endpoint_is_slow_by_itself_and_recovers_in_silence() {
    let world = World::migrated().await;
    // Four of thirty are slow: the 95th percentile is, the median is not.
    requests(&world, "11:30:00", 26, 0, 100, "/api/scan").await;
    requests(&world, "11:30:00", 4, 0, 2001, "/api/scan?image=1").await;
    requests(&world, "11:30:00", 29, 0, 9000, "/api/rare").await;
    requests(&world, "11:30:00", 900, 0, 5, "/api/wines").await;
    let mut happened = Vec::new();
    for now in minutes("12:00:00", 3) {
        let tick = world.tick(&now, &[]).await;
        assert_eq!(
            verdict(&tick, "endpoint_slow", "GET /api/rare"),
            &Value::Null
        );
        assert_eq!(
            verdict(&tick, "endpoint_slow", "GET /api/wines"),
            &Value::Null
        );
        assert_eq!(
            verdict(&tick, "endpoint_slow", "GET /api/scan"),
            &json!({"rule": "endpoint_slow", "subject": "GET /api/scan", "verdict": "bad",
                    "value": 2001.0, "threshold": 2000, "unit": "ms", "samples": 30}),
        );
        happened.extend(transitions(&tick));
    }
    for now in minutes("12:30:01", 2) {
        happened.extend(transitions(&world.tick(&now, &[]).await));
    }
    assert_eq!(
        happened,
        [
            "opened endpoint_slow GET /api/scan",
            "resolved endpoint_slow GET /api/scan"
        ]
    );
}

#[tokio::test]
async fn no_traffic_neither_opens_nor_resolves() {
    let world = World::migrated().await;
    requests(&world, "11:59:00", 40, 40, 10, "/").await;
    let mut opened = Vec::new();
    for now in minutes("11:59:30", 3) {
        opened.extend(transitions(&world.tick(&now, &[]).await));
    }
    assert_eq!(
        opened,
        [
            "opened error_rate_high app",
            "opened slo_fast_burn app",
            "opened slo_slow_burn app",
        ]
    );
    for now in minutes("12:10:00", 5) {
        assert!(transitions(&world.tick(&now, &[]).await).is_empty());
    }
    requests(&world, "12:15:30", 5, 0, 10, "/").await;
    // The last half hour still burns.
    let mut resolved = Vec::new();
    for now in minutes("12:16:00", 2) {
        resolved.extend(transitions(&world.tick(&now, &[]).await));
    }
    assert_eq!(resolved, ["resolved error_rate_high app"],);
}
