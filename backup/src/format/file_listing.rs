//! The files of Storage in a backup: what lies in the store of each, and where.
//!
//! Rows of `storage.objects` come in the order of bucket and name, cut into parts. A part is two
//! texts with the same files in the same order: a listing, which is sealed and says everything,
//! and an index, which names each file by a keyed hash alone. Whoever writes backups cannot open
//! the listings of earlier ones, and knows from the index what need not be fetched again. The
//! record names the parts.

use std::fmt::Display;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    FormatError, SnapshotName, Stored, checksummed_json,
    field_lines::{Field, Reader, Writer},
    object_path,
};

const LISTING: &str = "pourtrait-files";
const INDEX: &str = "pourtrait-file-index";

/// A bucket, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its id.
    pub id: String,
    /// All of its row, as JSON.
    pub row: String,
}

/// A file, as its row names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The id of its bucket.
    pub bucket: String,
    /// Its name, with the folders before it.
    pub name: String,
    /// Which upload it is; every upload has another one.
    pub version: Option<String>,
    /// When it was last written, as the row has it.
    pub updated_at: Option<String>,
    /// How long it is in bytes, as the row has it.
    pub size: Option<u64>,
    /// The entity tag that Storage gave it.
    pub tag: Option<String>,
    /// All of its row, as JSON.
    pub row: String,
}

/// What a backup has of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Its content.
    Kept(Content, Likeness),
    /// Nothing yet: its turn has not come.
    Waiting,
    /// Its beginning: no run has had the time for all of it so far.
    Begun(Beginning),
    /// Nothing: it was not there when its turn came, and may have been deleted since the
    /// snapshot.
    Gone,
    /// Nothing: it was not there, though its row was still there afterwards.
    Missing,
    /// Nothing: Storage does not give it.
    Failed,
}

/// Whether a content is that of the row's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Its hash, or its entity tag and length, are those of the row.
    Same,
    /// It was overwritten after the snapshot, and this is what it held then.
    Newer,
    /// The row names nothing to compare it with.
    Unproven,
}

/// The content of a file: a range of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// How long it is in bytes.
    pub size: u64,
    /// The keyed hash of it; where it lies in several pieces, of their keyed hashes, so that one
    /// that comes in over several runs has one as well.
    pub id: String,
    /// Where it begins in the first piece: several small files share one.
    pub offset: u64,
    /// The pieces that it lies in, in order; none if it is empty.
    pub pieces: Vec<ContentPiece>,
}

/// The beginning of a content that is longer than a run's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// The keyed hash of the entity tag with which it came: another tag is another content.
    pub tag: String,
    /// The pieces that it lies in, in order.
    pub pieces: Vec<ContentPiece>,
}

impl Beginning {
    /// How much of the file it is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let lengths = self.pieces.iter().map(|piece| piece.raw_len);
        lengths.fold(0, u64::saturating_add)
    }
}

/// A sealed piece that holds content of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentPiece {
    /// Its name, as [`object_path::segment`] takes it.
    pub name: String,
    /// How long its plaintext is in bytes.
    pub raw_len: u64,
}

/// A part's sealed half.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Buckets; all of them are in the first part.
    pub buckets: Vec<Bucket>,
    /// Files in the order of bucket and name, each with what the backup has of it.
    pub files: Vec<(FileRow, FileState)>,
}

/// A part's half that anybody may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileIndex {
    /// The keyed hash of each file's bucket, name and version, and what the backup has of it.
    pub files: Vec<(String, FileState)>,
}

/// A part, as the record names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilePart {
    /// The name of the sealed listing, as [`object_path::segment`] takes it.
    pub listing: String,
    /// How long its plaintext is in bytes.
    pub listing_len: u64,
    /// The index.
    pub index: Stored,
}

/// What a backup has of the files of Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileRecord {
    /// The format's version.
    pub format: u32,
    /// The backup's name.
    pub snapshot: SnapshotName,
    /// The key epoch.
    pub epoch: u32,
    /// The parts, in order.
    pub parts: Vec<FilePart>,
    /// How much of all files it has.
    pub coverage: Coverage,
}

