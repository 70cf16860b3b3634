//! The application beside its database: how its platforms are set up, and its repository, once
//! a day into the store of the backups.
//!
//! What of a document is kept is named field by field (`allowed`). The archive is sealed to the
//! backups' recipients; what changed since the last one is told from keyed hashes that the
//! database keeps ([`leaves`]), since nobody here can open the last one.

mod allowed;
mod database_documents;
pub mod leaves;
mod platform_documents;
mod records;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backup::{
    application::{self, ArchiveError, Part},
    keys::{DedupeKey, KeyError, Recipients, Secret},
    store::{OpenError, Store},
};
use bytes::Bytes;
use jiff::Timestamp;
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::backup_setup::{BackupSetup, SetupError};
use crate::{app::App, config::Config, rpc::RpcError};
use leaves::{Difference, Leaves};
use platform_documents::Read;
pub use records::{KnownArchives, ListArchives, RecordArchive};

/// An archive that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// Its name in the store.
    pub name: String,
    /// When.
    pub taken_at: Timestamp,
    /// The bytes of its documents, sealed.
    pub bytes: u64,
    /// The bytes of its copy of the repository, sealed.
    pub repository_bytes: Option<u64>,
    /// The documents that it holds.
    pub documents: Vec<String>,
    /// What it lacks, and why.
    pub absent: BTreeMap<String, String>,
    /// What changed since the last one; `None` where there is no last one.
    pub differences: Option<Vec<Difference>>,
}

/// Why no archive was taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Backups are not set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A key is of no use.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] RpcError),
    /// There is nothing to keep: no token, and no session.
    #[error("there is nothing to keep: no platform's token is set, and no database answers")]
    Nothing,
}

/// The documents as they are sealed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sealed<'a> {
    format: u32,
    taken_at: Timestamp,
    documents: &'a BTreeMap<String, Value>,
    absent: &'a BTreeMap<String, String>,
}

/// What came of an archive that was due, as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DueArchive {
    /// The archive.
    pub taken: Option<Taken>,
    /// Why there is none.
    pub reason: Option<String>,
}

/// How long the database may take to say whether an archive is due.
const ASKING: Duration = Duration::from_secs(5);

/// How long one may take in the function: what is left of its time is for a drill.
const LONGEST: Duration = Duration::from_secs(90);

/// Kept back from reading, for writing what was read.
const WRITING: Duration = Duration::from_secs(20);

/// Takes an archive where one is due; nothing where none is, or no platform's token is there.
pub(super) async fn take_if_due(app: &App, deadline: Deadline) -> Option<DueArchive> {
    if !app.config.platforms.is_any_open() {
        return None;
    }
    let taken = match app.call(&ListArchives {}, deadline.within(ASKING)).await {
        Ok(known) if !known.due => return None,
        Ok(_) => take(app, clock::now(), None, deadline.within(LONGEST)).await,
        Err(error) => Err(error.into()),
    };
    let taken = taken.inspect_err(|error| {
        tracing::warn!(%error, "an archive of the application that is due is not taken");
    });
    Some(match taken {
        Ok(taken) => DueArchive {
            taken: Some(taken),
            reason: None,
        },
        Err(error) => DueArchive {
            taken: None,
            reason: Some(error.to_string()),
        },
    })
}

/// Takes an archive, with a bundle of the repository where whoever asks has one, and records it.
pub async fn take(
    app: &App,
    taken_at: Timestamp,
    repository: Option<Bytes>,
    deadline: Deadline,
) -> Result<Taken, NotTaken> {
    let setup = BackupSetup::of(&app.config)?;
    let store = setup.store(&app.outbound)?;
    let recipients = Recipients::parse(&setup.backup.recipients)?;
    let key = hash_key(&app.config)?;
    let known = app.call(&ListArchives {}, deadline).await?;
    let read = read(&app.config, &app.outbound, deadline.reserving(WRITING)).await;
    if read.documents.is_empty() && repository.is_none() {
        return Err(NotTaken::Nothing);
    }
    let written = write(&store, &recipients, taken_at, &read, repository).await?;
    let leaves = all_leaves(&read, &key);
    let differences = known
        .leaves
        .map(|before| comparable(&before, &leaves, &read));
    let taken = Taken {
        name: written.name,
        taken_at,
        bytes: written.bytes,
        repository_bytes: written.repository_bytes,
        documents: read.documents.keys().cloned().collect(),
        absent: read.absent,
        differences,
    };
    let record = RecordArchive::of(&taken, &leaves);
    app.call(&record, deadline).await?;
    Ok(taken)
}

async fn read(config: &Config, outbound: &Arc<Outbound>, deadline: Deadline) -> Read {
    let mut read = platform_documents::read(&config.platforms, outbound, deadline).await;
    if let Some(database) = &config.database {
        database_documents::read(database, deadline, &mut read).await;
    }
    read
}

async fn write(
    store: &Store,
    recipients: &Recipients,
    taken_at: Timestamp,
    read: &Read,
    repository: Option<Bytes>,
) -> Result<application::Archive, ArchiveError> {
    let sealed = Sealed {
        format: 1,
        taken_at,
        documents: &read.documents,
        absent: &read.absent,
    };
    let documents = serde_json::to_vec_pretty(&sealed).unwrap_or_default();
    let name = application::name(taken_at, &documents);
    let mut repository_bytes = None;
    if let Some(bundle) = repository {
        let written = application::write(store, &name, Part::Repository, bundle, recipients);
        repository_bytes = Some(written.await?);
    }
    let documents = Bytes::from(documents);
    let bytes = application::write(store, &name, Part::Documents, documents, recipients).await?;
    Ok(application::Archive {
        name,
        bytes,
        repository_bytes,
    })
}

fn all_leaves(read: &Read, key: &DedupeKey) -> Leaves {
    read.documents
        .iter()
        .flat_map(|(name, document)| leaves::leaves(name, document, key))
        .collect()
}

/// The differences, but for what could not be read this time: that it is not there any more is
/// not known.
fn comparable(before: &Leaves, after: &Leaves, read: &Read) -> Vec<Difference> {
    let is_absent = |path: &str| {
        read.absent.keys().any(|absent| {
            path.strip_prefix(absent.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    let before: Leaves = before
        .iter()
        .filter(|(path, _)| !is_absent(path))
        .map(|(path, hash)| (path.clone(), hash.clone()))
        .collect();
    leaves::differences(&before, after)
}

/// The key of the hashes, which is no epoch's of the backups.
fn hash_key(config: &Config) -> Result<DedupeKey, NotTaken> {
    let setup = BackupSetup::of(config)?;
    Ok(Secret::parse(&setup.backup.secret)?.dedupe_key(Uuid::nil(), 0))
}
