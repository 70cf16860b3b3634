//! How the tick and the dashboard read: with 100,000 rows a table over 90 days,
//! no event table is read from end to end.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::support::{World, app, at, call, dependency};

/// The tables that grow with traffic and time.
const EVENT_TABLES: [&str; 11] = [
    "public.analytics_events",
    "public.performance_metrics",
    "public.error_logs",
    "public.business_metrics",
    "public.alerts",
    "public.system_health",
    "public.user_sessions",
    "public.feature_usage",
    "public.api_usage_metrics",
    "ops.samples",
    "ops.uptime_spans",
];

/// A session whose plans, those of nested statements included, are collected.
async fn explained(world: &World) -> (Client, Arc<Mutex<Vec<String>>>) {
    let (client, mut connection) = world.config().await.connect(NoTls).await.unwrap();
    let plans = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&plans);
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notice(notice) = message {
                seen.lock().unwrap().push(notice.message().to_owned());
            }
        }
    });
    client
        .batch_execute(
            "set plan_cache_mode = auto;
             load 'auto_explain';
             set auto_explain.log_min_duration = 0;
             set auto_explain.log_nested_statements = on;
             set auto_explain.log_analyze = on;
             set auto_explain.log_timing = off;
             -- Names tables with their schema: ops.alerts is not public.alerts.
             set auto_explain.log_verbose = on;
             set auto_explain.log_level = notice;
             set role service_role",
        )
        .await
        .unwrap();
    (client, plans)
}

/// How many rows of a table the plans so far have read.
fn rows_of(table: &str, plans: &Mutex<Vec<String>>) -> f64 {
    let plans = plans.lock().unwrap();
    let scans = plans.iter().flat_map(|plan| plan.lines()).filter(|line| {
        line.split(" on ")
            .nth(1)
            .is_some_and(|rest| rest.split(' ').next() == Some(table))
    });
    let number = |line: &str, name: &str| -> f64 {
        let text = line.rsplit(name).next().unwrap();
        let digits = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
        digits.into_iter().next().unwrap().parse().unwrap()
    };
    scans
        .filter(|line| line.contains("actual rows="))
        .map(|line| number(line, "actual rows=") * number(line, "loops="))
        .sum()
}

/// Fails on any plan that scans an event table from end to end, and returns the
/// names of the indexes that were used instead.
fn indexes_of(plans: &Mutex<Vec<String>>) -> BTreeSet<String> {
    let mut indexes = BTreeSet::new();
    for plan in plans.lock().unwrap().drain(..) {
        for line in plan.lines() {
            for table in EVENT_TABLES {
                let scanned = line
                    .split("Seq Scan on ")
                    .nth(1)
                    .is_some_and(|rest| rest.split(' ').next() == Some(table));
                assert!(!scanned, "{table} is scanned sequentially:\n{plan}");
            }
            for marker in ["Scan using ", "Scan Backward using ", "Index Scan on "] {
                if let Some(rest) = line.split(marker).nth(1) {
                    let name = rest.split(' ').next().unwrap();
                    indexes.insert(name.rsplit('.').next().unwrap().to_owned());
                }
            }
        }
    }
    indexes
}

fn dashboard(seconds: u32) -> Value {
    json!({"p_seconds": seconds, "p_environment": "production", "p_now": at("12:00:30")})
}

/// One tick with its alerts open, so that every branch of the rules is taken.
async fn tick(client: &Client, now: &str) -> Value {
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "monitor", "p_every_seconds": 60,
        "p_lease_seconds": 55, "p_manual": false, "p_now": at(now),
    });
    let claim = call(client, "ops_claim_run", claim).await.unwrap();
    let commit = json!({
        "p_run": claim["run"], "p_fence": claim["fence"], "p_now": at(now),
        "p_tick": {
            "environment": "production", "deployment": null, "everySeconds": 60,
            "checks": [app("down"), dependency("database", "up"), dependency("ai", "down")],
            "channels": ["slack", "email"], "emergency": null,
        },
    });
    call(client, "ops_commit_tick", commit).await.unwrap()
}

