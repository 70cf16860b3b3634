//! `pourtrait uninstall`: takes what is ours out of the watched database, after showing it.

use anyhow::bail;
use clap::Args;
use ops::migrate::{self, Installed};
use outside::database;
use serde_json::{Value, json};

use crate::environment::Environment;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How `uninstall` is run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Uninstall {
    /// Removes it; without this only shows what would be removed
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(
    options: Uninstall,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    let mut client = database::connect(&url, ca.as_deref()).await?;
    let installed = Installed::find(&client).await?;
    let is_done = options.yes && !installed.is_empty();
    if is_done {
        refuse_dependents(&installed)?;
        migrate::uninstall(&mut client).await?;
    }
    let left = left_elsewhere(environment);
    let document = json!({
        "host": host,
        "removed": is_done,
        "found": installed.by_kind,
        "dependents": installed.dependents,
        "stays": left,
    });
    output.result(&document, &text(&installed, &left, is_done));
    Ok(Verdict::Good)
}

/// What somebody else built on ours goes by their own hand alone.
fn refuse_dependents(installed: &Installed) -> anyhow::Result<()> {
    if installed.dependents.is_empty() {
        return Ok(());
    }
    bail!(
        "nothing was removed, because this is not ours and rests on it; drop it first:\n  {}",
        installed.dependents.join("\n  ")
    )
}

/// What lies elsewhere, or is the application's.
fn left_elsewhere(environment: &Environment) -> Vec<Value> {
    let left = |what: &str, place: Option<String>| json!({ "what": what, "where": place });
    let mut all = vec![
        left(
            "the application's tables, with their rows, the columns and indexes that they were given, and the policies that keep strangers out",
            Some("schema public".to_owned()),
        ),
        left(
            "the roles of people",
            Some("app_metadata.role of auth.users".to_owned()),
        ),
    ];
    for (what, variable) in [
        ("backups", "BACKUP_URL"),
        ("the status page's copy", "STATUS_URL"),
        (
            "the project on Vercel, whose crons go on: remove it",
            "VERCEL_PROJECT_ID",
        ),
        (
            "secrets and variables of the workflows",
            "GITHUB_REPOSITORY",
        ),
    ] {
        if let Some(place) = environment.get(variable) {
            all.push(left(what, Some(place)));
        }
    }
    all
}

fn text(installed: &Installed, left: &[Value], is_done: bool) -> String {
    if installed.is_empty() {
        return "nothing of the bundle is in this database".to_owned();
    }
    let rows: Vec<[String; 2]> = installed
        .by_kind
        .iter()
        .map(|(kind, names)| [kind.clone(), names.len().to_string()])
        .collect();
    let verb = if is_done { "removed" } else { "would remove" };
    let mut lines = vec![output::table([verb, "count"], &rows)];
    if !is_done && !installed.dependents.is_empty() {
        lines.push("\nin the way, because it is not ours and rests on it:".to_owned());
        lines.extend(installed.dependents.iter().map(|one| format!("  - {one}")));
    }
    lines.push("\nstays:".to_owned());
    lines.extend(left.iter().map(|one| {
        let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        format!("  - {} ({})", word("what"), word("where"))
    }));
    if !is_done {
        lines.push("\nnothing was removed: say --yes".to_owned());
    }
    lines.join("\n")
}
