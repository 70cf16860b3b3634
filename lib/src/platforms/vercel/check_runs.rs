//! Deployment checks, version 2: a check of a project that holds something back, and its runs.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Vercel;
use crate::platforms::api::{ApiError, Call};

/// A check of a project.
#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

#[derive(Debug, Deserialize)]
struct Checks {
    checks: Vec<Check>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// The deployment may have what the check holds back.
    Succeeded,
    /// It may not.
    Failed,
    /// Nobody wants to know any more.
    Canceled,
}

impl Conclusion {
    /// Every one, in the order of the database.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Canceled];
}

/// The answer to a run.
#[derive(Debug, Clone)]
pub struct RunAnswer<'a> {
    /// The deployment's id.
    pub deployment: &'a str,
    /// The run's id.
    pub run: &'a str,
    /// What it came to.
    pub conclusion: Conclusion,
    /// Why, for people.
    pub text: &'a str,
    /// Where there is more to read.
    pub url: Option<&'a str>,
}

impl Vercel {
    /// The checks of a project.
    pub async fn checks(&self, project: &str) -> Result<Vec<Check>, ApiError> {
        let call = self.of_team(Call::get(["v2", "projects", project, "checks"]));
        let Checks { checks } = self.api().read(&call).await?;
        Ok(checks)
    }

    /// Makes a check that keeps a production deployment from its domains until a run of it
    /// succeeded; its runs are asked for by that webhook.
    pub async fn make_check(
        &self,
        project: &str,
        name: &str,
        webhook: &str,
    ) -> Result<Check, ApiError> {
        let call = Call::new(Method::POST, ["v2", "projects", project, "checks"]);
        let call = self.of_team(call).json(json!({
            "name": name,
            "requires": "deployment-url",
            "blocks": "deployment-alias",
            "targets": ["production"],
            "isRerequestable": true,
            "source": { "kind": "webhook", "webhookId": webhook },
        }));
        self.api().write(&call).await
    }

    /// Answers a run. The same answer may be given again.
    pub async fn answer_check_run(
        &self,
        answer: &RunAnswer<'_>,
        completed_at_ms: i64,
    ) -> Result<(), ApiError> {
        let path = [
            "v2",
            "deployments",
            answer.deployment,
            "check-runs",
            answer.run,
        ];
        let mut body = json!({
            "status": "completed",
            "conclusion": answer.conclusion,
            "conclusionText": answer.text,
            "completedAt": completed_at_ms,
        });
        if let Some(url) = answer.url {
            body["externalUrl"] = Value::from(url);
        }
        let call = self.of_team(Call::new(Method::PATCH, path)).json(body);
        self.api().send(&call).await.map(drop)
    }
}
