//! The grammar of the command line: the options of every command, and the nouns,
//! each of which has its own grammar.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    alerts::arguments::Alerts, audit::arguments::Audit, backup::arguments::Backup, check::Check,
    checks::arguments::Checks, components::arguments::Components, contacts::arguments::Contacts,
    database::arguments::Database, deploy::arguments::Deploy, door::arguments::Door,
    errors::arguments::Errors, feedback::arguments::Feedback, funnels::arguments::Funnels,
    incidents::arguments::Incidents, maintenance::arguments::Maintenance, migrate::Migrate,
    monitor::arguments::Monitor, oncall::arguments::Oncall, privacy::arguments::Privacy,
    recover::arguments::Recover, report::arguments::Report, retention::Retention,
    roles::arguments::Roles, rollback::arguments::Rollback, schedule::Schedule, settings::Settings,
    setup::arguments::Setup, sourcemaps::arguments::Sourcemaps, status::arguments::Status,
    training::arguments::Training, uninstall::Uninstall, validate::Validate,
    verify::arguments::Verify,
};

const VARIABLES: &str = "\
Variables:
  A command reads its variables from the file named with --env-file. Without one it
  reads them from the environment if SUPABASE_URL, NEXT_PUBLIC_SUPABASE_URL,
  DATABASE_URL or BACKUP_URL is set there, else from the first of these files that
  exists: .env, .pourtrait/dev.env. One source is read whole; two are never merged.
  A file is read as a shell would source it.

Exit status: 0 done, 1 failed or found bad, 2 used wrongly.";

/// Operates the Pourtrait Ops bundle
#[derive(Debug, Parser)]
#[command(name = "pourtrait", version, after_help = VARIABLES)]
pub(crate) struct Arguments {
    /// Reads variables from this file, whatever the environment holds
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Prints results as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do; without it, everything's state and the next sensible step are shown.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes secrets and keys, asks for the rest, and writes it here, on Vercel and on GitHub
    Setup(Setup),
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
    /// Brings the database, the application or both back, step by step, and says how long it took
    Recover {
        /// What to bring back.
        #[command(subcommand)]
        action: Recover,
    },
    /// Shows and changes contacts: the people whom alerts ask
    Contacts {
        /// What to do.
        #[command(subcommand)]
        action: Contacts,
    },
    /// Shows who is on call, and plans rotations, overrides, swaps and absences
    Oncall {
        /// What to do.
        #[command(subcommand)]
        action: Oncall,
    },
    /// Shows what goes wrong in the app, each kind of error once, and what is done about it
    Errors {
        /// What to do.
        #[command(subcommand)]
        action: Errors,
    },
    /// Shows what people wrote about the app, and answers them
    Feedback {
        /// What to do.
        #[command(subcommand)]
        action: Feedback,
    },
    /// Keeps the source maps of builds, by which errors show the code that somebody wrote
    Sourcemaps {
        /// What to do.
        #[command(subcommand)]
        action: Sourcemaps,
    },
    /// Shows how far people come on the ways through the app that are counted, and sets these
    Funnels {
        /// What to do.
        #[command(subcommand)]
        action: Funnels,
    },
    /// Shows how the last day, week or month went beside those before it, and sends that
    Report {
        /// What to do.
        #[command(subcommand)]
        action: Report,
    },
    /// Shows what the month costs, as far as our own figures tell
    Costs,
    /// Shows how many people come back in the weeks or days after their first
    Retention(Retention),
    /// Shows what the database server says of itself: slow statements, connections, locks, tables
    Database {
        /// What to do.
        #[command(subcommand)]
        action: Database,
    },
    /// Shows the project keys with which apps and platforms send, and makes them
    Door {
        /// What to do.
        #[command(subcommand)]
        action: Door,
    },
    /// Shows what is held of somebody, hands it out and erases it, and keeps what they agree to
    Privacy {
        /// What to do.
        #[command(subcommand)]
        action: Privacy,
    },
    /// Shows who may see and do what on the pages, and changes it
    Roles {
        /// What to do.
        #[command(subcommand)]
        action: Roles,
    },
    /// Shows who did what that has to be answered for, and proves that the log is whole
    Audit {
        /// What to do.
        #[command(subcommand)]
        action: Audit,
    },
    /// Shows open alerts, and acknowledges, silences and resolves them
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
    /// Shows and changes what the public status page is about, and says how it is
    Components {
        /// What to do.
        #[command(subcommand)]
        action: Components,
    },
    /// Announces maintenance windows, which silence messages, and deletes what is past its time
    Maintenance {
        /// What to do.
        #[command(subcommand)]
        action: Maintenance,
    },
    /// Shows, changes and tests checks: what is watched beside the app itself
    Checks {
        /// What to do.
        #[command(subcommand)]
        action: Checks,
    },
    /// Makes the database call the bundle, and report to Slack when the bundle falls silent
    Schedule {
        /// What to do.
        #[command(subcommand)]
        action: Schedule,
    },
    /// Releases the app or this bundle: staged, looked at, promoted, and back where it fails
    Deploy(Deploy),
    /// Shows what serves production, and which deployments one can go back to
    Status(Status),
    /// Goes back to an earlier deployment, and looks whether it works
    Rollback(Rollback),
    /// Takes everything of the bundle out of the database, and leaves the app's tables
    Uninstall(Uninstall),
    /// Checks the configuration
    Check(Check),
    /// Shows when exercises were done last, and keeps the times of one
    Training {
        /// What to do.
        #[command(subcommand)]
        action: Training,
    },
    /// Runs everything that a change of this repository has to pass before it is deployed
    Validate(Validate),
    /// Prints the script by which a shell completes this command
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page
    Man {
        /// Writes one page for each command into this folder instead
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Looks at a deployment from outside, and changes nothing
    Verify(Box<Verify>),
    /// Watches the bundle and the app from outside, for as long as it runs
    Monitor(Box<Monitor>),
    /// Writes the files of the repository that follow from its code
    #[command(hide = true)]
    Docs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
