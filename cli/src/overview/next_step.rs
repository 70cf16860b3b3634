//! The next sensible step: what stands in the way of everything else comes first. Pure.

use serde::Serialize;

use super::standing::{Overview, Standing, due};

/// A command to run, and why.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    command: &'static str,
    why: &'static str,
}

const NOTHING: Step = step("pourtrait --help", "everything is as it should be");

const fn step(command: &'static str, why: &'static str) -> Step {
    Step { command, why }
}

impl Step {
    /// What to do where things stand so.
    pub(super) fn after(standing: &Standing) -> Self {
        match standing {
            Standing::Nameless => step(
                "pourtrait setup",
                "no project is named yet; it asks for what is needed and writes .env",
            ),
            Standing::Unconfigured(_) => step("pourtrait check", "it names what is missing"),
            Standing::Silent { .. } => step("pourtrait check --live", "it says what answers"),
            Standing::Unmigrated(_) => step(
                "pourtrait migrate plan",
                "then `pourtrait migrate` brings the database to this build",
            ),
            Standing::Known(known) => match known.shown.known() {
                Some(overview) => of(overview),
                None => step("pourtrait migrate plan", "the database is of another build"),
            },
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{} ({})", self.command, self.why)
    }
}

fn of(overview: &Overview) -> Step {
    let Overview {
        functions,
        tick,
        alerts,
        backup,
        exercises,
    } = overview;
    let due = !due(exercises).is_empty();
    let steps = [
        (
            alerts.unanswered > 0,
            step(
                "pourtrait alerts list",
                "nobody has answered; then acknowledge",
            ),
        ),
        (
            !tick.is_fresh(),
            step(
                "pourtrait check --live",
                "nobody is watching: docs/runbooks.md, monitoring_gap",
            ),
        ),
        (
            !functions.are_ours(),
            step(
                "pourtrait migrate plan",
                "the functions are of another build",
            ),
        ),
        (
            alerts.open > 0,
            step("pourtrait alerts list", "something is wrong"),
        ),
        (
            backup.status != "ok",
            step("pourtrait backup list", "backups are not as they should be"),
        ),
        (
            backup.drill != "ok",
            step(
                "pourtrait backup drill",
                "nobody has proven that backups come back",
            ),
        ),
        (due, step("pourtrait training list", "exercises are due")),
    ];
    let first = steps.into_iter().find(|(applies, _)| *applies);
    first.map_or(NOTHING, |(_, step)| step)
}

#[cfg(test)]
mod tests {
    use ops::migrate::Schema;
    use serde_json::{Value, json};

    use super::*;
    use crate::{answered::Answered, overview::standing::Known};

    /// A project where all is well, but for one thing.
    fn but_for(pointer: &str, value: Value) -> Standing {
        let mut document = json!({
            "functions": {"release": "0.1.0", "sha256": Schema::embedded().set.sha256()},
            "tick": {"ageSeconds": 20.5, "everySeconds": 60},
            "alerts": {"open": 0, "critical": 0, "unanswered": 0},
            "backup": {"status": "ok", "ageSeconds": 700, "drill": "ok"},
            "exercises": [{"exercise": "restore", "status": "ok"}],
        });
        if let Some(place) = document.pointer_mut(pointer) {
            *place = value;
        }
        let host = "abc.supabase.co".to_owned();
        let shown = Answered::read(document);
        Standing::Known(Box::new(Known { host, shown }))
    }

    #[test]
    fn the_next_step_is_about_what_is_wrong() {
        for (pointer, value, command) in [
            ("", json!(null), "pourtrait migrate plan"),
            ("/nothing", json!(null), "pourtrait --help"),
            (
                "/alerts",
                json!({"open": 2, "critical": 1, "unanswered": 1}),
                "pourtrait alerts list",
            ),
            ("/alerts/open", json!(1), "pourtrait alerts list"),
            ("/tick/ageSeconds", json!(null), "pourtrait check --live"),
            ("/tick/ageSeconds", json!(181), "pourtrait check --live"),
            ("/functions/sha256", json!("0"), "pourtrait migrate plan"),
            ("/backup/status", json!("overdue"), "pourtrait backup list"),
            (
                "/backup/drill",
                json!("not_set_up"),
                "pourtrait backup drill",
            ),
            (
                "/exercises/0/status",
                json!("overdue"),
                "pourtrait training list",
            ),
        ] {
            let standing = but_for(pointer, value.clone());
            assert_eq!(
                Step::after(&standing).command,
                command,
                "{pointer}: {value}"
            );
        }
        assert_eq!(Step::after(&Standing::Nameless).command, "pourtrait setup");
    }

    #[test]
    fn all_is_said_in_a_few_lines() {
        let standing = but_for("/exercises/0/status", json!("never"));
        assert_eq!(
            standing.text(Some(".env")),
            "WHAT       STATE\n\
             variables  .env\n\
             project    abc.supabase.co\n\
             database   answers\n\
             schema     that of this build, release 0.1.0\n\
             watching   last tick 20 s ago\n\
             alerts     none is open\n\
             backups    the newest is 11 min 40 s old (ok); drills: ok\n\
             exercises  due: restore"
        );
        assert_eq!(
            Step::after(&standing).text(),
            "pourtrait training list (exercises are due)"
        );
    }

    #[test]
    fn who_does_not_answer_is_told_from_who_is_not_named() {
        let silent = Standing::Silent {
            host: "abc.supabase.co".to_owned(),
            reason: "timed out".to_owned(),
        };
        let text = silent.text(Some("the environment"));
        assert!(
            text.contains("database   not reachable: timed out"),
            "{text}"
        );
        assert_eq!(
            Step::after(&silent).text(),
            "pourtrait check --live (it says what answers)"
        );
        assert_eq!(silent.document()["reachable"], json!(false));
    }
}
