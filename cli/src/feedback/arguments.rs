//! The grammar of `pourtrait feedback`.

use clap::{Args, Subcommand};

/// What `feedback` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Feedback {
    /// Shows what people wrote about the app, the newest first
    List(List),
    /// Shows what somebody wrote, with what it is about and what was answered
    Show {
        /// The id, or its beginning
        feedback: String,
    },
    /// Answers it, by mail where the person left an address
    Answer {
        /// The id, or its beginning
        feedback: String,
        /// What is answered
        text: String,
    },
    /// Takes it off the list, and forgets where the person is reached
    Close {
        /// The id, or its beginning
        feedback: String,
        /// What became of it, for whoever looks later
        #[arg(long)]
        note: Option<String>,
    },
}

/// Which feedback is listed.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// That which nobody has closed; so it is without a word
    #[arg(long, conflicts_with = "all")]
    open: bool,
    /// Also what was closed
    #[arg(long)]
    all: bool,
    /// How much is shown at most
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
}

impl List {
    pub(super) fn status(&self) -> &'static str {
        if self.all { "all" } else { "open" }
    }
}
