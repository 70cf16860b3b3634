//! The dashboard's section about what is deleted by age.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is kept for how long, and what was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// The incident because of which everything is kept from some time on; null without one.
    pub evidence: Option<HeldEvidence>,
    /// Each table, or part of one, whose rows are deleted by age.
    pub tables: Vec<KeptTable>,
    /// What was deleted in the last 30 days.
    pub forgotten: Vec<Forgotten>,
}

/// An incident that keeps what was recorded during it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldEvidence {
    /// The incident's number.
    pub incident: u64,
    /// Whether it is open; else it has just ended.
    pub open: bool,
    /// From when on everything is kept.
    pub from: Timestamp,
}

/// Rows that are kept equally long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptTable {
    /// The table, or the part of it that has a class of its own.
    pub name: String,
    /// The table with its schema.
    pub table: String,
    /// What is kept equally long.
    pub class: String,
    /// The setting that says how long.
    pub setting: String,
    /// Days.
    pub days: u64,
    /// Rows before this are deleted.
    pub kept_from: Timestamp,
    /// Whether an incident keeps more than the setting says.
    pub held: bool,
    /// Why nothing could be deleted last.
    pub hindrance: Option<String>,
    /// What else there is to know.
    pub note: Option<String>,
    /// The oldest row that was left when all that is past was deleted last.
    pub oldest_at: Option<Timestamp>,
    /// When something was to be deleted last.
    pub tried_at: Option<Timestamp>,
    /// When nothing was left to delete last.
    pub ended_at: Option<Timestamp>,
}

/// What was deleted of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// With its schema.
    pub table: String,
    /// Rows since the beginning of yesterday in UTC.
    #[serde(rename = "rows24h")]
    pub rows_24h: u64,
    /// Rows in 30 days.
    #[serde(rename = "rows30d")]
    pub rows_30d: u64,
    /// Partitions in 30 days.
    #[serde(rename = "partitions30d")]
    pub partitions_30d: u64,
    /// The newest row of these.
    #[serde(rename = "newestAt")]
    pub newest_at: Option<Timestamp>,
}
