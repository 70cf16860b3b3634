//! Backups that are no longer kept go, and then what no backup rests on any more.
//!
//! Everything takes two steps that lie apart. A backup's commit record goes into the trash, and is
//! deleted there some days later; an object that no record needs, in the trash or not, goes onto a
//! list, and is deleted a day later by another pass if that still holds. Time is the store's own,
//! by which it dates its objects. Whatever cannot be read ends a pass before anything goes, with
//! its name; whoever is killed at any point leaves what the next pass goes on with. In reading
//! order:
//!
//! - `survey`: what there is, and what each backup rests on
//! - `sweep`: which objects go, a pure function
//! - `lock_renewal`: objects whose lock is about to end
//! - `lock_proof`: whether the lock holds against our own key
//!
//! The caller holds the lease of the backups, so that none is written meanwhile, and answers
//! whether it is still held.

mod lock_proof;
mod lock_renewal;
mod survey;
mod sweep;

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use outside::clock::Deadline;

pub use lock_proof::LockProof;
pub use lock_renewal::Renewal;
pub use sweep::{NOTICE, SHARE, YOUNG};

use self::{
    survey::{Needed, Survey},
    sweep::Sweep,
};
use crate::{
    catalogue::ReadError,
    format::{Snapshot, SnapshotName, Stored, object_path},
    retention::{self, Candidate, Ladder, Plan},
    store::{Listed, Store, StoreError},
    tombstones,
    trash::{self, Trashed},
};

/// How many objects are deleted between two questions for the lease, and at once.
const BATCH: usize = 128;
const DELETIONS: usize = 16;

/// What a pass is to go by.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Which backups are kept.
    pub ladder: Ladder,
    /// How many days a backup lies in the trash.
    pub trash_days: u32,
    /// For how many days the store locks an object after it was written; 0 if it does not.
    pub lock_days: u32,
    /// Whether it is to be proven that the lock holds against our own key.
    pub proves_lock: bool,
    /// The backups that a drill has restored and found nothing wrong.
    pub drilled: BTreeSet<String>,
    /// The newest backup that the database knows of, which has to be there.
    pub newest: Option<String>,
    /// Whether one pass may delete more than a part of the objects.
    pub is_forced: bool,
}

/// Why a pass ended before its end. What it had done until then is done, and harmless.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// Something cannot be read that may name any object.
    #[error("nothing may go while this cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The store does not serve.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A backup is not listed that has to be there: the listing is not whole, or it is another
    /// place.
    #[error("nothing may go while the newest backup, {0}, is not listed")]
    Unlisted(String),
    /// Somebody else may write backups now.
    #[error("the lease was lost, so that a backup may be written")]
    LeaseLost,
}

/// Objects and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub objects: u64,
    /// Their bytes, as they lie in the store.
    pub bytes: u64,
}

impl Counted {
    fn add(&mut self, len: u64) {
        self.objects += 1;
        self.bytes += len;
    }

    fn of(lens: impl Iterator<Item = u64>) -> Self {
        let mut counted = Self::default();
        lens.for_each(|len| counted.add(len));
        counted
    }
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Everything that was due is done.
    Done,
    /// Its time ended, and the next one goes on.
    OutOfTime,
    /// Nothing may go for now.
    Frozen(String),
    /// The store keeps what was to go, in these words.
    Refused(String),
}

/// What a pass found and did; of a preview, what one would do first.
#[derive(Debug, Clone)]
pub struct Report {
    /// What becomes of each backup, and why.
    pub plan: Plan,
    /// Backups that went into the trash.
    pub trashed: Vec<SnapshotName>,
    /// Backups that came out of it again, because they are pinned.
    pub put_back: Vec<SnapshotName>,
    /// Backups whose time in the trash is over, so that there are none of them any more.
    pub forgotten: Vec<SnapshotName>,
    /// Backups that lie in the trash now.
    pub in_trash: Vec<SnapshotName>,
    /// Whether it came as far as counting objects; else the next three are not known.
    pub is_counted: bool,
    /// All objects that are there for backups.
    pub stored: Counted,
    /// Those that no backup rests on that is kept: so much is freed in the end.
    pub unneeded: Counted,
    /// Those that are on a list and wait for their time.
    pub doomed: Counted,
    /// Those that were deleted.
    pub deleted: Counted,
    /// How many more were due, and would have been too many for one pass.
    pub held_back: u64,
    /// What was written again because its lock was about to end.
    pub renewal: Renewal,
    /// Whether the lock held, where that was to be proven and the store said so.
    pub lock: Option<LockProof>,
    /// How it ended.
    pub end: End,
}

