//! The server's own checksum of a table, taken in the snapshot of a backup and
//! again after a restore: proof of equality that our own reading and writing
//! have no part in.

use tokio_postgres::Client;

use super::{
    format::Checksum,
    schema::{Name, quoted},
};

/// Counts a table's rows and sums two independent hashes of their columns' text. The
/// session's settings have to be pinned, and the columns be those of COPY.
///
/// # Errors
/// When the server refuses or the session ends.
pub async fn read(
    client: &Client,
    table: &Name,
    columns: &[String],
) -> Result<(u64, Checksum), tokio_postgres::Error> {
    let row = client.query_one(&query(table, columns), &[]).await?;
    let checksum = Checksum {
        first: row.get(1),
        second: row.get(2),
    };
    Ok((row.get::<_, i64>(0).unsigned_abs(), checksum))
}

/// The query: count, first and second sum. Hashing the columns' texts one by one
/// takes half the time of hashing a row's; `offset 0` keeps the server from
/// making them once for each hash.
#[must_use]
pub fn query(table: &Name, columns: &[String]) -> String {
    let texts: Vec<String> = columns
        .iter()
        .map(|column| format!("{}::text collate \"C\"", quoted(column)))
        .collect();
    format!(
        "select count(*), \
         coalesce(sum(hash_array_extended(r, 0)), 0)::text, \
         coalesce(sum(hash_array_extended(r, 7919)), 0)::text \
         from (select array[{}]::text[] as r from only {table} offset 0) as s",
        texts.join(", ")
    )
}
