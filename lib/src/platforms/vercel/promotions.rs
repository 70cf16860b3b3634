//! Which deployment has the production domains, and the two requests that change it.
//!
//! A project says what was asked for last; only its domains' aliases say what serves.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

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

impl Held {
    /// Since when.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.updated_at.or(self.created_at)?).ok()
    }
}
