//! Projects and deployments as they stand, in the documents that a test wrote.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::super::stand_in::Asked;
use crate::answer;

/// What is known of them.
#[derive(Debug, Default)]
pub struct Standing {
    /// Projects by id or name.
    pub projects: BTreeMap<String, Value>,
    /// Deployments by id or address.
    pub deployments: BTreeMap<String, Value>,
}

/// Answers what is known here.
pub(super) fn answer(state: &Standing, asked: &Asked) -> Option<Response<Bytes>> {
    let ("GET", route) = asked.route() else {
        return None;
    };
    let found = match route[..] {
        ["v9", "projects", name] => state.projects.get(name),
        ["v13", "deployments", name] => state.deployments.get(name),
        _ => None,
    };
    found.map(|document| answer::json(StatusCode::OK, document))
}
