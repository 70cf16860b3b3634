//! One backup being written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{
    sync::{OnceCell, Semaphore},
    task,
};
use uuid::Uuid;

use crate::{
    catalogue::{self, ReadError, Record},
    format::{Files, Mended, Piece, Snapshot, SnapshotName, Stored, object_path},
    hex,
    seal::{self, SealError},
    segments::Segment,
    store::{Store, StoreError},
    tombstones::Doomed,
};

use super::{
    PutError, Repository,
    run_progress::Progress,
    trusted_objects::{self, Vouched},
};

/// How many bytes of plaintext are on their way at most, so that memory is
/// bounded; a larger segment goes alone.
const IN_FLIGHT_KIB: u32 = 16 * 1024;

/// What was stored so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Plaintext of all pieces in bytes.
    pub raw_bytes: u64,
    /// Objects that were written.
    pub new_objects: u64,
    /// Those in bytes, as they lie in the store.
    pub new_bytes: u64,
    /// Plaintext of the pieces that were there already, in bytes.
    pub reused_raw_bytes: u64,
}

/// Writes one backup: pieces first, in any order and many at once, then what
/// names them, the commit record last.
#[derive(Debug)]
pub struct Writer {
    pub(super) repository: Arc<Repository>,
    pub(super) snapshot: SnapshotName,
    pub(super) taken_at: Timestamp,
    pub(super) fence: u64,
    pub(super) previous: Option<Record>,
    /// What this run may rely on without having stored it, by keyed hash.
    trusted: HashMap<String, Stored>,
    /// The paths of what earlier backups rest on and the store has lost, by keyed hash.
    gone: HashMap<String, String>,
    /// What may be deleted while this run works, so that it is neither relied on nor written
    /// to.
    doomed: Doomed,
    /// What is proven damaged, by keyed hash: it is written over as soon as its rows come by.
    damaged: HashMap<String, Stored>,
    /// What this run has put, or is putting, by keyed hash.
    pub(super) pieces: Mutex<HashMap<String, Arc<OnceCell<Stored>>>>,
    figures: Mutex<Figures>,
    in_flight: Semaphore,
    processors: Semaphore,
    progress: Progress,
    /// What the backup has of the files of Storage.
    pub(super) files: Option<HeldFiles>,
}

/// What a backup has of the files of Storage, in the store.
#[derive(Debug)]
pub(crate) struct HeldFiles {
    /// What the commit record says of them.
    pub(crate) files: Files,
    /// Every object that they lie in.
    pub(crate) objects: Vec<Stored>,
}

