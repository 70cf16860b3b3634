//! The files of Storage, in step with their rows.
//!
//! A run reads the rows of `storage.objects` in its snapshot. Each upload has another version, so
//! that bucket, name and version are one content for ever: what an earlier backup has of it is
//! taken over, and the rest is fetched by the project's API, as far as the run's budget goes,
//! oldest first. In reading order:
//!
//! - `file_rows`: what the database says of files
//! - `storage_api`: the project's Storage
//! - `known`: what the backup before has
//! - `fetching`: one file on its way into the store
//! - `save`: all of that within a budget, and the record of it
//! - `opened`: the way back to what a file held
//! - `comparison`: what comes in, compared with a content
//! - `restore`: files into a project's Storage again
//!
//! Whatever goes wrong with files is told and counted; it never keeps the database from being
//! backed up. Only a store that fails does.

mod comparison;
mod fetching;
mod file_rows;
mod known;
mod opened;
pub mod restore;
mod save;
mod storage_api;

use std::time::Duration;

pub use file_rows::{FileRows, read};
pub use opened::OpenedFiles;
pub(crate) use opened::by_first_piece;
pub(crate) use save::{Saving, save};
pub use storage_api::{NewBucket, Served, StorageApi, StorageError};

use crate::{
    catalogue::{self, ReadError},
    format::{Coverage, FileRecord, Snapshot, Stored},
    store::Store,
};
use serde::{Deserialize, Serialize};

/// The bucket in which exports lie until somebody has fetched theirs. It is in no backup.
pub const HANDED_OUT: &str = "pourtrait-exports";

/// The longest file that shares a piece with others, in bytes.
const SMALL: u64 = 256 * 1024;

/// How long a piece of content is at most, in bytes.
const PIECE: usize = 8 * 1024 * 1024;

/// How much a run may fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes; the file that passes them is still fetched whole.
    pub bytes: u64,
    /// Time.
    pub time: Duration,
}

/// Where a run fetches files, and how much.
#[derive(Debug, Clone)]
pub struct FileSource {
    /// The project's Storage; without it nothing is fetched, and what earlier backups have is
    /// taken over.
    pub api: Option<StorageApi>,
    /// How much.
    pub budget: Budget,
}

/// What a run did about files, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFigures {
    /// How much of all files the backup has.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// How many were fetched.
    pub fetched: u64,
    /// Those in bytes.
    pub fetched_bytes: u64,
    /// Why a file was not given, or why fetching ended before its time.
    pub reason: Option<String>,
}

/// What a backup has of files; nothing where it was taken without them.
///
/// # Errors
/// See [`ReadError`].
pub async fn record(store: &Store, snapshot: &Snapshot) -> Result<Option<FileRecord>, ReadError> {
    match &snapshot.files {
        Some(files) => catalogue::file_record(store, snapshot, &files.record)
            .await
            .map(Some),
        None => Ok(None),
    }
}

/// Every object that holds a backup's files, or tells of them: a part of its inventory.
///
/// # Errors
/// See [`ReadError`].
pub async fn referenced(store: &Store, snapshot: &Snapshot) -> Result<Vec<Stored>, ReadError> {
    let Some(files) = &snapshot.files else {
        return Ok(Vec::new());
    };
    let record = catalogue::file_record(store, snapshot, &files.record).await?;
    let mut objects = catalogue::inventory(store, snapshot).await?.objects;
    let mut paths = known::paths(store, &record).await?;
    paths.insert(files.record.path.clone());
    objects.retain(|stored| paths.contains(&stored.path));
    Ok(objects)
}
