//! What an unfinished run leaves to the next one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use outside::clock;
use tokio::sync::Mutex;

use crate::{
    format::{Inventory, SnapshotName, Stored, object_path},
    seal,
    store::Store,
};

use super::PutError;

/// After so many objects they are written down.
const OBJECTS: usize = 64;

/// After so long they are, too.
const INTERVAL: Duration = Duration::from_secs(10);

/// The objects that a run has stored, written down in parts.
#[derive(Debug)]
pub(super) struct Progress {
    snapshot: SnapshotName,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pending: Vec<Stored>,
    written: u32,
    since: Instant,
}

impl Progress {
    pub(super) fn new(snapshot: SnapshotName) -> Self {
        Self {
            snapshot,
            state: Mutex::new(State {
                pending: Vec::new(),
                written: 0,
                since: clock::instant(),
            }),
        }
    }

    /// Takes down an object whose write was acknowledged. If that cannot be
    /// written, the object may be stored once more, and nothing else is lost.
    pub(super) async fn add(&self, store: &Store, stored: Stored) {
        let mut state = self.state.lock().await;
        state.pending.push(stored);
        let is_due = state.pending.len() >= OBJECTS
            || clock::instant().duration_since(state.since) >= INTERVAL;
        if is_due && let Err(error) = self.flush(store, &mut state).await {
            tracing::warn!(%error, "the progress of a backup cannot be written");
        }
    }

    pub(super) async fn write(&self, store: &Store) -> Result<(), PutError> {
        self.flush(store, &mut *self.state.lock().await).await
    }

    async fn flush(&self, store: &Store, state: &mut State) -> Result<(), PutError> {
        if state.pending.is_empty() {
            return Ok(());
        }
        let objects = std::mem::take(&mut state.pending);
        let path = object_path::progress(&self.snapshot, state.written);
        // Counted before it is written, so that a part that was torn is not
        // written to again.
        state.written += 1;
        state.since = clock::instant();
        let compressed = seal::compress(&Inventory { objects }.render())?;
        store.put_new(&path, Bytes::from(compressed)).await?;
        Ok(())
    }
}
