//! Where objects lie.
//!
//! Objects are written once. A write whose answer is lost, late or ambiguous is
//! settled by reading: what lies at the path is either what was sent, or
//! nothing, or something else. Only a collection deletes, what no backup needs, and a trial
//! what it put there itself.
//!
//! - `store_url`: from the URL of a store to the store
//! - `http_connector`: the one HTTP client, as the object store's crate takes it
//! - `deletion`: what it does with an object that our own key deletes
//! - [`trial`]: what a store does, tried
//! - `attempts`, `store_error`: a request that is made again, and one that is not

mod attempts;
mod deletion;
mod http_connector;
mod store_error;
mod store_url;
pub mod trial;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use object_store::{
    Attribute, Attributes, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, path::Path,
};

pub use deletion::Deletion;
pub use store_error::StoreError;
pub use store_url::{Credentials, OpenError};

use attempts::{Attempts, passing, passing_creation};

/// Whether a store finds out by itself that what arrives is not what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It compares a checksum before it acknowledges.
    Checked,
    /// It does not, so that every write is read back.
    Unchecked,
}

/// A folder or bucket in which objects lie.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    place: String,
    prefix: Path,
    arrival: Arrival,
    requests: Arc<Counters>,
}

/// How many requests were made, retries included, and what they moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Writes.
    pub put: u64,
    /// Reads.
    pub get: u64,
    /// Questions for size alone.
    pub head: u64,
    /// Listings. A listing of many objects costs one request for each thousand
    /// of them; that is counted as one here.
    pub list: u64,
    /// Deletions.
    pub delete: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
}

#[derive(Default)]
struct Counters {
    put: AtomicU64,
    get: AtomicU64,
    head: AtomicU64,
    list: AtomicU64,
    delete: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path, from the store's root.
    pub path: String,
    /// Its length in bytes.
    pub len: u64,
    /// When it was written last, by the store's own clock.
    pub modified: Timestamp,
}

