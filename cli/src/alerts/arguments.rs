//! The grammar of `pourtrait alerts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use ops::messages::channels::{self, Channel};
use serde::Serialize;
use uuid::Uuid;

use crate::times;

/// What `alerts` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// Shows open alerts, who is asked next about each, and the silences
    List,
    /// Acknowledges an alert: somebody works on it, and the escalation stops
    Acknowledge {
        /// The start of the alert's id
        alert: String,
        /// For how long it holds, such as 90m, 2h or 3d; by default as long as the settings say
        #[arg(long = "for", value_name = "LENGTH", value_parser = times::length)]
        length: Option<SignedDuration>,
        /// A note that the timeline of the alert shows
        #[arg(long)]
        note: Option<String>,
    },
    /// Takes an acknowledgement back: the escalation goes on
    Unacknowledge {
        /// The start of the alert's id
        alert: String,
        /// A note that the timeline of the alert shows
        #[arg(long)]
        note: Option<String>,
    },
    /// Resolves an alert by hand; what is still bad opens another one
    Resolve {
        /// The start of the alert's id
        alert: String,
        /// A note that the timeline of the alert shows
        #[arg(long)]
        note: Option<String>,
    },
    /// Holds back the messages about some alerts; watching goes on
    Silence {
        /// Which alerts.
        #[command(flatten)]
        what: Match,
        /// For how long it holds, such as 90m, 2h or 3d
        #[arg(long = "for", value_name = "LENGTH", value_parser = times::length)]
        length: SignedDuration,
        /// The reason, which lists show
        #[arg(long)]
        reason: String,
    },
    /// Ends a silence: what it held back is sent
    Unsilence {
        /// The silence's id
        silence: Uuid,
    },
    /// Shows messages with their attempts, receipts and errors
    Messages {
        /// Shows only those that were given up
        #[arg(long)]
        dead: bool,
        /// Shows only those about one alert: its id, or the start of an open one's id
        #[arg(long, value_name = "ID")]
        alert: Option<String>,
        /// Shows at most so many, the newest first
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Sends a message again that was given up
    Resend {
        /// The start of the message's id
        message: String,
        /// Sends it on this channel instead of its own, such as slack or email
        #[arg(long, value_parser = channel)]
        channel: Option<Channel>,
    },
    /// Sends a test over every channel now, as happens every month by itself
    Prove,
    /// Shows which alerts a set of rules would have opened in the past; changes nothing
    Replay(Replay),
}

/// What to replay.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// How far back to begin, such as 12h or 30d
    #[arg(long, value_name = "LENGTH", default_value = "30d", value_parser = times::length)]
    pub(crate) since: SignedDuration,
    /// Reads settings and severities to try from this file, a JSON object or lines KEY=VALUE;
    /// by default those in force are tried
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Fails if more pages (critical or high alerts) would have opened on any day
    #[arg(long, value_name = "N")]
    pub(crate) max_pages_per_day: Option<usize>,
}

/// What a silence is about; all that is given must match.
#[derive(Debug, Args, Serialize)]
#[group(required = true, multiple = true)]
pub(crate) struct Match {
    /// Silences alerts of this rule, as messages and the runbook call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// Silences alerts about this subject, such as a URL
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// Silences the alert with this whole identity, as `alerts list --json` shows it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fingerprint: Option<String>,
}

fn channel(word: &str) -> Result<Channel, String> {
    Channel::parse(word).ok_or_else(|| {
        let words: Vec<_> = channels::ALL.map(Channel::as_str).to_vec();
        format!(
            "a channel must be one of {}, got `{word}`",
            words.join(", ")
        )
    })
}
