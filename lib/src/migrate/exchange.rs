//! Puts the function set of a build in the place of the one in force, in one
//! transaction, while calls go on.
//!
//! Every public function that writes says `ops.hold_functions('<its set>')`
//! before anything else. That takes a lock, shared, until the call's transaction
//! ends; the exchange takes the same lock alone. A call that waited for an
//! exchange had loaded its own body before and would now call new functions from
//! an old one: its set is not the one in force, so it is refused with nothing
//! done, and called again. Thus every call runs in one set alone.
//!
//! The work is `exchange.sql`'s, so that an exported set does the same. The
//! server itself is asked what the set's signatures are: it makes the set beside
//! the functions that are there, and takes that back.

use tokio_postgres::{
    Client,
    error::{DbError, ErrorPosition, SqlState},
};

use super::{MigrateError, schema::Schema};

const EXCHANGE: &str = include_str!("exchange.sql");
const DIGEST: &str = include_str!("digest.sql");

/// The functions in the session's temporary schema that exchange a set.
pub(super) fn preparation() -> String {
    format!(
        "{EXCHANGE}
create or replace function pg_temp.digest_functions()
returns jsonb
language sql
set search_path = ''
as $digest$
{DIGEST}
$digest$;
"
    )
}

/// Keeps calls waiting until the session ends or unlocks: for tables that the
/// functions in force do not bear.
pub(super) async fn stop_calls(client: &Client, schema: &Schema) -> Result<(), MigrateError> {
    client.batch_execute(&preparation()).await?;
    match client.execute("select pg_temp.stop_calls(true)", &[]).await {
        Ok(_) => Ok(()),
        Err(error) => Err(failed(schema, error)),
    }
}

/// Exchanges the set, or changes nothing.
pub(super) async fn run(client: &mut Client, schema: &Schema) -> Result<(), MigrateError> {
    let sources = serde_json::to_string(&schema.set.sources())?;
    let [types, functions, triggers, seeds, grants] = schema.set.texts();
    let transaction = client.transaction().await?;
    transaction.batch_execute(&preparation()).await?;
    let exchanged = transaction
        .execute(
            "select pg_temp.exchange_functions($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                &schema.release,
                &schema.set.sha256(),
                &types,
                &functions,
                &triggers,
                &seeds,
                &grants,
                &sources,
            ],
        )
        .await;
    match exchanged {
        Ok(_) => Ok(transaction.commit().await?),
        Err(error) => Err(failed(schema, error)),
    }
}

fn failed(schema: &Schema, error: tokio_postgres::Error) -> MigrateError {
    match error.as_db_error() {
        Some(server) => refused(schema, server),
        None => MigrateError::Session(error),
    }
}

fn refused(schema: &Schema, server: &DbError) -> MigrateError {
    if let (&SqlState::LOCK_NOT_AVAILABLE, Some(holders)) = (server.code(), server.detail()) {
        return MigrateError::InUse {
            holders: holders.to_owned(),
        };
    }
    let place = match server.position() {
        Some(ErrorPosition::Internal { position, query }) => {
            schema.set.locate(query, *position as usize)
        }
        Some(ErrorPosition::Original(_)) | None => None,
    };
    let (file, line) = match place {
        Some((file, line)) => (file, Some(line)),
        None => ("exchanging the functions".to_owned(), None),
    };
    // What cannot be dropped is named by the details alone.
    let message = match server.detail() {
        Some(detail) => format!("{}: {detail}", server.message()),
        None => server.message().to_owned(),
    };
    MigrateError::Failed {
        file,
        line,
        message,
        code: server.code().code().to_owned(),
    }
}
