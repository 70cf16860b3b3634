//! Vercel's REST API.

pub mod check_runs;
pub mod deployments;
pub mod environment;
pub mod projects;
pub mod promotions;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::stand_in::{Asked, StandIn, refusal};

/// What it keeps.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// Deployment checks and their runs.
    pub check_runs: check_runs::CheckRuns,
    /// What was deployed.
    pub deployments: deployments::State,
    /// What serves one of the projects, and what was asked for.
    pub promotions: promotions::State,
    /// The team's projects.
    pub projects: projects::State,
    /// Their environment variables.
    pub environment: environment::State,
}

/// Serves it, empty, on any free port if none is named.
pub async fn start(port: Option<u16>, token: &str) -> anyhow::Result<StandIn<State>> {
    StandIn::start(port, token, State::default(), answer).await
}

impl State {
    /// Makes a project all of whose domains are held by one deployment.
    pub fn serve(&mut self, project: &str, name: &str, domains: &[&str], deployment: &str) {
        self.projects.put(json!({ "id": project, "name": name }));
        self.promotions = promotions::State::serving(project, name, domains, deployment);
    }
}

/// The first part of the API that knows the request answers it.
fn answer(state: &mut State, asked: &Asked) -> Response<Bytes> {
    let State {
        check_runs,
        deployments,
        promotions,
        projects,
        environment,
    } = state;
    check_runs::answer(check_runs, asked)
        .or_else(|| deployments::answer(deployments, &promotions.aliases, asked))
        .or_else(|| promotions::answer(promotions, deployments, asked))
        .or_else(|| environment::answer(environment, projects, asked))
        .or_else(|| projects::answer(projects, promotions, asked))
        .unwrap_or_else(|| refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"))
}
