//! `pourtrait migrate`: the schema of one database, over a direct session.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Subcommand;
use ops::migrate::{self, HandEdits, OpenBy, Plan, Schema, SetInForce, Status, Step, TableFile};
use outside::{clock, database};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{environment::Environment, restore_point};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// What `migrate` can do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Migrate {
    /// Shows what would be applied, and which functions would change
    Plan,
    /// Applies what is pending (also without a word)
    Apply {
        /// Takes no restore point of the provider's before, where there would be one
        #[arg(long)]
        without_restore_point: bool,
    },
    /// Shows what was applied, which functions are in force, and what was changed by hand
    Status,
    /// Writes what a folder lacks, as files for `supabase db push`
    Export {
        /// Where the files go, like supabase/migrations
        folder: PathBuf,
    },
}

pub(crate) async fn run(
    action: Option<Migrate>,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    let mut client = database::connect(&url, ca.as_deref()).await?;
    let applying = Migrate::Apply {
        without_restore_point: false,
    };
    match action.unwrap_or(applying) {
        Migrate::Apply {
            without_restore_point,
        } => {
            let point = if without_restore_point || migrate::status(&client).await?.is_current() {
                None
            } else {
                restore_point::take(environment, &host, clock::now()).await?
            };
            apply(&mut client, &host, point, output).await
        }
        Migrate::Plan => plan(&client, &host, output).await,
        Migrate::Status => status(&client, &host, output).await,
        Migrate::Export { folder } => export(&folder, output),
    }
}

async fn apply(
    client: &mut Client,
    host: &str,
    restore_point: Option<String>,
    output: Output,
) -> anyhow::Result<Verdict> {
    let mut starting = |step: &Step| output::note(&format!("applying {step}"));
    let before = migrate::openings(client).await?;
    let applied = migrate::apply(client, &mut starting)
        .await
        .context("cannot migrate")?;
    let after = migrate::openings(client).await?;
    let dropped: Vec<String> = before
        .iter()
        .filter(|opening| matches!(opening.by, OpenBy::Policy(_)) && !after.contains(opening))
        .map(ToString::to_string)
        .collect();
    for policy in &dropped {
        output::note(&format!("dropped, for it may let strangers in: {policy}"));
    }
    let text = match (applied.tables.len(), applied.exchanged) {
        (0, false) => "nothing to do: the schema is that of this build".to_owned(),
        (0, true) => "the functions were exchanged".to_owned(),
        (count, false) => format!("{} applied", table_files(count)),
        (count, true) => format!("{} applied, the functions exchanged", table_files(count)),
    };
    let document = json!({
        "host": host, "applied": applied.tables, "exchanged": applied.exchanged, "droppedPolicies": dropped,
        "restorePoint": restore_point,
    });
    output.result(&document, &text);
    Ok(Verdict::Good)
}

async fn plan(client: &Client, host: &str, output: Output) -> anyhow::Result<Verdict> {
    let schema = Schema::embedded();
    let plan = schema.plan(&schema.status(client).await?);
    let pending = paths(&plan);
    let document = json!({
        "host": host,
        "pending": pending,
        "functions": {
            "exchanged": plan.exchanges,
            "made": plan.made,
            "replaced": plan.replaced,
            "dropped": plan.dropped,
        },
    });
    output.result(&document, &plan_text(&plan));
    Ok(Verdict::Good)
}

fn plan_text(plan: &Plan) -> String {
    if plan.tables.is_empty() && !plan.exchanges {
        return "nothing to do: the schema is that of this build".to_owned();
    }
    let mut lines = listed("to be applied, in this order", &paths(plan));
    if plan.exchanges {
        let count = plan.made.len() + plan.replaced.len() + plan.dropped.len();
        lines.push(format!(
            "then the functions are exchanged, {count} of them with a change"
        ));
        lines.extend(listed("made", &plan.made));
        lines.extend(listed("replaced", &plan.replaced));
        lines.extend(listed("dropped", &plan.dropped));
    }
    lines.join("\n")
}

async fn status(client: &Client, host: &str, output: Output) -> anyhow::Result<Verdict> {
    let status = migrate::status(client).await?;
    let applied: Vec<String> = status
        .applied
        .iter()
        .map(|file| format!("tables/{}_{}.sql", file.version, file.name))
        .collect();
    let pending: Vec<String> = status.pending.iter().map(TableFile::path).collect();
    let document = json!({
        "host": host,
        "release": status.release,
        "current": status.is_current(),
        "applied": applied,
        "pending": pending,
        "functions": status.set.as_ref().map(|set| set_document(set, &status)),
    });
    let rows: Vec<[String; 2]> = status
        .applied
        .iter()
        .zip(applied)
        .map(|(file, path)| [path, format!("applied {}", file.applied_at)])
        .chain(pending.into_iter().map(|path| [path, "pending".to_owned()]))
        .collect();
    let lines = [
        output::table(["file", "state"], &rows),
        set_text(&status),
        hand_edits_text(&status.hand_edits),
        verdict_text(&status).to_owned(),
    ];
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    output.result(&document, &lines.join("\n"));
    Ok(Verdict::Good)
}

fn set_document(set: &SetInForce, status: &Status) -> Value {
    json!({
        "release": set.release,
        "sha256": set.sha256,
        "since": set.since,
        "current": !status.set_differs,
        "changedByHand": {
            "changed": status.hand_edits.changed,
            "added": status.hand_edits.added,
            "missing": status.hand_edits.missing,
        },
    })
}

fn set_text(status: &Status) -> String {
    match &status.set {
        None => "functions: none in force".to_owned(),
        Some(set) => format!(
            "functions: those of release {} ({}) are in force since {}",
            set.release,
            set.sha256.get(..12).unwrap_or(&set.sha256),
            set.since,
        ),
    }
}

fn hand_edits_text(edits: &HandEdits) -> String {
    let lines: Vec<String> = [
        ("changed by hand since then", &edits.changed),
        ("added by hand since then", &edits.added),
        ("dropped by hand since then", &edits.missing),
    ]
    .into_iter()
    .flat_map(|(heading, functions)| listed(heading, functions))
    .collect();
    lines.join("\n")
}

fn verdict_text(status: &Status) -> &'static str {
    if status.is_current() {
        "up to date with this build"
    } else {
        "not up to date with this build: run `pourtrait migrate`"
    }
}

/// Writes what the folder lacks. Files that are there are never touched.
pub(crate) fn export(folder: &Path, output: Output) -> anyhow::Result<Verdict> {
    let cannot = || format!("cannot write to {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        names.push(
            entry
                .with_context(cannot)?
                .file_name()
                .display()
                .to_string(),
        );
    }
    let files = migrate::export(&Schema::embedded(), &names, clock::now());
    for (name, sql) in &files {
        fs::write(folder.join(name), sql).with_context(cannot)?;
    }
    let written: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
    let text = if written.is_empty() {
        "nothing to write: the folder has everything of this build".to_owned()
    } else {
        listed("written", &written).join("\n")
    };
    output.result(&json!({ "folder": folder, "written": written }), &text);
    Ok(Verdict::Good)
}

/// A heading with its lines below, or nothing where there are none.
fn listed(heading: &str, lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let lines = lines.iter().map(|line| format!("  {line}"));
    std::iter::once(format!("{heading}:"))
        .chain(lines)
        .collect()
}

fn table_files(count: usize) -> String {
    match count {
        1 => "1 table file".to_owned(),
        count => format!("{count} table files"),
    }
}

fn paths(plan: &Plan) -> Vec<String> {
    plan.tables.iter().map(TableFile::path).collect()
}
