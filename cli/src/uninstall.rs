//! `pourtrait uninstall`: takes what is ours out of the watched database, after showing it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use backup::audit_anchors::{self, Anchor};
use clap::Args;
use ops::{
    audit_log::row::Row,
    migrate::{self, Installed},
};
use outside::{clock, database};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{audit::log_file::Writing, backup::open_store, environment::Environment};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// How `uninstall` is run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Uninstall {
    /// Removes it; without this only shows what would be removed
    #[arg(long)]
    yes: bool,
    /// The file into which the audit log goes first; it must not be there [default:
    /// audit-log-TIME.jsonl]
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
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
    let mut log = AuditLog::find(&client).await?;
    let is_done = options.yes && !installed.is_empty();
    if is_done {
        refuse_dependents(&installed)?;
        if let Some(log) = &mut log {
            let named = options.audit_log.clone();
            let file = named.unwrap_or_else(|| log_file_name(clock::now()));
            log.write(&client, file, &host).await?;
            log.anchor(environment).await;
        }
        migrate::uninstall(&mut client).await?;
    }
    let left = left_elsewhere(environment);
    let document = json!({
        "host": host,
        "removed": is_done,
        "found": installed.by_kind,
        "dependents": installed.dependents,
        "stays": left,
        "auditLog": log.as_ref().map(AuditLog::document),
    });
    let mut text = text(&installed, &left, is_done);
    if let Some(log) = &log {
        text.push('\n');
        text.push_str(&log.text());
    }
    output.result(&document, &text);
    Ok(Verdict::Good)
}

/// How many rows are read at once.
const PAGE: i64 = 500;

/// What is left of the audit log, which goes with the rest.
#[derive(Debug)]
struct AuditLog {
    rows: i64,
    /// The newest row: its number and its hash.
    seq: i64,
    hash: String,
    /// Where it was written to.
    file: Option<PathBuf>,
    /// Where its end was anchored, or why it was not.
    anchored: Option<Result<String, String>>,
}

impl AuditLog {
    /// Looks for it; nothing where there is no row.
    async fn find(client: &Client) -> anyhow::Result<Option<Self>> {
        const NEWEST: &str = "select (select count(*) from ops.audit), seq, hash
            from ops.audit order by seq desc limit 1";
        if !exists(client, "ops.audit").await? {
            return Ok(None);
        }
        let newest = client.query_opt(NEWEST, &[]).await?;
        Ok(newest.map(|row| Self {
            rows: row.get(0),
            seq: row.get(1),
            hash: row.get(2),
            file: None,
            anchored: None,
        }))
    }

    /// Writes it into a file. It is read from the tables themselves: what is to be removed may
    /// lack its functions.
    async fn write(&mut self, client: &Client, file: PathBuf, host: &str) -> anyhow::Result<()> {
        let checkpoint = if exists(client, "ops.audit_checkpoint").await? {
            client.query_opt(CHECKPOINT, &[]).await?
        } else {
            None
        };
        let mut writing = Writing::begin(&file, host, checkpoint.as_ref().map(row))?;
        loop {
            let page = client.query(ROWS, &[&writing.last(), &PAGE]).await?;
            if page.is_empty() {
                break;
            }
            for read in &page {
                writing.add(&row(read))?;
            }
        }
        let failed = || format!("nothing was removed: cannot write {}", file.display());
        let written = writing.end().with_context(failed)?;
        self.rows = i64::try_from(written.rows).unwrap_or(i64::MAX);
        if let Some((seq, hash)) = written.last {
            (self.seq, self.hash) = (seq, hash);
        }
        self.file = Some(file);
        Ok(())
    }

    /// Anchors its end in the store of the backups. A store that is not there any more keeps
    /// nobody from leaving; that is told.
    async fn anchor(&mut self, environment: &Environment) {
        if environment.get("BACKUP_URL").is_none() {
            return;
        }
        let written = async {
            let store = open_store(environment)?;
            let anchor = Anchor::new(self.seq.unsigned_abs(), self.hash.clone(), clock::now());
            audit_anchors::write(&store, &anchor).await?;
            anyhow::Ok(store.place().to_owned())
        };
        let written = written.await.map_err(|error| format!("{error:#}"));
        self.anchored = Some(written);
    }

    fn document(&self) -> Value {
        json!({
            "rows": self.rows,
            "end": {"seq": self.seq, "hash": self.hash},
            "file": self.file,
            "anchored": self.anchored.as_ref().map(Result::is_ok),
        })
    }

    fn text(&self) -> String {
        let mut lines = vec![format!(
            "the audit log ends with row {}, {}",
            self.seq, self.hash
        )];
        lines.push(match &self.file {
            Some(file) => format!(
                "its {} rows are in {}: keep it; `pourtrait audit verify --file` proves it",
                self.rows,
                file.display()
            ),
            None => format!("its {} rows would be written into a file first", self.rows),
        });
        match &self.anchored {
            Some(Ok(place)) => lines.push(format!("its end is anchored in {place}")),
            Some(Err(reason)) => lines.push(format!("its end is NOT anchored: {reason}")),
            None => {}
        }
        lines.join("\n")
    }
}

async fn exists(client: &Client, table: &str) -> anyhow::Result<bool> {
    let there = "select to_regclass($1) is not null";
    Ok(client.query_one(there, &[&table]).await?.get(0))
}

const ROWS: &str = r#"
select
    log.seq, to_char(log.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), log.action::text, log.actor,
    log.subject, log.details, log.previous, log.hash, beside.salt, beside.document
from ops.audit as log
left join ops.audit_details as beside using (seq)
where log.seq > $1
order by log.seq
limit $2"#;

const CHECKPOINT: &str = r#"
select
    seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action::text, actor,
    subject, details, previous, hash, null::text, null::text
from ops.audit_checkpoint"#;

fn row(read: &tokio_postgres::Row) -> Row {
    Row {
        seq: read.get(0),
        at: read.get(1),
        action: read.get(2),
        actor: read.get(3),
        subject: read.get(4),
        details: read.get(5),
        previous: read.get(6),
        hash: read.get(7),
        salt: read.get(8),
        document: read.get(9),
    }
}

fn log_file_name(now: jiff::Timestamp) -> PathBuf {
    now.strftime("audit-log-%Y%m%dT%H%M%SZ.jsonl")
        .to_string()
        .into()
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
