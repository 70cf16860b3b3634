//! The section about backups.

use std::collections::BTreeMap;

use backup::{collection::LockProof, files::FileFigures};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::backups::application::Taken;

/// What would be lost now, and what became of the newest runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backups {
    /// `ok`, `overdue`, `failing`, `suspect`, or `waiting` for the first one.
    pub status: String,
    /// The time of the newest backup's snapshot.
    pub last_backup_at: Option<Timestamp>,
    /// How much would be lost now; null where nothing is scheduled.
    pub age_seconds: Option<f64>,
    /// How much may be lost at most.
    pub rpo_seconds: f64,
    /// What runs like those of the last week read from the database in 30 days.
    pub projected_monthly_egress_bytes: Option<f64>,
    /// What that costs in US dollars, beyond what the plan includes.
    pub projected_monthly_egress_cost: Option<f64>,
    /// The newest ten.
    pub runs: Vec<BackupRun>,
    /// The newest ten times that this database was made from a backup.
    pub restores: Vec<Restore>,
    /// What the newest backup leaves out.
    pub gaps: Vec<Gap>,
    /// What it leaves out because it comes from elsewhere.
    pub not_covered: Vec<NotCovered>,
    /// Whether backups are tried, and how that went.
    pub drills: Drills,
    /// Whether they are read in their store, and how that went.
    pub verifications: Verifications,
    /// Whether all that they rest on is read again in its turn.
    pub reread: Reread,
    /// How the application beside its database is kept.
    pub application: Archives,
    /// Which of them are kept, and whether the others go.
    pub collection: Collections,
    /// How the copy in another place stands.
    pub replica: Replica,
    /// How the files of Storage stand in them.
    pub files: StorageFiles,
    /// How the receipts of what was done with them stand.
    pub receipts: Receipts,
}

/// Something that comes from elsewhere, and is in no backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCovered {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// How receipts stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipts {
    /// `not_verified` before the chain was read for the first time, then `whole` or `broken`.
    pub status: String,
    /// How many there are of the last thirty days.
    pub receipts: u64,
    /// The time of the newest fact that has one.
    pub newest_at: Option<Timestamp>,
    /// How many facts have none yet.
    pub waiting: u64,
    /// When the chain was read last.
    pub verified_at: Option<Timestamp>,
    /// Since when it is known to be broken.
    pub broken_since: Option<Timestamp>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The newest sign-off of a period.
    pub last_review: Option<LastReview>,
}

/// A sign-off of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastReview {
    /// The first instant of the period.
    pub from: Timestamp,
    /// The first one after it.
    pub to: Timestamp,
    /// Who signed.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How the files of Storage stand in backups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageFiles {
    /// `not_set_up` where backups have none, else `ok`, `catching_up`, `rows_without_file`, or
    /// `behind` where some have been in no backup for too long.
    pub status: String,
    /// For how many hours some file or other has been in no backup.
    pub behind_hours: Option<f64>,
    /// For how many that may be.
    pub most_hours: f64,
    /// When the newest backup was taken, if it has files.
    pub taken_at: Option<Timestamp>,
    /// What it has of them.
    pub last: Option<FileFigures>,
}

/// Something that a backup leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Its name.
    pub what: String,
    /// Why it is left out.
    pub why: Option<String>,
    /// Whether an operator has accepted it by that name.
    pub accepted: bool,
}

/// How drills stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drills {
    /// `not_set_up` before the first one, then `ok`, `overdue` or `failed`.
    pub status: String,
    /// How often one is due, in days.
    pub every_days: u32,
    /// How long a restore may take.
    pub rto_seconds: f64,
    /// The last one.
    pub last: Option<Drill>,
    /// When each level was tried last and is due.
    pub schedule: Vec<DrillLevel>,
    /// What became of asking for a workflow that was due, of each level the last time.
    pub dispatches: Vec<DrillDispatch>,
    /// How long restores will take; null with too few drills.
    pub forecast: Option<RestoreForecast>,
}

/// How long a restore of everything takes, by the line through the last drills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreForecast {
    /// Through how many.
    pub drills: u32,
    /// The time of the first of them.
    pub since_at: Timestamp,
    /// How long it takes now.
    pub minutes: f64,
    /// How long in thirty days.
    pub in_a_month_minutes: f64,
    /// When, within a year, it takes longer than it may.
    pub exceeds_at: Option<Timestamp>,
}

/// When a level was tried and is due: 2 opens and reads a backup, 3 restores it, 4 does so by stock
/// tools alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrillLevel {
    /// Which.
    pub level: u8,
    /// When its last receipt arrived.
    pub last_at: Option<Timestamp>,
    /// Since when, or from when on, it is due.
    pub due_at: Timestamp,
}

/// That a workflow was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrillDispatch {
    /// Of which level.
    pub level: u8,
    /// When it had become due.
    pub slot: Timestamp,
    /// How often it was asked for.
    pub attempts: u32,
    /// When that was, the last time.
    pub asked_at: Timestamp,
    /// Whether the platform took it; null until it has answered.
    pub started: Option<bool>,
    /// Why it did not.
    pub answer: Option<String>,
}

