//! Deployments, as the dashboard shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deployment_event::DeploymentEvent;

/// What became of a deployment of the environment that is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentMark {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub event: DeploymentEvent,
    /// The platform's id of the deployment.
    pub deployment: String,
    /// The commit that it was built from, where the platform knows it.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The platform's id of whoever did it.
    pub by: Option<String>,
}
