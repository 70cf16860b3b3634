//! Files of Storage: in step with their rows, within a budget, and back again.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    time::Duration,
};

use backup::{
    files::{
        self, Budget, FileFigures, FileSource, NewBucket, OpenedFiles, Served, StorageApi,
        restore::{RestoreFilesError, RestoredFiles, Target},
    },
    format::{FileState, Likeness, Listing, Snapshot, object_path},
    run::{self, Backup, Request, RunError},
    verify,
};
use bytes::Bytes;
use local_supabase::{
    fault::{Fault, Mode, Service},
    machine::{self, Tool},
    postgres::{Cluster, TestDatabase},
    stack::{Stack, StackOptions},
};
use outside::outbound::Outbound;
use reqwest::Body;
use serde_json::{Value, json};
use tokio_postgres::Client;
use url::Url;

use crate::{
    proxy::{End, Proxy},
    restore::restore,
    support::{self, direct, session},
    taken::{Place, Taken},
    vault::Vault,
};

const MINUTE: Duration = Duration::from_secs(60);

const PLENTY: Budget = Budget {
    bytes: u64::MAX,
    time: MINUTE,
};

/// A project with a bucket.
struct Project {
    database: TestDatabase,
    client: Client,
    stack: Stack,
    api: StorageApi,
}

impl Project {
    async fn new() -> Self {
        let project = Self::of(support::migrated().await).await;
        project.api.make_bucket(&bucket("photos")).await.unwrap();
        project
    }

    async fn of(database: TestDatabase) -> Self {
        let cluster = Cluster::shared().await.unwrap();
        let options = StackOptions {
            database: database.name().to_owned(),
            ..StackOptions::default()
        };
        let stack = Stack::start(cluster, options).await.unwrap();
        Self {
            client: session(&database).await,
            api: api(&stack, stack.keys().secret_key()),
            stack,
            database,
        }
    }

    async fn upload(&self, name: &str, content: impl Into<Bytes>) {
        let content: Bytes = content.into();
        let length = content.len() as u64;
        let served = Served {
            mimetype: Some("image/png".to_owned()),
            cache_control: Some("max-age=60".to_owned()),
        };
        let body = (Body::from(content), length);
        let file = ("photos", name);
        self.api.write(file, &served, body, MINUTE).await.unwrap();
    }

    /// Makes a file older than all that are uploaded from now on.
    async fn age(&self, name: &str, days: i32) {
        let sql = "update storage.objects set updated_at = now() - make_interval(days => $2)
            where name = $1";
        self.client.execute(sql, &[&name, &days]).await.unwrap();
    }

    async fn content(&self, name: &str) -> Vec<u8> {
        let mut incoming = self.api.read("photos", name, MINUTE).await.unwrap();
        let mut content = Vec::new();
        while let Some(part) = incoming.next().await.unwrap() {
            content.extend(part);
        }
        content
    }

    async fn back_up(&self, vault: &Vault, budget: Budget) -> Backup {
        self.back_up_while(vault, budget, async || true)
            .await
            .unwrap()
    }

    async fn back_up_while<L: Future<Output = bool>>(
        &self,
        vault: &Vault,
        budget: Budget,
        lease: impl Fn() -> L,
    ) -> Result<Backup, RunError> {
        let (url, ca) = direct(&self.database).await;
        vault.found().await;
        let source = FileSource {
            api: Some(self.api.clone()),
            budget,
        };
        let request = Request {
            files: Some(&source),
            ..vault.request(&url, &ca)
        };
        run::run(request, lease).await
    }

    /// A backup that Storage sends so many bytes for, and then no more.
    async fn back_up_through(&mut self, vault: &Vault, bytes: u64, end: End) -> Backup {
        let mut url: Url = self.stack.supabase_url().parse().unwrap();
        let proxy = Proxy::to(url.port().unwrap(), bytes, end).await;
        url.set_port(Some(proxy.port())).unwrap();
        let key = self.stack.keys().secret_key().to_owned();
        let direct = std::mem::replace(&mut self.api, api_at(&url, &key));
        let budget = Budget {
            time: Duration::from_secs(3),
            ..PLENTY
        };
        let backup = self.back_up(vault, budget).await;
        self.api = direct;
        backup
    }

