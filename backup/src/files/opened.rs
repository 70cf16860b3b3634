//! The way back to what a file held.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{comparison::Comparison, fetching::content_id};
use crate::{
    catalogue::{self, ReadError},
    format::{Content, FilePart, FileRecord, FormatError, Listing, Snapshot, object_path},
    keys::{DedupeKey, Identities},
    store::Store,
};

/// How many listings are read at once.
const READS: usize = 4;

/// What a backup has of files, opened.
#[derive(Debug)]
pub struct OpenedFiles<'a> {
    store: &'a Store,
    identities: &'a Identities,
    key: DedupeKey,
    /// What it has, and in which parts.
    pub record: FileRecord,
}

impl<'a> OpenedFiles<'a> {
    /// Opens them; nothing where the backup was taken without files.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn open(
        store: &'a Store,
        snapshot: &Snapshot,
        identities: &'a Identities,
    ) -> Result<Option<Self>, ReadError> {
        let Some(record) = super::record(store, snapshot).await? else {
            return Ok(None);
        };
        let manifest = catalogue::manifest(store, snapshot, identities).await?;
        let key =
            DedupeKey::from_hex(&manifest.dedupe_key).map_err(|error| ReadError::Unreadable {
                path: snapshot.manifest.path.clone(),
                source: FormatError::Incoherent(error.to_string()),
            })?;
        Ok(Some(Self {
            store,
            identities,
            key,
            record,
        }))
    }

    /// Every bucket and every file.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn listing(&self) -> Result<Listing, ReadError> {
        let mut parts = stream::iter(self.record.parts.clone())
            .map(async |part: FilePart| {
                let text = self.piece(&part.listing, part.listing_len).await?;
                Listing::parse(&text).map_err(|source| ReadError::Unreadable {
                    path: object_path::segment(self.record.epoch, &part.listing),
                    source,
                })
            })
            .buffered(READS);
        let mut whole = Listing::default();
        while let Some(part) = parts.try_next().await? {
            whole.buckets.extend(part.buckets);
            whole.files.extend(part.files);
        }
        Ok(whole)
    }

    /// A piece of content, proven to be the one of that name.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn piece(&self, name: &str, raw_len: u64) -> Result<Bytes, ReadError> {
        let (epoch, key) = (self.record.epoch, &self.key);
        catalogue::named_piece(self.store, epoch, (name, raw_len), self.identities, key).await
    }

    /// The content that lies within the first of its pieces, which is given; `None` if that is
    /// not what it should be.
    #[must_use]
    pub fn within(&self, content: &Content, piece: &Bytes) -> Option<Bytes> {
        let start = usize::try_from(content.offset).ok()?;
        let end = start.checked_add(usize::try_from(content.size).ok()?)?;
        let range = (end <= piece.len()).then(|| piece.slice(start..end))?;
        (self.key.name_of(&range) == content.id).then_some(range)
    }

    /// Whether a content is what its pieces, each of which [`OpenedFiles::piece`] proves, are
    /// together.
    #[must_use]
    pub(crate) fn is_whole(&self, content: &Content) -> bool {
        content_id(&self.key, &content.pieces) == content.id
    }

    /// Begins to compare what comes in with a content.
    pub(crate) fn comparison(&self, content: &Content) -> Comparison {
        Comparison::new(self.key.clone(), content)
    }
}

/// Which contents begin in which piece, so that each piece is read once; those of none come
/// under no name.
#[must_use]
pub(crate) fn by_first_piece<'c>(contents: impl Iterator<Item = &'c Content>) -> Vec<Vec<usize>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (nth, content) in contents.enumerate() {
        let first = content.pieces.first().map_or("", |piece| &piece.name);
        let place = *places.entry(first).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(nth);
    }
    groups
}
