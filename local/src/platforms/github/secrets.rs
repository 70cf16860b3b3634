//! Secrets and variables of repositories' workflows. A secret is opened on arrival, so
//! that a test sees what a workflow would be given.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use crypto_box::{SecretKey, aead::OsRng};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// The one key that the stand-in has.
const KEY: &str = "568250167242549743";

/// The repositories, by owner and name, and what secrets are sealed to.
pub struct State {
    repositories: BTreeMap<(String, String), Repository>,
    key: SecretKey,
}

/// What the workflows of one repository are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// Secrets, opened.
    pub secrets: BTreeMap<String, String>,
    /// Variables.
    pub variables: BTreeMap<String, String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            repositories: BTreeMap::new(),
            key: SecretKey::generate(&mut OsRng),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.repositories.keys();
        formatter.debug_list().entries(names).finish()
    }
}

impl State {
    /// The repository of that owner and name, which is made if it is new.
    pub fn repository(&mut self, owner: &str, name: &str) -> &mut Repository {
        let named = (owner.to_owned(), name.to_owned());
        self.repositories.entry(named).or_default()
    }
}

/// The answer to what is asked of secrets and variables; nothing where something else is
/// asked.
pub(super) fn answer(state: &mut State, asked: &Asked) -> Option<Response<Bytes>> {
    let (method, path) = asked.route();
    let [
        "repos",
        owner,
        name,
        "actions",
        what @ ("secrets" | "variables"),
        rest @ ..,
    ] = &path[..]
    else {
        return None;
    };
    let named = ((*owner).to_owned(), (*name).to_owned());
    let Some(repository) = state.repositories.get_mut(&named) else {
        return Some(refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"));
    };
    match (method, *what, rest) {
        ("GET", "secrets", ["public-key"]) => {
            let key = BASE64_STANDARD.encode(state.key.public_key().as_bytes());
            let document = json!({ "key_id": KEY, "key": key });
            Some(answer::json(StatusCode::OK, &document))
        }
        ("GET", "secrets", []) => Some(secrets(repository, asked)),
        ("PUT", "secrets", [secret]) => {
            Some(set_secret(repository, &state.key, secret, &asked.body))
        }
        ("GET", "variables", []) => Some(variables(repository, asked)),
        ("POST", "variables", []) => Some(create_variable(repository, &asked.body)),
        ("PATCH", "variables", [variable]) => {
            Some(change_variable(repository, variable, &asked.body))
        }
        _ => None,
    }
}

fn secrets(repository: &Repository, asked: &Asked) -> Response<Bytes> {
    let names = repository.secrets.keys();
    let all: Vec<Value> = names.map(|name| json!({ "name": name })).collect();
    let page = json!({ "total_count": all.len(), "secrets": page(&all, asked, 100) });
    answer::json(StatusCode::OK, &page)
}

fn variables(repository: &Repository, asked: &Asked) -> Response<Bytes> {
    let variables = repository.variables.iter();
    let all: Vec<Value> = variables
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let page = json!({ "total_count": all.len(), "variables": page(&all, asked, 30) });
    answer::json(StatusCode::OK, &page)
}

/// The part that is asked for, of at most `largest`.
fn page<'a>(all: &'a [Value], asked: &Asked, largest: usize) -> &'a [Value] {
    let number = |name: &str| asked.parameter(name).and_then(|text| text.parse().ok());
    let length = number("per_page").unwrap_or(10).clamp(1, largest);
    let skipped = number("page").unwrap_or(1).saturating_sub(1) * length;
    let rest = all.get(skipped..).unwrap_or_default();
    rest.get(..length).unwrap_or(rest)
}

fn set_secret(
    repository: &mut Repository,
    key: &SecretKey,
    name: &str,
    body: &Value,
) -> Response<Bytes> {
    if !is_name(name) {
        return unprocessable("the name is not one, or is reserved");
    }
    let opened = body["encrypted_value"]
        .as_str()
        .filter(|_| body["key_id"] == KEY)
        .and_then(|sealed| BASE64_STANDARD.decode(sealed).ok())
        .and_then(|sealed| key.unseal(&sealed).ok())
        .and_then(|opened| String::from_utf8(opened).ok());
    let Some(opened) = opened else {
        return unprocessable("the value is not sealed to the repository's key");
    };
    match repository.secrets.insert(name.to_owned(), opened) {
        None => answer::json(StatusCode::CREATED, &json!({})),
        Some(_) => answer::empty(StatusCode::NO_CONTENT),
    }
}

fn create_variable(repository: &mut Repository, body: &Value) -> Response<Bytes> {
    let (Some(name), Some(value)) = (body["name"].as_str(), body["value"].as_str()) else {
        return unprocessable("a name and a value are needed");
    };
    if !is_name(name) {
        return unprocessable("the name is not one, or is reserved");
    }
    if repository.variables.contains_key(name) {
        let message = "Already exists - Variable already exists";
        return refusal(StatusCode::CONFLICT, "conflict", message);
    }
    repository
        .variables
        .insert(name.to_owned(), value.to_owned());
    answer::json(StatusCode::CREATED, &json!({}))
}

fn change_variable(repository: &mut Repository, name: &str, body: &Value) -> Response<Bytes> {
    let there = repository.variables.get_mut(name);
    match (there, body["value"].as_str()) {
        (Some(there), Some(value)) => {
            value.clone_into(there);
            answer::empty(StatusCode::NO_CONTENT)
        }
        (None, _) => refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"),
        (_, None) => unprocessable("a value is needed"),
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.bytes().all(plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.to_ascii_uppercase().starts_with("GITHUB_")
}

fn unprocessable(message: &str) -> Response<Bytes> {
    refusal(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validation_failed",
        message,
    )
}
