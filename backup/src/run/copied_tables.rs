//! Rows on their way from the readers to the store.

use std::{
    collections::HashSet,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{
    StreamExt,
    future::{try_join, try_join_all},
    stream::FuturesOrdered,
};
use tokio::task;

use super::RunError;
use crate::{
    checksum::RowSums,
    format::{Computed, Piece, TableData},
    repository::{PutError, Writer},
    schema::Table,
    segments::Segment,
    source::{Access, SnapshotReader},
};

/// How many segments of one reader are on their way to the store, and how many
/// bytes, before it reads on: what is more waits in the server.
const WAITING: usize = 8;
const WAITING_BYTES: u64 = 8 * 1024 * 1024;

/// The rows of all tables.
#[derive(Debug)]
pub(super) struct Copied {
    /// The tables, in the order of their names.
    pub(super) tables: Vec<TableData>,
    /// COPY text that was read.
    pub(super) bytes: u64,
}

/// Copies tables, given the largest first: each reader takes the next one that
/// nobody has.
pub(super) async fn copy_all(
    readers: &[SnapshotReader],
    tables: &[&Table],
    plannable: &HashSet<u32>,
    writer: &Writer,
) -> Result<Copied, RunError> {
    let next = AtomicUsize::new(0);
    let copying = readers.iter().map(async |reader| {
        let mut copied = Vec::new();
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            let access = if plannable.contains(&table.oid) {
                Access::Ordered
            } else {
                Access::Unplanned
            };
            copied.push(copy(reader, table, access, writer).await?);
        }
        Ok::<_, RunError>(copied)
    });
    let copied = try_join_all(copying).await?.into_iter().flatten();
    let (mut tables, bytes): (Vec<TableData>, Vec<u64>) = copied.unzip();
    tables.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(Copied {
        tables,
        bytes: bytes.iter().sum(),
    })
}

/// Proves what the server computes, where it may plan to read that.
pub(super) async fn prove_all(
    readers: &[SnapshotReader],
    computed: &[(u32, Computed)],
    plannable: &HashSet<u32>,
) -> Result<Vec<Computed>, RunError> {
    let next = AtomicUsize::new(0);
    let proving = readers.iter().map(async |reader| {
        let mut proven = Vec::new();
        while let Some((oid, computed)) = computed.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut computed = computed.clone();
            if plannable.contains(oid) {
                computed.proof = reader.prove(&computed.relation, &computed.columns).await?;
            }
            proven.push(computed);
        }
        Ok::<_, RunError>(proven)
    });
    let mut proven: Vec<_> = try_join_all(proving).await?.into_iter().flatten().collect();
    proven.sort_by(|one, other| one.relation.cmp(&other.relation));
    Ok(proven)
}

/// Copies one table; also how many bytes it was.
async fn copy(
    reader: &SnapshotReader,
    table: &Table,
    access: Access,
    writer: &Writer,
) -> Result<(TableData, u64), RunError> {
    let mut reading = reader.read(table, access).await?;
    let columns = reading.columns.len();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut sums = RowSums::default();
    let mut waiting = FuturesOrdered::new();
    let mut waiting_bytes = 0;
    let mut ended = false;
    while !ended || !waiting.is_empty() {
        let may_read = !ended && waiting.len() < WAITING && waiting_bytes < WAITING_BYTES;
        tokio::select! {
            stored = waiting.next(), if !waiting.is_empty() => {
                if let Some(stored) = stored {
                    let (piece, of_rows): (Piece, RowSums) = stored?;
                    waiting_bytes -= piece.raw_len;
                    sums += of_rows;
                    pieces.push(piece);
                }
            }
            segment = pin!(reading.rows.next()), if may_read => match segment? {
                Some(segment) => {
                    waiting_bytes += segment.bytes.len() as u64;
                    waiting.push_back(put(writer, segment, columns));
                }
                None => ended = true,
            },
        }
    }
    let data = TableData {
        table: table.name.clone(),
        scope: table.scope.clone(),
        columns: reading.columns,
        types: reading.types,
        order: reading.order.columns,
        rows: reading.rows.rows,
        checksum: sums.checksum(),
        pieces,
    };
    Ok((data, reading.rows.bytes))
}

/// Stores a segment, and sums its rows beside that.
async fn put(
    writer: &Writer,
    segment: Segment,
    columns: usize,
) -> Result<(Piece, RowSums), PutError> {
    let text = segment.ended.clone();
    let summing = task::spawn_blocking(move || RowSums::of(&text, columns));
    let summed = async { summing.await.map_err(|_| PutError::Cancelled) };
    try_join(writer.put(segment), summed).await
}
