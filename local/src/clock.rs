//! The only place of the local stack that reads a clock or waits for one.

use std::time::Duration;

use jiff::Timestamp;

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
