//! What goes when a backup is no longer kept, and what never does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backup::{
    catalogue,
    checksum::RowSums,
    collection::{self, CollectionError, End, Report, Terms},
    format::{Inventory, Manifest, Pin, RowHash, Snapshot, SnapshotName, object_path},
    pins,
    repository::Writer,
    retention::Ladder,
    seal,
    segments::Segment,
    store::{Deletion, Store},
    trash,
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use outside::clock::Deadline;
use uuid::Uuid;

use crate::{
    dated::{Dated, Trouble},
    scratch::{self, Keyring, assert_whole, faults, rows, table_data, whole_backups},
};

/// A database of a few small tables, and who backs it up.
pub(crate) struct Source {
    pub(crate) keyring: Keyring,
    /// What each table holds.
    pub(crate) versions: Vec<u64>,
    /// How many rows each has.
    pub(crate) rows: usize,
    pub(crate) fence: u64,
}

impl Source {
    pub(crate) fn of(tables: usize) -> Self {
        Self {
            keyring: Keyring::new(),
            versions: vec![0; tables],
            rows: 3,
            fence: 0,
        }
    }

    pub(crate) async fn begin(
        &mut self,
        store: &Store,
        taken_at: Timestamp,
    ) -> anyhow::Result<Writer> {
        self.fence += 1;
        let repository = self.keyring.open(store).await?;
        Ok(Writer::begin(repository, taken_at, self.fence, Uuid::new_v4()).await?)
    }

    pub(crate) async fn put(&self, writer: &Writer) -> anyhow::Result<Manifest> {
        let script = Segment::script("create table t ();\n".into());
        let script = writer.put(script).await?;
        let mut data = Vec::new();
        for (table, version) in self.versions.iter().enumerate() {
            let rows = rows(&format!("{table}\tversion {version}\n"), self.rows);
            let sums = RowSums::of(&rows.bytes, 2, RowHash::Mixed);
            data.push(table_data(
                table as u64,
                sums,
                vec![writer.put(rows).await?],
            ));
        }
        Ok(scratch::manifest(script, data))
    }

    pub(crate) async fn back_up(
        &mut self,
        store: &Store,
        taken_at: Timestamp,
    ) -> anyhow::Result<Snapshot> {
        let writer = self.begin(store, taken_at).await?;
        let manifest = self.put(&writer).await?;
        writer.keep_progress().await?;
        Ok(scratch::seal(writer, manifest).await?)
    }
}

pub(crate) const LADDER: Ladder = Ladder {
    hourly: 3,
    daily: 3,
    weekly: 2,
    monthly: 2,
    yearly: 1,
};

pub(crate) fn terms() -> Terms {
    Terms {
        ladder: LADDER,
        trash_days: 7,
        lock_days: 0,
        proves_lock: false,
        drilled: BTreeSet::new(),
        newest: None,
        is_forced: false,
    }
}

static FENCES: AtomicU64 = AtomicU64::new(1_000_000);

pub(crate) async fn pass(dated: &Arc<Dated>, terms: &Terms) -> Result<Report, CollectionError> {
    let deadline = Deadline::after(Duration::from_secs(60));
    let store = dated.store();
    // Each run holds a fence of its own.
    let fence = FENCES.fetch_add(1, Ordering::SeqCst);
    collection::collect(&store, terms, dated.now(), fence, deadline, async || true).await
}

/// What was read before: each record with its text, and what each inventory names.
#[derive(Default)]
pub(crate) struct Inventories {
    records: BTreeMap<String, (Bytes, Snapshot)>,
    pub(crate) named: BTreeMap<String, Vec<(String, u64)>>,
}

impl Inventories {
    pub(crate) fn record(&mut self, path: &str, text: &Bytes) -> Snapshot {
        if let Some((known, snapshot)) = self.records.get(path)
            && known == text
        {
            return snapshot.clone();
        }
        let read = Snapshot::parse(text);
        let snapshot = read.unwrap_or_else(|error| panic!("{path}: {error}"));
        let known = (text.clone(), snapshot.clone());
        self.records.insert(path.to_owned(), known);
        snapshot
    }
}