/// How much of all files a backup has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Files that had a row.
    pub files: u64,
    /// Those in bytes, as far as their rows say.
    pub bytes: u64,
    /// Files whose content is kept.
    pub kept: u64,
    /// Those in bytes.
    pub kept_bytes: u64,
    /// Those of them that were overwritten after the snapshot.
    pub newer: u64,
    /// Files whose turn has not come.
    pub waiting: u64,
    /// Files that Storage does not give.
    pub failed: u64,
    /// Files that were not there when their turn came.
    pub gone: u64,
    /// Rows that have no file.
    pub rows_without_file: u64,
    /// When the oldest file was written that waits or is not given.
    pub oldest_unsaved_at: Option<Timestamp>,
}

impl FileRow {
    /// When it was last written, if the row says so.
    #[must_use]
    pub fn written_at(&self) -> Option<Timestamp> {
        self.updated_at.as_deref()?.parse().ok()
    }

    /// What tells this version of the file from every other file and version.
    #[must_use]
    pub fn key_text(&self) -> Vec<u8> {
        let version = self.version.as_deref().unwrap_or_default();
        // A time tells versions apart where rows name none.
        let updated_at = match &self.version {
            Some(_) => "",
            None => self.updated_at.as_deref().unwrap_or_default(),
        };
        // No text in PostgreSQL holds a zero.
        ["file", &self.bucket, &self.name, version, updated_at]
            .join("\0")
            .into_bytes()
    }
}

impl Coverage {
    /// Counts a file.
    pub fn count(&mut self, row: &FileRow, state: &FileState) {
        self.files += 1;
        // A row may say anything of its length.
        self.bytes = self.bytes.saturating_add(row.size.unwrap_or_default());
        match state {
            FileState::Kept(content, likeness) => {
                self.kept += 1;
                self.kept_bytes += content.size;
                self.newer += u64::from(*likeness == Likeness::Newer);
            }
            FileState::Waiting | FileState::Begun(_) => self.waiting += 1,
            FileState::Failed => self.failed += 1,
            FileState::Gone => self.gone += 1,
            FileState::Missing => self.rows_without_file += 1,
        }
        if matches!(
            state,
            FileState::Waiting | FileState::Begun(_) | FileState::Failed
        ) {
            let oldest = [self.oldest_unsaved_at, row.written_at()];
            self.oldest_unsaved_at = oldest.into_iter().flatten().min();
        }
    }
}

impl Listing {
    /// The listing as text.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut lines = Writer::new(LISTING);
        for Bucket { id, row } in &self.buckets {
            lines.line("bucket", [id, row]);
        }
        for (file, state) in &self.files {
            let size = file.size.map(|size| size.to_string());
            let [word, like, length, id, offset, pieces] = state.fields();
            lines.optional_line(
                "file",
                [
                    Some(&file.bucket),
                    Some(&file.name),
                    shown(file.version.as_ref()),
                    shown(file.updated_at.as_ref()),
                    shown(size.as_ref()),
                    shown(file.tag.as_ref()),
                    Some(&file.row),
                    shown(word.as_ref()),
                    shown(like.as_ref()),
                    shown(length.as_ref()),
                    shown(id.as_ref()),
                    shown(offset.as_ref()),
                    shown(pieces.as_ref()),
                ],
            );
        }
        lines.finish()
    }

    /// Reads what [`Listing::render`] wrote.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Reader::new(LISTING, bytes)?;
        let buckets = lines.all("bucket", |[id, row]| {
            Ok(Bucket {
                id: id.text()?,
                row: row.text()?,
            })
        })?;
        let files = lines.all(
            "file",
            |[
                bucket,
                name,
                version,
                updated_at,
                size,
                tag,
                row,
                word,
                like,
                length,
                id,
                offset,
                pieces,
            ]| {
                let file = FileRow {
                    bucket: bucket.text()?,
                    name: name.text()?,
                    version: optional(version)?,
                    updated_at: optional(updated_at)?,
                    size: size.has_value().then(|| size.number()).transpose()?,
                    tag: optional(tag)?,
                    row: row.text()?,
                };
                let state = FileState::of_fields([word, like, length, id, offset, pieces])?;
                Ok((file, state))
            },
        )?;
        lines.finish()?;
        Ok(Self { buckets, files })
    }
}

