//! The proof that the lock of the store holds against our own key: an object that nothing needs is
//! written, and deleted in vain.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    format::object_path,
    store::{Deletion, Store, StoreError},
};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockProof {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// What became of the object.
    pub found: Deletion,
}

/// Proves it. What earlier proofs have left goes, as far as its lock has ended.
pub(super) async fn prove(
    store: &Store,
    lock_days: u32,
    now: Timestamp,
) -> Result<LockProof, StoreError> {
    let lock = SignedDuration::from_hours(24 * i64::from(lock_days));
    for left in store.list(object_path::LOCK).await? {
        if now.duration_since(left.modified) > lock {
            match store.delete(&left.path).await {
                Ok(()) | Err(StoreError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let path = object_path::lock_proof(now);
    let note =
        Bytes::from_static(b"{\"what\":\"the store has to keep this from being deleted\"}\n");
    store.put_new(&path, note).await?;
    let found = store.try_deletion(&path).await?;
    Ok(LockProof { at: now, found })
}
