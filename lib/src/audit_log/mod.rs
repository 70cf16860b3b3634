//! The audit log: what was done that somebody has to answer for.
//!
//! The database writes it (`migrations/functions/audit`), each row with the hash of the one
//! before. Here it is read, and verified by whoever has no reason to believe the database:
//!
//! - [`row`]: a row, and the canonical form over which it is hashed
//! - [`verifier`]: rows against each other and against what backups anchored outside

pub mod row;
pub mod verifier;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rpc::{Call, Retry};
use row::Row;

/// Reads rows in order, as they are verified.
#[derive(Debug, Serialize)]
pub struct ReadAudit {
    /// The row after which to begin.
    pub p_after: i64,
    /// How many at most.
    pub p_limit: u32,
}

/// Rows in order.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// The last row that was deleted by age, without its details; nothing where none was.
    pub checkpoint: Option<Row>,
    /// None where the log ends.
    pub rows: Vec<Row>,
}

impl Call for ReadAudit {
    const NAME: &'static str = "ops_read_audit";
    const RETRY: Retry = Retry::Read;
    type Output = Page;
}

/// Lists rows as people read them, the newest first.
#[derive(Debug, Serialize)]
pub struct ListAudit {
    /// The row before which to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_before: Option<i64>,
    /// How many at most.
    pub p_limit: u32,
    /// Those of one action alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_action: Option<String>,
}

/// The log as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditLog {
    /// Where it stands; nothing where nothing was written yet.
    pub head: Option<Head>,
    /// The newest rows, the newest first.
    pub rows: Vec<Entry>,
}

/// Where the log stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the newest row.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// When it was written.
    pub at: Timestamp,
}

/// A row as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1 on.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What was done, such as `setting.changed`.
    pub action: String,
    /// Who did it: a name, or where that was erased the beginning of its hash; nothing where
    /// it was the bundle itself.
    pub actor: Option<String>,
    /// What it was done to.
    pub subject: Option<String>,
    /// Whether what people could read of it was erased.
    pub erased: bool,
    /// What else is known of it.
    pub details: Option<Value>,
}

impl Call for ListAudit {
    const NAME: &'static str = "ops_list_audit";
    const RETRY: Retry = Retry::Read;
    type Output = AuditLog;
}
