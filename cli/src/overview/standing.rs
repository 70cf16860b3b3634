//! How everything stands, as the project says it in one document.

use ops::{
    migrate::Schema,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{answered::Answered, times::for_seconds};
use terminal::output;

#[derive(Debug, Serialize)]
pub(super) struct ShowOverview {}

impl Call for ShowOverview {
    const NAME: &'static str = "ops_show_overview";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Overview>;
}

/// What could be found out.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nothing names a project.
    Nameless,
    /// What names it cannot be used, and why.
    Unconfigured(String),
    /// The project of that host did not answer, and why.
    Silent { host: String, reason: String },
    /// Its database lacks functions of this build.
    Unmigrated(String),
    /// It answered.
    Known(Box<Known>),
}

/// A project that answered.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) host: String,
    pub(super) shown: Answered<Overview>,
}

/// What the project says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Overview {
    pub(super) functions: Functions,
    pub(super) tick: Tick,
    pub(super) alerts: Alerts,
    pub(super) backup: Backup,
    pub(super) exercises: Vec<Exercise>,
}

/// The functions in force.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Functions {
    release: String,
    sha256: String,
}

/// The newest tick.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tick {
    age_seconds: Option<f64>,
    every_seconds: f64,
}

/// Alerts that are not resolved.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Alerts {
    pub(super) open: u64,
    critical: u64,
    /// Critical and high ones that nobody has acknowledged.
    pub(super) unanswered: u64,
}

/// Backups and drills.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Backup {
    pub(super) status: String,
    age_seconds: Option<f64>,
    pub(super) drill: String,
}

/// An exercise, and whether it is due.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Exercise {
    exercise: String,
    status: String,
}

impl Functions {
    /// Whether they are those of this build.
    pub(super) fn are_ours(&self) -> bool {
        self.sha256 == Schema::embedded().set.sha256()
    }

    fn text(&self) -> String {
        if self.are_ours() {
            format!("that of this build, release {}", self.release)
        } else {
            format!("not that of this build: release {}", self.release)
        }
    }
}

impl Tick {
    /// Whether somebody watches: a tick came within three intervals.
    pub(super) fn is_fresh(&self) -> bool {
        self.age_seconds
            .is_some_and(|age| age <= 3.0 * self.every_seconds)
    }

    fn text(&self) -> String {
        match self.age_seconds {
            None => "not yet: there was no tick".to_owned(),
            Some(age) if self.is_fresh() => format!("last tick {} ago", for_seconds(age)),
            Some(age) => format!("not now: the last tick was {} ago", for_seconds(age)),
        }
    }
}

impl Alerts {
    fn text(&self) -> String {
        match self.open {
            0 => "none is open".to_owned(),
            open => format!(
                "{open} open, {} of them critical; {} critical or high and not acknowledged",
                self.critical, self.unanswered
            ),
        }
    }
}

impl Backup {
    fn text(&self) -> String {
        let newest = self.age_seconds.map_or_else(
            || "there is none".to_owned(),
            |age| format!("the newest is {} old", for_seconds(age)),
        );
        format!(
            "{newest} ({}); drills: {}",
            spaced(&self.status),
            spaced(&self.drill)
        )
    }
}

/// Exercises that are due, by name.
pub(super) fn due(exercises: &[Exercise]) -> Vec<&str> {
    let due = exercises.iter().filter(|one| one.status != "ok");
    due.map(|one| one.exercise.as_str()).collect()
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

impl Overview {
    fn rows(&self) -> Vec<[String; 2]> {
        let due = due(&self.exercises);
        let exercises = if due.is_empty() {
            "all done within their time".to_owned()
        } else {
            format!("due: {}", due.join(", "))
        };
        vec![
            row("schema", self.functions.text()),
            row("watching", self.tick.text()),
            row("alerts", self.alerts.text()),
            row("backups", self.backup.text()),
            row("exercises", exercises),
        ]
    }
}

impl Standing {
    /// What the project answered, or why there is no answer.
    pub(super) fn document(&self) -> Value {
        match self {
            Self::Nameless => json!({ "reachable": null }),
            Self::Unconfigured(reason) => json!({ "reachable": null, "reason": reason }),
            Self::Silent { host, reason } => {
                json!({ "project": host, "reachable": false, "reason": reason })
            }
            Self::Unmigrated(host) => {
                json!({ "project": host, "reachable": true, "overview": null })
            }
            Self::Known(known) => {
                let Known { host, shown } = known.as_ref();
                json!({ "project": host, "reachable": true, "overview": shown })
            }
        }
    }

    /// For people.
    pub(super) fn text(&self, source: Option<&str>) -> String {
        let mut rows = vec![row("variables", source.unwrap_or("none"))];
        match self {
            Self::Nameless => {}
            Self::Unconfigured(reason) => rows.push(row("project", reason)),
            Self::Silent { host, reason } => {
                rows.push(row("project", host));
                rows.push(row("database", format!("not reachable: {reason}")));
            }
            Self::Unmigrated(host) => {
                rows.push(row("project", host));
                rows.push(row("schema", "not that of this build"));
            }
            Self::Known(known) => {
                let Known { host, shown } = known.as_ref();
                rows.push(row("project", host));
                rows.push(row("database", "answers"));
                match shown.known() {
                    Some(overview) => rows.extend(overview.rows()),
                    None => rows.push(row("state", shown.describe(|_| String::new()))),
                }
            }
        }
        output::table(["what", "state"], &rows)
    }
}

fn row(what: &str, state: impl Into<String>) -> [String; 2] {
    [what.to_owned(), state.into()]
}
