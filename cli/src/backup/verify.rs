//! `pourtrait backup verify`: whether backups are whole.

use backup::{
    catalogue::Listing,
    format::Snapshot,
    keys::Identities,
    verify::{self, Report},
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

use super::{
    arguments::Verify,
    quantities,
    repository::{Repository, identities},
};
use crate::environment::Environment;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How deep to look.
enum Level {
    /// Every object by its hash.
    Objects,
    /// Every piece opened and read.
    Contents(Identities),
}

pub(super) async fn run(
    options: &Verify,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let repository = Repository::of(environment)?;
    let level = match options.level {
        1 => Level::Objects,
        _ => Level::Contents(identities(&options.key, environment)?),
    };
    let (snapshots, mut verdict) = chosen(&repository, &options.snapshot).await?;
    for snapshot in &snapshots {
        let report = look(&repository, snapshot, &level).await;
        output.result(&document(snapshot, &report), &text(snapshot, &report));
        if !report.is_whole() {
            verdict = Verdict::Bad;
        }
    }
    Ok(verdict)
}

/// The backups to look at. Of all of them, one whose record cannot be read is
/// bad by that alone.
async fn chosen(repository: &Repository, which: &str) -> anyhow::Result<(Vec<Snapshot>, Verdict)> {
    if which != "all" {
        return Ok((vec![repository.find(which).await?], Verdict::Good));
    }
    let Listing {
        snapshots,
        unreadable,
    } = repository.all().await?;
    for error in &unreadable {
        output::note(&format!("cannot be read: {error}"));
    }
    let nothing_is_wrong = unreadable.is_empty() && !snapshots.is_empty();
    if snapshots.is_empty() {
        output::note("there is no backup");
    }
    let verdict = if nothing_is_wrong {
        Verdict::Good
    } else {
        Verdict::Bad
    };
    Ok((snapshots, verdict))
}

async fn look(repository: &Repository, snapshot: &Snapshot, level: &Level) -> Report {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let mut watch = |report: &Report| {
        bar.set_length(report.expected);
        bar.set_position(report.checked);
    };
    let store = &repository.store;
    let report = match level {
        Level::Objects => verify::objects(store, snapshot, &mut watch).await,
        Level::Contents(identities) => {
            verify::contents(store, snapshot, identities, &mut watch).await
        }
    };
    bar.finish_and_clear();
    report
}

fn document(snapshot: &Snapshot, report: &Report) -> Value {
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|fault| json!({ "path": fault.path, "what": fault.what }))
        .collect();
    json!({
        "backup": snapshot.snapshot,
        "whole": report.is_whole(),
        "checked": report.checked,
        "bytes": report.bytes,
        "faults": faults,
    })
}

fn text(snapshot: &Snapshot, report: &Report) -> String {
    let name = &snapshot.snapshot;
    if report.is_whole() {
        return format!(
            "{name} is whole: {} objects, {}",
            quantities::count(report.checked),
            quantities::bytes(report.bytes)
        );
    }
    let faults = report
        .faults
        .iter()
        .map(|fault| format!("\n  {}: {}", fault.path, fault.what));
    format!("{name} IS NOT WHOLE:{}", faults.collect::<String>())
}
