//! A session that reads tables in the snapshot.

use std::pin::Pin;

use tokio_postgres::CopyOutStream;

use super::{SegmentedRows, SourceError, database_snapshot::Began, lock_refused};
use crate::{
    checksum,
    format::{Checksum, SequenceState},
    pinned_session::{PinnedSession, SessionError},
    row_order::{self, Order},
    schema::{Name, Sequence, Table, quoted},
    segments::Cutter,
};

/// What sorting a table may take in memory before it goes to the server's disk.
const SORT_MEMORY: &str = "64MB";

/// A session within the snapshot.
#[derive(Debug)]
pub struct SnapshotReader {
    session: PinnedSession,
    began: Began,
}

/// One table being read.
pub struct Reading {
    /// The columns that COPY text has, in its order.
    pub columns: Vec<String>,
    /// Their types as SQL.
    pub types: Vec<String>,
    /// The order of the rows.
    pub order: Order,
    /// How many rows there are, by the server's count.
    pub count: u64,
    /// The server's checksum.
    pub checksum: Checksum,
    /// The rows.
    pub rows: SegmentedRows<Pin<Box<CopyOutStream>>>,
}

impl SnapshotReader {
    /// Takes over a snapshot, which has to be the first thing that a
    /// transaction does.
    ///
    /// # Errors
    /// When the snapshot has ended or the session fails.
    pub async fn join(session: PinnedSession, snapshot: &str) -> Result<Self, SourceError> {
        let sql = format!(
            "begin isolation level repeatable read read only;
             set transaction snapshot '{}';
             set local work_mem = '{SORT_MEMORY}'",
            snapshot.replace('\'', "''")
        );
        session.client().batch_execute(&sql).await?;
        let began = Began::read(&session).await?;
        Ok(Self { session, began })
    }

    /// Starts reading a table: counts it and begins to copy it.
    ///
    /// # Errors
    /// [`SourceError::Busy`] if a change of the table waits for our lock.
    pub async fn read(&self, table: &Table) -> Result<Reading, SourceError> {
        let client = self.session.client();
        let lock = format!("lock table only {} in access share mode nowait", table.name);
        if let Err(error) = client.batch_execute(&lock).await {
            return Err(lock_refused(&error, &table.name.to_string()));
        }
        let (columns, types): (Vec<String>, Vec<String>) = table
            .columns
            .iter()
            .filter(|column| !column.generated)
            .map(|column| (column.name.clone(), column.type_sql.clone()))
            .unzip();
        let order = row_order::read(client, table).await?;
        let (count, checksum) = checksum::read(client, &table.name, &columns).await?;
        let stream = client
            .copy_out(&copy(&table.name, &columns, &order))
            .await?;
        let cutter = Cutter::new(positions(&columns, &order));
        Ok(Reading {
            rows: SegmentedRows::new(Box::pin(stream), table.name.clone(), cutter, count),
            columns,
            types,
            order,
            count,
            checksum,
        })
    }

    /// Checks that the transaction has lasted and nothing failed in it.
    ///
    /// # Errors
    /// When it has not.
    pub async fn probe(&self) -> Result<(), SourceError> {
        self.began.probe(&self.session).await
    }

    /// Ends the transaction; the session is free for other things.
    ///
    /// # Errors
    /// When the session had failed.
    pub async fn leave(self) -> Result<PinnedSession, SourceError> {
        self.session.client().batch_execute("commit").await?;
        Ok(self.session)
    }
}

/// Where sequences stand now. No snapshot holds that: read after the rows, they
/// are at or past every value that a row has.
///
/// # Errors
/// When one is gone or the session fails.
pub async fn read_sequences(
    session: &PinnedSession,
    sequences: &[Sequence],
) -> Result<Vec<SequenceState>, SessionError> {
    if sequences.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<String> = sequences
        .iter()
        .enumerate()
        .map(|(index, sequence)| {
            let name = &sequence.name;
            format!("select {index}::int8, last_value, is_called from {name}")
        })
        .collect();
    let rows = session
        .client()
        .query(&parts.join(" union all "), &[])
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let index = usize::try_from(row.get::<_, i64>(0)).ok()?;
            let Sequence { name, table } = sequences.get(index)?.clone();
            Some(SequenceState {
                sequence: name,
                table,
                last_value: row.get(1),
                is_called: row.get(2),
            })
        })
        .collect())
}

fn copy(table: &Name, columns: &[String], order: &Order) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    format!(
        "copy (select {} from only {table}{}) to stdout",
        columns.join(", "),
        order.clause()
    )
}

/// Where the columns of the order stand in COPY text. One that is generated
/// stands nowhere; the whole row is the key then.
fn positions(columns: &[String], order: &Order) -> Option<Vec<usize>> {
    let positions: Option<Vec<usize>> = order
        .columns
        .iter()
        .map(|name| columns.iter().position(|column| column == name))
        .collect();
    positions.filter(|positions| !positions.is_empty())
}
