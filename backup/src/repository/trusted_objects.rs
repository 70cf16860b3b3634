//! What a run may rely on without having stored it.
//!
//! An object is vouched for by the newest backup's inventory or by what an
//! unfinished run wrote down after its writes were acknowledged, and it must
//! still be listed with its length. Whatever else lies in the store may have been
//! torn when it was written.

use std::collections::HashMap;

use crate::{
    catalogue::{self, ReadError, Record},
    format::{Inventory, Stored, object_path},
    store::StoreError,
};

use super::Repository;

/// What is vouched for of the current epoch, by keyed hash.
#[derive(Debug, Default)]
pub(super) struct Vouched {
    /// What can be relied on.
    pub(super) there: HashMap<String, Stored>,
    /// The paths of what earlier backups rest on and nobody has any more.
    pub(super) gone: HashMap<String, String>,
}

/// Finds out what the store has of it.
pub(super) async fn read(
    repository: &Repository,
    previous: Option<&Record>,
) -> Result<Vouched, StoreError> {
    let lengths = lengths(repository).await?;
    let mut vouched = vouched_by_runs(repository, previous).await?;
    if let Some(record) = previous {
        let inventory = catalogue::inventory(&repository.store, &record.snapshot).await;
        vouched.extend(or_nothing(inventory)?);
    }
    let mut found = Vouched::default();
    for stored in vouched {
        let Some(name) = object_path::segment_name(repository.epoch, &stored.path) else {
            continue;
        };
        let id = object_path::id_of(name).to_owned();
        match lengths.get(&stored.path) {
            Some(len) if *len == stored.len => drop(found.there.insert(id, stored)),
            // Torn, or another one's.
            Some(_) => {}
            None => drop(found.gone.insert(id, stored.path)),
        }
    }
    Ok(found)
}

/// The length of every segment of the current epoch, by path.
pub(super) async fn lengths(repository: &Repository) -> Result<HashMap<String, u64>, StoreError> {
    let folder = object_path::segments(repository.epoch);
    let listed = repository.store.list(&folder).await?;
    Ok(listed
        .into_iter()
        .map(|object| (object.path, object.len))
        .collect())
}

/// Runs before the newest backup have nothing to tell: what they stored and it
/// needed, it names.
async fn vouched_by_runs(
    repository: &Repository,
    previous: Option<&Record>,
) -> Result<Vec<Stored>, StoreError> {
    // Behind the last part of that backup's own run.
    let after = previous.map_or_else(String::new, |record| {
        format!("{}/z", record.snapshot.snapshot)
    });
    let parts = repository
        .store
        .list_after(object_path::RUNS, &after)
        .await?;
    let mut vouched = Vec::new();
    for part in parts {
        let compressed = repository.store.get(&part.path).await?;
        vouched.extend(or_nothing(catalogue::plain(&part.path, compressed).await)?);
    }
    Ok(vouched)
}

/// What cannot be read vouches for nothing: its objects are stored once more.
fn or_nothing(read: Result<Inventory, ReadError>) -> Result<Vec<Stored>, StoreError> {
    match read {
        Ok(inventory) => Ok(inventory.objects),
        Err(ReadError::Store(error @ StoreError::Failing { .. })) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "what is in the store is not known and stored once more");
            Ok(Vec::new())
        }
    }
}
