//! What a repository's workflows are given: secrets, which are written and never read
//! again, and variables, which everybody with access reads.
//!
//! A secret is sealed to the repository's key by whoever sets it; nothing here sees one.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use crate::platforms::api::{ApiError, Call};

/// How many secrets a page holds at most.
const SECRETS_A_PAGE: usize = 100;

/// How many variables a page holds at most.
const VARIABLES_A_PAGE: usize = 30;

/// How many pages are read at most; a repository has room for 500 variables.
const PAGES: usize = 20;

/// What secrets are sealed to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SealingKey {
    /// Which key it is.
    #[serde(rename = "key_id")]
    pub id: String,
    /// The X25519 key, in base64.
    pub key: String,
}

impl GitHub {
    /// What secrets are sealed to.
    pub async fn sealing_key(&self) -> Result<SealingKey, ApiError> {
        let path = self.path(["actions", "secrets", "public-key"]);
        self.api.read(&Call::get(path)).await
    }

    /// The names of the secrets.
    pub async fn secret_names(&self) -> Result<Vec<String>, ApiError> {
        let mut names = Vec::new();
        for page in 1..=PAGES {
            let Secrets { secrets } = self.page("secrets", page, SECRETS_A_PAGE).await?;
            let is_last = secrets.len() < SECRETS_A_PAGE;
            names.extend(secrets.into_iter().map(|secret| secret.name));
            if is_last {
                return Ok(names);
            }
        }
        Err(ApiError::Odd("its list of secrets has no end".to_owned()))
    }

    /// Sets a secret, sealed to the key of that id and in base64.
    pub async fn set_secret(
        &self,
        name: &str,
        sealed: &str,
        sealing_key: &str,
    ) -> Result<(), ApiError> {
        let path = self.path(["actions", "secrets", name]);
        let body = json!({ "encrypted_value": sealed, "key_id": sealing_key });
        let call = Call::new(Method::PUT, path).json(body);
        self.api.send(&call).await.map(drop)
    }

    /// The variables, by name.
    pub async fn variables(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let mut all = BTreeMap::new();
        for page in 1..=PAGES {
            let Variables { variables } = self.page("variables", page, VARIABLES_A_PAGE).await?;
            let is_last = variables.len() < VARIABLES_A_PAGE;
            all.extend(variables.into_iter().map(|one| (one.name, one.value)));
            if is_last {
                return Ok(all);
            }
        }
        Err(ApiError::Odd("its list of variables has no end".to_owned()))
    }

    /// Makes a variable that is not there yet.
    pub async fn create_variable(&self, name: &str, value: &str) -> Result<(), ApiError> {
        let path = self.path(["actions", "variables"]);
        let body = json!({ "name": name, "value": value });
        let call = Call::new(Method::POST, path).json(body);
        self.api.send(&call).await.map(drop)
    }

    /// Changes a variable that is there.
    pub async fn change_variable(&self, name: &str, value: &str) -> Result<(), ApiError> {
        let path = self.path(["actions", "variables", name]);
        let call = Call::new(Method::PATCH, path).json(json!({ "value": value }));
        self.api.send(&call).await.map(drop)
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
        page: usize,
        length: usize,
    ) -> Result<T, ApiError> {
        let call = Call::get(self.path(["actions", what]))
            .with("per_page", length.to_string())
            .with("page", page.to_string());
        self.api.read(&call).await
    }
}

#[derive(Deserialize)]
struct Secrets {
    secrets: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Variables {
    variables: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}
