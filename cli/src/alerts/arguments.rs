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
    /// Acknowledges alerts: somebody works on them, and the escalation stops
    Acknowledge {
        /// Which alerts.
        #[command(flatten)]
        which: Which,
        /// For how long it holds, such as 90m, 2h or 3d; by default as long as the settings say
        #[arg(long = "for", value_name = "LENGTH", value_parser = times::length)]
        length: Option<SignedDuration>,
        /// A note that the timeline of the alert shows
        #[arg(long)]
        note: Option<String>,
    },
    /// Takes an acknowledgement back: the escalation goes on
    Unacknowledge {
        /// Which alerts.
        #[command(flatten)]
        which: Which,
        /// A note that the timeline of the alert shows
        #[arg(long)]
        note: Option<String>,
    },
    /// Resolves alerts by hand; what is still bad opens another one
    Resolve {
        /// Which alerts.
        #[command(flatten)]
        which: Which,
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
        /// In how long it begins, such as 2h [default: at once]
        #[arg(long = "in", value_name = "LENGTH", value_parser = times::length)]
        begins_in: Option<SignedDuration>,
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

/// Which alerts something is done about.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Which {
    /// The starts of the alerts' ids
    pub(crate) alerts: Vec<String>,
    /// Every open alert of the incident of that number
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["alerts", "tags"])]
    pub(crate) incident: Option<u64>,
    /// Every open alert about a check with one of these tags
    #[arg(long = "tag", value_name = "TAG", conflicts_with = "alerts")]
    pub(crate) tags: Vec<String>,
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

/// What a silence is about. All that is given must match; of an option that is given
/// several times one has to, and * stands for anything.
#[derive(Debug, Args, Serialize)]
#[group(required = true, multiple = true)]
pub(crate) struct Match {
    /// Silences alerts of this rule, as messages and the runbook call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rule: Vec<String>,
    /// Silences alerts about this subject, such as a URL
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) subject: Vec<String>,
    /// Silences the alert with this whole identity, as `alerts list --json` shows it
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fingerprint: Vec<String>,
    /// Silences alerts of this severity
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) severity: Vec<String>,
    /// Silences alerts about this service
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) service: Vec<String>,
    /// Silences alerts of this environment
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) environment: Vec<String>,
    /// Silences alerts about checks with this tag
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tag: Vec<String>,
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
