//! Where backups lie, and what opens them.

use std::path::PathBuf;

use anyhow::Context;
use backup::{
    catalogue::{self, Listing, ReadError},
    format::Snapshot,
    keys::Identities,
    store::{Credentials, OpenError, Store},
};
use jiff::Timestamp;
use outside::outbound::Outbound;

use super::arguments::Key;
use crate::environment::Environment;
use terminal::failure::Misuse;

/// The store that `BACKUP_URL` names.
pub(crate) struct Repository {
    pub(crate) store: Store,
}

/// Opens the store that `BACKUP_URL` names, the way that is given.
pub(crate) fn store(
    environment: &Environment,
    open: impl FnOnce(&str, Option<&Credentials>, &Outbound) -> Result<Store, OpenError>,
) -> anyhow::Result<Store> {
    let unset = || Misuse(format!("BACKUP_URL is not set in {}", environment.origin()));
    let url = environment.get("BACKUP_URL").ok_or_else(unset)?;
    let key_id = environment.get("BACKUP_ACCESS_KEY_ID");
    let secret = environment.get("BACKUP_SECRET_ACCESS_KEY");
    let credentials = key_id.zip(secret).map(|(key_id, secret)| Credentials {
        key_id: key_id.into(),
        secret: secret.into(),
    });
    let opened = open(&url, credentials.as_ref(), &Outbound::default());
    opened.map_err(|error| Misuse(format!("BACKUP_URL: {error}")).into())
}

/// Opens the store that `BACKUP_URL` names, to be read.
pub(crate) fn open(environment: &Environment) -> anyhow::Result<Store> {
    store(environment, Store::open)
}

impl Repository {
    /// Reading needs less than taking a backup: no secret, no recipients and no
    /// database, for all of those may be lost.
    pub(crate) fn of(environment: &Environment) -> anyhow::Result<Self> {
        let store = open(environment)?;
        Ok(Self { store })
    }

    /// The backup of that name, or `latest`.
    pub(crate) async fn find(&self, which: &str) -> anyhow::Result<Snapshot> {
        self.found(catalogue::find(&self.store, which).await)
    }

    /// The newest backup that was taken before a time.
    pub(super) async fn find_before(&self, time: Timestamp) -> anyhow::Result<Snapshot> {
        self.found(catalogue::find_before(&self.store, time).await)
    }

    fn found(&self, found: Result<Snapshot, ReadError>) -> anyhow::Result<Snapshot> {
        match found {
            Ok(snapshot) => Ok(snapshot),
            Err(
                error @ (ReadError::NoSuch(_)
                | ReadError::Ambiguous { .. }
                | ReadError::NoneBefore { .. }),
            ) => Err(Misuse(format!("{error} in {}", self.store.place())).into()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.store.place())),
        }
    }

    /// Every backup, newest first.
    pub(crate) async fn all(&self) -> anyhow::Result<Listing> {
        let found = catalogue::snapshots(&self.store).await;
        found.with_context(|| format!("cannot list the backups in {}", self.store.place()))
    }
}

/// The private keys in the file that was named, or in that of
/// `BACKUP_IDENTITY_FILE`, or in `BACKUP_IDENTITY` itself.
pub(crate) fn identities(key: &Key, environment: &Environment) -> anyhow::Result<Identities> {
    optional_identities(key, environment)?.ok_or_else(|| {
        Misuse(format!(
            "no private key is named: give --identity FILE, or set BACKUP_IDENTITY_FILE or BACKUP_IDENTITY in {}",
            environment.origin()
        ))
        .into()
    })
}

/// The same where less can be done without.
pub(crate) fn optional_identities(
    key: &Key,
    environment: &Environment,
) -> anyhow::Result<Option<Identities>> {
    let from_environment = || environment.get("BACKUP_IDENTITY_FILE").map(PathBuf::from);
    let Some(path) = key.identity.clone().or_else(from_environment) else {
        return identities_in(environment);
    };
    let misuse = |reason: String| Misuse(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| misuse(error.to_string()))?;
    let identities = Identities::parse(&text).map_err(|error| misuse(error.to_string()))?;
    Ok(Some(identities))
}

/// The private keys that a variable holds itself.
fn identities_in(environment: &Environment) -> anyhow::Result<Option<Identities>> {
    let Some(text) = environment.get("BACKUP_IDENTITY") else {
        return Ok(None);
    };
    let identities = Identities::parse(&text);
    Ok(Some(identities.map_err(|error| {
        Misuse(format!("BACKUP_IDENTITY: {error}"))
    })?))
}
