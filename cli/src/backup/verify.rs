//! `pourtrait backup verify`: whether backups are whole.

use backup::{
    catalogue::Listing,
    format::Snapshot,
    keys::Identities,
    verify::{self, Report},
};
use ops::backups::verification_receipts::RecordVerification;
use outside::clock;
use serde_json::{Value, json};

use super::{
    arguments::Verify,
    progress, quantities,
    repository::{Repository, identities},
};
use crate::{
    environment::Environment,
    project::{PATIENCE, Project},
};
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
    let (snapshots, mut verdict) = chosen(&repository, options).await?;
    let mut listener = listener(options, environment);
    for snapshot in &snapshots {
        let started_at = clock::now();
        let report = look(&repository, snapshot, &level).await;
        if let Some(receipt) = RecordVerification::of(snapshot, options.level, started_at, &report)
        {
            tell(&mut listener, &receipt).await;
        }
        output.result(&document(snapshot, &report), &text(snapshot, &report));
        if !report.is_whole() {
            verdict = Verdict::Bad;
        }
    }
    Ok(verdict)
}

/// The backups to look at. Of all of them, one whose record cannot be read is
/// bad by that alone.
async fn chosen(
    repository: &Repository,
    options: &Verify,
) -> anyhow::Result<(Vec<Snapshot>, Verdict)> {
    let which = options.snapshot.as_str();
    if which != "all" {
        let snapshot = options.moment.find(repository, which).await?;
        return Ok((vec![snapshot], Verdict::Good));
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
    let bar = progress::bar("reading objects", 0, progress::COUNTED);
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

/// The project that hears of it; none where none is named: it may be what was lost.
fn listener(options: &Verify, environment: &Environment) -> Option<Project> {
    if options.no_receipt {
        return None;
    }
    Project::of(environment).ok()
}

/// Tells the project. Whether a backup is whole does not depend on who hears of it, and who does
/// not answer once is not waited for again.
async fn tell(listener: &mut Option<Project>, receipt: &RecordVerification) {
    let Some(project) = listener else {
        return;
    };
    if let Err(error) = project.call_within(PATIENCE, receipt).await {
        output::note(&format!("no receipt is recorded: {error:#}"));
        *listener = None;
    }
}

fn document(snapshot: &Snapshot, report: &Report) -> Value {
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|fault| json!({ "path": fault.path, "what": fault.what, "isDamage": fault.is_damage }))
        .collect();
    // Null where it is not known.
    let whole = match report.damages().next() {
        Some(_) => Some(false),
        None => report.is_whole().then_some(true),
    };
    json!({
        "backup": snapshot.snapshot,
        "whole": whole,
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
    let verdict = match report.damages().next() {
        Some(_) => "IS NOT WHOLE",
        None => "could not be read, so that nothing is known of it",
    };
    format!("{name} {verdict}:{}", faults.collect::<String>())
}
