//! The health function beside the same function in Node, in one run:
//! `.ci/vercel-build && cargo run --release --package benches --bin beside_node`.
//!
//! Ours are the functions that would be deployed. Both are started as the
//! platform starts them, both ask a database that answers at once, both have
//! Sentry started. Without Node only our own figures are taken.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on has failed; its figures are its output"
)]

mod dependencies;
mod function;
mod load;

use std::{path::Path, process::Command, time::Duration};

use dependencies::Dependencies;
use function::{Binary, Function};
use load::Load;
use ops::{endpoint::Endpoint, health::DEADLINE};

const COLD_STARTS: usize = 20;
const CONNECTIONS: usize = 64;
const WARM: Duration = Duration::from_secs(10);
const MILLION: u64 = 1_000_000;

/// Where `.ci/vercel-build` leaves the functions.
const BUILT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/vercel-output/functions"
);

fn main() {
    let dependencies = Dependencies::start();
    let health = built(Endpoint::Health);
    let ours = Binary::new("Rust", &health, &[], &dependencies);
    sizes();
    cold_start(&ours);
    hung_dependency(&Binary::hanging(&health, &dependencies));
    warm(&ours, MILLION);
    if let Some(script) = node() {
        let theirs = Binary::new("Node", "node", &[&script], &dependencies);
        cold_start(&theirs);
        warm(&theirs, 0);
    }
}

/// A function as it would be deployed.
fn built(endpoint: Endpoint) -> String {
    let path = format!("{BUILT}{}.func/executable", endpoint.spec().path);
    assert!(
        Path::new(&path).exists(),
        "{path} is missing: run .ci/vercel-build first"
    );
    path
}

/// Row 2: what is deployed.
fn sizes() {
    for endpoint in Endpoint::ALL {
        let bytes = std::fs::metadata(built(endpoint)).unwrap().len();
        println!("size   {:22} {bytes:>10} bytes", endpoint.spec().name);
    }
}

/// Row 1: from exec to the first HEAD that is answered with 200.
fn cold_start(binary: &Binary) {
    let mut starts: Vec<(Duration, u64)> = (0..COLD_STARTS)
        .map(|_| {
            let function = Function::start(binary, None);
            assert_eq!(function.head(), 200);
            (function.age(), function.rss_kilobytes())
        })
        .collect();
    starts.sort_unstable();
    let (median, rss) = starts[COLD_STARTS / 2];
    let (least, most) = (starts[0].0, starts[COLD_STARTS - 1].0);
    println!(
        "cold   {:4} median {:>8.2?}  least {:>8.2?}  most {:>8.2?}  memory {:.1} MB",
        binary.name,
        median,
        least,
        most,
        megabytes(rss)
    );
}

/// Row 4: one dependency takes the question and never answers.
fn hung_dependency(binary: &Binary) {
    let function = Function::start(binary, None);
    let asked = outside::clock::instant();
    assert_eq!(function.get(), 200, "degraded, not unhealthy");
    let waited = outside::clock::instant().duration_since(asked);
    let over = waited.saturating_sub(DEADLINE);
    println!("hung   GET answered after {waited:.3?}, {over:.3?} over the deadline");
}

/// Row 3: cached answers at 64 connections, the function on a core of its own.
fn warm(binary: &Binary, at_least: u64) {
    for method in ["HEAD", "GET"] {
        let function = Function::start(binary, Some(0));
        assert_eq!(function.head(), 200);
        let load = Load::run(function.port(), method, CONNECTIONS, WARM);
        println!(
            "warm   {:4} {method:4} {:>7.0} requests/s  p50 {:>8.2?}  p99 {:>8.2?}  memory {:.1} MB",
            binary.name,
            load.rate(),
            load.percentile(50),
            load.percentile(99),
            megabytes(function.rss_kilobytes())
        );
        if method == "HEAD" && at_least > load.count() {
            let rest = at_least - load.count();
            Load::count_to(function.port(), method, CONNECTIONS, rest);
            println!(
                "memory {:4} {:.1} MB after {at_least} requests",
                binary.name,
                megabytes(function.rss_kilobytes())
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 kB")]
fn megabytes(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}

/// The function in Node, with its packages installed; `None` without Node.
fn node() -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/beside_node/node");
    let version = Command::new("node").arg("--version").output().ok()?;
    println!("node   {}", String::from_utf8_lossy(&version.stdout).trim());
    if !Path::new(folder).join("node_modules").exists() {
        let installed = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder)
            .status()
            .ok()?;
        assert!(installed.success(), "npm ci failed in {folder}");
    }
    Some(format!("{folder}/health.js"))
}
