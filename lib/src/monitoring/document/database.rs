//! The dashboard's section about the database itself, from the server's own statistics.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The database itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Connections, of those allowed.
    pub connections: Connections,
    /// Percent of blocks found in memory.
    pub cache_hit_ratio: Option<f64>,
    /// Bytes on disk.
    pub size_bytes: Option<u64>,
    /// The statements with a mean above 500 ms that took most time, the first ten; null
    /// without `pg_stat_statements`.
    pub slow_queries: Option<Vec<Statement>>,
    /// The statements that took most time, the first ten; null without `pg_stat_statements`.
    pub top_queries: Option<Vec<Statement>>,
    /// Since when statements are counted, where that is known.
    pub queries_since: Option<Timestamp>,
    /// Why nothing is known of statements; null where something is.
    pub queries_unknown: Option<String>,
    /// The open transaction that began first.
    pub longest_transaction: Option<Transaction>,
    /// Who waits for a lock, the longest first, at most ten.
    pub locks: Vec<Waiting>,
    /// The ten largest tables, the largest first.
    pub tables: Vec<Table>,
    /// When the size, the statements and the tables were read: by the maintenance, or just
    /// now.
    pub read_at: Timestamp,
    /// The server's version.
    pub version: String,
}

/// Connections, of those allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// Open now.
    pub used: Option<u64>,
    /// Allowed.
    pub maximum: u64,
    /// Those of clients, by what they do.
    pub by_state: States,
}

/// How many clients do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct States {
    /// Run a statement.
    pub active: u64,
    /// Have nothing to do.
    pub idle: u64,
    /// Keep a transaction open and run nothing in it.
    pub idle_in_transaction: u64,
    /// Anything else.
    pub other: u64,
}

/// A statement, with all its calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Without values.
    pub query: String,
    /// How often it ran.
    pub calls: u64,
    /// Milliseconds.
    pub total_ms: f64,
    /// Milliseconds.
    pub mean_ms: f64,
    /// Milliseconds.
    pub max_ms: f64,
    /// Rows that it returned or changed, in all.
    pub rows: u64,
    /// Percent of the blocks that it read which were found in memory.
    pub cache_hit_percent: Option<f64>,
}

/// A transaction that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The session's process.
    pub pid: i64,
    /// Since it began.
    pub seconds: Option<f64>,
    /// What the session does.
    pub state: Option<String>,
    /// What it waits for, if it does.
    pub waits_for: Option<String>,
    /// Its last statement, without values.
    pub query: Option<String>,
}

/// A session that waits for a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The session's process.
    pub pid: i64,
    /// Since its statement began.
    pub seconds: Option<f64>,
    /// What kind of thing is locked.
    pub waits_for: Option<String>,
    /// Its statement, without values.
    pub query: Option<String>,
    /// Whom it waits for, at most five.
    pub blocked_by: Vec<Blocking>,
}

/// A session that others wait for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blocking {
    /// The session's process.
    pub pid: i64,
    /// Since its transaction began.
    pub seconds: Option<f64>,
    /// What it does.
    pub state: Option<String>,
    /// Its last statement, without values.
    pub query: Option<String>,
}

/// A table, as the server's statistics know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// With its schema.
    pub table: String,
    /// With its indexes.
    pub size_bytes: Option<u64>,
    /// Rows, about.
    pub rows: Option<u64>,
    /// Rows that are deleted and whose space is not free yet, about.
    pub dead_rows: Option<u64>,
    /// Percent of all rows.
    pub dead_percent: Option<f64>,
    /// Bytes of the table that hold nothing, an estimate; null before it was analyzed.
    pub bloat_bytes: Option<u64>,
    /// By hand or by itself.
    pub last_vacuum: Option<Timestamp>,
    /// By hand or by itself.
    pub last_analyze: Option<Timestamp>,
}
