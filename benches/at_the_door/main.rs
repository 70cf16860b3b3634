//! What the door takes: the database's part alone, in batches of 500, and then each source in
//! the batches that its clients send, through the function and the gateway. Bodies are made
//! beforehand; what that takes is said apart.
//!
//! ```text
//! cargo run --release --package benches --bin at_the_door [ITEMS]
//! ```
//!
//! The figure to reach is 20,000 items a second for the database's part.

#![expect(
    clippy::print_stdout,
    reason = "a measurement's figures are its output"
)]

mod bodies;

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, header};
use local_supabase::{
    postgres::{Cluster, ClusterOptions},
    stack::{Stack, StackOptions},
};
use ops::{
    auth::{ClientAddress, door_key::KeySigner},
    config::Config,
    endpoint::Endpoint,
    function::Function,
    migrate, router,
};
use outside::clock;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use bodies::Source;

/// How many items each measurement takes.
const ITEMS: usize = 100_000;

/// What the function sends to the database at once.
const BATCH: usize = 500;

/// How many clients send at the same time.
const CLIENTS: [usize; 3] = [1, 2, 4];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let items = match std::env::args().nth(1) {
        Some(text) => text.parse().context("a number of items")?,
        None => ITEMS,
    };
    let cluster = Cluster::start(ClusterOptions::default()).await?;
    cluster.create_database("door", None).await?;
    let mut owner = cluster.connect_postgres("door").await?;
    migrate::apply(&mut owner, &mut |_| {}).await?;
    let admin = cluster.connect_admin("door").await?;
    admin
        .batch_execute(
            "insert into ops.door_keys (id, name, items_a_minute, items_a_day, created_at, created_by)
             select n, 'key ' || n, 1000000, 1000000000, now(), 'bench' from generate_series(1, 100) as n",
        )
        .await?;

    println!("the database's part, batches of {BATCH}");
    for (nth, clients) in CLIENTS.into_iter().enumerate() {
        let rate = database_alone(&cluster, items, clients, nth).await?;
        println!("  {clients} sessions: {rate:>8.0} items/s");
    }

    let options = StackOptions {
        database: "door".to_owned(),
        ..StackOptions::default()
    };
    let stack = Stack::start(&cluster, options).await?;
    println!(
        "\nthe door, 2 clients      requests/s  items/s  a request, ms  of that making it, ms"
    );
    for (nth, source) in Source::ALL.into_iter().enumerate() {
        measure(&stack, &admin, source, items, u32::try_from(nth)? + 11).await?;
    }
    Ok(())
}

/// Items a second that the database takes from so many sessions, each with a key of its own.
async fn database_alone(
    cluster: &Cluster,
    items: usize,
    clients: usize,
    round: usize,
) -> anyhow::Result<f64> {
    let mut sessions = Vec::new();
    for nth in 0..clients {
        let client = cluster.connect_admin("door").await?;
        client
            .batch_execute("set session authorization authenticator; set role service_role")
            .await?;
        let key = i32::try_from(1 + 3 * nth + round)?;
        let batches: Vec<String> = (0..items / clients / BATCH)
            .map(|batch| bodies::database_batch(BATCH, &format!("{round}-{nth}-{batch}")))
            .collect();
        sessions.push((client, key, batches));
    }
    let started = clock::instant();
    let mut running = JoinSet::new();
    for (client, key, batches) in sessions {
        running.spawn(async move { take(&client, key, &batches).await });
    }
    let mut taken = 0;
    while let Some(done) = running.join_next().await {
        taken += done??;
    }
    Ok(per_second(taken, clock::instant().duration_since(started)))
}

async fn take(client: &Client, key: i32, batches: &[String]) -> anyhow::Result<u64> {
    let sql = "select (public.ops_take_items($1, 'own', null, '203.0.113.9 x', $2::text::jsonb) ->> 'taken')::bigint";
    let statement = client.prepare(sql).await?;
    let mut taken = 0;
    for batch in batches {
        let row = client.query_one(&statement, &[&key, batch]).await?;
        taken += u64::try_from(row.get::<_, i64>(0))?;
    }
    Ok(taken)
}

/// Sends a source's batches by two clients, and tells how fast they were taken.
async fn measure(
    stack: &Stack,
    admin: &Client,
    source: Source,
    items: usize,
    key: u32,
) -> anyhow::Result<()> {
    let env = stack.env();
    let config = || Config::from_lookup(&|name| env.get(name).cloned());
    let secret = env["MONITORING_API_KEY"].as_str().into();
    let proof = KeySigner::new(&secret).sign(key);
    let count = (items / source.batch()).clamp(20, 4_000);
    let made = clock::instant();
    let bodies: Vec<Bytes> = (0..count).map(|nth| source.body(nth)).collect();
    let made = clock::milliseconds(clock::instant().duration_since(made)) / as_float(count);

    let counted = "select count(*) from ops.items";
    let before: i64 = admin.query_one(counted, &[]).await?.get(0);
    let started = clock::instant();
    let mut clients = JoinSet::new();
    for half in bodies.chunks(count.div_ceil(2)) {
        let door = router::function(Endpoint::Ingest, config());
        let (half, target) = (half.to_vec(), format!("{}?key={proof}", source.path()));
        clients.spawn(async move { send(&door, source, &target, half).await });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    let took = clock::instant().duration_since(started);
    let after: i64 = admin.query_one(counted, &[]).await?.get(0);
    println!(
        "  {:<24} {:>8.0} {:>8.0} {:>14.2} {:>22.2}",
        source.name(),
        per_second(count as u64, took),
        per_second(u64::try_from(after - before)?, took),
        2.0 * clock::milliseconds(took) / as_float(count),
        made,
    );
    Ok(())
}

async fn send(
    door: &Function,
    source: Source,
    target: &str,
    bodies: Vec<Bytes>,
) -> anyhow::Result<()> {
    for body in bodies {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.parse()?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, source.content_type().parse()?);
        let client = ClientAddress("192.0.2.1".to_owned());
        request.extensions_mut().insert(client);
        let answer = door.handle(request).await;
        if !answer.status().is_success() {
            bail!("{}: {:?}", source.name(), answer.into_body());
        }
    }
    Ok(())
}

fn per_second(count: u64, took: Duration) -> f64 {
    as_float(usize::try_from(count).unwrap_or(usize::MAX)) / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_float(count: usize) -> f64 {
    count as f64
}
