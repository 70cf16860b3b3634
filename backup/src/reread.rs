//! All that backups rest on is read again, a share at a time, so that decay is found while there is
//! still something to mend it with. No key is needed.
//!
//! Each object has a position between 0 and [`END`], by a hash of its path. A round goes once from
//! one end to the other, at a pace that leaves a tenth of its time for runs that fail, and each run
//! reads what lies between where the last one came to and where the round has to be by now. So
//! nothing has to be remembered but when a round began and how far it came; what is new is in the
//! round that passes its position; and a run that was missed makes the next share larger, never
//! larger than a round. What the store did not give is read first by the next run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use outside::clock::Deadline;
use ring::digest;

use super::{
    catalogue::{self, ReadError},
    format::{SnapshotName, Stored, object_path},
    replication::{self, Healed},
    store::Store,
};

/// Behind the last position.
pub const END: u64 = 1 << 32;

/// A day, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// How many objects are read at once.
const READS: usize = 8;

/// How many inventories are.
const INVENTORIES: usize = 16;

/// How many objects may wait for the store before a round stops at them: a store that gives
/// nothing is away.
const WAITING: usize = 100;

/// Where an object stands in a round.
#[must_use]
pub fn position(path: &str) -> u64 {
    identity(path) >> 32
}

/// An object among others: eight bytes of its path's hash, whose first half is its position.
fn identity(path: &str) -> u64 {
    let hash = digest::digest(&digest::SHA256, path.as_bytes());
    let first = hash.as_ref().iter().take(8);
    first.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// How far a round has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// When it began.
    pub began_at: Timestamp,
    /// The position before which everything is read.
    pub upto: u64,
}

impl Round {
    /// The round that is on, and the position that it has to come to by now. At that pace everything
    /// is read once in so many days, though some runs are missed.
    #[must_use]
    pub fn due(before: Option<Self>, now: Timestamp, days: u32) -> (Self, u64) {
        let pace = u64::from(days.max(1)) * DAY * 9 / 10;
        let begun = Self {
            began_at: now,
            upto: 0,
        };
        let round = match before {
            None => return (begun, 0),
            Some(round) if round.upto >= END => return (begun, 0),
            // A clock was wrong: it goes on from where it is.
            Some(round) if round.began_at > now => Self {
                began_at: now - seconds(pace * round.upto / END),
                ..round
            },
            Some(round) => round,
        };
        let elapsed = now.duration_since(round.began_at).as_secs();
        let elapsed = u64::try_from(elapsed).unwrap_or_default().min(pace);
        (round, (elapsed * END / pace).max(round.upto))
    }
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or_default())
}

/// What lay between two positions was read at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When.
    pub at: Timestamp,
    /// The first position.
    pub from: u64,
    /// The one behind the last.
    pub upto: u64,
}

/// When each position was read last.
#[derive(Debug)]
struct LastReads(BTreeMap<u64, Option<Timestamp>>);

impl LastReads {
    fn of(stretches: &[Stretch]) -> Self {
        let mut stretches: Vec<_> = stretches
            .iter()
            .filter(|stretch| stretch.from < stretch.upto)
            .collect();
        stretches.sort_by_key(|stretch| stretch.at);
        let mut painted = BTreeMap::from([(0, None)]);
        for stretch in stretches {
            let before = |painted: &BTreeMap<u64, Option<Timestamp>>, at| {
                painted.range(..=at).next_back().and_then(|(_, read)| *read)
            };
            let behind = before(&painted, stretch.upto);
            let covered: Vec<u64> = painted
                .range(stretch.from..stretch.upto)
                .map(|(at, _)| *at)
                .collect();
            for at in covered {
                painted.remove(&at);
            }
            painted.insert(stretch.from, Some(stretch.at));
            painted.insert(stretch.upto, behind);
        }
        Self(painted)
    }

    fn of_position(&self, position: u64) -> Option<Timestamp> {
        let cell = self.0.range(..=position).next_back();
        cell.and_then(|(_, read)| *read)
    }
}

/// How much of what there is was read when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Objects that backups rest on.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of those, the ones that have been there for as long as a round takes.
    pub old: u64,
    /// Of the old ones, those that were read within that time.
    pub old_read: u64,
    /// Since when the one has not been read that has not been read for the longest: it was read or
    /// backed up then, or nobody had read anything before.
    pub oldest_at: Option<Timestamp>,
}

