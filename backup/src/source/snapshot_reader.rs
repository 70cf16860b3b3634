//! A session that reads tables in the snapshot.

use std::pin::Pin;

use tokio_postgres::{Client, CopyOutStream};

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

/// How long a refresh of a materialised view is waited for.
const LOCK_TIMEOUT: &str = "5s";

/// How a table's rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By a query, in the order of [`row_order`].
    Ordered,
    /// As they lie, by the one command that plans nothing and so runs nothing of the
    /// app's.
    Unplanned,
}

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
    /// How many rows there are, by the server's count; nothing where it was not asked.
    pub count: Option<u64>,
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

    /// Starts reading a table: counts it, if that can be planned, and begins to copy
    /// it.
    ///
    /// # Errors
    /// [`SourceError::Busy`] if a change of the table waits for our lock.
    pub async fn read(&self, table: &Table, access: Access) -> Result<Reading, SourceError> {
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
        let (order, count, copy) = match access {
            Access::Ordered => {
                let order = row_order::read(client, table).await?;
                let copy = copy_ordered(&table.name, &columns, &order);
                (order, Some(count(client, &table.name).await?), copy)
            }
            Access::Unplanned => (Order::default(), None, copy(&table.name, &columns)),
        };
        let stream = client.copy_out(&copy).await?;
        let cutter = Cutter::new(positions(&columns, &order));
        Ok(Reading {
            rows: SegmentedRows::new(Box::pin(stream), table.name.clone(), cutter, count),
            columns,
            types,
            order,
            count,
        })
    }

    /// Has the server count and sum what it computed; nothing where it refuses that,
    /// or somebody holds a lock.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn prove(
        &self,
        relation: &Name,
        columns: &[String],
    ) -> Result<Option<(u64, Checksum)>, SourceError> {
        let client = self.session.client();
        let begin = format!("savepoint computed; set local lock_timeout = '{LOCK_TIMEOUT}'");
        client.batch_execute(&begin).await?;
        let proof = match checksum::read(client, relation, columns).await {
            Ok(proof) => Some(proof),
            Err(error) if error.as_db_error().is_some() => None,
            Err(error) => return Err(error.into()),
        };
        client
            .batch_execute("rollback to savepoint computed")
            .await?;
        Ok(proof)
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

/// The server's own count, a witness to what we receive.
async fn count(client: &Client, table: &Name) -> Result<u64, SourceError> {
    let sql = format!("select count(*) from only {table}");
    let row = client.query_one(&sql, &[]).await?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

fn copy_ordered(table: &Name, columns: &[String], order: &Order) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    format!(
        "copy (select {} from only {table}{}) to stdout",
        columns.join(", "),
        order.clause()
    )
}

/// Unlike a query, this never looks at indexes and statistics.
fn copy(table: &Name, columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    match columns.as_slice() {
        [] => format!("copy {table} to stdout"),
        columns => format!("copy {table} ({}) to stdout", columns.join(", ")),
    }
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
