//! Projects: looked up by id or name, and made. What serves a project is in its document too.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::promotions;
use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// The projects of the token's team.
#[derive(Debug, Default)]
pub struct State {
    projects: Vec<Project>,
    made: u32,
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// What is answered of it: id, name, and whatever else a test sets. What serves it is
    /// added where it is known.
    pub document: Value,
    /// Its domains, but for one whose production is played.
    pub domains: Vec<Value>,
}

impl State {
    /// Makes a project, and returns its id.
    pub fn add(&mut self, name: &str) -> String {
        self.made += 1;
        let id = format!("prj_local{}", self.made);
        self.put(json!({ "id": id, "name": name }));
        id
    }

    /// Takes a project as it stands in a document, which has an id and a name.
    pub fn put(&mut self, document: Value) {
        self.projects
            .retain(|project| project.document["id"] != document["id"]);
        self.projects.push(Project {
            document,
            domains: Vec::new(),
        });
    }

    /// Says more of a project.
    pub fn describe(&mut self, id: &str, more: &Value) {
        let project = self.find_mut(id);
        let said = project.and_then(|project| project.document.as_object_mut());
        if let (Some(said), Value::Object(more)) = (said, more) {
            said.extend(more.clone());
        }
    }

    /// The project of that id or name.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.is(id_or_name))
    }

    /// The same, to be changed.
    pub fn find_mut(&mut self, id_or_name: &str) -> Option<&mut Project> {
        self.projects
            .iter_mut()
            .find(|project| project.is(id_or_name))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.projects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.projects.is_empty()
    }
}

impl Project {
    /// `prj_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.document["id"].as_str().unwrap_or_default()
    }

    fn is(&self, id_or_name: &str) -> bool {
        self.id() == id_or_name || self.document["name"] == id_or_name
    }
}

/// The answer to what is asked of projects; nothing where something else is asked.
pub(super) fn answer(
    state: &mut State,
    promotions: &mut promotions::State,
    asked: &Asked,
) -> Option<Response<Bytes>> {
    match asked.route() {
        ("GET", path) => {
            let ["v9", "projects", named, rest @ ..] = &path[..] else {
                return None;
            };
            let Some(project) = state.find(named) else {
                return Some(absent());
            };
            let document = match rest {
                [] => {
                    let mut document = project.document.clone();
                    promotions.show_in(&mut document);
                    document
                }
                ["domains"] => json!({ "domains": project.domains }),
                _ => return None,
            };
            Some(answer::json(StatusCode::OK, &document))
        }
        ("PATCH", path) => {
            let ["v9", "projects", named] = path[..] else {
                return None;
            };
            let id = state.find(named)?.id().to_owned();
            state.describe(&id, &asked.body);
            Some(answer::json(StatusCode::OK, &json!({ "id": id })))
        }
        ("DELETE", path) => {
            let ["v9", "projects", named] = path[..] else {
                return None;
            };
            state.projects.retain(|project| !project.is(named));
            Some(answer::json(StatusCode::OK, &json!({})))
        }
        ("POST", path) if path.ends_with(&["domains"]) => {
            let ["v10", "projects", named, _] = path[..] else {
                return None;
            };
            Some(add_domain(state, named, &asked.body))
        }
        ("POST", path) if path == ["v11", "projects"] => Some(create(state, &asked.body)),
        _ => None,
    }
}

fn create(state: &mut State, body: &Value) -> Response<Bytes> {
    let Some(name) = body["name"].as_str().filter(|name| is_name(name)) else {
        let rule = "A project name may hold up to 100 lower-case letters, digits, '.', '_' and '-'";
        return refusal(StatusCode::BAD_REQUEST, "bad_request", rule);
    };
    if state.find(name).is_some() {
        let taken = format!("Project \"{name}\" already exists, please use a new name.");
        return refusal(StatusCode::CONFLICT, "conflict", &taken);
    }
    let id = state.add(name);
    answer::json(StatusCode::OK, &json!({ "id": id, "name": name }))
}

fn add_domain(state: &mut State, named: &str, domain: &Value) -> Response<Bytes> {
    let taken = |project: &Project| {
        project
            .domains
            .iter()
            .any(|one| one["name"] == domain["name"])
    };
    if state.projects.iter().any(taken) {
        let rule = "Cannot add the domain since it's already in use by another project.";
        return refusal(StatusCode::CONFLICT, "domain_already_in_use", rule);
    }
    let Some(project) = state.find_mut(named) else {
        return absent();
    };
    project.domains.push(domain.clone());
    answer::json(StatusCode::OK, domain)
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    (1..=100).contains(&name.len()) && !name.contains("---") && name.bytes().all(plain)
}

/// What is answered for a project that the token does not see.
pub(super) fn absent() -> Response<Bytes> {
    refusal(StatusCode::NOT_FOUND, "not_found", "Project not found.")
}
