//! One sealed object of the store that is no part of a backup: sealed like a segment, so that
//! `age` and `zstd` open it without a line of ours, and written once.

use bytes::Bytes;
use tokio::task;

use crate::{
    keys::{Identities, Recipients},
    seal::{self, SealError},
    store::{Store, StoreError},
};

/// What the path of one ends with, after its own type.
pub(crate) const ENDING: &str = ".zst.age";

/// Why one cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SealedObjectError {
    /// The store would not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be sealed or opened.
    #[error("{path}: {source}")]
    Sealed {
        /// Where.
        path: String,
        /// Why.
        source: SealError,
    },
    /// The work was called off.
    #[error("it was called off")]
    Cancelled,
}

/// Seals it and writes it. Returns how many bytes it takes.
pub(crate) async fn write(
    store: &Store,
    path: &str,
    plaintext: Bytes,
    recipients: &Recipients,
) -> Result<u64, SealedObjectError> {
    let recipients = recipients.clone();
    let sealed = blocking(move || seal::seal(&plaintext, &recipients)).await?;
    let sealed = Bytes::from(sealed.map_err(|source| at(path, source))?);
    let bytes = sealed.len() as u64;
    store.put_new(path, sealed).await?;
    Ok(bytes)
}

/// Reads it and opens it, up to that many bytes; `None` where there is none.
pub(crate) async fn read(
    store: &Store,
    path: &str,
    identities: &Identities,
    limit: u64,
) -> Result<Option<Vec<u8>>, SealedObjectError> {
    let Some(sealed) = store.get_if_there(path).await? else {
        return Ok(None);
    };
    let identities = identities.clone();
    let opened = blocking(move || seal::open(&sealed, &identities, limit)).await?;
    opened.map(Some).map_err(|source| at(path, source))
}

fn at(path: &str, source: SealError) -> SealedObjectError {
    SealedObjectError::Sealed {
        path: path.to_owned(),
        source,
    }
}

/// Compressing and encrypting hold the processor for long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SealedObjectError> {
    let done = task::spawn_blocking(work).await;
    done.map_err(|_| SealedObjectError::Cancelled)
}