/// The backups whose record lies in a folder, each of which has all that it rests on.
pub(crate) fn intact(
    dated: &Dated,
    folder: &str,
    known: &mut Inventories,
) -> BTreeMap<SnapshotName, Snapshot> {
    dated.look(|objects| {
        let records = objects.range(format!("{folder}/")..);
        let records = records.take_while(|(path, _)| path.starts_with(folder));
        let there = |path: &str| objects.get(path).map(|(bytes, _)| bytes.len() as u64);
        records
            .map(|(path, (text, _))| {
                let snapshot = known.record(path, text);
                let inventory = &snapshot.inventory.path;
                assert!(there(inventory).is_some(), "{path}: {inventory} is gone");
                let named = known.named.entry(inventory.clone()).or_insert_with(|| {
                    let text = seal::decompress(&objects[inventory].0, 1 << 30).unwrap();
                    let objects = Inventory::parse(&text).unwrap().objects;
                    objects
                        .into_iter()
                        .map(|stored| (stored.path, stored.len))
                        .collect()
                });
                for (object, len) in named.iter() {
                    assert_eq!(there(object), Some(*len), "{path}: {object}");
                }
                (snapshot.snapshot.clone(), snapshot)
            })
            .collect()
    })
}

pub(crate) fn start() -> Timestamp {
    "2026-03-02T00:10:00Z".parse().unwrap()
}

/// A store with so many days of backups, one each six hours, every one of another content.
async fn days(source: &mut Source, count: i64) -> Arc<Dated> {
    let dated = Dated::at(start());
    let store = dated.store();
    for step in 0..4 * count {
        let table = usize::try_from(step).unwrap() % source.versions.len();
        source.versions[table] += 1;
        source.back_up(&store, dated.now()).await.unwrap();
        dated.pass_hours(6);
    }
    dated
}

fn names(snapshots: &BTreeMap<SnapshotName, Snapshot>) -> Vec<String> {
    snapshots.keys().map(ToString::to_string).collect()
}

/// Lets days go by with a backup and a pass in each.
async fn live(source: &mut Source, dated: &Arc<Dated>, days: u32) -> Vec<Report> {
    let mut reports = Vec::new();
    for _ in 0..days {
        dated.pass_hours(24);
        source.versions[0] += 1;
        source.back_up(&dated.store(), dated.now()).await.unwrap();
        reports.push(pass(dated, &terms()).await.unwrap());
    }
    reports
}

#[tokio::test]
async fn what_is_not_kept_goes_into_the_trash_and_what_it_alone_needs_goes_later() {
    let mut source = Source::of(3);
    let dated = days(&mut source, 20).await;
    let before = dated.objects().len();
    let report = pass(&dated, &terms()).await.unwrap();
    assert_eq!(report.end, End::Done);
    assert_eq!(
        report.trashed.len(),
        80 - report
            .plan
            .decisions
            .iter()
            .filter(|one| one.fate.is_keep())
            .count()
    );
    assert!(report.trashed.len() > 60, "{report:?}");
    assert_eq!(report.deleted.objects, 0);
    let mut known = Inventories::default();
    assert_eq!(
        intact(&dated, "v1/trash", &mut known).len(),
        report.trashed.len()
    );
    let listed = catalogue::snapshots(&dated.store()).await.unwrap();
    assert_eq!(listed.snapshots.len(), 80 - report.trashed.len());
    // Seven days in the trash, a day on a list, a quarter at a time.
    let inventories = |dated: &Dated| {
        dated.look(|objects| {
            objects
                .keys()
                .filter(|path| path.starts_with("v1/inv"))
                .count()
        })
    };
    let reports = live(&mut source, &dated, 7).await;
    let forgotten = |report: &Report| report.forgotten.len();
    assert_eq!(reports[..6].iter().map(forgotten).sum::<usize>(), 0);
    assert_eq!(forgotten(&reports[6]), report.trashed.len());
    assert_eq!(inventories(&dated), 80 + 7);
    live(&mut source, &dated, 7).await;
    assert!(inventories(&dated) < 40, "{}", inventories(&dated));
    assert!(
        dated.objects().len() < before / 2,
        "{} of {before}",
        dated.objects().len()
    );
    let found = whole_backups(&dated.store(), &source.keyring.identities).await;
    assert_eq!(found.len(), intact(&dated, "v1/snap", &mut known).len());
}

