//! Applies what a database lacks: one migrator at a time, a transaction a table
//! file, then one for the function set.

use std::time::Duration;

use outside::clock::{self, Deadline};
use tokio_postgres::{
    Client,
    error::{DbError, ErrorPosition, SqlState},
};

use super::{
    MigrateError, exchange, ledger,
    schema::{Schema, TableFile},
};

/// Waiting for a lock of the app is bounded: a queue behind a long statement
/// would stop the app's own.
const SESSION: &str = "
set statement_timeout = 0;
set lock_timeout = '15s';
set idle_in_transaction_session_timeout = '60s';
";

/// Taken by every migrator: the bytes of `pourtrai`.
const LOCK: i64 = i64::from_be_bytes(*b"pourtrai");

/// How often an exchange is tried that the app keeps from its tables. It waits for
/// less than a second each time, because the app's statements wait behind it.
const TRIES: u32 = 5;

/// How long rows of before the triggers are counted here; the maintenance goes on.
const COUNTING: Duration = Duration::from_secs(20);

/// What is about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A table file is applied.
    Tables(String),
    /// The function set of a release is put in place.
    Functions(String),
}

impl std::fmt::Display for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tables(path) => formatter.write_str(path),
            Self::Functions(release) => write!(formatter, "the functions of release {release}"),
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Table files, in order.
    pub tables: Vec<String>,
    /// Whether the function set was exchanged.
    pub exchanged: bool,
}

impl Schema {
    /// Applies what is pending; `starting` hears of each step before it runs.
    /// Applying twice changes nothing.
    ///
    /// # Errors
    /// See [`MigrateError`]; whatever was applied before the error stands.
    pub async fn apply(
        &self,
        client: &mut Client,
        starting: &mut dyn FnMut(&Step),
    ) -> Result<Applied, MigrateError> {
        lock(client).await?;
        let applied = self.apply_alone(client, starting).await;
        // The session's end would release it as well; an error here says nothing
        // about the migrations.
        let _ = client
            .batch_execute("select pg_catalog.pg_advisory_unlock_all()")
            .await;
        applied
    }

    async fn apply_alone(
        &self,
        client: &mut Client,
        starting: &mut dyn FnMut(&Step),
    ) -> Result<Applied, MigrateError> {
        let status = self.status(client).await?;
        let mut applied = Applied::default();
        if status.is_current() {
            return Ok(applied);
        }
        ledger::make(client).await?;
        if status.outgrows_functions() {
            exchange::stop_calls(client, self).await?;
        }
        for file in &status.pending {
            starting(&Step::Tables(file.path()));
            apply_tables(client, file).await?;
            applied.tables.push(file.path());
        }
        if status.set_differs {
            starting(&Step::Functions(self.release.clone()));
            exchange(client, self).await?;
            applied.exchanged = true;
            count_former_rows(client).await?;
        }
        Ok(applied)
    }
}

async fn exchange(client: &mut Client, schema: &Schema) -> Result<(), MigrateError> {
    for _ in 1..TRIES {
        match exchange::run(client, schema).await {
            Err(MigrateError::Failed { code, .. })
                if code == SqlState::LOCK_NOT_AVAILABLE.code() =>
            {
                clock::wait(Duration::from_secs(1)).await;
            }
            other => return other,
        }
    }
    exchange::run(client, schema).await
}

/// Counts what the app wrote before our triggers stood on its tables, the newest first,
/// so that the figures of the last hours are whole at once.
async fn count_former_rows(client: &Client) -> Result<(), MigrateError> {
    // A set of another time need not have it.
    let known = "select pg_catalog.to_regprocedure('ops.count_former_rows(integer, timestamptz)') is not null";
    if !client.query_one(known, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(());
    }
    let deadline = Deadline::after(COUNTING);
    let part = "select ops.count_former_rows(2000, now())";
    while !deadline.remaining().is_zero() {
        if client.query_one(part, &[]).await?.try_get::<_, i32>(0)? == 0 {
            break;
        }
    }
    Ok(())
}

pub(super) async fn lock(client: &Client) -> Result<(), MigrateError> {
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

async fn apply_tables(client: &mut Client, file: &TableFile) -> Result<(), MigrateError> {
    let transaction = client.transaction().await?;
    if let Err(error) = transaction.batch_execute(&file.sql).await {
        return Err(failed(file, error));
    }
    transaction
        .execute(
            "insert into ops.migrations (version, name, sha256, needs) values ($1, $2, $3, $4)",
            &[&file.version, &file.name, &file.sha256(), &file.needs()],
        )
        .await?;
    transaction
        .batch_execute("notify pgrst, 'reload schema'")
        .await?;
    Ok(transaction.commit().await?)
}

fn failed(file: &TableFile, error: tokio_postgres::Error) -> MigrateError {
    let Some(server) = error.as_db_error() else {
        return MigrateError::Session(error);
    };
    MigrateError::Failed {
        file: file.path(),
        line: line(&file.sql, server),
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
