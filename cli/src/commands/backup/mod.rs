//! `pourtrait backup`: one file per word.

mod export;
mod figures;
mod keygen;
mod list;
mod progress;
mod repository;
mod restore;
mod run;
mod show;
mod verify;

use crate::{
    arguments::backup::Backup, environment::Environment, failure::Verdict, output::Output,
};

pub(crate) async fn run(
    action: Backup,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match action {
        Backup::Run => run::run(environment, output).await,
        Backup::List => list::run(environment, output).await,
        Backup::Show(options) => show::run(&options, environment, output).await,
        Backup::Verify(options) => verify::run(&options, environment, output).await,
        Backup::Restore(options) => restore::run(options, environment, output).await,
        Backup::Export(options) => export::run(&options, environment, output).await,
        Backup::Keygen(options) => keygen::run(&options, output),
    }
}
