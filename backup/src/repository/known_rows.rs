//! What runs leave to each other of the rows that they read.
//!
//! It is sealed with a key that follows from the secret, because no run can open what is
//! encrypted to recipients, and so that nobody who can only write to the store can make a run
//! take rows over. Keys of rows stand in it.

use bytes::Bytes;
use tokio::task;

use crate::{
    format::{KnownRows, object_path},
    seal,
};

use super::{PutError, Repository};

/// Above this many bytes it is not read: some two hundred thousand pieces.
const MOST: u64 = 64 * 1024 * 1024;

impl Repository {
    /// What is known of rows. Nothing is, if nobody noted anything down in this epoch, or
    /// if that cannot be read: then everything is read.
    pub async fn known_rows(&self) -> KnownRows {
        let path = object_path::known_rows(self.epoch);
        let sealed = match self.store.get_if_there(&path).await {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return KnownRows::default(),
            Err(error) => {
                tracing::warn!(%error, "what is known of rows cannot be read");
                return KnownRows::default();
            }
        };
        let key = self.note_key.clone();
        let opening = task::spawn_blocking(move || {
            let compressed = key.open(&sealed)?;
            let text = seal::decompress(&compressed, MOST).ok()?;
            KnownRows::parse(&text).ok()
        });
        opening.await.ok().flatten().unwrap_or_else(|| {
            tracing::warn!(
                path,
                "what is known of rows is unreadable, and everything is read"
            );
            KnownRows::default()
        })
    }

    /// Notes down what is known of rows, in place of what was.
    ///
    /// # Errors
    /// If it cannot be sealed, or the store does not take it.
    pub async fn note_rows(&self, known: KnownRows) -> Result<(), PutError> {
        let key = self.note_key.clone();
        let sealing = task::spawn_blocking(move || {
            let compressed = seal::compress(&known.render())?;
            key.seal(compressed)
                .map_err(|_| seal::SealError::Unsealed(no_randomness()))
        });
        let sealed = sealing.await.map_err(|_| PutError::Cancelled)??;
        let path = object_path::known_rows(self.epoch);
        Ok(self.store.put_over(&path, Bytes::from(sealed)).await?)
    }
}

fn no_randomness() -> std::io::Error {
    std::io::Error::other("there is no randomness")
}
