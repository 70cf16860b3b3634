//! What a client says that it dropped itself, so that counts are honest.

use serde_json::Value;

use super::fields::{self, Fields};

/// The reasons that clients have. Others are one, because anybody may invent them.
const REASONS: [&str; 16] = [
    "backpressure",
    "before_send",
    "buffer_overflow",
    "cache_overflow",
    "event_processor",
    "ignored",
    "insufficient_data",
    "internal_sdk_error",
    "invalid",
    "network_error",
    "no_parent_span",
    "queue_overflow",
    "ratelimit_backoff",
    "sample_rate",
    "send_error",
    "too_large",
];

/// How many entries of a report are read.
const ENTRIES: usize = 100;

/// How much one entry counts for at most.
const QUANTITY: u64 = 1_000_000;

/// How many were dropped, and why.
pub(super) fn read(given: &Fields) -> Vec<(String, u64)> {
    let entries = fields::listed(given, "discarded_events")
        .iter()
        .take(ENTRIES);
    let read = |entry: &Value| {
        let entry = entry.as_object()?;
        let reason = fields::text(entry, "reason")?;
        let known = REASONS.contains(&reason);
        let quantity = entry.get("quantity")?.as_u64()?.min(QUANTITY);
        Some((
            format!("client: {}", if known { reason } else { "other" }),
            quantity,
        ))
    };
    entries.filter_map(read).collect()
}
