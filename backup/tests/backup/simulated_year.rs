//! A year of backups and collections, hour by hour, in which everything goes wrong: runs that are
//! killed, days without a run, clocks that jump, answers that are lost, a store that keeps what is
//! to go, collections in the middle of a backup and backups in the middle of a collection; and the
//! store is lost with all that is in it, whereupon its copy takes its place and gets one of its own.
//!
//! Whenever something may have been deleted, every backup has all that it rests on, in the trash as
//! well, and so has every backup of the copy; none that was in the copy is lost. After each collection that came to its end, what is kept is what the ladder says of all
//! backups that there ever were.
//!
//! Every run makes the first weeks of one. `DAYS=365 cargo test -p backup --test backup
//! simulated_year` makes the whole of it, and `SEED=17` in front of that the same one again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backup::{
    collection::{self, End, Terms},
    format::{Pin, Snapshot, SnapshotName},
    pins, replication,
    retention::{self, Candidate, Ladder},
    trash,
};
use jiff::{SignedDuration, Timestamp};
use outside::clock::Deadline;
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use tokio::sync::Mutex;

use crate::{
    collection::{Inventories, Source, intact, start},
    dated::{Dated, Trouble},
    random_databases::{any_seed, wanted},
    scratch::{self, assert_whole},
};

/// How many days a run makes unless `DAYS` says otherwise.
const DAYS: u64 = 42;

/// The last days, in which nothing goes wrong, so that it shows what is left.
const QUIET: u32 = 9 * 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_everything_that_goes_wrong_loses_nothing_that_is_kept() {
    let days = wanted("DAYS").unwrap_or(DAYS);
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    println!("to make it again: SEED={seed} DAYS={days}");
    let hours = u32::try_from(24 * days).unwrap();
    let held = Box::pin(Year::of(seed, hours).pass()).await;
    println!("{held}");
}

struct Year {
    random: TestRng,
    dated: Arc<Dated>,
    copy: Arc<Dated>,
    /// The newest backup when the copy was last as the store.
    promised: Option<SnapshotName>,
    source: Source,
    known: Inventories,
    /// Every backup that was ever sealed.
    sealed: BTreeMap<SnapshotName, Snapshot>,
    drilled: BTreeSet<String>,
    hour: u32,
    hours: u32,
    /// Until which hour no run is made, and nothing is deleted.
    no_runs: u32,
    no_deletions: u32,
    /// What backups rested on three days before the end.
    needed_lately: BTreeSet<String>,
    counted: Counts,
}

/// What the year held, so that it shows that it held anything.
#[derive(Debug, Default)]
struct Counts {
    sealed: u32,
    killed: u32,
    passes: u32,
    compared: u32,
    frozen: u32,
    refused: u32,
    within: u32,
    copied: u32,
    lost: u32,
    trashed: usize,
    deleted: u64,
}