/// What a pass has to ask before each step.
pub(crate) struct Guard<F> {
    lease: F,
    deadline: Deadline,
}

impl<L: Future<Output = bool>, F: Fn() -> L> Guard<F> {
    /// Whether there is time left; an error if the lease is lost.
    async fn may_go_on(&self) -> Result<bool, CollectionError> {
        if self.deadline.has_passed() {
            return Ok(false);
        }
        if (self.lease)().await {
            Ok(true)
        } else {
            Err(CollectionError::LeaseLost)
        }
    }
}

/// Says what a pass would do, and writes nothing. The time is that of the newest object, since
/// nothing is written whose date would tell it.
///
/// # Errors
/// See [`CollectionError`].
pub async fn preview(
    store: &Store,
    terms: &Terms,
    now: Timestamp,
) -> Result<Report, CollectionError> {
    let survey = surveyed(store, terms).await?;
    let listed = list(store).await?;
    let newest = listed
        .iter()
        .chain(&survey.listed)
        .map(|object| object.modified)
        .max();
    let store_now = newest.unwrap_or(now);
    let mut report = Report::of(&survey, terms, now);
    if matches!(report.end, End::Frozen(_)) {
        return Ok(report);
    }
    report.forgotten = survey.to_forget(terms, store_now).map(name_of).collect();
    report.put_back = survey.to_put_back().map(name_of).collect();
    report.trashed = report.dropped();
    let dropped: BTreeSet<_> = report.trashed.iter().collect();
    let (kept, going): (Vec<_>, Vec<_>) = survey
        .records
        .iter()
        .map(|record| &record.snapshot)
        .chain(survey.to_put_back().map(|trashed| &trashed.snapshot))
        .partition(|snapshot| !dropped.contains(&snapshot.snapshot));
    let stays = |trashed: &&Trashed| !report.forgotten.contains(&trashed.snapshot.snapshot);
    let in_trash = survey.trash.iter().filter(stays);
    let going = going
        .into_iter()
        .chain(in_trash.map(|trashed| &trashed.snapshot));
    let needed = Needed::read(store, kept.into_iter(), going).await?;
    let lists = tombstones::read(store).await?;
    let sweep = sweep::plan(
        &listed,
        |path| needed.has(path),
        &lists,
        store_now,
        terms.is_forced,
    );
    report.note(&listed, &needed, &sweep);
    report.deleted = Counted::of(sweep.ripe.iter().map(|object| object.len));
    Ok(report)
}

/// Makes a pass. `now` is this machine's time, by which nothing but whether backups still come is
/// judged; `fence` is that of the run.
///
/// # Errors
/// See [`CollectionError`].
pub async fn collect<L: Future<Output = bool>>(
    store: &Store,
    terms: &Terms,
    now: Timestamp,
    fence: u64,
    deadline: Deadline,
    lease: impl Fn() -> L,
) -> Result<Report, CollectionError> {
    let guard = Guard { lease, deadline };
    let survey = surveyed(store, terms).await?;
    let mut report = Report::of(&survey, terms, now);
    // A store that locks may refuse what comes behind.
    if terms.proves_lock && guard.may_go_on().await? {
        match lock_proof::prove(store, terms.lock_days, now).await {
            Ok(proof) => report.lock = Some(proof),
            Err(error) => tracing::warn!(%error, "whether the store's lock holds is not known"),
        }
    }
    if matches!(report.end, End::Frozen(_)) {
        return Ok(report);
    }
    if !guard.may_go_on().await? {
        report.end = End::OutOfTime;
        return Ok(report);
    }
    let store_now = match store_time(store).await {
        Ok(time) => time,
        Err(error @ StoreError::Refused { .. }) => {
            report.end = End::Refused(error.to_string());
            return Ok(report);
        }
        Err(error) => return Err(error.into()),
    };
    let pass = Pass {
        store,
        terms,
        store_now,
        fence,
        guard,
    };
    match pass.make(survey, &mut report).await {
        Ok(()) => {}
        Err(Stop::OutOfTime) => report.end = End::OutOfTime,
        Err(Stop::Refused(reason)) => report.end = End::Refused(reason),
        Err(Stop::Failed(error)) => return Err(error),
    }
    Ok(report)
}

