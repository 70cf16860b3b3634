//! The trash: commit records of backups that are no longer kept. What lies there is no backup for
//! anybody who lists them, and all that it rests on is still there: it can be put back.
//!
//! A record is written there and read back before it goes where it was, so that whoever is killed
//! on the way leaves it in one of the two places, or in both: then it is kept.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use crate::{
    catalogue::{self, ReadError},
    format::{Snapshot, SnapshotName, object_path},
    store::{Store, StoreError},
};

/// How many records are read at once.
const READS: usize = 16;

/// A backup in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// Its commit record.
    pub snapshot: Snapshot,
    /// Since when, by the store's clock.
    pub since: Timestamp,
}

/// Every backup in the trash, the oldest snapshot first.
///
/// # Errors
/// See [`ReadError`]; what is no commit record is one.
pub async fn list(store: &Store) -> Result<Vec<Trashed>, ReadError> {
    let listed = store.list(object_path::TRASH).await?;
    let reading = stream::iter(listed).map(async |object| {
        let name = object_path::trashed_name(&object.path);
        let name = name.ok_or_else(|| catalogue::misplaced(&object.path))?;
        let record = catalogue::record_at(store, &object.path, &name).await?;
        Ok::<_, ReadError>(Trashed {
            snapshot: record.snapshot,
            since: object.modified,
        })
    });
    let mut trashed: Vec<_> = reading.buffer_unordered(READS).try_collect().await?;
    trashed.sort_by(|one, other| one.snapshot.snapshot.cmp(&other.snapshot.snapshot));
    Ok(trashed)
}

/// Moves a backup into the trash, where its time begins now.
pub(crate) async fn put(store: &Store, name: &SnapshotName) -> Result<(), StoreError> {
    let path = object_path::record(name);
    let text = store.get(&path).await?;
    store.put_over(&object_path::trashed(name), text).await?;
    store.delete(&path).await
}

/// Puts a backup back to where it can be restored. A store that does not let its record in the
/// trash be deleted has it back as well.
///
/// # Errors
/// See [`ReadError`]; that it is not in the trash is one.
pub async fn put_back(store: &Store, name: &SnapshotName) -> Result<(), ReadError> {
    let path = object_path::trashed(name);
    catalogue::record_at(store, &path, name).await?;
    let text = store.get(&path).await?;
    let store = store.reading_back();
    store.put_new(&object_path::record(name), text).await?;
    match forget(&store, name).await {
        Ok(()) | Err(StoreError::Refused { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the record of a backup in the trash: from now on there is no such backup.
pub(crate) async fn forget(store: &Store, name: &SnapshotName) -> Result<(), StoreError> {
    store.delete(&object_path::trashed(name)).await
}
