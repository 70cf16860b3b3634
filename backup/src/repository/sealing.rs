//! The end of a backup: what makes of stored pieces something that can be
//! restored.

use std::{collections::BTreeSet, sync::PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    format::{
        FormatError, Inventory, Manifest, Previous, Snapshot, Stored, Totals, VERSION, object_path,
    },
    hex,
    store::StoreError,
};

use super::{Figures, PutError, Writer, trusted_objects};

/// Why a backup was not sealed. It does not exist then; what it stored is found
/// by the next one.
#[derive(Debug, thiserror::Error)]
pub enum SealRunError {
    /// A part could not be stored.
    #[error(transparent)]
    Put(#[from] PutError),
    /// The manifest makes no sense.
    #[error("the manifest: {0}")]
    Manifest(#[from] FormatError),
    /// The manifest names what this run did not store.
    #[error("the manifest names {0}, which was not stored")]
    Unknown(String),
    /// The store does not hold what it acknowledged.
    #[error("{path} is not in the store as it was stored")]
    Lost {
        /// Where it should lie.
        path: String,
    },
    /// Somebody else writes backups now.
    #[error("the lease was lost, so that another run may be writing")]
    LeaseLost,
}

impl From<StoreError> for SealRunError {
    fn from(error: StoreError) -> Self {
        Self::Put(error.into())
    }
}

impl Writer {
    /// Seals the backup: stores the manifest and the inventory, proves that the
    /// store has everything, asks for the last time whether the lease is still
    /// held, and writes the commit record. The manifest's own name, repository,
    /// epoch, key and time are filled in.
    ///
    /// # Errors
    /// See [`SealRunError`]; the backup does not exist then, or, if nothing but
    /// the answer to the commit was lost, exists whole.
    pub async fn seal<L: Future<Output = bool>>(
        self,
        mut manifest: Manifest,
        tools: &[(&str, &[u8])],
        sealed_at: Timestamp,
        lease: impl Fn() -> L,
    ) -> Result<Snapshot, SealRunError> {
        manifest.snapshot = self.snapshot.to_string();
        manifest.repo = self.repository.repo;
        manifest.epoch = self.repository.epoch;
        manifest.dedupe_key = self.repository.key.to_hex();
        manifest.taken_at = self.taken_at;
        let mut objects = self.pieces_of(&manifest)?;
        let stored_manifest = self.put_manifest(&manifest).await?;
        objects.insert(stored_manifest.clone());
        let files = self.files.as_ref();
        objects.extend(files.iter().flat_map(|held| held.objects.iter().cloned()));
        let inventory = Inventory {
            objects: objects.into_iter().collect(),
        };
        let stored_inventory = self.put_inventory(&inventory).await?;
        self.prove_stored(&inventory).await?;
        let tools = self.put_tools(tools).await?;
        let snapshot = Snapshot {
            format: VERSION,
            snapshot: self.snapshot.clone(),
            taken_at: self.taken_at,
            sealed_at,
            repo: self.repository.repo,
            epoch: self.repository.epoch,
            manifest: stored_manifest,
            inventory: stored_inventory,
            tools,
            totals: self.totals(&manifest, &inventory),
            previous: self.previous.as_ref().map(|record| Previous {
                snapshot: record.snapshot.snapshot.clone(),
                sha256: record.sha256.clone(),
            }),
            suspect: suspicion(&manifest, self.previous()),
            signature: String::new(),
            files: files.map(|held| held.files.clone()),
        };
        let text = Bytes::from(snapshot.render()?);
        if !lease().await {
            return Err(SealRunError::LeaseLost);
        }
        let path = object_path::record(&self.snapshot);
        self.store().reading_back().put_new(&path, text).await?;
        Ok(snapshot)
    }

    async fn put_manifest(&self, manifest: &Manifest) -> Result<Stored, SealRunError> {
        let text = Bytes::from(manifest.render()?);
        let (id, _) = self.identify(text.clone()).await?;
        let path = |name: &str| object_path::manifest(self.repository.epoch, name);
        let sealed = self.sealed(text).await?;
        Ok(self.put_named(self.store(), &id, sealed, path).await?)
    }

    async fn put_inventory(&self, inventory: &Inventory) -> Result<Stored, SealRunError> {
        let text = inventory.render();
        Ok(self.put_plain(text, object_path::inventory).await?)
    }

    /// The objects that a manifest's pieces are, each of which this run has put.
    fn pieces_of(&self, manifest: &Manifest) -> Result<BTreeSet<Stored>, SealRunError> {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        manifest
            .pieces()
            .map(|piece| {
                let path = object_path::segment(self.repository.epoch, &piece.name);
                pieces
                    .get(object_path::id_of(&piece.name))
                    .and_then(|cell| cell.get())
                    .filter(|stored| stored.path == path)
                    .cloned()
                    .ok_or(SealRunError::Unknown(path))
            })
            .collect()
    }

    /// Asks the store, without a key, for everything that the backup rests on.
    async fn prove_stored(&self, inventory: &Inventory) -> Result<(), SealRunError> {
        let segments = trusted_objects::lengths(&self.repository).await?;
        for Stored { path, len, .. } in &inventory.objects {
            let there = match segments.get(path) {
                Some(there) => Some(*there),
                // The manifest; or a piece that the listing does not show.
                None => self.store().len_if_there(path).await?,
            };
            if there != Some(*len) {
                return Err(SealRunError::Lost { path: path.clone() });
            }
        }
        Ok(())
    }

    /// Tools are not data: the newest release's are the best.
    async fn put_tools(&self, tools: &[(&str, &[u8])]) -> Result<Vec<Stored>, SealRunError> {
        let mut stored = Vec::new();
        for (name, text) in tools {
            let path = object_path::tool(name);
            let there = self.store().get_if_there(&path).await?;
            if there.as_deref() != Some(*text) {
                let text = Bytes::copy_from_slice(text);
                self.store().put_over(&path, text).await?;
            }
            stored.push(Stored {
                path,
                len: text.len() as u64,
                sha256: hex::sha256(text),
            });
        }
        Ok(stored)
    }

    fn totals(&self, manifest: &Manifest, inventory: &Inventory) -> Totals {
        let Figures {
            raw_bytes: _,
            new_objects,
            new_bytes,
            reused_raw_bytes,
        } = self.figures();
        Totals {
            tables: manifest.tables.len() as u64,
            rows: rows(manifest),
            objects: inventory.objects.len() as u64,
            raw_bytes: manifest.pieces().map(|piece| piece.raw_len).sum(),
            stored_bytes: inventory.objects.iter().map(|stored| stored.len).sum(),
            new_objects,
            new_bytes,
            reused_raw_bytes,
        }
    }
}

fn rows(manifest: &Manifest) -> u64 {
    manifest.tables.iter().map(|table| table.rows).sum()
}

/// Why a whole backup may not hold what it should.
fn suspicion(manifest: &Manifest, previous: Option<&Snapshot>) -> Option<String> {
    let rows = rows(manifest);
    if manifest.tables.is_empty() {
        return Some("there is no table in it".into());
    }
    if rows == 0 {
        return Some("there is no row in it".into());
    }
    let before = previous?.totals.rows;
    is_less_than_half(rows, before)
        .then(|| format!("it has {rows} rows, less than half of the {before} of the one before"))
}

fn is_less_than_half(rows: u64, before: u64) -> bool {
    rows < before / 2 + before % 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_enough_and_a_row_less_is_not() {
        for (rows, before, expected) in [
            (0, 0, false),
            (1, 2, false),
            (0, 1, true),
            (7, 14, false),
            (6, 14, true),
            (8, 15, false),
            (7, 15, true),
            (u64::MAX / 2, u64::MAX, true),
        ] {
            let found = is_less_than_half(rows, before);
            assert_eq!(found, expected, "{rows} of {before}");
        }
    }
}
