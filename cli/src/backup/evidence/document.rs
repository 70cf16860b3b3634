//! Everything that is told of a period, in one struct.

use ops::backups::evidence::Evidence;
use serde::Serialize;

use super::{in_store::Chain, summary::Summary};

/// Everything that is told of a period.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Of which project.
    pub(super) host: String,
    pub(super) summary: Summary,
    pub(super) chain: Chain,
    #[serde(flatten)]
    pub(super) evidence: Evidence,
}
