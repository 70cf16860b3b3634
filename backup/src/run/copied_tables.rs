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
use jiff::Timestamp;
use outside::clock;
use tokio::task;

use super::{
    RunError,
    ranges::{self, Circumstances, Ranges, Stretch},
    row_notes::RowNotes,
};
use crate::{
    checksum::RowSums,
    format::{Computed, How, KnownPiece, KnownTable, RowHash, TableData, TableRead, Why},
    repository::{PutError, Writer},
    schema::Table,
    segments::Segment,
    source::{Access, Opened, Reading, SnapshotReader},
};

/// How many segments of one reader are on their way to the store, and how many
/// bytes, before it reads on: what is more waits in the server.
const WAITING: usize = 8;
const WAITING_BYTES: u64 = 8 * 1024 * 1024;

/// What the tables of a run are copied with.
#[derive(Debug)]
pub(super) struct Copying<'a> {
    /// Where pieces go.
    pub(super) writer: &'a Writer,
    /// The tables of which a query can be planned.
    pub(super) plannable: &'a HashSet<u32>,
    /// Whether anything may be taken over.
    pub(super) circumstances: Circumstances,
    /// What earlier runs read, and what this one does.
    pub(super) notes: &'a RowNotes,
}

/// Copies tables, given the largest first: each reader takes the next one that
/// nobody has. They come back in the order of their names.
pub(super) async fn copy_all(
    readers: &[SnapshotReader],
    tables: &[&Table],
    copying: &Copying<'_>,
) -> Result<Vec<TableData>, RunError> {
    let next = AtomicUsize::new(0);
    let all = readers.iter().map(async |reader| {
        let mut copied = Vec::new();
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            copied.push(copying.copy(reader, table).await?);
        }
        Ok::<_, RunError>(copied)
    });
    let copied = try_join_all(all).await?.into_iter().flatten();
    let mut tables: Vec<TableData> = copied.collect();
    tables.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(tables)
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

/// What it took to find out what changed of a table.
#[derive(Default)]
struct Asked {
    checksum_ms: u64,
    /// COPY text that came.
    bytes: u64,
}

/// One table, copied.
struct Copied {
    pieces: Vec<KnownPiece>,
    read: TableRead,
}

