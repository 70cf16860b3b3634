//! Projects: looked up by id or name, and made.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

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
    /// `prj_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What an answer says of it beside these two.
    pub more: Map<String, Value>,
}

impl State {
    /// Makes a project, and returns its id.
    pub fn add(&mut self, name: &str) -> String {
        self.made += 1;
        let id = format!("prj_local{}", self.made);
        self.projects.push(Project {
            id: id.clone(),
            name: name.to_owned(),
            more: Map::new(),
        });
        id
    }

    /// The project of that id or name.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<&Project> {
        self.projects
            .iter()
            .find(|project| project.id == id_or_name || project.name == id_or_name)
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
    fn document(&self) -> Value {
        let mut document = self.more.clone();
        document.insert("id".to_owned(), json!(self.id));
        document.insert("name".to_owned(), json!(self.name));
        Value::Object(document)
    }
}

/// The answer to what is asked of projects; nothing where something else is asked.
pub(super) fn answer(state: &mut State, asked: &Asked) -> Option<Response<Bytes>> {
    match asked.route() {
        ("GET", path) => {
            let ["v9", "projects", project] = path[..] else {
                return None;
            };
            Some(match state.find(project) {
                Some(project) => answer::json(StatusCode::OK, &project.document()),
                None => absent(),
            })
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
