//! Backup and restore beside `pg_dump` and `pg_restore`, on one database in one
//! run: `cargo run --release --package benches --bin beside_pg_dump [MEGABYTES [ROUNDS [PART…]]]`.
//! No rounds leave `pg_dump` out. Parts are `backup`, `grow`, `change` and `restore`; none are all.
//!
//! Both sides talk to one server over a verified TLS session and write to one
//! disk. Each of ours is a process of its own, so that its memory is its own;
//! it also encrypts and hashes every row, and has the target's server compute a
//! checksum of every row, which the other side does not.

#![expect(
    clippy::print_stdout,
    reason = "a measurement's figures are its output"
)]

mod child;
mod source;
mod tools;

use std::time::Duration;

use anyhow::{Context, ensure};
use child::{Child, Done};
use source::{Change, DATABASE, Source, Table};
use tools::Tools;

const MEGABYTES: u64 = 1_000;
const ROUNDS: usize = 3;

/// The share of rows by which a table grows, as one in so many.
const GROWTH: u64 = 100;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match child::Task::parse(&arguments) {
        // As a function has it: one thread, and others for what computes.
        Some(task) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(task.run()),
        None => runtime.block_on(measure(&arguments)),
    }
}

async fn measure(arguments: &[String]) -> anyhow::Result<()> {
    let megabytes = arguments
        .first()
        .map_or(Ok(MEGABYTES), |text| text.parse())?;
    let rounds = arguments.get(1).map_or(Ok(ROUNDS), |text| text.parse())?;
    let source = Source::fill(megabytes).await?;
    let folder = std::env::temp_dir().join(format!("beside-pg-dump-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder)?;
    let tools = Tools::new(&source.cluster, &folder)?;
    let ours = Child::new(&source.cluster, &folder);
    println!("database   {:.0} MB", megabytes_of(source.bytes().await?));

    let parts = arguments.get(2..).unwrap_or_default();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    if rounds > 0 && is_wanted("backup") {
        back_up(&tools, &ours, rounds)?;
    }
    if is_wanted("grow") {
        grow(&source, &ours).await?;
    }
    if is_wanted("change") {
        change(&source, &ours).await?;
    }
    if rounds > 0 && is_wanted("restore") {
        restore(&source, &tools, &ours, rounds).await?;
    }
    Ok(std::fs::remove_dir_all(&folder)?)
}

/// Row 8, throughput: the three in turn, so that a machine that slows down slows
/// all of them.
fn back_up(tools: &Tools, ours: &Child<'_>, rounds: usize) -> anyhow::Result<()> {
    let mut times = [const { Vec::new() }; 3];
    let mut memory = 0;
    let mut bytes = 0;
    for _ in 0..rounds {
        for (times, options) in times.iter_mut().zip([&["-Z1"][..], &[]]) {
            times.push(tools.dump(DATABASE, "measured", options)?);
            tools.forget("measured")?;
        }
        ours.forget()?;
        let done = ours.back_up(DATABASE)?;
        memory = memory.max(done.peak_kilobytes);
        bytes = done.figure("bytesRead")?;
        times[2].push(done.took);
    }
    println!("rows       {:.0} MB as text", megabytes_of(bytes));
    let names = ["pg_dump -Fc -Z1", "pg_dump -Fc", "pourtrait backup"];
    for (name, times) in names.iter().zip(&mut times) {
        line("back up", name, times, bytes);
    }
    println!("memory     {:.0} MB at most", megabytes_of(memory * 1024));
    Ok(())
}

/// Row 8, what growing by one in a hundred costs, beside the first backup.
async fn grow(source: &Source, ours: &Child<'_>) -> anyhow::Result<()> {
    ours.forget()?;
    let whole = ours.back_up(DATABASE)?.figure("bytesStored")?;
    for table in Table::ALL {
        let added = source.rows(table).await? / GROWTH;
        source.grow(table, added).await?;
        let stored = ours.back_up(DATABASE)?.figure("bytesStored")?;
        println!(
            "grow       {:18} by {added} rows: {:.1} MB stored, {:.2} % of the first backup's {:.1} MB",
            table.name(),
            megabytes_of(stored),
            percent(stored, whole),
            megabytes_of(whole)
        );
    }
    Ok(())
}

/// Row 9, what a run reads after a hundredth of the rows changed, beside one that reads all.
async fn change(source: &Source, ours: &Child<'_>) -> anyhow::Result<()> {
    ours.forget()?;
    ours.back_up(DATABASE)?;
    ours.forget_rows()?;
    let whole = ours.back_up(DATABASE)?;
    let text = whole.figure("bytesRead")?;
    let line = |name: &str, done: &Done| {
        let (read, checksums) = (done.figure("bytesRead")?, done.figure("checksumMs")?);
        println!(
            "change     {name:28} {:>8.2} MB read, {:>6.2} % of the text; {:>6.2} s, checksums {:>6.2} s of two sessions, {:>3.0} MB of memory",
            megabytes_of(read),
            percent(read, text),
            done.took.as_secs_f64(),
            Duration::from_millis(checksums).as_secs_f64(),
            megabytes_of(done.peak_kilobytes * 1024),
        );
        Ok::<_, anyhow::Error>(())
    };
    line("all is read", &whole)?;
    for change in Change::ALL {
        source.change(change).await?;
        line(change.name(), &ours.back_up(DATABASE)?)?;
    }
    Ok(())
}

/// Row 10.
async fn restore(
    source: &Source,
    tools: &Tools,
    ours: &Child<'_>,
    rounds: usize,
) -> anyhow::Result<()> {
    tools.dump(DATABASE, "restored", &["-Z1"])?;
    // Otherwise it would read what changed, and not say how much text there is.
    ours.forget()?;
    let done = ours.back_up(DATABASE)?;
    let bytes = done.figure("bytesRead")?;
    let mut times = [const { Vec::new() }; 2];
    for round in 0..rounds {
        let theirs = format!("theirs_{round}");
        tools.make_empty(&theirs)?;
        times[0].push(tools.restore("restored", &theirs)?);
        source.cluster.drop_database(&theirs).await?;

        let mine = format!("ours_{round}");
        source.cluster.create_database(&mine, None).await?;
        let Done { took, .. } = ours.restore(&mine)?;
        times[1].push(took);
        source.cluster.drop_database(&mine).await?;
    }
    line("restore", "pg_restore -j2", &mut times[0], bytes);
    line(
        "restore",
        "pourtrait restore, compared",
        &mut times[1],
        bytes,
    );
    Ok(())
}

/// Median, least and most of some times, and what the median is in throughput.
fn line(what: &str, name: &str, times: &mut [Duration], bytes: u64) {
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!(
        "{what:10} {name:28} median {:>6.2} s  least {:>6.2} s  most {:>6.2} s  {:>6.1} MB/s",
        median.as_secs_f64(),
        times[0].as_secs_f64(),
        times[times.len() - 1].as_secs_f64(),
        megabytes_of(bytes) / median.as_secs_f64()
    );
}

#[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^52")]
fn megabytes_of(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

#[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^52")]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64 * 100.0
}

/// Runs a command to its end; how long it took.
fn timed(command: &mut std::process::Command) -> anyhow::Result<(Duration, Vec<u8>)> {
    let began = outside::clock::instant();
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let took = outside::clock::instant().duration_since(began);
    ensure!(
        output.status.success(),
        "{}: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((took, output.stdout))
}
