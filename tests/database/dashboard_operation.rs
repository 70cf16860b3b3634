//! The dashboard's sections about operation: every number from rows that were
//! counted by hand.

use serde_json::{Value, json};

use crate::{
    dashboard::{never_run, section},
    support::{World, at},
};

#[tokio::test]
async fn outbox() {
    let world = World::migrated().await;
    let quiet = json!({"p_key": "reminder.critical_minutes", "p_value": 0, "p_by": "test"});
    world.call("ops_set_setting", quiet).await;
    let raise = |severity: &str, channels: Value, now: &str| {
        json!({"p_request": uuid::Uuid::new_v4(), "p_channels": channels, "p_now": at(now), "p_alerts": [
            {"status": "firing", "source": "ci", "type": "t", "severity": severity, "title": "T", "subject": now},
        ]})
    };
    let both = json!(["slack", "email"]);
    world
        .call(
            "ops_raise_alerts",
            raise("medium", both.clone(), "2026-11-23T11:00:00Z"),
        )
        .await;
    world.deliver("2026-11-23T11:59:59Z").await;
    world
        .call(
            "ops_raise_alerts",
            raise("critical", both.clone(), "2026-11-23T12:30:00Z"),
        )
        .await;
    world.deliver("2026-11-23T12:30:01Z").await;
    world
        .call("ops_raise_alerts", raise("low", both.clone(), "11:00:00"))
        .await;
    world
        .call("ops_raise_alerts", raise("critical", both, "11:59:00"))
        .await;
    world
        .call("ops_raise_alerts", raise("medium", json!([]), "11:59:30"))
        .await;
    let mut outbox = section(&world, "outbox").await;
    let dead = outbox["dead"][0].as_object_mut().unwrap();
    assert!(dead.remove("id").unwrap().is_string());
    assert_eq!(
        outbox,
        json!({
            "pending": 3, "oldestPendingSeconds": 60.0, "sent24h": 2,
            "dead": [{"channel": null, "rule": "external", "severity": "medium",
                      "error": "no channel configured", "at": "2026-11-24T11:59:30+00:00"}],
        }),
    );
}

#[tokio::test]
async fn jobs() {
    let world = World::migrated().await;
    world.tick("11:50:05", &[]).await;
    let claim = world.claim("11:57:05").await;
    let finish = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "failed",
                        "p_summary": {}, "p_now": at("11:57:07.5")});
    world.call("ops_finish_run", finish).await;
    let jobs = section(&world, "jobs").await;
    assert_eq!(
        jobs,
        json!([never_run("backup", 1800), never_run("maintenance", 600), {
            "job": "monitor", "everySeconds": 60, "lastSlot": "2026-11-24T11:57:00+00:00",
            "lastOutcome": "failed", "lastStartedAt": "2026-11-24T11:57:05+00:00",
            "lastFinishedAt": "2026-11-24T11:57:07.5+00:00", "durationMs": 2500, "missed24h": 6,
            "status": "ok",
        }]),
    );
    let later = world.dashboard(3600, "12:00:01").await["jobs"].clone();
    assert_eq!(later[2]["status"], "overdue");
    let next_day = world.dashboard(3600, "2026-11-25T11:53:30Z").await["jobs"].clone();
    assert_eq!(next_day[2]["missed24h"], 3);
}

#[tokio::test]
async fn database() {
    let world = World::migrated().await;
    let database = section(&world, "database").await;
    let real = world
        .rows(
            "select current_setting('max_connections')::int as maximum, current_setting('server_version') as version,
                    pg_database_size(current_database()) as size",
        )
        .await;
    assert_eq!(database["version"], real[0]["version"]);
    assert_eq!(database["connections"]["maximum"], real[0]["maximum"]);
    let used = database["connections"]["used"].as_i64().unwrap();
    assert!(used >= 2, "{used} connections, two of them ours");
    let (size, now) = (
        database["sizeBytes"].as_f64().unwrap(),
        real[0]["size"].as_f64().unwrap(),
    );
    assert!((size / now - 1.0).abs() < 0.05, "{size} and {now}");
    let ratio = database["cacheHitRatio"].as_f64().unwrap();
    assert!((1.0..=100.0).contains(&ratio), "{ratio}");
}

/// The view stands in for the extension, which needs a setting of the server.
#[tokio::test]
async fn slow_queries_come_from_pg_stat_statements_where_it_is() {
    let world = World::migrated().await;
    world
        .execute("drop extension if exists pg_stat_statements")
        .await;
    assert_eq!(
        section(&world, "database").await["slowQueries"],
        Value::Null
    );
    world
        .execute(
            "create schema telemetry;
             create extension pg_stat_statements schema telemetry;
             alter extension pg_stat_statements drop view telemetry.pg_stat_statements;
             drop view telemetry.pg_stat_statements;
             create view telemetry.pg_stat_statements as
             select d.oid as dbid, s.*
             from pg_database as d,
                  (values ('select   1', 2::bigint, 500.5::float8, 1001::float8),
                          ('select 2', 3, 900, 2700),
                          ('select fast', 1000, 500, 500000),
                          ('alter role x password ''y''', 1, 9000, 9000)) as s (query, calls, mean_exec_time, total_exec_time)
             where d.datname = current_database()
             union all
             select 0, 'elsewhere', 1, 9000, 9000",
        )
        .await;
    world
        .execute("grant usage on schema telemetry to postgres; grant select on telemetry.pg_stat_statements to postgres")
        .await;
    assert_eq!(
        section(&world, "database").await["slowQueries"],
        json!([{"query": "select 2", "calls": 3, "meanMs": 900.0, "totalMs": 2700.0},
               {"query": "select 1", "calls": 2, "meanMs": 500.5, "totalMs": 1001.0}]),
    );
}
