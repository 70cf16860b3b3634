//! Deployments of a project, as Vercel lists them.

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A deployment, as a list or a look at it alone shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Deployment {
    /// Its id, `dpl_…`.
    pub id: String,
    /// The id of the project that it is of, where that is said.
    pub project: Option<String>,
    /// The name of the project, where that is said.
    pub project_name: Option<String>,
    /// Its own address, which stays what it is.
    pub url: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// How far its build is.
    pub state: ReadyState,
    /// What became of it since, if it is ready.
    pub substate: Option<Substate>,
    /// Whether it was built for production.
    pub is_production: bool,
    /// Whether Vercel says that one can go back to it; `None` where it says nothing.
    pub is_candidate: Option<bool>,
    /// Whether its build was removed because it was old.
    pub was_removed: bool,
    meta: BTreeMap<String, Value>,
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReadyState {
    /// It waits for somebody's consent.
    Blocked,
    /// It is under way.
    Building,
    /// Somebody stopped it.
    Canceled,
    /// Somebody deleted it.
    Deleted,
    /// It failed.
    Error,
    /// It begins.
    Initializing,
    /// It waits for others.
    Queued,
    /// It can serve.
    Ready,
    /// A word that this build does not know.
    #[serde(other)]
    Unknown,
}

impl ReadyState {
    /// Whether nothing becomes of it any more.
    #[must_use]
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Error | Self::Canceled | Self::Deleted)
    }
}

/// What became of a build that can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Substate {
    /// It never served production.
    Staged,
    /// It is served to a part.
    Rolling,
    /// It serves production, or did.
    Promoted,
    /// A word that this build does not know.
    #[serde(other)]
    Unknown,
}

/// A page of deployments, the newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    /// Those that can be read.
    pub deployments: Vec<Deployment>,
    /// How many cannot.
    pub unreadable: usize,
}

impl Vercel {
    /// The newest deployments of a project that were built for production.
    pub async fn deployments(&self, project: &str, limit: u8) -> Result<Listed, ApiError> {
        #[derive(Deserialize)]
        struct Page {
            deployments: Vec<Value>,
        }
        let call = Call::get(["v7", "deployments"])
            .with("projectId", project)
            .with("target", "production")
            .with("limit", limit.to_string());
        let page: Page = self.api.read(&self.of_team(call)).await?;
        let count = page.deployments.len();
        let known = page.deployments.into_iter();
        let deployments: Vec<_> = known
            .filter_map(|one| serde_json::from_value(one).ok())
            .collect();
        Ok(Listed {
            unreadable: count - deployments.len(),
            deployments,
        })
    }

    /// One deployment, by its id, by its own address, or by a domain that it has; addresses
    /// without a scheme.
    pub async fn deployment(&self, named: &str) -> Result<Deployment, ApiError> {
        let call = Call::get(["v13", "deployments", named]);
        self.api.read(&self.of_team(call)).await
    }

    /// Builds a deployment once more for production, with the variables as they are now. `mark`
    /// is kept with it, so that who lost the answer finds it.
    pub async fn redeploy(
        &self,
        project: &str,
        deployment: &str,
        mark: (&str, &str),
    ) -> Result<Deployment, ApiError> {
        let (name, value) = mark;
        let body = json!({
            "name": project, "project": project, "deploymentId": deployment, "target": "production",
            "meta": { "action": "redeploy", name: value },
        });
        let call = Call::new(Method::POST, ["v13", "deployments"])
            .with("forceNew", "1")
            .json(body);
        self.api.write(&self.of_team(call)).await
    }
}

/// A file or a folder of a deployment, as Vercel's tree of its files shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeploymentFile {
    /// Its name, without its folder.
    pub name: String,
    /// What is in it, if it is a folder.
    #[serde(default)]
    pub children: Vec<DeploymentFile>,
}

impl Vercel {
    /// What was uploaded for a deployment, by its id: the sources, or what was built elsewhere.
    pub async fn deployment_files(&self, id: &str) -> Result<Vec<DeploymentFile>, ApiError> {
        let call = Call::get(["v6", "deployments", id, "files"]);
        self.api.read(&self.of_team(call)).await
    }
}

