//! How a project and a deployment stand, as far as a verification wants to know: pins, crons,
//! and whose deployment an address is.

use serde::Deserialize;

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A project, as it stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectStanding {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether new releases get the domains. A rollback makes this false; a project that
    /// does not say it is not to be trusted with a yes.
    pub auto_assign_custom_domains: Option<bool>,
    /// The schedules that the deployment in force declared.
    pub crons: Option<Crons>,
}

/// What is called by schedule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Crons {
    /// When somebody stopped all of them.
    disabled_at: Option<f64>,
    definitions: Vec<Cron>,
}

#[derive(Debug, Clone, Deserialize)]
struct Cron {
    path: String,
}

/// A deployment, as it stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStanding {
    /// Its id, `dpl_…`.
    pub id: String,
    /// The address of it alone, without a scheme.
    pub url: String,
    /// Whose it is.
    pub project_id: Option<String>,
    /// The project's name.
    #[serde(default)]
    pub name: String,
    /// `production`, or nothing for a preview.
    pub target: Option<String>,
}

impl Crons {
    /// Whether none is called, whatever is declared.
    #[must_use]
    pub fn are_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// Whether that path is called.
    #[must_use]
    pub fn are_declared(&self, path: &str) -> bool {
        self.definitions.iter().any(|cron| cron.path == path)
    }
}

impl DeploymentStanding {
    /// Whether it is of a project, which is named by its id or its name.
    #[must_use]
    pub fn is_of(&self, project: &str) -> bool {
        self.project_id.as_deref() == Some(project) || self.name == project
    }

    /// The project in words.
    #[must_use]
    pub fn owner(&self) -> &str {
        if self.name.is_empty() {
            self.project_id.as_deref().unwrap_or("an unknown project")
        } else {
            &self.name
        }
    }
}

impl Vercel {
    /// A project by its id or name.
    pub async fn project_standing(&self, project: &str) -> Result<ProjectStanding, ApiError> {
        let call = self.of_team(Call::get(["v9", "projects", project]));
        self.api().read(&call).await
    }

    /// A deployment by its id or its address without a scheme.
    pub async fn deployment_standing(
        &self,
        deployment: &str,
    ) -> Result<DeploymentStanding, ApiError> {
        let call = self.of_team(Call::get(["v13", "deployments", deployment]));
        self.api().read(&call).await
    }
}
