//! Large objects: bytes under a number, which stand beside the tables. They are small
//! statements here, so there is a limit to what is held of them.

use tokio_postgres::{Client, types::Oid};

use super::{
    Exclusion, SchemaError,
    catalog::{self, Found, Key},
    exclusions,
    object_kind::Kind,
};
use crate::hex;

/// How many bytes are held of all of them.
const MOST_BYTES: usize = 16 << 20;

/// How many of them are held.
const MOST: usize = 2_000;

/// The oid of `pg_largeobject`, the same in every version.
const LARGE_OBJECTS: u32 = 2613;

/// What is held of the large objects, and what is not.
#[derive(Debug, Default)]
pub(super) struct LargeObjects {
    pub(super) found: Vec<Found>,
    pub(super) gaps: Vec<(Key, Exclusion)>,
}

/// Reads them in the order of their numbers.
pub(super) async fn read(client: &Client) -> Result<LargeObjects, SchemaError> {
    let all = catalog::read(client, include_str!("sql/large_objects.sql"), |row| {
        let entry: (Oid, String, bool) = (
            row.try_get("oid")?,
            row.try_get("owner")?,
            row.try_get("readable")?,
        );
        Ok(entry)
    })
    .await?;
    let mut held = LargeObjects::default();
    let mut room = MOST_BYTES;
    for (oid, owner, readable) in all {
        let contents = if !readable {
            Err("the role of the backup may not read it")
        } else if held.found.len() < MOST {
            let bytes = contents(client, oid, room).await?;
            bytes.ok_or("a backup holds 16 MiB of large objects")
        } else {
            Err("a backup holds 2,000 large objects")
        };
        match contents {
            Ok(bytes) => {
                room -= bytes.len();
                held.found.push(large_object(oid, owner, &bytes));
            }
            Err(why) => held
                .gaps
                .push((key(oid), exclusions::large_object(oid, why))),
        }
    }
    Ok(held)
}

/// The bytes, if they are no more than these.
async fn contents(client: &Client, oid: Oid, most: usize) -> Result<Option<Vec<u8>>, SchemaError> {
    let limit = i32::try_from(most + 1).unwrap_or(i32::MAX);
    let row = client
        .query_one("select pg_catalog.lo_get($1, 0, $2)", &[&oid, &limit])
        .await?;
    let bytes: Vec<u8> = row.try_get(0)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

fn large_object(oid: Oid, owner: String, bytes: &[u8]) -> Found {
    let sql = format!(
        "do 'begin perform pg_catalog.lo_from_bytea({oid}, ''\\x{}''); end';\n",
        hex::of(bytes)
    );
    Found {
        owner,
        address: Some(format!("large object {oid}")),
        ..Found::bare(key(oid), Kind::LargeObject, oid.to_string(), sql)
    }
}

fn key(oid: Oid) -> Key {
    Key {
        class: LARGE_OBJECTS,
        oid,
    }
}
