//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Runs the whole bundle on this machine, with sample data and captured messages
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    name = "pourtrait-dev",
    version,
    after_help = "\
It reads no variable of the environment and no .env: every URL and key is made
here, so that it can never touch production. It writes them to DIR/dev.env.

Exit status: 0 stopped by a signal, 1 failed, 2 used wrongly, or something that
this machine lacks cannot be installed."
)]
pub(crate) struct Arguments {
    /// Port on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 8787)]
    pub(crate) port: u16,
    /// Folder that keeps the data from one start to the next
    #[arg(long, value_name = "DIR", default_value = ".pourtrait")]
    pub(crate) data: PathBuf,
    /// Starts without sample data and without traffic
    #[arg(long)]
    pub(crate) empty: bool,
    /// Starts without sample traffic
    #[arg(long)]
    pub(crate) no_traffic: bool,
    /// Runs nothing by schedule
    #[arg(long)]
    pub(crate) no_crons: bool,
    /// Alert channels: Slack by its webhook and email, or all of them, with Slack's bot
    #[arg(long, value_enum, default_value_t)]
    pub(crate) channels: Channels,
    /// Uses the Supabase that this env file describes: no sample data, no
    /// traffic, no migrations; crons only where it is on this machine
    #[arg(long, value_name = "FILE")]
    pub(crate) supabase: Option<PathBuf>,
    /// Accepts a Supabase that is not on this machine
    #[arg(long)]
    pub(crate) yes: bool,
    /// Prints where it answers as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The alert channels of the local bundle.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Channels {
    /// Slack by its webhook, and email
    #[default]
    Usual,
    /// Discord and a webhook too, and Slack by its bot
    All,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