impl Deployment {
    /// What stands under a name in what was said of it as it was made.
    #[must_use]
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.meta.get(name)?.as_str()
    }

    /// The commit that it was built of.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        ["githubCommitSha", "gitlabCommitSha", "bitbucketCommitSha"]
            .into_iter()
            .chain(["gitCommitSha", super::COMMIT_MARK])
            .find_map(|name| self.meta(name))
    }

    /// The first line of what the commit says.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        [
            "githubCommitMessage",
            "gitlabCommitMessage",
            "bitbucketCommitMessage",
            "gitCommitMessage",
        ]
        .into_iter()
        .find_map(|name| self.meta(name))
        .and_then(|message| message.lines().next())
    }

    /// Whether it is of a project, which is named by its id or its name.
    #[must_use]
    pub fn is_of(&self, project: &str) -> bool {
        let named = [&self.project, &self.project_name];
        named.iter().any(|named| named.as_deref() == Some(project))
    }

    /// The project in words.
    #[must_use]
    pub fn owner(&self) -> &str {
        let named = self.project_name.as_deref().or(self.project.as_deref());
        named.unwrap_or("an unknown project")
    }

    /// Its own address as a URL.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let url = self.url.as_deref()?;
        let has_scheme = url.contains("://");
        Some(if has_scheme {
            url.to_owned()
        } else {
            format!("https://{url}")
        })
    }
}

/// As it comes: a list says `uid` and both `created` and `createdAt`, a look `id`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    uid: Option<String>,
    id: Option<String>,
    project_id: Option<String>,
    name: Option<String>,
    url: Option<String>,
    created_at: Option<i64>,
    created: Option<i64>,
    ready_state: Option<ReadyState>,
    state: Option<ReadyState>,
    ready_substate: Option<Substate>,
    target: Option<String>,
    is_rollback_candidate: Option<bool>,
    soft_deleted_by_retention: Option<bool>,
    meta: Option<BTreeMap<String, Value>>,
}

impl TryFrom<Raw> for Deployment {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        let id = raw.id.or(raw.uid).ok_or("a deployment has no id")?;
        let created = raw.created_at.or(raw.created);
        Ok(Self {
            id,
            project: raw.project_id,
            project_name: raw.name.filter(|name| !name.is_empty()),
            url: raw.url.filter(|url| !url.is_empty()),
            created_at: created.and_then(|at| Timestamp::from_millisecond(at).ok()),
            state: raw.ready_state.or(raw.state).unwrap_or(ReadyState::Unknown),
            substate: raw.ready_substate,
            is_production: raw.target.as_deref() == Some("production"),
            is_candidate: raw.is_rollback_candidate,
            was_removed: raw.soft_deleted_by_retention == Some(true),
            meta: raw.meta.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_is_read_as_a_list_and_as_a_look_show_it() {
        let listed = json!({
            "uid": "dpl_1", "url": "wine-1.vercel.app", "created": 1_795_521_600_000_i64,
            "createdAt": 1_795_521_600_000_i64, "state": "READY", "readyState": "READY",
            "readySubstate": "STAGED", "target": "production", "isRollbackCandidate": false,
            "meta": {"githubCommitSha": "abc", "githubCommitMessage": "Fix it\n\nWhy", "n": 1},
        });
        let one: Deployment = serde_json::from_value(listed).unwrap();
        assert_eq!(one.id, "dpl_1");
        assert_eq!((one.commit(), one.subject()), (Some("abc"), Some("Fix it")));
        assert_eq!(one.address().as_deref(), Some("https://wine-1.vercel.app"));
        assert_eq!(one.substate, Some(Substate::Staged));
        let looked = json!({"id": "dpl_2", "readyState": "SHINY", "target": null,
            "name": "wine", "projectId": "prj_1"});
        let one: Deployment = serde_json::from_value(looked).unwrap();
        assert!(one.is_of("prj_1") && one.is_of("wine") && !one.is_of("prj_2"));
        assert_eq!(one.owner(), "wine");
        assert_eq!((one.state, one.is_production), (ReadyState::Unknown, false));
        assert_eq!(one.is_candidate, None);
        assert!(serde_json::from_value::<Deployment>(json!({"url": "x"})).is_err());
    }
}
