//! Where backups are written to: a store with an identity, a key epoch, and
//! recipients. In reading order:
//!
//! - `trusted_objects`: what a run may rely on without having stored it
//! - `writer`, `put_error`: pieces on their way into the store
//! - `run_progress`: what an unfinished run leaves to the next one
//! - `known_rows`: what any run leaves to the next one, so that it reads what changed
//! - `sealing`: the manifest, the inventory, and the commit record last

mod known_rows;
mod put_error;
mod run_progress;
mod sealing;
mod trusted_objects;
mod writer;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

pub use put_error::PutError;
pub use sealing::SealRunError;
pub(crate) use writer::HeldFiles;
pub use writer::{Figures, Writer};

use super::{
    catalogue::{self, Record},
    format::{Epoch, FormatError, Repo, object_path},
    keys::{DedupeKey, NoteKey, Recipients, Secret},
    store::{Store, StoreError},
};

/// Why a repository cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The store does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another release's, which must not be touched.
    #[error("{path}: {source}", path = object_path::REPO)]
    Format {
        /// What is wrong with it.
        source: FormatError,
    },
    /// Nobody has made one there. It may be a disk that is not mounted, or a prefix
    /// that was misspelt.
    #[error("there is no repository in {0}; `backup init` makes one")]
    Absent(String),
    /// Its backups are gone, or it is another than the database's.
    #[error(
        "there is no backup in {place}, though {snapshot} was sealed before this: it is another place, or they were lost; `backup init` lets backups begin anew there"
    )]
    Vanished {
        /// Where it lies.
        place: String,
        /// The newest backup that the database knows of.
        snapshot: String,
    },
}

/// A backup that the database knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Its name.
    pub snapshot: String,
    /// The time of its snapshot.
    pub taken_at: Timestamp,
}

/// What came of asking for a new repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// There is one, ready for its first backup.
    Made,
    /// There was one with backups in it, and it is as it was.
    Kept,
}

/// A repository, open for writing in its current epoch.
#[derive(Debug)]
pub struct Repository {
    store: Store,
    repo: Uuid,
    /// When somebody asked for it, if that is known.
    since: Option<Timestamp>,
    epoch: u32,
    key: DedupeKey,
    note_key: NoteKey,
    recipients: Recipients,
}

impl Repository {
    /// Makes a repository where none has a backup yet, because somebody asks for it.
    ///
    /// # Errors
    /// See [`RepositoryError`]; a store that does not refuse to create an object
    /// twice is one.
    pub async fn make(store: &Store, now: Timestamp) -> Result<Making, RepositoryError> {
        if !catalogue::is_empty(store).await? {
            return Ok(Making::Kept);
        }
        let written = store.get_if_there(object_path::REPO).await?;
        let mut repo = match written.as_deref().map(Repo::parse) {
            Some(Ok(repo)) => repo,
            Some(Err(error @ FormatError::Version(_))) => return Err(format_error(error)),
            Some(Err(_)) | None => Repo::new(Uuid::new_v4(), None),
        };
        repo.since = Some(now);
        let text = Bytes::from(repo.render().map_err(format_error)?);
        if written.is_some() {
            store.put_over(object_path::REPO, text.clone()).await?;
        } else {
            let store = store.reading_back();
            store.put_new(object_path::REPO, text.clone()).await?;
        }
        store.prove_create_only(object_path::REPO, &text).await?;
        Ok(Making::Made)
    }

    /// Opens the repository. A secret or recipients other than those of the last
    /// backup begin a new epoch, in which everything is stored once more. The caller
    /// holds the lease.
    ///
    /// # Errors
    /// See [`RepositoryError`]; a store that does not refuse to create an object
    /// twice is one.
    pub async fn open(
        store: Store,
        secret: &Secret,
        recipients: Recipients,
        now: Timestamp,
    ) -> Result<Self, RepositoryError> {
        let mut found = find(&store).await?;
        let (epoch, key) = match found.current(secret, &recipients) {
            Some(current) => current,
            None => found.begin_epoch(secret, &recipients, now),
        };
        let repo = found.repo;
        let text = Bytes::from(repo.render().map_err(format_error)?);
        match found.written {
            Some(written) if written == text => {}
            Some(_) => store.put_over(object_path::REPO, text.clone()).await?,
            None => {
                let store = store.reading_back();
                store.put_new(object_path::REPO, text.clone()).await?;
            }
        }
        store.prove_create_only(object_path::REPO, &text).await?;
        Ok(Self {
            note_key: secret.note_key(repo.repo, epoch),
            store,
            repo: repo.repo,
            since: repo.since,
            epoch,
            key,
            recipients,
        })
    }

