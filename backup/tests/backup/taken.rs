//! A backup in a folder of its own, with its source and with what opens it.

use std::{path::PathBuf, time::Duration};

use backup::{
    catalogue,
    export::{Conduct, Export},
    format::{Manifest, Snapshot, object_path},
    keys::{self, Identities, Keys, Recipients, Secret},
    run::{self, Request},
    schema::Name,
    selection::Selection,
    store::Store,
};
use local_supabase::postgres::TestDatabase;
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use secrecy::ExposeSecret;

use crate::{
    scratch::{Folder, found},
    support::direct,
};

/// An empty store in a folder, and keys.
pub(crate) struct Place {
    pub(crate) folder: Folder,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
}

pub(crate) struct Taken {
    pub(crate) source: TestDatabase,
    pub(crate) folder: Folder,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) snapshot: Snapshot,
    pub(crate) manifest: Manifest,
    pub(crate) identities: Identities,
    /// The identity as a file for stock tools.
    pub(crate) identity: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        let url = format!("file://{}", folder.path().join("bucket").display());
        Self {
            store: Store::make(&url, None, &Outbound::default()).unwrap(),
            folder,
            keys: keys::generate(),
        }
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret::parse(&self.keys.secret).unwrap()
    }

    pub(crate) fn recipients(&self) -> Recipients {
        Recipients::parse(&self.keys.recipient).unwrap()
    }

    /// Backs a database up, as the functions do.
    pub(crate) async fn back_up(&self, source: &TestDatabase) -> Snapshot {
        let (url, ca) = direct(source).await;
        let request = Request {
            url: &url,
            ca: Some(&ca),
            store: self.store.clone(),
            secret: &self.secret(),
            recipients: self.recipients(),
            fence: 1,
            workers: 2,
            deadline: Deadline::after(Duration::from_secs(300)),
            tools: &[],
            files: None,
            whole: false,
        };
        run::run(request, async || true).await.unwrap().record
    }

    pub(crate) async fn holding(self, source: TestDatabase, snapshot: Snapshot) -> Taken {
        let identity = self.folder.path().join("identity.txt");
        let key = self.keys.identity.expose_secret();
        std::fs::write(&identity, key).unwrap();
        let identities = Identities::parse(key).unwrap();
        let manifest = catalogue::manifest(&self.store, &snapshot, &identities).await;
        Taken {
            source,
            folder: self.folder,
            store: self.store,
            keys: self.keys,
            snapshot,
            manifest: manifest.unwrap(),
            identities,
            identity,
        }
    }
}

impl Taken {
    /// Backs a database up, as the functions do.
    pub(crate) async fn of(source: TestDatabase) -> Self {
        let place = Place::new();
        found(&place.store, clock::now()).await.unwrap();
        let snapshot = place.back_up(&source).await;
        place.holding(source, snapshot).await
    }

    /// Backs its source up once more, by what the run before knew of it.
    pub(crate) async fn again(self) -> Self {
        let place = Place {
            folder: self.folder,
            store: self.store,
            keys: self.keys,
        };
        let snapshot = place.back_up(&self.source).await;
        place.holding(self.source, snapshot).await
    }

    /// What was chosen of it as a script for psql.
    pub(crate) async fn script(&self, selection: &Selection, conduct: Conduct) -> Vec<u8> {
        let export = Export::open(&self.store, &self.snapshot, &self.identities).await;
        let (export, mut script) = (export.unwrap(), Vec::new());
        let chosen = export.choose(selection).unwrap();
        export.write(&chosen, conduct, &mut script).await.unwrap();
        script
    }

    /// The folder that a bucket would be copied to.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder.path().join("bucket")
    }

    /// Where an object lies as a file.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.bucket().join(path)
    }

    /// Where the pieces of one table's rows lie as files.
    pub(crate) fn pieces(&self, table: &Name) -> Vec<PathBuf> {
        let mut tables = self.manifest.tables.iter();
        let data = tables.find(|data| data.table == *table).unwrap();
        let names = data.pieces.iter().map(|piece| &piece.name);
        names
            .map(|name| self.file(&object_path::segment(self.snapshot.epoch, name)))
            .collect()
    }
}
