//! Which backups are kept: a pure function of the backups, a ladder and the time.
//!
//! A rung of the ladder has slots, such as days, and keeps one backup of each of its newest
//! slots in which there is a backup. Only backups count: a run that failed, and a day without a
//! run, fill no slot. So the time decides nothing but whether backups still come, and a clock
//! that is wrong keeps more, never less: backups that are dated later than now are kept and
//! count for nothing else.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::format::{Snapshot, SnapshotName};

/// So many of the newest backups are kept, and of the newest that look as they should.
pub const NEWEST: u8 = 3;

/// So many of the newest backups are kept that a drill has restored.
pub const NEWEST_DRILLED: u8 = 2;

/// With a newest backup that is older than this, nothing is dropped.
pub const FRESH: SignedDuration = SignedDuration::from_hours(26);

/// How many slots each rung of the ladder keeps a backup of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// Hours.
    pub hourly: u32,
    /// Days, in UTC like all that follow.
    pub daily: u32,
    /// Weeks from Monday to Sunday.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
    /// Years.
    pub yearly: u32,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            hourly: 48,
            daily: 30,
            weekly: 12,
            monthly: 12,
            yearly: 7,
        }
    }
}

impl Ladder {
    /// How many slots a rung keeps.
    #[must_use]
    pub fn slots(&self, rung: Rung) -> u32 {
        match rung {
            Rung::Hourly => self.hourly,
            Rung::Daily => self.daily,
            Rung::Weekly => self.weekly,
            Rung::Monthly => self.monthly,
            Rung::Yearly => self.yearly,
        }
    }
}

/// A rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// One backup an hour.
    Hourly,
    /// One a day.
    Daily,
    /// One a week.
    Weekly,
    /// One a month.
    Monthly,
    /// One a year.
    Yearly,
}

impl Rung {
    /// All of them, the shortest slots first.
    pub const ALL: [Self; 5] = [
        Self::Hourly,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
    ];

    /// The number of the slot that a time falls into; later slots have greater ones.
    fn slot(self, time: Timestamp) -> i64 {
        let date = TimeZone::UTC.to_datetime(time).date();
        let year = i64::from(date.year());
        match self {
            Self::Hourly => time.as_second().div_euclid(3600),
            Self::Daily => time.as_second().div_euclid(86_400),
            Self::Weekly => {
                let week = date.iso_week_date();
                i64::from(week.year()) * 100 + i64::from(week.week())
            }
            Self::Monthly => year * 12 + i64::from(date.month()) - 1,
            Self::Yearly => year,
        }
    }

    /// When the slot ends that comes so many slots after that of `time`, or the last time that
    /// there is.
    fn end(self, time: Timestamp, slots: u32) -> Timestamp {
        let later = |start: Timestamp, seconds: i64| {
            let ahead = seconds.saturating_mul(i64::from(slots));
            start
                .checked_add(SignedDuration::from_secs(ahead))
                .unwrap_or(Timestamp::MAX)
        };
        let hour = time.as_second().div_euclid(3600) * 3600;
        let day = time.as_second().div_euclid(86_400) * 86_400;
        let date = TimeZone::UTC.to_datetime(time).date();
        match self {
            Self::Hourly => later(Timestamp::from_second(hour).unwrap_or(time), 3600),
            Self::Daily => later(Timestamp::from_second(day).unwrap_or(time), 86_400),
            Self::Weekly => {
                let since_monday = i64::from(date.weekday().to_monday_zero_offset());
                let monday = day - since_monday * 86_400;
                later(Timestamp::from_second(monday).unwrap_or(time), 7 * 86_400)
            }
            Self::Monthly => {
                let months = i64::from(date.month()) - 1 + i64::from(slots);
                midnight(
                    i64::from(date.year()) + months.div_euclid(12),
                    months.rem_euclid(12) + 1,
                )
            }
            Self::Yearly => midnight(i64::from(date.year()) + i64::from(slots), 1),
        }
    }
}

/// The first of a month, or the last time that there is.
fn midnight(year: i64, month: i64) -> Timestamp {
    let first = || {
        let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, 1).ok()?;
        TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
    };
    first().unwrap_or(Timestamp::MAX)
}

impl fmt::Display for Rung {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

/// A sealed backup, and what counts here of what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: SnapshotName,
    /// The time of its snapshot.
    pub taken_at: Timestamp,
    /// Whether it may not hold what it should.
    pub is_suspect: bool,
    /// Whether a drill has restored it and found nothing wrong.
    pub is_drilled: bool,
    /// Whether somebody wants it kept.
    pub is_pinned: bool,
}

