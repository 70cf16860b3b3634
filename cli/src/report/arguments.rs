//! The grammar of `pourtrait report`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::times::first_moment;

/// What `report` can show.
#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// How the last day went, beside the same day of the four weeks before
    Daily(Shown),
    /// How the last week went, from Monday to Sunday, beside the four before
    Weekly(Shown),
    /// How the last month went, beside the four before
    Monthly(Shown),
    /// Hands in which dependencies are outdated, as cargo-outdated or npm found them
    Outdated {
        /// What `cargo outdated --format json` or `npm outdated --json` wrote
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
}

/// Which report, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// The last period that was over at this time, as 2026-11-24 or 2026-11-24T07:00:00Z
    #[arg(long, value_name = "TIME", value_parser = first_moment)]
    pub(super) at: Option<Timestamp>,
    /// The environment of the app
    #[arg(long, default_value = "production")]
    pub(super) environment: String,
    /// The form in which it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Also sends it, by the channels that the setting report.daily, weekly or monthly names
    #[arg(long)]
    pub(super) send: bool,
}

/// A form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// As a terminal shows it
    Text,
    /// As mail shows it
    Html,
    /// As Slack is sent it
    Slack,
    /// The figures, as the database has them
    Json,
}
