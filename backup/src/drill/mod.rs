//! A backup tried: restored into a database that is made for it and dropped after it.
//!
//! - `scratch_database`: that database, and those that a killed drill left behind
//! - `rotation`: whose rows are restored where not all of them can be
//! - `budget`: how many of them those are

mod budget;
mod rotation;
mod scratch_database;

use secrecy::SecretString;

pub use budget::Budget;
pub use rotation::{Candidate, candidates, choose};
pub use scratch_database::ScratchError;

use crate::{
    format::Snapshot,
    keys::Identities,
    restore::{self, Cause, Listener, RestoreError, Restored},
    selection::Selection,
    store::Store,
};
use scratch_database::ScratchDatabase;

/// What to try, and where.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where the backup lies.
    pub store: &'a Store,
    /// Which backup.
    pub snapshot: &'a Snapshot,
    /// What opens it.
    pub identities: &'a Identities,
    /// A server that may make a database, as the URL of one that it has.
    pub server: &'a SecretString,
    /// What that server's certificate is verified with, besides public roots.
    pub ca: Option<&'a str>,
    /// What of it.
    pub selection: &'a Selection,
    /// How many sessions work at once; at least one does.
    pub jobs: usize,
}

/// How a drill went. The scratch database is gone, unless `left` says why not.
#[derive(Debug)]
pub struct Drilled {
    /// What was restored, or why it was not.
    pub restored: Result<Restored, NotRestored>,
    /// Databases of killed drills that were dropped first.
    pub cleared: Vec<String>,
    /// Why the scratch database is still there.
    pub left: Option<ScratchError>,
}

/// Why a drill restored nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotRestored {
    /// The backup does not let itself be restored there.
    #[error(transparent)]
    Restore(Cause),
    /// The drill was told to end.
    #[error("the drill was ended before it was done")]
    Ended,
}

/// Restores a backup into a scratch database, compares the two, and drops the
/// database whatever came of it, also when `end` comes first.
///
/// # Errors
/// [`ScratchError`] if no scratch database could be made: the backup was not tried.
pub async fn drill(
    request: Request<'_>,
    end: impl Future<Output = ()>,
    tell: Listener<'_>,
) -> Result<Drilled, ScratchError> {
    let cleared = scratch_database::clear(request.server, request.ca).await?;
    let scratch = ScratchDatabase::make(request.server, request.ca).await?;
    let restoring = restore::restore(
        restore::Request {
            store: request.store,
            snapshot: request.snapshot,
            identities: request.identities,
            into: scratch.url(),
            ca: request.ca,
            selection: request.selection,
            jobs: request.jobs,
            strict: false,
            masking: None,
        },
        tell,
    );
    let restored = tokio::select! {
        restored = restoring => restored.map_err(NotRestored::from),
        () = end => Err(NotRestored::Ended),
    };
    let left = scratch.drop().await.err();
    Ok(Drilled {
        restored,
        cleared,
        left,
    })
}

impl From<RestoreError> for NotRestored {
    /// What a restore leaves behind is dropped either way.
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Untouched(cause) | RestoreError::Partial(cause) => Self::Restore(cause),
        }
    }
}
