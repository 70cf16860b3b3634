//! What a platform asks for before it gives a release the domains: a run of our check.

use serde::Serialize;

use super::item::word;

/// How long the platform's ids may be.
const ID: usize = 100;

/// One run, asked for or cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct CheckRun {
    /// The platform's id of it.
    run: String,
    /// The platform's id of the deployment.
    deployment: String,
    /// Whether it is no longer wanted.
    cancelled: bool,
}

impl CheckRun {
    /// A run of that deployment; none without both ids.
    pub(super) fn new(run: &str, deployment: &str, cancelled: bool) -> Option<Self> {
        Some(Self {
            run: word(run, ID)?,
            deployment: word(deployment, ID)?,
            cancelled,
        })
    }
}
