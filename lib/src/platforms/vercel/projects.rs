//! Projects: looked up by id or name, and made. One document says who they are, who serves
//! their production, whether it is pinned, and what is called by schedule.
//!
//! After a rollback Vercel gives later deployments no domains until one is promoted. The
//! durable sign of that is `autoAssignCustomDomains`; where the answer lacks it, nothing is
//! known, and least of all that production is free.
//!
//! The document is read element by element: what is odd is not known, and takes nothing else
//! along.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A project.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Project {
    /// `prj_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The team or the person whose it is.
    pub account: Option<String>,
    /// Whether a new release gets the domains by itself. A rollback ends that. `None` where
    /// the project does not say.
    pub assigns_domains: Option<bool>,
    /// What was asked for last.
    pub last_request: Option<AliasRequest>,
    /// The deployment that has production, as far as the project tells.
    pub live: Option<LiveDeployment>,
    /// The schedules that the deployment in force declared.
    pub crons: Option<Crons>,
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

/// The deployment that has production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveDeployment {
    /// Its id.
    pub id: String,
    /// When it first had its domains, as far as the project tells.
    pub first_at: Option<Timestamp>,
    /// The commit that it was built from.
    pub commit: Option<String>,
}

/// What is called by schedule.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Crons {
    /// When somebody stopped all of them.
    disabled_at: Option<f64>,
    definitions: Vec<Cron>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Cron {
    #[serde(default)]
    path: String,
}

impl Vercel {
    /// A project, by its id or its name.
    pub async fn project(&self, named: &str) -> Result<Project, ApiError> {
        let call = Call::get(["v9", "projects", named]);
        self.api.read(&self.of_team(call)).await
    }

    /// The project of that id or name; `None` where the token sees none.
    pub async fn find_project(&self, named: &str) -> Result<Option<Project>, ApiError> {
        match self.project(named).await {
            Ok(project) => Ok(Some(project)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a project of that name, which no other of the team may have.
    pub async fn create_project(&self, name: &str) -> Result<Project, ApiError> {
        let call = Call::new(Method::POST, ["v11", "projects"]).json(json!({ "name": name }));
        self.api.write(&self.of_team(call)).await
    }

    /// Sets how a project is built, by the fields of its own document.
    pub async fn configure_project(&self, project: &str, settings: &Value) -> Result<(), ApiError> {
        let call = Call::new(Method::PATCH, ["v9", "projects", project]).json(settings);
        self.api.send(&self.of_team(call)).await.map(drop)
    }

    /// Deletes a project with its deployments; one that is gone already is no fault.
    pub async fn delete_project(&self, project: &str) -> Result<(), ApiError> {
        let call = Call::new(Method::DELETE, ["v9", "projects", project]);
        match self.api.send(&self.of_team(call)).await {
            Err(error) if !error.is_absent() => Err(error),
            _ => Ok(()),
        }
    }

    /// The names of a project's domains.
    pub async fn domains(&self, project: &str) -> Result<Vec<String>, ApiError> {
        let call = Call::get(["v9", "projects", project, "domains"]);
        let listed: Value = self.api.read(&self.of_team(call)).await?;
        let domains = listed["domains"].as_array().into_iter().flatten();
        Ok(domains.filter_map(|domain| word(&domain["name"])).collect())
    }

    /// Gives a project a domain, by the fields of its document. Vercel refuses one that another
    /// project or account has.
    pub async fn add_domain(&self, project: &str, domain: &Value) -> Result<(), ApiError> {
        let call = Call::new(Method::POST, ["v10", "projects", project, "domains"]).json(domain);
        self.api.send(&self.of_team(call)).await.map(drop)
    }
}

impl TryFrom<Value> for Project {
    type Error = &'static str;

    fn try_from(said: Value) -> Result<Self, Self::Error> {
        Ok(Self {
            id: word(&said["id"]).ok_or("a project without an id")?,
            name: word(&said["name"]).ok_or("a project without a name")?,
            account: word(&said["accountId"]),
            assigns_domains: said["autoAssignCustomDomains"].as_bool(),
            last_request: element(&said["lastAliasRequest"]),
            live: LiveDeployment::read(&said["targets"]["production"]),
            crons: element(&said["crons"]),
        })
    }
}

impl LiveDeployment {
    fn read(said: &Value) -> Option<Self> {
        let first = ["aliasAssigned", "readyAt", "createdAt"];
        let commits = ["githubCommitSha", "gitlabCommitSha", "bitbucketCommitSha"];
        Some(Self {
            id: word(&said["id"])?,
            first_at: first.iter().find_map(|name| moment(&said[*name])),
            commit: commits.iter().find_map(|name| word(&said["meta"][*name])),
        })
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

/// What can be read of an element.
fn element<T: DeserializeOwned>(said: &Value) -> Option<T> {
    T::deserialize(said).ok()
}

/// Names and ids are short; whoever sends more is not believed to mean it.
fn word(said: &Value) -> Option<String> {
    let text = said.as_str().filter(|text| !text.is_empty())?;
    Some(text.chars().take(200).collect())
}

/// Milliseconds since 1970, as Vercel writes times.
fn moment(said: &Value) -> Option<Timestamp> {
    Timestamp::from_millisecond(said.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(fields: &Value) -> Project {
        let mut document = json!({
            "id": "prj_1", "name": "wine", "accountId": "team_1", "autoAssignCustomDomains": true,
            "targets": {"production": {
                "id": "dpl_b", "readyAt": 1_795_000_000_000_i64, "meta": {"githubCommitSha": "abc"},
            }},
            "lastAliasRequest": {
                "fromDeploymentId": "dpl_2", "toDeploymentId": "dpl_1",
                "jobStatus": "in-progress", "requestedAt": 1_795_521_600_000_i64,
                "type": "rollback",
            },
            "crons": {"definitions": [{"path": "/api/cron/monitor", "schedule": "* * * * *"}]},
        });
        for (name, value) in fields.as_object().unwrap() {
            document[name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn a_project_says_who_serves_what_was_asked_and_what_is_called() {
        let project = project(&json!({}));
        assert_eq!(project.assigns_domains, Some(true));
        let live = project.live.unwrap();
        assert_eq!(live.first_at.unwrap().as_second(), 1_795_000_000);
        assert_eq!(
            (live.id.as_str(), live.commit.as_deref()),
            ("dpl_b", Some("abc"))
        );
        let request = project.last_request.unwrap();
        assert_eq!(request.kind, Some(Traffic::Rollback));
        assert!(request.is_open() && request.requested_at().is_some());
        let crons = project.crons.unwrap();
        assert!(crons.are_declared("/api/cron/monitor") && !crons.are_disabled());
    }

    #[test]
    fn what_a_project_does_not_say_is_not_made_up() {
        let bare: Project = serde_json::from_value(json!({"id": "prj_1", "name": "wine"})).unwrap();
        assert_eq!((bare.assigns_domains, bare.last_request), (None, None));
        assert_eq!((bare.live, bare.crons), (None, None));
        assert!(serde_json::from_value::<Project>(json!({"projects": []})).is_err());
    }

    #[test]
    fn what_is_odd_takes_nothing_else_along() {
        let odd = project(&json!({"targets": {"production": 7}, "lastAliasRequest": [1]}));
        assert_eq!((odd.live, odd.last_request), (None, None));
        assert_eq!(odd.assigns_domains, Some(true));
        for said in [json!(null), json!("yes")] {
            let odd = project(&json!({"autoAssignCustomDomains": said}));
            assert_eq!(odd.assigns_domains, None);
            assert!(odd.live.is_some() && odd.crons.is_some());
        }
    }
}
