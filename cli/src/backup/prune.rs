//! `pourtrait backup prune`: which backups are kept and why, and the others let go.

use std::time::Duration;

use anyhow::Context;
use backup::{
    collection::{self, Report},
    retention::Plan,
    store::Deletion,
    trash,
};
use ops::{
    app::App,
    backups::{
        backup_setup::BackupSetup,
        collection::{self as collections, Collected, Known, Outcome, PlanCollection, figures},
    },
};
use outside::clock::{self, Deadline};
use serde_json::{Value, json};

use super::{arguments::Prune, pin, quantities, repository::Repository};
use crate::{
    environment::Environment,
    project::{Project, author},
};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// No function's limit holds here, and no backup is made meanwhile.
const TIME: Duration = Duration::from_secs(20 * 60);

pub(super) async fn run(
    options: &Prune,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match &options.undo {
        Some(name) => undo(name, environment, output).await,
        None if options.yes => prune(options, environment, output).await,
        None => {
            let verdict = preview(options, environment, output).await?;
            if !options.dry_run {
                output::note("nothing was done: say --yes");
            }
            Ok(verdict)
        }
    }
}

/// Says what a collection would do, and does nothing.
async fn preview(
    options: &Prune,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let repository = Repository::of(environment)?;
    let known = Project::of(environment)?.call(&PlanCollection {}).await?;
    let terms = known.terms(options.force);
    let seen = collection::preview(&repository.store, &terms, clock::now()).await;
    let report = seen.with_context(|| format!("cannot look at {}", repository.store.place()))?;
    if !known.enabled {
        output::note("the setting backup.retention is false: nothing is deleted");
    }
    let text = [decided(&report.plan), would(&report, &known)].join("\n");
    output.result(&document(&report, None), &text);
    Ok(Verdict::Good)
}

async fn prune(
    options: &Prune,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let config = environment.config();
    BackupSetup::of(&config).map_err(|error| {
        let origin = environment.origin();
        Misuse(format!("{error} in {origin}: see `pourtrait check`"))
    })?;
    let app = App::new(config);
    let deadline = Deadline::after(TIME);
    let by = author();
    let made = collections::now(&app, &by, options.force, deadline);
    let collected = Box::pin(made).await?;
    let Some(report) = &collected.report else {
        let reason = collected.reason.unwrap_or_default();
        output.result(
            &json!({ "outcome": collected.outcome, "reason": reason }),
            &reason,
        );
        return Ok(Verdict::Bad);
    };
    let text = [decided(&report.plan), did(report, &collected)].join("\n");
    output.result(&document(report, Some(&collected)), &text);
    Ok(match collected.outcome {
        Outcome::Done => Verdict::Good,
        Outcome::Partial | Outcome::Frozen | Outcome::Refused | Outcome::Failed => Verdict::Bad,
    })
}

/// Puts a backup back out of the trash.
async fn undo(which: &str, environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let Repository { store } = Repository::of(environment)?;
    let place = store.place();
    let trashed = trash::list(&store).await;
    let trashed = trashed.with_context(|| format!("cannot read the trash in {place}"))?;
    let mut fitting = trashed
        .iter()
        .map(|trashed| &trashed.snapshot.snapshot)
        .filter(|name| !which.is_empty() && name.as_str().starts_with(which));
    let (Some(name), None) = (fitting.next(), fitting.next()) else {
        let names: Vec<_> = trashed
            .iter()
            .map(|one| one.snapshot.snapshot.as_str())
            .collect();
        return Err(Misuse(format!(
            "no single backup in the trash of {place} has a name that begins with {which:?}; there are: {}",
            names.join(", ")
        ))
        .into());
    };
    trash::put_back(&store, name).await?;
    pin::tell(environment, "backup.put_back", name, None).await;
    let text = format!(
        "{name} is back; the next collection lets it go again unless you pin it: pourtrait backup pin {name}"
    );
    output.result(&json!({ "backup": name, "back": true }), &text);
    Ok(Verdict::Good)
}