/// What a share is read by.
#[derive(Debug)]
pub struct Share<'a> {
    /// The round, and where it has to come to.
    pub round: (Round, u64),
    /// What is read first, wherever it stands: what is known to be damaged, and what the store did
    /// not give, since when.
    pub again: &'a BTreeMap<String, Option<Timestamp>>,
    /// What was read before, since a little more than twice the time of a round.
    pub stretches: &'a [Stretch],
    /// When anything was read for the first time.
    pub first_at: Option<Timestamp>,
    /// How many days a round may take.
    pub days: u32,
    /// How many bytes are read at most; one object always is.
    pub bytes: u64,
    /// When it has to have ended.
    pub deadline: Deadline,
    /// Where damage is healed from.
    pub copy: Option<&'a Store>,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it lies.
    pub path: String,
    /// It, as it was stored; of a commit record nobody else tells that.
    pub stored: Option<Stored>,
    /// What is wrong with it.
    pub what: String,
    /// The newest backup that rests on it.
    pub snapshot: SnapshotName,
    /// How many backups do.
    pub backups: u64,
    /// Whether it is whole again, from the copy.
    pub is_healed: bool,
}

/// What came of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How far the round came.
    pub round: Round,
    /// From which position on.
    pub from: u64,
    /// Objects that were read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is damaged.
    pub damages: Vec<Damage>,
    /// What was to be read first and is whole.
    pub whole: Vec<String>,
    /// What was to be read first and no backup rests on any more.
    pub gone: Vec<String>,
    /// What the store did not give, and why.
    pub unread: Vec<(String, String)>,
    /// How much was read when.
    pub coverage: Coverage,
}

/// One object of a share.
#[derive(Debug)]
struct Wanted {
    stored: Stored,
    snapshot: SnapshotName,
    backups: u64,
}

/// What backups rest on.
#[derive(Debug, Default)]
struct Surveyed {
    /// What is to be read, by position and path.
    share: BTreeMap<(u64, String), Wanted>,
    again: BTreeMap<String, Wanted>,
    /// Every object: the oldest backup that rests on it, and its length.
    all: HashMap<u64, (Timestamp, u64)>,
    /// The commit records that are whole.
    records: BTreeSet<String>,
    /// Records and inventories that are damaged, so that nobody knows what else there is.
    damages: Vec<Damage>,
}

/// Reads a share.
///
/// # Errors
/// If the store does not say what there is. Nothing is known then, and the round stays where it is.
pub async fn read(store: &Store, share: &Share<'_>, now: Timestamp) -> Result<Report, ReadError> {
    let (round, target) = share.round;
    let surveyed = survey(store, share.again, round.upto..target).await?;
    let mut report = Report {
        round,
        from: round.upto,
        objects: 0,
        bytes: 0,
        damages: Vec::new(),
        whole: Vec::new(),
        gone: Vec::new(),
        unread: Vec::new(),
        coverage: Coverage::default(),
    };
    let is_known = surveyed.damages.is_empty();
    for damage in surveyed.damages {
        report.found(store, share.copy, damage).await;
    }
    for (path, since) in share.again {
        let is_late = share.deadline.has_passed();
        match surveyed.again.get(path) {
            // What is known to be damaged stays known.
            Some(_) if is_late && since.is_none() => {}
            Some(_) if is_late => {
                let why = "the time was too short".to_owned();
                report.unread.push((path.clone(), why));
            }
            Some(wanted) => report.look_again(store, share.copy, wanted).await,
            None if surveyed.records.contains(path) => report.whole.push(path.clone()),
            None if is_known => report.gone.push(path.clone()),
            None => {}
        }
    }
    report.go_round(store, share, surveyed.share, target).await;
    report.coverage = coverage(&surveyed.all, &report, share, now);
    Ok(report)
}