    async fn restore_files(
        &self,
        backup: &Taken,
        erased: &BTreeSet<String>,
    ) -> Result<RestoredFiles, RestoreFilesError> {
        let opened = OpenedFiles::open(&backup.store, &backup.snapshot, &backup.identities).await;
        let (database, ca) = direct(&self.database).await;
        let target = Target {
            api: &self.api,
            database: &database,
            ca: Some(&ca),
        };
        files::restore::restore(&opened.unwrap().unwrap(), &target, erased, &|_| {}).await
    }

    /// What rows say of files, but for what every upload writes anew.
    async fn rows(&self) -> Vec<String> {
        let sql = "select concat_ws(' ', id, bucket_id, name, owner, owner_id, created_at,
                updated_at, metadata ->> 'mimetype', metadata ->> 'cacheControl',
                metadata ->> 'eTag', metadata ->> 'size', user_metadata)
            from storage.objects order by name collate \"C\"";
        let rows = self.client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

fn api(stack: &Stack, key: &str) -> StorageApi {
    api_at(&stack.supabase_url().parse().unwrap(), key)
}

fn api_at(url: &Url, key: &str) -> StorageApi {
    let outbound = std::sync::Arc::new(Outbound::default());
    StorageApi::new(outbound, url.clone(), key.to_owned().into())
}

fn bucket(id: &str) -> NewBucket {
    NewBucket {
        id: id.to_owned(),
        name: id.to_owned(),
        public: false,
        file_size_limit: Some(1 << 30),
        allowed_mime_types: Some(vec!["image/*".to_owned()]),
    }
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ length as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn of(backup: &Backup) -> &FileFigures {
    backup.figures.files.as_ref().unwrap()
}

async fn listing(vault: &Vault, snapshot: &Snapshot) -> Listing {
    let opened = OpenedFiles::open(&vault.store, snapshot, &vault.identities).await;
    opened.unwrap().unwrap().listing().await.unwrap()
}

/// Each file's state, by name.
async fn states(vault: &Vault, backup: &Backup) -> Vec<(String, FileState)> {
    let files = listing(vault, &backup.record).await.files.into_iter();
    files.map(|(row, state)| (row.name, state)).collect()
}

const STRANGE: &str = "a/b/100% strange ?&$@=;:+,(!)'*.png";

/// Files of all kinds; also how many bytes they are.
async fn fill(project: &Project) -> u64 {
    let files: [(&str, Vec<u8>); 6] = [
        ("big.png", noise(20 * 1024 * 1024 + 7)),
        ("empty.png", Vec::new()),
        ("medium.png", noise(300 * 1024)),
        ("small.png", vec![7; 1000]),
        ("again/small.png", vec![7; 1000]),
        ("exact.png", noise(8 * 1024 * 1024)),
    ];
    let mut bytes = 5;
    for (name, content) in files {
        bytes += content.len() as u64;
        project.upload(name, content).await;
    }
    // Storage takes no percent sign, and an older project may have one.
    project.upload("strange.png", b"12345".as_slice()).await;
    let renamed = "update storage.objects set name = $1 where name = 'strange.png'";
    project.client.execute(renamed, &[&STRANGE]).await.unwrap();
    bytes
}

#[tokio::test]
async fn files_come_once_and_the_backup_is_whole() {
    let project = Project::new().await;
    let vault = Vault::new();
    let bytes = fill(&project).await;
    let first = project.back_up(&vault, PLENTY).await;
    let figures = of(&first);
    assert_eq!(
        (
            figures.coverage.files,
            figures.coverage.kept,
            figures.fetched
        ),
        (7, 7, 7),
        "{figures:?}"
    );
    assert_eq!(
        (figures.coverage.kept_bytes, figures.fetched_bytes),
        (bytes, bytes)
    );
    assert_eq!(figures.coverage.oldest_unsaved_at, None);
    for (name, state) in states(&vault, &first).await {
        assert!(
            matches!(state, FileState::Kept(_, Likeness::Same)),
            "{name}: {state:?}"
        );
    }
    let report = verify::objects(&vault.store, &first.record, &mut |_| {}).await;
    assert!(report.is_whole(), "{report:?}");
    let mut watch = |_: &verify::Report| {};
    let deep = verify::contents(&vault.store, &first.record, &vault.identities, &mut watch).await;
    assert!(deep.is_whole(), "{deep:?}");
    assert!(deep.bytes > bytes, "{deep:?}");

    let second = project.back_up(&vault, PLENTY).await;
    let figures = of(&second);
    assert_eq!(
        (figures.fetched, figures.fetched_bytes),
        (0, 0),
        "{figures:?}"
    );
    assert_eq!(figures.coverage.kept, 7);
    vault.assert_whole(&second.record).await;

    // What a collector has to keep for it is in its inventory.
    let named = files::referenced(&vault.store, &second.record)
        .await
        .unwrap();
    let inventory = backup::catalogue::inventory(&vault.store, &second.record)
        .await
        .unwrap();
    // The record, one index and its listing, three and one pieces, the medium file, the pack.
    assert_eq!(named.len(), 3 + 3 + 1 + 1 + 1, "{named:?}");
    assert!(
        named
            .iter()
            .all(|stored| inventory.objects.contains(stored))
    );

    project.upload("small.png", vec![8; 1001]).await;
    let third = project.back_up(&vault, PLENTY).await;
    assert_eq!((of(&third).fetched, of(&third).fetched_bytes), (1, 1001));
}

#[tokio::test]
async fn what_is_damaged_in_the_store_is_found_at_both_levels() {
    let project = Project::new().await;
    project.upload("a.png", noise(300 * 1024)).await;
    let place = Place::new();
    let vault = Vault::of(&place);
    let backup = project.back_up(&vault, PLENTY).await;
    let states = states(&vault, &backup).await;
    let FileState::Kept(content, _) = &states[0].1 else {
        panic!("{states:?}");
    };
    let path = object_path::segment(backup.record.epoch, &content.pieces[0].name);
    let taken = place.holding(project.database, backup.record).await;
    let mut sealed = std::fs::read(taken.file(&path)).unwrap();
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    std::fs::write(taken.file(&path), sealed).unwrap();
    let objects = verify::objects(&taken.store, &taken.snapshot, &mut |_| {}).await;
    let contents = verify::contents(
        &taken.store,
        &taken.snapshot,
        &taken.identities,
        &mut |_| {},
    )
    .await;
    for report in [objects, contents] {
        let faults: Vec<_> = report.damages().map(|fault| fault.path.clone()).collect();
        assert_eq!(faults, [path.as_str()]);
    }
}

#[tokio::test]
async fn a_budget_is_spent_on_the_oldest_and_the_next_run_goes_on() {
    let project = Project::new().await;
    let vault = Vault::new();
    for (name, days) in [("c.png", 1), ("a.png", 3), ("b.png", 2)] {
        project.upload(name, noise(100 + name.len() * days)).await;
        project.age(name, i32::try_from(days).unwrap()).await;
    }
    // One at a time would be begun with any byte left; four are begun at once at most.
    for name in ["d.png", "e.png", "f.png"] {
        project.upload(name, noise(200)).await;
    }
    let little = Budget { bytes: 1, ..PLENTY };
    let first = project.back_up(&vault, little).await;
    let kept: Vec<_> = states(&vault, &first)
        .await
        .into_iter()
        .filter(|(_, state)| matches!(state, FileState::Kept(..)))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(kept[..3], ["a.png", "b.png", "c.png"], "{kept:?}");
    let coverage = of(&first).coverage;
    assert_eq!((coverage.kept, coverage.waiting), (4, 2));
    assert!(coverage.oldest_unsaved_at.is_some());
    let second = project.back_up(&vault, little).await;
    assert_eq!((of(&second).fetched, of(&second).coverage.kept), (2, 6));

    // Nothing at all is spent, and nothing that was kept is lost.
    let nothing = Budget { bytes: 0, ..PLENTY };
    let third = project.back_up(&vault, nothing).await;
    assert_eq!((of(&third).fetched, of(&third).coverage.kept), (0, 6));
}

#[tokio::test]
async fn an_odd_file_takes_no_other_along() {
    let project = Project::new().await;
    let vault = Vault::new();
    for name in ["deleted.png", "good.png", "replaced.png", "lost.png"] {
        project.upload(name, name.as_bytes().to_vec()).await;
    }
    // No URL can name it; a row that never had a file; a row without anything in it.
    let odd = "insert into storage.objects (bucket_id, name, version, metadata) values
        ('photos', 'a/../b.png', gen_random_uuid()::text, '{}'),
        ('photos', 'nothing.png', gen_random_uuid()::text, '{\"size\": 3}'),
        ('photos', 'null.png', null, null)";
    project.client.batch_execute(odd).await.unwrap();
    let begun = async || {
        // The snapshot is taken when the lease is asked for the first time.
        let gone = ["deleted.png".to_owned()];
        project.api.delete("photos", &gone).await.unwrap();
        project.upload("replaced.png", b"another".to_vec()).await;
        true
    };
    let first = project.back_up_while(&vault, PLENTY, begun).await.unwrap();
    let figures = of(&first);
    assert_eq!(figures.coverage.files, 7, "{figures:?}");
    let states_of_first = states(&vault, &first).await;
    let state = |name: &str| {
        let mut states = states_of_first.iter();
        let (_, state) = states.find(|(known, _)| known == name).unwrap();
        state.clone()
    };
    assert!(matches!(
        state("good.png"),
        FileState::Kept(_, Likeness::Same)
    ));
    assert!(matches!(
        state("replaced.png"),
        FileState::Kept(_, Likeness::Newer)
    ));
    assert_eq!(state("deleted.png"), FileState::Gone);
    assert_eq!(state("nothing.png"), FileState::Gone);
    assert_eq!(state("a/../b.png"), FileState::Failed);
    assert_eq!(
        figures.reason.as_deref(),
        Some("its name cannot be written in a URL")
    );

    // What is gone though its row is there in the next snapshot is a row without a file.
    let second = project.back_up(&vault, PLENTY).await;
    let coverage = of(&second).coverage;
    assert_eq!(
        (coverage.files, coverage.rows_without_file),
        (6, 2),
        "{coverage:?}"
    );
    assert_eq!((coverage.kept, coverage.failed, coverage.gone), (3, 1, 0));
}

#[tokio::test]
async fn a_storage_that_is_away_takes_no_backup_of_the_database_along() {
    let project = Project::new().await;
    let vault = Vault::new();
    for nth in 0..30 {
        project.upload(&format!("{nth}.png"), vec![nth; 10]).await;
    }
    let away = Fault {
        mode: Mode::Status,
        status: Some(503),
        ..Fault::default()
    };
    project
        .stack
        .set_fault(Service::Storage, away)
        .await
        .unwrap();
    let first = project.back_up(&vault, PLENTY).await;
    let figures = of(&first);
    assert_eq!(figures.coverage.kept, 0);
    assert!(
        figures.coverage.waiting >= 20,
        "it was asked for ever: {figures:?}"
    );
    assert!(
        figures.reason.as_deref().unwrap().contains("503"),
        "{figures:?}"
    );
    project
        .stack
        .set_fault(Service::Storage, Mode::Ok)
        .await
        .unwrap();
    let second = project.back_up(&vault, PLENTY).await;
    assert_eq!(of(&second).coverage.kept, 30);

    // A key that is not the project's opens nothing, and that is told.
    let stranger = Project {
        api: api(&project.stack, "sb_secret_wrong"),
        ..project
    };
    stranger.upload_by_sql("31.png").await;
    let third = stranger.back_up(&vault, PLENTY).await;
    let figures = of(&third);
    assert_eq!((figures.coverage.kept, figures.coverage.failed), (30, 1));
    assert!(
        figures.reason.as_deref().unwrap().contains("401"),
        "{figures:?}"
    );
}

impl Project {
    async fn upload_by_sql(&self, name: &str) {
        let sql = "insert into storage.objects (bucket_id, name, version)
            values ('photos', $1, gen_random_uuid()::text)";
        self.client.execute(sql, &[&name]).await.unwrap();
    }
}

/// A backup of a project with files of all kinds.
async fn taken(project: Project) -> Taken {
    let place = Place::new();
    let vault = Vault::of(&place);
    let backup = project.back_up(&vault, PLENTY).await;
    place.holding(project.database, backup.record).await
}

#[tokio::test]
async fn files_go_back_into_another_project_with_their_rows_as_they_were() {
    let project = Project::new().await;
    fill(&project).await;
    let owner = "b0a7c0de-0000-4000-8000-000000000001";
    let given = format!(
        "update storage.objects set owner = '{owner}', owner_id = '{owner}',
            user_metadata = '{{\"a\": 1}}' where name = 'medium.png'"
    );
    project.client.batch_execute(&given).await.unwrap();
    // Storage takes no percent sign in a new name.
    project
        .client
        .batch_execute(
            "update storage.objects set name = 'a/b/it''s & $1.png' where name like '%strange%'",
        )
        .await
        .unwrap();
    let rows = project.rows().await;
    let contents = [
        ("big.png", noise(20 * 1024 * 1024 + 7)),
        ("exact.png", noise(8 * 1024 * 1024)),
        ("empty.png", Vec::new()),
        ("again/small.png", vec![7; 1000]),
        ("a/b/it's & $1.png", b"12345".to_vec()),
    ];
    let backup = taken(project).await;

    for with_rows in [true, false] {
        let target = TestDatabase::empty().await.unwrap();
        if with_rows {
            restore(&backup, &target).await.unwrap();
        }
        let other = Project::of(target).await;
        let restored = other
            .restore_files(&backup, &BTreeSet::new())
            .await
            .unwrap();
        assert!(restored.refused.is_empty(), "{:?}", restored.refused);
        assert_eq!((restored.uploaded, restored.already_there), (7, 0));
        assert_eq!(restored.buckets_made.len(), usize::from(!with_rows));
        assert!(restored.kept_times);
        assert_eq!(other.rows().await, rows, "{with_rows}");
        for (name, content) in &contents {
            assert!(other.content(name).await == *content, "{name}");
        }
        // Once more changes nothing.
        let again = other
            .restore_files(&backup, &BTreeSet::new())
            .await
            .unwrap();
        assert_eq!((again.uploaded, again.already_there), (0, 7));
        assert_eq!(other.rows().await, rows);
        // What was lost or altered since comes back.
        let lost = ["big.png".to_owned()];
        other.api.delete("photos", &lost).await.unwrap();
        other.upload("empty.png", b"x".to_vec()).await;
        let again = other
            .restore_files(&backup, &BTreeSet::new())
            .await
            .unwrap();
        assert_eq!((again.uploaded, again.already_there), (2, 5));
        assert_eq!(other.rows().await, rows);
    }
}

#[tokio::test]
async fn files_of_people_who_were_erased_do_not_come_back() {
    let project = Project::new().await;
    let owner = "b0a7c0de-0000-4000-8000-000000000001";
    project.upload("theirs.png", b"a".to_vec()).await;
    project.upload("other.png", b"b".to_vec()).await;
    let given = "update storage.objects set owner_id = $1 where name = 'theirs.png'";
    project.client.execute(given, &[&owner]).await.unwrap();
    let backup = taken(project).await;
    let other = Project::of(TestDatabase::empty().await.unwrap()).await;
    let everything = other
        .restore_files(&backup, &BTreeSet::new())
        .await
        .unwrap();
    assert_eq!(everything.uploaded, 2);
    let erased = BTreeSet::from([owner.to_owned()]);
    let restored = other.restore_files(&backup, &erased).await.unwrap();
    assert_eq!((restored.left_out, restored.already_there), (1, 1));
    assert_eq!(other.rows().await.len(), 1);
    assert_eq!(other.api.look("photos", "theirs.png").await, Ok(None));
}

#[tokio::test]
async fn a_database_of_another_project_is_refused_before_anything_is_done() {
    let project = Project::new().await;
    project.upload("a.png", b"a".to_vec()).await;
    let backup = taken(project).await;
    let one = Project::of(TestDatabase::empty().await.unwrap()).await;
    let two = Project::of(TestDatabase::empty().await.unwrap()).await;
    let mixed = Project {
        api: two.api.clone(),
        ..one
    };
    two.api.make_bucket(&bucket("other")).await.unwrap();
    let refused = mixed.restore_files(&backup, &BTreeSet::new()).await;
    assert!(
        matches!(refused, Err(RestoreFilesError::Strangers { .. })),
        "{refused:?}"
    );
    assert_eq!(two.api.buckets().await.unwrap(), ["other"]);

    // Also where both were empty: no file goes anywhere.
    let three = Project::of(TestDatabase::empty().await.unwrap()).await;
    let mixed = Project {
        api: three.api.clone(),
        ..mixed
    };
    let refused = mixed.restore_files(&backup, &BTreeSet::new()).await;
    assert!(
        matches!(refused, Err(RestoreFilesError::Strangers { .. })),
        "{refused:?}"
    );
    assert!(three.rows().await.is_empty());
}

#[tokio::test]
async fn a_file_that_the_bucket_refuses_is_told_and_the_others_come() {
    let project = Project::new().await;
    project.upload("a.png", b"a".to_vec()).await;
    project.upload("long.png", noise(5000)).await;
    let backup = taken(project).await;
    let other = Project::of(TestDatabase::empty().await.unwrap()).await;
    let small = NewBucket {
        file_size_limit: Some(1000),
        ..bucket("photos")
    };
    other.api.make_bucket(&small).await.unwrap();
    let restored = other
        .restore_files(&backup, &BTreeSet::new())
        .await
        .unwrap();
    let refused: Value = json!(restored.refused);
    assert_eq!(restored.uploaded, 1);
    assert_eq!(refused[0]["name"], "long.png", "{refused}");
    assert!(
        refused[0]["reason"].as_str().unwrap().contains("413"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_backup_without_files_is_read_as_ever() {
    let project = Project::new().await;
    project.upload("a.png", b"a".to_vec()).await;
    let vault = Vault::new();
    let backup = vault.back_up(&project.database).await.unwrap();
    assert_eq!(backup.record.files, None);
    assert!(backup.figures.files.is_none());
    let opened = OpenedFiles::open(&vault.store, &backup.record, &vault.identities).await;
    assert!(opened.unwrap().is_none());
    let next = project.back_up(&vault, PLENTY).await;
    assert_eq!(of(&next).fetched, 1);
}

/// Every file below a folder, by its path there.
fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn stock_tools_write_the_files_of_a_backup() {
    machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
    let project = Project::new().await;
    fill(&project).await;
    let odd = "insert into storage.objects (bucket_id, name, version, metadata)
        select bucket_id, odd, version, metadata from storage.objects,
            (values ('a/../b.png'), ('back\\slash.png'), (E'tab\t.png')) as names (odd)
        where name = 'small.png'";
    project.client.batch_execute(odd).await.unwrap();
    let backup = taken(project).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tools/files.sh");
    let target = backup.folder.path().join("files");
    let written = Command::new("sh")
        .arg(script)
        .args([&backup.bucket(), &backup.identity, &target])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&written.stderr).into_owned();
    // What no system takes for a name is told; what Storage did not give is in no listing.
    assert_eq!(written.status.code(), Some(1), "{said}");
    assert!(said.contains("not written: photos/tab\t.png"), "{said}");
    let files = files_in(&target);
    let strange = format!("photos/{STRANGE}");
    for (name, content) in [
        ("photos/big.png", noise(20 * 1024 * 1024 + 7)),
        ("photos/exact.png", noise(8 * 1024 * 1024)),
        ("photos/medium.png", noise(300 * 1024)),
        ("photos/empty.png", Vec::new()),
        ("photos/small.png", vec![7; 1000]),
        ("photos/again/small.png", vec![7; 1000]),
        ("photos/back\\slash.png", vec![7; 1000]),
        (strange.as_str(), b"12345".to_vec()),
    ] {
        assert!(files.get(name) == Some(&content), "{name}: {said}");
    }
    assert_eq!(files.len(), 8);
}

#[tokio::test]
async fn what_a_run_without_an_end_has_fetched_is_not_stored_again() {
    let project = Project::new().await;
    let vault = Vault::new();
    project.upload("a.png", noise(300 * 1024)).await;
    let asked = Cell::new(0);
    let lost = async || asked.replace(asked.get() + 1) == 0;
    let ended = project.back_up_while(&vault, PLENTY, lost).await;
    assert!(matches!(ended, Err(RunError::Superseded)), "{ended:?}");
    assert!(vault.snapshots().await.is_empty());
    let next = project.back_up(&vault, PLENTY).await;
    assert_eq!((of(&next).fetched, of(&next).coverage.kept), (1, 1));
    assert!(next.figures.bytes_stored < 300 * 1024, "{:?}", next.figures);
    vault.assert_whole(&next.record).await;
}

#[tokio::test]
async fn tables_of_that_name_that_are_no_storage_are_backed_up_as_tables() {
    let project = Project::new().await;
    let admin = support::admin(&project.database).await;
    let other = "alter table storage.objects rename column bucket_id to shelf";
    admin.batch_execute(other).await.unwrap();
    let vault = Vault::new();
    let backup = project.back_up(&vault, PLENTY).await;
    assert!(backup.figures.files.is_none());
}

#[tokio::test]
async fn a_storage_that_never_answers_costs_its_time_and_no_more() {
    let project = Project::new().await;
    let vault = Vault::new();
    for nth in 0..10 {
        project.upload(&format!("{nth}.png"), vec![nth; 10]).await;
    }
    let hanging = project.stack.set_fault(Service::Storage, Mode::Hang);
    hanging.await.unwrap();
    let little = Budget {
        time: Duration::from_millis(300),
        ..PLENTY
    };
    let first = project.back_up(&vault, little).await;
    let coverage = of(&first).coverage;
    assert_eq!((coverage.files, coverage.kept), (10, 0), "{coverage:?}");
    assert_eq!(coverage.waiting + coverage.failed, 10);
    assert!(of(&first).reason.is_some());
    let healing = project.stack.set_fault(Service::Storage, Mode::Ok);
    healing.await.unwrap();
    // Those that had the time to themselves come last, and come.
    let second = project.back_up(&vault, PLENTY).await;
    assert_eq!(of(&second).coverage.kept, 10);
}

/// How much of the only file a backup has, in bytes.
async fn begun(vault: &Vault, backup: &Backup) -> u64 {
    match &states(vault, backup).await[..] {
        [(_, FileState::Begun(beginning))] => beginning.bytes(),
        other => panic!("{other:?}"),
    }
}

const MIB: u64 = 1024 * 1024;

#[tokio::test]
async fn a_file_that_is_longer_than_a_run_comes_in_over_several() {
    let mut project = Project::new().await;
    let place = Place::new();
    let vault = Vault::of(&place);
    let content = noise(30 * 1024 * 1024 + 7);
    project.upload("film.png", content.clone()).await;

    // The time ends, and then the wire breaks.
    let first = project
        .back_up_through(&vault, 11 * MIB, End::Silence)
        .await;
    assert_eq!(begun(&vault, &first).await, 8 * MIB);
    let figures = of(&first);
    assert_eq!(
        (figures.fetched, figures.coverage.waiting),
        (0, 1),
        "{figures:?}"
    );
    assert!(figures.coverage.oldest_unsaved_at.is_some());
    vault.assert_whole(&first.record).await;
    let second = project.back_up_through(&vault, 11 * MIB, End::Cut).await;
    assert_eq!(begun(&vault, &second).await, 16 * MIB);
    assert!(
        of(&second)
            .reason
            .as_deref()
            .unwrap()
            .contains("Storage does not serve")
    );
    // A run in which nothing comes keeps what there is.
    let idle = project.back_up_through(&vault, 0, End::Silence).await;
    assert_eq!(begun(&vault, &idle).await, 16 * MIB);
    vault.assert_whole(&idle.record).await;
    let last = project.back_up(&vault, PLENTY).await;
    let figures = of(&last);
    assert_eq!((figures.coverage.kept, figures.coverage.newer), (1, 0));
    assert_eq!(figures.fetched_bytes, 14 * MIB + 7, "it was fetched again");
    let deep = verify::contents(&vault.store, &last.record, &vault.identities, &mut |_| {}).await;
    assert!(deep.is_whole(), "{deep:?}");

    // One that comes in at once is known as the same content.
    project.upload("again.png", content.clone()).await;
    let again = project.back_up(&vault, PLENTY).await;
    let ids: BTreeSet<_> = states(&vault, &again)
        .await
        .into_iter()
        .filter_map(|(_, state)| match state {
            FileState::Kept(content, _) => Some(content.id),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 1);

    let other = Project::new().await;
    let taken = place.holding(project.database, again.record).await;
    let restored = other.restore_files(&taken, &BTreeSet::new()).await.unwrap();
    assert_eq!((restored.uploaded, restored.refused), (2, Vec::new()));
    assert!(other.content("film.png").await == content);
}

#[tokio::test]
async fn a_beginning_is_thrown_away_with_the_content_that_it_was_of() {
    let mut project = Project::new().await;
    let vault = Vault::new();
    let path = "film.png";
    project.upload(path, noise(20 * 1024 * 1024)).await;
    let first = project
        .back_up_through(&vault, 11 * MIB, End::Silence)
        .await;
    assert_eq!(begun(&vault, &first).await, 8 * MIB);
    // Under another tag it is another content, even if the row's version is the same.
    let tag =
        "update storage.objects set metadata = jsonb_set(metadata, '{eTag}', to_jsonb($1::text))";
    project
        .client
        .execute(tag, &[&"\"another\""])
        .await
        .unwrap();
    let second = project.back_up(&vault, PLENTY).await;
    let figures = of(&second);
    assert_eq!(
        figures.fetched_bytes,
        20 * MIB,
        "the rest of another content was taken"
    );
    let deep = verify::contents(&vault.store, &second.record, &vault.identities, &mut |_| {}).await;
    assert!(deep.is_whole(), "{deep:?}");
}

#[tokio::test]
async fn what_storage_does_not_vouch_for_to_the_byte_is_not_gone_on_with() {
    let mut project = Project::new().await;
    let vault = Vault::new();
    project.upload("film.png", noise(20 * 1024 * 1024)).await;
    let weak =
        "update storage.objects set metadata = jsonb_set(metadata, '{eTag}', '\"W/\\\"a\\\"\"')";
    project.client.batch_execute(weak).await.unwrap();
    let first = project
        .back_up_through(&vault, 11 * MIB, End::Silence)
        .await;
    let coverage = of(&first).coverage;
    assert_eq!((coverage.kept, coverage.failed), (0, 1), "{coverage:?}");
    let reason = of(&first).reason.as_deref().unwrap();
    assert!(reason.contains("takes longer than a run has"), "{reason}");
    let second = project.back_up(&vault, PLENTY).await;
    assert_eq!(
        (of(&second).fetched_bytes, of(&second).coverage.kept),
        (20 * MIB, 1)
    );
}

#[tokio::test]
async fn a_row_may_say_anything_of_its_length() {
    let project = Project::new().await;
    let vault = Vault::new();
    for name in ["a.png", "b.png"] {
        project.upload(name, b"12345".to_vec()).await;
    }
    let sql =
        "update storage.objects set metadata = metadata || '{\"size\": 18446744073709551615}'";
    project.client.batch_execute(sql).await.unwrap();
    let backup = project.back_up(&vault, PLENTY).await;
    let coverage = of(&backup).coverage;
    assert_eq!(
        (coverage.kept, coverage.newer, coverage.kept_bytes),
        (2, 2, 10)
    );
    assert_eq!(coverage.bytes, u64::MAX);
}
