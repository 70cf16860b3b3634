//! The channels by which messages reach people. A channel sends what it is given and
//! returns what became of it. Whether to send is decided in the database.
//!
//! A channel is a folder here, which says what the channel is called, which variables
//! open it, how a message reads there and how it is sent; a line in [`ALL`]; and a row of
//! `migrations/seeds/channels.sql`, which says who reads it.

pub mod callback;
mod delivery;
pub mod discord;
pub mod email;
mod exchange;
pub mod ntfy;
pub mod pagerduty;
mod plain_lines;
pub mod push;
mod severity_marks;
pub mod slack;
pub mod teams;
pub mod telegram;
pub mod twilio;
pub mod webhook;

#[cfg(test)]
mod tests;

use std::{fmt, hash, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use outside::{clock::Deadline, outbound::Outbound};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use self::callback::{Callback, CalledBack, Refused};
pub use self::delivery::Delivery;
use super::message::Content;
use crate::variables::{Group, Reader};

/// How long sending one message may take.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Every channel, the one to prefer first, as the database has them.
pub const ALL: [Channel; 11] = [
    slack::CHANNEL,
    email::CHANNEL,
    discord::CHANNEL,
    webhook::CHANNEL,
    pagerduty::CHANNEL,
    twilio::SMS,
    twilio::VOICE,
    ntfy::CHANNEL,
    telegram::CHANNEL,
    teams::CHANNEL,
    push::CHANNEL,
];

/// A way to tell people. It reads and writes as the word that the database uses.
#[derive(Clone, Copy)]
pub struct Channel(&'static Definition);

/// What a channel says of itself.
struct Definition {
    /// The word that the database uses.
    word: &'static str,
    /// Its name, as it stands within a sentence.
    name: &'static str,
    /// Who reads it.
    reach: Reach,
    /// The least time between two messages.
    pace: Duration,
    /// Whether its provider knows a message that another instance sent before.
    knows_what_was_said: bool,
    /// The variables that open it.
    variables: Group,
    /// Opens it, if its variables are there.
    open: fn(&mut Reader) -> Option<Arc<dyn Sender>>,
}

/// Who reads a channel, in the words that the database uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Whoever is in the room, where a message scrolls away.
    Room,
    /// Its usual readers and whom it is addressed to, when they look.
    Mail,
    /// Whoever the provider wakes.
    Pager,
    /// Whom it is addressed to alone, who is woken.
    Phone,
    /// The same, by a voice: nobody is called to hear that something is over.
    Call,
    /// A machine, and nobody knows what that does.
    Machine,
}

impl Channel {
    /// The word that the database uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.word
    }

    /// Its name, as it stands within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The least time between two messages that it takes.
    #[must_use]
    pub fn pace(self) -> Duration {
        self.0.pace
    }

    /// Who reads it.
    #[must_use]
    pub fn reach(self) -> Reach {
        self.0.reach
    }

    /// Whether its provider knows a message that another instance sent before.
    #[must_use]
    pub fn knows_what_was_said(self) -> bool {
        self.0.knows_what_was_said
    }

    /// The variables that open it.
    #[must_use]
    pub fn variables(self) -> &'static Group {
        &self.0.variables
    }

    /// The channel of that word, if this release knows it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        ALL.into_iter().find(|channel| channel.as_str() == word)
    }
}

impl PartialEq for Channel {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Channel {}

impl hash::Hash for Channel {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word)
            .ok_or_else(|| de::Error::custom(format_args!("no channel is called {word:?}")))
    }
}

/// Where a message stands among those of its alert. Slack's bot alone can place it;
/// on other channels every message stands on its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// On its own.
    #[default]
    Anew,
    /// In the thread of that message.
    Thread(String),
    /// In the thread of that message, and for everybody in the channel to see.
    Broadcast(String),
    /// It is that message, as it is to read now.
    Instead(String),
}

/// One message to send.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// What it says.
    pub content: &'a Content,
    /// Its name: a channel that can tell repetitions apart sends it once, however often
    /// it is asked to.
    pub key: &'a str,
    /// Where it stands.
    pub place: &'a Place,
}

/// What [`Definition::open`] gives.
fn shared(sender: impl Sender + 'static) -> Arc<dyn Sender> {
    Arc::new(sender)
}

/// A channel that can be used.
pub trait Sender: fmt::Debug + Send + Sync {
    /// Sends one message.
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery>;

    /// Sends a message unless another instance sent one of that name. `None` if another
    /// one did; a channel that cannot know sends.
    fn send_unless_said<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Option<Delivery>> {
        Box::pin(async move { Some(self.send(outgoing, outbound, deadline).await) })
    }

    /// Asks the provider whether it would take a message, without sending one: why not,
    /// in our own words. `None` where only a message can tell.
    fn identify<'a>(
        &'a self,
        _: &'a Outbound,
        _: Deadline,
    ) -> Option<BoxFuture<'a, Result<(), &'static str>>> {
        None
    }

    /// Reads what the provider calls back with.
    ///
    /// # Errors
    /// Where the channel brings nothing back, the proof is wrong, or the body is not
    /// what the provider documents.
    fn called_back(&self, _: &Callback<'_>) -> Result<CalledBack, Refused> {
        Err(Refused::Closed)
    }
}

/// The channels that can be used.
#[derive(Debug, Clone, Default)]
pub struct Channels(Vec<(Channel, Arc<dyn Sender>)>);

impl Channels {
    /// Opens every channel whose variables are there. One that lacks a part stays
    /// closed, and the part is noted as missing.
    pub(crate) fn open(read: &mut Reader) -> Self {
        let open = |channel: Channel| Some((channel, (channel.0.open)(read)?));
        Self(ALL.into_iter().filter_map(open).collect())
    }

    /// Which can be used, the one to prefer first.
    #[must_use]
    pub fn list(&self) -> Vec<Channel> {
        self.0.iter().map(|(channel, _)| *channel).collect()
    }

    /// What sends by a channel, if that can be used.
    #[must_use]
    pub fn sender(&self, channel: Channel) -> Option<&dyn Sender> {
        let (_, sender) = self.0.iter().find(|(open, _)| *open == channel)?;
        Some(sender.as_ref())
    }

    /// Sends one message by a channel, within its time.
    pub async fn send(
        &self,
        channel: Channel,
        outgoing: Outgoing<'_>,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        match self.sender(channel) {
            Some(sender) => {
                sender
                    .send(outgoing, outbound, deadline.within(SEND_TIMEOUT))
                    .await
            }
            None => Delivery::unsent("not configured"),
        }
    }
}
