//! Vercel's webhooks, one event a request: deployments, promotions and rollbacks become the
//! marks against which everything else is read, runs of our deployment check are kept until
//! they are verified; other events are counted and left out.

use serde_json::Value;

use super::LEVELS;
use crate::{
    bounded_json,
    deployment_event::DeploymentEvent,
    ingest::{
        batch::Batch,
        check_run::CheckRun,
        deployment::Deployment,
        moment,
        source::{self, Received, Source},
    },
    problem::Problem,
};

pub(in crate::ingest) const SOURCE: Source = Source {
    name: "vercel webhooks",
    decode,
    answer: source::counted,
    note_too_large: None,
};

fn decode(received: &Received) -> Result<Batch, Problem> {
    let event: Value = bounded_json::read(&received.body, LEVELS)
        .map_err(|error| Problem::BadRequest(format!("the body is no JSON: {error}")))?;
    let Some(word) = event["type"].as_str() else {
        return Err(Problem::BadRequest(
            "the body must be an event with a type".into(),
        ));
    };
    let mut batch = Batch::default();
    if let Some(cancelled) = cancels(word) {
        match check_run(&event, cancelled) {
            Some(run) => batch.check_runs.push(run),
            None => batch.drop("check run without an id", 1),
        }
        return Ok(batch);
    }
    match kind(word).map(|kind| deployment(kind, &event)) {
        Some(Some(deployment)) => batch.deployments.push(deployment),
        Some(None) => batch.drop("deployment without an id", 1),
        None => batch.drop("kind of event that is not kept", 1),
    }
    Ok(batch)
}

/// Whether an event about a run of a check cancels it; `None` of any other event.
fn cancels(word: &str) -> Option<bool> {
    match word {
        "deployment.checkrun.start" => Some(false),
        "deployment.checkrun.cancel" => Some(true),
        _ => None,
    }
}

fn check_run(event: &Value, cancelled: bool) -> Option<CheckRun> {
    let payload = &event["payload"];
    let run = payload["checkRun"]["id"].as_str()?;
    CheckRun::new(run, payload["deployment"]["id"].as_str()?, cancelled)
}

fn kind(word: &str) -> Option<DeploymentEvent> {
    Some(match word {
        "deployment.created" => DeploymentEvent::Created,
        "deployment.succeeded" => DeploymentEvent::Succeeded,
        "deployment.ready" => DeploymentEvent::Ready,
        "deployment.error" | "deployment.checks.failed" => DeploymentEvent::Failed,
        "deployment.canceled" => DeploymentEvent::Canceled,
        "deployment.promoted" => DeploymentEvent::Promoted,
        "deployment.rollback" => DeploymentEvent::RolledBack,
        _ => return None,
    })
}

fn deployment(kind: DeploymentEvent, event: &Value) -> Option<Deployment> {
    let payload = &event["payload"];
    let of = &payload["deployment"];
    let id = [
        &of["id"],
        &payload["toDeploymentId"],
        &payload["deploymentId"],
    ]
    .iter()
    .find_map(|id| id.as_str())?;
    let said = event["id"].as_str().map(str::to_owned);
    let same = format!(
        "vercel webhook {}",
        said.unwrap_or_else(|| event.to_string())
    );
    let first = |names: [&str; 3]| {
        let found = names.iter().find_map(|name| of["meta"].get(*name));
        found.cloned().unwrap_or_default()
    };
    let commit = first(["githubCommitSha", "gitlabCommitSha", "bitbucketCommitSha"]);
    let branch = first(["githubCommitRef", "gitlabCommitRef", "bitbucketCommitRef"]);
    // A promotion and a rollback are of production, whatever the payload says.
    let production = payload["target"] == "production"
        || matches!(
            kind,
            DeploymentEvent::Promoted | DeploymentEvent::RolledBack
        );
    Some(
        Deployment::new(kind, id, same.as_bytes())?
            .at(moment::read(&event["createdAt"]))
            .of(project(payload))
            .in_production(production)
            .built(&commit, &branch)
            .by(&payload["user"]["id"]),
    )
}

