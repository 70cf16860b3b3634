//! A project as Vercel shows it: who serves production, and whether it is pinned.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{answer, platforms::stand_in::Asked};

/// The projects by id; each is the document that is answered.
#[derive(Debug, Default)]
pub struct Projects(BTreeMap<String, Value>);

impl Projects {
    /// Sets a project's production up: the deployment that serves, and whether what is built
    /// next will.
    pub fn serve(&mut self, id: &str, deployment: &str, since_ms: i64, assigns: bool) {
        let document = json!({
            "id": id,
            "name": id,
            "autoAssignCustomDomains": assigns,
            "targets": {"production": {
                "id": deployment, "readyState": "READY", "readyAt": since_ms, "meta": {},
            }},
        });
        self.0.insert(id.to_owned(), document);
    }

    /// A project's document, to be changed.
    pub fn document(&mut self, id: &str) -> Option<&mut Value> {
        self.0.get_mut(id)
    }
}

/// The answer, if it is a request of this part and the project is one of these.
pub(super) fn answer(projects: &Projects, asked: &Asked) -> Option<Response<Bytes>> {
    let ("GET", route) = asked.route() else {
        return None;
    };
    let ["v9", "projects", id] = route[..] else {
        return None;
    };
    let project = projects.0.get(id)?;
    Some(answer::json(StatusCode::OK, project))
}
