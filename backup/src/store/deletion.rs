//! What a store does with an object that our own key deletes.

use object_store::{GetOptions, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

use super::{Store, StoreError, attempts::Attempts};

/// What became of an object that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// It is there as before.
    Refused,
    /// It lies behind a mark: the version that was written can still be read. Whether our key
    /// may delete that version as well is not tried.
    Hidden,
    /// It is gone.
    Gone,
}

impl Store {
    /// Deletes an object that is there, and looks what became of it.
    ///
    /// # Errors
    /// If the store does not say.
    pub async fn try_deletion(&self, path: &str) -> Result<Deletion, StoreError> {
        let version = self.version(path).await?;
        match self.delete(path).await {
            Ok(()) | Err(StoreError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        if self.get_if_there(path).await?.is_some() {
            return Ok(Deletion::Refused);
        }
        match version {
            Some(version) if self.has_version(path, &version).await? => Ok(Deletion::Hidden),
            Some(_) | None => Ok(Deletion::Gone),
        }
    }

    /// The version of an object, where the store keeps versions.
    async fn version(&self, path: &str) -> Result<Option<String>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            self.requests.head.fetch_add(1, Ordering::Relaxed);
            match self.objects.head(&self.location(path)).await {
                // What was written before a bucket kept versions has none of its own.
                Ok(object) => return Ok(object.version.filter(|version| version != "null")),
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }

    async fn has_version(&self, path: &str, version: &str) -> Result<bool, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            self.requests.head.fetch_add(1, Ordering::Relaxed);
            let options = GetOptions {
                version: Some(version.to_owned()),
                head: true,
                ..GetOptions::default()
            };
            match self.objects.get_opts(&self.location(path), options).await {
                Ok(_) => return Ok(true),
                Err(object_store::Error::NotFound { .. }) => return Ok(false),
                Err(error) => attempts.again(path, &error).await?,
            }
        }
    }
}
