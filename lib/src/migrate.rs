//! Brings a database to the schema that this build needs.
//!
//! The ledger is our own, `ops.migrations`: the Supabase CLI's would break the
//! app's `supabase db push` by naming versions that its folder lacks. One
//! transaction a file, one migrator at a time; whatever fails leaves the
//! database as the last whole file left it.

use std::{collections::BTreeMap, fmt::Write};

use sha2::{Digest, Sha256};
use tokio_postgres::{
    Client,
    error::{DbError, ErrorPosition},
};

/// One file of `migrations/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// When it was written: `YYYYMMDDHHMMSS`. Files apply in this order.
    pub version: &'static str,
    /// What it is about.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($(($version:literal, $name:literal)),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../migrations/", $version, "_", $name, ".sql")),
        }),*]
    };
}

/// Every migration, in order. A test holds it against the folder.
pub const MIGRATIONS: &[Migration] = migrations![
    ("20261124000100", "app_monitoring_tables"),
    ("20261124000200", "ops_schema"),
    ("20261124000300", "settings"),
    ("20261124000400", "runs"),
    ("20261124000500", "samples"),
    ("20261124000600", "alerts"),
    ("20261124000700", "outbox"),
    ("20261124000800", "delivery"),
    ("20261124000900", "transitions"),
    ("20261124001000", "raised_alerts"),
    ("20261124001100", "observations"),
    ("20261124001200", "tick"),
    ("20261124001300", "commit_tick"),
    ("20261124001400", "dashboard_app"),
    ("20261124001500", "dashboard_operation"),
    ("20261124001600", "dashboard"),
    ("20261125000100", "backups"),
    ("20261125000200", "restores"),
    ("20261125000300", "backup_rules"),
    ("20261125000400", "dashboard_backups"),
    ("20261126000100", "maintenance_windows"),
    ("20261126000110", "muting"),
    ("20261126000120", "uptime_rollups"),
    ("20261126000125", "retention"),
    ("20261126000130", "requests"),
    ("20261126000140", "objectives"),
    ("20261126000150", "maintenance_job"),
    ("20261126000160", "uptime_dashboard"),
    ("20261126000200", "contacts"),
    ("20261126000205", "contacts_from_settings"),
    ("20261126000210", "contact_proof"),
    ("20261126000220", "alert_events"),
    ("20261126000230", "silences"),
    ("20261126000240", "escalation_plan"),
    ("20261126000245", "escalation_messages"),
    ("20261126000250", "escalation"),
    ("20261126000260", "escalating_callers"),
    ("20261126000270", "alert_actions"),
    ("20261126000280", "escalation_after_restore"),
    ("20261126000300", "check_definitions"),
    ("20261126000305", "check_editing"),
    ("20261126000310", "heartbeats"),
    ("20261126000315", "facts"),
    ("20261126000320", "definition_ticks"),
    ("20261126000325", "flapping"),
    ("20261126000330", "database_rules"),
    ("20261126000340", "security_rules"),
    ("20261126000350", "dashboard_security"),
    ("20261127000100", "channels"),
    ("20261127000110", "channel_words"),
    ("20261127000120", "change_messages"),
    ("20261127000200", "dependencies"),
    ("20261127000210", "holds"),
    ("20261127000215", "held_alerts"),
    ("20261127000220", "reminders"),
    ("20261127000230", "grouping"),
    ("20261127000235", "group_claims"),
    ("20261127000300", "alert_routing"),
    ("20261127000310", "failover"),
    ("20261127000320", "messages"),
    ("20261127000330", "delivery_proof"),
    ("20261127000340", "watching_rules"),
    ("20261127000350", "self_audit"),
    ("20261127000360", "second_scheduler"),
    ("20261127000400", "incident_events"),
    ("20261127000410", "incident_cause"),
    ("20261127000420", "incident_joining"),
    ("20261127000430", "incident_figures"),
    ("20261127000440", "incident_documents"),
    ("20261127000450", "incident_actions"),
    ("20261127000460", "user_reports"),
    ("20261127000500", "raised_since"),
    ("20261127000510", "noticed_events"),
    ("20261127000520", "event_webhooks"),
    ("20261127000530", "verdicts_apart"),
    ("20261127000540", "proposed_rules"),
    ("20261127000550", "past_verdicts"),
    ("20261127000560", "replay"),
    ("20261127000600", "one_end"),
];

impl Migration {
    /// The file's name.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}_{}.sql", self.version, self.name)
    }

    /// SHA-256 of its text, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        Sha256::digest(self.sql)
            .iter()
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

/// Why a database could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A file was changed after it had been applied.
    #[error("{0} was changed after it had been applied; write a new migration instead")]
    Changed(String),
    /// The ledger knows a migration that this build lacks.
    #[error("the database has migration {0}, which this build does not know: use a newer build")]
    Newer(String),
    /// Another migrator holds the lock.
    #[error("another migration is running; nothing was changed")]
    Busy,
    /// A file failed; it was rolled back, files before it stand.
    #[error("{file}{} failed and was rolled back: {message} ({code})", at(*line))]
    Failed {
        /// The file.
        file: String,
        /// The line in it, where the server says.
        line: Option<usize>,
        /// The server's words.
        message: String,
        /// The SQLSTATE.
        code: String,
    },
    /// The session ended or the server refused our own statements.
    #[error("the database session failed: {0}; `pourtrait migrate status` tells what was applied")]
    Session(#[from] tokio_postgres::Error),
}

