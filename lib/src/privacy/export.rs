//! Hands out what a database holds of somebody: one zip with a JSON and a CSV file for each
//! table, and an overview of what is in it and what was left out.
//!
//! Rows go from the server into the file one by one, so that their number does not matter.

mod exported_files;

use std::{
    collections::BTreeMap,
    io::{Seek, Write},
    pin::pin,
};

use backup::files::StorageApi;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Client, IsolationLevel, Transaction, types::ToSql};
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    Person, PrivacyError,
    gathered::{Gathered, found_in, literal},
    own_tables,
    ways::{Table, Ways, quoted},
};
pub use exported_files::ExportedFile;

/// What a zip says of itself to whoever opens it.
const READ_ME: &str = "\
What the app and its monitoring hold of you.

overview.json   the tables, how many rows of each are here, which columns were left out, and
                which files you uploaded, with the reason where one is not here
data/*.json     the rows of each table, an array of objects
data/*.csv      the same for a spreadsheet
files/*         files that you uploaded; overview.json says which is which
";

/// A row refers to the person; what is in these columns proves or hides something, and is no
/// answer to what is known of somebody.
const SECRET: [&str; 8] = [
    "password", "secret", "token", "otp", "nonce", "salt", "api_key", "p256dh",
];

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Whose.
    pub user: Uuid,
    /// When, which holds for every row.
    pub taken_at: Timestamp,
    /// The rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// The columns that were left out of each.
    pub left_out: BTreeMap<String, Vec<String>>,
    /// The files that they own in Storage.
    pub files: Vec<ExportedFile>,
}

/// Rows that are handed out: of a table, those that fulfil something.
struct Part {
    table: Table,
    from: String,
}

/// Writes everything of somebody into a zip, with what they own in that Storage, and gives back
/// what it was written into.
pub async fn export<W: Write + Seek>(
    client: &mut Client,
    person: &Person,
    ways: &Ways,
    storage: Option<&StorageApi>,
    taken_at: Timestamp,
    into: W,
) -> Result<(Exported, W), PrivacyError> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await?;
    transaction
        .batch_execute("set local search_path = ''; set local statement_timeout = 0")
        .await?;
    Gathered::gather(&transaction, person, ways).await?;
    let mut archive = Archive::new(into);
    archive.write_whole("README.txt", READ_ME.as_bytes())?;
    let mut exported = Exported {
        user: person.id,
        taken_at,
        tables: BTreeMap::new(),
        left_out: BTreeMap::new(),
        files: Vec::new(),
    };
    for part in parts(&transaction, person, ways).await? {
        let columns = Columns::of(&transaction, &part.table).await?;
        let rows = archive.write_part(&transaction, &part, &columns).await?;
        let name = part.table.to_string();
        if !columns.left_out.is_empty() {
            exported.left_out.insert(name.clone(), columns.left_out);
        }
        *exported.tables.entry(name).or_default() += rows;
    }
    exported.files = exported_files::write_all(&transaction, person, storage, &mut archive).await?;
    transaction.rollback().await?;
    let overview = serde_json::to_vec_pretty(&exported).unwrap_or_default();
    archive.write_whole("overview.json", &overview)?;
    Ok((exported, archive.zip.finish()?))
}

/// Writes into the audit log that somebody's data were handed out, under the keyed hash of their
/// number: what is in the log stays when they go.
pub async fn note(client: &Client, subject: Option<&str>, by: &str) -> Result<(), PrivacyError> {
    let written = "select ops.write_audit('data.exported', $1, $2, null)";
    client.query(written, &[&by, &subject]).await?;
    Ok(())
}

/// The same where somebody looked at what is held of a person.
pub async fn note_shown(
    client: &Client,
    subject: Option<&str>,
    by: &str,
) -> Result<(), PrivacyError> {
    let written = "select ops.write_audit('data.shown', $1, $2, null)";
    client.query(written, &[&by, &subject]).await?;
    Ok(())
}

/// The account, what refers to it, and what of ours names it.
async fn parts(
    transaction: &Transaction<'_>,
    person: &Person,
    ways: &Ways,
) -> Result<Vec<Part>, PrivacyError> {
    let id = literal(&person.id.to_string());
    let mut parts = vec![Part {
        table: Table::of_users(),
        from: format!("auth.users as child where child.id = {id}"),
    }];
    let identities = "select to_regclass('auth.identities') is not null";
    if transaction.query_one(identities, &[]).await?.try_get(0)? {
        parts.push(Part {
            table: Table::new("auth", "identities"),
            from: format!("auth.identities as child where child.user_id = {id}"),
        });
    }
    parts.extend(ways.tables().into_iter().map(|table| Part {
        table: table.clone(),
        from: found_in(table),
    }));
    if own_tables::are_there(transaction).await? {
        for (table, conditions) in own_tables::by_table(person) {
            parts.push(Part {
                from: format!("{} as child where {conditions}", table.quoted()),
                table,
            });
        }
    }
    Ok(parts)
}

/// The columns of a table that are handed out.
struct Columns {
    shown: Vec<String>,
    left_out: Vec<String>,
}

impl Columns {
    async fn of(transaction: &Transaction<'_>, table: &Table) -> Result<Self, PrivacyError> {
        let sql = "
select attname::text from pg_catalog.pg_attribute
where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum";
        let rows = transaction.query(sql, &[&table.quoted()]).await?;
        let names: Vec<String> = rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        let (left_out, shown) = names.into_iter().partition(|name| is_secret(name));
        Ok(Self { shown, left_out })
    }

    fn listed(&self) -> String {
        let all: Vec<_> = self
            .shown
            .iter()
            .map(|name| format!("child.{}", quoted(name)))
            .collect();
        all.join(", ")
    }
}

fn is_secret(column: &str) -> bool {
    let column = column.to_lowercase();
    SECRET.iter().any(|word| column.contains(word))
}

/// A zip that is being written.
struct Archive<W: Write + Seek> {
    zip: ZipWriter<W>,
}

impl<W: Write + Seek> Archive<W> {
    fn new(into: W) -> Self {
        Self {
            zip: ZipWriter::new(into),
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), PrivacyError> {
        // Nobody knows beforehand which file passes the limit of the old format.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(true);
        Ok(self.zip.start_file(name, options)?)
    }

    /// Begins a file whose content is compressed already, more often than not.
    fn begin_stored(&mut self, name: &str) -> Result<(), PrivacyError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        Ok(self.zip.start_file(name, options)?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PrivacyError> {
        Ok(self.zip.write_all(bytes)?)
    }

    /// Takes back the file that was begun.
    fn abort(&mut self) -> Result<(), PrivacyError> {
        Ok(self.zip.abort_file()?)
    }

    fn write_whole(&mut self, name: &str, bytes: &[u8]) -> Result<(), PrivacyError> {
        self.begin(name)?;
        Ok(self.zip.write_all(bytes)?)
    }

    /// Writes the rows of a table in both forms; returns how many there are. Of a table without
    /// any there is no file.
    async fn write_part(
        &mut self,
        transaction: &Transaction<'_>,
        part: &Part,
        columns: &Columns,
    ) -> Result<u64, PrivacyError> {
        let Part { table, from } = part;
        let listed = columns.listed();
        let sql =
            format!("select row_to_json(one.*)::text from (select {listed} from {from}) as one");
        let none: [&(dyn ToSql + Sync); 0] = [];
        let mut rows = pin!(transaction.query_raw(&sql, none).await?);
        let mut count = 0;
        while let Some(row) = rows.try_next().await? {
            if count == 0 {
                self.begin(&format!("data/{table}.json"))?;
            }
            self.zip
                .write_all(if count == 0 { b"[\n" } else { b",\n" })?;
            self.zip.write_all(row.try_get::<_, &str>(0)?.as_bytes())?;
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        self.zip.write_all(b"\n]\n")?;
        self.begin(&format!("data/{table}.csv"))?;
        let sql = format!("copy (select {listed} from {from}) to stdout (format csv, header)");
        let mut lines = pin!(transaction.copy_out(&sql).await?);
        while let Some(bytes) = lines.try_next().await? {
            self.zip.write_all(&bytes)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_something_is_left_out() {
        for (column, expected) in [
            ("encrypted_password", true),
            ("recovery_token", true),
            ("Reset_Token_Hash", true),
            ("p256dh", true),
            ("email", false),
            ("notes", false),
        ] {
            assert_eq!(is_secret(column), expected, "{column}");
        }
    }
}
