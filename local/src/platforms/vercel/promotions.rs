//! What serves production of one project: its domains and their aliases, and the requests
//! that move them. A request is only taken; the aliases move later, as the project is read.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::deployments;
use crate::{
    answer,
    platforms::stand_in::{Asked, refusal},
};

/// One project.
#[derive(Debug, Default)]
pub struct State {
    /// The project's id; while it has none, nothing here answers.
    pub project: String,
    /// The project's name.
    pub name: String,
    /// Its production domains, with what holds each.
    pub aliases: BTreeMap<String, String>,
    /// When an alias moved last, in milliseconds since 1970. It goes on with each change.
    pub now: i64,
    /// Whether a rollback keeps later releases from the domains.
    pub is_pinned: bool,
    /// What was asked for last.
    pub job: Option<Job>,
    /// Whether the plan allows to go back one deployment alone.
    pub is_hobby: bool,
    /// How the next jobs go.
    pub course: Course,
    /// Fields that the project leaves out.
    pub omitted: BTreeSet<&'static str>,
    /// Every change of traffic that was taken, in order: what was asked, and for which.
    pub taken: Vec<(&'static str, String)>,
}

/// How a job goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    /// How often the project is read until it is settled; 0 settles it at once.
    pub readings: u32,
    /// How many domains are left where they were, in which case the job has failed.
    pub left_behind: usize,
}

/// A promotion or a rollback.
#[derive(Clone, Debug)]
pub struct Job {
    kind: &'static str,
    from: Option<String>,
    to: String,
    requested_at: i64,
    status: &'static str,
    readings: u32,
}

impl State {
    /// A project all of whose domains are held by one deployment.
    #[must_use]
    pub fn serving(project: &str, name: &str, domains: &[&str], deployment: &str) -> Self {
        let held = |domain: &&str| ((*domain).to_owned(), deployment.to_owned());
        Self {
            project: project.to_owned(),
            name: name.to_owned(),
            aliases: domains.iter().map(held).collect(),
            now: 1_795_521_600_000,
            ..Self::default()
        }
    }

    /// Takes a request as the platform does, whoever asks.
    pub fn take(&mut self, kind: &'static str, to: &str) {
        self.now += 1_000;
        self.taken.push((kind, to.to_owned()));
        self.job = Some(Job {
            kind,
            from: self.aliases.values().next().cloned(),
            to: to.to_owned(),
            requested_at: self.now,
            status: "pending",
            readings: self.course.readings,
        });
        self.go_on();
    }

    /// Lets the job come one reading further.
    fn go_on(&mut self) {
        let Some(mut job) = self.job.take() else {
            return;
        };
        if job.status == "pending" || job.status == "in-progress" {
            if job.readings == 0 {
                self.settle(&mut job);
            } else {
                job.readings -= 1;
                job.status = "in-progress";
            }
        }
        self.job = Some(job);
    }

    fn settle(&mut self, job: &mut Job) {
        let moved = self.aliases.len().saturating_sub(self.course.left_behind);
        for holder in self.aliases.values_mut().take(moved) {
            holder.clone_from(&job.to);
        }
        self.now += 1_000;
        if moved == self.aliases.len() {
            job.status = "succeeded";
            self.is_pinned = job.kind == "rollback";
        } else {
            job.status = "failed";
        }
    }

    /// Adds to a project's document what serves it, if it is this one, and goes on.
    pub(super) fn show_in(&mut self, project: &mut Value) {
        if self.project.is_empty() || project["id"] != self.project.as_str() {
            return;
        }
        project["accountId"] = json!("team_1");
        project["autoAssignCustomDomains"] = json!(!self.is_pinned);
        project["lastAliasRequest"] = json!(self.job.as_ref().map(|job| json!({
            "type": job.kind, "fromDeploymentId": job.from, "toDeploymentId": job.to,
            "jobStatus": job.status, "requestedAt": job.requested_at,
        })));
        if let Some(fields) = project.as_object_mut() {
            fields.retain(|name, _| !self.omitted.contains(name.as_str()));
        }
        self.go_on();
    }