impl FileIndex {
    /// The index as text.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut lines = Writer::new(INDEX);
        for (key, state) in &self.files {
            let [word, like, length, id, offset, pieces] = state.fields();
            lines.optional_line(
                "file",
                [
                    Some(key),
                    shown(word.as_ref()),
                    shown(like.as_ref()),
                    shown(length.as_ref()),
                    shown(id.as_ref()),
                    shown(offset.as_ref()),
                    shown(pieces.as_ref()),
                ],
            );
        }
        lines.finish()
    }

    /// Reads what [`FileIndex::render`] wrote.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Reader::new(INDEX, bytes)?;
        let files = lines.all("file", |[key, word, like, length, id, offset, pieces]| {
            let state = FileState::of_fields([word, like, length, id, offset, pieces])?;
            Ok((key.hash()?, state))
        })?;
        lines.finish()?;
        Ok(Self { files })
    }
}

impl FileRecord {
    /// The record as it lies in the store.
    ///
    /// # Errors
    /// [`FormatError::Json`], which does not happen.
    pub fn render(&self) -> Result<Vec<u8>, FormatError> {
        checksummed_json::render(self)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        checksummed_json::parse(bytes)
    }
}

impl FileState {
    /// The pieces that what there is of the file lies in.
    #[must_use]
    pub fn pieces(&self) -> &[ContentPiece] {
        match self {
            Self::Kept(Content { pieces, .. }, _) | Self::Begun(Beginning { pieces, .. }) => pieces,
            Self::Waiting | Self::Gone | Self::Missing | Self::Failed => &[],
        }
    }

    /// What it is called.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Kept(..) => "kept",
            Self::Waiting => "waiting",
            Self::Begun(_) => "begun",
            Self::Gone => "gone",
            Self::Missing => "missing",
            Self::Failed => "failed",
        }
    }

    /// Word, likeness, length, keyed hash (of the entity tag where it is begun), offset and
    /// pieces.
    fn fields(&self) -> [Option<String>; 6] {
        let word = Some(self.word().to_owned());
        let pieces: Vec<_> = self
            .pieces()
            .iter()
            .map(|piece| format!("{}:{}", piece.name, piece.raw_len))
            .collect();
        let pieces = Some(pieces.join(" "));
        match self {
            Self::Kept(content, likeness) => {
                let likeness = match likeness {
                    Likeness::Same => "same",
                    Likeness::Newer => "newer",
                    Likeness::Unproven => "unproven",
                };
                let (size, offset) = (content.size.to_string(), content.offset.to_string());
                let id = content.id.clone();
                [
                    word,
                    Some(likeness.to_owned()),
                    Some(size),
                    Some(id),
                    Some(offset),
                    pieces,
                ]
            }
            Self::Begun(beginning) => [word, None, None, Some(beginning.tag.clone()), None, pieces],
            Self::Waiting | Self::Gone | Self::Missing | Self::Failed => {
                [word, None, None, None, None, None]
            }
        }
    }

    fn of_fields(
        [word, like, length, id, offset, pieces]: [Field; 6],
    ) -> Result<Self, FormatError> {
        let unknown = word.because("it is no state of a file");
        Ok(match word.text()?.as_str() {
            "kept" => {
                let unlike = like.because("it is no likeness of a content");
                let likeness = match like.text()?.as_str() {
                    "same" => Likeness::Same,
                    "newer" => Likeness::Newer,
                    "unproven" => Likeness::Unproven,
                    _ => return Err(unlike),
                };
                let content = Content {
                    size: length.number()?,
                    id: id.hash()?,
                    offset: offset.number()?,
                    pieces: content_pieces(pieces)?,
                };
                Self::Kept(content, likeness)
            }
            "waiting" => Self::Waiting,
            "begun" => Self::Begun(Beginning {
                tag: id.hash()?,
                pieces: content_pieces(pieces)?,
            }),
            "gone" => Self::Gone,
            "missing" => Self::Missing,
            "failed" => Self::Failed,
            _ => return Err(unknown),
        })
    }
}

