//! What there is before anything goes: every commit record, and what each backup rests on.
//!
//! Nothing here may be passed over. A record or an inventory that cannot be read may name any
//! object of the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    catalogue::{self, ReadError, Record},
    format::{Snapshot, SnapshotName, Stored, object_path},
    pins,
    store::{Listed, Store},
    trash::{self, Trashed},
};

/// How many objects are read at once.
const READS: usize = 16;

/// What there is.
#[derive(Debug)]
pub(super) struct Survey {
    /// The commit records of backups.
    pub(super) records: Vec<Record>,
    /// Those records as they are listed.
    pub(super) listed: Vec<Listed>,
    /// What lies in the trash and nowhere else.
    pub(super) trash: Vec<Trashed>,
    /// What lies in both places, since whoever moved it was killed.
    pub(super) in_both: BTreeSet<SnapshotName>,
    /// The backups that are pinned.
    pub(super) pinned: BTreeSet<SnapshotName>,
}

impl Survey {
    /// Reads all of it.
    pub(super) async fn read(store: &Store) -> Result<Self, ReadError> {
        let listed = store.list(object_path::SNAPSHOTS).await?;
        let reading = stream::iter(listed.clone()).map(async |object| {
            let name = object_path::record_name(&object.path);
            let name = name.ok_or_else(|| catalogue::misplaced(&object.path))?;
            catalogue::record_at(store, &object.path, &name).await
        });
        let records: Vec<_> = reading.buffer_unordered(READS).try_collect().await?;
        let names: BTreeSet<_> = records
            .iter()
            .map(|record| record.snapshot.snapshot.clone())
            .collect();
        let trash = trash::list(store).await?;
        let (in_both, trash): (Vec<_>, Vec<_>) = trash
            .into_iter()
            .partition(|trashed| names.contains(&trashed.snapshot.snapshot));
        Ok(Self {
            records,
            listed,
            trash,
            in_both: in_both
                .into_iter()
                .map(|trashed| trashed.snapshot.snapshot)
                .collect(),
            pinned: pins::names(store).await?,
        })
    }
}

/// Why an object is needed.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// Whether a backup rests on it that is kept, and not only one that is going.
    pub(super) is_kept: bool,
    /// The object as it was stored.
    pub(super) stored: Stored,
}

/// Every object that a backup rests on, by path.
#[derive(Debug, Default)]
pub(super) struct Needed(pub(super) HashMap<String, Need>);

impl Needed {
    /// What these backups rest on, of which some are going.
    pub(super) async fn read(
        store: &Store,
        kept: impl Iterator<Item = &Snapshot>,
        going: impl Iterator<Item = &Snapshot>,
    ) -> Result<Self, ReadError> {
        // Two backups may have one inventory.
        let mut inventories = BTreeMap::new();
        for snapshot in going {
            inventories.insert(&snapshot.inventory.path, (snapshot.clone(), false));
        }
        for snapshot in kept {
            inventories.insert(&snapshot.inventory.path, (snapshot.clone(), true));
        }
        let inventories: Vec<_> = inventories.into_values().collect();
        let reading = stream::iter(inventories).map(async |(snapshot, is_kept)| {
            let inventory = catalogue::inventory(store, &snapshot).await?;
            Ok::<_, ReadError>((snapshot, is_kept, inventory.objects))
        });
        let mut needed = Self::default();
        let mut reading = std::pin::pin!(reading.buffer_unordered(READS));
        while let Some(read) = reading.next().await {
            let (snapshot, is_kept, objects) = read?;
            for stored in objects {
                needed.add(stored, is_kept);
            }
            needed.add(snapshot.inventory, is_kept);
            needed.add(snapshot.manifest, is_kept);
        }
        Ok(needed)
    }

    pub(super) fn add(&mut self, stored: Stored, is_kept: bool) {
        let path = stored.path.clone();
        let need = self.0.entry(path).or_insert(Need { is_kept, stored });
        need.is_kept |= is_kept;
    }

    /// Whether any backup rests on it.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Whether one rests on it that is kept.
    pub(super) fn is_kept(&self, path: &str) -> bool {
        self.0.get(path).is_some_and(|need| need.is_kept)
    }
}
