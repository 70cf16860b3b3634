//! Vercel's REST API, as its SDK describes it: one file for each part.

pub mod check_runs;
mod deployments;
pub mod environment;
mod projects;
mod promotions;

use std::sync::Arc;

use outside::outbound::Outbound;
use secrecy::SecretString;
use url::Url;

use super::api::{Api, Call, Pace};

pub use deployments::{Deployment, DeploymentFile, Listed, ReadyState, Substate};
pub use projects::{AliasRequest, Crons, JobStatus, LiveDeployment, Project, Traffic};
pub use promotions::Held;

/// Where it answers unless a variable says otherwise.
pub const BASE_URL: &str = "https://api.vercel.com";

/// What `pourtrait deploy` says of each deployment that it makes: the commit, also where
/// no platform is linked that would.
pub const COMMIT_MARK: &str = "pourtraitCommit";

/// Vercel, as one token sees one team.
#[derive(Debug, Clone)]
pub struct Vercel {
    api: Api,
    team: Option<String>,
}

impl Vercel {
    /// A client; without a team the token's own account is meant.
    #[must_use]
    pub fn new(
        outbound: Arc<Outbound>,
        base: Url,
        token: SecretString,
        team: Option<String>,
    ) -> Self {
        Self {
            api: Api::new(outbound, base, token, &[]),
            team,
        }
    }

    /// The same client, which waits otherwise.
    #[must_use]
    pub fn at_pace(self, pace: Pace) -> Self {
        let api = self.api.at_pace(pace);
        Self { api, ..self }
    }

    /// The API itself.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// A call that names the team, as every one of Vercel's may.
    #[must_use]
    pub fn of_team<'a>(&'a self, call: Call<'a>) -> Call<'a> {
        match &self.team {
            Some(team) => call.with("teamId", team.as_str()),
            None => call,
        }
    }
}
