//! What the server says of itself: connections, statements without their values, locks and
//! tables.

use std::time::Duration;

use ops::monitoring::document::Database;
use outside::clock;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    dashboard::section,
    support::{World, array},
};

/// How long a session may take to wait for a lock.
const PATIENCE: Duration = Duration::from_secs(10);

async fn shown(world: &World) -> Value {
    world.call("ops_show_database", json!({})).await
}

#[tokio::test]
async fn the_server_is_as_its_own_views_say() {
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
    let active = database["connections"]["byState"]["active"]
        .as_i64()
        .unwrap();
    assert!(active >= 1, "{active} active, one of them ours");
    let (size, now) = (
        database["sizeBytes"].as_f64().unwrap(),
        real[0]["size"].as_f64().unwrap(),
    );
    assert!((size / now - 1.0).abs() < 0.05, "{size} and {now}");
    let ratio = database["cacheHitRatio"].as_f64().unwrap();
    assert!((1.0..=100.0).contains(&ratio), "{ratio}");
    assert_eq!(
        (&database["locks"], &database["longestTransaction"]),
        (&json!([]), &Value::Null)
    );
    let typed: Database = serde_json::from_value(database.clone()).unwrap();
    assert_eq!(
        json!(typed).as_object().unwrap().len(),
        database.as_object().unwrap().len()
    );
}

#[tokio::test]
async fn a_statement_is_shown_without_its_values() {
    let world = World::migrated().await;
    for (statement, shown) in [
        (
            "select *\n  from wines where id = $1",
            "select * from wines where id = $1",
        ),
        (
            "select 'it''s', 12, 1.5e3, a1 from t_2 where b=-7",
            "select …, …, … , a1 from t_2 where b=-…",
        ),
        (r"select E'a\'secret', 'b\', 'secret'", "select …, …, …"),
        ("select 1 -- it's secret\n, 'secret'", "select … … , …"),
        ("select /* it's */ 'secret' /* secret */", "select … … …"),
        ("do $x$ secret $x$", "do …"),
        ("select $$secret$$, 'secret'", "select …"),
        ("select 'secret", "select …"),
        ("select /* secret", "select …"),
        ("alter role a Password 'secret'", "(not shown)"),
        ("", ""),
    ] {
        let quoted = format!("$quote${statement}$quote$");
        let text = world.value(&format!("ops.show_statement({quoted})")).await;
        let text = text.as_str().unwrap();
        assert_eq!(
            text.replace(" ,", ","),
            shown.replace(" ,", ","),
            "{statement}"
        );
        assert!(!text.contains("secret"), "{text}");
    }
    let long = world
        .value("length(ops.show_statement('select ' || repeat('a, ', 10000)))")
        .await;
    assert_eq!(long, 300);
}

#[tokio::test]
async fn statements_come_from_pg_stat_statements_where_the_server_has_it() {
    let world = World::migrated().await;
    let installed = "exists (select from pg_extension where extname = 'pg_stat_statements')";
    if world.value(installed).await != json!(true) {
        let unknown = shown(&world).await["queriesUnknown"].clone();
        assert_eq!(unknown, "pg_stat_statements is not installed");
        eprintln!("skipped: this server does not load pg_stat_statements");
        return;
    }
    world
        .execute(
            "select extensions.pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)",
        )
        .await;
    for value in ["one", "two"] {
        world
            .execute(&format!(
                "select '{value}' as hidden from generate_series(1, 3)"
            ))
            .await;
    }
    let database = shown(&world).await;
    assert_eq!(
        (&database["slowQueries"], &database["queriesUnknown"]),
        (&json!([]), &Value::Null)
    );
    let top = array(&database["topQueries"]);
    let ours = top
        .iter()
        .find(|one| one["query"].as_str().unwrap().contains("hidden"));
    let ours = ours.unwrap_or_else(|| panic!("{top:?}"));
    assert_eq!(
        (&ours["query"], &ours["calls"], &ours["rows"]),
        (
            &json!("select $1 as hidden from generate_series($2, $3)"),
            &json!(2),
            &json!(6)
        )
    );
    assert!(
        ours["maxMs"].as_f64().unwrap() >= ours["meanMs"].as_f64().unwrap(),
        "{ours}"
    );

    world.execute("drop extension pg_stat_statements").await;
    let without = shown(&world).await;
    assert_eq!(
        (
            &without["slowQueries"],
            &without["topQueries"],
            &without["queriesUnknown"]
        ),
        (
            &Value::Null,
            &Value::Null,
            &json!("pg_stat_statements is not installed")
        )
    );
}

