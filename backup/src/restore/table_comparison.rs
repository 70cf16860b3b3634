//! The proof: what the target's server counts and hashes, against what the backup
//! read.

use tokio_postgres::{Client, error::SqlState};

use super::{Cause, Event, Listener, Note, restore_error::refused, target_sessions::Sessions};
use crate::{
    checksum,
    format::{Checksum, Computed, RowHash, TableData},
    opened_backup::OpenedBackup,
    schema::Name,
};

/// What a table has to hold, or several together: rows may have come into another
/// partition.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) tables: Vec<Name>,
    /// The columns that are compared.
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) checksum: Checksum,
}

impl Expected {
    /// Whether all of it is about these tables.
    pub(super) fn is_among(&self, tables: &[Name]) -> bool {
        self.tables.iter().all(|table| tables.contains(table))
    }

    /// What the source held, or what its masks made of that.
    pub(super) fn of(source: &OpenedBackup<'_>, data: &TableData) -> Result<Self, Cause> {
        let (columns, checksum) = match source.masks() {
            Some(masks) => masks.table(&data.table)?.expected(),
            None => (data.columns.clone(), data.checksum.clone()),
        };
        Ok(Self {
            tables: vec![data.table.clone()],
            columns,
            rows: data.rows,
            checksum,
        })
    }
}

/// Puts what has to be in parts of one table together. Without an answer nobody can
/// compare them, because not all have their columns in one order.
pub(super) fn merged(parts: &[Expected]) -> Option<Expected> {
    let first = parts.first()?;
    let is_alike = parts.iter().all(|part| part.columns == first.columns);
    let checksum = checksum::total(parts.iter().map(|part| &part.checksum))?;
    is_alike.then(|| Expected {
        tables: parts.iter().flat_map(|part| part.tables.clone()).collect(),
        columns: first.columns.clone(),
        rows: parts.iter().map(|part| part.rows).sum(),
        checksum,
    })
}

/// Compares every table, and fails with all that differ.
pub(super) async fn all(
    sessions: &Sessions,
    expected: &[Expected],
    hash: RowHash,
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let results = sessions.each(expected, |session, expected| async move {
        let (mut rows, mut checksums) = (0, Vec::new());
        for table in &expected.tables {
            let (more, checksum) = sums(session, table, &expected.columns, hash).await?;
            rows += more;
            checksums.push(checksum);
        }
        tell(Event::Advanced(1));
        let found = (rows, checksum::total(&checksums));
        let equal = found == (expected.rows, Some(expected.checksum.clone()));
        Ok((!equal).then(|| expected.tables.clone()))
    });
    let different: Vec<_> = results.await?.into_iter().flatten().flatten().collect();
    if different.is_empty() {
        Ok(())
    } else {
        Err(Cause::Different(different))
    }
}

/// Compares what the target's server computed, and tells what differs and what nobody
/// can compare. What is missing has been told.
pub(super) async fn computed(
    sessions: &Sessions,
    expected: &[&Computed],
    hash: RowHash,
) -> Result<Vec<Note>, Cause> {
    let notes = sessions.each(expected, |session, computed| async move {
        let what = computed.to_string();
        let Some(proof) = &computed.proof else {
            return Ok(Some(Note::Unproven(what)));
        };
        match checksum::read(session, &computed.relation, &computed.columns, hash).await {
            Ok(found) => Ok((found != *proof).then_some(Note::Differs(what))),
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
            Err(error) if error.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE) => {
                Ok(Some(Note::Differs(what)))
            }
            Err(error) if error.as_db_error().is_some() => Ok(Some(Note::Unproven(what))),
            Err(error) => Err(refused(format!("cannot read {}", computed.relation))(error)),
        }
    });
    Ok(notes.await?.into_iter().flatten().collect())
}

/// The count and the checksum of a table as it is. Where planning the server's query
/// runs something of the app's that fails, the rows come here to be hashed.
pub(super) async fn sums(
    session: &Client,
    table: &Name,
    columns: &[String],
    hash: RowHash,
) -> Result<(u64, Checksum), Cause> {
    let sums = match checksum::read(session, table, columns, hash).await {
        Err(error) if error.as_db_error().is_some() => {
            checksum::copied(session, table, columns, hash).await
        }
        read => read,
    };
    sums.map_err(refused(format!("cannot read {table}")))
}
