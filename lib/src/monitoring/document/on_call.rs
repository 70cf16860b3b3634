//! The on-call calendar, as the dashboard shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who has a rotation now, and who comes next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnCall {
    /// The rotation's name.
    pub rotation: String,
    /// The role that it staffs.
    pub role: String,
    /// Who has it; null where nobody does.
    pub name: Option<String>,
    /// `rotation`, `stand_in` for a member who is away, `override`, `swap` or
    /// `calendar`; null where nobody has it.
    pub why: Option<String>,
    /// Until when; null if nothing changes in 35 days.
    pub until: Option<Timestamp>,
    /// Who has it then; null where nobody does.
    pub next: Option<String>,
}
