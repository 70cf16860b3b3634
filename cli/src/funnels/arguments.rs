//! The grammar of `pourtrait funnels`.

use clap::{Subcommand, ValueEnum};
use jiff::SignedDuration;

use crate::times;

/// What `funnels` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Funnels {
    /// Shows the funnels that are counted
    List,
    /// Counts a funnel now: how many people came to each step, and where the others were lost
    Show {
        /// The funnel's name
        name: String,
        /// Over how many days, at most 92
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// The environment of the app
        #[arg(long, default_value = "production")]
        environment: String,
        /// Also apart: by the version that people had, or by whether they are new
        #[arg(long, value_enum)]
        by: Option<By>,
    },
    /// Adds a funnel, or changes the one of that name
    Set {
        /// Its name
        name: String,
        /// What people do one after the other: the name of an event, `page:/path` or `feature:name`
        #[arg(required = true, num_args = 2..)]
        steps: Vec<String>,
        /// How long after the first step the others count: 90m, 2h or 3d
        #[arg(long, default_value = "7d", value_parser = times::length)]
        within: SignedDuration,
    },
    /// Removes a funnel
    Remove {
        /// Its name
        name: String,
    },
}

/// What a funnel is counted apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The version of the app that people are first known to have had
    Release,
    /// Whether people were there before
    New,
}

impl By {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::New => "new",
        }
    }
}
