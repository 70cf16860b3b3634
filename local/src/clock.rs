//! The only place of the local stack that reads a clock or waits for one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// A clock that can be set. Until then there is none, and everybody has the real one. Clones
/// are one clock.
#[derive(Clone, Debug, Default)]
pub struct GivenClock {
    ahead: Arc<Mutex<Option<SignedDuration>>>,
}

impl GivenClock {
    /// The time by this clock, if it was set.
    pub(crate) fn given(&self) -> Option<Timestamp> {
        let ahead = *self.lock();
        now().checked_add(ahead?).ok()
    }

    /// Makes it that time now, from which it goes on; without one, the real time again.
    pub(crate) fn set(&self, time: Option<Timestamp>) {
        *self.lock() = time.map(|time| time.duration_since(now()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SignedDuration>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits, where waiting itself is what was asked for.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub(crate) async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}
