//! Who is asked next about an alert.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What comes of an alert's ladder, as things stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// What keeps it: `acknowledged`, `silenced`, `held`, `all_asked`, `no_contacts`,
    /// `no_ladder` or `not_planned`; null if it goes on.
    pub reason: Option<String>,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// The next rungs, in their order.
    pub rungs: Vec<Rung>,
}

/// A rung that is still to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// When it asks.
    pub at: Timestamp,
    /// Which level; null for the email that an alert adds.
    pub level: Option<u32>,
    /// Whom.
    pub names: Vec<String>,
}
