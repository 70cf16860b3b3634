//! One file on its way from the project's Storage into the store.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use outside::clock::{self, Deadline};
use tokio::time;

use super::{PIECE, SMALL, StorageApi, StorageError, storage_api::Incoming};
use crate::{
    format::{Beginning, Content, ContentPiece, FileRow, Likeness, object_path},
    hex,
    keys::DedupeKey,
    repository::{PutError, Writer},
    segments::Segment,
};

/// How much later than a run a request gives up, so that it is the run that says why.
const LATER: Duration = Duration::from_secs(5);

/// What came of asking for a file.
#[derive(Debug)]
pub(super) enum Fetched {
    /// A small one, which is stored together with others.
    Small(Bytes, Likeness),
    /// One that lies in the store.
    Stored(Content, Likeness),
    /// It is not here whole: as much of it as lies in the store, and why there is no more.
    Broken(Option<Beginning>, Broken),
}

/// Why a file is not here whole.
#[derive(Debug)]
pub(super) enum Broken {
    /// The time for files ended, of which it had so much.
    Late(Duration),
    /// Storage does not give it.
    Storage(StorageError),
}

/// Why a file does not come.
#[derive(Debug, thiserror::Error)]
enum Hindrance {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Store(#[from] PutError),
}

/// Fetches files, and counts their bytes.
#[derive(Debug)]
pub(super) struct Fetcher<'a> {
    pub(super) api: &'a StorageApi,
    pub(super) writer: &'a Writer,
    pub(super) deadline: Deadline,
    pub(super) bytes: AtomicU64,
}

impl Fetcher<'_> {
    /// Fetches a file until the deadline, from where an earlier run has left off.
    ///
    /// # Errors
    /// If the store does not take it.
    pub(super) async fn fetch(
        &self,
        row: &FileRow,
        mut beginning: Option<Beginning>,
    ) -> Result<Fetched, PutError> {
        let since = clock::instant();
        let taking = self.take(row, &mut beginning);
        let ended = time::timeout(self.deadline.remaining(), taking).await;
        let why = match ended {
            Ok(Ok(whole)) => return Ok(whole),
            Ok(Err(Hindrance::Store(error))) => return Err(error),
            Ok(Err(Hindrance::Storage(error))) => Broken::Storage(error),
            Err(_) => Broken::Late(clock::instant().duration_since(since)),
        };
        Ok(Fetched::Broken(beginning, why))
    }

    /// No more than a piece of it is in memory at a time. What lies in the store of it is in
    /// `beginning`, whenever this ends.
    async fn take(
        &self,
        row: &FileRow,
        beginning: &mut Option<Beginning>,
    ) -> Result<Fetched, Hindrance> {
        let mut incoming = self.ask(row, beginning).await?;
        let tag = self.keyed_tag(&incoming);
        let mut size = beginning.as_ref().map_or(0, Beginning::bytes);
        let mut pieces = beginning
            .clone()
            .map_or_else(Vec::new, |begun| begun.pieces);
        let mut md5 = pieces.is_empty().then(Md5::new);
        let mut waiting = BytesMut::new();
        while let Some(part) = incoming.next().await? {
            self.bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
            size += part.len() as u64;
            if let Some(md5) = &mut md5 {
                md5.update(&part);
            }
            waiting.extend_from_slice(&part);
            while waiting.len() >= PIECE {
                let piece = waiting.split_to(PIECE).freeze();
                pieces.push(put(self.writer, piece).await?);
                *beginning = tag.clone().map(|tag| Beginning {
                    tag,
                    pieces: pieces.clone(),
                });
            }
        }
        let md5 = md5.map(|md5| hex::of(&md5.finalize()));
        let likeness = likeness(row, size, incoming.tag.as_deref(), md5.as_deref());
        if size <= SMALL {
            return Ok(Fetched::Small(waiting.freeze(), likeness));
        }
        if !waiting.is_empty() {
            pieces.push(put(self.writer, waiting.freeze()).await?);
        }
        let content = Content {
            size,
            id: content_id(self.writer.repository().key(), &pieces),
            offset: 0,
            pieces,
        };
        Ok(Fetched::Stored(content, likeness))
    }

    /// Asks for what is missing of a file: for all of it where another content has come since.
    async fn ask(
        &self,
        row: &FileRow,
        beginning: &mut Option<Beginning>,
    ) -> Result<Incoming, StorageError> {
        let within = self.deadline.remaining() + LATER;
        if let Some(begun) = beginning.clone() {
            let start = begun.bytes();
            let asking = self.api.read_from(&row.bucket, &row.name, start, within);
            match asking.await {
                Ok(rest)
                    if rest.start == Some(start)
                        && self.keyed_tag(&rest).as_ref() == Some(&begun.tag) =>
                {
                    return Ok(rest);
                }
                // Of another content, or none that is as long.
                Ok(_) | Err(StorageError::Refused { status: 416, .. }) => *beginning = None,
                Err(error) => return Err(error),
            }
        }
        self.api.read(&row.bucket, &row.name, within).await
    }

    /// What tells a content from another with the same name; nothing where Storage does not
    /// vouch that it is the same to the byte. The tag itself may be the content's MD5, by which
    /// anybody could try what it is.
    fn keyed_tag(&self, incoming: &Incoming) -> Option<String> {
        let tag = incoming.tag.as_deref()?;
        let is_strong = !tag.starts_with("W/");
        let key = self.writer.repository().key();
        is_strong.then(|| key.name_of(format!("entity tag {tag}").as_bytes()))
    }
}

/// The keyed hash of a content that lies in these pieces and fills them: see [`Content::id`].
pub(super) fn content_id(key: &DedupeKey, pieces: &[ContentPiece]) -> String {
    let ids: Vec<_> = pieces
        .iter()
        .map(|piece| object_path::id_of(&piece.name))
        .collect();
    match ids[..] {
        [only] => only.to_owned(),
        _ => key.name_of(ids.join(" ").as_bytes()),
    }
}

/// Whether what came is the version that the row names. An entity tag is the content's MD5 where
/// it was uploaded in one go to a store that does so, and else no hash of anything known.
fn likeness(row: &FileRow, size: u64, tag: Option<&str>, md5: Option<&str>) -> Likeness {
    let bare = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
    let named = row.tag.as_deref().map(bare);
    let came = tag.map(bare);
    if row.size.is_some_and(|expected| expected != size) {
        return Likeness::Newer;
    }
    match (named, came) {
        (Some(named), _) if Some(named.as_str()) == md5 => Likeness::Same,
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
            let found = likeness(&row, 1, came, Some(md5));
            assert_eq!(found, expected, "{size:?} {named:?} {came:?}");
        }
    }
}
