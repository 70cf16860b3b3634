//! The only place that reads a clock.
//!
//! Two clocks: wall time for what is shown and signed, monotonic time for what
//! is measured. What is *decided* uses the database's time.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
#[must_use]
pub fn instant() -> Instant {
    Instant::now()
}

/// Waits. Only retries and schedules may, and they say why.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The instant by which work has to end, passed down to whatever may wait.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that lies `duration` ahead.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(instant() + duration)
    }

    /// What is left; zero once it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(instant())
    }

    /// The earlier of this deadline and `duration` from now.
    #[must_use]
    pub fn within(self, duration: Duration) -> Self {
        Self(self.0.min(instant() + duration))
    }

    /// A deadline that leaves `reserve` of this one to what comes after.
    #[must_use]
    pub fn reserving(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }

    /// At least `minimum` from now, even past this deadline: for the last words
    /// of work that has used up its time.
    #[must_use]
    pub fn or_at_least(self, minimum: Duration) -> Self {
        Self(self.0.max(instant() + minimum))
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }
}

/// Whole and fractional milliseconds, as answers and samples carry them,
/// rounded to microseconds.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
