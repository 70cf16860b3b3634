//! What an answer of a provider asks of us.

use std::time::Duration;

use serde_json::Value;

use super::Delivery;
use crate::exchange::LONGEST_WAIT;
pub(super) use crate::exchange::{Answer, exchange};

impl Answer {
    pub(super) fn retry(&self, error: &'static str) -> Delivery {
        Delivery::Retry {
            after: self.retry_after,
            status: Some(self.status.as_u16()),
            error,
        }
    }

    pub(super) fn refused(&self, error: &'static str) -> Delivery {
        Delivery::Refused {
            after: self.retry_after,
            status: Some(self.status.as_u16()),
            error,
        }
    }

    /// The provider asks to wait, in a header or in the body. It counts as the status
    /// 429, on which the sender pauses.
    pub(super) fn limited(&self) -> Delivery {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        Delivery::Refused {
            after: self
                .retry_after
                .or_else(|| wait_asked(&body))
                .or_else(|| wait_asked(&body["parameters"])),
            status: Some(429),
            error: "rate limited",
        }
    }

    pub(super) fn dead(&self, error: &'static str) -> Delivery {
        Delivery::Dead {
            status: Some(self.status.as_u16()),
            error,
        }
    }
}

/// The seconds, with a fraction, that the body of a refusal asks us to wait; at most an
/// hour. The header does not always repeat them.
fn wait_asked(body: &Value) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(body["retry_after"].as_f64()?.ceil()).ok()?;
    Some(wait.min(LONGEST_WAIT))
}