    /// Refuses a repository without a backup that is older than one that the database
    /// knows of: that one should be in it.
    ///
    /// # Errors
    /// [`RepositoryError::Vanished`], or why the store cannot be asked.
    pub async fn must_hold(&self, remembered: &Remembered) -> Result<(), RepositoryError> {
        let is_newer = |since: Timestamp| since > remembered.taken_at;
        if self.since.is_some_and(is_newer) || !catalogue::is_empty(&self.store).await? {
            return Ok(());
        }
        Err(RepositoryError::Vanished {
            place: self.store.place().to_owned(),
            snapshot: remembered.snapshot.clone(),
        })
    }

    /// The own name of the repository that lies there.
    ///
    /// # Errors
    /// See [`RepositoryError`]; that there is none is one.
    pub async fn name_in(store: &Store) -> Result<Uuid, RepositoryError> {
        Ok(find(store).await?.repo.repo)
    }

    /// The repository's own name.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.repo
    }

    /// The number of the current epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What names its objects in the current epoch.
    pub(super) fn key(&self) -> &DedupeKey {
        &self.key
    }

    /// Where it lies.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// A repository as it is found.
struct Found {
    repo: Repo,
    /// The number of an epoch that has not been.
    next_epoch: u32,
    /// What lies at its place, if anything does.
    written: Option<Bytes>,
}

impl Found {
    /// The last epoch, if these are its keys.
    fn current(&self, secret: &Secret, recipients: &Recipients) -> Option<(u32, DedupeKey)> {
        let last = self.repo.epochs.last()?;
        let key = secret.dedupe_key(self.repo.repo, last.epoch);
        let is_its =
            last.recipients == recipients.fingerprints() && last.check == key.check_value();
        is_its.then_some((last.epoch, key))
    }

    fn begin_epoch(
        &mut self,
        secret: &Secret,
        recipients: &Recipients,
        now: Timestamp,
    ) -> (u32, DedupeKey) {
        let epoch = self.next_epoch;
        let key = secret.dedupe_key(self.repo.repo, epoch);
        self.repo.epochs.push(Epoch {
            epoch,
            since: now,
            recipients: recipients.fingerprints(),
            check: key.check_value(),
        });
        (epoch, key)
    }
}

async fn find(store: &Store) -> Result<Found, RepositoryError> {
    let Some(text) = store.get_if_there(object_path::REPO).await? else {
        let newest = catalogue::newest(store).await?;
        let absent = || RepositoryError::Absent(store.place().to_owned());
        return Ok(remade(Some(newest.ok_or_else(absent)?), None));
    };
    match Repo::parse(&text) {
        Ok(repo) => Ok(known(repo, text)),
        Err(error @ FormatError::Version(_)) => Err(format_error(error)),
        Err(_) => find_again(store).await,
    }
}

/// A bit that flipped on the way is not there the second time. One that is has
/// been torn when it was written, or has decayed.
async fn find_again(store: &Store) -> Result<Found, RepositoryError> {
    let text = store.get(object_path::REPO).await?;
    match Repo::parse(&text) {
        Ok(repo) => Ok(known(repo, text)),
        Err(error @ FormatError::Version(_)) => Err(format_error(error)),
        Err(error) => {
            tracing::warn!(%error, "{} is damaged and made anew", object_path::REPO);
            Ok(remade(catalogue::newest(store).await?, Some(text)))
        }
    }
}

fn known(repo: Repo, text: Bytes) -> Found {
    let last = repo.epochs.last().map_or(0, |epoch| epoch.epoch);
    Found {
        repo,
        next_epoch: last.saturating_add(1),
        written: Some(text),
    }
}

/// A repository without its description, as its newest backup tells it. Its keys
/// cannot be told, so that a new epoch begins.
fn remade(newest: Option<Record>, written: Option<Bytes>) -> Found {
    let (repo, last) = match newest {
        Some(newest) => (newest.snapshot.repo, newest.snapshot.epoch),
        None => (Uuid::new_v4(), 0),
    };
    Found {
        repo: Repo::new(repo, None),
        next_epoch: last.saturating_add(1),
        written,
    }
}

fn format_error(source: FormatError) -> RepositoryError {
    RepositoryError::Format { source }
}