impl Candidate {
    /// A backup with what is known beside its record.
    #[must_use]
    pub fn of(
        snapshot: &Snapshot,
        drilled: &BTreeSet<String>,
        pinned: &BTreeSet<SnapshotName>,
    ) -> Self {
        Self {
            name: snapshot.snapshot.clone(),
            taken_at: snapshot.taken_at,
            is_suspect: snapshot.suspect.is_some(),
            is_drilled: drilled.contains(snapshot.snapshot.as_str()),
            is_pinned: pinned.contains(&snapshot.snapshot),
        }
    }

    /// Its place in time, in which no two are the same.
    fn place(&self) -> (Timestamp, &SnapshotName) {
        (self.taken_at, &self.name)
    }

    /// The best of a slot has the greatest of these.
    fn rank(&self) -> (u8, Timestamp, &SnapshotName) {
        let class = match (self.is_drilled, self.is_suspect) {
            (true, _) => 2,
            (false, false) => 1,
            (false, true) => 0,
        };
        (class, self.taken_at, &self.name)
    }
}

/// Why a backup is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody wants it.
    Pinned,
    /// It is one of the newest, or of the newest that look as they should.
    Newest,
    /// It is one of the newest that a drill has restored.
    Drilled,
    /// It stands for its slot of this rung.
    Rung(Rung),
    /// It is dated later than now.
    Ahead,
    /// Nothing is dropped for now.
    Frozen,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => formatter.write_str("pinned"),
            Self::Newest => formatter.write_str("newest"),
            Self::Drilled => formatter.write_str("drilled"),
            Self::Rung(rung) => rung.fmt(formatter),
            Self::Ahead => formatter.write_str("ahead"),
            Self::Frozen => formatter.write_str("frozen"),
        }
    }
}

/// Why nothing is dropped for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freeze {
    /// There is no backup, or none that is dated before now.
    NoBackup,
    /// No backup came for too long.
    Stale(SnapshotName),
    /// The newest may not hold what it should, so that an older one may be what is wanted.
    Suspect(SnapshotName),
}

impl fmt::Display for Freeze {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBackup => formatter.write_str("there is no backup"),
            Self::Stale(name) => write!(
                formatter,
                "the newest backup, {name}, is older than {} hours",
                FRESH.as_hours()
            ),
            Self::Suspect(name) => write!(formatter, "the newest backup, {name}, is suspect"),
        }
    }
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is kept, for each of these reasons, of which there is one at least.
    Keep(Vec<Reason>),
    /// This one stands for all slots of it that are kept.
    Superseded(SnapshotName),
    /// Every slot of it is older than its rung reaches.
    Outlived,
}

impl Fate {
    /// Whether it is kept.
    #[must_use]
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep(_))
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep(reasons) => {
                let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
                write!(formatter, "keep: {}", reasons.join(", "))
            }
            Self::Superseded(name) => write!(formatter, "drop: {name} stands for its time"),
            Self::Outlived => formatter.write_str("drop: older than the ladder reaches"),
        }
    }
}

/// What becomes of one backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The backup.
    pub candidate: Candidate,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One for each backup, newest first.
    pub decisions: Vec<Decision>,
    /// Why nothing is dropped; then each is kept.
    pub frozen: Option<Freeze>,
}

/// Decides what becomes of each backup. See the module.
#[must_use]
pub fn plan(mut backups: Vec<Candidate>, ladder: &Ladder, now: Timestamp) -> Plan {
    backups.sort_by(|one, other| other.place().cmp(&one.place()));
    let past: Vec<&Candidate> = backups
        .iter()
        .filter(|backup| backup.taken_at <= now)
        .collect();
    let frozen = freeze(&backups, &past, now);
    let standing = Rung::ALL.map(|rung| (rung, representatives(&past, rung, ladder)));
    let mut reasons = Reasons::default();
    for backup in &backups {
        reasons.note_if(backup.is_pinned, backup, Reason::Pinned);
        reasons.note_if(backup.taken_at > now, backup, Reason::Ahead);
    }
    reasons.note_floor(&past);
    for (rung, of_slots) in &standing {
        for backup in of_slots.values() {
            reasons.note_if(true, backup, Reason::Rung(*rung));
        }
    }
    let fate = |backup: &Candidate| match reasons.0.get(&backup.name) {
        Some(reasons) => Fate::Keep(reasons.iter().copied().collect()),
        None if frozen.is_some() => Fate::Keep(vec![Reason::Frozen]),
        None => dropped(backup, &standing),
    };
    let fates: Vec<Fate> = backups.iter().map(fate).collect();
    let decided = backups.into_iter().zip(fates);
    Plan {
        decisions: decided
            .map(|(candidate, fate)| Decision { candidate, fate })
            .collect(),
        frozen,
    }
}

