//! The channels in words.

use crate::config::Channel;

/// A channel's name, as it stands within a sentence. A channel that this release
/// does not know is called by its word.
pub(in crate::alerts) fn name(word: &str) -> &str {
    match Channel::parse(word) {
        Some(Channel::Slack) => "Slack",
        Some(Channel::Discord) => "Discord",
        Some(Channel::Email) => "email",
        Some(Channel::Webhook) => "webhook",
        None => word,
    }
}
