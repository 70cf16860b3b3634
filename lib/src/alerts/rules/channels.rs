//! The ways in which people are told, in words.

/// Its name, as it stands within a sentence.
pub(in crate::alerts) fn name(channel: &str) -> &str {
    match channel {
        "slack" => "Slack",
        "discord" => "Discord",
        // "email" and "webhook" are words already.
        other => other,
    }
}
