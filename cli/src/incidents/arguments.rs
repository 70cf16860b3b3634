//! The grammar of `pourtrait incidents`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp, civil::Date};
use outside::database_time;
use serde::Serialize;

use crate::times;

/// What `incidents` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Incidents {
    /// Shows the newest incidents
    List {
        /// Shows at most so many, 100 at most
        #[arg(long, default_value_t = 20)]
        limit: u8,
        /// Shows only those before this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// Shows an incident with everything that happened
    Show {
        /// The incident's number
        number: i64,
    },
    /// Writes a postmortem in Markdown from what is known
    Postmortem {
        /// The incident's number
        number: i64,
        /// Writes to this file, which must not exist yet, instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// What changes an incident.
    #[command(flatten)]
    Change(Change),
}

/// What people do about an incident.
#[derive(Debug, Subcommand)]
pub(crate) enum Change {
    /// Opens an incident by hand; it is closed by hand, too
    Open {
        /// What is wrong, in a line
        title: String,
        /// How bad it is
        #[arg(long)]
        severity: Severity,
        /// A service that suffers, such as app or database; may be repeated
        #[arg(long, value_name = "SERVICE")]
        affects: Vec<String>,
        /// Since when it goes on; by default since now
        #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
        since: Option<Timestamp>,
    },
    /// Acknowledges all open alerts of an incident: somebody works on it
    Acknowledge {
        /// The incident's number
        number: i64,
        /// For how long it holds, such as 90m, 2h or 3d; by default as long as the settings say
        #[arg(long = "for", value_name = "LENGTH", value_parser = times::length)]
        length: Option<SignedDuration>,
        /// A note that the timelines of the alerts show
        #[arg(long)]
        note: Option<String>,
    },
    /// Changes the state, severity or cause of an incident, and publishes a text about it
    Update {
        /// The incident's number
        number: i64,
        /// What changes.
        #[command(flatten)]
        what: Changed,
    },
    /// Adds a note to an incident, or a lesson for its postmortem
    Note {
        /// The incident's number
        number: i64,
        /// The note
        text: String,
        /// Makes the note a lesson
        #[arg(long)]
        lesson: bool,
    },
    /// Adds something to be done to an incident, for its postmortem
    Action {
        /// The incident's number
        number: i64,
        /// What is to be done
        text: String,
        /// Who does it
        #[arg(long)]
        owner: String,
        /// By which day it is done, such as 2026-12-24
        #[arg(long, value_name = "DATE", value_parser = database_time::parse_day)]
        due: Date,
    },
}

/// What an update changes; at least one of these must be given.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Changed {
    /// How far it has come
    #[arg(long, alias = "status")]
    pub(crate) state: Option<State>,
    /// How bad it is
    #[arg(long)]
    pub(crate) severity: Option<Severity>,
    /// On whose side the cause lies
    #[arg(long)]
    pub(crate) cause: Option<Side>,
    /// The text that everybody may read on the status page
    #[arg(long, value_name = "TEXT")]
    pub(crate) public: Option<String>,
    /// The title that everybody may read, once there is such a text
    #[arg(long, value_name = "TEXT")]
    pub(crate) public_title: Option<String>,
}

impl Changed {
    /// Whether nothing but the public title was to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.is_none()
            && self.severity.is_none()
            && self.cause.is_none()
            && self.public.is_none()
    }
}

/// How far an incident has come.
#[derive(Debug, Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Nobody knows yet what it is
    Investigating,
    /// It is known what it is
    Identified,
    /// It seems to be over
    Monitoring,
    /// It is over
    Resolved,
}

/// How bad an incident is.
#[derive(Debug, Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// The app cannot be used
    Critical,
    /// Much of it cannot
    High,
    /// Some of it cannot
    Medium,
    /// Hardly anybody notices
    Low,
}

/// On whose side the cause of an incident lies.
#[derive(Debug, Clone, Copy, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The app or the bundle
    Ours,
    /// Database or storage
    Supabase,
    /// The model's API
    Openai,
    /// Vision
    Google,
    /// Email
    Resend,
    /// Where the app and the bundle run
    Vercel,
    /// Nobody knows
    Unknown,
}
