//! `pourtrait uninstall`: takes what is ours out of the watched database, after showing it.

use anyhow::bail;
use clap::Args;
use ops::migrate::{self, Installed};
use outside::database;
use serde_json::{Value, json};
use tokio_postgres::Client;

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
    let log_ended = audit_log_end(&client).await?;
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
        "auditLogEnd": log_ended,
    });
    let text = text(&installed, &left, is_done);
    output.result(&document, &with_audit_log_end(text, log_ended.as_ref()));
    Ok(Verdict::Good)
}

/// Where the audit log ends, which goes with the rest: what the anchors in the store are then
/// held against.
async fn audit_log_end(client: &Client) -> anyhow::Result<Option<Value>> {
    const EXISTS: &str = "select to_regclass('ops.audit') is not null";
    const NEWEST: &str = "select seq, hash from ops.audit order by seq desc limit 1";
    if !client.query_one(EXISTS, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let newest = client.query_opt(NEWEST, &[]).await?;
    Ok(newest.map(|row| json!({ "seq": row.get::<_, i64>(0), "hash": row.get::<_, String>(1) })))
}

fn with_audit_log_end(text: String, end: Option<&Value>) -> String {
    match end {
        Some(end) => format!(
            "{text}\nthe audit log ends with row {}, {}",
            end["seq"],
            end["hash"].as_str().unwrap_or_default()
        ),
        None => text,
    }
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
