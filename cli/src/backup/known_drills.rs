//! What the project knows of drills, for whoever goes on without it.

use ops::backups::drill_receipts::{Known, ListDrills};

use crate::{
    environment::Environment,
    project::{PATIENCE, Project},
};

/// Nothing where no project is named, an error where it does not answer soon.
pub(crate) async fn known_soon(environment: &Environment) -> anyhow::Result<Option<Known>> {
    let Ok(project) = Project::of(environment) else {
        return Ok(None);
    };
    let listed = project.call_within(PATIENCE, &ListDrills {}).await;
    listed.map(Some)
}
