//! The dashboard and a tick on few rows and on many, side by side, and whether the
//! roll-up keeps up with what the application writes: all in the database.
//!
//! ```text
//! cargo run --release --package benches --bin many_rows [FEW [MANY]]
//! ```
//!
//! The figures to reach are 50 ms for every range of the dashboard with ten million rows,
//! at most 1.5 times what it takes with a hundred thousand, a tick that takes no longer,
//! and 5,000 rows a second.

#![expect(
    clippy::print_stdout,
    reason = "a measurement's figures are its output"
)]

use local_supabase::postgres::{Cluster, ClusterOptions};
use ops::migrate;
use outside::clock;
use tokio_postgres::Client;

const FEW: u64 = 100_000;
const MANY: u64 = 10_000_000;

/// How often each is measured; the median counts.
const ROUNDS: usize = 15;

const RANGES: [(&str, u32); 6] = [
    ("1 h", 3600),
    ("24 h", 86_400),
    ("7 d", 604_800),
    ("30 d", 2_592_000),
    ("90 d", 7_776_000),
    ("1 y", 31_536_000),
];

/// How many statements of how many rows are written to be kept up with.
const STATEMENTS: u32 = 600;
const BATCH: u32 = 500;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wanted: Vec<u64> = std::env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let sizes = [
        wanted.first().copied().unwrap_or(FEW),
        wanted.get(1).copied().unwrap_or(MANY),
    ];
    let cluster = Cluster::start(ClusterOptions::default()).await?;
    let [few, many] = [
        fill(&cluster, sizes[0]).await?,
        fill(&cluster, sizes[1]).await?,
    ];
    let worlds = [&few, &many];

    println!(
        "\nmedian of {ROUNDS}, ms   {:>12} {:>12}   ratio",
        sizes[0], sizes[1]
    );
    for (name, seconds) in RANGES {
        let call = format!("public.ops_dashboard({seconds}, 'production')");
        compare(&format!("dashboard, {name}"), worlds, &call).await?;
    }
    compare("tick", worlds, TICK).await?;
    keep_up(&many).await
}

/// A tick as the function commits it.
const TICK: &str = "(
    select public.ops_commit_tick(
        (claim.run ->> 'run')::uuid,
        (claim.run ->> 'fence')::bigint,
        '{\"environment\": \"production\", \"everySeconds\": 60, \"channels\": [\"slack\"], \"checks\": [
            {\"name\": \"database\", \"kind\": \"dependency\", \"service\": \"database\", \"critical\": true,
             \"status\": \"up\", \"latencyMs\": 5, \"detail\": {}}]}'
    )
    from (select public.ops_claim_run(gen_random_uuid(), 'monitor', 60, 57, true) as run) as claim
)";

/// Makes a database of so many rows of before the triggers, and counts them.
async fn fill(cluster: &Cluster, rows: u64) -> anyhow::Result<Client> {
    let name = format!("rows_{rows}");
    cluster.create_database(&name, None).await?;
    let mut owner = cluster.connect_postgres(&name).await?;
    migrate::apply(&mut owner, &mut |_| {}).await?;
    let admin = cluster.connect_admin(&name).await?;
    let (written, ()) = timed(async {
        admin
            .batch_execute(&format!("set bench.rows = {rows}"))
            .await?;
        admin.batch_execute(include_str!("rows.sql")).await
    })
    .await?;
    let (counted, longest) = timed(count(&admin)).await?;
    admin.batch_execute("vacuum analyze").await?;
    let figures = "select count(*), pg_total_relation_size('ops.figures') / 1000000.0::float8 from ops.figures";
    let row = admin.query_one(figures, &[]).await?;
    println!(
        "{rows} rows: written in {:.0} s, counted in {:.1} s, longest part {longest:.0} ms; {} figures of {:.0} MB",
        written / 1000.0,
        counted / 1000.0,
        row.get::<_, i64>(0),
        row.get::<_, f64>(1),
    );
    Ok(admin)
}

