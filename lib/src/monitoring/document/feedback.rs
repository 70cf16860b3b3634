//! What people wrote, as the dashboard counts it.

use serde::{Deserialize, Serialize};

/// What people wrote in the environment that is shown, whenever that was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenFeedback {
    /// How many pieces of it nobody has closed.
    pub open: u64,
    /// Of how many of them the writer left an address and was mailed no answer.
    pub unanswered: u64,
}
