//! The grammar of `pourtrait errors`.

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use outside::database_time;

/// What `errors` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Errors {
    /// Shows what goes wrong in the app, each kind of error once, the latest first
    List {
        /// Those that are open, resolved or ignored, or all
        #[arg(long, value_enum, default_value_t = Status::Open)]
        status: Status,
        /// The environment of the app
        #[arg(long, default_value = "production")]
        environment: String,
        /// How many are shown at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows an error with those of its kind that came last
    Show {
        /// The error's id, or its beginning
        error: String,
    },
    /// Says that it is mended; a version of the app that is not there yet can bring it back
    Resolve {
        /// The error's id, or its beginning
        error: String,
    },
    /// Takes it off the list, for good or until a time
    Ignore {
        /// The error's id, or its beginning
        error: String,
        /// From when on it counts again
        #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
        until: Option<Timestamp>,
    },
    /// Puts it back on the list
    Reopen {
        /// The error's id, or its beginning
        error: String,
    },
}

/// Which errors are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Nobody has done anything about it, or it came back
    Open,
    /// Somebody said that it is mended
    Resolved,
    /// Somebody took it off the list
    Ignored,
    /// All of them
    All,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
            Self::All => "all",
        }
    }
}