/// What a database has, and what it lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// Applied, in order.
    pub applied: Vec<&'static Migration>,
    /// Not applied yet, in order.
    pub pending: Vec<&'static Migration>,
}

/// Compares the database with this build; changes nothing.
///
/// # Errors
/// [`MigrateError::Changed`], [`MigrateError::Newer`], or a failed session.
pub async fn status(client: &Client) -> Result<Status, MigrateError> {
    let ledger = ledger(client).await?;
    let unknown = ledger
        .keys()
        .find(|version| MIGRATIONS.iter().all(|known| known.version != *version));
    if let Some(version) = unknown {
        return Err(MigrateError::Newer(version.clone()));
    }
    let changed = MIGRATIONS.iter().find(|known| {
        ledger
            .get(known.version)
            .is_some_and(|sha256| *sha256 != known.sha256())
    });
    if let Some(known) = changed {
        return Err(MigrateError::Changed(known.file()));
    }
    let (applied, pending) = MIGRATIONS
        .iter()
        .partition(|known| ledger.contains_key(known.version));
    Ok(Status { applied, pending })
}

/// Applies what is pending and returns it; `starting` hears of each file before
/// it runs. Applying twice changes nothing.
///
/// # Errors
/// See [`MigrateError`]; whatever was applied before the error stands.
pub async fn apply(
    client: &mut Client,
    starting: &mut dyn FnMut(&Migration),
) -> Result<Vec<&'static Migration>, MigrateError> {
    lock(client).await?;
    let applied = apply_pending(client, starting).await;
    // The session's end would release it as well; an error here says nothing
    // about the migrations.
    let _ = client
        .batch_execute("select pg_catalog.pg_advisory_unlock_all()")
        .await;
    applied
}

async fn apply_pending(
    client: &mut Client,
    starting: &mut dyn FnMut(&Migration),
) -> Result<Vec<&'static Migration>, MigrateError> {
    let pending = status(client).await?.pending;
    if pending.is_empty() {
        return Ok(pending);
    }
    client.batch_execute(LEDGER).await?;
    for migration in &pending {
        starting(migration);
        apply_one(client, migration).await?;
    }
    client
        .batch_execute("notify pgrst, 'reload schema'")
        .await?;
    Ok(pending)
}

/// Our own tables before anything else, under row-level security like all.
const LEDGER: &str = "
create schema if not exists ops;
create table if not exists ops.migrations (
  version    text primary key,
  name       text not null,
  sha256     text not null,
  applied_at timestamptz not null default now()
);
comment on table ops.migrations is 'Which migrations of Pourtrait Ops were applied, and their text''s hash.';
alter table ops.migrations enable row level security;
revoke all on ops.migrations from public, anon, authenticated;
";

/// Waiting for a lock of the app is bounded: a queue behind a long statement
/// would stop the app's own.
const SESSION: &str = "
set statement_timeout = 0;
set lock_timeout = '15s';
set idle_in_transaction_session_timeout = '60s';
";

/// Taken by every migrator: the bytes of `pourtrai`.
const LOCK: i64 = i64::from_be_bytes(*b"pourtrai");

async fn lock(client: &Client) -> Result<(), MigrateError> {
    client.batch_execute(SESSION).await?;
    let row = client
        .query_one("select pg_catalog.pg_try_advisory_lock($1)", &[&LOCK])
        .await?;
    if row.try_get(0)? {
        Ok(())
    } else {
        Err(MigrateError::Busy)
    }
}

async fn ledger(client: &Client) -> Result<BTreeMap<String, String>, MigrateError> {
    let exists: bool = client
        .query_one(
            "select pg_catalog.to_regclass('ops.migrations') is not null",
            &[],
        )
        .await?
        .try_get(0)?;
    if !exists {
        return Ok(BTreeMap::new());
    }
    let rows = client
        .query("select version, sha256 from ops.migrations", &[])
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

async fn apply_one(client: &mut Client, migration: &Migration) -> Result<(), MigrateError> {
    let transaction = client.transaction().await?;
    if let Err(error) = transaction.batch_execute(migration.sql).await {
        return Err(failed(migration, error));
    }
    transaction
        .execute(
            "insert into ops.migrations (version, name, sha256) values ($1, $2, $3)",
            &[&migration.version, &migration.name, &migration.sha256()],
        )
        .await?;
    Ok(transaction.commit().await?)
}

fn failed(migration: &Migration, error: tokio_postgres::Error) -> MigrateError {
    let Some(server) = error.as_db_error() else {
        return MigrateError::Session(error);
    };
    MigrateError::Failed {
        file: migration.file(),
        line: line(migration.sql, server),
        message: server.message().to_owned(),
        code: server.code().code().to_owned(),
    }
}

fn line(sql: &str, error: &DbError) -> Option<usize> {
    let Some(ErrorPosition::Original(position)) = error.position() else {
        return None;
    };
    let before = sql.chars().take(*position as usize);
    Some(1 + before.filter(|character| *character == '\n').count())
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line},"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        files.sort();
        let embedded: Vec<String> = MIGRATIONS.iter().map(Migration::file).collect();
        assert_eq!(embedded, files);
    }
}
