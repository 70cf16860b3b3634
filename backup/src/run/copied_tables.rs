//! Rows on their way from the readers to the store.

use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt, future::try_join_all, stream::FuturesOrdered};

use super::RunError;
use crate::{
    format::{Piece, TableData},
    repository::Writer,
    schema::Table,
    source::SnapshotReader,
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
    writer: &Writer,
) -> Result<Copied, RunError> {
    let next = AtomicUsize::new(0);
    let copying = readers.iter().map(async |reader| {
        let mut copied = Vec::new();
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            copied.push(copy(reader, table, writer).await?);
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

/// Copies one table; also how many bytes it was.
async fn copy(
    reader: &SnapshotReader,
    table: &Table,
    writer: &Writer,
) -> Result<(TableData, u64), RunError> {
    let mut reading = reader.read(table).await?;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut waiting = FuturesOrdered::new();
    let mut waiting_bytes = 0;
    let mut ended = false;
    while !ended || !waiting.is_empty() {
        let may_read = !ended && waiting.len() < WAITING && waiting_bytes < WAITING_BYTES;
        tokio::select! {
            stored = waiting.next(), if !waiting.is_empty() => {
                if let Some(stored) = stored {
                    let piece: Piece = stored?;
                    waiting_bytes -= piece.raw_len;
                    pieces.push(piece);
                }
            }
            segment = pin!(reading.rows.next()), if may_read => match segment? {
                Some(segment) => {
                    waiting_bytes += segment.bytes.len() as u64;
                    waiting.push_back(writer.put(segment));
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
        rows: reading.count,
        checksum: reading.checksum,
        pieces,
    };
    Ok((data, reading.rows.bytes))
}
