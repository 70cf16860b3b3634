//! The grammar of `pourtrait alerts`.

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