#[tokio::test]
async fn no_event_table_is_read_from_end_to_end() {
    let world = World::of_ninety_days().await;
    let (client, plans) = explained(&world).await;
    maintain(&client, "11:59:00").await;
    let of_job = indexes_of(&plans);
    for index in [
        "ops_api_usage_metrics_time_idx",
        "ops_analytics_events_time_idx",
        "ops_error_logs_time_idx",
        "ops_performance_metrics_name_time_idx",
        "ops_business_metrics_time_idx",
        "ops_user_sessions_time_idx",
        "ops_feature_usage_date_idx",
    ] {
        assert!(of_job.contains(index), "{index}: {of_job:?}");
    }
    // Without statistics, then with them, as autovacuum gathers them.
    for analyzed in [false, true] {
        if analyzed {
            world.execute("analyze").await;
        }
        let first = if analyzed { "12:05:00" } else { "12:00:00" };
        for now in crate::support::minutes(first, 4) {
            let committed = tick(&client, &now).await;
            assert_eq!(committed["outcome"], "committed", "{committed}");
        }
        let of_ticks = indexes_of(&plans);
        for index in [
            "figures_pkey",
            "ops_error_logs_critical_idx",
            "ops_alerts_time_idx",
            "samples_check_idx",
        ] {
            assert!(
                of_ticks.contains(index),
                "{index} is not used by ticks: {of_ticks:?}"
            );
        }
        for seconds in [3600, 86400] {
            call(&client, "ops_dashboard", dashboard(seconds))
                .await
                .unwrap();
            let of_dashboard = indexes_of(&plans);
            for index in ["figures_pkey", "samples_check_idx"] {
                assert!(
                    of_dashboard.contains(index),
                    "{index} at {seconds}: {of_dashboard:?}"
                );
            }
        }
    }
}

/// Rolls everything up, part by part, as the maintenance job does.
async fn maintain(client: &Client, now: &str) {
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 57, "p_manual": false, "p_now": at(now),
    });
    let claim = call(client, "ops_claim_run", claim).await.unwrap();
    let part = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_now": at(now)});
    while call(client, "ops_maintain", part.clone()).await.unwrap()["outcome"] == "more" {}
}

#[tokio::test]
async fn a_year_is_read_from_its_days_and_a_tick_from_its_hour() {
    let world = World::of_ninety_days().await;
    world.execute("vacuum analyze").await;
    let (client, plans) = explained(&world).await;

    tick(&client, &at("12:05:00")).await;
    let before = rows_of("ops.samples", &plans);
    assert!(before > 500.0, "{before} samples");
    indexes_of(&plans);

    maintain(&client, "12:15:00").await;
    let of_job = indexes_of(&plans);
    for index in [
        "samples_pkey",
        "samples_check_idx",
        "uptime_spans_pkey",
        "ops_api_usage_metrics_time_idx",
        "ops_performance_metrics_name_time_idx",
    ] {
        assert!(of_job.contains(index), "{index}: {of_job:?}");
    }
    world.execute("vacuum analyze").await;

    tick(&client, &at("12:16:00")).await;
    let after = rows_of("ops.samples", &plans);
    assert!(after < 100.0, "{after} samples after the roll-up");
    indexes_of(&plans);

    call(&client, "ops_dashboard", dashboard(31_536_000))
        .await
        .unwrap();
    let samples = rows_of("ops.samples", &plans);
    let spans = rows_of("ops.uptime_spans", &plans);
    let days = rows_of("ops.uptime_days", &plans);
    let figures = rows_of("ops.figures", &plans);
    println!("a year reads {samples} samples, {spans} spans, {days} days and {figures} figures");
    assert!(figures > 100.0 && figures < 20_000.0, "{figures} figures");
    // Of four checks the hour that is open, the days that a window's bound
    // cuts, and of ninety days each once; the strips of three services read them again.
    assert!(samples < 100.0, "{samples} samples");
    assert!(spans < 4.0 * 6.0 * 278.0, "{spans} spans");
    assert!(days > 300.0 && days <= 360.0 + 3.0 * 90.0, "{days} days");
    indexes_of(&plans);

    // A plain session, as the gateway's, and within the limit of those.
    world
        .execute("set plan_cache_mode = auto; set statement_timeout = '8s'")
        .await;
    for seconds in [3600, 86400, 604_800, 2_592_000, 7_776_000] {
        let document = world.dashboard(seconds, "12:00:30").await;
        assert!(document.is_object(), "{seconds} s");
    }
}
