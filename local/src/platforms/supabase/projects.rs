//! Projects: looked up, made, their keys and their poolers.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// The one organization that the token belongs to.
pub const ORGANIZATION: &str = "local-organization";

/// The projects that the token sees.
#[derive(Debug, Default)]
pub struct State {
    /// In the order in which they were made.
    pub projects: Vec<Project>,
    /// Where their sessions are opened, instead of at Supabase's.
    pub session_host: Option<String>,
}

/// A project.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is named as in the API")]
pub struct Project {
    pub id: String,
    pub name: String,
    pub region: String,
    pub secret_key: String,
    pub publishable_key: String,
    /// The password of role `postgres` that it was made with.
    pub db_pass: String,
    /// Whether it has come up, which takes a project until it is looked at again.
    pub is_up: bool,
    /// The documents of its configuration that somebody put, by their paths.
    pub configured: BTreeMap<String, Value>,
    /// The slugs of the Edge Functions that somebody made.
    pub functions: Vec<String>,
}

/// The answer to what is asked of projects; nothing where something else is asked.
pub(super) fn answer(state: &mut State, asked: &Asked) -> Option<Response<Bytes>> {
    let (method, path) = asked.route();
    let ["v1", "projects", rest @ ..] = &path[..] else {
        return None;
    };
    match (method, rest) {
        ("GET", []) => {
            let all: Vec<Value> = state.projects.iter().map(Project::document).collect();
            Some(answer::json(StatusCode::OK, &json!(all)))
        }
        ("POST", []) => Some(create(state, &asked.body)),
        ("DELETE", [id]) => {
            state.projects.retain(|one| one.id != **id);
            Some(answer::json(StatusCode::OK, &json!({ "id": id })))
        }
        ("PATCH" | "PUT" | "POST", [id, rest @ ..]) => {
            let project = state.projects.iter_mut().find(|one| one.id == **id)?;
            project.change(rest, asked)
        }
        ("GET", [id, rest @ ..]) => {
            let session_host = state.session_host.clone();
            let Some(project) = state.projects.iter_mut().find(|one| one.id == **id) else {
                return Some(refusal(
                    StatusCode::NOT_FOUND,
                    "not_found",
                    "Project not found",
                ));
            };
            let document = match rest {
                [] => project.document(),
                ["api-keys"] => project.keys(asked.parameter("reveal") == Some("true")),
                ["config", "database", "pooler"] => project.poolers(session_host),
                ["functions"] => project.functions(),
                _ => return None,
            };
            project.is_up = true;
            Some(answer::json(StatusCode::OK, &document))
        }
        _ => None,
    }
}

impl Project {
    fn document(&self) -> Value {
        json!({
            "id": self.id,
            "ref": self.id,
            "name": self.name,
            "organization_slug": ORGANIZATION,
            "region": self.region,
            "status": if self.is_up { "ACTIVE_HEALTHY" } else { "COMING_UP" },
            "created_at": "2026-11-24T12:00:00Z",
        })
    }

    fn keys(&self, revealed: bool) -> Value {
        let secret = if revealed {
            self.secret_key.as_str()
        } else {
            "sb_secret_····"
        };
        json!([
            { "name": "anon", "type": "legacy", "api_key": null },
            { "name": "default", "type": "publishable", "api_key": self.publishable_key },
            { "name": "default", "type": "secret", "api_key": secret },
        ])
    }

    fn functions(&self) -> Value {
        let listed = self.functions.iter();
        listed.map(|slug| json!({ "slug": slug })).collect()
    }

    /// Takes a document of the configuration, or an Edge Function.
    fn change(&mut self, place: &[&str], asked: &Asked) -> Option<Response<Bytes>> {
        if place == ["functions"] {
            let slug = asked.parameter("slug")?.to_owned();
            if self.functions.contains(&slug) {
                let taken = "Function already exists";
                return Some(refusal(StatusCode::CONFLICT, "conflict", taken));
            }
            self.functions.push(slug);
            return Some(answer::json(StatusCode::CREATED, &json!({})));
        }
        let known = [
            "config/auth",
            "postgrest",
            "config/database/postgres",
            "config/storage",
            "network-restrictions/apply",
        ];
        let place = place.join("/");
        if !known.contains(&place.as_str()) {
            return None;
        }
        self.configured.insert(place, asked.body.clone());
        Some(answer::json(StatusCode::OK, &asked.body))
    }

    fn poolers(&self, session_host: Option<String>) -> Value {
        let host =
            session_host.unwrap_or_else(|| format!("aws-0-{}.pooler.supabase.com", self.region));
        json!([{
            "identifier": self.id,
            "database_type": "PRIMARY",
            "db_user": format!("postgres.{}", self.id),
            "db_host": host,
            "db_port": 6543,
            "db_name": "postgres",
            "pool_mode": "transaction",
        }])
    }
}

fn create(state: &mut State, body: &Value) -> Response<Bytes> {
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    let (Some(name), Some(region), Some(db_pass)) = (text("name"), text("region"), text("db_pass"))
    else {
        let message = "name, region and db_pass are required";
        return refusal(StatusCode::BAD_REQUEST, "bad_request", message);
    };
    if text("organization_slug") != Some(ORGANIZATION) {
        let message = "You do not have access to this organization";
        return refusal(StatusCode::FORBIDDEN, "forbidden", message);
    }
    // Letters alone, as real references are.
    let number = u8::try_from(state.projects.len() % 26).unwrap_or_default();
    let id = format!(
        "localproject{}",
        char::from(b'a' + number).to_string().repeat(8)
    );
    let project = Project {
        secret_key: format!("sb_secret_{id}"),
        publishable_key: format!("sb_publishable_{id}"),
        id,
        name: name.to_owned(),
        region: region.to_owned(),
        db_pass: db_pass.to_owned(),
        is_up: false,
        configured: BTreeMap::new(),
        functions: Vec::new(),
    };
    let document = project.document();
    state.projects.push(project);
    answer::json(StatusCode::CREATED, &document)
}
