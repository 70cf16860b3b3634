//! The app's own migrations, which Supabase's command applies where the app keeps them.
//!
//! The command goes by the folder's link unless a variable names the project: it is named
//! here, so that migrations reach the project that is watched and no other.

use std::{path::Path, time::Duration};

use terminal::failure::Misuse;

use super::program::Program;
use crate::environment::Environment;

/// How long the migrations may take.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Where the app keeps them.
const MIGRATIONS: &str = "supabase/migrations";

/// Where Supabase's command notes which project a folder is linked to.
const LINK: &str = "supabase/.temp/project-ref";

/// What a run that was cut off leaves.
pub(super) const LEAVES: &str = "each migration is applied whole or not at all, and some of them \
    may be: `supabase migration list --linked` says which";

/// What applies the migrations of a folder, if there are any. Refuses a folder that is linked
/// to another project, and one of which nobody knows the project.
pub(super) fn program(folder: &Path, environment: &Environment) -> Result<Option<Program>, Misuse> {
    if !folder.join(MIGRATIONS).is_dir() {
        return Ok(None);
    }
    let linked = std::fs::read_to_string(folder.join(LINK)).ok();
    let linked = linked.as_deref().map(str::trim);
    let known = environment.config().platforms.supabase_project;
    let project = project(known.as_deref(), linked, &environment.origin())?;
    let line = "db push --linked --yes";
    let mut push =
        Program::new("supabase", line.split(' '), LIMIT).with("SUPABASE_PROJECT_ID", project);
    for name in ["SUPABASE_ACCESS_TOKEN", "SUPABASE_DB_PASSWORD"] {
        if let Some(secret) = environment.get(name) {
            push = push.with(name, secret);
        }
    }
    Ok(Some(push))
}

/// The project whose database is migrated.
fn project<'a>(
    known: Option<&'a str>,
    linked: Option<&'a str>,
    origin: &str,
) -> Result<&'a str, Misuse> {
    match (known, linked) {
        (Some(known), Some(linked)) if known != linked => Err(Misuse(format!(
            "{MIGRATIONS} would go to {linked}, which the folder is linked to, and \
             SUPABASE_PROJECT_REF is {known} in {origin}"
        ))),
        (Some(project), _) | (None, Some(project)) => Ok(project),
        (None, None) => Err(Misuse(format!(
            "nobody knows which project {MIGRATIONS} is for: SUPABASE_PROJECT_REF is not set in \
             {origin}, and the folder is not linked (`supabase link`)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_go_to_the_watched_project_or_nowhere() {
        for (known, linked, expected) in [
            (Some("a"), Some("a"), Some("a")),
            (Some("a"), None, Some("a")),
            (None, Some("b"), Some("b")),
            (Some("a"), Some("b"), None),
            (None, None, None),
        ] {
            let found = project(known, linked, "a file").ok();
            assert_eq!(found, expected, "{known:?} {linked:?}");
        }
    }
}
