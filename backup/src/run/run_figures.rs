//! What a run did, in numbers.

use serde::Serialize;

use crate::{
    files::FileFigures,
    format::{How, TableRead},
    schema::Name,
    store::Requests,
};

/// Runs a month, one every half hour.
const RUNS_A_MONTH: u64 = 2 * 24 * 30;

/// What a backup took. Bytes are counted once each: taken over unread from the backup before, or
/// read from the database as text, and then either stored or found in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Tables, empty ones included.
    pub tables: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Segments that the backup rests on, scripts included.
    pub segments: u64,
    /// Those that this run stored.
    pub segments_stored: u64,
    /// Those that were in the store.
    pub segments_reused: u64,
    /// What was stored, as it lies in the store.
    pub bytes_stored: u64,
    /// The plaintext of what was in the store.
    pub bytes_reused: u64,
    /// What was asked of the store.
    pub requests: Counts,
    /// From the first session to the commit record.
    pub duration_ms: u64,
    /// The database's size, indexes and all.
    pub database_bytes: u64,
    /// All that came from the database: rows, checksums, and the schema, which is read in
    /// every run.
    pub bytes_received: u64,
    /// What leaves the database in a month of half-hourly runs like this one.
    pub projected_monthly_egress_bytes: u64,
    /// How the rows were read.
    #[serde(flatten)]
    pub reading: Reading,
    /// What became of the files of Storage; nothing where the backup was taken without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FileFigures>,
}

/// How the rows of all tables were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// COPY text that was read.
    pub bytes_read: u64,
    /// COPY text that was not: the server's checksums say that it still stands.
    pub bytes_taken_over: u64,
    /// Tables that were read whole.
    pub tables_whole: u64,
    /// Tables of which only ranges that had changed were read.
    pub tables_in_part: u64,
    /// Tables of which nothing was read.
    pub tables_unchanged: u64,
    /// How long the server took to compute checksums, in milliseconds, the time of several
    /// sessions added up.
    pub checksum_ms: u64,
}

impl Reading {
    /// Adds up how tables were read.
    #[must_use]
    pub fn of(reads: &[(Name, TableRead)]) -> Self {
        let mut all = Self::default();
        for (_, read) in reads {
            all.bytes_read += read.bytes_read;
            all.bytes_taken_over += read.bytes_taken_over;
            all.checksum_ms += read.checksum_ms;
            let count = match read.how {
                How::Whole { .. } => &mut all.tables_whole,
                How::Changes { ranges_read: 0, .. } if read.bytes_read == 0 => {
                    &mut all.tables_unchanged
                }
                How::Changes { .. } => &mut all.tables_in_part,
            };
            *count += 1;
        }
        all
    }
}

/// Requests to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Writes.
    pub put: u64,
    /// Reads.
    pub get: u64,
    /// Questions for size alone.
    pub head: u64,
    /// Listings.
    pub list: u64,
}

/// What leaves the database in a month of half-hourly runs, of each of which this much
/// does.
pub(super) fn monthly(bytes: u64) -> u64 {
    bytes.saturating_mul(RUNS_A_MONTH)
}

impl Counts {
    pub(super) fn between(before: Requests, after: Requests) -> Self {
        Self {
            put: after.put.saturating_sub(before.put),
            get: after.get.saturating_sub(before.get),
            head: after.head.saturating_sub(before.head),
            list: after.list.saturating_sub(before.list),
        }
    }
}
