//! A project's own backups and its restore points.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// What there is of each project, by its reference.
#[derive(Debug, Default)]
pub struct Backups(BTreeMap<String, Project>);

/// One project's.
#[derive(Debug)]
pub struct Project {
    /// What is answered about its backups.
    pub document: Value,
    /// Whether its plan has restore points.
    pub has_restore_points: bool,
    /// How often one is asked about before it is ready; `None` where it fails.
    pub looks_until_ready: Option<u32>,
    /// The restore points that were made, by name, each with how often it was asked about.
    pub restore_points: BTreeMap<String, u32>,
}

impl Backups {
    /// Sets a project up with the backups that were made at these times.
    pub fn project(&mut self, reference: &str, backups: &[(&str, &str)]) {
        let listed: Vec<Value> = backups
            .iter()
            .zip(1..)
            .map(|((at, status), id)| {
                json!({
                    "id": id, "inserted_at": at, "status": status, "is_physical_backup": false,
                })
            })
            .collect();
        let document = json!({
            "region": "eu-central-1", "walg_enabled": true, "pitr_enabled": false,
            "backups": listed, "physical_backup_data": {},
        });
        self.0.insert(
            reference.to_owned(),
            Project {
                document,
                has_restore_points: true,
                looks_until_ready: Some(1),
                restore_points: BTreeMap::new(),
            },
        );
    }

    /// Sets a project up whose plan has neither backups nor restore points.
    pub fn without_any(&mut self, reference: &str) {
        self.project(reference, &[]);
        if let Some(project) = self.of(reference) {
            project.has_restore_points = false;
        }
    }

    /// What there is of a project.
    pub fn of(&mut self, reference: &str) -> Option<&mut Project> {
        self.0.get_mut(reference)
    }
}

/// The answer, if it is a request of this part.
pub(super) fn answer(backups: &mut Backups, asked: &Asked) -> Option<Response<Bytes>> {
    let (method, route) = asked.route();
    let [
        "v1",
        "projects",
        reference,
        "database",
        "backups",
        rest @ ..,
    ] = &route[..]
    else {
        return None;
    };
    let Some(project) = backups.0.get_mut(*reference) else {
        return Some(refusal(
            StatusCode::NOT_FOUND,
            "not_found",
            "Project not found",
        ));
    };
    match (method, rest) {
        ("GET", []) => Some(answer::json(StatusCode::OK, &project.document)),
        ("POST", ["restore-point"]) => Some(project.make(asked)),
        ("GET", ["restore-point"]) => Some(project.look(asked)),
        _ => None,
    }
}

impl Project {
    fn make(&mut self, asked: &Asked) -> Response<Bytes> {
        if !self.has_restore_points {
            let why = "Restore points are not available on this plan";
            return refusal(StatusCode::PAYMENT_REQUIRED, "payment_required", why);
        }
        let Some(name) = asked.body["name"].as_str().filter(|name| name.len() <= 20) else {
            let why = "name must be at most 20 characters";
            return refusal(StatusCode::BAD_REQUEST, "bad_request", why);
        };
        self.restore_points.insert(name.to_owned(), 0);
        answer::json(
            StatusCode::CREATED,
            &json!({"name": name, "status": "PENDING"}),
        )
    }

    fn look(&mut self, asked: &Asked) -> Response<Bytes> {
        let name = asked.parameter("name").unwrap_or_default();
        let Some(looks) = self.restore_points.get_mut(name) else {
            return refusal(StatusCode::NOT_FOUND, "not_found", "No such restore point");
        };
        *looks += 1;
        let status = match self.looks_until_ready {
            None => "FAILED",
            Some(until) if *looks < until => "PENDING",
            Some(_) => "AVAILABLE",
        };
        answer::json(StatusCode::OK, &json!({"name": name, "status": status}))
    }
}
