//! Deployment checks, version 2: the checks of projects, and the answers to their runs.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::super::stand_in::{Asked, refusal};
use crate::answer;

/// What is known of them.
#[derive(Debug, Default)]
pub struct CheckRuns {
    /// The checks that were made, with their projects.
    pub checks: Vec<(String, Value)>,
    /// Every answer that was taken: the run and what was said, in order.
    pub answers: Vec<(String, Value)>,
    /// Runs that are gone.
    pub gone: Vec<String>,
}

/// Answers what is known here.
pub(super) fn answer(state: &mut CheckRuns, asked: &Asked) -> Option<Response<Bytes>> {
    let (method, route) = asked.route();
    Some(match (method, &route[..]) {
        ("GET", ["v2", "projects", project, "checks"]) => state.list(project),
        ("POST", ["v2", "projects", project, "checks"]) => state.make(project, &asked.body),
        ("PATCH", ["v2", "deployments", _, "check-runs", run]) => state.take(run, &asked.body),
        _ => return None,
    })
}

impl CheckRuns {
    fn list(&self, project: &str) -> Response<Bytes> {
        let of_project = self.checks.iter().filter(|(owner, _)| owner == project);
        let checks: Vec<_> = of_project.map(|(_, check)| check).collect();
        answer::json(StatusCode::OK, &json!({ "checks": checks }))
    }

    fn make(&mut self, project: &str, asked: &Value) -> Response<Bytes> {
        let blocks = asked["blocks"].as_str().unwrap_or_default();
        let known = [
            "build-start",
            "deployment-start",
            "deployment-alias",
            "deployment-promotion",
            "none",
        ];
        if !asked["name"].is_string() || !known.contains(&blocks) {
            return refusal(StatusCode::BAD_REQUEST, "bad_request", "Invalid request");
        }
        let mut check = asked.clone();
        check["id"] = format!("chk_{}", self.checks.len() + 1).into();
        self.checks.push((project.to_owned(), check.clone()));
        answer::json(StatusCode::OK, &check)
    }

    fn take(&mut self, run: &str, asked: &Value) -> Response<Bytes> {
        if self.gone.iter().any(|gone| gone == run) {
            return refusal(StatusCode::NOT_FOUND, "not_found", "Check run not found");
        }
        let conclusion = asked["conclusion"].as_str().unwrap_or_default();
        let known = [
            "canceled",
            "skipped",
            "timeout",
            "failed",
            "neutral",
            "succeeded",
        ];
        if asked["status"] != "completed" || !known.contains(&conclusion) {
            return refusal(StatusCode::BAD_REQUEST, "bad_request", "Invalid request");
        }
        self.answers.push((run.to_owned(), asked.clone()));
        answer::json(StatusCode::OK, &json!({ "id": run, "status": "completed" }))
    }
}
