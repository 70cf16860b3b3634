//! One file on its way from the project's Storage into the store.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

use super::{PIECE, SMALL, StorageApi, StorageError, storage_api::Incoming};
use crate::{
    format::{Content, ContentPiece, FileRow, Likeness},
    hex,
    keys::Naming,
    repository::{PutError, Writer},
    segments::Segment,
};

/// What came of asking for a file.
#[derive(Debug)]
pub(super) enum Fetched {
    /// A small one, which is stored together with others.
    Small(Bytes, Likeness),
    /// One that lies in the store.
    Stored(Content, Likeness),
    /// It is not here, and why.
    Not(StorageError),
}

/// Fetches files, and counts their bytes.
#[derive(Debug)]
pub(super) struct Fetcher<'a> {
    pub(super) api: &'a StorageApi,
    pub(super) writer: &'a Writer,
    pub(super) bytes: AtomicU64,
}

/// What is known of a content while it comes in.
struct Seen {
    naming: Naming,
    md5: Md5,
    size: u64,
}

impl Fetcher<'_> {
    /// Fetches a file within that time.
    ///
    /// # Errors
    /// If the store does not take it.
    pub(super) async fn fetch(&self, row: &FileRow, within: Duration) -> Result<Fetched, PutError> {
        let incoming = match self.api.read(&row.bucket, &row.name, within).await {
            Ok(incoming) => incoming,
            Err(error) => return Ok(Fetched::Not(error)),
        };
        self.take(row, incoming).await
    }

    /// No more than a piece of it is in memory at a time.
    async fn take(&self, row: &FileRow, mut incoming: Incoming) -> Result<Fetched, PutError> {
        let mut seen = Seen {
            naming: self.writer.repository().key().naming(),
            md5: Md5::new(),
            size: 0,
        };
        let mut waiting = BytesMut::new();
        let mut pieces = Vec::new();
        loop {
            let part = match incoming.next().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) => return Ok(Fetched::Not(error)),
            };
            self.bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
            seen.naming.update(&part);
            seen.md5.update(&part);
            seen.size += part.len() as u64;
            waiting.extend_from_slice(&part);
            while waiting.len() >= PIECE {
                let piece = waiting.split_to(PIECE).freeze();
                pieces.push(put(self.writer, piece).await?);
            }
        }
        let likeness = seen.likeness(row, incoming.tag.as_deref());
        if seen.size <= SMALL {
            return Ok(Fetched::Small(waiting.freeze(), likeness));
        }
        if !waiting.is_empty() {
            pieces.push(put(self.writer, waiting.freeze()).await?);
        }
        let content = Content {
            size: seen.size,
            id: seen.naming.finish(),
            offset: 0,
            pieces,
        };
        Ok(Fetched::Stored(content, likeness))
    }
}

impl Seen {
    fn likeness(&self, row: &FileRow, tag: Option<&str>) -> Likeness {
        let md5 = hex::of(&self.md5.clone().finalize());
        likeness(row, self.size, tag, &md5)
    }
}

/// Whether what came is the version that the row names. An entity tag is the content's MD5 where
/// it was uploaded in one go to a store that does so, and else no hash of anything known.
fn likeness(row: &FileRow, size: u64, tag: Option<&str>, md5: &str) -> Likeness {
    let bare = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
    let named = row.tag.as_deref().map(bare);
    let came = tag.map(bare);
    if row.size.is_some_and(|expected| expected != size) {
        return Likeness::Newer;
    }
    match (named, came) {
        (Some(named), _) if named == md5 => Likeness::Same,
        (Some(named), Some(came)) if named == came => Likeness::Same,
        (Some(_), Some(_)) => Likeness::Newer,
        (None, _) | (Some(_), None) => Likeness::Unproven,
    }
}

/// Puts a piece of content into the store.
pub(super) async fn put(writer: &Writer, bytes: Bytes) -> Result<ContentPiece, PutError> {
    let piece = writer.put(Segment::opaque(bytes)).await?;
    Ok(ContentPiece {
        name: piece.name,
        raw_len: piece.raw_len,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_compared_with_what_its_row_names() {
        let md5 = "0cc175b9c0f1b6a831c399e269772661";
        let quoted = format!("\"{md5}\"");
        let other = "\"92eb5ffee6ae2fec3ad71c777531578f\"";
        let many = "\"92eb5ffee6ae2fec3ad71c777531578f-3\"";
        for (size, named, came, expected) in [
            (
                Some(1),
                Some(quoted.as_str()),
                Some(quoted.as_str()),
                Likeness::Same,
            ),
            (Some(1), Some(quoted.as_str()), None, Likeness::Same),
            (Some(1), Some(many), Some(many), Likeness::Same),
            (None, Some(md5), Some(other), Likeness::Same),
            (Some(1), Some(other), Some(quoted.as_str()), Likeness::Newer),
            (
                Some(2),
                Some(quoted.as_str()),
                Some(quoted.as_str()),
                Likeness::Newer,
            ),
            (Some(1), Some(many), None, Likeness::Unproven),
            (Some(1), None, Some(quoted.as_str()), Likeness::Unproven),
            (None, None, None, Likeness::Unproven),
        ] {
            let row = FileRow {
                bucket: "b".into(),
                name: "n".into(),
                version: None,
                updated_at: None,
                size,
                tag: named.map(str::to_owned),
                row: String::new(),
            };
            let found = likeness(&row, 1, came, md5);
            assert_eq!(found, expected, "{size:?} {named:?} {came:?}");
        }
    }
}
