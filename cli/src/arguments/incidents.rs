//! The grammar of `pourtrait incidents`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

/// What `incidents` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Incidents {
    /// Shows the newest incidents
    List {
        /// How many, at most 100
        #[arg(long, default_value_t = 20)]
        limit: u8,
        /// Only those before this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// Shows one with everything that happened
    Show {
        /// Its number
        number: i64,
    },
    /// Writes a postmortem in Markdown from what is known
    Postmortem {
        /// Its number
        number: i64,
        /// Into this file, which must not exist yet, instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// What changes one.
    #[command(flatten)]
    Change(Change),
}

/// What people do about an incident.
#[derive(Debug, Subcommand)]
pub(crate) enum Change {
    /// Opens one by hand; it is closed by hand, too
    Open {
        /// What is wrong, in a line
        title: String,
        /// How bad it is
        #[arg(long)]
        severity: Severity,
        /// A service that suffers, such as app or database; may be given several times
        #[arg(long, value_name = "SERVICE")]
        affects: Vec<String>,
        /// Since when; now without it
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
    },
    /// Acknowledges all of its open alerts: somebody is at it
    Acknowledge {
        /// Its number
        number: i64,
        /// For how long, such as 90m, 2h or 3d; the setting's time without it
        #[arg(long = "for", value_name = "LENGTH")]
        length: Option<String>,
        /// What else there is to say
        #[arg(long)]
        note: Option<String>,
    },
    /// Changes its state, severity or cause, and tells the public
    Update {
        /// Its number
        number: i64,
        /// What changes.
        #[command(flatten)]
        what: Changed,
    },
    /// Adds a note, or a lesson for the postmortem
    Note {
        /// Its number
        number: i64,
        /// What there is to say
        text: String,
        /// It is a lesson
        #[arg(long)]
        lesson: bool,
    },
    /// Adds something to be done, for the postmortem
    Action {
        /// Its number
        number: i64,
        /// What is to be done
        text: String,
        /// Who does it
        #[arg(long)]
        owner: String,
        /// Until when, as 2026-12-24
        #[arg(long, value_name = "DATE")]
        due: Date,
    },
}

/// What an update changes; something has to be given.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Changed {
    /// How far it has come
    #[arg(long)]
    pub(crate) state: Option<State>,
    /// How bad it is
    #[arg(long)]
    pub(crate) severity: Option<Severity>,
    /// Whose side it is on
    #[arg(long)]
    pub(crate) cause: Option<Side>,
    /// What everybody may read; nothing else ever becomes public
    #[arg(long, value_name = "TEXT")]
    pub(crate) public: Option<String>,
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

/// Whose side an incident is on.
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
