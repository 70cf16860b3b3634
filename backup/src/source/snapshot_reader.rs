//! A session that reads tables in the snapshot.

use std::pin::Pin;

use outside::database::Received;
use tokio_postgres::{Client, CopyOutStream};

use super::{Partition, SegmentedRows, SourceError, database_snapshot::Began, lock_refused};
use crate::{
    checksum::{self, RowSums},
    format::{Checksum, RowHash, SequenceState},
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

/// A table that is locked for reading, and how its rows are to come.
#[derive(Debug)]
pub struct Opened {
    /// Which table.
    pub table: Name,
    /// The columns that COPY text has, in its order.
    pub columns: Vec<String>,
    /// Their types as SQL.
    pub types: Vec<String>,
    /// The order of the rows.
    pub order: Order,
    access: Access,
}

/// Some parts of a table's rows.
#[derive(Debug)]
pub struct Parts<'a> {
    /// What the parts are.
    pub partition: &'a Partition,
    /// Which of them.
    pub numbers: Vec<usize>,
    /// After how many rows of them a segment has to end; the last is how many there are.
    pub stops: Vec<u64>,
}

/// One table being read.
pub struct Reading {
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

    /// How much came over its session, counted on while it lasts.
    #[must_use]
    pub fn received(&self) -> Received {
        self.session.received()
    }

    /// Locks a table and finds out in which order its rows are to come.
    ///
    /// # Errors
    /// [`SourceError::Busy`] if a change of the table waits for our lock.
    pub async fn open(&self, table: &Table, access: Access) -> Result<Opened, SourceError> {
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
        let order = match access {
            Access::Ordered => row_order::read(client, table).await?,
            Access::Unplanned => Order::default(),
        };
        Ok(Opened {
            table: table.name.clone(),
            columns,
            types,
            order,
            access,
        })
    }

    /// Starts reading all of a table: counts it, if that can be planned, and begins to copy
    /// it.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn read(&self, opened: &Opened) -> Result<Reading, SourceError> {
        let client = self.session.client();
        let Opened { table, columns, .. } = opened;
        let (count, copy) = match opened.access {
            Access::Ordered => {
                let copy = copy_ordered(opened, "");
                (Some(count(client, table).await?), copy)
            }
            Access::Unplanned => (None, copy(table, columns)),
        };
        let stream = client.copy_out(&copy).await?;
        let cutter = Cutter::new(opened.key());
        Ok(Reading {
            rows: SegmentedRows::new(Box::pin(stream), table.clone(), cutter, count),
            count,
        })
    }

    /// Starts reading the rows of some parts of a table.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn read_parts(
        &self,
        opened: &Opened,
        parts: Parts<'_>,
    ) -> Result<Reading, SourceError> {
        let numbers: Vec<String> = parts.numbers.iter().map(ToString::to_string).collect();
        let wanted = format!(
            " where {} = any ('{{{}}}'::int[])",
            parts.partition.sql(),
            numbers.join(",")
        );
        let copy = copy_ordered(opened, &wanted);
        let stream = self.session.client().copy_out(&copy).await?;
        let cutter = Cutter::new(opened.key());
        let count = parts.stops.last().copied();
        let rows = SegmentedRows::new(Box::pin(stream), opened.table.clone(), cutter, count);
        Ok(Reading {
            rows: rows.with_stops(parts.stops),
            count,
        })
    }

    /// Has the server count and sum the rows of each part of a table; nothing where it
    /// refuses that.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn sum_parts(
        &self,
        opened: &Opened,
        partition: &Partition,
    ) -> Result<Option<Vec<(u64, RowSums)>>, SourceError> {
        let client = self.session.client();
        let Opened { table, columns, .. } = opened;
        let sums = async || checksum::read_parts(client, table, columns, &partition.sql()).await;
        let Some(summed) = self.unless_refused(sums).await? else {
            return Ok(None);
        };
        let mut parts = vec![(0, RowSums::default()); partition.parts().end];
        for (number, count, sums) in summed {
            let part = usize::try_from(number).ok();
            if let Some(part) = part.and_then(|number| parts.get_mut(number)) {
                *part = (count, sums);
            }
        }
        Ok(Some(parts))
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
        let proof = async || checksum::read(client, relation, columns, RowHash::Mixed).await;
        self.unless_refused(proof).await
    }

    /// What the server answers; nothing where it refuses, or somebody holds a lock.
    async fn unless_refused<T>(
        &self,
        question: impl AsyncFnOnce() -> Result<T, tokio_postgres::Error>,
    ) -> Result<Option<T>, SourceError> {
        let client = self.session.client();
        let begin = format!("savepoint asked; set local lock_timeout = '{LOCK_TIMEOUT}'");
        client.batch_execute(&begin).await?;
        let answer = match question().await {
            Ok(answer) => Some(answer),
            Err(error) if error.as_db_error().is_some() => None,
            Err(error) => return Err(error.into()),
        };
        client
            .batch_execute("rollback to savepoint asked; release savepoint asked")
            .await?;
        Ok(answer)
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

fn copy_ordered(opened: &Opened, wanted: &str) -> String {
    let columns: Vec<String> = opened.columns.iter().map(|column| quoted(column)).collect();
    format!(
        "copy (select {} from only {}{wanted}{}) to stdout",
        columns.join(", "),
        opened.table,
        opened.order.clause()
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

impl Opened {
    /// How its rows come.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Where the columns of the order stand in COPY text. One that is generated
    /// stands nowhere; the whole row is the key then.
    #[must_use]
    pub fn key(&self) -> Option<Vec<usize>> {
        let place = |name: &String| self.columns.iter().position(|column| column == name);
        let places: Option<Vec<usize>> = self.order.columns.iter().map(place).collect();
        places.filter(|places| !places.is_empty())
    }
}
