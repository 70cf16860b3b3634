//! What else an application consists of beside its database, in the same store: one
//! document with how its platforms are set up, and a copy of its repository.
//!
//! Each is a sealed object, written once under its time. An archive exists once its document
//! does; the repository is written before it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    hex,
    keys::{Identities, Recipients},
    sealed_object::{self, ENDING, SealedObjectError},
    store::{Listed, Store},
};

/// The folder of archives.
const FOLDER: &str = "v1/app";

/// The most that is opened: a repository with a long past, in bytes.
const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// Why an archive cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store would not, or it cannot be sealed or opened.
    #[error(transparent)]
    Object(#[from] SealedObjectError),
    /// There is none of that name.
    #[error("there is no archive {0}")]
    NoSuch(String),
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
        format!("{FOLDER}/{name}.{ending}{ENDING}")
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
    Ok(sealed_object::write(store, &part.path(name), plaintext, recipients).await?)
}

/// Every archive, newest first.
pub async fn list(store: &Store) -> Result<Vec<Archive>, ArchiveError> {
    let objects = store.list(FOLDER).await.map_err(SealedObjectError::from)?;
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
    let opened = sealed_object::read(store, &part.path(name), identities, LARGEST).await?;
    opened.ok_or_else(|| ArchiveError::NoSuch(name.to_owned()))
}

fn documents_name(object: &Listed) -> Option<String> {
    let file = object.path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let name = file.strip_suffix(ENDING)?.strip_suffix(".json")?;
    Some(name.to_owned())
}
