//! The channels in words.

use crate::messages::channels::Channel;

/// A channel's name, as it stands within a sentence. A channel that this release
/// does not know is called by its word.
pub(in crate::messages) fn name(word: &str) -> &str {
    Channel::parse(word).map_or(word, |channel| channel.name())
}
