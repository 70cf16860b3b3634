//! What a platform tells of deployments: the marks against which everything else is read.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    item::{self, word},
    scrub,
};
use crate::deployment_event::DeploymentEvent;

/// How long the words of a deployment may be.
const WORD: usize = 100;

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Deployment {
    /// The same for what is sent twice.
    pub(super) id: Uuid,
    pub(super) time: Option<Timestamp>,
    pub(super) event: DeploymentEvent,
    /// The platform's id of it.
    deployment: String,
    /// The platform's id of the project that it is of.
    project: Option<String>,
    /// `preview` or `production`.
    environment: &'static str,
    commit: Option<String>,
    branch: Option<String>,
    /// The platform's id of whoever did it.
    by: Option<String>,
}

impl Deployment {
    /// An event of that deployment, which `same` tells from others; none without a name.
    pub(super) fn new(event: DeploymentEvent, deployment: &str, same: &[u8]) -> Option<Self> {
        Some(Self {
            id: item::of_content(same),
            time: None,
            event,
            deployment: clean(deployment)?,
            project: None,
            environment: "preview",
            commit: None,
            branch: None,
            by: None,
        })
    }

    /// When it was.
    pub(super) fn at(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }

    /// Whose it is.
    pub(super) fn of(mut self, project: &Value) -> Self {
        self.project = project.as_str().and_then(clean);
        self
    }

    /// Whether it is what users see.
    pub(super) fn in_production(mut self, production: bool) -> Self {
        if production {
            self.environment = "production";
        }
        self
    }

    /// What was built.
    pub(super) fn built(mut self, commit: &Value, branch: &Value) -> Self {
        self.commit = commit.as_str().and_then(clean);
        self.branch = branch.as_str().and_then(clean);
        self
    }

    /// Who did it.
    pub(super) fn by(mut self, person: &Value) -> Self {
        self.by = person.as_str().and_then(clean);
        self
    }
}

fn clean(text: &str) -> Option<String> {
    word(&scrub::text(text), WORD)
}