impl Year {
    fn of(seed: u64, hours: u32) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self {
            random: TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
            dated: Dated::at(start()),
            copy: Dated::at(start()),
            promised: None,
            source: Source::of(3),
            known: Inventories::default(),
            sealed: BTreeMap::new(),
            drilled: BTreeSet::new(),
            hour: 0,
            hours,
            no_runs: 0,
            no_deletions: 0,
            needed_lately: BTreeSet::new(),
            counted: Counts::default(),
        }
    }

    /// One time in so many, and never in the last days.
    fn chance(&mut self, one_in: u64) -> bool {
        self.random.next_u64().is_multiple_of(one_in) && self.hour + QUIET < self.hours
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    async fn pass(mut self) -> String {
        while self.hour < self.hours {
            self.hour += 1;
            self.dated.pass_hours(1);
            self.copy.pass_hours(1);
            self.mishaps().await;
            if self.hour == self.hours / 3 {
                self.lose_the_store().await;
            }
            if self.hour > self.no_runs {
                self.run().await;
            }
            if self.hour.is_multiple_of(5) || self.chance(10) {
                self.replicate().await;
            }
            if self.hour.is_multiple_of(24) || self.chance(60) {
                self.collect().await;
            }
            if self.hour + 72 == self.hours {
                self.needed_lately = self.needed();
            }
            if self.hour.is_multiple_of(14 * 24) {
                self.restore().await;
            }
        }
        self.end()
    }

    /// What befalls the project and its people in an hour.
    async fn mishaps(&mut self) {
        if self.chance(2) {
            let table = usize::try_from(self.below(3)).unwrap();
            self.source.versions[table] = self.below(40);
        }
        if self.chance(500) {
            self.no_runs = self.hour + 20 + u32::try_from(self.below(40)).unwrap();
        }
        if self.chance(500) {
            self.no_deletions = self.hour + 48;
        }
        if self.chance(700) {
            self.source.rows = if self.source.rows == 1 { 3 } else { 1 };
        }
        let store = self.dated.store();
        if self.chance(800)
            && let Some(name) = self.sealed.keys().next_back()
        {
            let name: SnapshotName = name.clone();
            let pin = Pin::new(name, "anna".into(), None, self.dated.now());
            pins::pin(&store, &pin).await.unwrap();
        }
        if self.chance(800)
            && let Some(name) = pins::names(&store).await.unwrap().first()
        {
            pins::unpin(&store, name).await.unwrap();
        }
        if self.chance(100) {
            let trashed = trash::list(&store).await.unwrap();
            if let Some(trashed) = trashed.first() {
                trash::put_back(&store, &trashed.snapshot.snapshot)
                    .await
                    .unwrap();
            }
        }
    }

    /// The time by the database's clock, which is wrong now and then.
    fn taken_at(&mut self) -> Timestamp {
        let now = self.dated.now();
        if !self.chance(300) {
            return now;
        }
        let hours = i64::try_from(self.below(240)).unwrap() - 120;
        now + SignedDuration::from_hours(hours) + SignedDuration::from_secs(1)
    }

    /// One of the next requests meets trouble. An answer that is lost is waited for, so that few
    /// are.
    fn trouble(&mut self, within: u64) {
        let (at, trouble) = (self.below(within), self.any_trouble());
        self.dated.trouble(at, trouble);
    }

    fn any_trouble(&mut self) -> Trouble {
        match self.below(60) {
            0 => Trouble::LostAnswer,
            1..30 => Trouble::KilledBefore,
            _ => Trouble::KilledAfter,
        }
    }

    async fn run(&mut self) {
        let (store, taken_at) = (self.dated.store(), self.taken_at());
        if self.chance(12) {
            self.trouble(30);
        }
        let made = if self.chance(80) {
            self.collect_within(taken_at).await
        } else {
            self.source.back_up(&store, taken_at).await
        };
        if self.dated.mend() {
            self.counted.killed += 1;
        }
        self.note(made.ok());
    }

    /// A run that lost its lease without noticing: a whole collection is made in the middle of it.
    async fn collect_within(&mut self, taken_at: Timestamp) -> anyhow::Result<Snapshot> {
        let store = self.dated.store();
        let writer = self.source.begin(&store, taken_at).await?;
        self.counted.within += 1;
        let (terms, now) = (self.terms(), self.dated.now());
        self.source.fence += 1;
        let fence = self.source.fence;
        let soon = Deadline::after(Duration::from_secs(60));
        drop(collection::collect(&store, &terms, now, fence, soon, async || true).await);
        self.look();
        let manifest = self.source.put(&writer).await?;
        Ok(scratch::seal(writer, manifest).await?)
    }

    async fn replicate(&mut self) {
        if self.chance(4) {
            let (at, trouble) = (self.below(60), self.any_trouble());
            self.copy.trouble(at, trouble);
        }
        let (from, to) = (self.dated.store(), self.copy.store());
        let soon = Deadline::after(Duration::from_secs(60));
        let done = replication::replicate(&from, &to, soon, &mut |_| {}).await;
        self.counted.killed += u32::from(self.copy.mend());
        intact(&self.copy, "v1/snap", &mut self.known);
        if done.is_ok_and(|report| report.is_done() && report.hindered.is_empty()) {
            self.counted.copied += 1;
            self.promised = self.records().into_keys().next_back();
        }
    }

    /// Everything in it is gone, and the copy is what there is.
    async fn lose_the_store(&mut self) {
        self.counted.lost += 1;
        let empty = Dated::at(self.dated.now());
        self.dated = std::mem::replace(&mut self.copy, empty);
        self.sealed = self.records();
        let newest = self.sealed.keys().next_back();
        assert!(self.promised.is_some() && newest >= self.promised.as_ref());
        self.restore().await;
    }

    fn note(&mut self, made: Option<Snapshot>) {
        self.note_sealed();
        if let Some(snapshot) = made {
            self.counted.sealed += 1;
            if snapshot.suspect.is_none() && self.chance(100) {
                self.drilled.insert(snapshot.snapshot.to_string());
            }
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            ladder: Ladder::default(),
            trash_days: 7,
            lock_days: 30,
            proves_lock: false,
            drilled: self.drilled.clone(),
            newest: None,
            is_forced: false,
        }
    }

    async fn collect(&mut self) {
        let store = self.dated.store();
        let is_clock_right = !self.chance(15);
        let jump = SignedDuration::from_hours(i64::try_from(self.below(20_000)).unwrap() - 10_000);
        let now = self.dated.now()
            + if is_clock_right {
                SignedDuration::ZERO
            } else {
                jump
            };
        self.dated.keep_everything(self.hour < self.no_deletions);
        if self.chance(3) {
            self.trouble(300);
        }
        // A backup is made after so many of its steps, as if the lease had been lost.
        let backup_at = if self.chance(6) {
            self.below(40)
        } else {
            u64::MAX
        };
        let (terms, taken_at) = (
            self.terms(),
            self.dated.now() + SignedDuration::from_secs(2),
        );
        let soon = Deadline::after(Duration::from_secs(60));
        let asked = AtomicU64::new(0);
        self.source.fence += 1;
        let fence = self.source.fence;
        let source = Mutex::new(&mut self.source);
        let lease = async || {
            if asked.fetch_add(1, Ordering::SeqCst) == backup_at {
                drop(source.lock().await.back_up(&store, taken_at).await);
            }
            true
        };
        let done = collection::collect(&store, &terms, now, fence, soon, lease).await;
        let has_backed_up = asked.load(Ordering::SeqCst) > backup_at;
        let killed = self.dated.mend();
        self.dated.keep_everything(false);
        self.counted.passes += 1;
        self.counted.killed += u32::from(killed);
        self.counted.within += u32::from(has_backed_up);
        self.look();
        let Ok(report) = done else { return };
        self.counted.trashed += report.trashed.len();
        self.counted.deleted += report.deleted.objects;
        match report.end {
            End::Done if is_clock_right && !has_backed_up && !killed => self.compare().await,
            End::Done | End::OutOfTime => {}
            End::Frozen(_) => self.counted.frozen += 1,
            End::Refused(_) => self.counted.refused += 1,
        }
    }

    /// What is kept is what the ladder says of all that there ever was.
    async fn compare(&mut self) {
        self.counted.compared += 1;
        let pinned = pins::names(&self.dated.store()).await.unwrap();
        let candidate = |snapshot: &Snapshot| Candidate::of(snapshot, &self.drilled, &pinned);
        let all = self.sealed.values().map(candidate).collect();
        let plan = retention::plan(all, &Ladder::default(), self.dated.now());
        assert_eq!(plan.frozen, None);
        let kept = plan.decisions.iter().filter(|one| one.fate.is_keep());
        let expected: BTreeSet<_> = kept.map(|one| one.candidate.name.clone()).collect();
        let found = intact(&self.dated, "v1/snap", &mut self.known);
        let found: BTreeSet<_> = found.into_keys().collect();
        // One that was pinned too late is gone for good.
        let gone = expected
            .difference(&found)
            .filter(|name| !pinned.contains(name));
        assert_eq!(
            gone.collect::<Vec<_>>(),
            Vec::<&SnapshotName>::new(),
            "hour {}",
            self.hour
        );
        let more: Vec<_> = found.difference(&expected).collect();
        assert_eq!(more, Vec::<&SnapshotName>::new(), "hour {}", self.hour);
        let ladder = 48 + 30 + 12 + 12 + 7 + 3 + 3 + 2;
        assert!(found.len() <= ladder + pinned.len() + 12, "{}", found.len());
    }

    /// Whoever is killed after the commit record was written has sealed a backup all the same.
    fn note_sealed(&mut self) {
        let records = self.records();
        self.sealed.extend(records);
    }

    /// The backups of the store.
    fn records(&mut self) -> BTreeMap<SnapshotName, Snapshot> {
        let (dated, known) = (&self.dated, &mut self.known);
        dated.look(|objects| {
            let records = objects.range("v1/snap/".to_owned()..);
            records
                .take_while(|(path, _)| path.starts_with("v1/snap/"))
                .map(|(path, (text, _))| {
                    let snapshot = known.record(path, text);
                    (snapshot.snapshot.clone(), snapshot)
                })
                .collect()
        })
    }

    /// Every backup has all that it rests on.
    fn look(&mut self) {
        let found = intact(&self.dated, "v1/snap", &mut self.known);
        intact(&self.dated, "v1/trash", &mut self.known);
        self.sealed.extend(found);
    }

    async fn restore(&self) {
        let found = intact(&self.dated, "v1/snap", &mut Inventories::default());
        for snapshot in found.values().rev().take(2).chain(found.values().take(2)) {
            assert_whole(
                &self.dated.store(),
                snapshot,
                &self.source.keyring.identities,
            )
            .await;
        }
    }

    /// What backups rest on, those in the trash as well.
    fn needed(&mut self) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        for folder in ["v1/snap", "v1/trash"] {
            for snapshot in intact(&self.dated, folder, &mut self.known).into_values() {
                let named = &self.known.named[&snapshot.inventory.path];
                needed.extend(named.iter().map(|(path, _)| path.clone()));
                needed.insert(snapshot.inventory.path);
            }
        }
        needed
    }

    /// After days without a mishap, nothing is left but what is needed, or was some days ago, and
    /// what is too young.
    fn end(mut self) -> String {
        let kept = intact(&self.dated, "v1/snap", &mut self.known);
        let trashed = intact(&self.dated, "v1/trash", &mut self.known);
        let mut needed = std::mem::take(&mut self.needed_lately);
        needed.extend(self.needed());
        let now = self.dated.now().as_second();
        let left: Vec<_> = self.dated.look(|objects| {
            let collected = ["v1/seg", "v1/man", "v1/inv", "v1/runs"];
            let is_collected = |path: &str| collected.iter().any(|folder| path.starts_with(folder));
            objects
                .iter()
                .filter(|(path, _)| is_collected(path) && !needed.contains(*path))
                .filter(|(_, (_, date))| now - date > 3600 * (72 + 24 + 24 + 24))
                .map(|(path, _)| path.clone())
                .collect()
        });
        assert_eq!(left, Vec::<String>::new());
        assert!(trashed.len() < 8 * 24, "{}", trashed.len());
        let lists = self.dated.look(|objects| {
            objects
                .keys()
                .filter(|path| path.starts_with("v1/gc"))
                .count()
        });
        assert!(lists < 6, "{lists}");
        let counted = self.counted;
        let days = self.hours / 24;
        assert!(
            counted.sealed > self.hours / 2 && counted.killed > days / 4,
            "{counted:?}"
        );
        assert!(
            counted.copied > self.hours / 10 && counted.lost == 1,
            "{counted:?}"
        );
        assert!(
            counted.compared > days / 4 && counted.within > days / 10,
            "{counted:?}"
        );
        assert!(counted.trashed > self.hours as usize / 5, "{counted:?}");
        assert!(counted.deleted > u64::from(self.hours) / 2, "{counted:?}");
        let is_long = days > 300;
        let is_hard = counted.frozen > 5 && counted.refused > 5;
        assert!(is_hard || !is_long, "{counted:?}");
        let (kept, trashed) = (kept.len(), trashed.len());
        format!("{counted:?}, {kept} backups and {trashed} in the trash")
    }
}
