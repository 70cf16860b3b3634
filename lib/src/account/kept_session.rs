//! What a browser keeps of a session, beside the access that every function reads.
//!
//! The refresh token is sealed together with the time at which it was given out, and so
//! cannot be used anywhere else or be made younger. Whoever copies the cookie has it for as
//! long as its owner stays away, twelve hours at most: after the owner comes back, Auth sees
//! a token used twice and ends the session.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long somebody stays signed in who does not come back.
pub(super) const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// How long a browser is known by which somebody signed in.
pub(super) const DEVICE_LIFE: Duration = Duration::from_secs(180 * 24 * 3_600);
/// How long a code can be typed that was asked for: as long as Auth takes it by default.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A session, as a browser keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptSession {
    /// Gets the next tokens, once.
    pub(super) token: String,
    /// Which session it is, for counting.
    pub(super) session: Uuid,
    given_at: i64,
}

impl KeptSession {
    pub(super) fn new(token: String, session: Uuid, now: Timestamp) -> Self {
        Self {
            token,
            session,
            given_at: now.as_second(),
        }
    }

    /// Whether its owner stayed away for too long. One from the future is none of ours.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let age = now.as_second().saturating_sub(self.given_at);
        !(-60..IDLE.as_secs()).contains(&age)
    }
}

/// That somebody signed in to an address by this browser before.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KnownDevice {
    /// The address, by its key.
    pub(super) account: String,
    /// Which browser it is.
    pub(super) device: Uuid,
}

/// That this browser asked for a code for an address.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AskedForCode {
    /// The address, by its key.
    pub(super) account: String,
    /// Which asking it was.
    pub(super) asking: Uuid,
    until: i64,
}

impl AskedForCode {
    pub(super) fn new(account: String, now: Timestamp) -> Self {
        Self {
            account,
            asking: Uuid::new_v4(),
            until: now.as_second() + CODE_LIFE.as_secs(),
        }
    }

    /// Whether a code for that address may still be typed.
    pub(super) fn holds_for(&self, account: &str, now: Timestamp) -> bool {
        self.account == account && now.as_second() < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_idle_after_twelve_hours_whatever_the_clock_did() {
        let given: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let kept = KeptSession::new("r".to_owned(), Uuid::nil(), given);
        for (after_s, expected) in [
            (0, false),
            (43_199, false),
            (43_200, true),
            (1_000_000_000, true),
            (-59, false),
            (-61, true),
        ] {
            let now = given + SignedDuration::from_secs(after_s);
            assert_eq!(kept.is_idle(now), expected, "{after_s}");
        }
    }

    #[test]
    fn a_code_can_be_typed_for_its_own_address_for_an_hour() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let asked = AskedForCode::new("anna".to_owned(), now);
        for (account, after_s, expected) in [
            ("anna", 0, true),
            ("anna", 3_599, true),
            ("anna", 3_600, false),
            ("bo", 0, false),
        ] {
            let then = now + SignedDuration::from_secs(after_s);
            assert_eq!(
                asked.holds_for(account, then),
                expected,
                "{account} {after_s}"
            );
        }
    }
}
