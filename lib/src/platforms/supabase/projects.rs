//! Projects: looked up, made, and how each is reached.

use std::fmt;

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Management;
use crate::platforms::api::{ApiError, Call};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Its reference, the first label of its URL.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The organization that it belongs to.
    #[serde(default)]
    pub organization_slug: Option<String>,
    /// Where it runs.
    #[serde(default)]
    pub region: Option<String>,
    /// `ACTIVE_HEALTHY` once it works.
    #[serde(default)]
    pub status: Option<String>,
}

/// A project to be made.
pub struct NewProject<'a> {
    /// What people will call it.
    pub name: &'a str,
    /// The organization that pays for it.
    pub organization: &'a str,
    /// Where it shall run, such as `eu-central-1`.
    pub region: &'a str,
    /// The password of role `postgres`.
    pub password: &'a SecretString,
}

/// The keys of a project's API, as far as there are such.
#[derive(Debug, Clone, Default)]
pub struct ApiKeys {
    /// `sb_secret_…`.
    pub secret: Option<SecretString>,
    /// `sb_publishable_…`.
    pub publishable: Option<String>,
}

/// Where sessions are opened by way of the pooler, which any network reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPooler {
    /// Its host.
    pub host: String,
    /// The role with the project's reference behind it.
    pub user: String,
    /// The database.
    pub database: String,
}

impl Management {
    /// The project of that reference; `None` where the token sees none.
    pub async fn find_project(&self, reference: &str) -> Result<Option<Project>, ApiError> {
        let call = Call::get(["v1", "projects", reference]);
        match self.api.read(&call).await {
            Ok(project) => Ok(Some(project)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every project that the token sees.
    pub async fn projects(&self) -> Result<Vec<Project>, ApiError> {
        self.api.read(&Call::get(["v1", "projects"])).await
    }

    /// Makes a project. Names need not be unique: who lost an answer looks first.
    pub async fn create_project(&self, project: &NewProject<'_>) -> Result<Project, ApiError> {
        let body = json!({
            "name": project.name,
            "organization_slug": project.organization,
            "region": project.region,
            "db_pass": project.password.expose_secret(),
        });
        let call = Call::new(Method::POST, ["v1", "projects"]).json(body);
        self.api.write(&call).await
    }

    /// Deletes a project with all that is in it; one that is gone already is no fault.
    pub async fn delete_project(&self, reference: &str) -> Result<(), ApiError> {
        let call = Call::new(Method::DELETE, ["v1", "projects", reference]);
        match self.api.send(&call).await {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }

    /// The project's keys of the present form.
    pub async fn api_keys(&self, reference: &str) -> Result<ApiKeys, ApiError> {
        let call = Call::get(["v1", "projects", reference, "api-keys"]).with("reveal", "true");
        let listed: Vec<ListedKey> = self.api.read(&call).await?;
        let of = |kind: &str| {
            let one = listed.iter().find(|key| key.kind.as_deref() == Some(kind));
            one.and_then(|key| key.api_key.clone())
        };
        Ok(ApiKeys {
            secret: of("secret").map(SecretString::from),
            publishable: of("publishable"),
        })
    }

    /// Where sessions of the primary are opened; `None` where the answer names none.
    pub async fn session_pooler(&self, reference: &str) -> Result<Option<SessionPooler>, ApiError> {
        let path = ["v1", "projects", reference, "config", "database", "pooler"];
        let listed: Vec<ListedPooler> = self.api.read(&Call::get(path)).await?;
        let primary = listed
            .into_iter()
            .find(|pooler| pooler.database_type.as_deref() == Some("PRIMARY"));
        Ok(primary.map(|pooler| SessionPooler {
            host: pooler.db_host,
            user: pooler.db_user,
            database: pooler.db_name,
        }))
    }
}

impl fmt::Debug for NewProject<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewProject")
            .field("name", &self.name)
            .field("organization", &self.organization)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct ListedKey {
    #[serde(default)]
    api_key: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct ListedPooler {
    #[serde(default)]
    database_type: Option<String>,
    db_host: String,
    db_user: String,
    db_name: String,
}