    fn is_busy(&self) -> bool {
        let open = |job: &Job| job.status == "pending" || job.status == "in-progress";
        self.job.as_ref().is_some_and(open)
    }
}

pub(super) fn answer(
    state: &mut State,
    deployments: &deployments::State,
    asked: &Asked,
) -> Option<Response<Bytes>> {
    let (method, path) = asked.route();
    let is_it = |named: &str| !named.is_empty() && (named == state.project || named == state.name);
    match (method, &path[..]) {
        ("GET", ["v9", "projects", named, "domains"]) if is_it(named) => Some(domains(state)),
        ("GET", ["v4", "aliases", domain]) => Some(alias(state, domain)),
        ("POST", ["v10", "projects", named, "promote", deployment]) if is_it(named) => {
            Some(promote(state, deployments, deployment))
        }
        ("POST", ["v1" | "v9", "projects", named, "rollback", deployment]) if is_it(named) => {
            Some(roll_back(state, deployments, deployment))
        }
        _ => None,
    }
}

fn domains(state: &State) -> Response<Bytes> {
    let domain = |name: &String| {
        json!({"name": name, "apexName": name, "projectId": state.project, "redirect": null,
               "gitBranch": null, "customEnvironmentId": null, "verified": true})
    };
    let domains: Vec<_> = state.aliases.keys().map(domain).collect();
    let count = domains.len();
    let document = json!({
        "domains": domains,
        "pagination": {"count": count, "next": null, "prev": null},
    });
    answer::json(StatusCode::OK, &document)
}

fn alias(state: &State, domain: &str) -> Response<Bytes> {
    match state.aliases.get(domain) {
        Some(deployment) => {
            let document = json!({
                "uid": format!("als_{domain}"), "alias": domain, "deploymentId": deployment,
                "projectId": state.project, "createdAt": 1_795_521_600_000_i64,
                "updatedAt": state.now,
            });
            answer::json(StatusCode::OK, &document)
        }
        None => refusal(
            StatusCode::NOT_FOUND,
            "not_found",
            "The alias could not be found",
        ),
    }
}

fn promote(state: &mut State, deployments: &deployments::State, to: &str) -> Response<Bytes> {
    match deployments.find(to) {
        None => deployments::absent(),
        Some(one) if one.state != "READY" || !one.is_production => ineligible(),
        Some(_) if state.is_busy() => busy(),
        Some(_) => {
            state.take("promote", to);
            answer::json(StatusCode::CREATED, &json!({}))
        }
    }
}

fn roll_back(state: &mut State, deployments: &deployments::State, to: &str) -> Response<Bytes> {
    let Some(one) = deployments.find(to) else {
        return deployments::absent();
    };
    if one.state != "READY" || one.is_candidate == Some(false) {
        return ineligible();
    }
    if state.is_busy() {
        return busy();
    }
    let previous = deployments
        .all
        .iter()
        .filter(|one| one.substate == Some("PROMOTED"))
        .filter(|one| state.aliases.values().all(|holder| *holder != one.id))
        .max_by_key(|one| one.created_at);
    if state.is_hobby && previous.is_none_or(|previous| previous.id != one.id) {
        return refusal(
            StatusCode::PAYMENT_REQUIRED,
            "payment_required",
            "Your plan allows to go back to the previous deployment alone",
        );
    }
    state.take("rollback", to);
    answer::json(StatusCode::CREATED, &json!({}))
}

fn ineligible() -> Response<Bytes> {
    refusal(
        StatusCode::UNPROCESSABLE_ENTITY,
        "ineligible",
        "The deployment cannot be used for this",
    )
}

fn busy() -> Response<Bytes> {
    refusal(
        StatusCode::CONFLICT,
        "conflict",
        "Another request is being processed",
    )
}
