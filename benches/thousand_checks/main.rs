//! A tick with a thousand custom checks, on this machine's real parts: how long the
//! function's answer takes, and how long the database needs for the commit alone.
//!
//! ```text
//! cargo run --release --package benches --bin thousand_checks
//! ```
//!
//! The checks ask a local server that answers at once; the figures to reach are
//! 20 s for a thousand, and 250 ms above the slowest for a hundred.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed, and prints what it found"
)]

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, StatusCode};
use local_supabase::{
    postgres::TestDatabase,
    stack::{Stack, StackOptions},
};
use ops::{config::Config, endpoint::Endpoint, migrate, router};
use outside::{clock, database};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// How many checks, and how many ticks are measured with each; the first one
/// registers them.
const SIZES: [(u32, usize); 2] = [(100, 5), (1000, 5)];

#[tokio::main]
async fn main() {
    let database = TestDatabase::create(
        "migrated",
        &migrate::Schema::embedded().fingerprint(),
        async |cluster, name| {
            let url = cluster.postgres_url(name).into();
            let ca = cluster.ca_pem_path();
            let mut owner = database::connect(&url, ca.to_str())
                .await
                .expect("a session");
            migrate::apply(&mut owner, &mut |_| {})
                .await
                .expect("every migration applies");
            Ok(())
        },
    )
    .await
    .expect("a migrated database");
    let cluster = database.cluster().await.expect("a server");
    let options = StackOptions {
        database: database.name().to_owned(),
        ..StackOptions::default()
    };
    let stack = Stack::start(cluster, options).await.expect("a stack");
    let env = stack.env();
    let admin = cluster
        .connect_admin(database.name())
        .await
        .expect("a session");
    let port = serve().await;

    for (size, ticks) in SIZES {
        let sql = format!(
            "delete from ops.custom_checks;
             insert into ops.custom_checks (name, kind, spec)
             select 'c' || n, 'http', jsonb_build_object(
                 'url', 'http://127.0.0.1:{port}/' || n, 'contains', 'ok', 'maxLatencyMs', 5000)
             from generate_series(1, {size}) as n"
        );
        admin.batch_execute(&sql).await.expect("checks");
        for _ in 0..ticks {
            let (took, answer) = tick(&env).await;
            let slowest = slowest(&answer);
            let row = admin
                .query_one(
                    "select 1000 * extract(epoch from finished_at - started_at)::float8, pg_column_size(summary)::float8
                     from ops.runs order by started_at desc limit 1",
                    &[],
                )
                .await
                .expect("a run");
            let kept: f64 = row.get(1);
            println!(
                "{size} checks: answered after {took:.0} ms, slowest check {slowest:.0} ms, run record {kept:.0} bytes"
            );
        }
        measure_commit(&admin, size).await;
    }
}

/// One tick as an operator asks for it; milliseconds and the answer.
async fn tick(env: &BTreeMap<String, String>) -> (f64, Value) {
    let config = Config::from_lookup(&|name| env.get(name).cloned());
    let app = router::function(Endpoint::Monitor, config);
    let request = Request::get("/api/cron/monitor")
        .header(
            "authorization",
            format!("Bearer {}", env["MONITORING_API_KEY"]),
        )
        .body(Bytes::new())
        .expect("a request");
    let started = clock::instant();
    let response = app.handle(request).await;
    let took = clock::milliseconds(clock::instant().duration_since(started));
    assert_eq!(response.status(), StatusCode::OK);
    (
        took,
        serde_json::from_slice(response.body()).expect("an answer"),
    )
}

fn slowest(answer: &Value) -> f64 {
    let checks = answer["checks"].as_array().expect("checks");
    checks
        .iter()
        .filter_map(|check| check["latencyMs"].as_f64())
        .fold(0.0, f64::max)
}

/// The commit alone, in the database: all good, then the tick that opens an alert
/// for every check at once.
async fn measure_commit(admin: &tokio_postgres::Client, size: u32) {
    for (status, ticks) in [("up", 1), ("down", 3), ("up", 2)] {
        for _ in 0..ticks {
            let sql = format!(
                "with claim as materialized (
                     select public.ops_claim_run(gen_random_uuid(), 'monitor', 60, 57, true) as run
                 ),
                 report as materialized (
                     select jsonb_build_object(
                         'environment', 'production', 'everySeconds', 60, 'channels', '[\"slack\"]'::jsonb,
                         'checks', (
                             select jsonb_agg(jsonb_build_object(
                                 'name', check_name, 'kind', 'http', 'service', 'app', 'critical', false,
                                 'status', '{status}', 'latencyMs', 5, 'detail', jsonb_build_object('url', spec -> 'url')))
                             from ops.custom_checks
                         )
                     ) as tick
                 ),
                 started as materialized (select clock_timestamp() as at from report, claim),
                 committed as materialized (
                     select public.ops_commit_tick(
                         (claim.run ->> 'run')::uuid, (claim.run ->> 'fence')::bigint, report.tick) as result
                     from started, claim, report
                 )
                 select 1000 * extract(epoch from clock_timestamp() - started.at)::float8,
                     jsonb_array_length(committed.result -> 'transitions')
                 from committed, started"
            );
            let row = admin.query_one(&sql, &[]).await.expect("a commit");
            let (took, transitions): (f64, i32) = (row.get(0), row.get(1));
            println!(
                "{size} checks {status}: committed in {took:.0} ms, {transitions} transitions"
            );
        }
    }
}

/// A server that answers every request at once; its port.
async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream
                    .read(&mut request)
                    .await
                    .is_ok_and(|length| length > 0)
                {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}
