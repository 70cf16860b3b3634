//! Deployments: listed, and each alone.

use std::collections::BTreeMap;

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
    /// How many builds are going to fail.
    pub failing: usize,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// The id and the name of the project that it is of.
    pub project: (String, String),
    /// Its own address, without a scheme unless a test needs one.
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
    /// The tree of what was uploaded for it; `None` where nothing was.
    pub files: Option<Value>,
}

impl State {
    /// A deployment by its id, its address or its host.
    #[must_use]
    pub fn find(&self, named: &str) -> Option<&Deployment> {
        let is_it = |one: &&Deployment| [one.id.as_str(), &one.url, one.host()].contains(&named);
        self.all.iter().find(is_it)
    }

    /// Builds a deployment once more.
    fn redeploy(&mut self, asked: &Value) -> Response<Bytes> {
        let named = asked["deploymentId"].as_str().unwrap_or_default();
        let Some(former) = self.find(named).cloned() else {
            return absent();
        };
        let newest = self.all.iter().map(|one| one.created_at).max();
        let again = Deployment {
            id: format!("dpl_again{}", self.all.len()),
            created_at: newest.unwrap_or_default() + 1,
            meta: asked["meta"].clone(),
            state: if self.failing > 0 {
                "ERROR"
            } else {
                former.state
            },
            ..former
        };
        self.failing = self.failing.saturating_sub(1);
        let mut document = again.document();
        document["id"] = json!(again.id);
        self.all.push(again);
        answer::json(StatusCode::OK, &document)
    }
}

impl Deployment {
    /// One that served production, and can again.
    #[must_use]
    pub fn served(id: &str, created_at: i64, commit: &str) -> Self {
        Self {
            id: id.to_owned(),
            project: ("prj_1".to_owned(), "wine".to_owned()),
            url: format!("{id}.vercel.app"),
            created_at,
            state: "READY",
            substate: Some("PROMOTED"),
            is_production: true,
            is_candidate: Some(true),
            meta: json!({"githubCommitSha": commit, "githubCommitMessage": format!("Say {commit}")}),
            files: None,
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

    /// The host of its address, which the platform knows it by.
    fn host(&self) -> &str {
        let bare = self.url.split("://").last().unwrap_or_default();
        bare.split([':', '/']).next().unwrap_or_default()
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
            "url": self.url, "projectId": self.project.0, "name": self.project.1, "createdAt": self.created_at,
            "readyState": self.state, "readySubstate": self.substate,
            "target": self.is_production.then_some("production"), "meta": self.meta,
        });
        if let Some(candidate) = self.is_candidate {
            document["isRollbackCandidate"] = json!(candidate);
        }
        document
    }
}

/// The answer to what is asked of deployments; a domain names the one that holds it.
pub(super) fn answer(
    state: &mut State,
    aliases: &BTreeMap<String, String>,
    asked: &Asked,
) -> Option<Response<Bytes>> {
    let (method, path) = asked.route();
    match (method, &path[..]) {
        ("POST", ["v13", "deployments"]) => Some(state.redeploy(&asked.body)),
        ("GET", ["v6" | "v7", "deployments"]) => Some(list(state, asked)),
        ("GET", ["v13", "deployments", named]) => {
            let named = aliases.get(*named).map_or(*named, String::as_str);
            Some(match state.find(named) {
                Some(one) => {
                    let mut document = one.document();
                    document["id"] = json!(one.id);
                    answer::json(StatusCode::OK, &document)
                }
                None => absent(),
            })
        }
        ("GET", ["v6", "deployments", id, "files"]) => {
            let files = state.find(id).and_then(|one| one.files.as_ref());
            let tree = files.map(|files| answer::json(StatusCode::OK, files));
            Some(tree.unwrap_or_else(absent))
        }
        _ => None,
    }
}

/// What is answered for a deployment that the token does not see.
pub(super) fn absent() -> Response<Bytes> {
    refusal(
        StatusCode::NOT_FOUND,
        "not_found",
        "The deployment could not be found",
    )
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
