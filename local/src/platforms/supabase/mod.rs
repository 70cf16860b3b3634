//! Supabase's Management API.

pub mod backups;
pub mod projects;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::stand_in::{Asked, StandIn, refusal};

/// What it keeps.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// Its projects' backups.
    pub backups: backups::Backups,
    /// The projects that the token sees.
    pub projects: projects::State,
}

/// Serves it, empty, on any free port if none is named.
pub async fn start(port: Option<u16>, token: &str) -> anyhow::Result<StandIn<State>> {
    StandIn::start(port, token, State::default(), answer).await
}

/// The first part of the API that knows the request answers it.
fn answer(state: &mut State, asked: &Asked) -> Response<Bytes> {
    backups::answer(&mut state.backups, asked)
        .or_else(|| projects::answer(&mut state.projects, asked))
        .unwrap_or_else(|| refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"))
}
