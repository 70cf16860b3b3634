//! Whether what the database keeps can be read by what will read it: settings, checks,
//! maintenance windows, components, funnels. Contacts and rotations have findings of their
//! own.

use super::finding::{Finding, Level};
use crate::{
    answered::oddities, checks::check_list::ListChecks, components, environment::Environment,
    funnels, maintenance, project::Project, settings::ListSettings,
};

const SUBJECT: &str = "documents";

/// A finding for each document that cannot be read, or one that says how many can.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let Ok(project) = Project::of(environment) else {
        return Vec::new();
    };
    match read(&project).await {
        Ok((count, odd)) if odd.is_empty() => {
            let text = format!("all {count} that are kept can be read");
            vec![Finding::new(Level::Ok, SUBJECT, text)]
        }
        Ok((_, odd)) => {
            let bad = |text| Finding::new(Level::Error, SUBJECT, text);
            odd.into_iter().map(bad).collect()
        }
        Err(error) => vec![Finding::new(Level::Error, SUBJECT, format!("{error:#}"))],
    }
}

/// How many there are, and what is wrong with those that cannot be read.
async fn read(project: &Project) -> anyhow::Result<(usize, Vec<String>)> {
    let settings = project.call(&ListSettings {}).await?.settings;
    let checks = project.call(&ListChecks {}).await?.checks;
    let mut odd = oddities("settings", &settings);
    odd.extend(oddities("checks", &checks));
    let mut count = settings.len() + checks.len();
    for (more, odder) in [
        maintenance::kept(project).await?,
        components::kept(project).await?,
        funnels::kept(project).await?,
    ] {
        count += more;
        odd.extend(odder);
    }
    Ok((count, odd))
}
