//! Reads the catalogs and puts the objects together.

use tokio_postgres::Client;

use super::{
    Schema, SchemaError, assembly::assemble, catalog::Catalog, database, exclusions::Leftovers,
    grants, large_objects, relations,
};

/// The versions whose catalogs are known.
const VERSIONS: std::ops::RangeInclusive<i32> = 15..=18;

/// Reads how a database's objects are made. Called within the transaction that
/// reads the rows, with an empty `search_path`.
///
/// # Errors
/// See [`SchemaError`]: an object that cannot be made again fails the whole.
pub async fn describe(client: &Client) -> Result<Schema, SchemaError> {
    let major = major_version(client).await?;
    if !VERSIONS.contains(&major) {
        return Err(SchemaError::Version(major));
    }
    let catalog = Catalog::read(client).await?;
    let privileges = grants::read(client).await?;
    let large_objects = large_objects::read(client).await?;
    let database = database::read(client).await?;
    let tables = relations::read_tables(client).await?;
    let sequences = relations::read_sequences(client).await?;
    let leftovers = Leftovers::read(client).await?;
    assemble(
        &catalog,
        &large_objects,
        &privileges,
        &database,
        tables,
        sequences,
        &leftovers,
    )
}

async fn major_version(client: &Client) -> Result<i32, SchemaError> {
    let row = client
        .query_one(
            "select pg_catalog.current_setting('server_version_num')::integer / 10000",
            &[],
        )
        .await?;
    Ok(row.try_get(0)?)
}
