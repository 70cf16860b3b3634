//! One backup, opened: its manifest, and the means to read its pieces.

use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesOrdered};

use super::{
    catalogue::{self, ReadError},
    format::{FormatError, Manifest, Piece, Snapshot},
    keys::{DedupeKey, Identities},
    masking::MaskedTables,
    store::Store,
};

/// Pieces that are fetched and opened while another is used.
const LOOK_AHEAD: usize = 3;

/// One backup, opened.
pub(super) struct OpenedBackup<'a> {
    store: &'a Store,
    identities: &'a Identities,
    key: DedupeKey,
    pub(super) manifest: Manifest,
    /// What becomes of rows on their way into a database, where that is not what they are.
    masks: OnceLock<MaskedTables>,
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
            masks: OnceLock::new(),
        })
    }

    /// From here on rows leave it masked.
    pub(super) fn mask(&self, masks: MaskedTables) {
        self.masks.get_or_init(|| masks);
    }

    /// The masks, if rows leave it masked.
    pub(super) fn masks(&self) -> Option<&MaskedTables> {
        self.masks.get()
    }

    /// One piece's plaintext, proven to be what the manifest names.
    pub(super) async fn piece(&self, piece: &Piece) -> Result<Bytes, ReadError> {
        let (epoch, key) = (self.manifest.epoch, &self.key);
        let text = catalogue::piece(self.store, epoch, piece, self.identities, key).await?;
        Ok(text.into())
    }

    /// Whole rows: the pieces that they stand in, of which a long row takes several.
    pub(super) async fn rows(&self, pieces: &[Piece]) -> Result<Bytes, ReadError> {
        if let [piece] = pieces {
            return self.piece(piece).await;
        }
        let mut text = Vec::new();
        for piece in pieces {
            text.extend_from_slice(&self.piece(piece).await?);
        }
        Ok(text.into())
    }

    /// All rows of some groups of pieces, in order; while one is taken the next ones are
    /// fetched and opened.
    pub(super) async fn each(
        &self,
        groups: &[&[Piece]],
        mut take: impl FnMut(&[Piece], &[u8]),
    ) -> Result<(), ReadError> {
        let mut waiting = groups.iter();
        let mut reading = FuturesOrdered::new();
        loop {
            while reading.len() < LOOK_AHEAD
                && let Some(pieces) = waiting.next()
            {
                reading.push_back(self.group(pieces));
            }
            match reading.next().await {
                Some(read) => {
                    let (pieces, text) = read?;
                    take(pieces, &text);
                }
                None => return Ok(()),
            }
        }
    }

    async fn group<'p>(&self, pieces: &'p [Piece]) -> Result<(&'p [Piece], Bytes), ReadError> {
        Ok((pieces, self.rows(pieces).await?))
    }
}
