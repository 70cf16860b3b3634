//! What else an application consists of beside its database, in the same store: one
//! document with how its platforms are set up, and a copy of its repository.
//!
//! Each object is sealed like a segment, so that `age` and `zstd` open it without a line of
//! ours, and is written once under its time. An archive exists once its document does; the
//! repository is written before it.

use bytes::Bytes;
use jiff::Timestamp;
use tokio::task;

use crate::{
    hex,
    keys::{Identities, Recipients},
    seal::{self, SealError},
    store::{Listed, Store, StoreError},
};

/// The folder of archives.
const FOLDER: &str = "v1/app";

/// The most that is opened: a repository with a long past, in bytes.
const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// Why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
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
    /// There is none of that name.
    #[error("there is no archive {0}")]
    NoSuch(String),
    /// The work was called off.
    #[error("it was called off")]
    Cancelled,
}

/// What an archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// How the platforms are set up, as one JSON document.
    Documents,
    /// The repository, as a bundle of git's.
    Repository,
}

/// An archive in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Its name: when it was taken, and what tells it from another of that second.
    pub name: String,
    /// The bytes of its documents, sealed.
    pub bytes: u64,
    /// The bytes of its copy of the repository, sealed; `None` where there is none.
    pub repository_bytes: Option<u64>,
}

impl Part {
    fn path(self, name: &str) -> String {
        let ending = match self {
            Self::Documents => "json",
            Self::Repository => "bundle",
        };
        format!("{FOLDER}/{name}.{ending}.zst.age")
    }
}

/// The name of an archive with these documents, taken at that time.
#[must_use]
pub fn name(taken_at: Timestamp, documents: &[u8]) -> String {
    let time = taken_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{time}-{}", &hex::sha256(documents)[..8])
}

/// Seals a part and writes it. Returns how many bytes it takes.
pub async fn write(
    store: &Store,
    name: &str,
    part: Part,
    plaintext: Bytes,
    recipients: &Recipients,
) -> Result<u64, ArchiveError> {
    let path = part.path(name);
    let recipients = recipients.clone();
    let sealed = blocking(move || seal::seal(&plaintext, &recipients)).await?;
    let sealed = Bytes::from(sealed.map_err(|source| ArchiveError::Sealed {
        path: path.clone(),
        source,
    })?);
    let bytes = sealed.len() as u64;
    store.put_new(&path, sealed).await?;
    Ok(bytes)
}

/// Every archive, newest first.
pub async fn list(store: &Store) -> Result<Vec<Archive>, ArchiveError> {
    let objects = store.list(FOLDER).await?;
    let size = |path: &str| {
        let object = objects.iter().find(|object| object.path == path)?;
        Some(object.len)
    };
    let mut archives: Vec<_> = objects
        .iter()
        .filter_map(|object| {
            let name = documents_name(object)?;
            Some(Archive {
                bytes: object.len,
                repository_bytes: size(&Part::Repository.path(&name)),
                name,
            })
        })
        .collect();
    archives.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(archives)
}

/// Reads a part and opens it.
pub async fn read(
    store: &Store,
    name: &str,
    part: Part,
    identities: &Identities,
) -> Result<Vec<u8>, ArchiveError> {
    let path = part.path(name);
    let sealed = store.get_if_there(&path).await?;
    let sealed = sealed.ok_or_else(|| ArchiveError::NoSuch(name.to_owned()))?;
    let identities = identities.clone();
    let opened = blocking(move || seal::open(&sealed, &identities, LARGEST)).await?;
    opened.map_err(|source| ArchiveError::Sealed { path, source })
}

fn documents_name(object: &Listed) -> Option<String> {
    let file = object.path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let name = file.strip_suffix(".json.zst.age")?;
    Some(name.to_owned())
}

/// Compressing and encrypting hold the processor for long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ArchiveError> {
    let done = task::spawn_blocking(work).await;
    done.map_err(|_| ArchiveError::Cancelled)
}