#[tokio::test]
async fn a_preview_says_what_would_be_done_and_does_nothing() {
    let mut source = Source::of(3);
    let dated = days(&mut source, 12).await;
    let before = dated.objects();
    let said = collection::preview(&dated.store(), &terms(), dated.now())
        .await
        .unwrap();
    assert_eq!(dated.objects(), before);
    let done = pass(&dated, &terms()).await.unwrap();
    assert_eq!(said.trashed, done.trashed);
    assert_eq!(said.plan, done.plan);
    assert_eq!((said.stored, said.unneeded), (done.stored, done.unneeded));
    assert!(said.unneeded.bytes > 0);
    // What is freed in the end is what it said.
    live(&mut source, &dated, 16).await;
    let report = collection::preview(&dated.store(), &terms(), dated.now())
        .await
        .unwrap();
    assert!(
        report.unneeded.bytes < said.unneeded.bytes,
        "{report:?} {said:?}"
    );
}

/// A pass is killed at each of its requests, and another one made: that comes to the same.
#[tokio::test]
async fn a_pass_killed_at_any_request_is_harmless_and_the_next_goes_on() {
    let mut source = Source::of(3);
    let dated = days(&mut source, 12).await;
    live(&mut source, &dated, 8).await;
    dated.pass_hours(24);
    source.back_up(&dated.store(), dated.now()).await.unwrap();
    // Another pass may delete as much again, so that both may delete all.
    let terms = Terms {
        is_forced: true,
        ..terms()
    };
    let undisturbed = dated.copy();
    pass(&undisturbed, &terms).await.unwrap();
    let requests = undisturbed.requests();
    assert!(requests > 100, "{requests}");
    let of = |dated: &Dated| {
        let paths = dated.objects().into_keys();
        paths
            .filter(|path| !path.starts_with("v1/gc"))
            .collect::<Vec<_>>()
    };
    let expected = of(&undisturbed);
    assert_ne!(expected, of(&dated));
    for at in 0..requests {
        for trouble in [Trouble::KilledBefore, Trouble::KilledAfter] {
            let copy = dated.copy();
            copy.trouble(at, trouble);
            let killed = pass(&copy, &terms).await;
            assert!(copy.mend(), "{at}: {killed:?}");
            let mut known = Inventories::default();
            intact(&copy, "v1/snap", &mut known);
            intact(&copy, "v1/trash", &mut known);
            let again = pass(&copy, &terms).await.unwrap();
            assert_eq!(again.end, End::Done, "{trouble:?} at {at}");
            assert_eq!(of(&copy), expected, "{trouble:?} at {at}");
            intact(&copy, "v1/snap", &mut known);
        }
    }
}

#[tokio::test]
async fn whatever_cannot_be_read_ends_a_pass_before_anything_goes() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    live(&mut source, &dated, 9).await;
    let paths: Vec<_> = dated.objects().into_keys().collect();
    let one = |folder: &str| {
        paths
            .iter()
            .find(|path| path.starts_with(folder))
            .unwrap()
            .clone()
    };
    let record = one("v1/snap");
    let newest = catalogue::find(&dated.store(), "latest").await.unwrap();
    let inventory = newest.inventory.path;
    let torn = Bytes::from_static(b"{");
    for (path, bytes) in [
        (record.clone(), Some(torn.clone())),
        (
            "v1/snap/2026/03/02/notes.txt".to_owned(),
            Some(torn.clone()),
        ),
        (
            record.replace("/03/", "/04/"),
            Some(dated.objects()[&record].0.clone()),
        ),
        (one("v1/trash"), Some(torn.clone())),
        ("v1/trash/else".to_owned(), Some(torn.clone())),
        (inventory.clone(), Some(torn.clone())),
        (inventory, None),
        (one("v1/gc/tombstones"), Some(torn.clone())),
    ] {
        let copy = dated.copy();
        copy.spoil(&path, bytes);
        let before = copy.objects();
        let error = pass(&copy, &terms()).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(&path), "{path}: {said}");
        let gone: Vec<_> = before
            .keys()
            .filter(|path| !copy.objects().contains_key(*path))
            .collect();
        let moved = gone.iter().all(|path| path.starts_with("v1/snap"));
        assert!(moved, "{path}: {gone:?}");
        let mut forced = terms();
        forced.is_forced = true;
        assert!(
            pass(&copy, &forced).await.is_err(),
            "{path}: not even by force"
        );
    }
    // A listing that lacks what has to be there.
    let mut terms = terms();
    terms.newest = Some("20260101T000000Z-1-0badcafe".to_owned());
    let error = pass(&dated, &terms).await.unwrap_err();
    assert!(matches!(error, CollectionError::Unlisted(_)), "{error}");
}

