//! The backups that the provider of the database makes itself, as the dashboard shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderBackups {
    /// `fine`, `failed`, `old`, `gap`, `unreadable`, `unread`, `none` or `not watched`.
    pub state: String,
    /// The newest moment that can be restored.
    pub newest_at: Option<Timestamp>,
    /// How long ago that was.
    pub age_seconds: Option<f64>,
    /// Whether any moment can be restored.
    pub pitr: Option<bool>,
    /// When they were read last.
    pub read_at: Option<Timestamp>,
    /// Why they could not be read, if they could not.
    pub error: Option<String>,
    /// The newest ones, the newest first.
    pub backups: Vec<ProviderBackup>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderBackup {
    /// When it was made.
    pub at: Timestamp,
    /// The provider's word for how it ended.
    pub status: String,
}
