//! The operator's command of Pourtrait Ops, `pourtrait`.
//!
//! Each noun is a module: `alerts`, `audit`, `backup`, `check`, `checks`, `components`, `contacts`, `costs`,
//! `database`, `deploy`, `door`, `errors`, `feedback`, `funnels`, `incidents`, `maintenance`, `migrate`,
//! `monitor`, `oncall`, `privacy`, `recover`, `report`, `retention`, `roles`, `rollback`, `schedule`, `settings`, `setup`,
//! `sourcemaps`, `status`, `training`, `uninstall`, `validate`, `verify`. It holds the noun's
//! grammar, what it does, how it prints, and its tests. `arguments` puts the grammar
//! together. What nouns share: `environment` finds the variables, `project` asks the
//! database, `answered` reads what it answers, `traffic` changes what serves, `id_start` finds an id,
//! `suggestion` what was probably meant, `workflow_identity` says who a workflow's job is, `file_plan` tells what a file changes,
//! `times` writes for people, `help` is what the command says of itself, and `overview` what it says
//! when it is asked nothing. `docs` writes what follows from the code. The bundle on one machine is the crate `dev`, so that
//! whoever installs this command compiles none of it.
//!
//! Every command prints its target before it changes anything, takes `--json`,
//! and exits with 0 (done), 1 (failed, or found something bad) or 2 (used
//! wrongly).

mod alerts;
mod answered;
mod arguments;
mod audit;
mod backup;
mod check;
mod checks;
mod components;
mod contacts;
mod costs;
mod database;
mod deploy;
mod docs;
mod door;
mod environment;
mod errors;
mod feedback;
mod file_plan;
mod funnels;
mod help;
mod id_start;
mod incidents;
mod maintenance;
mod migrate;
mod monitor;
mod oncall;
mod overview;
mod privacy;
mod project;
mod recover;
mod report;
mod restore_point;
mod retention;
mod roles;
mod rollback;
mod schedule;
mod settings;
mod setup;
mod sourcemaps;
mod status;
mod suggestion;
mod times;
mod traffic;
mod training;
mod uninstall;
mod validate;
mod verify;
mod workflow_identity;

use std::process::ExitCode;

use anyhow::Context;
use terminal::{
    failure::{self, Verdict},
    output::{self, Output},
};

use crate::{
    arguments::{Arguments, Command},
    contacts::arguments::Contacts,
    environment::Environment,
    migrate::Migrate,
};

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = help::parse();
    let output = Output {
        json: arguments.json,
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(run(arguments, output)));
    failure::end(&outcome)
}

async fn run(arguments: Arguments, output: Output) -> anyhow::Result<Verdict> {
    let Arguments {
        env_file, command, ..
    } = arguments;
    let environment = || -> anyhow::Result<Option<Environment>> {
        let process = &environment::process_variable;
        if let (Some(file), Some(name)) = (&env_file, environment::named_by(process)) {
            output::note(&format!(
                "note: {name} and the rest of the environment are not read, because --env-file names {}",
                file.display()
            ));
        }
        Environment::choose(process, env_file.as_deref(), ".".as_ref())
    };
    let project = || environment()?.ok_or_else(environment::nothing);
    let Some(command) = command else {
        return overview::run(environment()?.as_ref(), output).await;
    };
    match command {
        Command::Migrate {
            action: Some(Migrate::Export { folder }),
        } => migrate::export(&folder, output),
        Command::Migrate { action } => migrate::run(action, &project()?, output).await,
        Command::Settings { action } => settings::run(action, &project()?, output).await,
        Command::Checks { action } => checks::run(action, &project()?, output).await,
        Command::Components { action } => components::run(action, &project()?, output).await,
        Command::Contacts {
            // Making a key comes before there is anything to name.
            action: Contacts::Keygen,
        } => contacts::keygen(output),
        Command::Contacts { action } => contacts::run(action, &project()?, output).await,
        Command::Oncall { action } => oncall::run(action, &project()?, output).await,
        Command::Errors { action } => errors::run(action, &project()?, output).await,
        Command::Feedback { action } => feedback::run(action, &project()?, output).await,
        Command::Sourcemaps { action } => sourcemaps::run(action, &project()?, output).await,
        Command::Funnels { action } => funnels::run(action, &project()?, output).await,
        Command::Report { action } => report::run(action, &project()?, output).await,
        Command::Costs => costs::run(&project()?, output).await,
        Command::Retention(retention) => retention::run(retention, &project()?, output).await,
        Command::Database { action } => database::run(action, &project()?, output).await,
        Command::Door { action } => door::run(action, &project()?, output).await,
        Command::Privacy { action } => privacy::run(action, &project()?, output).await,
        Command::Audit { action } => {
            // A file of the log outlives whatever named a project.
            let environment = match environment()? {
                Some(environment) => environment,
                None if action.needs_no_project() => Environment::process(),
                None => return Err(environment::nothing()),
            };
            audit::run(action, &environment, output).await
        }
        Command::Roles { action } => roles::run(action, &project()?, output).await,
        Command::Alerts { action } => alerts::run(action, &project()?, output).await,
        Command::Incidents { action } => incidents::run(action, &project()?, output).await,
        Command::Backup { action } => {
            // Making keys comes before there is anything to name.
            let environment = environment()?.unwrap_or_else(Environment::process);
            backup::run(action, &environment, output).await
        }
        Command::Recover { action } => {
            // What is recovered may be all that a source would name.
            let environment = environment()?.unwrap_or_else(Environment::process);
            Box::pin(recover::run(action, &environment, output)).await
        }
        Command::Maintenance { action } => maintenance::run(action, &project()?, output).await,
        Command::Uninstall(options) => uninstall::run(options, &project()?, output).await,
        Command::Schedule { action } => schedule::run(action, &project()?, output).await,
        // It makes the source that the others read.
        Command::Setup(setup) => Box::pin(setup::run(&setup, env_file.as_deref(), output)).await,
        Command::Check(options) => {
            // Where nothing names a project, that is what there is to report.
            let environment = environment()?.unwrap_or_else(Environment::process);
            check::run(options, &environment, output).await
        }
        Command::Deploy(deploy) => {
            let environment = environment()?.unwrap_or_else(Environment::process);
            deploy::run(&deploy, &environment, output).await
        }
        Command::Status(status) => {
            let environment = environment()?.unwrap_or_else(Environment::process);
            status::run(&status, &environment, output).await
        }
        Command::Rollback(rollback) => {
            let environment = environment()?.unwrap_or_else(Environment::process);
            rollback::run(&rollback, &environment, output).await
        }
        Command::Training { action } => training::run(action, project, output).await,
        Command::Validate(validate) => validate::run(&validate, env_file.as_deref(), output),
        Command::Completions { shell } => Ok(help::completions(shell, output)),
        Command::Man { out } => help::man(out.as_deref(), output),
        Command::Verify(verify) => {
            // A deployment can be looked at with nothing but its address.
            let environment = environment()?.unwrap_or_else(Environment::process);
            verify::run(*verify, &environment, output).await
        }
        Command::Monitor(monitor) => {
            let environment = environment()?.unwrap_or_else(Environment::process);
            monitor::run(*monitor, &environment, output).await
        }
        Command::Docs => docs::run(output),
    }
}
