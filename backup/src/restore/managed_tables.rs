//! Rows of the platform's tables, whose columns are the platform's to change.
//!
//! They arrive in a temporary table with the source's columns, are proven there,
//! and are taken over with the columns that both sides have.

use tokio_postgres::Client;

use super::{
    Cause, Listener, Note,
    restore_error::{refused, refused_rows},
    row_loading::{self, Tables},
    table_comparison::{self, Expected},
};
use crate::{format::TableData, opened_backup::OpenedBackup, restore_sql};

/// A table that was taken over.
pub(super) struct Loaded {
    /// What the target has to hold now.
    pub(super) expected: Expected,
    /// Columns that only the source has.
    pub(super) left: Vec<String>,
}

impl Loaded {
    /// What a person has to know of it.
    pub(super) fn note(&self) -> Option<Note> {
        let table = self.expected.tables[0].clone();
        (!self.left.is_empty()).then(|| Note::ColumnsLeft(table, self.left.clone()))
    }
}

/// Loads one table of the platform.
pub(super) async fn load(
    source: &OpenedBackup<'_>,
    session: &Client,
    data: &TableData,
    tables: Tables,
    tell: Listener<'_>,
) -> Result<Loaded, Cause> {
    let failed = || refused(format!("cannot load rows of {}", data.table));
    let begin = format!("begin; {}", restore_sql::make_incoming(data));
    session.batch_execute(&begin).await.map_err(failed())?;
    let incoming = restore_sql::incoming();
    let copy = restore_sql::copy(&incoming, &data.columns, false);
    row_loading::send(source, session, &copy, data, tell).await?;

    let hash = source.manifest.row_hash;
    let sent = Expected::of(source, data)?;
    let arrived = table_comparison::sums(session, &incoming, &sent.columns, hash).await?;
    if arrived != (sent.rows, sent.checksum) {
        return Err(Cause::Different(vec![data.table.clone()]));
    }
    let (shared, left) = split(session, data).await?;
    let firing = tables.firing(session, &data.table).await?;
    let take_over = restore_sql::take_over(&data.table, &shared);
    let take_over = format!("{} {take_over}; {}", firing.off, firing.on);
    let taken = session.batch_execute(&take_over).await;
    taken.map_err(refused_rows(&data.table))?;
    let (rows, checksum) = table_comparison::sums(session, &incoming, &shared, hash).await?;
    session.batch_execute("commit").await.map_err(failed())?;
    Ok(Loaded {
        expected: Expected {
            tables: vec![data.table.clone()],
            columns: shared,
            rows,
            checksum,
        },
        left,
    })
}

/// The source's columns that the target takes, and those that it does not.
async fn split(session: &Client, data: &TableData) -> Result<(Vec<String>, Vec<String>), Cause> {
    const TAKEN: &str = "select attname::text from pg_attribute \
        where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
    let taken = session
        .query(TAKEN, &[&data.table.to_string()])
        .await
        .map_err(refused(format!("cannot look at {}", data.table)))?;
    let taken: Vec<String> = taken.iter().map(|row| row.get(0)).collect();
    Ok(data
        .columns
        .iter()
        .cloned()
        .partition(|column| taken.contains(column)))
}
