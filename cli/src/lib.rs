//! The operator's command of Pourtrait Ops, `pourtrait`.
//!
//! In reading order: `arguments` is the grammar, `environment` finds the
//! variables, `commands` holds one file per command, [`dev`] is the bundle on
//! one machine (which tests start as well), `docs` writes what follows from the
//! code.
//!
//! Every command prints its target before it changes anything, takes `--json`,
//! and exits with 0 (done), 1 (failed, or found something bad) or 2 (used
//! wrongly).

mod arguments;
mod commands;
pub mod dev;
mod docs;
pub mod env_file;
mod environment;
pub mod failure;
mod output;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::{
    arguments::{Arguments, Command},
    environment::Environment,
    failure::{Misuse, Verdict},
    output::Output,
};

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output {
        json: arguments.json,
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(run(arguments, output)));
    if let Err(error) = &outcome {
        output::note(&format!("error: {error:#}"));
    }
    failure::status(&outcome)
}

async fn run(arguments: Arguments, output: Output) -> anyhow::Result<Verdict> {
    let Arguments {
        env_file, command, ..
    } = arguments;
    let environment = || -> anyhow::Result<Option<Environment>> {
        let process = &environment::process_variable;
        if let (Some(file), Some(name)) = (&env_file, environment::named_by(process)) {
            output::note(&format!(
                "note: {} is not read, because {name} is set in the environment",
                file.display()
            ));
        }
        Environment::choose(process, env_file.as_deref(), ".".as_ref())
    };
    let project = || environment()?.ok_or_else(environment::nothing);
    match command {
        Command::Dev(_) if env_file.is_some() => {
            let instead = "to run on a Supabase of your own, name its file with --supabase";
            Err(Misuse(format!("dev reads no env file; {instead}")).into())
        }
        Command::Dev(options) => commands::dev::run(options, output).await,
        Command::Migrate { action } => commands::migrate::run(action, &project()?, output).await,
        Command::Settings { action } => commands::settings::run(action, &project()?, output).await,
        Command::Checks { action } => commands::checks::run(action, &project()?, output).await,
        Command::Contacts { action } => commands::contacts::run(action, &project()?, output).await,
        Command::Alerts { action } => commands::alerts::run(action, &project()?, output).await,
        Command::Incidents { action } => {
            commands::incidents::run(action, &project()?, output).await
        }
        Command::Backup { action } => {
            // Making keys comes before there is anything to name.
            let environment = environment()?.unwrap_or_else(Environment::process);
            commands::backup::run(action, &environment, output).await
        }
        Command::Maintenance { action } => {
            commands::maintenance::run(action, &project()?, output).await
        }
        Command::Schedule { action } => commands::schedule::run(action, &project()?, output).await,
        Command::Check { live } => {
            // Where nothing names a project, that is what there is to report.
            let environment = environment()?.unwrap_or_else(Environment::process);
            commands::check::run(live, &environment, output).await
        }
        Command::Docs => commands::docs::run(output),
    }
}
