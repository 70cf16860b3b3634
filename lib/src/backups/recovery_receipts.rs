//! Receipts of guided recoveries: what was brought back, step by step, and how long it took.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rpc::{Call, Retry};

/// What a recovery brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The database, from a backup.
    Database,
    /// The application, from its archive.
    Application,
    /// Both, in another place.
    Region,
}

/// How a recovery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was done that a program can do.
    Done,
    /// A step failed.
    Failed,
}

impl Kind {
    /// All of them, as the database lists them.
    pub const ALL: [Self; 3] = [Self::Database, Self::Application, Self::Region];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Application => "application",
            Self::Region => "region",
        }
    }
}

impl Outcome {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// How a recovery went. Sent again under the same id, it counts once.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Made as the recovery began.
    pub id: Uuid,
    /// What was brought back.
    pub kind: Kind,
    /// Whether it was thrown away at the end.
    pub is_drill: bool,
    /// The backup's name, if there was one.
    pub snapshot: Option<String>,
    /// When it was first begun.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Its steps, in order.
    pub steps: Vec<TimedStep>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A step of a recovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedStep {
    /// Its name.
    pub step: String,
    /// `done`, `todo` or `by hand`.
    pub state: String,
    /// How long it took, where it was done.
    pub seconds: Option<f64>,
}

/// Tells the project how a recovery went.
#[derive(Debug, Serialize)]
pub struct RecordRecovery {
    /// How it went.
    pub p_recovery: Receipt,
}

/// A recovery as the project keeps it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// Its id.
    pub id: Uuid,
    /// How long all of it took.
    pub minutes: f64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Call for RecordRecovery {
    const NAME: &'static str = "ops_record_recovery";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Recovery;
}
