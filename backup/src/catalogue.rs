//! What backups there are, and what is in them: the reading half of a
//! repository.
//!
//! Only commit records are ever enumerated. Nothing that is read is taken for
//! what it should be before its hash says so.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::task;

use super::{
    format::{
        FileIndex, FileRecord, FormatError, Inventory, Manifest, Mended, Piece, Snapshot,
        SnapshotName, Stored, object_path,
    },
    hex,
    keys::{DedupeKey, Identities},
    seal::{self, SealError},
    store::{Store, StoreError},
};

/// How many records are read at once.
const READS: usize = 16;

/// Above this many bytes neither a manifest nor an inventory is read: some
/// hundred thousand pieces.
const MOST: u64 = 64 * 1024 * 1024;

/// Why a backup, or a part of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store does not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its text is not what it should be.
    #[error("{path}: {source}")]
    Unreadable {
        /// Where it lies.
        path: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// It cannot be opened.
    #[error("{path}: {source}")]
    Sealed {
        /// Where it lies.
        path: String,
        /// Why.
        source: SealError,
    },
    /// It is not what was stored there.
    #[error("{path}: {what}")]
    Altered {
        /// Where it lies.
        path: String,
        /// What differs.
        what: &'static str,
    },
    /// There is no backup at all.
    #[error("there is no backup")]
    Empty,
    /// No backup has this name.
    #[error("there is no backup {0:?}")]
    NoSuch(String),
    /// Several backups' names begin like that.
    #[error("the names of {count} backups begin with {text:?}")]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// How many there are.
        count: usize,
    },
    /// All backups were taken later.
    #[error("no backup was taken before {before}, the first is {first}")]
    NoneBefore {
        /// The time that was asked for.
        before: Timestamp,
        /// The first backup there is.
        first: SnapshotName,
    },
    /// The program is ending.
    #[error("reading was cut short")]
    Cancelled,
}

impl ReadError {
    /// Whether it tells something about what lies there, and not only that nobody could look.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Altered { .. } => true,
            Self::Store(error) => error.is_about_the_object(),
            // Another release's, or another key's.
            Self::Unreadable { source, .. } => !matches!(source, FormatError::Version(_)),
            Self::Sealed { source, .. } => !matches!(source, SealError::WrongKey),
            Self::Empty
            | Self::NoSuch(_)
            | Self::Ambiguous { .. }
            | Self::NoneBefore { .. }
            | Self::Cancelled => false,
        }
    }

    /// What is wrong, for where the path is said already.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Store(error) => error.what(),
            Self::Unreadable { source, .. } => source.to_string(),
            Self::Sealed { source, .. } => source.to_string(),
            Self::Altered { what, .. } => (*what).to_owned(),
            Self::Empty
            | Self::NoSuch(_)
            | Self::Ambiguous { .. }
            | Self::NoneBefore { .. }
            | Self::Cancelled => self.to_string(),
        }
    }
}

/// All backups.
#[derive(Debug, Default)]
pub struct Listing {
    /// Those whose record can be read, newest first.
    pub snapshots: Vec<Snapshot>,
    /// Why the others' records cannot.
    pub unreadable: Vec<ReadError>,
}

/// Reads every commit record.
///
/// # Errors
/// If the store cannot be listed.
pub async fn snapshots(store: &Store) -> Result<Listing, StoreError> {
    let mut names = names(store, object_path::SNAPSHOTS).await?;
    names.reverse();
    let mut records = stream::iter(names)
        .map(async |name| record(store, &name).await)
        .buffered(READS);
    let mut listing = Listing::default();
    while let Some(read) = records.next().await {
        match read {
            Ok(Record { snapshot, .. }) => listing.snapshots.push(snapshot),
            Err(error) => listing.unreadable.push(error),
        }
    }
    Ok(listing)
}

/// Whether no backup was ever sealed there, readable or not.
pub(super) async fn is_empty(store: &Store) -> Result<bool, StoreError> {
    Ok(names(store, object_path::SNAPSHOTS).await?.is_empty())
}

/// Finds a backup: `latest`, a name, or the beginning of one.
///
/// # Errors
/// See [`ReadError`]. If the newest record cannot be read, `latest` is refused
/// rather than another backup given for it.
pub async fn find(store: &Store, which: &str) -> Result<Snapshot, ReadError> {
    let names = names(store, object_path::SNAPSHOTS).await?;
    let name = if which == "latest" {
        names.last().ok_or(ReadError::Empty)?
    } else {
        let fitting: Vec<_> = names
            .iter()
            .filter(|name| !which.is_empty() && name.as_str().starts_with(which))
            .collect();
        match fitting[..] {
            [name] => name,
            [] => return Err(ReadError::NoSuch(which.to_owned())),
            [_, _, ..] => {
                return Err(ReadError::Ambiguous {
                    text: which.to_owned(),
                    count: fitting.len(),
                });
            }
        }
    };
    Ok(record(store, name).await?.snapshot)
}

