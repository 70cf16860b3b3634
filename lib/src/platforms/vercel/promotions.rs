//! Which deployment has the production domains, and the two requests that change it.
//!
//! A project says what was asked for last; only its domains' aliases say what serves.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A project, as far as its traffic goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its id, `prj_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The team or the person whose it is.
    #[serde(rename = "accountId", default)]
    pub account: Option<String>,
    /// Whether a new release gets the domains by itself. A rollback ends that: this is
    /// the durable sign of a pin. `None` where the project does not say.
    #[serde(rename = "autoAssignCustomDomains", default)]
    pub assigns_domains: Option<bool>,
    /// What was asked for last.
    #[serde(rename = "lastAliasRequest", default)]
    pub last_request: Option<AliasRequest>,
}

/// A promotion or a rollback that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AliasRequest {
    /// What served before.
    #[serde(rename = "fromDeploymentId", default)]
    pub from: Option<String>,
    /// What is to serve.
    #[serde(rename = "toDeploymentId", default)]
    pub to: Option<String>,
    /// How far it is.
    #[serde(rename = "jobStatus")]
    pub status: JobStatus,
    /// When it was asked for, in milliseconds since 1970.
    #[serde(default)]
    requested_at: Option<i64>,
    /// What it is.
    #[serde(rename = "type", default)]
    pub kind: Option<Traffic>,
}

/// How far a change of traffic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobStatus {
    /// It was not begun.
    Pending,
    /// It is under way.
    InProgress,
    /// It is done.
    Succeeded,
    /// It is over, and not everything was done.
    Failed,
    /// There was nothing to do.
    Skipped,
    /// A word that this build does not know.
    #[serde(other)]
    Unknown,
}

/// A change of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traffic {
    /// A deployment gets the domains, and so will later ones.
    Promote,
    /// An earlier deployment gets them, and later ones will not.
    Rollback,
    /// A word that this build does not know.
    #[serde(other)]
    Unknown,
}

/// Which deployment a domain is held by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The deployment.
    #[serde(rename = "deploymentId")]
    pub deployment: Option<String>,
    #[serde(default)]
    updated_at: Option<i64>,
    #[serde(default)]
    created_at: Option<i64>,
}

#[derive(Deserialize)]
struct Domains {
    domains: Vec<Domain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    name: String,
    git_branch: Option<String>,
    redirect: Option<String>,
    custom_environment_id: Option<String>,
}

impl Vercel {
    /// A project, by its id or its name.
    pub async fn project(&self, named: &str) -> Result<Project, ApiError> {
        let call = Call::get(["v9", "projects", named]);
        self.api.read(&self.of_team(call)).await
    }

    /// The domains at which a project's production answers, redirects left out.
    pub async fn production_domains(&self, project: &str) -> Result<Vec<String>, ApiError> {
        let call = Call::get(["v9", "projects", project, "domains"])
            .with("production", "true")
            .with("limit", "100");
        let found: Domains = self.api.read(&self.of_team(call)).await?;
        let serves = |domain: &Domain| {
            domain.git_branch.is_none()
                && domain.redirect.is_none()
                && domain.custom_environment_id.is_none()
        };
        let domains = found.domains.into_iter();
        Ok(domains.filter(serves).map(|domain| domain.name).collect())
    }

    /// What holds a domain now; `None` if nothing does.
    pub async fn holder(&self, project: &str, domain: &str) -> Result<Option<Held>, ApiError> {
        let call = Call::get(["v4", "aliases", domain]).with("projectId", project);
        match self.api.read(&self.of_team(call)).await {
            Err(error) if error.is_absent() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Asks that a deployment get the production domains, and later ones after it. What
    /// becomes of it, the project says.
    pub async fn promote(&self, project: &str, deployment: &str) -> Result<(), ApiError> {
        let call = Call::new(
            Method::POST,
            ["v10", "projects", project, "promote", deployment],
        )
        .json(serde_json::json!({}));
        self.api.send(&self.of_team(call)).await.map(|_| ())
    }

    /// Asks that an earlier deployment get the production domains, and no later one.
    pub async fn roll_back(
        &self,
        project: &str,
        deployment: &str,
        reason: &str,
    ) -> Result<(), ApiError> {
        let call = Call::new(
            Method::POST,
            ["v1", "projects", project, "rollback", deployment],
        )
        .with("description", reason)
        .json(serde_json::json!({}));
        self.api.send(&self.of_team(call)).await.map(|_| ())
    }
}

impl AliasRequest {
    /// When it was asked for.
    #[must_use]
    pub fn requested_at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.requested_at?).ok()
    }

    /// Whether it is still to be done, as far as is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.status {
            JobStatus::Pending | JobStatus::InProgress => true,
            JobStatus::Succeeded | JobStatus::Failed | JobStatus::Skipped | JobStatus::Unknown => {
                false
            }
        }
    }
}

impl Held {
    /// Since when.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.updated_at.or(self.created_at)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_project_does_not_say_is_not_made_up() {
        let bare: Project = serde_json::from_value(json!({"id": "prj_1", "name": "wine"})).unwrap();
        assert_eq!((bare.assigns_domains, bare.last_request), (None, None));
        let said: Project = serde_json::from_value(json!({
            "id": "prj_1", "name": "wine", "autoAssignCustomDomains": false,
            "lastAliasRequest": {
                "fromDeploymentId": "dpl_2", "toDeploymentId": "dpl_1",
                "jobStatus": "in-progress", "requestedAt": 1_795_521_600_000_i64,
                "type": "rollback",
            },
        }))
        .unwrap();
        let request = said.last_request.unwrap();
        assert_eq!(said.assigns_domains, Some(false));
        assert_eq!(request.kind, Some(Traffic::Rollback));
        assert!(request.is_open() && request.requested_at().is_some());
    }
}
