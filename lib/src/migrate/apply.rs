//! Applies what a database lacks: one migrator at a time, a transaction a table
//! file, then one for the function set.

use tokio_postgres::{
    Client,
    error::{DbError, ErrorPosition},
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
            exchange::run(client, self).await?;
            applied.exchanged = true;
        }
        Ok(applied)
    }
}

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