/// Counts former rows and rolls them up, part by part; the longest part that keeps the
/// application waiting, in milliseconds.
async fn count(client: &Client) -> Result<f64, tokio_postgres::Error> {
    let mut longest: f64 = 0.0;
    loop {
        let part = "select ops.count_former_rows(2000, now())";
        let (took, row) = timed(client.query_one(part, &[])).await?;
        if row.get::<_, i32>(0) == 0 {
            break;
        }
        longest = longest.max(took);
        client
            .execute("select ops.roll_up_figures(50000, now())", &[])
            .await?;
    }
    roll_up(client).await?;
    Ok(longest)
}

async fn roll_up(client: &Client) -> Result<(), tokio_postgres::Error> {
    let part = "select ops.roll_up_figures(50000, now())";
    while client.query_one(part, &[]).await?.get::<_, i32>(0) > 0 {}
    Ok(())
}

/// The same call in both databases in turn, so that a machine that slows down slows both.
async fn compare(what: &str, worlds: [&Client; 2], call: &str) -> anyhow::Result<()> {
    let mut times = [const { Vec::new() }; 2];
    for round in 0..=ROUNDS {
        for (client, times) in worlds.into_iter().zip(&mut times) {
            let took = in_the_database(client, call).await?;
            // The first one plans.
            if round > 0 {
                times.push(took);
            }
        }
    }
    let [few, many] = times.map(median);
    println!("{what:<20} {few:>12.1} {many:>12.1} {:>7.2}", many / few);
    Ok(())
}

/// How long the server takes for an expression, in milliseconds.
async fn in_the_database(client: &Client, call: &str) -> anyhow::Result<f64> {
    let sql = format!(
        "with started as materialized (select clock_timestamp() as at),
             done as materialized (select {call} as result from started)
         select 1000 * extract(epoch from clock_timestamp() - started.at)::float8, done.result is null
         from started, done"
    );
    Ok(client.query_one(&sql, &[]).await?.get(0))
}

/// What the application writes in a minute of 5,000 rows a second, and how long the
/// roll-up takes for it; then what counting adds to a statement.
async fn keep_up(client: &Client) -> anyhow::Result<()> {
    let batch = format!(
        "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id)
         select '/api/resource' || n % 20, 'GET', case when n % 100 = 0 then 500 else 200 end, 20 * exp(3 * random()),
                ('00000000-0000-4000-8000-' || lpad(((n * 7919) % 20000)::text, 12, '0'))::uuid
         from generate_series(1, {BATCH}) as n"
    );
    let (written, ()) = timed(repeat(client, &batch, STATEMENTS)).await?;
    let (rolled, ()) = timed(async {
        let part = "select ops.roll_up_figures(50000, now() + interval '1 minute')";
        while client.query_one(part, &[]).await?.get::<_, i32>(0) > 0 {}
        Ok::<_, tokio_postgres::Error>(())
    })
    .await?;
    let rows = f64::from(STATEMENTS * BATCH);
    println!(
        "\n{rows:.0} requests in statements of {BATCH}: written at {:.0}/s, rolled up at {:.0}/s",
        1000.0 * rows / written,
        1000.0 * rows / rolled
    );

    let single =
        "insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
                  values ('/api/resource1', 'GET', 200, 20)";
    for (what, sql, statements) in [
        ("single rows", single, 5000),
        ("statements of 500", batch.as_str(), 100),
    ] {
        let (counted, ()) = timed(repeat(client, sql, statements)).await?;
        client
            .batch_execute("alter table public.api_usage_metrics disable trigger user")
            .await?;
        let (bare, ()) = timed(repeat(client, sql, statements)).await?;
        client
            .batch_execute("alter table public.api_usage_metrics enable trigger user")
            .await?;
        println!(
            "{what}: {:.2} ms a statement, {:.2} ms without counting",
            counted / f64::from(statements),
            bare / f64::from(statements)
        );
    }
    Ok(())
}

async fn repeat(client: &Client, sql: &str, times: u32) -> Result<(), tokio_postgres::Error> {
    let statement = client.prepare(sql).await?;
    for _ in 0..times {
        client.execute(&statement, &[]).await?;
    }
    Ok(())
}

/// How many milliseconds something took, and what came of it.
async fn timed<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<(f64, T), E> {
    let started = clock::instant();
    let done = work.await?;
    Ok((
        clock::milliseconds(clock::instant().duration_since(started)),
        done,
    ))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
