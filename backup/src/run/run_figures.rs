//! What a run did, in numbers.

use serde::Serialize;

use crate::store::Requests;

/// Runs a month, one every half hour.
const RUNS_A_MONTH: u64 = 2 * 24 * 30;

/// What a backup took. Bytes are counted once each: read from the database as
/// text, and then either stored or found in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    /// COPY text that was read.
    pub bytes_read: u64,
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
    /// What leaves the database in a month of half-hourly runs like this one.
    pub projected_monthly_egress_bytes: u64,
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

/// What leaves the database in a month of half-hourly runs, each of which reads
/// this much.
pub(super) fn monthly(bytes_read: u64) -> u64 {
    bytes_read.saturating_mul(RUNS_A_MONTH)
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
