//! The grammar of the command line.

pub(crate) mod alerts;
pub(crate) mod backup;
pub(crate) mod checks;
pub(crate) mod contacts;
pub(crate) mod incidents;
pub(crate) mod maintenance;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use alerts::Alerts;
use backup::Backup;
use checks::Checks;
use contacts::Contacts;
use incidents::Incidents;
use maintenance::Maintenance;

const VARIABLES: &str = "\
Variables:
  A command reads its variables from the environment if SUPABASE_URL,
  NEXT_PUBLIC_SUPABASE_URL, DATABASE_URL or BACKUP_URL is set there. Otherwise it
  reads them from the first of these files that exists: the one named with
  --env-file, .env, .pourtrait/dev.env. One source is read whole; two are never merged.
  A file is read as a shell would source it. `dev` reads neither.

Exit status: 0 done, 1 failed or found bad, 2 used wrongly.";

/// Operates the Pourtrait Ops bundle
#[derive(Debug, Parser)]
#[command(name = "pourtrait", version, after_help = VARIABLES)]
pub(crate) struct Arguments {
    /// Reads variables from this file, unless the environment names a project
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Prints results as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the whole bundle on this machine, with sample data and captured messages
    Dev(Dev),
    /// Brings the database to the schema that this build needs
    Migrate {
        /// What to do; without it, apply.
        #[command(subcommand)]
        action: Option<Migrate>,
    },
    /// Shows and changes settings: thresholds, checked URLs
    Settings {
        /// What to do.
        #[command(subcommand)]
        action: Settings,
    },
    /// Takes backups, checks them and restores them
    Backup {
        /// What to do.
        #[command(subcommand)]
        action: Backup,
    },
    /// Shows and changes whom alerts may ask for
    Contacts {
        /// What to do.
        #[command(subcommand)]
        action: Contacts,
    },
    /// Shows open alerts, and does something about them
    Alerts {
        /// What to do.
        #[command(subcommand)]
        action: Alerts,
    },
    /// Shows incidents, opens and updates them, and writes their postmortems
    Incidents {
        /// What to do.
        #[command(subcommand)]
        action: Incidents,
    },
    /// Announces work: it silences messages and is left out of uptime
    Maintenance {
        /// What to do.
        #[command(subcommand)]
        action: Maintenance,
    },
    /// Shows, changes and tries the checks that are kept in the database
    Checks {
        /// What to do.
        #[command(subcommand)]
        action: Checks,
    },
    /// Has the database call the bundle, and raise the alarm when it falls silent
    Schedule {
        /// What to do.
        #[command(subcommand)]
        action: Schedule,
    },
    /// Checks the configuration
    Check {
        /// Also asks every service, opens a database session and looks for pending migrations
        #[arg(long)]
        live: bool,
    },
    /// Writes the files of the repository that follow from its code
    #[command(hide = true)]
    Docs,
}

/// What `migrate` can do.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Migrate {
    /// Shows what would be applied
    Plan,
    /// Applies what is pending (also without a word)
    Apply,
    /// Shows every migration and whether it was applied
    Status,
}

/// What `schedule` can do.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Schedule {
    /// Schedules every call with `pg_cron`; again, it replaces what it made
    Install,
    /// Takes back all that install made
    Remove,
    /// Shows what is scheduled, and since when no tick came
    Status,
}

/// What `settings` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Shows every setting
    List,
    /// Shows the value of one setting
    Get {
        /// Its name
        key: String,
    },
    /// Changes one setting
    Set {
        /// Its name
        key: String,
        /// JSON, or else text; `null` restores the default
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
}

/// How `dev` runs.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
dev reads no variable of the environment and no .env: every URL and key is made
here, so that it can never touch production. It writes them to DIR/dev.env.")]
pub(crate) struct Dev {
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