#[tokio::test]
async fn a_store_that_keeps_what_it_has_is_told_and_takes_backups_as_before() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    dated.keep_everything(true);
    for _ in 0..3 {
        let report = pass(&dated, &terms()).await.unwrap();
        assert!(
            matches!(&report.end, End::Refused(why) if why.contains("permission")),
            "{report:?}"
        );
        assert_eq!((report.trashed.len(), report.deleted.objects), (0, 0));
        dated.pass_hours(24);
        source.versions[0] += 1;
        let snapshot = source.back_up(&dated.store(), dated.now()).await.unwrap();
        assert_whole(&dated.store(), &snapshot, &source.keyring.identities).await;
    }
    let copies = dated
        .objects()
        .into_keys()
        .filter(|path| path.starts_with("v1/trash"))
        .count();
    assert_eq!(copies, 1, "one was tried");
    assert_eq!(
        catalogue::snapshots(&dated.store())
            .await
            .unwrap()
            .snapshots
            .len(),
        51
    );
    dated.keep_everything(false);
    let report = pass(&dated, &terms()).await.unwrap();
    assert_eq!(report.end, End::Done);
    assert!(report.trashed.len() > 30, "{report:?}");
}

#[tokio::test]
async fn nothing_goes_while_backups_fail_or_the_newest_is_suspect() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    let before = dated.objects();
    dated.pass_hours(27);
    let report = pass(&dated, &terms()).await.unwrap();
    assert!(
        matches!(&report.end, End::Frozen(why) if why.contains("26 hours")),
        "{report:?}"
    );
    assert_eq!(dated.objects(), before);
    source.rows = 1;
    let snapshot = source.back_up(&dated.store(), dated.now()).await.unwrap();
    assert!(snapshot.suspect.is_some());
    let before = dated.objects();
    let report = pass(&dated, &terms()).await.unwrap();
    assert!(
        matches!(&report.end, End::Frozen(why) if why.contains("suspect")),
        "{report:?}"
    );
    assert_eq!(dated.objects(), before);
    source
        .back_up(&dated.store(), dated.now() + SignedDuration::from_secs(1))
        .await
        .unwrap();
    dated.pass_hours(1);
    assert_eq!(pass(&dated, &terms()).await.unwrap().end, End::Done);
}

#[tokio::test]
async fn a_pin_keeps_a_backup_and_brings_it_back_out_of_the_trash() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    let store = dated.store();
    let all = intact(&dated, "v1/snap", &mut Inventories::default());
    let names = names(&all);
    let pin = |name: &str| {
        Pin::new(
            name.parse().unwrap(),
            "anna".into(),
            Some("the audit".into()),
            start(),
        )
    };
    pins::pin(&store, &pin(&names[1])).await.unwrap();
    pins::pin(&store, &pin(&names[1])).await.unwrap();
    let report = pass(&dated, &terms()).await.unwrap();
    assert!(!report.trashed.iter().any(|name| name.as_str() == names[1]));
    assert!(report.trashed.iter().any(|name| name.as_str() == names[2]));
    // A pin that cannot be read pins as well.
    let torn: SnapshotName = names[2].parse().unwrap();
    dated.spoil(&object_path::pin(&torn), Some(Bytes::from_static(b"?")));
    let reports = live(&mut source, &dated, 20).await;
    assert_eq!(reports[0].put_back, std::slice::from_ref(&torn));
    for name in [&names[1], &names[2]] {
        let snapshot = catalogue::find(&store, name).await.unwrap();
        assert_whole(&store, &snapshot, &source.keyring.identities).await;
    }
    let read = pins::read(&store, &names[1].parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (read.by.as_str(), read.reason.as_deref()),
        ("anna", Some("the audit"))
    );
    assert!(pins::read(&store, &torn).await.is_err());
    pins::unpin(&store, &torn).await.unwrap();
    let reports = live(&mut source, &dated, 1).await;
    assert!(reports[0].trashed.contains(&torn));
}

