//! Why a run made no backup.

use crate::{
    pinned_session::SessionError,
    preflight::Fault,
    repository::{PutError, RepositoryError, SealRunError},
    schema::SchemaError,
    source::SourceError,
    store::StoreError,
};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The time was up. What was stored is kept, and the next run goes on.
    #[error("the time was up before everything was stored; the next run goes on from there")]
    Deadline,
    /// A value of some row is larger than the memory that is there.
    #[error(
        "less than a sixteenth of {megabytes} MB of memory is left: a value in the database is too large for it, so give the function more"
    )]
    Memory {
        /// All the memory that there is.
        megabytes: u64,
    },
    /// Another run has taken over.
    #[error("the lease was lost, so that another run may be writing")]
    Superseded,
    /// The database cannot be backed up as it is, and somebody has to see to it.
    #[error("the database cannot be backed up: {}", listed(.0))]
    Preflight(Vec<Fault>),
    /// The database has something that a backup does not know how to make again.
    #[error("the schema cannot be backed up: {0}")]
    Schema(#[from] SchemaError),
    /// The database could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The repository could not be opened.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The store did not take the backup.
    #[error(transparent)]
    Store(SealRunError),
}

impl From<SessionError> for RunError {
    fn from(error: SessionError) -> Self {
        Self::Source(error.into())
    }
}

impl From<SealRunError> for RunError {
    fn from(error: SealRunError) -> Self {
        match error {
            SealRunError::LeaseLost => Self::Superseded,
            SealRunError::Put(_)
            | SealRunError::Manifest(_)
            | SealRunError::Unknown(_)
            | SealRunError::Lost { .. } => Self::Store(error),
        }
    }
}

impl From<PutError> for RunError {
    fn from(error: PutError) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

fn listed(faults: &[Fault]) -> String {
    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
    faults.join("; ")
}
