//! Files within a run's budget, and the record of what the backup has of them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream::FuturesUnordered};
use outside::clock::Deadline;

use super::{
    Budget, FileFigures, FileRows, FileSource, PIECE, StorageError,
    fetching::{self, Broken, Fetched, Fetcher},
    known::{self, Known},
};
use crate::{
    format::{
        Bucket, Content, Coverage, FileIndex, FilePart, FileRecord, FileRow, FileState, Files,
        Likeness, Listing, Stored, VERSION, object_path,
    },
    hex,
    repository::{HeldFiles, PutError, Writer},
    seal,
    segments::Segment,
};

/// How many files are fetched at once.
const AT_ONCE: usize = 4;

/// After so many requests in a row that Storage does not serve, it is not asked any more.
const PATIENCE: u32 = 5;

/// A part holds at least and at most so many files, so that a change rewrites little.
const PART_LEAST: usize = 256;
const PART_MOST: usize = 4096;

/// How many bytes of rows end a part as well.
const PART_BYTES: usize = 2 * 1024 * 1024;

/// One file in so many ends a part, whatever else there is.
const PART_CHANCE: u32 = 768;

/// What a run has of files.
#[derive(Debug)]
pub(crate) struct Saving {
    pub(crate) held: HeldFiles,
    pub(crate) figures: FileFigures,
}

/// Fetches what no earlier backup has, as far as the budget goes, and records what this one has.
///
/// # Errors
/// If the store fails.
pub(crate) async fn save(
    writer: &Writer,
    rows: FileRows,
    source: &FileSource,
    deadline: Deadline,
) -> Result<Saving, PutError> {
    let known = known::read(writer).await?;
    let mut run = Run::new(writer, rows, &known);
    if let Some(api) = &source.api {
        let fetcher = Fetcher {
            api,
            writer,
            deadline: deadline.within(source.budget.time),
            bytes: 0.into(),
        };
        run.fetch(&fetcher, source.budget).await?;
        run.figures.fetched_bytes = fetcher.bytes.load(Ordering::Relaxed);
    } else {
        run.figures.reason = Some("no secret key of the project is known".to_owned());
    }
    run.record(&known).await
}

/// The files of a run, each with what the backup has of it.
struct Run<'a> {
    writer: &'a Writer,
    buckets: Vec<Bucket>,
    files: Arc<[FileRow]>,
    keys: Vec<String>,
    states: Vec<FileState>,
    /// Contents that lie in one piece in the store, by keyed hash.
    contents: HashMap<String, Content>,
    pack: Pack,
    figures: FileFigures,
}

/// Small files on their way into one piece.
#[derive(Default)]
struct Pack {
    bytes: BytesMut,
    members: Vec<(usize, Content, Likeness)>,
}

impl<'a> Run<'a> {
    fn new(writer: &'a Writer, rows: FileRows, known: &Known) -> Self {
        let key = writer.repository().key();
        let keys: Vec<_> = rows
            .files
            .iter()
            .map(|row| key.name_of(&row.key_text()))
            .collect();
        let is_there = |state: &&FileState| {
            let mut pieces = state.pieces().iter();
            pieces.all(|piece| writer.held(&piece.name).is_some())
        };
        let states: Vec<_> = keys
            .iter()
            .map(|key| {
                let state = known.files.get(key).filter(is_there);
                state.cloned().unwrap_or(FileState::Waiting)
            })
            .collect();
        // The id of what lies in several pieces is of another kind, and no small file's.
        let kept = states.iter().filter_map(|state| match state {
            FileState::Kept(content, _) if content.pieces.len() <= 1 => {
                Some((content.id.clone(), content.clone()))
            }
            _ => None,
        });
        Self {
            contents: kept.collect(),
            writer,
            buckets: rows.buckets,
            files: rows.files.into(),
            keys,
            states,
            pack: Pack::default(),
            figures: FileFigures {
                coverage: Coverage::default(),
                fetched: 0,
                fetched_bytes: 0,
                reason: None,
            },
        }
    }

    /// What is to be fetched, in that order: what waits, oldest first, and then what was asked
    /// for in vain or is longer than a run's time, so that it never holds up the rest.
    fn candidates(&self) -> Vec<usize> {
        let mut candidates: Vec<_> = (0..self.states.len())
            .filter(|&nth| !matches!(self.states[nth], FileState::Kept(..)))
            .collect();
        candidates.sort_by_key(|&nth| {
            let is_again = !matches!(self.states[nth], FileState::Waiting);
            (is_again, self.files[nth].written_at(), nth)
        });
        candidates
    }