/// The view stands in for the extension, whose times cannot be chosen.
#[tokio::test]
async fn slow_statements_are_those_with_a_mean_above_half_a_second() {
    let world = World::migrated().await;
    world
        .execute(
            "drop extension if exists pg_stat_statements;
             create schema telemetry;
             create extension pg_stat_statements schema telemetry;
             alter extension pg_stat_statements drop view telemetry.pg_stat_statements;
             drop view telemetry.pg_stat_statements;
             create view telemetry.pg_stat_statements as
             select d.oid as dbid, s.*, 900::float8 as max_exec_time, 7::bigint as rows, 3::bigint as shared_blks_hit,
                    1::bigint as shared_blks_read
             from pg_database as d,
                  (values ('select   1', 2::bigint, 500.5::float8, 1001::float8),
                          ('select x', 3, 900, 2700),
                          ('select fast', 1000, 500, 500000),
                          ('alter role x password ''y''', 1, 9000, 9000)) as s (query, calls, mean_exec_time, total_exec_time)
             where d.datname = current_database()
             union all
             select 0, 'elsewhere', 1, 9000, 9000, 9000, 1, 0, 0;
             grant usage on schema telemetry to postgres; grant select on telemetry.pg_stat_statements to postgres",
        )
        .await;
    let database = section(&world, "database").await;
    let one = |query: &str, calls: u32, mean: f64, total: f64| {
        json!({"query": query, "calls": calls, "meanMs": mean, "totalMs": total, "maxMs": 900.0, "rows": 7,
               "cacheHitPercent": 75.0})
    };
    let slow = [
        one("(not shown)", 1, 9000.0, 9000.0),
        one("select x", 3, 900.0, 2700.0),
        one("select …", 2, 500.5, 1001.0),
    ];
    assert_eq!(database["slowQueries"], json!(slow));
    assert_eq!(
        database["topQueries"][0],
        one("select fast", 1000, 500.0, 500_000.0)
    );
    assert_eq!(array(&database["topQueries"]).len(), 4);
}

#[tokio::test]
async fn who_waits_for_a_lock_is_shown_with_whom_they_wait_for() {
    let world = World::migrated().await;
    world.execute("create table public.wines_held ()").await;
    let holder = world.session().await;
    let waiter = world.session().await;
    holder
        .batch_execute("begin; lock table public.wines_held")
        .await
        .unwrap();
    let waiting = waiter.batch_execute("select from public.wines_held /* geheim */");
    let looking = async {
        loop {
            let database = shown(&world).await;
            if database["locks"] != json!([]) {
                break database;
            }
        }
    };
    let database = tokio::select! {
        _ = waiting => panic!("nobody holds the lock"),
        database = timeout(PATIENCE, looking) => database.expect("somebody who waits"),
    };
    let lock = &database["locks"][0];
    assert_eq!(
        (&lock["waitsFor"], &lock["query"]),
        (
            &json!("relation"),
            &json!("select from public.wines_held …")
        )
    );
    let blocking = &lock["blockedBy"][0];
    assert_eq!(blocking["state"], "idle in transaction");
    assert_eq!(array(&lock["blockedBy"]).len(), 1);
    assert_eq!(database["longestTransaction"]["pid"], blocking["pid"]);
    assert!(
        database["longestTransaction"]["seconds"].as_f64().unwrap() >= 0.0,
        "{database}"
    );
}

#[tokio::test]
async fn a_table_is_shown_with_its_dead_rows_and_what_is_empty_in_it() {
    let world = World::migrated().await;
    world
        .execute(
            "create table public.cellar with (autovacuum_enabled = false) as
             select n, repeat('x', 500) as text from generate_series(1, 8000) as n;
             delete from public.cellar where n % 4 = 0",
        )
        .await;
    // What the session has counted so far would be taken from what the analysis finds.
    world.execute("select pg_stat_force_next_flush()").await;
    world.execute("analyze public.cellar").await;
    let cellar = async || {
        let database = shown(&world).await;
        let tables = array(&database["tables"]).clone();
        assert!(tables.len() <= 10, "{tables:?}");
        let found = tables
            .into_iter()
            .find(|table| table["table"] == "public.cellar");
        found.unwrap_or_else(|| panic!("{database}"))
    };
    let full = cellar().await;
    assert_eq!(
        (
            &full["rows"],
            &full["deadRows"],
            &full["deadPercent"],
            &full["lastVacuum"]
        ),
        (&json!(6000), &json!(2000), &json!(25.0), &Value::Null)
    );
    let empty = full["bloatBytes"].as_f64().unwrap();
    // A quarter of 4.3 MB, and what newer servers add to a table ahead: up to 64 pages at once.
    assert!((900_000.0..1_700_000.0).contains(&empty), "{empty}");
    world
        .execute(
            "drop table public.cellar;
             create table public.cellar with (autovacuum_enabled = false) as
             select n, repeat('x', 500) as text from generate_series(1, 8000) as n",
        )
        .await;
    world.execute("vacuum analyze public.cellar").await;
    let whole = cellar().await;
    assert!(whole["bloatBytes"].as_f64().unwrap() < 300_000.0, "{whole}");
    assert_eq!(whole["deadRows"], 0);
    assert!(
        whole["lastVacuum"].is_string() && whole["lastAnalyze"].is_string(),
        "{whole}"
    );
    // Of a table that nobody has looked at nothing is known.
    world
        .execute("delete from pg_statistic where starelid = 'public.cellar'::regclass")
        .await;
    assert_eq!(cellar().await["bloatBytes"], Value::Null);
}

/// It is part of every look at the dashboard.
#[tokio::test]
async fn to_look_at_the_server_costs_little() {
    let world = World::migrated().await;
    shown(&world).await;
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let began = clock::instant();
        shown(&world).await;
        fastest = fastest.min(clock::instant().duration_since(began));
    }
    assert!(fastest < Duration::from_millis(40), "{fastest:?}");
}
