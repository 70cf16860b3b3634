//! What the database says of files, within the run's snapshot.

use serde_json::Value;
use tokio_postgres::{Client, Row};

use super::HANDED_OUT;
use crate::{
    format::{Bucket, FileRow},
    source::SourceError,
};

/// Buckets and files, in order.
#[derive(Debug, Default)]
pub struct FileRows {
    /// Every bucket.
    pub buckets: Vec<Bucket>,
    /// Every file, in the order of bucket and name.
    pub files: Vec<FileRow>,
}

/// A schema of that name may be somebody else's, with other tables in it: a statement that fails
/// would take the snapshot along.
const ARE_THERE: &str = "
select coalesce(bool_and(coalesce(
    has_table_privilege(to_regclass('storage.' || of_table), 'select')
    and exists (
        select from pg_catalog.pg_attribute as att
        where att.attrelid = to_regclass('storage.' || of_table) and att.attname = named and not att.attisdropped
    ),
    false
)), false)
from (values ('buckets', 'id'), ('objects', 'bucket_id'), ('objects', 'name')) as needed (of_table, named)";

const BUCKETS: &str = "
select id::text, to_jsonb(b)::text from storage.buckets as b order by id::text collate \"C\"";

/// Older projects lack columns, and every project has some that tell nothing. What is handed out
/// to somebody is a copy that will be deleted.
const FILES: &str = "
select bucket_id::text, name::text, (to_jsonb(o) - 'path_tokens' - 'last_accessed_at')::text
from storage.objects as o
where bucket_id is not null and name is not null and bucket_id::text <> $1
order by bucket_id::text collate \"C\", name::text collate \"C\"";

/// Reads them; nothing where the database has no Storage, or hides it.
pub async fn read(client: &Client) -> Result<Option<FileRows>, SourceError> {
    if !client.query_one(ARE_THERE, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let buckets = client.query(BUCKETS, &[]).await?;
    let files = client.query(FILES, &[&HANDED_OUT]).await?;
    Ok(Some(FileRows {
        buckets: buckets
            .iter()
            .map(|row| Bucket {
                id: row.get(0),
                row: row.get(1),
            })
            .collect(),
        files: files.iter().map(file).collect(),
    }))
}

fn file(row: &Row) -> FileRow {
    let text: String = row.get(2);
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let metadata = &document["metadata"];
    let word = |value: &Value| value.as_str().map(str::to_owned);
    FileRow {
        bucket: row.get(0),
        name: row.get(1),
        version: word(&document["version"]),
        updated_at: word(&document["updated_at"]),
        size: metadata["size"].as_u64(),
        tag: word(&metadata["eTag"]),
        row: text,
    }
}
