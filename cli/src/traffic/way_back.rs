//! Which deployments one can go back to, and why not to the others.

use ops::platforms::vercel::{Deployment, JobStatus, ReadyState, Substate, Traffic};

use super::Scene;

/// Why one cannot go back to a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// It has the domains.
    Serves,
    /// It was not built for production.
    Preview,
    /// Its build is not there.
    NotReady(ReadyState),
    /// Its build was removed because it was old.
    Removed,
    /// It never served.
    Staged,
    /// Vercel says that it is none to go back to.
    NotOffered,
}

/// Why one cannot go back to `deployment`, if one cannot.
pub(crate) fn obstacle(deployment: &Deployment, scene: &Scene) -> Option<Obstacle> {
    if scene.alone() == Some(deployment.id.as_str()) {
        Some(Obstacle::Serves)
    } else if !deployment.is_production {
        Some(Obstacle::Preview)
    } else if deployment.was_removed {
        Some(Obstacle::Removed)
    } else if deployment.state != ReadyState::Ready {
        Some(Obstacle::NotReady(deployment.state))
    } else if deployment.substate == Some(Substate::Staged) {
        Some(Obstacle::Staged)
    } else if deployment.is_candidate == Some(false) {
        Some(Obstacle::NotOffered)
    } else {
        // Where Vercel does not say, it is asked, and refuses what it does not offer.
        None
    }
}

/// The deployment before the one that serves: the one that the last promotion replaced,
/// else the newest that is older than it.
pub(crate) fn previous<'a>(deployments: &'a [Deployment], scene: &Scene) -> Option<&'a Deployment> {
    let serving = scene.alone()?;
    let candidates = || {
        let is_open = |one: &&Deployment| obstacle(one, scene).is_none();
        deployments.iter().filter(is_open)
    };
    let request = scene.project.last_request.as_ref().filter(|request| {
        request.status == JobStatus::Succeeded
            && request.kind == Some(Traffic::Promote)
            && request.to.as_deref() == Some(serving)
    });
    let replaced = request.and_then(|request| request.from.as_deref());
    let replaced = candidates().find(|one| replaced == Some(one.id.as_str()));
    let made = |id: &str| deployments.iter().find(|one| one.id == id)?.created_at;
    replaced.or_else(|| {
        let made = made(serving)?;
        candidates()
            .filter(|one| one.created_at.is_some_and(|at| at < made))
            .max_by_key(|one| one.created_at)
    })
}

impl Obstacle {
    /// Why not, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Serves => "it serves now",
            Self::Preview => "it is a preview",
            Self::Removed => "its build was removed because it was old",
            Self::Staged => "it never served",
            Self::NotOffered => {
                "Vercel does not offer it: too old, or the plan allows one step alone"
            }
            Self::NotReady(ReadyState::Error) => "its build failed",
            Self::NotReady(ReadyState::Canceled) => "its build was canceled",
            Self::NotReady(ReadyState::Deleted) => "it was deleted",
            Self::NotReady(ReadyState::Blocked) => "its build waits for consent",
            Self::NotReady(
                ReadyState::Building | ReadyState::Initializing | ReadyState::Queued,
            ) => "its build is not done",
            Self::NotReady(ReadyState::Ready | ReadyState::Unknown) => {
                "Vercel says of it what this command does not know"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::traffic::scene::tests::scene;

    fn deployment(id: &str, at: i64, more: &Value) -> Deployment {
        let mut document = json!({"id": id, "createdAt": at, "readyState": "READY",
            "readySubstate": "PROMOTED", "target": "production", "isRollbackCandidate": true});
        for (name, value) in more.as_object().unwrap() {
            document[name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn every_obstacle_has_its_reason() {
        let scene = scene(&[("a", Some("d9"))], Some(false));
        for (id, more, expected) in [
            ("d1", json!({}), None),
            ("d1", json!({"isRollbackCandidate": null}), None),
            ("d9", json!({}), Some(Obstacle::Serves)),
            ("d1", json!({"target": null}), Some(Obstacle::Preview)),
            (
                "d1",
                json!({"softDeletedByRetention": true}),
                Some(Obstacle::Removed),
            ),
            (
                "d1",
                json!({"readyState": "ERROR"}),
                Some(Obstacle::NotReady(ReadyState::Error)),
            ),
            (
                "d1",
                json!({"readySubstate": "STAGED"}),
                Some(Obstacle::Staged),
            ),
            (
                "d1",
                json!({"isRollbackCandidate": false}),
                Some(Obstacle::NotOffered),
            ),
        ] {
            assert_eq!(
                obstacle(&deployment(id, 1, &more), &scene),
                expected,
                "{more}"
            );
        }
    }

    #[test]
    fn the_one_before_is_what_the_last_promotion_replaced() {
        let listed = [("d4", 4), ("d3", 3), ("d2", 2), ("d1", 1)]
            .map(|(id, at)| deployment(id, at, &json!({})));
        let mut scene = scene(&[("a", Some("d3"))], Some(false));
        let before = |scene: &Scene| previous(&listed, scene).map(|one| one.id.clone());
        assert_eq!(
            before(&scene).as_deref(),
            Some("d2"),
            "the newest that is older"
        );
        let request = |kind: &str, status: &str| {
            serde_json::from_value(json!({"fromDeploymentId": "d1", "toDeploymentId": "d3",
                "jobStatus": status, "type": kind}))
            .unwrap()
        };
        scene.project.last_request = Some(request("promote", "succeeded"));
        assert_eq!(before(&scene).as_deref(), Some("d1"));
        scene.project.last_request = Some(request("promote", "failed"));
        assert_eq!(before(&scene).as_deref(), Some("d2"));
    }
}
