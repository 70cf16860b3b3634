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

/// A moment by both clocks, of which an age can be told.
///
/// An instance may be frozen between two invocations, and its monotonic clock may
/// stand still meanwhile; the wall clock may be set back. So an age is the larger of
/// what the two say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

impl Moment {
    /// The present one.
    #[must_use]
    pub fn now() -> Self {
        Self {
            monotonic: instant(),
            wall: now(),
        }
    }

    /// The moment that each clock calls so.
    #[must_use]
    pub fn of(monotonic: Instant, wall: Timestamp) -> Self {
        Self { monotonic, wall }
    }

    /// The moment a while later, for both clocks alike.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self {
            monotonic: self.monotonic + duration,
            wall: self.wall + duration,
        }
    }

    /// How long ago this was; zero where it lies ahead.
    #[must_use]
    pub fn age(self, now: Self) -> Duration {
        let monotonic = now.monotonic.saturating_duration_since(self.monotonic);
        // A wall clock that went back says nothing about age.
        let wall = Duration::try_from(now.wall.duration_since(self.wall));
        monotonic.max(wall.unwrap_or_default())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_the_larger_of_what_both_clocks_say() {
        let then = Moment::now();
        let second = Duration::from_secs(1);
        let later = then.after(second);
        for (what, now, seconds) in [
            ("both", later, 1),
            ("neither", then, 0),
            (
                "a frozen instance",
                Moment {
                    wall: later.wall,
                    ..then
                },
                1,
            ),
            (
                "a wall clock set back",
                Moment {
                    wall: then.wall - second,
                    ..later
                },
                1,
            ),
            (
                "what lies ahead",
                Moment {
                    wall: then.wall - second,
                    ..then
                },
                0,
            ),
        ] {
            assert_eq!(then.age(now).as_secs(), seconds, "{what}");
        }
        assert_eq!(later.age(then), Duration::ZERO);
    }
}