#[tokio::test]
async fn a_backup_comes_back_out_of_the_trash_until_its_time_is_over() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    let store = dated.store();
    let report = pass(&dated, &terms()).await.unwrap();
    live(&mut source, &dated, 6).await;
    let [one, other, ..] = &report.trashed[..] else {
        panic!("{report:?}")
    };
    trash::put_back(&store, one).await.unwrap();
    let snapshot = catalogue::find(&store, one.as_str()).await.unwrap();
    assert_whole(&store, &snapshot, &source.keyring.identities).await;
    assert!(
        trash::put_back(&store, one).await.is_err(),
        "it is not there any more"
    );
    live(&mut source, &dated, 2).await;
    assert!(trash::put_back(&store, other).await.is_err());
}

/// What is going to be deleted is neither relied on nor written to: a run that wants it stores it
/// under another name.
#[tokio::test]
async fn a_run_that_wants_what_is_going_stores_it_anew() {
    let mut source = Source::of(2);
    let dated = Dated::at(start());
    let store = dated.store();
    source.back_up(&store, dated.now()).await.unwrap();
    // A run that did not finish stored another version.
    source.versions[1] = 9;
    let killed = source.begin(&store, dated.now()).await.unwrap();
    source.put(&killed).await.unwrap();
    killed.keep_progress().await.unwrap();
    drop(killed);
    let stored = |dated: &Dated| {
        let paths = dated.objects().into_keys();
        paths
            .filter(|path| path.starts_with("v1/seg"))
            .collect::<BTreeSet<_>>()
    };
    let before = stored(&dated);
    dated.pass_hours(73);
    // The frozen ladder is none for this: the newest backup has to be young.
    source.versions[1] = 0;
    source.back_up(&store, dated.now()).await.unwrap();
    let report = pass(&dated, &terms()).await.unwrap();
    assert!(report.doomed.objects >= 1, "{report:?}");
    assert_eq!(stored(&dated), before);
    source.versions[1] = 9;
    let snapshot = source
        .back_up(&store, dated.now() + SignedDuration::from_secs(1))
        .await
        .unwrap();
    let anew: Vec<_> = stored(&dated).difference(&before).cloned().collect();
    assert_eq!(anew.len(), 1, "{anew:?}");
    dated.pass_hours(25);
    source.back_up(&store, dated.now()).await.unwrap();
    let mut forced = terms();
    forced.is_forced = true;
    let report = pass(&dated, &forced).await.unwrap();
    assert!(report.deleted.objects >= 1, "{report:?}");
    assert_ne!(stored(&dated).intersection(&before).count(), before.len());
    assert_whole(&store, &snapshot, &source.keyring.identities).await;
    whole_backups(&store, &source.keyring.identities).await;
}

/// A list that cannot be read may name anything.
#[tokio::test]
async fn a_run_that_cannot_read_what_is_going_relies_on_nothing() {
    let mut source = Source::of(2);
    let dated = Dated::at(start());
    let store = dated.store();
    source.back_up(&store, dated.now()).await.unwrap();
    dated.spoil("v1/gc/tombstones/x.zst", Some(Bytes::from_static(b"?")));
    let snapshot = source
        .back_up(&store, dated.now() + SignedDuration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(snapshot.totals.reused_raw_bytes, 0);
    assert_whole(&store, &snapshot, &source.keyring.identities).await;
}

#[tokio::test]
async fn a_lost_lease_and_the_end_of_the_time_end_a_pass() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    let asked = AtomicU64::new(0);
    let lease = async || asked.fetch_add(1, Ordering::SeqCst) < 4;
    let store = dated.store();
    let soon = Deadline::after(Duration::from_secs(60));
    let lost = collection::collect(&store, &terms(), dated.now(), 7, soon, lease).await;
    assert!(matches!(lost, Err(CollectionError::LeaseLost)), "{lost:?}");
    let trashed = intact(&dated, "v1/trash", &mut Inventories::default()).len();
    assert_eq!(trashed, 3);
    let over = Deadline::after(Duration::ZERO);
    let report = collection::collect(&store, &terms(), dated.now(), 7, over, async || true)
        .await
        .unwrap();
    assert_eq!((report.end, report.trashed.len()), (End::OutOfTime, 0));
}

