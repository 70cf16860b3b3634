//! The dashboard's section about the watching itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is left undone and nobody is about to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Whether nothing is.
    pub clean: bool,
    /// What is, the oldest first.
    pub findings: Vec<Finding>,
}

/// Something that is left undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `unowned_messages`, `untold_alerts`, `overdue_escalations`, `stale_jobs` or
    /// `uncounted_rows`.
    pub kind: String,
    /// The channel, the alert's subject, the job or the table.
    pub subject: String,
    /// How many.
    pub count: u64,
    /// Since when the oldest is due.
    pub since: Timestamp,
}
