//! The evidence of a period as the database has it, and the sign-off of one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    monitoring::document::Receipts,
    rpc::{Call, Retry},
};

/// Asks for everything that was done with backups in a time.
#[derive(Debug, Serialize)]
pub struct ReadEvidence {
    /// Its first moment.
    pub p_from: Timestamp,
    /// The first moment after it.
    pub p_to: Timestamp,
}

impl Call for ReadEvidence {
    const NAME: &'static str = "ops_backup_evidence";
    const RETRY: Retry = Retry::Read;
    type Output = Evidence;
}

/// Everything that was done with backups in a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The first moment of the period.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// How far it is over.
    pub until: Timestamp,
    /// When this was asked.
    pub made_at: Timestamp,
    /// The first slot that a schedule called; `None` where none ever did.
    pub first_slot: Option<Timestamp>,
    /// How often a backup is to be made.
    pub every_seconds: u64,
    /// How long a restore may take.
    pub rto_seconds: f64,
    /// How often a drill is due.
    pub drill_days: f64,
    /// How far the copy may be behind.
    pub replica_lag_seconds: f64,
    /// How much would have been lost.
    pub rpo: Rpo,
    /// The same of each day.
    pub rpo_days: Vec<RpoDay>,
    /// What was done, the oldest first.
    pub facts: Vec<FactRow>,
    /// Slots that nobody called.
    pub missed: Vec<Timestamp>,
    /// How receipts stand now.
    pub receipts: Receipts,
    /// Who signed off the period, or a part of it.
    pub reviews: Vec<Review>,
}

/// How old the newest sealed backup was, over a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ages {
    /// At most; `None` where there was none.
    pub largest_seconds: Option<f64>,
    /// When that was.
    pub largest_at: Option<Timestamp>,
    /// In the median over all instants.
    pub median_seconds: Option<f64>,
    /// For how long it was older than the objective.
    pub beyond_seconds: f64,
    /// For how long there was one.
    pub known_seconds: f64,
    /// For how long there was none.
    pub without_seconds: f64,
}

/// How old it was, beside the objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rpo {
    /// How old it may be.
    pub objective_seconds: f64,
    /// How old it was.
    #[serde(flatten)]
    pub ages: Ages,
}

/// How old it was on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RpoDay {
    /// Its first moment that belongs to the period.
    pub from: Timestamp,
    /// The first moment after that.
    pub to: Timestamp,
    /// How old it was.
    #[serde(flatten)]
    pub ages: Ages,
}

/// Something that was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactRow {
    /// What kind of thing, as receipts have it.
    pub kind: String,
    /// What tells it from others of its kind.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// The backup that it is about.
    pub backup: Option<String>,
    /// SHA-256 of the commit record of that.
    pub record_sha256: Option<String>,
    /// What its receipt tells.
    pub facts: Map<String, Value>,
    /// What its receipt does not tell.
    pub details: Map<String, Value>,
    /// SHA-256 of its receipt; `None` where it has none yet.
    pub receipt: Option<String>,
}

impl FactRow {
    /// Its facts as a type; `None` where a newer database tells them otherwise.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(Value::Object(self.facts.clone())).ok()
    }

    /// A text of its details.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name)?.as_str()
    }

    /// The names in a list of its details, each with its reason.
    #[must_use]
    pub fn named(&self, list: &str) -> Vec<Named> {
        let list = self.details.get(list);
        list.and_then(|list| Vec::deserialize(list).ok())
            .unwrap_or_default()
    }
}

/// Something by name, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// What.
    pub what: String,
    /// Why; drills call it the reason.
    #[serde(alias = "reason")]
    pub why: String,
}

/// What a run of the backup tells, whether or not it sealed one.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFacts {
    /// How it ended.
    pub outcome: String,
    /// The slot that it was for; `None` where somebody asked for it.
    pub slot: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// The time of the snapshot.
    pub taken_at: Option<Timestamp>,
    /// Why it may not hold what it should.
    pub suspect: Option<String>,
    /// What it took.
    pub figures: RunFigures,
    /// How many of the app's things it cannot hold.
    pub gaps: u64,
}

/// What a run took, as far as it told.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFigures {
    /// Tables of the backup.
    pub tables: Option<u64>,
    /// Rows of all of them.
    pub rows: Option<u64>,
    /// What was stored, in bytes.
    pub bytes_stored: Option<u64>,
}

/// What a verification tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationFacts {
    /// `whole` or `damaged`.
    pub outcome: String,
    /// How deep it looked.
    pub level: u8,
    /// How many objects it read.
    pub objects: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many faults it found.
    pub fault_count: u64,
}

/// What a drill tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrillFacts {
    /// `good` or `bad`.
    pub outcome: String,
    /// How long the restore took, with its comparison.
    pub seconds: Option<f64>,
    /// How long it may take.
    pub rto_seconds: f64,
    /// Rows that were restored and compared.
    pub rows: Option<u64>,
    /// Tables whose rows were.
    pub tables: u64,
    /// Tables of the backup.
    pub tables_in_backup: Option<u64>,
}

/// What a guided recovery tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryFacts {
    /// What was recovered.
    pub recovered: super::recovery_receipts::Kind,
    /// Whether it was thrown away at the end.
    pub is_drill: bool,
    /// `done` or `failed`.
    pub outcome: super::recovery_receipts::Outcome,
    /// How long all of it took.
    pub minutes: f64,
    /// How long it may take.
    pub rto_seconds: f64,
}

/// What a collection tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionFacts {
    /// How it ended.
    pub outcome: String,
    /// Whether somebody asked for it.
    pub by_hand: bool,
    /// What it decided of each backup.
    pub decisions: Vec<Decision>,
}

/// What was decided of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Decision {
    /// Its name.
    pub snapshot: String,
    /// What becomes of it and why, such as `keep: newest, hourly`.
    pub fate: String,
}

/// What copying to the other place tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationFacts {
    /// How far the copy was behind after it.
    pub lag_seconds: Option<f64>,
    /// How many backups were copied.
    pub copied: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many were not.
    pub backups_left: u64,
}

/// What a restore, or a change of a pin, tells.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActFacts {
    /// What was done, as the audit log calls it.
    pub action: String,
    /// How long it took.
    pub seconds: Option<f64>,
}

/// The sign-off of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What tells it from others.
    pub id: Uuid,
    /// The first moment of the period.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// Who signed.
    pub by: String,
    /// What they had to say.
    pub note: Option<String>,
    /// How many receipts the period had.
    pub receipts: u64,
    /// The hash of the first.
    pub first: Option<String>,
    /// The hash of the last.
    pub last: Option<String>,
    /// The hash over all of them.
    pub root: String,
    /// When it was signed.
    pub at: Timestamp,
}

/// Signs a period off.
#[derive(Debug, Serialize)]
pub struct ReviewEvidence {
    /// Who, and what of.
    pub p_review: Signed,
}

/// A sign-off as it is sent. Sent again, it counts once.
#[derive(Debug, Serialize)]
pub struct Signed {
    /// Made by whoever signs.
    pub id: Uuid,
    /// The first moment of the period.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// Who signs.
    pub by: String,
    /// What they have to say.
    pub note: Option<String>,
    /// How many receipts the period has.
    pub receipts: usize,
    /// The hash of the first.
    pub first: Option<String>,
    /// The hash of the last.
    pub last: Option<String>,
    /// The hash over all of them.
    pub root: String,
}

impl Call for ReviewEvidence {
    const NAME: &'static str = "ops_review_evidence";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Review;
}