/// What becomes of each backup.
fn decided(plan: &Plan) -> String {
    if plan.decisions.is_empty() {
        return "there is no backup".to_owned();
    }
    let rows: Vec<_> = plan
        .decisions
        .iter()
        .map(|decision| {
            [
                decision.candidate.name.to_string(),
                format!("{:.0}", decision.candidate.taken_at),
                decision.fate.to_string(),
            ]
        })
        .collect();
    output::table(["backup", "taken", "what becomes of it"], &rows)
}

fn would(report: &Report, known: &Known) -> String {
    if let Some(freeze) = &report.plan.frozen {
        return format!("nothing may go for now: {freeze}");
    }
    let going = report
        .plan
        .decisions
        .iter()
        .filter(|one| !one.fate.is_keep())
        .count();
    let days = known.trash_days;
    let unneeded = report.unneeded;
    let mut lines = vec![
        format!(
            "{} of {} backups would go into the trash, for {days} days; {} in it would go for good",
            going,
            report.plan.decisions.len(),
            report.forgotten.len()
        ),
        format!(
            "{} of {} in the store are needed by no backup that is kept ({} objects), and are freed in the end; {} would be deleted at once",
            quantities::bytes(unneeded.bytes),
            quantities::bytes(report.stored.bytes),
            quantities::count(unneeded.objects),
            quantities::bytes(report.deleted.bytes),
        ),
    ];
    lines.extend(held_back(report));
    lines.join("\n")
}

fn did(report: &Report, collected: &Collected) -> String {
    let mut lines = vec![format!(
        "into the trash went {}, out of it came back {}, gone for good are {}; {} lie in it",
        report.trashed.len(),
        report.put_back.len(),
        report.forgotten.len(),
        report.in_trash.len()
    )];
    if report.is_counted {
        lines.push(format!(
            "{} deleted ({} objects); {} go in a day or later; {} of {} are needed by no backup that is kept",
            quantities::bytes(report.deleted.bytes),
            quantities::count(report.deleted.objects),
            quantities::bytes(report.doomed.bytes),
            quantities::bytes(report.unneeded.bytes),
            quantities::bytes(report.stored.bytes),
        ));
    }
    lines.extend(held_back(report));
    lines.extend(report.lock.map(|proof| tried(proof.found).to_owned()));
    if let Some(reason) = &report.renewal.refused {
        lines.push(format!("NOT WRITTEN AGAIN before its lock ends: {reason}"));
    }
    if let Some(reason) = &collected.reason {
        lines.push(match collected.outcome {
            Outcome::Frozen => format!("NOTHING MAY GO for now: {reason}"),
            Outcome::Refused => format!("THE STORE KEEPS what was to go: {reason}"),
            Outcome::Done | Outcome::Partial | Outcome::Failed => reason.clone(),
        });
    }
    lines.join("\n")
}

/// What became of the object that the store's lock was tried with.
fn tried(found: Deletion) -> &'static str {
    match found {
        Deletion::Refused => "the store refused to delete with our own key what was just written",
        Deletion::Hidden => "the store keeps versions: what our own key deletes lies behind a mark",
        Deletion::Gone => {
            "THE STORE LOCKS NOTHING: our own key could delete an object as soon as it was written"
        }
    }
}

fn held_back(report: &Report) -> Option<String> {
    let more = quantities::count(report.held_back);
    let share = collection::SHARE;
    (report.held_back > 0).then(|| {
        format!("{more} more objects are due; one pass deletes one of {share} (--force: all)")
    })
}

fn document(report: &Report, collected: Option<&Collected>) -> Value {
    let decisions: Vec<_> = report
        .plan
        .decisions
        .iter()
        .map(|decision| {
            json!({
                "backup": decision.candidate.name,
                "takenAt": decision.candidate.taken_at,
                "kept": decision.fate.is_keep(),
                "fate": decision.fate.to_string(),
            })
        })
        .collect();
    json!({
        "backups": decisions,
        "figures": figures(report),
        "trash": report.in_trash,
        "frozen": report.plan.frozen.as_ref().map(ToString::to_string),
        "outcome": collected.map(|collected| collected.outcome),
        "reason": collected.and_then(|collected| collected.reason.as_deref()),
    })
}
