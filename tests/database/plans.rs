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
const EVENT_TABLES: [&str; 10] = [
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
            "load 'auto_explain';
             set auto_explain.log_min_duration = 0;
             set auto_explain.log_nested_statements = on;
             -- Names tables with their schema: ops.alerts is not public.alerts.
             set auto_explain.log_verbose = on;
             set auto_explain.log_level = notice;
             set role service_role",
        )
        .await
        .unwrap();
    (client, plans)
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
    let world = World::migrated().await;
    world.execute(include_str!("../sql/ninety_days.sql")).await;
    let (client, plans) = explained(&world).await;
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
            "ops_api_usage_metrics_time_idx",
            "ops_performance_metrics_name_time_idx",
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
            for index in [
                "ops_api_usage_metrics_time_idx",
                "ops_analytics_events_time_idx",
                "ops_error_logs_time_idx",
                "ops_business_metrics_time_idx",
                "samples_check_idx",
            ] {
                assert!(
                    of_dashboard.contains(index),
                    "{index} at {seconds}: {of_dashboard:?}"
                );
            }
        }
    }

    // A plain session, as the gateway's, for the time it takes.
    world.execute("vacuum").await;
    for seconds in [3600, 86400, 604_800, 2_592_000, 7_776_000] {
        let mut took = Vec::new();
        for _ in 0..5 {
            let milliseconds = format!(
                "with started as materialized (select clock_timestamp() as at),
                      called as materialized (
                          select public.ops_dashboard({seconds}, 'production', '{}') as document from started
                      )
                 select extract(epoch from clock_timestamp() - started.at)::float8 * 1000
                 from started, called where called.document is not null",
                at("12:00:30"),
            );
            let row = world.admin.query_one(&milliseconds, &[]).await.unwrap();
            took.push(row.get::<_, f64>(0));
        }
        took.sort_by(f64::total_cmp);
        println!(
            "dashboard over {seconds} s with 100,000 rows a table: {:.1} ms",
            took[2]
        );
        assert!(took[2] < 2000.0, "{took:?}");
    }
}