/// The project that an event is about; older events name it beside the deployment.
fn project(payload: &Value) -> &Value {
    match &payload["project"]["id"] {
        Value::Null => &payload["projectId"],
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decoded(body: &Value) -> Result<Batch, Problem> {
        decode(&Received {
            body: body.to_string().into_bytes(),
            ..Received::default()
        })
    }

    fn event(kind: &str, payload: &Value) -> Value {
        json!({"id": "uev_1", "type": kind, "createdAt": 1_795_521_600_000_i64, "region": "sfo1",
               "payload": payload})
    }

    #[test]
    fn a_deployment_is_marked_with_what_was_built_and_by_whom() {
        let payload = json!({
            "team": {"id": "team_1"}, "user": {"id": "usr_1"}, "project": {"id": "prj_1"},
            "deployment": {"id": "dpl_1", "name": "wine", "url": "wine-1.vercel.app", "meta": {
                "githubCommitSha": "c20a55c", "githubCommitRef": "main",
                "githubCommitAuthorName": "Anna Berg"}},
            "target": "production", "plan": "pro", "regions": ["fra1"],
        });
        let batch = decoded(&event("deployment.succeeded", &payload)).unwrap();
        let deployment = json!(batch.deployments);
        assert_eq!(
            deployment,
            json!([{
                "id": deployment[0]["id"], "time": "2026-11-24T12:00:00Z", "event": "succeeded",
                "deployment": "dpl_1", "project": "prj_1", "environment": "production",
                "commit": "c20a55c", "branch": "main", "by": "usr_1",
            }])
        );
        let again = decoded(&event("deployment.succeeded", &payload)).unwrap();
        assert_eq!(again.deployments[0].id, batch.deployments[0].id);
        assert!(batch.items.is_empty() && batch.drops.is_empty());
    }

    #[test]
    fn a_run_of_the_check_is_kept_with_its_deployment_and_nothing_else() {
        let payload = json!({
            "team": {"id": "team_1"}, "project": {"id": "prj_1"},
            "checkRun": {"id": "run_1", "checkId": "chk_1"},
            // Where it answers is asked for when it is verified.
            "deployment": {"id": "dpl_1", "url": "elsewhere.example"},
        });
        for (kind, cancelled) in [
            ("deployment.checkrun.start", false),
            ("deployment.checkrun.cancel", true),
        ] {
            let batch = decoded(&event(kind, &payload)).unwrap();
            assert_eq!(
                json!(batch.check_runs),
                json!([{"run": "run_1", "deployment": "dpl_1", "cancelled": cancelled}])
            );
            assert!(batch.deployments.is_empty() && batch.drops.is_empty());
        }
        let nameless = json!({"deployment": {"id": "dpl_1"}});
        let batch = decoded(&event("deployment.checkrun.start", &nameless)).unwrap();
        assert!(batch.check_runs.is_empty());
        assert_eq!(batch.drops["check run without an id"], 1);
    }

    #[test]
    fn promotions_and_rollbacks_are_of_production() {
        for (kind, payload, event_word) in [
            (
                "deployment.promoted",
                json!({"deployment": {"id": "dpl_1"}}),
                "promoted",
            ),
            (
                "deployment.rollback",
                json!({"toDeploymentId": "dpl_1", "projectId": "prj_1"}),
                "rolled_back",
            ),
        ] {
            let batch = decoded(&event(kind, &payload)).unwrap();
            let deployment = json!(batch.deployments[0]);
            assert_eq!(deployment["event"], event_word);
            assert_eq!(deployment["environment"], "production");
        }
    }

    #[test]
    fn other_events_are_counted_and_what_is_none_refused() {
        for (kind, payload, reason) in [
            (
                "project.created",
                json!({}),
                "kind of event that is not kept",
            ),
            ("deployment.created", json!({}), "deployment without an id"),
            (
                "deployment.created",
                json!({"deployment": {"id": "\u{0}"}}),
                "deployment without an id",
            ),
        ] {
            let batch = decoded(&event(kind, &payload)).unwrap();
            assert_eq!(batch.drops[reason], 1, "{kind}");
        }
        for body in [json!({}), json!([]), json!(7), json!({"type": 7})] {
            assert!(decoded(&body).is_err(), "{body}");
        }
    }
}
