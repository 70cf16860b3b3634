//! A store of one's own, and the keys to it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backup::{
    catalogue,
    format::{Manifest, Snapshot, TableData},
    keys::{self, DedupeKey, Identities, Recipients, Secret},
    run::{self, Backup, Request, RunError},
    schema::Name,
    store::{Arrival, Store},
};
use local_supabase::postgres::TestDatabase;
use object_store::{ObjectStore, memory::InMemory};
use outside::clock::{self, Deadline};
use secrecy::{ExposeSecret, SecretString};

use crate::{scratch::found, support, taken::Place};

/// Of two runs within a second the fences say which is the later one.
static FENCES: AtomicU64 = AtomicU64::new(1_000_000);

pub(crate) struct Vault {
    pub(crate) store: Store,
    pub(crate) secret: Secret,
    pub(crate) recipients: Recipients,
    pub(crate) identities: Identities,
}

impl Vault {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(InMemory::new()))
    }

    /// The store of a place, with its keys.
    pub(crate) fn of(place: &Place) -> Self {
        Self {
            store: place.store.clone(),
            secret: place.secret(),
            recipients: place.recipients(),
            identities: Identities::parse(place.keys.identity.expose_secret()).unwrap(),
        }
    }

    /// Makes its repository, if there is none.
    pub(crate) async fn found(&self) {
        found(&self.store, clock::now()).await.unwrap();
    }

    /// One that a run finds its repository in.
    pub(crate) async fn founded() -> Self {
        let vault = Self::new();
        found(&vault.store, clock::now()).await.unwrap();
        vault
    }

    pub(crate) fn on(objects: Arc<dyn ObjectStore>) -> Self {
        let keys = keys::generate();
        Self {
            store: Store::new(objects, "", Arrival::Checked),
            secret: Secret::parse(&keys.secret).unwrap(),
            recipients: Recipients::parse(&keys.recipient).unwrap(),
            identities: Identities::parse(keys.identity.expose_secret()).unwrap(),
        }
    }

    /// What a run is asked for, with two workers and five minutes.
    pub(crate) fn request<'a>(&'a self, url: &'a SecretString, ca: &'a str) -> Request<'a> {
        Request {
            url,
            ca: Some(ca),
            store: self.store.clone(),
            secret: &self.secret,
            recipients: self.recipients.clone(),
            fence: FENCES.fetch_add(1, Ordering::SeqCst),
            workers: 2,
            deadline: Deadline::after(Duration::from_secs(300)),
            tools: &[],
            files: None,
            whole: false,
        }
    }

    pub(crate) async fn back_up(&self, database: &TestDatabase) -> Result<Backup, RunError> {
        self.back_up_while(database, async || true).await
    }

    pub(crate) async fn back_up_while<L: Future<Output = bool>>(
        &self,
        database: &TestDatabase,
        lease: impl Fn() -> L,
    ) -> Result<Backup, RunError> {
        found(&self.store, clock::now()).await?;
        let (url, ca) = support::direct(database).await;
        run::run(self.request(&url, &ca), lease).await
    }

    /// The backups that exist.
    pub(crate) async fn snapshots(&self) -> Vec<Snapshot> {
        let listing = catalogue::snapshots(&self.store).await.unwrap();
        assert!(listing.unreadable.is_empty(), "{:?}", listing.unreadable);
        listing.snapshots
    }

    pub(crate) async fn manifest(&self, record: &Snapshot) -> Manifest {
        catalogue::manifest(&self.store, record, &self.identities)
            .await
            .unwrap()
    }

    /// Fails where verifying finds anything.
    pub(crate) async fn assert_whole(&self, record: &Snapshot) {
        crate::scratch::assert_whole(&self.store, record, &self.identities).await;
    }

    /// The COPY text of every table of a backup.
    pub(crate) async fn rows(&self, record: &Snapshot) -> BTreeMap<Name, Vec<u8>> {
        let manifest = self.manifest(record).await;
        let mut tables = BTreeMap::new();
        for table in &manifest.tables {
            tables.insert(table.table.clone(), self.text(&manifest, table).await);
        }
        tables
    }

    pub(crate) async fn text(&self, manifest: &Manifest, table: &TableData) -> Vec<u8> {
        let key = DedupeKey::from_hex(&manifest.dedupe_key).unwrap();
        let mut text = Vec::new();
        for piece in &table.pieces {
            text.extend(
                catalogue::piece(&self.store, manifest.epoch, piece, &self.identities, &key)
                    .await
                    .unwrap(),
            );
        }
        text
    }
}

/// A table's name in the schema `public`.
pub(crate) fn public(name: &str) -> Name {
    Name {
        schema: "public".into(),
        name: name.into(),
    }
}
