//! What the backup before has of files, as its indexes tell by keyed hashes.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    catalogue::{self, ReadError},
    format::{FileIndex, FilePart, FileRecord, FileState, Stored, object_path},
    hex,
    repository::Writer,
    store::{Store, StoreError},
};

/// How many indexes are read at once.
const READS: usize = 8;

/// What is known before a run begins.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By the keyed hash of bucket, name and version.
    pub(super) files: HashMap<String, FileState>,
    /// The indexes, by the hash of their text.
    pub(super) indexes: HashMap<String, Stored>,
}

/// Reads what the backup before has. What cannot be read is fetched once more; a store that does
/// not serve is an error.
pub(super) async fn read(writer: &Writer) -> Result<Known, StoreError> {
    let store = writer.repository().store();
    let record = match writer.previous() {
        Some(previous) => or_nothing(super::record(store, previous).await)?.flatten(),
        None => None,
    };
    // Keys of another epoch name nothing in this one.
    let epoch = writer.repository().epoch();
    let Some(record) = record.filter(|record| record.epoch == epoch) else {
        return Ok(Known::default());
    };
    let listed = store.list(object_path::FILE_INDEXES).await?;
    let there: HashMap<_, _> = listed
        .into_iter()
        .map(|object| (object.path, object.len))
        .collect();
    let mut known = Known::default();
    let mut reads = stream::iter(record.parts)
        .map(async |FilePart { index, .. }| {
            let read = catalogue::file_index(store, &index).await;
            (index, read)
        })
        .buffer_unordered(READS);
    while let Some((stored, read)) = reads.next().await {
        let Some(index) = or_nothing(read)? else {
            continue;
        };
        if there.get(&stored.path) == Some(&stored.len) {
            known.indexes.insert(hex::sha256(&index.render()), stored);
        }
        known.files.extend(index.files);
    }
    Ok(known)
}

/// The paths of everything that a record rests on, but its own.
pub(super) async fn paths(
    store: &Store,
    record: &FileRecord,
) -> Result<HashSet<String>, ReadError> {
    let segment = |name: &str| object_path::segment(record.epoch, name);
    let indexes: Vec<FileIndex> = stream::iter(record.parts.clone())
        .map(async |part: FilePart| catalogue::file_index(store, &part.index).await)
        .buffered(READS)
        .try_collect()
        .await?;
    let mut paths = HashSet::new();
    for part in &record.parts {
        paths.insert(segment(&part.listing));
        paths.insert(part.index.path.clone());
    }
    for (_, state) in indexes.into_iter().flat_map(|index| index.files) {
        paths.extend(state.pieces().iter().map(|piece| segment(&piece.name)));
    }
    Ok(paths)
}

fn or_nothing<T>(read: Result<T, ReadError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ReadError::Store(error @ StoreError::Failing { .. })) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "what is known of files cannot be read, so that they are fetched once more");
            Ok(None)
        }
    }
}
