//! One backup, opened: its manifest, and the means to read its pieces.

use bytes::Bytes;

use super::{
    catalogue::{self, ReadError},
    format::{FormatError, Manifest, Piece, Snapshot},
    keys::{DedupeKey, Identities},
    store::Store,
};

/// One backup, opened.
pub(super) struct OpenedBackup<'a> {
    store: &'a Store,
    identities: &'a Identities,
    key: DedupeKey,
    pub(super) manifest: Manifest,
}

impl<'a> OpenedBackup<'a> {
    pub(super) async fn open(
        store: &'a Store,
        snapshot: &Snapshot,
        identities: &'a Identities,
    ) -> Result<Self, ReadError> {
        let manifest = catalogue::manifest(store, snapshot, identities).await?;
        let key =
            DedupeKey::from_hex(&manifest.dedupe_key).map_err(|error| ReadError::Unreadable {
                path: snapshot.manifest.path.clone(),
                source: FormatError::Incoherent(error.to_string()),
            })?;
        Ok(Self {
            store,
            identities,
            key,
            manifest,
        })
    }

    /// One piece's plaintext, proven to be what the manifest names.
    pub(super) async fn piece(&self, piece: &Piece) -> Result<Bytes, ReadError> {
        let (epoch, key) = (self.manifest.epoch, &self.key);
        let text = catalogue::piece(self.store, epoch, piece, self.identities, key).await?;
        Ok(text.into())
    }
}