impl Copying<'_> {
    /// Copies one table: what changed of it, or all.
    async fn copy(&self, reader: &SnapshotReader, table: &Table) -> Result<TableData, RunError> {
        let access = if self.plannable.contains(&table.oid) {
            Access::Ordered
        } else {
            Access::Unplanned
        };
        let opened = reader.open(table, access).await?;
        let known = self.notes.of(&table.name);
        let mut asked = Asked::default();
        let changes = match ranges::plan(self.circumstances, table, &opened, known) {
            Ok(ranges) => {
                let changes = self.changes(reader, &opened, &ranges, &mut asked);
                changes.await?
            }
            Err(why) => Err(why),
        };
        let (mut copied, why) = match changes {
            Ok(copied) => (copied, None),
            Err(why) => (self.whole(reader, &opened, why).await?, Some(why)),
        };
        copied.read.checksum_ms = asked.checksum_ms;
        copied.read.bytes_read += asked.bytes;
        if why.is_none_or(Why::lets_ranges_be_known) {
            let read_at = known.filter(|_| why.is_none()).map(|known| known.read_at);
            let (spread, rest) = ranges::patience(known, why);
            self.notes.put(KnownTable {
                spread,
                rest,
                pieces: copied.pieces.clone(),
                ..self.unread(&opened, read_at)
            });
        }
        Ok(data(table, opened, copied))
    }

    /// What is known of a table before anything of it was read, but for that of earlier runs
    /// which is not read again.
    fn unread(&self, opened: &Opened, read_at: Option<Timestamp>) -> KnownTable {
        KnownTable {
            table: opened.table.clone(),
            read_at: read_at.unwrap_or(self.circumstances.taken_at),
            spread: 0,
            rest: 0,
            columns: opened.columns.clone(),
            types: opened.types.clone(),
            order: opened.order.columns.clone(),
            pieces: Vec::new(),
        }
    }

    /// Copies what changed of a table, or says why all of it is to be read.
    async fn changes(
        &self,
        reader: &SnapshotReader,
        opened: &Opened,
        ranges: &Ranges<'_>,
        asked: &mut Asked,
    ) -> Result<Result<Copied, Why>, RunError> {
        let began = clock::instant();
        let found = reader.sum_parts(opened, &ranges.partition).await?;
        asked.checksum_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Some(found) = found else {
            return Ok(Err(Why::Refused));
        };
        let stretches = match ranges.compare(&found, |known| self.writer.has(&known.piece)) {
            Ok(stretches) => stretches,
            Err(why) => return Ok(Err(why)),
        };
        let parts = ranges.wanted(&stretches);
        let ranges_read = parts.numbers.iter().filter(|part| **part > 0).count();
        let mut came = Vec::new();
        if !parts.stops.is_empty() {
            let mut reading = reader.read_parts(opened, parts).await?;
            self.store(&mut reading, opened, |piece| came.push(piece))
                .await?;
            asked.bytes = reading.rows.bytes;
        }
        let Some((pieces, bytes_taken_over)) = self.joined(stretches, came).await else {
            tracing::warn!(table = %opened.table, "what came was not what the server had summed");
            return Ok(Err(Why::Doubtful));
        };
        Ok(Ok(Copied {
            pieces,
            read: TableRead {
                how: How::Changes {
                    ranges: ranges.pieces.len() as u64,
                    ranges_read: ranges_read as u64,
                },
                bytes_read: 0,
                bytes_taken_over,
                checksum_ms: 0,
            },
        }))
    }

    /// The pieces of a table in order, those that are taken over and those that came, and how
    /// long the former are; nothing if what came is not what the server had summed.
    async fn joined(
        &self,
        stretches: Vec<Stretch<'_>>,
        came: Vec<KnownPiece>,
    ) -> Option<(Vec<KnownPiece>, u64)> {
        let mut came = came.into_iter();
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        for stretch in stretches {
            match stretch {
                Stretch::TakenOver(known) => {
                    for known in known {
                        self.writer.take_over(&known.piece).await;
                        bytes += known.piece.raw_len;
                        pieces.push(known.clone());
                    }
                }
                Stretch::Read { rows, sums, .. } => {
                    let (mut left, mut found) = (rows, RowSums::default());
                    while left > 0 {
                        let known = came.next()?;
                        left = left.checked_sub(known.piece.rows)?;
                        found += known.sums;
                        pieces.push(known);
                    }
                    if found != sums {
                        return None;
                    }
                }
            }
        }
        came.next().is_none().then_some((pieces, bytes))
    }

    /// Copies all of a table. Where nothing that was known of it is of use, its pieces are noted
    /// down while they come: a run that is cut short leaves them to the next one.
    async fn whole(
        &self,
        reader: &SnapshotReader,
        opened: &Opened,
        why: Why,
    ) -> Result<Copied, RunError> {
        let is_news = why.leaves_nothing_known();
        if is_news {
            self.notes.put(self.unread(opened, None));
        }
        let mut reading = reader.read(opened).await?;
        let mut pieces = Vec::new();
        let came = |piece: KnownPiece| {
            if is_news {
                self.notes.add(&opened.table, piece.clone());
            }
            pieces.push(piece);
        };
        self.store(&mut reading, opened, came).await?;
        Ok(Copied {
            pieces,
            read: TableRead {
                how: How::Whole { why },
                bytes_read: reading.rows.bytes,
                bytes_taken_over: 0,
                checksum_ms: 0,
            },
        })
    }

    /// Stores what is read, and hands its pieces over in order.
    async fn store(
        &self,
        reading: &mut Reading,
        opened: &Opened,
        mut came: impl FnMut(KnownPiece),
    ) -> Result<(), RunError> {
        let columns = opened.columns.len();
        let mut waiting = FuturesOrdered::new();
        let mut waiting_bytes = 0;
        let mut ended = false;
        while !ended || !waiting.is_empty() {
            let may_read = !ended && waiting.len() < WAITING && waiting_bytes < WAITING_BYTES;
            tokio::select! {
                stored = waiting.next(), if !waiting.is_empty() => {
                    if let Some(stored) = stored {
                        let known: KnownPiece = stored?;
                        waiting_bytes -= known.piece.raw_len;
                        came(known);
                    }
                }
                segment = pin!(reading.rows.next()), if may_read => match segment? {
                    Some(segment) => {
                        waiting_bytes += segment.bytes.len() as u64;
                        waiting.push_back(put(self.writer, segment, columns));
                    }
                    None => ended = true,
                },
            }
        }
        Ok(())
    }
}

/// A table as the manifest has it.
fn data(table: &Table, opened: Opened, copied: Copied) -> TableData {
    let mut sums = RowSums::default();
    for known in &copied.pieces {
        sums += known.sums;
    }
    TableData {
        table: opened.table,
        scope: table.scope.clone(),
        columns: opened.columns,
        types: opened.types,
        order: opened.order.columns,
        rows: copied.pieces.iter().map(|known| known.piece.rows).sum(),
        checksum: sums.checksum(),
        read: Some(copied.read),
        pieces: copied.pieces.into_iter().map(|known| known.piece).collect(),
    }
}

/// Stores a segment, and sums its rows beside that.
async fn put(writer: &Writer, segment: Segment, columns: usize) -> Result<KnownPiece, PutError> {
    let text = segment.ended.clone();
    let summing = task::spawn_blocking(move || RowSums::of(&text, columns, RowHash::Mixed));
    let summed = async { summing.await.map_err(|_| PutError::Cancelled) };
    let (piece, sums) = try_join(writer.put(segment), summed).await?;
    Ok(KnownPiece { piece, sums })
}
