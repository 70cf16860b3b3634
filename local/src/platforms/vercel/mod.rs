//! Vercel's REST API.

pub mod check_runs;
pub mod deployments;
pub mod environment;
pub mod project_state;
pub mod projects;
pub mod promotions;
pub mod standing;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::stand_in::{Asked, StandIn, refusal};

/// What it keeps.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// Projects and deployments as a test wrote them.
    pub standing: standing::Standing,
    /// Deployment checks and their runs.
    pub check_runs: check_runs::CheckRuns,
    /// What was deployed.
    pub deployments: deployments::State,
    /// What serves, and what was asked for.
    pub promotions: promotions::State,
    /// Projects whose production a test has set up.
    pub production: project_state::Projects,
    /// The team's projects.
    pub projects: projects::State,
    /// Their environment variables.
    pub environment: environment::State,
}

/// Serves it, empty, on any free port if none is named.
pub async fn start(port: Option<u16>, token: &str) -> anyhow::Result<StandIn<State>> {
    StandIn::start(port, token, State::default(), answer).await
}

/// The first part of the API that knows the request answers it.
fn answer(state: &mut State, asked: &Asked) -> Response<Bytes> {
    standing::answer(&state.standing, asked)
        .or_else(|| check_runs::answer(&mut state.check_runs, asked))
        .or_else(|| deployments::answer(&state.deployments, asked))
        .or_else(|| promotions::answer(&mut state.promotions, &state.deployments, asked))
        .or_else(|| project_state::answer(&state.production, asked))
        .or_else(|| environment::answer(&mut state.environment, &state.projects, asked))
        .or_else(|| projects::answer(&mut state.projects, asked))
        .unwrap_or_else(|| refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"))
}
