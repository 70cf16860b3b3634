//! Files in Storage that somebody owns: found and erased.
//!
//! Rows of files are never deleted by SQL where there are files: those would lie in the bucket for
//! ever, and nobody could ask for them. The API deletes both. Only a database that was just made
//! from a backup has rows and no files.

use std::collections::BTreeMap;

use backup::files::{StorageApi, StorageError};
use tokio_postgres::{Client, GenericClient};

use super::{Person, PrivacyError, ways::quoted};

/// How many files are deleted by one request.
const PAGE: i64 = 100;

/// A file of somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedFile {
    /// Its bucket.
    pub bucket: String,
    /// Its name.
    pub name: String,
}

/// Why somebody's files are not all gone.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The database refused.
    #[error(transparent)]
    Database(#[from] PrivacyError),
    /// There are some, and no Storage to delete them in.
    #[error(
        "{0} files are theirs, and SUPABASE_URL or the project's secret key is not set, by which they are deleted"
    )]
    NoStorage(u64),
    /// Storage refused.
    #[error("a file of theirs cannot be deleted: {0}")]
    Storage(#[from] StorageError),
    /// Storage said that it did, and did not.
    #[error("{0} files of theirs are still there after Storage has deleted them")]
    StillThere(u64),
}

impl From<tokio_postgres::Error> for FilesError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What makes a row of `storage.objects` somebody's, with their number as `$1`; `None` where the
/// database has no Storage, or hides it. Its owner is text or a number, as old as it is.
async fn condition(client: &impl GenericClient) -> Result<Option<String>, PrivacyError> {
    let sql = "
select att.attname::text
from pg_catalog.pg_attribute as att
where att.attrelid = to_regclass('storage.objects') and att.attname in ('owner', 'owner_id')
    and not att.attisdropped and has_table_privilege(att.attrelid, 'select')";
    let owners: Vec<_> = client
        .query(sql, &[])
        .await?
        .iter()
        .map(|row| Ok(format!("{}::text = $1", quoted(row.try_get(0)?))))
        .collect::<Result<_, tokio_postgres::Error>>()?;
    Ok((!owners.is_empty()).then(|| format!("({})", owners.join(" or "))))
}

/// How many files are somebody's.
pub(super) async fn count(
    client: &impl GenericClient,
    person: &Person,
) -> Result<u64, PrivacyError> {
    let Some(theirs) = condition(client).await? else {
        return Ok(0);
    };
    let sql = format!("select count(*) from storage.objects where {theirs}");
    let row = client.query_one(&sql, &[&person.id.to_string()]).await?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}

/// The first of somebody's files, at most that many.
pub(super) async fn some(
    client: &impl GenericClient,
    person: &Person,
    limit: i64,
) -> Result<Vec<OwnedFile>, PrivacyError> {
    let Some(theirs) = condition(client).await? else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "select bucket_id, name from storage.objects
         where bucket_id is not null and name is not null and {theirs}
         order by bucket_id, name limit $2"
    );
    let rows = client
        .query(&sql, &[&person.id.to_string(), &limit])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(OwnedFile {
                bucket: row.try_get(0)?,
                name: row.try_get(1)?,
            })
        })
        .collect()
}

/// Deletes every file of somebody by the API, and returns how many. Whoever is killed on the way
/// finds the rest by their rows when it is called again.
pub async fn erase(
    client: &Client,
    storage: Option<&StorageApi>,
    person: &Person,
) -> Result<u64, FilesError> {
    let mut before = count(client, person).await?;
    let all = before;
    while before > 0 {
        let storage = storage.ok_or(FilesError::NoStorage(before))?;
        let mut by_bucket: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for OwnedFile { bucket, name } in some(client, person, PAGE).await? {
            by_bucket.entry(bucket).or_default().push(name);
        }
        for (bucket, names) in by_bucket {
            storage.delete(&bucket, &names).await?;
        }
        let left = count(client, person).await?;
        if left >= before {
            return Err(FilesError::StillThere(left));
        }
        before = left;
    }
    Ok(all)
}

/// Deletes the rows of somebody's files from a database that was made from a backup: no file is
/// there yet. The platform refuses that unless it is asked for by a setting.
pub async fn forget_rows(client: &mut Client, person: &Person) -> Result<u64, PrivacyError> {
    let Some(theirs) = condition(client).await? else {
        return Ok(0);
    };
    let transaction = client.transaction().await?;
    let allow = "select set_config('storage.allow_delete_query', 'true', true)";
    transaction.query(allow, &[]).await?;
    let sql = format!("delete from storage.objects where {theirs}");
    let gone = transaction.execute(&sql, &[&person.id.to_string()]).await?;
    transaction.commit().await?;
    Ok(gone)
}
