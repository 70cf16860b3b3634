//! Lists of objects that are going to be deleted, as they lie in the store.
//!
//! Whoever writes a backup reads them, too: an object on such a list is stored once more, under
//! another name, since it may be gone before the backup is sealed.

use std::collections::HashSet;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    catalogue::ReadError,
    format::{FormatError, Tombstone, Tombstones, object_path},
    seal,
    store::{Store, StoreError},
};

/// Above this many bytes no list is read.
const MOST: u64 = 256 * 1024 * 1024;

/// A list as it lies in the store.
#[derive(Debug, Clone)]
pub(crate) struct List {
    /// Where.
    pub(crate) path: String,
    /// When it was written, by the store's clock.
    pub(crate) since: Timestamp,
    /// What is on it.
    pub(crate) objects: Vec<Tombstone>,
}

/// Every list. One that cannot be read fails all.
pub(crate) async fn read(store: &Store) -> Result<Vec<List>, ReadError> {
    let mut lists = Vec::new();
    for listed in store.list(object_path::TOMBSTONES).await? {
        let compressed = store.get(&listed.path).await?;
        let unreadable = |source| ReadError::Unreadable {
            path: listed.path.clone(),
            source,
        };
        let text =
            seal::decompress(&compressed, MOST).map_err(|_| unreadable(FormatError::Damaged))?;
        lists.push(List {
            objects: Tombstones::parse(&text).map_err(unreadable)?.objects,
            path: listed.path,
            since: listed.modified,
        });
    }
    Ok(lists)
}

/// Writes a list.
pub(crate) async fn write(
    store: &Store,
    path: &str,
    objects: Vec<Tombstone>,
) -> Result<(), ReadError> {
    let text = Tombstones { objects }.render();
    let compressed = seal::compress(&text).map_err(|source| ReadError::Sealed {
        path: path.to_owned(),
        source,
    })?;
    let store = store.reading_back();
    store.put_new(path, Bytes::from(compressed)).await?;
    Ok(())
}

/// What is going to be deleted, for whoever writes.
#[derive(Debug)]
pub(crate) enum Doomed {
    /// These paths.
    Paths(HashSet<String>),
    /// Perhaps anything: a list cannot be read.
    Unknown,
}

impl Doomed {
    /// Reads it.
    pub(crate) async fn read(store: &Store) -> Result<Self, StoreError> {
        match read(store).await {
            Ok(lists) => Ok(Self::Paths(
                lists
                    .into_iter()
                    .flat_map(|list| list.objects)
                    .map(|object| object.path)
                    .collect(),
            )),
            // One that went meanwhile, or is damaged, and not a store that fails.
            Err(ReadError::Store(error)) if !error.is_about_the_object() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "what is going to be deleted is not known, so everything is stored once more");
                Ok(Self::Unknown)
            }
        }
    }

    /// Whether what lies at this path may be gone soon.
    pub(crate) fn has(&self, path: &str) -> bool {
        match self {
            Self::Paths(paths) => paths.contains(path),
            Self::Unknown => true,
        }
    }
}
