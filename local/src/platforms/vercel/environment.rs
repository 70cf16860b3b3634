//! Environment variables of projects, whose sensitive values are never shown again.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::projects::{self, absent};
use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// The variables, by the id of their project.
#[derive(Debug, Default)]
pub struct State {
    variables: BTreeMap<String, Vec<Variable>>,
    made: u32,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as in the API")]
pub struct Variable {
    pub id: String,
    pub key: String,
    pub value: String,
    pub kind: String,
    pub target: Vec<String>,
    pub git_branch: Option<String>,
    pub comment: String,
}

impl State {
    /// The variables of a project, by its id.
    #[must_use]
    pub fn of(&self, project: &str) -> &[Variable] {
        self.variables.get(project).map_or(&[], Vec::as_slice)
    }

    /// The same, to be changed as somebody does in the browser.
    pub fn of_mut(&mut self, project: &str) -> &mut Vec<Variable> {
        self.variables.entry(project.to_owned()).or_default()
    }
}

/// The answer to what is asked of variables; nothing where something else is asked.
pub(super) fn answer(
    state: &mut State,
    projects: &projects::State,
    asked: &Asked,
) -> Option<Response<Bytes>> {
    let (method, path) = asked.route();
    let (project, id) = match path[..] {
        ["v10", "projects", project, "env"] => (project, None),
        ["v9", "projects", project, "env", id] => (project, Some(id)),
        _ => return None,
    };
    let Some(project) = projects.find(project) else {
        return Some(absent());
    };
    match (method, id) {
        ("GET", None) => Some(list(state.of(project.id()))),
        ("POST", None) => Some(set(state, project.id(), asked)),
        ("DELETE", Some(id)) => Some(remove(state.of_mut(project.id()), id)),
        _ => None,
    }
}

fn list(variables: &[Variable]) -> Response<Bytes> {
    let envs: Vec<Value> = variables.iter().map(Variable::document).collect();
    let pagination = json!({ "count": envs.len(), "next": null, "prev": null });
    let page = json!({ "envs": envs, "pagination": pagination });
    answer::json(StatusCode::OK, &page)
}

impl Variable {
    fn document(&self) -> Value {
        // One target may stand there without a list.
        let target = match self.target.as_slice() {
            [one] => json!(one),
            many => json!(many),
        };
        json!({
            "id": self.id,
            "key": self.key,
            "value": if self.kind == "plain" { self.value.as_str() } else { "" },
            "type": self.kind,
            "target": target,
            "gitBranch": self.git_branch,
            "customEnvironmentIds": [],
            "comment": self.comment,
        })
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.key == other.key
            && self.git_branch == other.git_branch
            && self.target.iter().any(|one| other.target.contains(one))
    }
}

/// Takes one variable or a list, and says of each whether it was taken.
fn set(state: &mut State, project: &str, asked: &Asked) -> Response<Bytes> {
    let upserts = asked.parameter("upsert") == Some("true");
    let wanted = match &asked.body {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    };
    let (mut created, mut failed) = (Vec::new(), Vec::new());
    for one in wanted {
        state.made += 1;
        let taken = read(&one, state.made)
            .and_then(|variable| put(state.of_mut(project), variable, upserts));
        match taken {
            Ok(variable) => created.push(variable.document()),
            Err((code, message)) => failed.push(json!({
                "error": { "code": code, "message": message, "envVarKey": one["key"] },
            })),
        }
    }
    let outcome = json!({ "created": created, "failed": failed });
    answer::json(StatusCode::CREATED, &outcome)
}

fn read(one: &Value, number: u32) -> Result<Variable, (&'static str, String)> {
    let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let targets = one["target"].as_array();
    let variable = Variable {
        id: format!("env{number}"),
        key: text("key"),
        value: text("value"),
        kind: text("type"),
        target: targets
            .into_iter()
            .flatten()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        git_branch: one["gitBranch"].as_str().map(str::to_owned),
        comment: text("comment"),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if variable.key.is_empty() || !variable.key.bytes().all(is_name) {
        return Err(("INVALID_KEY", "the name is not one".to_owned()));
    }
    if variable.target.is_empty() || variable.comment.len() > 500 {
        return Err(("BAD_REQUEST", "no target, or too long a comment".to_owned()));
    }
    if variable.kind == "sensitive" && variable.target.iter().any(|one| one == "development") {
        let rule = "sensitive variables have no target development";
        return Err(("BAD_REQUEST", rule.to_owned()));
    }
    Ok(variable)
}

/// Replaces the variable with the very same targets; one that shares some of them is in
/// the way.
fn put(
    variables: &mut Vec<Variable>,
    variable: Variable,
    upserts: bool,
) -> Result<Variable, (&'static str, String)> {
    let conflict = format!("A variable with the name `{}` already exists", variable.key);
    let Some(there) = variables.iter_mut().find(|one| one.overlaps(&variable)) else {
        variables.push(variable.clone());
        return Ok(variable);
    };
    if !upserts || there.target != variable.target {
        return Err(("ENV_CONFLICT", conflict));
    }
    if there.kind == "sensitive" && variable.kind != "sensitive" {
        let rule = "a sensitive variable stays sensitive";
        return Err(("BAD_REQUEST", rule.to_owned()));
    }
    let id = there.id.clone();
    *there = Variable { id, ..variable };
    Ok(there.clone())
}

fn remove(variables: &mut Vec<Variable>, id: &str) -> Response<Bytes> {
    let Some(index) = variables.iter().position(|one| one.id == id) else {
        return refusal(StatusCode::NOT_FOUND, "not_found", "Variable not found.");
    };
    let removed = variables.remove(index);
    answer::json(StatusCode::OK, &removed.document())
}
