//! Objectives: budgets in minutes, burn rates over pairs of windows, Web Vitals,
//! and how little traffic silences each.

use serde_json::{Value, json};

use crate::{
    dashboard_app::is_near,
    rollups::maintain,
    support::{World, app, array, at, minutes, transitions, verdict},
};

/// So many requests at that many minutes before noon.
async fn requests(world: &World, minutes_ago: u32, count: u32, failures: u32) {
    world
        .execute(&format!(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/', 'GET', case when n <= {failures} then 503 else 200 end, 100 + 10 * (n % 50),
                    timestamptz '{}' - interval '{minutes_ago} minutes'
             from generate_series(1, {count}) as n",
            at("12:00:00"),
        ))
        .await;
}

/// Verdicts of the three pairs at noon, as `rule long-window verdict`.
async fn burning(world: &World) -> Vec<String> {
    let rows = world
        .rows(&format!(
            "select concat_ws(' ', rule, long_seconds / 60, verdict) as line
             from ops.burn_rates(ops.read_settings(), '{}', 'production') order by long_seconds",
            at("12:00:00"),
        ))
        .await;
    array(&rows)
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

const HOUR: &str = "slo_fast_burn 60";
const SIX_HOURS: &str = "slo_fast_burn 360";
const THREE_DAYS: &str = "slo_slow_burn 4320";

/// A rate that is exactly the factor is good, and exactly the minimum of failures is enough.
#[tokio::test]
async fn a_burn_rate_is_bad_above_the_factor_in_both_windows() {
    let world = World::migrated().await;
    for (long, short, failures, verdict) in [
        ("null", "null", 0, "insufficient"),
        ("14.40", "99", 100, "good"),
        ("14.41", "null", 100, "insufficient"),
        ("14.41", "14.40", 100, "good"),
        ("14.41", "14.41", 9, "insufficient"),
        ("14.41", "14.41", 10, "bad"),
    ] {
        let judged = format!("ops.judge_burn({long}, {short}, 14.4, {failures}, 10)");
        assert_eq!(world.value(&judged).await, verdict, "{judged}");
    }
}

/// Rows are [minutes ago, requests, failures]; the objective is 0.1 %.
#[tokio::test]
async fn both_windows_of_a_pair_have_to_burn() {
    for (name, rows, expected) in [
        (
            "nothing is known",
            vec![],
            ["insufficient", "insufficient", "insufficient"],
        ),
        (
            "1.5 % of the last hour, and still",
            vec![(2, 1000, 15), (40, 1000, 15)],
            ["bad", "bad", "bad"],
        ),
        (
            "14.4 times is not above it",
            vec![(2, 1250, 18), (200, 100_000, 0)],
            ["good", "good", "good"],
        ),
        (
            "14.4 times of the last minutes alone",
            vec![(2, 1250, 18), (40, 1000, 100)],
            ["good", "bad", "bad"],
        ),
        (
            "14.4 times of the hour alone",
            vec![(2, 250, 10), (40, 1000, 8)],
            ["good", "bad", "bad"],
        ),
        (
            "over five minutes ago",
            vec![(2, 1000, 0), (20, 1000, 300)],
            ["good", "bad", "bad"],
        ),
        (
            "0.7 % for six hours",
            vec![(2, 1000, 7), (20, 1000, 7), (200, 1000, 7)],
            ["good", "bad", "bad"],
        ),
        (
            "0.2 % for three days",
            vec![
                (2, 1000, 2),
                (200, 1000, 2),
                (2000, 1000, 2),
                (4000, 2000, 4),
            ],
            ["good", "good", "bad"],
        ),
        (
            "older than three days",
            vec![(2, 1000, 0), (4321, 1000, 1000)],
            ["good", "good", "good"],
        ),
        (
            "one of ten requests is little to go by",
            vec![(2, 10, 1)],
            ["insufficient", "insufficient", "insufficient"],
        ),
        (
            "nine failures are too few, ten are not",
            vec![(2, 20, 9)],
            ["insufficient", "insufficient", "insufficient"],
        ),
        ("ten of twenty", vec![(2, 20, 10)], ["bad", "bad", "bad"]),
        (
            "nobody has called for half an hour",
            vec![(45, 100, 50)],
            ["insufficient", "insufficient", "bad"],
        ),
    ] {
        let world = World::migrated().await;
        for (minutes_ago, count, failures) in &rows {
            requests(&world, *minutes_ago, *count, *failures).await;
        }
        let pairs = [HOUR, SIX_HOURS, THREE_DAYS];
        let expected: Vec<String> = pairs
            .iter()
            .zip(expected)
            .map(|(pair, verdict)| format!("{pair} {verdict}"))
            .collect();
        assert_eq!(burning(&world).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_budget_that_burns_opens_one_alert_with_its_windows() {
    let world = World::migrated().await;
    requests(&world, 1, 1000, 40).await;
    let mut seen = Vec::new();
    for now in minutes("12:00:00", 3) {
        seen.extend(transitions(&world.tick(&now, &[]).await));
    }
    assert_eq!(
        seen,
        ["opened slo_fast_burn app", "opened slo_slow_burn app"]
    );
    let tick = world.tick("12:03:00", &[]).await;
    assert_eq!(
        verdict(&tick, "slo_fast_burn", "app"),
        &json!({"rule": "slo_fast_burn", "subject": "app", "verdict": "bad", "value": 40.0,
                "threshold": 14.4, "unit": "x", "samples": 1000}),
    );
    let alerts = world
        .rows("select severity, facts -> 'detail' as detail from ops.alerts order by rule")
        .await;
    assert_eq!(
        alerts,
        json!([
            {"severity": "high", "detail": {"longSeconds": 3600, "shortSeconds": 300, "shortBurn": 40.0, "failures": 40}},
            {"severity": "low", "detail": {"longSeconds": 259_200, "shortSeconds": 21600, "shortBurn": 40.0, "failures": 40}},
        ])
    );
}

#[tokio::test]
async fn thresholds_are_settings() {
    let world = World::migrated().await;
    requests(&world, 2, 1000, 15).await;
    for (key, value) in [
        ("objective.error_rate_percent", json!(2)),
        ("objective.minimum_failures", json!(16)),
        ("objective.fast_burn", json!(15)),
    ] {
        assert_eq!(burning(&world).await[0], format!("{HOUR} bad"));
        let change = |value: &Value| json!({"p_key": key, "p_value": value, "p_by": "anna"});
        world.call("ops_set_setting", change(&value)).await;
        assert_ne!(burning(&world).await[0], format!("{HOUR} bad"), "{key}");
        world.call("ops_set_setting", change(&Value::Null)).await;
    }
}

/// Counted once, whether rolled up or not.
#[tokio::test]
async fn windows_of_requests_say_what_their_rows_say() {
    let world = World::migrated().await;
    let ages = [
        0, 1, 59, 60, 61, 119, 120, 121, 400, 1439, 4319, 4321, 43_000,
    ];
    for minutes_ago in ages {
        let count = 100 + minutes_ago % 7;
        requests(&world, minutes_ago, count, 1 + minutes_ago % 5).await;
    }
    let windows = format!(
        "select * from ops.request_windows('{{60,3600,7200,7201,86400,259200,2592000}}', '{}', 'production') order by 1",
        at("12:00:00")
    );
    let pending = world.rows(&windows).await;
    for row in array(&pending) {
        // A window begins at a whole minute.
        let minutes = row["seconds"].as_u64().unwrap().div_ceil(60);
        let within = ages.iter().filter(|age| u64::from(**age) < minutes);
        let expected: u32 = within.map(|age| 100 + age % 7).sum();
        assert_eq!(row["requests"], expected, "{row}");
    }
    let noon = 12 * 3600;
    maintain(&world, noon, 7).await;
    assert_eq!(world.rows(&windows).await, pending);
    let left = "(select count(*) from ops.pending_figures)";
    assert_eq!(world.value(left).await, 0);
    maintain(&world, noon + 60, 200).await;
    assert_eq!(world.rows(&windows).await, pending);
}

/// The hours that were rolled up are over when these come.
#[tokio::test]
async fn requests_that_are_written_an_hour_late_count() {
    let world = World::migrated().await;
    requests(&world, 300, 100, 0).await;
    maintain(&world, 12 * 3600, 200).await;
    requests(&world, 300, 100, 10).await;
    let slo = world.dashboard(3600, "12:00:00").await["slo"].clone();
    assert_eq!(
        slo["errorRate"],
        json!({"target": 0.1, "percent": 5.0, "requests": 200, "failures": 10})
    );
    maintain(&world, 12 * 3600 + 60, 200).await;
    assert_eq!(
        world.dashboard(3600, "12:00:00").await["slo"]["errorRate"],
        slo["errorRate"]
    );
}

#[tokio::test]
async fn an_error_budget_is_minutes() {
    let world = World::migrated().await;
    let slo = world.dashboard(3600, "12:00:00").await["slo"].clone();
    // 43 min 12 s in 30 days, 8 h 45 min 36 s in a year, and nothing is known.
    assert_eq!(
        slo["availability"],
        json!({
            "target": 99.9,
            "30d": {"budgetMinutes": 43.2, "minutesLeft": null, "percent": null},
            "1y": {"budgetMinutes": 525.6, "minutesLeft": null, "percent": null},
        })
    );
    for now in minutes("11:00:00", 50) {
        world.tick(&now, &[app("down")]).await;
    }
    let slo = world.dashboard(3600, "11:50:00").await["slo"].clone();
    assert_eq!(
        [
            &slo["availability"]["30d"]["minutesLeft"],
            &slo["availability"]["1y"]["minutesLeft"]
        ],
        [&json!(-6.8), &json!(475.6)],
    );
}

#[tokio::test]
async fn the_share_of_fast_answers_and_of_failures() {
    let world = World::migrated().await;
    // Response times of 100 to 590 ms, evenly: 40 of 50 are below 500.
    requests(&world, 5, 1000, 3).await;
    let slo = world.dashboard(3600, "12:00:00").await["slo"].clone();
    assert_eq!(
        slo["latency"],
        json!({"targetMs": 500, "percent": 80.0, "requests": 1000})
    );
    assert_eq!(
        slo["errorRate"],
        json!({"target": 0.1, "percent": 0.3, "requests": 1000, "failures": 3})
    );
}

pub(crate) async fn views(world: &World, name: &str, count: u32, poor: u32, values: (f64, f64)) {
    world
        .execute(&format!(
            "insert into public.performance_metrics (name, value, unit, timestamp)
             select '{name}', case when n <= {poor} then {} else {} end, 'count',
                    timestamptz '{}' - n * interval '1 minute'
             from generate_series(1, {count}) as n",
            values.1,
            values.0,
            at("12:00:00"),
        ))
        .await;
}

#[tokio::test]
async fn a_web_vital_is_poor_at_its_75th_percentile_and_with_enough_views() {
    let world = World::migrated().await;
    views(&world, "LCP", 200, 60, (1200.0, 4000.0)).await;
    views(&world, "INP", 200, 40, (90.0, 900.0)).await;
    views(&world, "CLS", 99, 99, (0.3, 0.3)).await;
    // A day old.
    world
        .execute(&format!(
            "insert into public.performance_metrics (name, value, unit, timestamp)
             select 'FID', 500, 'ms', timestamptz '{}' - interval '1 day' from generate_series(1, 500)",
            at("12:00:00")
        ))
        .await;
    maintain(&world, 12 * 3600, 200).await;
    let tick = world.tick("12:00:00", &[]).await;
    for (name, expected) in [
        (
            "LCP",
            json!({"verdict": "bad", "value": 4000.0, "threshold": 2500, "unit": "ms", "samples": 200}),
        ),
        (
            "INP",
            json!({"verdict": "good", "value": 90.0, "threshold": 200, "unit": "ms", "samples": 200}),
        ),
        (
            "CLS",
            json!({"verdict": "insufficient", "value": 0.3, "threshold": 0.1, "unit": null, "samples": 99}),
        ),
    ] {
        let mut expected = expected;
        expected["rule"] = json!("web_vital_poor");
        expected["subject"] = json!(name);
        let mut said = verdict(&tick, "web_vital_poor", name).clone();
        is_near(&said["value"], expected["value"].as_f64().unwrap());
        said["value"] = expected["value"].clone();
        assert_eq!(said, expected);
    }
    assert_eq!(verdict(&tick, "web_vital_poor", "FID"), &Value::Null);

    let slo = world.dashboard(3600, "12:00:00").await["slo"].clone();
    let mut lcp = slo["webVitals"]["LCP"].clone();
    is_near(&lcp["p75"], 4000.0);
    lcp["p75"] = json!(4000.0);
    assert_eq!(
        lcp,
        json!({"p75": 4000.0, "target": 2500, "views": 200, "verdict": "bad",
               "measuredAt": "2026-11-24T12:00:00+00:00"})
    );
    assert_eq!(slo["webVitals"]["FID"]["p75"], Value::Null);
    // Nobody has measured for an hour: nothing is known.
    let tick = world.tick("13:00:00", &[]).await;
    assert_eq!(
        verdict(&tick, "web_vital_poor", "LCP")["verdict"],
        "insufficient"
    );
}

#[tokio::test]
async fn a_web_vital_that_pages_no_longer_report_resolves() {
    let world = World::migrated().await;
    views(&world, "FID", 200, 200, (0.0, 300.0)).await;
    maintain(&world, 12 * 3600, 200).await;
    let mut seen = Vec::new();
    for now in minutes("12:00:00", 3) {
        seen.extend(transitions(&world.tick(&now, &[]).await));
    }
    assert_eq!(seen, ["opened web_vital_poor FID"]);
    // As if they were older than a day.
    world
        .execute("delete from ops.figures where kind = 'metric'")
        .await;
    views(&world, "INP", 200, 0, (90.0, 0.0)).await;
    maintain(&world, 12 * 3600 + 300, 200).await;
    seen.clear();
    for now in minutes("12:06:00", 2) {
        seen.extend(transitions(&world.tick(&now, &[]).await));
    }
    assert_eq!(seen, ["resolved web_vital_poor FID"]);
}
