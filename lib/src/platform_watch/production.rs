//! What is kept of a project on Vercel: who serves its production, and whether what is built
//! next will.

use jiff::Timestamp;
use serde::Serialize;

use crate::platforms::vercel::{AliasRequest, JobStatus, LiveDeployment, Project, Traffic};

/// A project's production, in the words of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Production {
    id: String,
    name: String,
    /// Whether what is built next gets the domains; `None` where the project does not say.
    assigns: Option<bool>,
    /// The deployment that has them.
    live: Option<Live>,
    /// The last change of who has them that somebody asked for and that was made.
    change: Option<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Live {
    id: String,
    /// Since when, as far as the project tells.
    at: Option<Timestamp>,
    commit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Change {
    kind: &'static str,
    at: Option<Timestamp>,
    to: Option<String>,
}

impl Production {
    pub(super) fn of(project: Project) -> Self {
        let change = project.last_request.as_ref().and_then(Change::of);
        Self {
            id: project.id,
            name: project.name,
            assigns: project.assigns_domains,
            live: project.live.map(|live| Live::of(live, change.as_ref())),
            change,
        }
    }
}

impl Live {
    /// It serves since it was promoted or rolled back to, else since it had its domains.
    fn of(live: LiveDeployment, change: Option<&Change>) -> Self {
        let changed = change
            .filter(|change| change.to.as_deref() == Some(live.id.as_str()))
            .and_then(|change| change.at);
        Self {
            at: changed.or(live.first_at),
            id: live.id,
            commit: live.commit,
        }
    }
}

impl Change {
    /// One that failed or is under way has changed nothing.
    fn of(request: &AliasRequest) -> Option<Self> {
        (request.status == JobStatus::Succeeded).then(|| Self {
            kind: match request.kind {
                Some(Traffic::Promote) => "promote",
                Some(Traffic::Rollback) => "rollback",
                Some(Traffic::Unknown) | None => "",
            },
            at: request.requested_at(),
            to: request.to.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn production(fields: &Value) -> Production {
        let mut document = json!({
            "id": "prj_1",
            "name": "app",
            "autoAssignCustomDomains": true,
            "targets": {"production": {
                "id": "dpl_b", "readyAt": 1_795_000_000_000_i64, "meta": {"githubCommitSha": "abc"},
            }},
        });
        for (name, value) in fields.as_object().unwrap() {
            document[name] = value.clone();
        }
        Production::of(serde_json::from_value(document).unwrap())
    }

    #[test]
    fn it_serves_since_a_change_to_it_that_was_made_else_since_it_had_its_domains() {
        let rollback = |status: &str, to: &str| {
            json!({
                "autoAssignCustomDomains": false,
                "lastAliasRequest": {
                    "fromDeploymentId": "dpl_c", "toDeploymentId": to, "jobStatus": status,
                    "requestedAt": 1_796_000_000_000_i64, "type": "rollback",
                },
            })
        };
        for (fields, assigns, seconds, kind) in [
            (json!({}), Some(true), 1_795_000_000, None),
            (
                rollback("succeeded", "dpl_b"),
                Some(false),
                1_796_000_000,
                Some("rollback"),
            ),
            (
                rollback("succeeded", "dpl_a"),
                Some(false),
                1_795_000_000,
                Some("rollback"),
            ),
            (
                rollback("in-progress", "dpl_b"),
                Some(false),
                1_795_000_000,
                None,
            ),
            (
                json!({"autoAssignCustomDomains": null}),
                None,
                1_795_000_000,
                None,
            ),
        ] {
            let production = production(&fields);
            assert_eq!(production.assigns, assigns, "{fields}");
            assert_eq!(
                production.change.map(|change| change.kind),
                kind,
                "{fields}"
            );
            let live = production.live.unwrap();
            assert_eq!(
                (live.id.as_str(), live.commit.as_deref()),
                ("dpl_b", Some("abc"))
            );
            assert_eq!(live.at.unwrap().as_second(), seconds, "{fields}");
        }
    }
}
