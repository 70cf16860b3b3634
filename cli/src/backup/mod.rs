//! `pourtrait backup`: backups taken, listed, checked, restored, tried and written out,
//! each action in a file of its own.

pub(crate) mod application;
pub(crate) mod arguments;
mod choice;
mod diff;
mod drill;
mod drill_report;
mod dry_run;
mod evidence;
mod export;
mod history;
mod init;
mod keygen;
pub(crate) mod known_drills;
mod left_out;
mod list;
mod lost_rows;
mod masks;
mod pin;
mod private_place;
pub(crate) mod progress;
mod prune;
pub(crate) mod quantities;
mod replica;
pub(crate) mod repository;
mod restore;
pub(crate) mod restore_files;
mod run;
mod show;
mod shown_rows;
mod store_test;
mod verify;

pub(crate) use drill::signals;
pub(crate) use private_place::refuse_shared;
pub(crate) use repository::open as open_store;

use crate::environment::Environment;
use arguments::Backup;
use terminal::{failure::Verdict, output::Output};

pub(crate) async fn run(
    action: Backup,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match action {
        Backup::Init => init::run(environment, output).await,
        Backup::Run { whole } => run::run(environment, whole, output).await,
        Backup::List => list::run(environment, output).await,
        Backup::Show(options) => show::run(&options, environment, output).await,
        Backup::History(options) => history::run(&options, environment, output).await,
        Backup::Diff(options) => diff::run(&options, environment, output).await,
        Backup::Verify(options) => verify::run(&options, environment, output).await,
        Backup::Restore(options) if options.live.into_live => {
            lost_rows::run(&options, environment, output).await
        }
        Backup::Restore(options) => restore::run(options, environment, output).await,
        Backup::MaskTemplate(options) => masks::propose(&options, environment, output).await,
        Backup::RestoreFiles(options) => restore_files::run(options, environment, output).await,
        Backup::Export(options) => export::run(&options, environment, output).await,
        Backup::Drill(options) => drill::run(options, environment, output).await,
        Backup::Replicate => replica::replicate(environment, output).await,
        Backup::Heal(options) => replica::heal(&options, environment, output).await,
        Backup::StoreTest => store_test::run(environment, output).await,
        Backup::Keygen(options) => keygen::run(&options, output),
        Backup::Prune(options) => prune::run(&options, environment, output).await,
        Backup::Pin(options) => pin::pin(&options, environment, output).await,
        Backup::Unpin(options) => pin::unpin(&options, environment, output).await,
        Backup::Evidence(options) => evidence::run(&options, environment, output).await,
        Backup::Application { action } => application::run(&action, environment, output).await,
    }
}
