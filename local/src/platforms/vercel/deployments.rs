//! Deployments: listed, and each alone.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// What was deployed, the oldest first.
#[derive(Debug, Default)]
pub struct State {
    /// The deployments.
    pub all: Vec<Deployment>,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// Its own address.
    pub url: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// `READY`, `ERROR` and so on.
    pub state: &'static str,
    /// `STAGED`, `PROMOTED` or none.
    pub substate: Option<&'static str>,
    /// Whether it was built for production.
    pub is_production: bool,
    /// Whether one can go back to it; `None` leaves the field out.
    pub is_candidate: Option<bool>,
    /// What was said of it as it was made.
    pub meta: Value,
}

impl State {
    /// A deployment by its id or its address.
    #[must_use]
    pub fn find(&self, named: &str) -> Option<&Deployment> {
        let is_it = |one: &&Deployment| one.id == named || one.url == named;
        self.all.iter().find(is_it)
    }
}

impl Deployment {
    /// One that served production, and can again.
    #[must_use]
    pub fn served(id: &str, created_at: i64, commit: &str) -> Self {
        Self {
            id: id.to_owned(),
            url: format!("{id}.vercel.app"),
            created_at,
            state: "READY",
            substate: Some("PROMOTED"),
            is_production: true,
            is_candidate: Some(true),
            meta: json!({"githubCommitSha": commit, "githubCommitMessage": format!("Say {commit}")}),
        }
    }

    /// One that was built for production and serves nobody.
    #[must_use]
    pub fn staged(id: &str, created_at: i64, commit: &str) -> Self {
        Self {
            substate: Some("STAGED"),
            is_candidate: Some(false),
            ..Self::served(id, created_at, commit)
        }
    }

    /// As a list shows it.
    fn listed(&self) -> Value {
        let mut document = self.document();
        document["uid"] = json!(self.id);
        document["created"] = json!(self.created_at);
        document["state"] = json!(self.state);
        document
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "url": self.url, "name": "wine", "createdAt": self.created_at,
            "readyState": self.state, "readySubstate": self.substate,
            "target": self.is_production.then_some("production"), "meta": self.meta,
        });
        if let Some(candidate) = self.is_candidate {
            document["isRollbackCandidate"] = json!(candidate);
        }
        document
    }
}

pub(super) fn answer(state: &State, asked: &Asked) -> Option<Response<Bytes>> {
    match asked.route() {
        ("GET", path) if matches!(path[..], ["v6" | "v7", "deployments"]) => {
            Some(list(state, asked))
        }
        ("GET", path) => {
            let ["v13", "deployments", named] = path[..] else {
                return None;
            };
            Some(match state.find(named) {
                Some(one) => {
                    let mut document = one.document();
                    document["id"] = json!(one.id);
                    answer::json(StatusCode::OK, &document)
                }
                None => refusal(
                    StatusCode::NOT_FOUND,
                    "not_found",
                    "The deployment could not be found",
                ),
            })
        }
        _ => None,
    }
}

fn list(state: &State, asked: &Asked) -> Response<Bytes> {
    let limit = asked
        .parameter("limit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(20);
    let production = asked.parameter("target") == Some("production");
    let mut found: Vec<_> = state
        .all
        .iter()
        .filter(|one| one.is_production || !production)
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    let page: Vec<_> = found
        .into_iter()
        .take(limit)
        .map(Deployment::listed)
        .collect();
    let count = page.len();
    let document = json!({
        "deployments": page,
        "pagination": {"count": count, "next": null, "prev": null},
    });
    answer::json(StatusCode::OK, &document)
}