async fn survey(
    store: &Store,
    again: &BTreeMap<String, Option<Timestamp>>,
    positions: std::ops::Range<u64>,
) -> Result<Surveyed, ReadError> {
    let mut names = catalogue::names(store, object_path::SNAPSHOTS).await?;
    names.reverse();
    let mut surveyed = Surveyed::default();
    let mut reads = stream::iter(names)
        .map(async |name| {
            let read = async {
                let record = catalogue::record(store, &name).await?;
                let inventory = catalogue::inventory(store, &record.snapshot).await;
                Ok::<_, ReadError>((record.snapshot, inventory))
            };
            (name.clone(), read.await)
        })
        .buffered(INVENTORIES);
    while let Some(read) = reads.next().await {
        let (snapshot, inventory) = match read {
            (_, Ok(read)) => read,
            (name, Err(error)) if error.is_damage() => {
                let path = object_path::record(&name);
                surveyed
                    .damages
                    .push(Damage::of_one(path, None, name, &error));
                continue;
            }
            (_, Err(error)) => return Err(error),
        };
        surveyed
            .records
            .insert(object_path::record(&snapshot.snapshot));
        let mut objects = vec![snapshot.inventory.clone(), snapshot.manifest.clone()];
        match inventory {
            Ok(inventory) => objects.extend(inventory.objects),
            Err(error) if error.is_damage() => {
                let stored = snapshot.inventory.clone();
                let (path, name) = (stored.path.clone(), snapshot.snapshot.clone());
                surveyed
                    .damages
                    .push(Damage::of_one(path, Some(stored), name, &error));
            }
            Err(error) => return Err(error),
        }
        let by_path: BTreeMap<_, _> = objects
            .into_iter()
            .map(|stored| (stored.path.clone(), stored))
            .collect();
        for stored in by_path.into_values() {
            surveyed.add(
                stored,
                &snapshot.snapshot,
                snapshot.taken_at,
                again,
                &positions,
            );
        }
    }
    Ok(surveyed)
}

impl Damage {
    /// Of something that one backup alone rests on.
    fn of_one(
        path: String,
        stored: Option<Stored>,
        snapshot: SnapshotName,
        error: &ReadError,
    ) -> Self {
        Self {
            path,
            stored,
            what: error.what(),
            snapshot,
            backups: 1,
            is_healed: false,
        }
    }
}

impl Surveyed {
    /// An object of a backup, which is older than those before it.
    fn add(
        &mut self,
        stored: Stored,
        snapshot: &SnapshotName,
        taken_at: Timestamp,
        again: &BTreeMap<String, Option<Timestamp>>,
        positions: &std::ops::Range<u64>,
    ) {
        let id = identity(&stored.path);
        self.all.insert(id, (taken_at, stored.len));
        let wanted = |stored| Wanted {
            stored,
            snapshot: snapshot.clone(),
            backups: 0,
        };
        let path = stored.path.clone();
        let place = if again.contains_key(&path) {
            self.again.entry(path).or_insert_with(|| wanted(stored))
        } else if positions.contains(&(id >> 32)) {
            let key = (id >> 32, path);
            self.share.entry(key).or_insert_with(|| wanted(stored))
        } else {
            return;
        };
        place.backups += 1;
    }
}

impl Report {
    /// What was to be read first.
    async fn look_again(&mut self, store: &Store, copy: Option<&Store>, wanted: &Wanted) {
        let read = length(store, &wanted.stored).await;
        if read.is_ok() {
            self.whole.push(wanted.stored.path.clone());
        }
        self.note(store, copy, wanted, read).await;
    }

    /// As far round as time and bytes go.
    async fn go_round(
        &mut self,
        store: &Store,
        share: &Share<'_>,
        wanted: BTreeMap<(u64, String), Wanted>,
        target: u64,
    ) {
        let mut positions: Vec<u64> = wanted.keys().map(|(position, _)| *position).collect();
        positions.push(target);
        let wanted: Vec<Wanted> = wanted.into_values().collect();
        let mut next = 0;
        let mut bytes = 0;
        while next < wanted.len() {
            let is_begun = next > 0 && positions[next] == positions[next - 1];
            let has_room = bytes < share.bytes && !share.deadline.has_passed();
            if next > 0 && !is_begun && !has_room || self.unread.len() >= WAITING {
                break;
            }
            let batch = &wanted[next..wanted.len().min(next + READS)];
            let batch = &batch[..fitting(batch, share.bytes.saturating_sub(bytes))];
            let reads = batch.iter().map(|wanted| async move {
                let read = length(store, &wanted.stored).await;
                (wanted, read)
            });
            for (wanted, read) in futures_util::future::join_all(reads).await {
                bytes += wanted.stored.len;
                self.note(store, share.copy, wanted, read).await;
            }
            next += batch.len();
        }
        // All that stands before it is read; what stands where it stopped is read with the rest.
        self.round.upto = positions[next].min(target);
    }