    async fn fetch(&mut self, fetcher: &Fetcher<'_>, budget: Budget) -> Result<(), PutError> {
        let mut next = self.candidates().into_iter();
        let files = Arc::clone(&self.files);
        let mut running = FuturesUnordered::new();
        let mut in_vain = 0;
        loop {
            let may_begin = |in_vain: u32| {
                fetcher.bytes.load(Ordering::Relaxed) < budget.bytes
                    && !fetcher.deadline.has_passed()
                    && in_vain < PATIENCE
            };
            while running.len() < AT_ONCE && may_begin(in_vain) {
                let Some(nth) = next.next() else { break };
                let row = &files[nth];
                let beginning = match &self.states[nth] {
                    FileState::Begun(beginning) => Some(beginning.clone()),
                    _ => None,
                };
                running.push(async move { (nth, fetcher.fetch(row, beginning).await) });
            }
            let Some((nth, came)) = running.next().await else {
                break;
            };
            in_vain = match self.settle(nth, came?, budget).await? {
                Settled::Answered => 0,
                Settled::Away => in_vain + 1,
            };
        }
        drop(running);
        self.flush().await
    }

    /// Takes down what came of one file.
    async fn settle(
        &mut self,
        nth: usize,
        fetched: Fetched,
        budget: Budget,
    ) -> Result<Settled, PutError> {
        match fetched {
            Fetched::Small(bytes, likeness) => {
                self.figures.fetched += 1;
                self.add(nth, bytes, likeness).await?;
            }
            Fetched::Stored(content, likeness) => {
                self.figures.fetched += 1;
                self.states[nth] = FileState::Kept(content, likeness);
            }
            Fetched::Broken(_, Broken::Storage(StorageError::Absent)) => {
                // It was absent before this snapshot already, in which its row still is.
                let again = matches!(self.states[nth], FileState::Gone | FileState::Missing);
                self.states[nth] = if again {
                    FileState::Missing
                } else {
                    FileState::Gone
                };
            }
            Fetched::Broken(beginning, Broken::Storage(error)) => {
                self.states[nth] = beginning.map_or(FileState::Failed, FileState::Begun);
                let is_away = matches!(error, StorageError::Away(_));
                self.figures.reason.get_or_insert_with(|| error.to_string());
                if is_away {
                    return Ok(Settled::Away);
                }
            }
            Fetched::Broken(beginning, Broken::Late(had)) => {
                // What had most of the time to itself, and has nothing to show for it, would
                // take it from all others again.
                let is_in_vain = beginning.is_none() && had * 2 > budget.time;
                if let Some(beginning) = beginning {
                    self.states[nth] = FileState::Begun(beginning);
                } else if is_in_vain {
                    self.states[nth] = FileState::Failed;
                    let size = self.files[nth].size.unwrap_or_default();
                    self.figures.reason.get_or_insert_with(|| {
                        format!("a file of {size} bytes takes longer than a run has for files")
                    });
                }
            }
        }
        Ok(Settled::Answered)
    }

    /// A small file goes into the piece that is being filled, unless its content is there.
    async fn add(&mut self, nth: usize, bytes: Bytes, likeness: Likeness) -> Result<(), PutError> {
        let id = self.writer.repository().key().name_of(&bytes);
        if let Some(content) = self.contents.get(&id) {
            self.states[nth] = FileState::Kept(content.clone(), likeness);
            return Ok(());
        }
        if self.pack.bytes.len() + bytes.len() > PIECE {
            self.flush().await?;
        }
        let content = Content {
            size: bytes.len() as u64,
            id,
            offset: self.pack.bytes.len() as u64,
            pieces: Vec::new(),
        };
        self.pack.bytes.extend_from_slice(&bytes);
        self.pack.members.push((nth, content, likeness));
        Ok(())
    }

    /// Stores the piece that is being filled.
    async fn flush(&mut self) -> Result<(), PutError> {
        let Pack { bytes, members } = std::mem::take(&mut self.pack);
        let piece = if bytes.is_empty() {
            None
        } else {
            Some(fetching::put(self.writer, bytes.freeze()).await?)
        };
        for (nth, content, likeness) in members {
            // Nothing lies nowhere.
            let pieces = piece.iter().filter(|_| content.size > 0);
            let content = Content {
                pieces: pieces.cloned().collect(),
                offset: if content.size > 0 { content.offset } else { 0 },
                ..content
            };
            self.contents.insert(content.id.clone(), content.clone());
            self.states[nth] = FileState::Kept(content, likeness);
        }
        Ok(())
    }

