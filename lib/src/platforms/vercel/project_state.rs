//! What a project says of its production: who serves it, and whether what is built next
//! will.
//!
//! After a rollback Vercel gives later deployments no domains until one is promoted. The
//! durable sign of that is `autoAssignCustomDomains`; where the answer lacks it, nothing is
//! known, and least of all that production is free.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A project's production, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectState {
    /// The project's name.
    pub name: Option<String>,
    /// Whether what is built next gets the domains of production; `None` where the answer
    /// does not say.
    pub assigns: Option<bool>,
    /// The deployment that has them.
    pub live: Option<LiveDeployment>,
    /// The last change of who has them that somebody asked for and that was made.
    pub change: Option<AliasChange>,
}

/// The deployment that serves production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveDeployment {
    /// Its id.
    pub id: String,
    /// Since when, as far as the project tells.
    pub at: Option<Timestamp>,
    /// The commit that it was built from.
    pub commit: Option<String>,
}

/// A promotion or a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AliasChange {
    /// `promote` or `rollback`.
    pub kind: String,
    /// When it was asked for.
    pub at: Option<Timestamp>,
    /// The deployment that took over.
    pub to: Option<String>,
}

impl Vercel {
    /// Reads a project by its id or name.
    pub async fn project_state(&self, project: &str) -> Result<ProjectState, ApiError> {
        let call = self.of_team(Call::get(["v9", "projects", project]));
        let said: Value = self.api().read(&call).await?;
        ProjectState::read(&said)
    }
}

impl ProjectState {
    fn read(said: &Value) -> Result<Self, ApiError> {
        if said["id"].as_str().is_none() {
            return Err(ApiError::Odd("a project without an id".to_owned()));
        }
        let change = AliasChange::read(&said["lastAliasRequest"]);
        let live = LiveDeployment::read(&said["targets"]["production"], change.as_ref());
        Ok(Self {
            name: word(&said["name"]),
            assigns: said["autoAssignCustomDomains"].as_bool(),
            live,
            change,
        })
    }

    /// Whether what is built next will serve nobody; `None` where that is not known.
    #[must_use]
    pub fn is_pinned(&self) -> Option<bool> {
        self.assigns.map(|assigns| !assigns)
    }
}

impl LiveDeployment {
    fn read(said: &Value, change: Option<&AliasChange>) -> Option<Self> {
        let id = word(&said["id"])?;
        // It serves since it was promoted or rolled back to, else since it had its domains.
        let changed = change
            .filter(|change| change.to.as_deref() == Some(id.as_str()))
            .and_then(|change| change.at);
        let first = ["aliasAssigned", "readyAt", "createdAt"];
        let at = changed.or_else(|| first.iter().find_map(|name| moment(&said[*name])));
        let commits = ["githubCommitSha", "gitlabCommitSha", "bitbucketCommitSha"];
        let commit = commits.iter().find_map(|name| word(&said["meta"][*name]));
        Some(Self { id, at, commit })
    }
}

impl AliasChange {
    /// One that failed or is under way has changed nothing.
    fn read(said: &Value) -> Option<Self> {
        (said["jobStatus"] == "succeeded").then(|| Self {
            kind: word(&said["type"]).unwrap_or_default(),
            at: moment(&said["requestedAt"]),
            to: word(&said["toDeploymentId"]),
        })
    }
}

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
    use serde_json::json;

    use super::*;

    fn project(fields: &Value) -> Value {
        let mut project = json!({
            "id": "prj_1",
            "name": "app",
            "autoAssignCustomDomains": true,
            "targets": {"production": {
                "id": "dpl_b", "readyAt": 1_795_000_000_000_i64, "meta": {"githubCommitSha": "abc"},
            }},
        });
        for (name, value) in fields.as_object().unwrap() {
            project[name] = value.clone();
        }
        project
    }

    #[test]
    fn a_project_says_who_serves_and_whether_it_is_pinned() {
        let rollback = |status: &str| {
            json!({
                "autoAssignCustomDomains": false,
                "lastAliasRequest": {
                    "fromDeploymentId": "dpl_c", "toDeploymentId": "dpl_b", "jobStatus": status,
                    "requestedAt": 1_796_000_000_000_i64, "type": "rollback",
                },
            })
        };
        for (fields, pinned, seconds) in [
            (json!({}), Some(false), 1_795_000_000),
            (rollback("succeeded"), Some(true), 1_796_000_000),
            (rollback("in-progress"), Some(true), 1_795_000_000),
            (
                json!({"autoAssignCustomDomains": null}),
                None,
                1_795_000_000,
            ),
            (
                json!({"autoAssignCustomDomains": "yes"}),
                None,
                1_795_000_000,
            ),
        ] {
            let state = ProjectState::read(&project(&fields)).unwrap();
            assert_eq!(state.is_pinned(), pinned, "{fields}");
            let live = state.live.unwrap();
            assert_eq!(
                (live.id.as_str(), live.commit.as_deref()),
                ("dpl_b", Some("abc"))
            );
            assert_eq!(live.at.unwrap().as_second(), seconds, "{fields}");
        }
    }

    #[test]
    fn what_is_odd_takes_nothing_else_along() {
        let odd = json!({"targets": {"production": 7}, "lastAliasRequest": [1]});
        let state = ProjectState::read(&project(&odd)).unwrap();
        assert_eq!(
            (state.live, state.change, state.assigns),
            (None, None, Some(true))
        );
        assert!(ProjectState::read(&json!({"projects": []})).is_err());
    }
}