/// Finds the newest backup whose snapshot was taken before a time.
///
/// # Errors
/// See [`ReadError`]. If its record cannot be read, that is told rather than an older backup
/// given for it.
pub async fn find_before(store: &Store, before: Timestamp) -> Result<Snapshot, ReadError> {
    let names = names(store, object_path::SNAPSHOTS).await?;
    let first = names.first().ok_or(ReadError::Empty)?;
    // A name tells the second, and only the record what is below it.
    let second = before.strftime("%Y%m%dT%H%M%SZ").to_string();
    let earlier = names.iter().rev();
    for name in earlier.skip_while(|name| name.as_str()[..second.len()] > *second) {
        let found = record(store, name).await?.snapshot;
        if found.taken_at < before {
            return Ok(found);
        }
    }
    let first = first.clone();
    Err(ReadError::NoneBefore { before, first })
}

/// Reads and opens a backup's manifest.
///
/// # Errors
/// See [`ReadError`].
pub async fn manifest(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
) -> Result<Manifest, ReadError> {
    let stored = &snapshot.manifest;
    let sealed = exactly(store, stored).await?;
    let identities = identities.clone();
    let text = blocking(move || seal::open(&sealed, &identities, MOST))
        .await?
        .map_err(|source| sealed_error(&stored.path, source))?;
    let manifest = Manifest::parse(&text).map_err(|source| unreadable(&stored.path, source))?;
    let is_its = manifest.snapshot == snapshot.snapshot.as_str()
        && manifest.repo == snapshot.repo
        && manifest.epoch == snapshot.epoch
        && manifest.taken_at == snapshot.taken_at;
    if is_its {
        Ok(manifest)
    } else {
        Err(altered(
            &stored.path,
            "it is the manifest of another backup",
        ))
    }
}

/// Reads a backup's inventory, for which no key is needed.
///
/// # Errors
/// See [`ReadError`].
pub async fn inventory(store: &Store, snapshot: &Snapshot) -> Result<Inventory, ReadError> {
    let stored = &snapshot.inventory;
    let compressed = exactly(store, stored).await?;
    plain(&stored.path, compressed).await
}

/// Reads what a backup has of files, for which no key is needed.
pub(super) async fn file_record(
    store: &Store,
    snapshot: &Snapshot,
    stored: &Stored,
) -> Result<FileRecord, ReadError> {
    let text = plain_text(&stored.path, exactly(store, stored).await?).await?;
    let record = FileRecord::parse(&text).map_err(|source| unreadable(&stored.path, source))?;
    if record.snapshot == snapshot.snapshot && record.epoch == snapshot.epoch {
        Ok(record)
    } else {
        Err(altered(&stored.path, "it is the record of another backup"))
    }
}

/// Reads an index of files, for which no key is needed.
pub(super) async fn file_index(store: &Store, stored: &Stored) -> Result<FileIndex, ReadError> {
    let text = plain_text(&stored.path, exactly(store, stored).await?).await?;
    FileIndex::parse(&text).map_err(|source| unreadable(&stored.path, source))
}

/// Reads and opens a piece that is known by its name and length alone, and proves that it is the
/// one that was stored.
pub(super) async fn named_piece(
    store: &Store,
    epoch: u32,
    (name, raw_len): (&str, u64),
    identities: &Identities,
    key: &DedupeKey,
) -> Result<Bytes, ReadError> {
    let path = object_path::segment(epoch, name);
    let sealed = store.get(&path).await?;
    let (identities, key, name) = (identities.clone(), key.clone(), name.to_owned());
    blocking(move || {
        let plaintext = seal::open(&sealed, &identities, raw_len)
            .map_err(|source| sealed_error(&path, source))?;
        let is_its = plaintext.len() as u64 == raw_len
            && key.name_of(&plaintext) == object_path::id_of(&name);
        if is_its {
            Ok(Bytes::from(plaintext))
        } else {
            Err(altered(&path, "its name is not that of its content"))
        }
    })
    .await?
}

/// Reads and opens one piece, and proves that it is the one that was stored: by
/// its length, its hash and its name.
///
/// # Errors
/// See [`ReadError`].
pub async fn piece(
    store: &Store,
    epoch: u32,
    piece: &Piece,
    identities: &Identities,
    key: &DedupeKey,
) -> Result<Vec<u8>, ReadError> {
    let path = object_path::segment(epoch, &piece.name);
    let sealed = store.get(&path).await?;
    opened(path, sealed, piece, identities, key).await
}

/// Opens a piece whose object has been read.
pub(super) async fn opened(
    path: String,
    sealed: Bytes,
    piece: &Piece,
    identities: &Identities,
    key: &DedupeKey,
) -> Result<Vec<u8>, ReadError> {
    let (identities, key, piece) = (identities.clone(), key.clone(), piece.clone());
    blocking(move || {
        let plaintext = seal::open(&sealed, &identities, piece.raw_len)
            .map_err(|source| sealed_error(&path, source))?;
        let what = if plaintext.len() as u64 != piece.raw_len {
            "its length is not the one in the manifest"
        } else if hex::sha256(&plaintext) != piece.raw_sha256 {
            "its content is not the one in the manifest"
        } else if key.name_of(&plaintext) != object_path::id_of(&piece.name) {
            "its name is not that of its content"
        } else {
            return Ok(plaintext);
        };
        Err(altered(&path, what))
    })
    .await?
}