    async fn note(
        &mut self,
        store: &Store,
        copy: Option<&Store>,
        wanted: &Wanted,
        read: Result<u64, ReadError>,
    ) {
        match read {
            Ok(bytes) => {
                self.objects += 1;
                self.bytes += bytes;
            }
            Err(error) if error.is_damage() => {
                let damage = Damage {
                    path: wanted.stored.path.clone(),
                    stored: Some(wanted.stored.clone()),
                    what: error.what(),
                    snapshot: wanted.snapshot.clone(),
                    backups: wanted.backups,
                    is_healed: false,
                };
                self.found(store, copy, damage).await;
            }
            Err(error) => {
                let path = wanted.stored.path.clone();
                self.unread.push((path, error.what()));
            }
        }
    }

    /// Damage, which is healed from the copy where there is one that is whole.
    async fn found(&mut self, store: &Store, copy: Option<&Store>, mut damage: Damage) {
        if self.damages.iter().any(|known| known.path == damage.path) {
            return;
        }
        match (copy, &damage.stored) {
            (None, _) => {}
            (Some(copy), Some(stored)) => {
                let mut healed = Healed::default();
                replication::mend(store, copy, stored, &mut healed).await;
                damage.is_healed = healed.faults.is_empty();
                if let Some(fault) = healed.faults.pop() {
                    damage.what = fault.what;
                }
            }
            (Some(copy), None) => {
                let healed = replication::mend_record(store, copy, &damage.snapshot).await;
                damage.is_healed = healed.is_ok();
            }
        }
        self.damages.push(damage);
    }
}

/// The length of an object that is what it should be. Bits that flipped on the way are not there
/// the second time.
async fn length(store: &Store, stored: &Stored) -> Result<u64, ReadError> {
    let read = match catalogue::exactly(store, stored).await {
        Err(error) if error.is_damage() => catalogue::exactly(store, stored).await,
        read => read,
    };
    read.map(|bytes| bytes.len() as u64)
}

/// How many of these are read together: one at least, and no more than so many bytes.
fn fitting(batch: &[Wanted], bytes: u64) -> usize {
    let mut sum = 0;
    let within = batch.iter().take_while(|wanted| {
        sum += wanted.stored.len;
        sum <= bytes
    });
    within.count().max(1)
}

fn coverage(
    all: &HashMap<u64, (Timestamp, u64)>,
    report: &Report,
    share: &Share<'_>,
    now: Timestamp,
) -> Coverage {
    let period = SignedDuration::from_hours(24 * i64::from(share.days));
    let limit = now - period;
    let mut stretches = share.stretches.to_vec();
    stretches.push(Stretch {
        at: now,
        from: report.from,
        upto: report.round.upto,
    });
    let reads = LastReads::of(&stretches);
    // They wait for the store since their turn, and were read a round before it.
    let waiting: HashMap<u64, Timestamp> = report
        .unread
        .iter()
        .map(|(path, _)| {
            let since = share.again.get(path).copied().flatten().unwrap_or(now);
            (identity(path), since - period)
        })
        .collect();
    let first_at = share.first_at.unwrap_or(now);
    let mut coverage = Coverage::default();
    for (id, (since, len)) in all {
        let read = match waiting.get(id) {
            Some(read) => Some(*read),
            None => reads.of_position(id >> 32),
        };
        coverage.objects += 1;
        coverage.bytes += len;
        if *since <= limit {
            coverage.old += 1;
            coverage.old_read += u64::from(read.is_some_and(|read| read >= limit));
        }
        let fresh = read.map_or(*since, |read| read.max(*since)).max(first_at);
        coverage.oldest_at = Some(coverage.oldest_at.map_or(fresh, |oldest| oldest.min(fresh)));
    }
    coverage
}

#[cfg(test)]
mod tests;
