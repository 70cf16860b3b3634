//! GitHub's REST API.

pub mod secrets;
pub mod workflows;

use std::sync::Arc;

use outside::outbound::Outbound;
use secrecy::SecretString;
use url::Url;

use super::api::Api;

/// Where it answers unless a variable says otherwise.
pub const BASE_URL: &str = "https://api.github.com";

/// What GitHub wants to be told with every request.
const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/vnd.github+json"),
    ("x-github-api-version", "2022-11-28"),
];

/// GitHub, as one token sees one repository.
#[derive(Debug, Clone)]
pub struct GitHub {
    api: Api,
    owner: String,
    name: String,
}

impl GitHub {
    /// A client for the repository `owner/name`; `None` where that is not how it is named.
    #[must_use]
    pub fn new(
        outbound: Arc<Outbound>,
        base: Url,
        token: SecretString,
        repository: &str,
    ) -> Option<Self> {
        let (owner, name) = repository.split_once('/')?;
        let plain = |part: &str| !part.is_empty() && !part.contains('/');
        (plain(owner) && plain(name)).then(|| Self {
            api: Api::new(outbound, base, token, HEADERS),
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The API itself.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The path of something of the repository's.
    #[must_use]
    pub fn path<'a>(&'a self, rest: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        ["repos", &self.owner, &self.name]
            .into_iter()
            .chain(rest)
            .collect()
    }
}