/// A backup that was restored to see whether it can be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drill {
    /// Its id.
    pub id: Uuid,
    /// 3: by the command; 4: by stock tools alone.
    pub level: u8,
    /// `good` or `bad`.
    pub outcome: String,
    /// Why it is bad.
    pub reason: Option<String>,
    /// The backup's name in the store.
    pub snapshot: String,
    /// The time of the backup's snapshot.
    pub taken_at: Timestamp,
    /// When the drill began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Whether the restore came to its end.
    pub restored: bool,
    /// How long the restore took, with its comparison.
    pub seconds: Option<f64>,
    /// Rows that were restored and compared.
    pub rows: Option<u64>,
    /// The length of their COPY text.
    pub bytes: Option<u64>,
    /// The tables that they are of.
    pub tables: u64,
    /// The tables of the backup, of which a drill with a budget takes a part.
    pub tables_in_backup: Option<u64>,
    /// What could not be made.
    pub missing: Vec<MissingObject>,
    /// What was held against the backup beside rows; null of drills that did not say.
    pub compared: Option<Compared>,
}

/// What a drill held against the backup, beside rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Objects, such as tables, constraints and policies, by their descriptions.
    pub objects: u64,
    /// Sequences, by where they stand.
    pub sequences: u64,
    /// Queries of the application that were asked.
    pub queries: u64,
    /// Files of Storage that the backup has; null where it was taken without.
    pub files: Option<u64>,
    /// How many of those were fetched and opened.
    pub files_opened: Option<u64>,
    /// The bytes that were opened for that.
    pub file_bytes: Option<u64>,
}

/// How verifications stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verifications {
    /// `not_set_up` before the first one, then `ok` or `damaged`.
    pub status: String,
    /// The one that found the damage, else the last one.
    pub last: Option<Verification>,
    /// When a backup was found whole last.
    pub whole_at: Option<Timestamp>,
}

/// A backup whose objects were read in its store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Its id.
    pub id: Uuid,
    /// `whole` or `damaged`.
    pub outcome: String,
    /// The backup's name in the store.
    pub snapshot: String,
    /// The time of the backup's snapshot.
    pub taken_at: Timestamp,
    /// 1: objects by their hashes; 2: opened and read as well.
    pub level: u8,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How many objects were read.
    pub objects: u64,
    /// Their length.
    pub bytes: u64,
    /// How many faults were found.
    pub fault_count: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

/// How reading again stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reread {
    /// `off`, `not_set_up` before the first share, then `ok` or `behind`.
    pub status: String,
    /// Within how many days everything is read.
    pub days: u32,
    /// When a share was read last.
    pub read_at: Option<Timestamp>,
    /// Objects that backups rest on.
    pub objects: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// Of those objects, the ones that have been there for that many days.
    pub objects_old: Option<u64>,
    /// Of those, the ones that were read within them.
    pub objects_old_read: Option<u64>,
    /// Since when the one was not read that has waited the longest.
    pub oldest_at: Option<Timestamp>,
    /// How many the store did not give, so that the next run asks for them first.
    pub unread: u64,
    /// What is damaged, the newest first.
    pub damages: Vec<Damage>,
}

/// An object that a backup rests on and that is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Damage {
    /// Its path in the store.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
    /// The newest backup that rests on it.
    pub snapshot: Option<String>,
    /// How many do.
    pub backups: Option<u64>,
    /// When it was found.
    pub found_at: Timestamp,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its path in the store.
    pub what: String,
    /// What is wrong with it.
    pub why: Option<String>,
}

/// How archives of the application stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Archives {
    /// `not_set_up` before the first one, then `ok`, `incomplete` or `overdue`.
    pub status: String,
    /// How many days ago all that archives hold was kept last.
    pub age_days: Option<f64>,
    /// How many days that may be.
    pub most_days: f64,
    /// What the newest lacks and earlier ones held.
    pub missed: Vec<MissedDocument>,
    /// The newest.
    pub last: Option<Taken>,
}

/// What an archive lacks that earlier ones held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissedDocument {
    /// Its name.
    pub what: String,
    /// When an archive held it last.
    pub held_at: Timestamp,
    /// Why it could not be read.
    pub why: Option<String>,
    /// Whether an operator has accepted it by that name.
    pub accepted: bool,
}

/// How the copy of the backups in another place stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replica {
    /// `not_set_up` before the first copying, then `ok` or `behind`.
    pub status: String,
    /// What people call the place.
    pub place: Option<String>,
    /// How much older its newest backup is than the newest one.
    pub lag_minutes: Option<f64>,
    /// When something was copied last, or was to be.
    pub copied_at: Option<Timestamp>,
    /// When its newest backup was taken.
    pub newest_there: Option<Timestamp>,
    /// How many backups are not in it.
    pub backups_left: Option<u64>,
    /// What kept one from being copied last.
    pub trouble: Option<String>,
}