/// Why backups are kept, by their names.
#[derive(Default)]
struct Reasons<'a>(BTreeMap<&'a SnapshotName, BTreeSet<Reason>>);

impl<'a> Reasons<'a> {
    fn note_if(&mut self, is_so: bool, backup: &'a Candidate, reason: Reason) {
        if is_so {
            self.0.entry(&backup.name).or_default().insert(reason);
        }
    }

    /// What is kept whatever the ladder says, of backups of which the newest come first.
    fn note_floor(&mut self, past: &[&'a Candidate]) {
        let newest = past.iter().take(NEWEST.into());
        let good = past.iter().filter(|backup| !backup.is_suspect);
        for backup in newest.chain(good.take(NEWEST.into())) {
            self.note_if(true, backup, Reason::Newest);
        }
        let drilled = past.iter().filter(|backup| backup.is_drilled);
        for backup in drilled.take(NEWEST_DRILLED.into()) {
            self.note_if(true, backup, Reason::Drilled);
        }
    }
}

/// Whether anything may be dropped; the newest backups come first.
fn freeze(all: &[Candidate], past: &[&Candidate], now: Timestamp) -> Option<Freeze> {
    let Some(newest) = past.first() else {
        return Some(Freeze::NoBackup);
    };
    if now.duration_since(newest.taken_at) > FRESH {
        return Some(Freeze::Stale(newest.name.clone()));
    }
    // The newest of all as well: with a clock that is behind it lies ahead.
    let newest = past.iter().copied().take(1).chain(all.iter().take(1));
    let suspect = newest.into_iter().find(|backup| backup.is_suspect);
    suspect.map(|backup| Freeze::Suspect(backup.name.clone()))
}

/// Which backup stands for which slot of a rung, of the slots that are kept.
fn representatives<'a>(
    past: &[&'a Candidate],
    rung: Rung,
    ladder: &Ladder,
) -> BTreeMap<Reverse<i64>, &'a Candidate> {
    let mut slots: BTreeMap<Reverse<i64>, &Candidate> = BTreeMap::new();
    for backup in past {
        let best = slots.entry(Reverse(rung.slot(backup.taken_at)));
        let best = best.or_insert(backup);
        if backup.rank() > best.rank() {
            *best = backup;
        }
    }
    let most = usize::try_from(ladder.slots(rung)).unwrap_or(usize::MAX);
    slots.into_iter().take(most).collect()
}

/// Why a backup goes that nothing keeps.
fn dropped(backup: &Candidate, standing: &[(Rung, BTreeMap<Reverse<i64>, &Candidate>); 5]) -> Fate {
    let instead = standing.iter().find_map(|(rung, of_slots)| {
        let slot = Reverse(rung.slot(backup.taken_at));
        of_slots.get(&slot)
    });
    match instead {
        Some(other) => Fate::Superseded(other.name.clone()),
        None => Fate::Outlived,
    }
}

/// When the ladder has dropped every backup of a snapshot of that time at the latest, while
/// one comes every day, and a drill of another at least every `drill_days`. A pin keeps one
/// longer.
#[must_use]
pub fn latest_end(taken_at: Timestamp, ladder: &Ladder, drill_days: u32) -> Timestamp {
    let after = |days: i64| {
        let later = SignedDuration::from_hours(days.saturating_mul(24));
        taken_at.checked_add(later).unwrap_or(Timestamp::MAX)
    };
    // One that was drilled last is kept until two others were, each of which may be a day late.
    let of_drills = after((i64::from(drill_days) + 1) * i64::from(NEWEST_DRILLED));
    let of_newest = after(i64::from(NEWEST) + 1);
    let of_rungs = Rung::ALL.map(|rung| rung.end(taken_at, ladder.slots(rung)));
    of_rungs
        .into_iter()
        .fold(of_drills.max(of_newest), Timestamp::max)
}

#[cfg(test)]
mod tests;