impl Store {
    /// The store below `prefix` of `objects`.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, prefix: &str, arrival: Arrival) -> Self {
        Self {
            objects,
            place: "the store".to_owned(),
            prefix: Path::from(prefix),
            arrival,
            requests: Arc::default(),
        }
    }

    /// The same store under the name that a person gave it.
    fn at(self, place: String) -> Self {
        Self { place, ..self }
    }

    /// What a person calls it: its folder, or its bucket and prefix. Nothing in it is
    /// secret.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The same store, with every write read back: for the few objects that all
    /// others hang on.
    #[must_use]
    pub fn reading_back(&self) -> Self {
        Self {
            arrival: Arrival::Unchecked,
            ..self.clone()
        }
    }

    /// What was asked of the store so far, through this value and its clones.
    #[must_use]
    pub fn requests(&self) -> Requests {
        let Counters {
            put,
            get,
            head,
            list,
            delete,
            bytes_sent,
            bytes_received,
        } = &*self.requests;
        let [put, get, head, list, delete, bytes_sent, bytes_received] =
            [put, get, head, list, delete, bytes_sent, bytes_received]
                .map(|counter| counter.load(Ordering::Relaxed));
        Requests {
            put,
            get,
            head,
            list,
            delete,
            bytes_sent,
            bytes_received,
        }
    }

    /// Writes an object that is not there yet. If it is there already with the
    /// very same bytes, that is what was wanted.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if other bytes lie there, else why nothing could be
    /// written.
    pub async fn put_new(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let reason = match self.put(path, &bytes, PutMode::Create).await {
                Ok(()) if self.arrival == Arrival::Checked => return Ok(()),
                Ok(()) => "it is not there after it was acknowledged".to_owned(),
                Err(error) => passing_creation(path, &error)?,
            };
            match self.get_if_there(path).await? {
                Some(there) if there == bytes => return Ok(()),
                Some(_) => return Err(StoreError::Taken { path: path.into() }),
                None => attempts.wait(path, reason).await?,
            }
        }
    }

    /// Writes an object whether or not it is there, and reads it back. For the
    /// few that are not data: whoever calls this holds the lease.
    ///
    /// # Errors
    /// Why it could not be written.
    pub async fn put_over(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let reason = match self.put(path, &bytes, PutMode::Overwrite).await {
                Ok(()) => "other bytes are there than those it acknowledged".to_owned(),
                Err(error) => passing(path, &error)?,
            };
            if self.get_if_there(path).await?.as_ref() == Some(&bytes) {
                return Ok(());
            }
            attempts.wait(path, reason).await?;
        }
    }

    /// Writes an object that everybody may read, over what was there, with how it is to be
    /// served. A folder serves nothing, and keeps the bytes alone.
    ///
    /// # Errors
    /// Why it could not be written.
    pub async fn put_served(
        &self,
        path: &str,
        bytes: &Bytes,
        content_type: &str,
        cache_control: &str,
    ) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        let mut attributes = Attributes::from_iter([
            (Attribute::ContentType, content_type.to_owned()),
            (Attribute::CacheControl, cache_control.to_owned()),
        ]);
        loop {
            self.requests.put.fetch_add(1, Ordering::Relaxed);
            let options = PutOptions {
                attributes: attributes.clone(),
                ..PutOptions::from(PutMode::Overwrite)
            };
            let payload = PutPayload::from_bytes(bytes.clone());
            let location = self.location(path);
            match self.objects.put_opts(&location, payload, options).await {
                Ok(_) => return Ok(()),
                Err(object_store::Error::NotImplemented { .. }) if !attributes.is_empty() => {
                    attributes = Attributes::new();
                }
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }

    /// Proves that the store refuses to create an object that is there already,
    /// with an object that is, and the bytes that are in it.
    ///
    /// # Errors
    /// [`StoreError::Overwrites`] if it does not refuse, [`StoreError::CannotCreate`]
    /// if it does not know what is asked.
    pub async fn prove_create_only(&self, path: &str, bytes: &Bytes) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            match self.put(path, bytes, PutMode::Create).await {
                Ok(()) => return Err(StoreError::Overwrites),
                Err(object_store::Error::AlreadyExists { .. }) => return Ok(()),
                Err(error) => {
                    let reason = passing_creation(path, &error)?;
                    attempts.wait(path, reason).await?;
                }
            }
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if it is not there, else why it cannot be read.
    pub async fn get(&self, path: &str) -> Result<Bytes, StoreError> {
        self.get_if_there(path)
            .await?
            .ok_or_else(|| StoreError::Missing { path: path.into() })
    }

    /// Reads an object that may not be there.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn get_if_there(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            self.requests.get.fetch_add(1, Ordering::Relaxed);
            let read = async { self.objects.get(&self.location(path)).await?.bytes().await };
            match read.await {
                Ok(bytes) => {
                    let received = &self.requests.bytes_received;
                    received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    return Ok(Some(bytes));
                }
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }

    /// An object's length in bytes, if it is there.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub async fn len_if_there(&self, path: &str) -> Result<Option<u64>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            self.requests.head.fetch_add(1, Ordering::Relaxed);
            match self.objects.head(&self.location(path)).await {
                Ok(object) => return Ok(Some(object.size)),
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }

    /// Deletes an object. One that is not there is gone as well.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the store keeps it: the key may not delete, or the
    /// object is locked.
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            self.requests.delete.fetch_add(1, Ordering::Relaxed);
            match self.objects.delete(&self.location(path)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }

    /// What time it is by the store's own clock, which dates its objects: this writes one,
    /// and asks when it was written.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn clock(&self, path: &str, bytes: Bytes) -> Result<Timestamp, StoreError> {
        self.put_over(path, bytes).await?;
        let mut attempts = Attempts::default();
        loop {
            self.requests.head.fetch_add(1, Ordering::Relaxed);
            match self.objects.head(&self.location(path)).await {
                Ok(object) => return Ok(modified(&object)),
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }

    /// Every object in a folder and the folders below, in no order.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        self.list_after(folder, "").await
    }

    /// The objects in a folder, and below, whose path within it comes after
    /// `after` in the order of bytes.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub async fn list_after(&self, folder: &str, after: &str) -> Result<Vec<Listed>, StoreError> {
        let location = self.location(folder);
        let offset = self.location(&format!("{folder}/{after}"));
        let mut attempts = Attempts::default();
        loop {
            self.requests.list.fetch_add(1, Ordering::Relaxed);
            let objects = if after.is_empty() {
                self.objects.list(Some(&location))
            } else {
                self.objects.list_with_offset(Some(&location), &offset)
            };
            match objects.try_collect::<Vec<_>>().await {
                Ok(objects) => {
                    return Ok(objects
                        .iter()
                        .filter_map(|object| self.listed(object))
                        .collect());
                }
                Err(error) => attempts.again(folder, &error).await?,
            }
        }
    }

    /// The names of a folder's own folders, in order.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub async fn folders(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let location = self.location(folder);
        let mut attempts = Attempts::default();
        loop {
            self.requests.list.fetch_add(1, Ordering::Relaxed);
            match self.objects.list_with_delimiter(Some(&location)).await {
                Ok(found) => {
                    let mut names: Vec<String> = found
                        .common_prefixes
                        .iter()
                        .filter_map(|folder| Some(folder.filename()?.to_owned()))
                        .collect();
                    names.sort_unstable();
                    return Ok(names);
                }
                Err(error) => attempts.again(folder, &error).await?,
            }
        }
    }

    async fn put(
        &self,
        path: &str,
        bytes: &Bytes,
        mode: PutMode,
    ) -> Result<(), object_store::Error> {
        self.requests.put.fetch_add(1, Ordering::Relaxed);
        let sent = &self.requests.bytes_sent;
        sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let payload = PutPayload::from_bytes(bytes.clone());
        let options = PutOptions::from(mode);
        self.objects
            .put_opts(&self.location(path), payload, options)
            .await?;
        Ok(())
    }

    fn location(&self, path: &str) -> Path {
        self.prefix
            .parts()
            .chain(Path::from(path).parts())
            .collect()
    }

    fn listed(&self, object: &ObjectMeta) -> Option<Listed> {
        let parts = object.location.prefix_match(&self.prefix)?;
        Some(Listed {
            path: parts.collect::<Path>().to_string(),
            len: object.size,
            modified: modified(object),
        })
    }
}

/// A date that this program cannot hold is that of an object as young as can be.
fn modified(object: &ObjectMeta) -> Timestamp {
    let written = object.last_modified;
    let nanoseconds = written.timestamp_subsec_nanos().min(999_999_999);
    Timestamp::new(written.timestamp(), nanoseconds.cast_signed()).unwrap_or(Timestamp::MAX)
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A store's own words may hold its address and, some day, a signed one.
        formatter
            .debug_struct("Store")
            .field("arrival", &self.arrival)
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}
