//! That somebody has pinned a backup, or taken its pin away: the pin lies in the store, and who
//! did it is in the audit log.

use serde::{Deserialize, Serialize};

use crate::rpc::{Call, Retry};

/// Has it written into the audit log.
#[derive(Debug, Serialize)]
pub struct NotePin<'a> {
    /// `backup.pinned`, `backup.unpinned` or `backup.put_back`.
    pub p_action: &'static str,
    /// The backup.
    pub p_snapshot: &'a str,
    /// Who did it.
    pub p_by: &'a str,
    /// Why, if they said so.
    pub p_reason: Option<&'a str>,
}

/// It is written.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Noted {
    /// Once for each call.
    Noted,
}

impl Call for NotePin<'_> {
    const NAME: &'static str = "ops_note_pin";
    // A second row would tell of a second time.
    const RETRY: Retry = Retry::Never;
    type Output = Noted;
}