impl Writer {
    /// Begins the backup of a snapshot taken at `taken_at` by the database's
    /// clock, in the run that holds `fence`. Finds out what earlier backups, and
    /// runs that did not finish, have left in the store.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn begin(
        repository: Repository,
        taken_at: Timestamp,
        fence: u64,
        run: Uuid,
    ) -> Result<Self, StoreError> {
        let previous = catalogue::newest(&repository.store).await?;
        let doomed = Doomed::read(&repository.store).await?;
        let Vouched {
            there: mut trusted,
            gone,
        } = trusted_objects::read(&repository, previous.as_ref()).await?;
        trusted.retain(|_, stored| !doomed.has(&stored.path));
        let snapshot = SnapshotName::new(taken_at, fence, run);
        Ok(Self {
            progress: Progress::new(snapshot.clone()),
            repository: Arc::new(repository),
            snapshot,
            taken_at,
            fence,
            previous,
            trusted,
            gone,
            doomed,
            damaged: HashMap::new(),
            pieces: Mutex::default(),
            figures: Mutex::default(),
            in_flight: Semaphore::new(IN_FLIGHT_KIB as usize),
            processors: Semaphore::new(thread::available_parallelism().map_or(1, usize::from)),
            files: None,
        })
    }

    /// The same backup, which does not rest on what is known to be damaged. Each of these objects
    /// is looked at once more; what is proven so is written anew if this run meets what was in it.
    ///
    /// # Errors
    /// If the program is ending.
    pub async fn without(mut self, known: &[Stored]) -> Result<Self, PutError> {
        for stored in known {
            let name = object_path::segment_name(self.repository.epoch, &stored.path);
            let Some(id) = name.map(|name| object_path::id_of(name).to_owned()) else {
                continue;
            };
            let error = match catalogue::exactly(&self.repository.store, stored).await {
                Ok(_) => continue,
                Err(ReadError::Cancelled) => return Err(PutError::Cancelled),
                Err(error) => error,
            };
            if self
                .trusted
                .get(&id)
                .is_some_and(|one| one.path == stored.path)
            {
                self.trusted.remove(&id);
            }
            if error.is_damage() && !self.doomed.has(&stored.path) {
                tracing::warn!(%error, "what is damaged is written anew where its rows are still there");
                self.damaged.insert(id, stored.clone());
            }
        }
        Ok(self)
    }

    /// The backup's name.
    #[must_use]
    pub fn snapshot(&self) -> &SnapshotName {
        &self.snapshot
    }

    /// The repository that is written to.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The backup before, if there is one.
    #[must_use]
    pub fn previous(&self) -> Option<&Snapshot> {
        self.previous.as_ref().map(|record| &record.snapshot)
    }

    /// What was stored so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a segment, unless the store has it. Returns when it is stored;
    /// waits before it begins while too much is on its way.
    ///
    /// # Errors
    /// See [`PutError`].
    pub async fn put(&self, segment: Segment) -> Result<Piece, PutError> {
        let weight = u32::try_from(segment.bytes.len() / 1024 + 1)
            .map_or(IN_FLIGHT_KIB, |weight| weight.min(IN_FLIGHT_KIB));
        let _permit = self
            .in_flight
            .acquire_many(weight)
            .await
            .map_err(|_| PutError::Cancelled)?;
        let Segment {
            bytes: plaintext,
            rows,
            ended: _,
            first_key,
            last_key,
        } = segment;
        let raw_len = plaintext.len() as u64;
        let (id, raw_sha256) = self.identify(plaintext.clone()).await?;
        let name = self.keep(&id, plaintext).await?;
        Ok(Piece {
            name,
            rows,
            raw_len,
            raw_sha256,
            first_key,
            last_key,
        })
    }

    /// Whether the store can be relied on to have a piece, under its very name.
    #[must_use]
    pub fn has(&self, piece: &Piece) -> bool {
        let path = object_path::segment(self.repository.epoch, &piece.name);
        let trusted = self.trusted.get(object_path::id_of(&piece.name));
        trusted.is_some_and(|stored| stored.path == path)
    }

    /// Takes a piece over without its rows having been read. The backup cannot be sealed with
    /// one that [`Writer::has`] does not vouch for.
    pub async fn take_over(&self, piece: &Piece) {
        let id = object_path::id_of(&piece.name);
        if let Some(stored) = self.trusted.get(id) {
            let cell = self.cell(id);
            cell.get_or_init(async || stored.clone()).await;
            self.count(piece.raw_len, None);
        }
    }

    /// The same backup, with files of Storage.
    pub(crate) fn holding(self, files: HeldFiles) -> Self {
        Self {
            files: Some(files),
            ..self
        }
    }

    /// The object of that name, if the backup may rest on it: one that this run has put, or that
    /// can be relied on without.
    pub(crate) fn held(&self, name: &str) -> Option<Stored> {
        let path = object_path::segment(self.repository.epoch, name);
        let id = object_path::id_of(name);
        let put = {
            let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
            pieces.get(id).and_then(|cell| cell.get().cloned())
        };
        put.or_else(|| self.trusted.get(id).cloned())
            .filter(|stored| stored.path == path)
    }

    /// Compresses a text that needs no secrecy and stores it under its hash.
    pub(crate) async fn put_plain(
        &self,
        text: Vec<u8>,
        path: impl Fn(&str) -> String,
    ) -> Result<Stored, PutError> {
        let name = hex::sha256(&text);
        let compressed = self.blocking(move || seal::compress(&text)).await??;
        let object = (hex::sha256(&compressed), Bytes::from(compressed));
        let store = self.store().reading_back();
        self.put_named(&store, &name, object, path).await
    }

    /// Writes down what is stored so far, so that the next run can rely on it if
    /// this one does not finish.
    ///
    /// # Errors
    /// If the store does not take it.
    pub async fn keep_progress(&self) -> Result<(), PutError> {
        self.progress.write(&self.repository.store).await
    }

    pub(super) fn store(&self) -> &Store {
        &self.repository.store
    }

    /// The keyed hash and the plain one.
    pub(super) async fn identify(&self, plaintext: Bytes) -> Result<(String, String), PutError> {
        let repository = Arc::clone(&self.repository);
        self.blocking(move || (repository.key.name_of(&plaintext), hex::sha256(&plaintext)))
            .await
    }

    /// The name under which the store has this plaintext, now at the latest.
    async fn keep(&self, id: &str, plaintext: Bytes) -> Result<String, PutError> {
        let cell = self.cell(id);
        let raw_len = plaintext.len() as u64;
        let mut is_new = false;
        let stored = cell
            .get_or_try_init(async || {
                if let Some(stored) = self.trusted.get(id) {
                    return Ok::<_, PutError>(stored.clone());
                }
                is_new = true;
                let path = |name: &str| object_path::segment(self.repository.epoch, name);
                let (sha256, bytes) = self.sealed(plaintext).await?;
                let object = (sha256.clone(), bytes.clone());
                let stored = self.put_named(self.store(), id, object, path).await?;
                self.put_back(id, &sha256, bytes).await?;
                self.progress.add(self.store(), stored.clone()).await;
                Ok(stored)
            })
            .await?;
        self.count(raw_len, is_new.then_some(stored.len));
        let name = object_path::segment_name(self.repository.epoch, &stored.path);
        Ok(name.unwrap_or(id).to_owned())
    }

    /// Where the object of a keyed hash is kept.
    fn cell(&self, id: &str) -> Arc<OnceCell<Stored>> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pieces.entry(id.to_owned()).or_default())
    }

    fn count(&self, raw_len: u64, new_len: Option<u64>) {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.raw_bytes += raw_len;
        match new_len {
            Some(len) => {
                figures.new_objects += 1;
                figures.new_bytes += len;
            }
            None => figures.reused_raw_bytes += raw_len,
        }
    }

    /// The sealed bytes of a plaintext, behind their hash.
    pub(super) async fn sealed(&self, plaintext: Bytes) -> Result<(String, Bytes), PutError> {
        let repository = Arc::clone(&self.repository);
        let sealed = self.blocking(move || {
            let sealed = seal::seal(&plaintext, &repository.recipients)?;
            Ok::<_, SealError>((hex::sha256(&sealed), Bytes::from(sealed)))
        });
        Ok(sealed.await??)
    }

    /// Gives earlier backups back what the store has lost of them, or holds damaged: other bytes,
    /// with the content that they need, and a note of their hash. A store that keeps what is
    /// there, as one does that locks objects, keeps the damaged one.
    async fn put_back(&self, id: &str, sha256: &str, bytes: Bytes) -> Result<(), PutError> {
        let len = bytes.len() as u64;
        let (path, put) = match (self.damaged.get(id), self.gone.get(id)) {
            (Some(Stored { path, .. }), _) => (path, self.store().put_over(path, bytes).await),
            (None, Some(path)) => (path, self.store().put_new(path, bytes).await),
            (None, None) => return Ok(()),
        };
        match put {
            Ok(()) => {}
            Err(error @ StoreError::Failing { .. }) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "what earlier backups lack cannot be put back");
                return Ok(());
            }
        }
        let mended = Mended::new(&Stored {
            path: path.clone(),
            len,
            sha256: sha256.to_owned(),
        });
        let note = object_path::mended(path, sha256);
        let text = Bytes::from(mended.render()?);
        Ok(self.store().reading_back().put_new(&note, text).await?)
    }

    /// Stores an object under a name of its own, or, if what lies there was torn or may be
    /// deleted any moment, under one with this run's fence.
    pub(super) async fn put_named(
        &self,
        store: &Store,
        content: &str,
        (sha256, bytes): (String, Bytes),
        path: impl Fn(&str) -> String,
    ) -> Result<Stored, PutError> {
        let len = bytes.len() as u64;
        let own = path(&object_path::name_of(content, &sha256));
        let fenced = path(&format!("{content}-{}", self.fence));
        let stored = |path| Stored { path, len, sha256 };
        if !self.doomed.has(&own) {
            match store.put_new(&own, bytes.clone()).await {
                Ok(()) => return Ok(stored(own)),
                Err(StoreError::Taken { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        store.put_new(&fenced, bytes).await?;
        Ok(stored(fenced))
    }

    /// Runs what takes the processor for long beside the runtime, on as many
    /// threads as there are processors.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PutError> {
        let _permit = self
            .processors
            .acquire()
            .await
            .map_err(|_| PutError::Cancelled)?;
        task::spawn_blocking(work)
            .await
            .map_err(|_| PutError::Cancelled)
    }
}