    /// Writes listings, indexes and the record.
    async fn record(mut self, known: &Known) -> Result<Saving, PutError> {
        let mut objects: Vec<Stored> = Vec::new();
        let mut parts = Vec::new();
        for (row, state) in self.files.iter().zip(&self.states) {
            self.figures.coverage.count(row, state);
        }
        let mut buckets = std::mem::take(&mut self.buckets);
        for range in cut_parts(&self.files, &self.keys) {
            let files = range
                .clone()
                .map(|nth| (self.files[nth].clone(), self.states[nth].clone()));
            let listing = Listing {
                buckets: std::mem::take(&mut buckets),
                files: files.collect(),
            };
            let index = FileIndex {
                files: range
                    .map(|nth| (self.keys[nth].clone(), self.states[nth].clone()))
                    .collect(),
            };
            parts.push(self.put_part(&listing, &index, known).await?);
        }
        let repository = self.writer.repository();
        let record = FileRecord {
            format: VERSION,
            snapshot: self.writer.snapshot().clone(),
            epoch: repository.epoch(),
            parts,
            coverage: self.figures.coverage,
        };
        let stored = put_record(self.writer, &record).await?;
        objects.push(stored.clone());
        objects.extend(record.parts.iter().map(|part| part.index.clone()));
        objects.extend(self.content_objects(&record));
        Ok(Saving {
            held: HeldFiles {
                files: Files {
                    record: stored,
                    coverage: self.figures.coverage,
                },
                objects,
            },
            figures: self.figures,
        })
    }

    async fn put_part(
        &self,
        listing: &Listing,
        index: &FileIndex,
        known: &Known,
    ) -> Result<FilePart, PutError> {
        let sealed = Segment::opaque(Bytes::from(listing.render()));
        let sealed = self.writer.put(sealed).await?;
        let text = index.render();
        let index = if let Some(stored) = known.indexes.get(&hex::sha256(&text)) {
            stored.clone()
        } else {
            let putting = self.writer.put_plain(text, object_path::file_index);
            putting.await?
        };
        Ok(FilePart {
            listing: sealed.name,
            listing_len: sealed.raw_len,
            index,
        })
    }

    /// The objects of listings and contents, each once.
    fn content_objects(&self, record: &FileRecord) -> Vec<Stored> {
        let contents = self.states.iter().flat_map(FileState::pieces);
        let listings = record.parts.iter().map(|part| part.listing.as_str());
        let names: HashSet<&str> = contents
            .map(|piece| piece.name.as_str())
            .chain(listings)
            .collect();
        let taken = names.into_iter().filter_map(|name| self.writer.held(name));
        taken.collect()
    }
}

/// Whether Storage answered about a file.
enum Settled {
    Answered,
    Away,
}

async fn put_record(writer: &Writer, record: &FileRecord) -> Result<Stored, PutError> {
    let text = record.render().unwrap_or_default();
    let compressed = seal::compress(&text)?;
    let stored = Stored {
        path: object_path::file_record(&record.snapshot),
        len: compressed.len() as u64,
        sha256: hex::sha256(&compressed),
    };
    let store = writer.repository().store().reading_back();
    store.put_new(&stored.path, Bytes::from(compressed)).await?;
    Ok(stored)
}

/// Where parts begin and end. Cuts fall behind files that are chosen by their key, so that a
/// file that comes or goes moves no other part's. There is always one part, for the buckets.
fn cut_parts(files: &[FileRow], keys: &[String]) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (nth, (file, key)) in files.iter().zip(keys).enumerate() {
        bytes += file.row.len();
        let chance = key
            .get(..8)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let count = nth + 1 - start;
        let is_chosen =
            count >= PART_LEAST && chance.is_some_and(|chance| chance % PART_CHANCE == 0);
        if is_chosen || count >= PART_MOST || bytes >= PART_BYTES {
            parts.push(start..nth + 1);
            (start, bytes) = (nth + 1, 0);
        }
    }
    if start < files.len() || parts.is_empty() {
        parts.push(start..files.len());
    }
    parts
}