/// What ends a pass that has begun.
enum Stop {
    OutOfTime,
    Refused(String),
    Failed(CollectionError),
}

impl<E: Into<CollectionError>> From<E> for Stop {
    fn from(error: E) -> Self {
        match error.into() {
            CollectionError::Store(error @ StoreError::Refused { .. }) => {
                Self::Refused(error.to_string())
            }
            error => Self::Failed(error),
        }
    }
}

/// A pass that may delete.
struct Pass<'a, F> {
    store: &'a Store,
    terms: &'a Terms,
    store_now: Timestamp,
    fence: u64,
    guard: Guard<F>,
}

impl<L: Future<Output = bool>, F: Fn() -> L> Pass<'_, F> {
    async fn go_on(&self) -> Result<(), Stop> {
        match self.guard.may_go_on().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::OutOfTime),
            Err(error) => Err(Stop::Failed(error)),
        }
    }

    /// A store that refuses to delete a record refuses objects as well; what is not deleted is
    /// still counted.
    async fn make(&self, survey: Survey, report: &mut Report) -> Result<(), Stop> {
        let moved = self.move_records(&survey, report).await;
        if let Err(stop @ (Stop::OutOfTime | Stop::Failed(_))) = moved {
            return Err(stop);
        }
        self.go_on().await?;
        // Read anew: what was moved, and what an operator has put back meanwhile.
        let survey = surveyed(self.store, self.terms).await?;
        report.in_trash = survey.trash.iter().map(name_of).collect();
        let kept = survey.records.iter().map(|record| &record.snapshot);
        let going = survey.trash.iter().map(|trashed| &trashed.snapshot);
        let mut needed = Needed::read(self.store, kept, going).await?;
        let listed = list(self.store).await?;
        let lists = tombstones::read(self.store).await?;
        let sweep = sweep::plan(
            &listed,
            |path| needed.has(path),
            &lists,
            self.store_now,
            self.terms.is_forced,
        );
        report.note(&listed, &needed, &sweep);
        moved?;
        self.sweep(sweep, report).await?;
        needed.add_records(&survey);
        let all = listed.iter().chain(&survey.listed);
        let due = lock_renewal::due(all, &needed, self.terms.lock_days, self.store_now);
        report.renewal = lock_renewal::renew(self.store, due, &self.guard)
            .await
            .map_err(Stop::Failed)?;
        Ok(())
    }

    /// Into the trash, and out of it.
    async fn move_records(&self, survey: &Survey, report: &mut Report) -> Result<(), Stop> {
        let dropped = report.dropped();
        // Whoever moved these was killed, and they are kept by now, or begin anew.
        for name in &survey.in_both {
            if !dropped.contains(name) {
                self.go_on().await?;
                trash::forget(self.store, name).await?;
            }
        }
        for trashed in survey.to_put_back() {
            self.go_on().await?;
            trash::put_back(self.store, &trashed.snapshot.snapshot).await?;
            report.put_back.push(name_of(trashed));
        }
        for name in dropped {
            self.go_on().await?;
            trash::put(self.store, &name).await?;
            report.trashed.push(name);
        }
        for trashed in survey.to_forget(self.terms, self.store_now) {
            self.go_on().await?;
            trash::forget(self.store, &trashed.snapshot.snapshot).await?;
            report.forgotten.push(name_of(trashed));
        }
        Ok(())
    }

    /// Deletes what is ripe, and puts onto a list what is not needed any more.
    async fn sweep(&self, sweep: Sweep, report: &mut Report) -> Result<(), Stop> {
        let Sweep {
            ripe,
            fresh,
            settled,
            held_back: _,
            waiting: _,
        } = sweep;
        for batch in ripe.chunks(BATCH) {
            self.go_on().await?;
            let deleting = stream::iter(batch.to_vec()).map(async |object| {
                self.store.delete(&object.path).await?;
                Ok::<_, StoreError>(object.len)
            });
            let mut deleting = std::pin::pin!(deleting.buffer_unordered(DELETIONS));
            while let Some(deleted) = deleting.next().await {
                report.deleted.add(deleted?);
            }
        }
        if !fresh.is_empty() {
            self.go_on().await?;
            let path = object_path::tombstones(self.store_now, self.fence);
            tombstones::write(self.store, &path, fresh).await?;
        }
        for path in settled {
            self.go_on().await?;
            self.store.delete(&path).await?;
        }
        Ok(())
    }
}