#[tokio::test]
async fn what_is_kept_is_written_again_before_its_lock_ends_and_damage_is_not() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    let store = dated.store();
    let mut terms = terms();
    terms.lock_days = 30;
    assert_eq!(pass(&dated, &terms).await.unwrap().renewal.objects, 0);
    dated.pass_hours(24 * 12);
    source.versions[0] += 1;
    let snapshot = source.back_up(&store, dated.now()).await.unwrap();
    // The script is the oldest object, and the newest backup needs it.
    let inventory = catalogue::inventory(&store, &snapshot).await.unwrap();
    let date = |path: &str| dated.objects()[path].1;
    let oldest = inventory
        .objects
        .iter()
        .map(|object| &object.path)
        .min_by_key(|path| date(path));
    let oldest = oldest.unwrap();
    let before = dated.objects();
    let report = pass(&dated, &terms).await.unwrap();
    assert!(report.renewal.objects >= 1, "{report:?}");
    assert_eq!((report.renewal.left, &report.renewal.refused), (0, &None));
    let after = dated.objects();
    assert_eq!(after[oldest].0, before[oldest].0, "the very same bytes");
    assert_eq!(after[oldest].1, dated.now().as_second());
    assert_eq!(pass(&dated, &terms).await.unwrap().renewal.objects, 0);
    dated.pass_hours(24 * 24);
    source.back_up(&store, dated.now()).await.unwrap();
    dated.spoil(oldest, Some(Bytes::from_static(b"decay")));
    let report = pass(&dated, &terms).await.unwrap();
    assert!(report.renewal.refused.unwrap().contains(oldest));
    assert_eq!(dated.objects()[oldest].1, after[oldest].1);
    assert_eq!(
        faults(&store, &snapshot, &source.keyring.identities)
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn a_lock_is_proven_with_an_object_that_nothing_needs() {
    let mut source = Source::of(2);
    let dated = days(&mut source, 12).await;
    let mut terms = terms();
    terms.lock_days = 30;
    assert_eq!(pass(&dated, &terms).await.unwrap().lock, None);
    terms.proves_lock = true;
    let trials = || {
        let objects = dated.objects().into_keys();
        objects.filter(|path| path.starts_with("v1/lock/")).count()
    };
    let before = dated.objects().len();
    let open = pass(&dated, &terms).await.unwrap().lock.unwrap();
    assert_eq!((open.found, open.at), (Deletion::Gone, dated.now()));
    assert_eq!(trials(), 0);
    assert!(dated.objects().len() >= before - 1, "something else went");

    // A store that keeps everything ends a pass, and has its lock proven all the same.
    dated.keep_everything(true);
    for left in 1..=2 {
        dated.pass_hours(24 * 7);
        source.back_up(&dated.store(), dated.now()).await.unwrap();
        let kept = pass(&dated, &terms).await.unwrap();
        assert_eq!(kept.lock.unwrap().found, Deletion::Refused);
        assert_eq!(trials(), left);
    }
    dated.keep_everything(false);
    dated.pass_hours(24 * 25);
    source.back_up(&dated.store(), dated.now()).await.unwrap();
    pass(&dated, &terms).await.unwrap();
    assert_eq!(trials(), 1, "the lock of the second has not ended");
    dated.pass_hours(24 * 7);
    source.back_up(&dated.store(), dated.now()).await.unwrap();
    pass(&dated, &terms).await.unwrap();
    assert_eq!(trials(), 0);
}
