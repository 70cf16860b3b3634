//! What every test of stores needs: keys, a folder, and a small backup.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use backup::{
    catalogue,
    checksum::RowSums,
    format::{
        Manifest, Piece, RowHash, Script, ScriptObject, ServerFacts, Snapshot, TableData,
        object_path,
    },
    keys::{self, Identities, Recipients, Secret},
    repository::{Repository, RepositoryError, SealRunError, Writer},
    schema::{Name, Scope, Stage},
    segments::Segment,
    store::{Arrival, Store},
    verify,
};
use jiff::Timestamp;
use object_store::memory::InMemory;
use outside::outbound::Outbound;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// A folder that goes when the test does.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("backup-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// One set of keys.
pub(crate) struct Keyring {
    pub(crate) secret: SecretString,
    pub(crate) recipients: Recipients,
    pub(crate) identities: Identities,
}

impl Keyring {
    pub(crate) fn new() -> Self {
        let keys = keys::generate();
        Self {
            secret: keys.secret,
            recipients: Recipients::parse(&keys.recipient).unwrap(),
            identities: Identities::parse(keys.identity.expose_secret()).unwrap(),
        }
    }

    pub(crate) async fn open(&self, store: &Store) -> anyhow::Result<Repository> {
        found(store, at(0)).await?;
        Ok(self.open_as_it_is(store).await?)
    }

    /// Opens the repository if there is one.
    pub(crate) async fn open_as_it_is(&self, store: &Store) -> Result<Repository, RepositoryError> {
        let secret = Secret::parse(&self.secret).unwrap();
        Repository::open(store.clone(), &secret, self.recipients.clone(), at(0)).await
    }

    /// A writer of the run with this fence. Later fences are later times.
    pub(crate) async fn begin(&self, store: &Store, fence: u64) -> anyhow::Result<Writer> {
        let repository = self.open(store).await?;
        Ok(Writer::begin(repository, at(fence), fence, Uuid::new_v4()).await?)
    }

    /// A whole backup of `tables` small tables, from nothing to the commit record.
    pub(crate) async fn back_up(
        &self,
        store: &Store,
        fence: u64,
        tables: u64,
    ) -> anyhow::Result<Snapshot> {
        let writer = self.begin(store, fence).await?;
        let manifest = put_tables(&writer, tables).await?;
        writer.keep_progress().await?;
        Ok(seal(writer, manifest).await?)
    }
}

/// Makes a repository where there is none.
pub(crate) async fn found(store: &Store, now: Timestamp) -> Result<(), RepositoryError> {
    if store.get_if_there(object_path::REPO).await?.is_none() {
        Repository::make(store, now).await?;
    }
    Ok(())
}

pub(crate) async fn seal(writer: Writer, manifest: Manifest) -> Result<Snapshot, SealRunError> {
    let tools: [(&str, &[u8]); 1] = [("restore.sh", b"#!/bin/sh\n")];
    writer
        .seal(manifest, &tools, at(1_000), async || true)
        .await
}

/// Puts a script and the rows of so many tables, and writes the manifest of it.
pub(crate) async fn put_tables(writer: &Writer, tables: u64) -> anyhow::Result<Manifest> {
    let script = writer
        .put(Segment::script("create table t ();\n".into()))
        .await?;
    let mut data = Vec::new();
    for table in 0..tables {
        let rows = rows(&format!("{table}\tsome text\n"), 3);
        let sums = RowSums::of(&rows.bytes, 2, RowHash::Mixed);
        data.push(table_data(table, sums, vec![writer.put(rows).await?]));
    }
    Ok(manifest(script, data))
}

/// The same row several times.
pub(crate) fn rows(row: &str, count: usize) -> Segment {
    Segment {
        bytes: row.repeat(count).into(),
        rows: count as u64,
        ended: row.repeat(count).into(),
        first_key: String::new(),
        last_key: String::new(),
    }
}

pub(crate) fn table_data(number: u64, sums: RowSums, pieces: Vec<Piece>) -> TableData {
    TableData {
        table: Name {
            schema: "public".into(),
            name: format!("t{number}"),
        },
        scope: Scope::App,
        columns: vec!["id".into(), "text".into()],
        types: vec!["integer".into(), "text".into()],
        order: Vec::new(),
        rows: pieces.iter().map(|piece| piece.rows).sum(),
        checksum: sums.checksum(),
        read: None,
        pieces,
    }
}

pub(crate) fn manifest(script: Piece, tables: Vec<TableData>) -> Manifest {
    Manifest {
        row_hash: RowHash::Mixed,
        snapshot: String::new(),
        repo: Uuid::nil(),
        taken_at: at(0),
        server: ServerFacts {
            version_num: 150_018,
            version: "15.18".into(),
            database: "postgres".into(),
            wal_lsn: "0/1".into(),
            snapshot: "1:1:".into(),
            search_path: r#""$user", public"#.into(),
        },
        settings: Vec::new(),
        epoch: 0,
        dedupe_key: String::new(),
        canary: "tweet".into(),
        extensions: Vec::new(),
        roles: Vec::new(),
        scripts: vec![Script {
            stage: Stage::Before,
            scope: Scope::App,
            objects: vec![ScriptObject {
                kind: "table".into(),
                name: "public.t".into(),
                table: None,
                refers_to: None,
                schema: None,
                needs: Vec::new(),
                offset: 0,
                length: script.raw_len,
            }],
            piece: script,
        }],
        tables,
        sequences: Vec::new(),
        computed: Vec::new(),
        migrations: Vec::new(),
        excluded: Vec::new(),
        gaps: Vec::new(),
    }
}

/// A time that many minutes after another.
pub(crate) fn at(minute: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(minute).unwrap() * 60).unwrap()
}

/// Both levels of verification, which must find nothing.
pub(crate) async fn assert_whole(store: &Store, snapshot: &Snapshot, identities: &Identities) {
    let faults = faults(store, snapshot, identities).await;
    assert!(faults.is_empty(), "{}: {faults:?}", snapshot.snapshot);
}

/// What both levels of verification find.
pub(crate) async fn faults(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
) -> Vec<verify::Fault> {
    let objects = verify::objects(store, snapshot, &mut |_| {}).await;
    let contents = verify::contents(store, snapshot, identities, &mut |_| {}).await;
    assert_eq!(objects.checked, objects.expected);
    [objects.faults, contents.faults].concat()
}

/// Every backup that the store shows, each of them whole.
pub(crate) async fn whole_backups(store: &Store, identities: &Identities) -> Vec<Snapshot> {
    let snapshots = catalogue::snapshots(store).await.unwrap().snapshots;
    for snapshot in &snapshots {
        assert_whole(store, snapshot, identities).await;
    }
    snapshots
}

/// A store in memory.
pub(crate) fn memory() -> Store {
    Store::new(Arc::new(InMemory::new()), "", Arrival::Checked)
}

/// A store in a folder, and where the folder is.
pub(crate) fn in_folder() -> (Folder, PathBuf, Store) {
    let folder = Folder::new();
    let root = folder.path().join("made/on the way");
    let url = url::Url::from_file_path(&root).unwrap();
    let store = Store::make(url.as_str(), None, &Outbound::default()).unwrap();
    (folder, root, store)
}

/// Replaces what lies at a path in a folder, as decay or an attacker would.
pub(crate) async fn replace(store: &Store, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = store.get(path).await.unwrap().to_vec();
    change(&mut bytes);
    store.put_over(path, bytes.into()).await.unwrap();
}