impl Report {
    /// Before anything went.
    fn of(survey: &Survey, terms: &Terms, now: Timestamp) -> Self {
        let candidate =
            |snapshot: &Snapshot| Candidate::of(snapshot, &terms.drilled, &survey.pinned);
        let back = survey.to_put_back().map(|trashed| &trashed.snapshot);
        let records = survey.records.iter().map(|record| &record.snapshot);
        let backups = records.chain(back).map(candidate).collect();
        let plan = retention::plan(backups, &terms.ladder, now);
        Self {
            end: match &plan.frozen {
                Some(freeze) => End::Frozen(freeze.to_string()),
                None => End::Done,
            },
            plan,
            trashed: Vec::new(),
            put_back: Vec::new(),
            forgotten: Vec::new(),
            in_trash: survey.trash.iter().map(name_of).collect(),
            is_counted: false,
            stored: Counted::default(),
            unneeded: Counted::default(),
            doomed: Counted::default(),
            deleted: Counted::default(),
            held_back: 0,
            renewal: Renewal::default(),
            lock: None,
        }
    }

    /// The backups that go, the oldest first.
    fn dropped(&self) -> Vec<SnapshotName> {
        let gone = self.plan.decisions.iter().rev();
        gone.filter(|decision| !decision.fate.is_keep())
            .map(|decision| decision.candidate.name.clone())
            .collect()
    }

    fn note(&mut self, listed: &[Listed], needed: &Needed, sweep: &Sweep) {
        let lens = |is_counted: &dyn Fn(&Listed) -> bool| {
            Counted::of(
                listed
                    .iter()
                    .filter(|object| is_counted(object))
                    .map(|object| object.len),
            )
        };
        self.is_counted = true;
        self.stored = lens(&|_| true);
        self.unneeded = lens(&|object| !needed.is_kept(&object.path));
        let waiting = sweep.waiting.iter().map(|object| object.len);
        self.doomed = Counted::of(waiting.chain(sweep.fresh.iter().map(|object| object.len)));
        self.held_back = sweep.held_back as u64;
    }
}

impl Survey {
    /// What was pinned after it went into the trash.
    fn to_put_back(&self) -> impl Iterator<Item = &Trashed> {
        let is_pinned = |trashed: &&Trashed| self.pinned.contains(&trashed.snapshot.snapshot);
        self.trash.iter().filter(is_pinned)
    }

    /// What has been in the trash for long enough.
    fn to_forget(&self, terms: &Terms, store_now: Timestamp) -> impl Iterator<Item = &Trashed> {
        let days = SignedDuration::from_hours(24 * i64::from(terms.trash_days));
        let is_due = move |trashed: &&Trashed| {
            store_now.duration_since(trashed.since) >= days
                && !self.pinned.contains(&trashed.snapshot.snapshot)
        };
        self.trash.iter().filter(is_due)
    }
}

impl Needed {
    /// The commit records themselves, which nothing collects, but whose locks end as well.
    fn add_records(&mut self, survey: &Survey) {
        for record in &survey.records {
            let stored = Stored {
                path: object_path::record(&record.snapshot.snapshot),
                len: record.len,
                sha256: record.sha256.clone(),
            };
            self.add(stored, true);
        }
    }
}

async fn surveyed(store: &Store, terms: &Terms) -> Result<Survey, CollectionError> {
    let survey = Survey::read(store).await?;
    let is_there = |newest: &String| {
        let name = |snapshot: &Snapshot| snapshot.snapshot.as_str() == newest;
        survey.records.iter().any(|record| name(&record.snapshot))
    };
    match &terms.newest {
        Some(newest) if !is_there(newest) => Err(CollectionError::Unlisted(newest.clone())),
        Some(_) | None => Ok(survey),
    }
}

/// Every object that may be collected.
async fn list(store: &Store) -> Result<Vec<Listed>, StoreError> {
    let mut listed = Vec::new();
    for folder in object_path::COLLECTED {
        listed.extend(store.list(folder).await?);
    }
    Ok(listed)
}

/// What time it is by the store's clock.
async fn store_time(store: &Store) -> Result<Timestamp, StoreError> {
    let note = Bytes::from_static(b"{\"what\":\"its date tells the time of the store\"}\n");
    store.clock(object_path::CLOCK, note).await
}

fn name_of(trashed: &Trashed) -> SnapshotName {
    trashed.snapshot.snapshot.clone()
}
