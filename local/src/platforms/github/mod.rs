//! GitHub's REST API.

pub mod secrets;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::stand_in::{Asked, StandIn, refusal};

/// What it keeps.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// What workflows are given.
    pub secrets: secrets::State,
}

/// Serves it, empty, on any free port if none is named.
pub async fn start(port: Option<u16>, token: &str) -> anyhow::Result<StandIn<State>> {
    StandIn::start(port, token, State::default(), answer).await
}

/// The first part of the API that knows the request answers it.
fn answer(state: &mut State, asked: &Asked) -> Response<Bytes> {
    secrets::answer(&mut state.secrets, asked)
        .unwrap_or_else(|| refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"))
}
