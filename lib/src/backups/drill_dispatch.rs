//! Asks GitHub for the workflow that verifies and drills where a private key is, when one is due.
//!
//! A schedule of the workflow's own is seldom punctual, and is switched off in a repository where
//! nothing happens for sixty days. What is due, and when it is asked for again, the database
//! decides; the workflow asks it once more before it begins, so that two requests make one drill.

use std::time::Duration;

use jiff::Timestamp;
use outside::clock::Deadline;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    app::App,
    platforms::{api::ApiError, github::GitHub},
    rpc::{Call, Retry, RpcError},
};

/// The workflow's file.
const WORKFLOW: &str = "drill.yml";

/// How long asking for one may take.
const PATIENCE: Duration = Duration::from_secs(12);

/// Claims the levels that are to be asked for now.
#[derive(Debug, Serialize)]
struct ClaimDispatches {}

#[derive(Debug, Deserialize)]
struct Claimed {
    due: Vec<Due>,
}

/// A level, and since when it is due.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Due {
    level: u8,
    slot: Timestamp,
}

impl Call for ClaimDispatches {
    const NAME: &'static str = "ops_claim_drill_dispatches";
    // What was claimed and not asked for is claimed again.
    const RETRY: Retry = Retry::Never;
    type Output = Claimed;
}

/// Notes what was answered.
#[derive(Debug, Serialize)]
struct SettleDispatch {
    p_level: u8,
    p_slot: Timestamp,
    p_started: bool,
    p_answer: Option<String>,
}

impl Call for SettleDispatch {
    const NAME: &'static str = "ops_settle_drill_dispatch";
    const RETRY: Retry = Retry::Idempotent;
    type Output = IgnoredAny;
}

/// Why a workflow was not started.
#[derive(Debug, thiserror::Error)]
enum NotStarted {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
}

/// What became of what was due.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The levels whose workflow GitHub has taken.
    pub started: Vec<u8>,
    /// Those that it has not.
    pub failed: Vec<u8>,
}

/// Asks for what is due; nothing where there is no token for GitHub or no repository.
///
/// # Errors
/// When the database cannot say what is due.
pub async fn ask_for_due(app: &App, deadline: Deadline) -> Result<Report, RpcError> {
    let Some(github) = app.config.platforms.github(&app.outbound) else {
        return Ok(Report::default());
    };
    let Claimed { due } = app.call(&ClaimDispatches {}, deadline).await?;
    let mut report = Report::default();
    for Due { level, slot } in due {
        let patience = deadline.within(PATIENCE).remaining();
        let asked = timeout(patience, start(&github, level)).await;
        let asked = asked.unwrap_or(Err(NotStarted::Late));
        if let Err(error) = &asked {
            tracing::warn!(%error, level, "GitHub does not start what is due of drills");
        }
        let settle = SettleDispatch {
            p_level: level,
            p_slot: slot,
            p_started: asked.is_ok(),
            p_answer: asked.as_ref().err().map(ToString::to_string),
        };
        if let Err(error) = app.call(&settle, deadline).await {
            tracing::error!(%error, level, "what GitHub answered is not noted");
        }
        let told = match asked {
            Ok(()) => &mut report.started,
            Err(_) => &mut report.failed,
        };
        told.push(level);
    }
    Ok(report)
}

async fn start(github: &GitHub, level: u8) -> Result<(), NotStarted> {
    let branch = github.default_branch().await?;
    let inputs = json!({ "level": level.to_string() });
    Ok(github.start_workflow(WORKFLOW, &branch, &inputs).await?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::fake_server::{self, Received, Reply, Server};

    const SLOT: &str = "2026-11-24T09:00:00Z";

    /// A database in which two levels are due.
    async fn database() -> Server {
        Server::answering(|request: &Received| {
            let answer = if request.head.contains("ops_claim_drill_dispatches") {
                json!({"due": [{"level": 2, "slot": SLOT}, {"level": 3, "slot": SLOT}]})
            } else {
                json!({"settled": true})
            };
            Reply::new(200, &answer.to_string())
        })
        .await
    }

    /// What GitHub and the database were asked, where the former answers so.
    async fn asked(
        answers: fn(&Received) -> Reply,
        token: Option<&str>,
    ) -> (Vec<Received>, Vec<Value>, Report) {
        let (database, github) = (database().await, Server::answering(answers).await);
        let (here, there) = (database.url(""), github.url(""));
        let mut variables = vec![
            ("SUPABASE_URL", here.as_str()),
            ("SUPABASE_SECRET_KEY", "sb_secret_x"),
            ("GITHUB_API_URL", there.as_str()),
            ("GITHUB_REPOSITORY", "wine/ops"),
        ];
        variables.extend(token.map(|token| ("GITHUB_TOKEN", token)));
        let app = fake_server::app(&variables);
        let deadline = Deadline::after(Duration::from_secs(30));
        let report = ask_for_due(&app, deadline).await.unwrap();
        let requests = database.requests();
        let told = requests.iter().skip(1).map(Received::json).collect();
        (github.requests(), told, report)
    }

    #[tokio::test]
    async fn without_a_token_nobody_is_asked() {
        let (requests, told, report) = asked(|_| Reply::new(500, ""), None).await;
        assert_eq!((requests.len(), told.len()), (0, 0));
        assert_eq!(report, Report::default());
    }

    #[tokio::test]
    async fn the_workflow_of_the_default_branch_is_asked_for_by_level() {
        let answers = |request: &Received| match request.head.split(' ').next() {
            Some("GET") => Reply::new(200, r#"{"default_branch": "trunk"}"#),
            _ => Reply::new(204, ""),
        };
        let (requests, told, report) = asked(answers, Some("t")).await;
        let lines: Vec<_> = requests
            .iter()
            .filter_map(|request| request.head.lines().next())
            .collect();
        let ask = "POST /repos/wine/ops/actions/workflows/drill.yml/dispatches HTTP/1.1";
        let look = "GET /repos/wine/ops HTTP/1.1";
        assert_eq!(lines, [look, ask, look, ask]);
        let head = requests[1].head.to_ascii_lowercase();
        for header in [
            "authorization: bearer t",
            "accept: application/vnd.github+json",
            "x-github-api-version: 2022-11-28",
        ] {
            assert!(head.contains(header), "{head}");
        }
        let bodies = [requests[1].json(), requests[3].json()];
        assert_eq!(
            bodies,
            ["2", "3"].map(|level| json!({"ref": "trunk", "inputs": {"level": level}}))
        );
        let settled =
            |level| json!({"p_level": level, "p_slot": SLOT, "p_started": true, "p_answer": null});
        assert_eq!(told, [settled(2), settled(3)]);
        assert_eq!((report.started, report.failed), (vec![2, 3], vec![]));
    }

    #[tokio::test]
    async fn what_github_refuses_is_kept_in_its_words() {
        let answers = |request: &Received| match request.head.split(' ').next() {
            Some("GET") => Reply::new(200, r#"{"default_branch": "main"}"#),
            _ => Reply::new(403, r#"{"message": "Resource not accessible"}"#),
        };
        let (_, told, report) = asked(answers, Some("t")).await;
        assert_eq!(told[0]["p_started"], false);
        assert_eq!(told[0]["p_answer"], "answered 403: Resource not accessible");
        assert_eq!((report.started, report.failed), (vec![], vec![2, 3]));
    }
}
