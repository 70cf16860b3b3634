//! What becomes of a deployment, as `ops.deployment_event` lists it.

use serde::{Deserialize, Serialize};

/// What became of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentEvent {
    /// Its build began.
    Created,
    /// Its build was a success.
    Succeeded,
    /// It has its domains.
    Ready,
    /// Its build or its checks failed.
    Failed,
    /// Somebody stopped it.
    Canceled,
    /// It was made production.
    Promoted,
    /// Somebody asked for an earlier one in its place.
    RolledBack,
}

impl DeploymentEvent {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Succeeded,
        Self::Ready,
        Self::Failed,
        Self::Canceled,
        Self::Promoted,
        Self::RolledBack,
    ];
}
