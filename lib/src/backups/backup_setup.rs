//! From the configuration to what a backup is made with.

use backup::store::{OpenError, Store};
use outside::outbound::Outbound;

use crate::config::{Backup, Config, Database, Fault};

/// Why no backup can even be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Nothing about backups is configured.
    #[error("backups are not set up")]
    Absent,
    /// Something is, and something else is missing or of no use.
    #[error("backups are not configured as they should be")]
    Incomplete,
}

/// What a backup needs from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct BackupSetup<'a> {
    /// Where it reads.
    pub database: &'a Database,
    /// Where it writes, and for whom.
    pub backup: &'a Backup,
}

impl<'a> BackupSetup<'a> {
    /// Takes it from the configuration.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn of(config: &'a Config) -> Result<Self, SetupError> {
        match (&config.database, &config.backup) {
            (Some(database), Some(backup)) => Ok(Self { database, backup }),
            _ if config.faults.iter().any(Fault::is_about_backups) => Err(SetupError::Incomplete),
            _ => Err(SetupError::Absent),
        }
    }

    /// Opens the store.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn store(&self, outbound: &Outbound) -> Result<Store, OpenError> {
        let Backup {
            url, credentials, ..
        } = self.backup;
        Store::open(url.as_str(), credentials.as_ref(), outbound)
    }
}
