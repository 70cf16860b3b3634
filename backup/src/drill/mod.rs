//! A backup tried: restored into a database that is made for it and dropped after it.
//!
//! - `scratch_database`: that database, and those that a killed drill left behind
//! - `application_queries`: what the application would ask it
//! - `rotation`: whose rows are restored where not all of them can be
//! - `budget`: how many of them those are

mod application_queries;
mod budget;
mod rotation;
mod scratch_database;

use secrecy::SecretString;

pub use application_queries::Query;
pub use budget::Budget;
pub use rotation::{Candidate, candidates, choose};
pub use scratch_database::ScratchError;

use crate::{
    format::Snapshot,
    keys::Identities,
    restore::{self, Cause, Listener, RestoreError, Restored},
    selection::Selection,
    store::Store,
    verify::{self, FilesTried},
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
    /// What the application would ask. Nothing is asked where not all rows are restored, since it
    /// might be about the others.
    pub queries: &'a [Query],
}

/// How many bytes of files of Storage are fetched and opened, others each time.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// How a drill went. The scratch database is gone, unless `left` says why not.
#[derive(Debug)]
pub struct Drilled {
    /// What was restored, or why it was not.
    pub restored: Result<Restored, NotRestored>,
    /// What was tried beside the restore.
    pub beside: Beside,
    /// Databases of killed drills that were dropped first.
    pub cleared: Vec<String>,
    /// Why the scratch database is still there.
    pub left: Option<ScratchError>,
}

/// What was tried beside the restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// How many queries of the application were asked.
    pub queries: usize,
    /// Which files of Storage were fetched and opened; nothing where the backup has none.
    pub files: Option<FilesTried>,
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
    let trying = Box::pin(tried(&request, scratch.url(), tell));
    let tried = tokio::select! {
        tried = trying => tried,
        () = end => Err(NotRestored::Ended),
    };
    let (restored, beside) = match tried {
        Ok((restored, beside)) => (Ok(restored), beside),
        Err(error) => (Err(error), Beside::default()),
    };
    let left = scratch.drop().await.err();
    Ok(Drilled {
        restored,
        beside,
        cleared,
        left,
    })
}

/// Restores it there, and asks what the application would.
async fn tried(
    request: &Request<'_>,
    into: &SecretString,
    tell: Listener<'_>,
) -> Result<(Restored, Beside), NotRestored> {
    let Request {
        store,
        snapshot,
        identities,
        ..
    } = *request;
    let restoring = restore::restore(
        restore::Request {
            store,
            snapshot,
            identities,
            into,
            ca: request.ca,
            selection: request.selection,
            jobs: request.jobs,
            strict: false,
            masking: None,
        },
        tell,
    );
    let mut restored = restoring.await?;
    let has_all_rows = restored.loaded.len() as u64 == snapshot.totals.tables;
    let queries = if has_all_rows { request.queries } else { &[] };
    let bad = application_queries::ask(into, request.ca, queries).await;
    let bad = bad.map_err(|error| NotRestored::Restore(error.into()))?;
    restored.missing.extend(bad);
    let files = verify::sample_files(store, snapshot, identities, FILE_BYTES).await;
    let faults = files.iter().flat_map(|tried| &tried.faults);
    restored
        .missing
        .extend(faults.map(|fault| restore::Missing {
            what: format!("file of Storage in {}", fault.path),
            reason: fault.what.clone(),
            statement: String::new(),
        }));
    let queries = queries.len();
    Ok((restored, Beside { queries, files }))
}

impl From<RestoreError> for NotRestored {
    /// What a restore leaves behind is dropped either way.
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Untouched(cause) | RestoreError::Partial(cause) => Self::Restore(cause),
        }
    }
}
