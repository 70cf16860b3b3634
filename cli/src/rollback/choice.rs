//! Where to go back to, or why not there.

use ops::platforms::vercel::{Deployment, ReadyState};
use terminal::failure::Misuse;

use crate::traffic::{Pin, Scene, Serving, way_back};

/// A deployment as people name it: its id, or its address with or without a scheme.
pub(super) fn bare(named: &str) -> &str {
    let named = named.trim();
    let named = named.strip_prefix("https://").unwrap_or(named);
    named.trim_end_matches('/')
}

pub(super) fn unknown(named: &str) -> Misuse {
    Misuse(format!(
        "{named} is no deployment of this team: `pourtrait status --deployments` lists them"
    ))
}

/// The deployment before the one that serves.
pub(super) fn before(deployments: &[Deployment], scene: &Scene) -> Result<String, Misuse> {
    if scene.serving() == Serving::Several {
        return Err(Misuse(format!(
            "{}: name the deployment that is to serve",
            scene.words()
        )));
    }
    let found = way_back::previous(deployments, scene).map(|one| one.id.clone());
    found.ok_or_else(|| {
        Misuse(
            "there is no deployment to go back to: `pourtrait status --deployments` says why"
                .to_owned(),
        )
    })
}

/// Refuses a deployment that one cannot go back to.
pub(super) fn to_go_back(deployment: &Deployment, scene: &Scene) -> Result<(), Misuse> {
    match way_back::obstacle(deployment, scene) {
        None => Ok(()),
        Some(obstacle) => Err(Misuse(format!(
            "one cannot go back to {}: {}",
            deployment.id,
            obstacle.words()
        ))),
    }
}

/// Refuses a deployment that cannot be promoted as it is.
pub(super) fn to_release(deployment: &Deployment) -> Result<(), Misuse> {
    if deployment.is_production && deployment.state == ReadyState::Ready {
        return Ok(());
    }
    Err(Misuse(format!(
        "{} cannot be promoted as it is: it was not built for production, or its build is not there",
        deployment.id
    )))
}

/// What serves, to be promoted so that later releases follow it again.
pub(super) fn serving(scene: &Scene) -> Result<String, Misuse> {
    if scene.pin() == Pin::Free {
        return Err(Misuse(
            "production is not pinned: later releases get the domains by themselves".to_owned(),
        ));
    }
    match scene.serving() {
        Serving::One(deployment) => Ok(deployment.to_owned()),
        Serving::Several | Serving::Nobody => Err(Misuse(format!(
            "{}: name the deployment that is to serve",
            scene.words()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_named_by_id_or_address() {
        for (named, expected) in [
            ("dpl_1", "dpl_1"),
            ("https://wine-1.vercel.app/", "wine-1.vercel.app"),
            (" wine-1.vercel.app ", "wine-1.vercel.app"),
        ] {
            assert_eq!(bare(named), expected);
        }
    }
}
