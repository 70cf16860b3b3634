//! Pins: each keeps one backup, whatever the ladder says, until somebody takes it away. They lie
//! beside the backups, so that whoever loses the database loses none.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{
    catalogue::ReadError,
    format::{Pin, SnapshotName, object_path},
    store::{Store, StoreError},
};

/// The backups that are pinned. What lies there tells it by its name alone: a pin that cannot be
/// read keeps its backup as well.
///
/// # Errors
/// Why they cannot be listed.
pub async fn names(store: &Store) -> Result<BTreeSet<SnapshotName>, StoreError> {
    let listed = store.list(object_path::PINS).await?;
    let name = |path: &str| object_path::pinned_name(path);
    Ok(listed
        .iter()
        .filter_map(|object| name(&object.path))
        .collect())
}

/// The pin of a backup, if it has one.
///
/// # Errors
/// See [`ReadError`].
pub async fn read(store: &Store, name: &SnapshotName) -> Result<Option<Pin>, ReadError> {
    let path = object_path::pin(name);
    let text = store.get_if_there(&path).await?;
    let unreadable = |source| ReadError::Unreadable { path, source };
    text.map(|text| Pin::parse(&text).map_err(unreadable))
        .transpose()
}

/// Pins a backup. One that is pinned already keeps its pin.
///
/// # Errors
/// Why it cannot be written.
pub async fn pin(store: &Store, pin: &Pin) -> Result<(), ReadError> {
    let path = object_path::pin(&pin.snapshot);
    let written = pin.render().map_err(|source| ReadError::Unreadable {
        path: path.clone(),
        source,
    })?;
    match store
        .reading_back()
        .put_new(&path, Bytes::from(written))
        .await
    {
        Err(StoreError::Taken { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes the pin of a backup away.
///
/// # Errors
/// Why it cannot be deleted.
pub async fn unpin(store: &Store, name: &SnapshotName) -> Result<(), StoreError> {
    store.delete(&object_path::pin(name)).await
}
