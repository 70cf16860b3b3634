//! The database as it was at one instant.
//!
//! One control session takes the snapshot, hands it to the readers and keeps it
//! alive; every table is locked against changes of its shape before the first
//! row is read. In reading order:
//!
//! - `database_snapshot`: the control session, and the proof that nothing changed
//!   while the backup began
//! - `catalog_fingerprint`: what that proof compares
//! - `snapshot_reader`: a session that reads tables in the snapshot
//! - `computed_values`: what COPY leaves out
//! - `partition`: rows told apart by ranges of their key
//! - `segmented_rows`: the stream of COPY text, counted and cut into segments

mod catalog_fingerprint;
pub mod computed_values;
mod database_snapshot;
mod partition;
mod segmented_rows;
mod snapshot_reader;

pub use database_snapshot::DatabaseSnapshot;
pub use partition::{Bound, Partition, RangeColumn, RangeType};
pub use segmented_rows::SegmentedRows;
pub use snapshot_reader::{Access, Opened, Parts, Reading, SnapshotReader, read_sequences};

use tokio_postgres::error::SqlState;

use super::{
    pinned_session::{SessionError, in_words},
    schema::Name,
};

/// Why the database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A session could not be opened, ended, or was refused something.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something changed between the snapshot and the locks: a new snapshot is
    /// needed.
    #[error("{0} changed while the backup began")]
    Moved(String),
    /// A change of the schema holds a lock, or waits for ours: it comes first,
    /// and the next run tries again.
    #[error("{0} is locked by a change of the schema, which a backup does not hold up")]
    Busy(String),
    /// What was read is not what the server counted.
    #[error("the copy of {table} is not whole: {reason}")]
    Torn {
        /// Which table.
        table: Name,
        /// What is missing.
        reason: String,
    },
}

impl From<tokio_postgres::Error> for SourceError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Session(error.into())
    }
}

/// What a refused lock means.
fn lock_refused(error: &tokio_postgres::Error, what: &str) -> SourceError {
    let busy = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    let gone = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    match error.code() {
        Some(code) if busy.contains(code) => SourceError::Busy(what.to_owned()),
        Some(code) if gone.contains(code) => SourceError::Moved(what.to_owned()),
        _ => SessionError::Failed(in_words(error)).into(),
    }
}
