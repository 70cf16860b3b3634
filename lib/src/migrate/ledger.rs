//! What a database remembers of migrations: `ops.migrations`, a row a table
//! file, and `ops.function_sets`, a row an exchange, the last being in force.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::MigrateError;

/// What makes the ledger.
pub(super) const MAKE: &str = include_str!("ledger.sql");

/// Versions were times of day before the first release.
const OLD_VERSION_LENGTH: usize = 14;

/// A table file that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedTables {
    /// Its number.
    pub version: String,
    /// What it is about.
    pub name: String,
    /// The hash of the text that was applied.
    pub sha256: String,
    /// The oldest release whose functions bear it.
    pub needs: Option<String>,
    /// When, as RFC 3339 in UTC.
    pub applied_at: String,
}

/// The function set that a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetInForce {
    /// The release that brought it.
    pub release: String,
    /// The set's hash.
    pub sha256: String,
    /// Since when, as RFC 3339 in UTC.
    pub since: String,
    /// Each signature with a digest of what the exchange made of it.
    pub functions: BTreeMap<String, String>,
    /// Each name with a digest of the text that it came from.
    pub sources: BTreeMap<String, String>,
}

/// The whole of it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) tables: Vec<AppliedTables>,
    pub(super) set: Option<SetInForce>,
}

/// Makes the ledger where it is not. Making it again would wait for every call
/// that is reading it.
pub(super) async fn make(client: &Client) -> Result<(), MigrateError> {
    let exists = "select to_regclass('ops.function_sets') is not null";
    if !client.query_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        client.batch_execute(MAKE).await?;
    }
    Ok(())
}

/// Reads what is there, which may be nothing.
pub(super) async fn read(client: &Client) -> Result<Ledger, MigrateError> {
    let exists = "select to_regclass('ops.migrations') is not null";
    if !client.query_one(exists, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(Ledger::default());
    }
    refuse_old_layout(client).await?;
    Ok(Ledger {
        tables: read_tables(client).await?,
        set: read_set(client).await?,
    })
}

async fn refuse_old_layout(client: &Client) -> Result<(), MigrateError> {
    let rows = client
        .query("select version from ops.migrations", &[])
        .await?;
    for row in rows {
        if row.try_get::<_, &str>(0)?.len() == OLD_VERSION_LENGTH {
            return Err(MigrateError::OldLayout);
        }
    }
    Ok(())
}

async fn read_tables(client: &Client) -> Result<Vec<AppliedTables>, MigrateError> {
    let query = "
        select version, name, sha256, needs,
               to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
        from ops.migrations
        order by version";
    let rows = client.query(query, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(AppliedTables {
                version: row.try_get(0)?,
                name: row.try_get(1)?,
                sha256: row.try_get(2)?,
                needs: row.try_get(3)?,
                applied_at: row.try_get(4)?,
            })
        })
        .collect()
}

async fn read_set(client: &Client) -> Result<Option<SetInForce>, MigrateError> {
    let query = "
        select release, sha256,
               to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
               functions::text, sources::text
        from ops.function_sets
        order by id desc
        limit 1";
    let Some(row) = client.query_opt(query, &[]).await? else {
        return Ok(None);
    };
    Ok(Some(SetInForce {
        release: row.try_get(0)?,
        sha256: row.try_get(1)?,
        since: row.try_get(2)?,
        functions: serde_json::from_str(row.try_get(3)?)?,
        sources: serde_json::from_str(row.try_get(4)?)?,
    }))
}
