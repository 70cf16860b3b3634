//! Objects whose lock is about to end, in a store that locks each for a time after it was written.
//!
//! A segment that was stored once serves backups for years, and a lock of thirty days ends after
//! thirty. So what a backup that is kept rests on is written again, with the very same bytes,
//! before its lock ends: where the store keeps versions, that begins its lock anew.

use jiff::{SignedDuration, Timestamp};

use super::{CollectionError, Guard, survey::Needed};
use crate::{
    catalogue::{self, ReadError},
    format::Stored,
    store::{Listed, Store, StoreError},
};

/// So long before its lock ends an object is written again.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The most that one pass writes again, in bytes.
const MOST: u64 = 512 * 1024 * 1024;

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Objects that were written again.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects whose lock ends soon, which are left to the next pass.
    pub left: u64,
    /// Why some could not be written again: the first reason.
    pub refused: Option<String>,
}

/// Which objects are due, the oldest first.
pub(super) fn due<'a>(
    listed: impl Iterator<Item = &'a Listed>,
    needed: &'a Needed,
    lock_days: u32,
    now: Timestamp,
) -> Vec<&'a Stored> {
    let lock = SignedDuration::from_hours(24 * i64::from(lock_days));
    if lock.is_zero() {
        return Vec::new();
    }
    let most = lock - AHEAD.min(lock / 2);
    let is_due = |object: &&Listed| now.duration_since(object.modified) > most;
    let mut due: Vec<_> = listed
        .filter(is_due)
        .filter_map(|object| {
            let need = needed.0.get(&object.path)?;
            need.is_kept.then_some((object.modified, &need.stored))
        })
        .collect();
    due.sort_unstable();
    due.into_iter().map(|(_, stored)| stored).collect()
}

/// Writes them again, as far as one pass goes. Each is read first, and one that is not as it was
/// stored is left as it is: damage must not get a new lock.
pub(super) async fn renew<L: Future<Output = bool>, F: Fn() -> L>(
    store: &Store,
    due: Vec<&Stored>,
    guard: &Guard<F>,
) -> Result<Renewal, CollectionError> {
    let mut renewal = Renewal::default();
    for (done, stored) in due.iter().enumerate() {
        if renewal.bytes >= MOST || !guard.may_go_on().await? {
            renewal.left = (due.len() - done) as u64;
            break;
        }
        match again(store, stored).await {
            Ok(()) => {
                renewal.objects += 1;
                renewal.bytes += stored.len;
            }
            Err(ReadError::Store(error @ StoreError::Failing { .. })) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "an object whose lock ends is not written again");
                renewal.refused.get_or_insert(error.to_string());
            }
        }
    }
    Ok(renewal)
}

async fn again(store: &Store, stored: &Stored) -> Result<(), ReadError> {
    let bytes = catalogue::exactly(store, stored).await?;
    store.put_over(&stored.path, bytes).await?;
    Ok(())
}
