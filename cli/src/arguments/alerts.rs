//! The grammar of `pourtrait alerts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `alerts` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// Shows what is open, who is asked next, and what is silenced
    List,
    /// Stops the ladder: somebody is at it
    Acknowledge {
        /// The start of its id
        alert: String,
        /// For how long, such as 90m, 2h or 3d; the setting's time without it
        #[arg(long = "for", value_name = "LENGTH")]
        length: Option<String>,
        /// What else there is to say
        #[arg(long)]
        note: Option<String>,
    },
    /// Takes an acknowledgement back: the ladder goes on
    Unacknowledge {
        /// The start of its id
        alert: String,
        /// What else there is to say
        #[arg(long)]
        note: Option<String>,
    },
    /// Resolves it by hand; what is still bad opens anew
    Resolve {
        /// The start of its id
        alert: String,
        /// What else there is to say
        #[arg(long)]
        note: Option<String>,
    },
    /// Holds messages back; watching goes on
    Silence {
        /// What.
        #[command(flatten)]
        what: Match,
        /// For how long, such as 90m, 2h or 3d
        #[arg(long = "for", value_name = "LENGTH")]
        length: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Ends a silence: what it held back is told
    Unsilence {
        /// Its id
        silence: uuid::Uuid,
    },
    /// Shows messages with their attempts, receipts and errors
    Messages {
        /// Only those that were given up
        #[arg(long)]
        dead: bool,
        /// Only those about one alert: its id, of an open one the start is enough
        #[arg(long, value_name = "ID")]
        alert: Option<String>,
        /// At most so many, the newest first
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Sends a message anew that was given up
    Resend {
        /// The start of its id
        message: String,
        /// On another channel than its own
        #[arg(long)]
        channel: Option<String>,
    },
    /// Sends a test over every channel now, as the monthly one does
    Prove,
    /// Says what rules would have opened in the past; changes nothing
    Replay(Replay),
}

/// What to replay.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// How far back, such as 12h or 30d
    #[arg(long, value_name = "LENGTH", default_value = "30d")]
    pub(crate) since: String,
    /// Settings and severities to try: a JSON object, or a line KEY=VALUE each;
    /// without it, those in force
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Fails if there would have been more pages (critical or high) on any day
    #[arg(long, value_name = "N")]
    pub(crate) max_pages_per_day: Option<usize>,
}

/// What a silence is about; all that is given must match.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Match {
    /// The rule, as messages and the runbook call it
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// The subject, such as a URL
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// The whole identity, as `alerts list --json` shows it
    #[arg(long)]
    pub(crate) fingerprint: Option<String>,
}