/// A commit record that could be read.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) snapshot: Snapshot,
    /// SHA-256 of its text.
    pub(super) sha256: String,
    /// The length of its text.
    pub(super) len: u64,
}

/// The newest record that can be read. One that cannot is passed over with a
/// warning: it must not keep new backups from being made.
pub(super) async fn newest(store: &Store) -> Result<Option<Record>, StoreError> {
    for year in newest_folders(store, object_path::SNAPSHOTS).await? {
        for month in newest_folders(store, &year).await? {
            for day in newest_folders(store, &month).await? {
                for name in names(store, &day).await?.iter().rev() {
                    match record(store, name).await {
                        Ok(record) => return Ok(Some(record)),
                        Err(ReadError::Store(error)) => return Err(error),
                        Err(error) => tracing::warn!(%error, "a commit record cannot be read"),
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Reads an inventory, or what an unfinished run had stored.
pub(super) async fn plain(path: &str, compressed: Bytes) -> Result<Inventory, ReadError> {
    let text = plain_text(path, compressed).await?;
    Inventory::parse(&text).map_err(|source| unreadable(path, source))
}

async fn plain_text(path: &str, compressed: Bytes) -> Result<Vec<u8>, ReadError> {
    blocking(move || seal::decompress(&compressed, MOST))
        .await?
        .map_err(|source| sealed_error(path, source))
}

async fn newest_folders(store: &Store, folder: &str) -> Result<Vec<String>, StoreError> {
    let names = store.folders(folder).await?;
    Ok(names
        .iter()
        .rev()
        .map(|name| format!("{folder}/{name}"))
        .collect())
}

/// The names of the backups whose records lie below a folder, oldest first.
pub(super) async fn names(store: &Store, folder: &str) -> Result<Vec<SnapshotName>, StoreError> {
    let listed = store.list(folder).await?;
    let mut names: Vec<_> = listed
        .iter()
        .filter_map(|object| object_path::record_name(&object.path))
        .collect();
    names.sort_unstable();
    Ok(names)
}

pub(super) async fn record(store: &Store, name: &SnapshotName) -> Result<Record, ReadError> {
    record_at(store, &object_path::record(name), name).await
}

/// Reads the record of that backup, wherever it lies.
pub(super) async fn record_at(
    store: &Store,
    path: &str,
    name: &SnapshotName,
) -> Result<Record, ReadError> {
    let text = store.get(path).await?;
    let snapshot = read_record(path, &text, name)?;
    Ok(Record {
        snapshot,
        sha256: hex::sha256(&text),
        len: text.len() as u64,
    })
}

/// A record that lies where none of its name may lie.
pub(super) fn misplaced(path: &str) -> ReadError {
    altered(path, "it is no commit record that this release knows")
}

/// What a commit record says, if it is that backup's.
pub(super) fn read_record(
    path: &str,
    text: &[u8],
    name: &SnapshotName,
) -> Result<Snapshot, ReadError> {
    let snapshot = Snapshot::parse(text).map_err(|source| unreadable(path, source))?;
    if snapshot.snapshot == *name {
        Ok(snapshot)
    } else {
        Err(altered(path, "it is the record of another backup"))
    }
}

/// Reads an object and proves that it is the one that was stored, or the one by which a run has
/// replaced it since it was damaged.
pub(super) async fn exactly(store: &Store, stored: &Stored) -> Result<Bytes, ReadError> {
    let bytes = store.get(&stored.path).await?;
    let hashed = bytes.clone();
    let sha256 = blocking(move || hex::sha256(&hashed)).await?;
    let what = if bytes.len() as u64 != stored.len {
        "its length is not the one it was stored with"
    } else if sha256 != stored.sha256 {
        "its content is not the one it was stored with"
    } else {
        return Ok(bytes);
    };
    if is_noted(store, &stored.path, &sha256).await? {
        return Ok(bytes);
    }
    Err(altered(&stored.path, what))
}

/// Whether bytes of this hash were noted to belong at a path.
async fn is_noted(store: &Store, path: &str, sha256: &str) -> Result<bool, StoreError> {
    let noted = store
        .get_if_there(&object_path::mended(path, sha256))
        .await?;
    let noted = noted.and_then(|text| Mended::parse(&text).ok());
    Ok(noted.is_some_and(|noted| noted.path == path && noted.sha256 == sha256))
}

/// Runs what takes the processor for long where it does not hold up the rest.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReadError> {
    task::spawn_blocking(work)
        .await
        .map_err(|_| ReadError::Cancelled)
}

fn unreadable(path: &str, source: FormatError) -> ReadError {
    ReadError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn sealed_error(path: &str, source: SealError) -> ReadError {
    ReadError::Sealed {
        path: path.to_owned(),
        source,
    }
}

fn altered(path: &str, what: &'static str) -> ReadError {
    ReadError::Altered {
        path: path.to_owned(),
        what,
    }
}
