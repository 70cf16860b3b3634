//! Whether the database lets itself be read whole, whether the store answers, and
//! whether backups are tried. Nothing is written.

use backup::{
    format::object_path, pinned_session::PinnedSession, preflight, repository::RepositoryError,
    store::StoreError,
};
use ops::{
    backups::{
        application::{KnownArchives, ListArchives},
        backup_setup::{BackupSetup, SetupError},
        drill_receipts::Known,
    },
    config::Config,
};
use outside::outbound::Outbound;

use super::finding::{Finding, Level};
use crate::{
    backup::known_drills,
    environment::Environment,
    project::{PATIENCE, Project},
};

const STORE: &str = "backup store";
const ROLE: &str = "backup role";
const DRILLS: &str = "backup drills";
const ARCHIVES: &str = "application archive";

/// Nothing where backups are not set up, which is a finding of its own.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let config = environment.config();
    match BackupSetup::of(&config) {
        Ok(setup) => {
            let mut findings = vec![
                role(setup).await,
                store(setup).await,
                drills(environment).await,
            ];
            findings.extend(archives(&config, environment).await);
            findings
        }
        Err(SetupError::Absent | SetupError::Incomplete) => Vec::new(),
    }
}

async fn role(setup: BackupSetup<'_>) -> Finding {
    let examined = async {
        let session =
            PinnedSession::open(&setup.database.url, setup.database.ca.as_deref()).await?;
        preflight::examine_server(&session).await
    };
    match examined.await {
        Ok(faults) if faults.is_empty() => {
            Finding::new(Level::Ok, ROLE, "policies hide nothing from it")
        }
        Ok(faults) => {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            Finding::new(Level::Error, ROLE, faults.join("; "))
        }
        Err(error) => Finding::new(Level::Error, ROLE, error.to_string()),
    }
}

async fn store(setup: BackupSetup<'_>) -> Finding {
    let store = match setup.store(&Outbound::default()) {
        Ok(store) => store,
        Err(error) => return Finding::new(Level::Error, STORE, error.to_string()),
    };
    let looked = async {
        let years = store.folders(object_path::SNAPSHOTS).await?;
        let described = store.len_if_there(object_path::REPO).await?;
        Ok::<_, StoreError>((!years.is_empty(), described.is_some()))
    };
    match looked.await {
        Ok((true, _)) => Finding::new(Level::Ok, STORE, "answers, and holds backups"),
        Ok((false, true)) => Finding::new(Level::Ok, STORE, "answers; no backup yet"),
        Ok((false, false)) => {
            let absent = RepositoryError::Absent(store.place().to_owned());
            Finding::new(Level::Error, STORE, absent.to_string())
        }
        Err(error) => Finding::new(Level::Error, STORE, error.to_string()),
    }
}

/// Backups that nobody ever restored are a hope.
async fn drills(environment: &Environment) -> Finding {
    match known_drills::known_soon(environment).await {
        Ok(Some(known)) => stand(&known),
        Ok(None) => Finding::new(
            Level::Warning,
            DRILLS,
            "no project is named that would know",
        ),
        Err(error) => Finding::new(Level::Error, DRILLS, format!("{error:#}")),
    }
}

/// Nothing where no platform's token is there, or no project that would know.
async fn archives(config: &Config, environment: &Environment) -> Option<Finding> {
    if !config.platforms.is_any_open() {
        return None;
    }
    let project = Project::of(environment).ok()?;
    let listed = project.call_within(PATIENCE, &ListArchives {}).await;
    Some(match listed {
        Ok(KnownArchives { archives, .. }) if archives.is_empty() => {
            let text = "none yet: the next backup takes one (docs/application-archive.md)";
            Finding::new(Level::Warning, ARCHIVES, text)
        }
        Ok(KnownArchives { due: true, .. }) => {
            let text = "the newest is older than a day: the next backup takes one";
            Finding::new(Level::Warning, ARCHIVES, text)
        }
        Ok(_) => Finding::new(Level::Ok, ARCHIVES, "the newest is younger than a day"),
        Err(error) => Finding::new(Level::Error, ARCHIVES, format!("{error:#}")),
    })
}

fn stand(known: &Known) -> Finding {
    let last = known.drills().next();
    let reason = last.and_then(|drill| drill.reason);
    match known.status.as_str() {
        "ok" => Finding::new(Level::Ok, DRILLS, "the last one is good"),
        "not_set_up" => {
            let text = "not set up: nobody has tried whether a backup can be restored \
                        (docs/backup-recovery.md, Drills)";
            Finding::new(Level::Warning, DRILLS, text)
        }
        "overdue" => {
            let text = format!("overdue: one is due every {} days", known.every_days);
            Finding::new(Level::Error, DRILLS, text)
        }
        other => {
            let reason = reason.unwrap_or_else(|| "see `pourtrait backup list`".to_owned());
            Finding::new(Level::Error, DRILLS, format!("{other}: {reason}"))
        }
    }
}