fn content_pieces(field: Field) -> Result<Vec<ContentPiece>, FormatError> {
    let wrong = field.because("a field is not a list of pieces");
    let text = field.text()?;
    let words = text.split(' ').filter(|_| !text.is_empty());
    let pieces: Option<Vec<_>> = words
        .map(|word| {
            let (name, raw_len) = word.split_once(':')?;
            object_path::is_name(name).then_some(ContentPiece {
                name: name.to_owned(),
                raw_len: raw_len.parse().ok()?,
            })
        })
        .collect();
    pieces.ok_or(wrong)
}

fn optional(field: Field) -> Result<Option<String>, FormatError> {
    if field.has_value() {
        field.text().map(Some)
    } else {
        Ok(None)
    }
}

fn shown(field: Option<&String>) -> Option<&dyn Display> {
    field.map(|text| text as _)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let row = |name: &str| FileRow {
            bucket: "photos".into(),
            name: name.into(),
            version: Some("v1".into()),
            updated_at: Some("2026-11-30T12:00:00+00:00".into()),
            size: Some(12),
            tag: None,
            row: "{\"id\": \"\\u0041\"}".into(),
        };
        let piece = |digit: &str, raw_len| ContentPiece {
            name: digit.repeat(64),
            raw_len,
        };
        let content = Content {
            size: 12,
            id: "c".repeat(64),
            offset: 3,
            pieces: vec![piece("a", 15), piece("b", 0)],
        };
        let beginning = Beginning {
            tag: "e".repeat(64),
            pieces: vec![piece("f", 8), piece("0", 8)],
        };
        let empty = Content {
            size: 0,
            offset: 0,
            pieces: Vec::new(),
            ..content.clone()
        };
        Listing {
            buckets: vec![Bucket {
                id: "photos".into(),
                row: "{}".into(),
            }],
            files: vec![
                (row("a\tb\\\n"), FileState::Kept(content, Likeness::Newer)),
                (row("empty"), FileState::Kept(empty, Likeness::Same)),
                (row("c"), FileState::Waiting),
                (row("g"), FileState::Begun(beginning)),
                (row("d"), FileState::Gone),
                (row("e"), FileState::Missing),
                (row("f"), FileState::Failed),
            ],
        }
    }

    #[test]
    fn both_halves_of_a_part_are_read_as_they_were_written() {
        let listing = listing();
        assert_eq!(Listing::parse(&listing.render()).unwrap(), listing);
        let files = listing.files.into_iter();
        let index = FileIndex {
            files: files.map(|(_, state)| ("d".repeat(64), state)).collect(),
        };
        let text = index.render();
        assert_eq!(FileIndex::parse(&text).unwrap(), index);
        assert!(!String::from_utf8(text).unwrap().contains("photos"));
    }

    #[test]
    fn what_was_altered_is_refused() {
        let text = String::from_utf8(listing().render()).unwrap();
        for (before, after) in [
            ("\twaiting\t", "\twaits\t"),
            ("\tnewer\t", "\told\t"),
            (":15 ", ":x "),
            (&"a".repeat(64), "a/../b"),
        ] {
            let altered = text.replace(before, after);
            assert_ne!(altered, text, "{before}");
            assert!(Listing::parse(altered.as_bytes()).is_err(), "{before}");
        }
    }

    #[test]
    fn what_is_not_kept_is_counted_by_its_reason() {
        let mut coverage = Coverage::default();
        for (row, state) in &listing().files {
            coverage.count(row, state);
        }
        assert_eq!(
            coverage,
            Coverage {
                files: 7,
                bytes: 84,
                kept: 2,
                kept_bytes: 12,
                newer: 1,
                waiting: 2,
                failed: 1,
                gone: 1,
                rows_without_file: 1,
                oldest_unsaved_at: "2026-11-30T12:00:00Z".parse().ok(),
            }
        );
    }
}