/// How collections of backups stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collections {
    /// `off`, `not_set_up` before the first one, then `ok`, `overdue`, `frozen`, `refused` or
    /// `failed`.
    pub status: String,
    /// How many days ago one came to something.
    pub age_days: Option<f64>,
    /// How many days that may be.
    pub most_days: f64,
    /// The newest.
    pub last: Option<Collection>,
    /// The newest that came to something and counted what there is.
    pub last_whole: Option<Collection>,
    /// Whether the store's lock held when it was tried last; null where it locks nothing, or
    /// before it was tried.
    pub lock: Option<LockProof>,
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// Its run.
    pub run: Uuid,
    /// `done`, `partial`, `frozen`, `refused` or `failed`.
    pub outcome: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Why it did not come to its end.
    pub reason: Option<String>,
    /// Who asked for it; null for the schedule.
    pub asked_by: Option<String>,
    /// What it found and did; null where it could not look at everything.
    pub figures: Option<CollectionFigures>,
}

/// What a collection found and did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionFigures {
    /// Backups that are kept.
    pub kept: u64,
    /// Those that are pinned.
    pub pinned: u64,
    /// How many are kept for each other reason, such as `hourly`; one may have several.
    pub rungs: BTreeMap<String, u64>,
    /// The time of the oldest that is kept.
    pub oldest_at: Option<Timestamp>,
    /// Backups that went into the trash.
    pub trashed: u64,
    /// Backups that came out of it, because they were pinned.
    pub put_back: u64,
    /// Backups that left it for good.
    pub forgotten: u64,
    /// Backups that lie in it.
    pub in_trash: u64,
    /// All objects that are there for backups; null, like the next two, where it did not come as
    /// far as counting them.
    pub stored: Option<Heap>,
    /// Those that no backup rests on that is kept.
    pub unneeded: Option<Heap>,
    /// Those that are going to be deleted.
    pub doomed: Option<Heap>,
    /// Those that were deleted.
    pub deleted: Heap,
    /// How many more were due, and would have been too many at once.
    pub held_back: u64,
    /// Those that were written again because their lock was about to end.
    pub renewed: Heap,
    /// Why some were not, where that is so.
    pub not_renewed: Option<String>,
    /// Whether the store's lock held against our own key, where that was tried.
    #[serde(default)]
    pub lock: Option<LockProof>,
}

/// Objects of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heap {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Something that a drill could not make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingObject {
    /// Its name.
    pub what: String,
    /// The server's words.
    pub reason: Option<String>,
    /// Whether an operator has accepted it by that name.
    pub accepted: bool,
}

/// One run; figures that it did not come to are null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupRun {
    /// Its id.
    pub run: Uuid,
    /// Its slot; null where an operator asked for it.
    pub slot: Option<Timestamp>,
    /// `done`, `partial` or `failed`.
    pub outcome: String,
    /// The backup's name in the store.
    pub snapshot: Option<String>,
    /// The time of its snapshot, by the database's clock.
    pub taken_at: Option<Timestamp>,
    /// When its commit record was written.
    pub sealed_at: Option<Timestamp>,
    /// How long it took.
    pub duration_ms: f64,
    /// Rows of all tables.
    pub rows: Option<u64>,
    /// Requests to the store.
    pub requests: Option<Requests>,
    /// Bytes read from the database.
    pub bytes_read: Option<u64>,
    /// All bytes that came from the database, the schema included.
    pub bytes_received: Option<u64>,
    /// Bytes that were not read: the server's checksums said that they had not changed.
    pub bytes_taken_over: Option<u64>,
    /// How long the server took to compute checksums, in milliseconds.
    pub checksum_ms: Option<u64>,
    /// Tables that were read whole.
    pub tables_whole: Option<u64>,
    /// Tables of which what changed was read.
    pub tables_in_part: Option<u64>,
    /// Tables of which nothing was read.
    pub tables_unchanged: Option<u64>,
    /// Bytes stored anew, compressed and encrypted.
    pub bytes_stored: Option<u64>,
    /// Of the bytes read, those that lay in the store already.
    pub bytes_reused: Option<u64>,
    /// Of the bytes in the backup, those that did not have to be stored, in percent.
    pub reused_percent: Option<f64>,
    /// Why it may not hold what it should.
    pub suspect: Option<String>,
    /// Why it was not sealed.
    pub reason: Option<String>,
}

/// Requests to the store, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Writes.
    pub put: u64,
    /// Reads.
    pub get: u64,
    /// Questions for size alone.
    pub head: u64,
    /// Listings.
    pub list: u64,
}

/// A time that this database was made from a backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// The backup's name.
    pub snapshot: String,
    /// The time of its snapshot.
    pub taken_at: Timestamp,
    /// When it was restored.
    pub restored_at: Timestamp,
    /// How long it took.
    pub seconds: f64,
}
