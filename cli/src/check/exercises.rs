//! Whether people have practised lately what they will have to do at night.

use super::finding::{Finding, Level};
use crate::{environment::Environment, project::Project, training::standing::ListExercises};

const SUBJECT: &str = "exercises";

/// A warning at most: nothing is broken while nobody practises.
pub(super) async fn look(environment: &Environment) -> Finding {
    let listed = async { Project::of(environment)?.call(&ListExercises {}).await };
    match listed.await {
        Err(error) => Finding::new(Level::Error, SUBJECT, format!("{error:#}")),
        Ok(listed) if listed.due().is_empty() => {
            Finding::new(Level::Ok, SUBJECT, "all done within their time")
        }
        Ok(listed) => {
            let due = listed.due().join(", ");
            let text = format!("due: {due} (docs/training; pourtrait training list)");
            Finding::new(Level::Warning, SUBJECT, text)
        }
    }
}
