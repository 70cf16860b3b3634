//! Slack, by a webhook or by a bot. Only the bot learns the name of what it posted, so
//! only the bot answers in threads and changes messages. A webhook posts everything as
//! a message of its own.

mod bot;
mod payload;
mod plain_payload;
mod webhook;

use std::{borrow::Cow, time::Duration};

use futures_util::future::BoxFuture;
use outside::{clock::Deadline, outbound::Outbound};
use secrecy::SecretString;
use serde_json::Value;

use self::bot::Bot;
pub use self::payload::payload;
use super::{Channel, Definition, Delivery, Outgoing, Place, Reach, Sender, shared};
use crate::variables::{Group, Reader, plain, secret};

/// Slack's incoming webhook, or a bot of Slack's.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "slack",
    name: "Slack",
    reach: Reach::Room,
    // It takes about one a second per channel.
    pace: Duration::from_secs(1),
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts on Slack",
        without: "A webhook is enough; a bot can do more. Without any channel alerts are kept and shown, and reach nobody; `pourtrait check` says so.",
        variables: &[
            secret(
                "SLACK_WEBHOOK_URL",
                "An incoming webhook, `https://hooks.slack.com/services/…`.",
            ),
            secret(
                "SLACK_BOT_TOKEN",
                "A bot's token, `xoxb-…`, with the scope `chat:write`: messages of an alert become one thread, and the first shows how it stands. Wins over the webhook.",
            ),
            plain(
                "SLACK_CHANNEL_ID",
                "",
                "Where the bot posts, `C…`; it has to be a member.",
            ),
            plain(
                "SLACK_API_URL",
                "https://slack.com/api",
                "Where Slack's API answers.",
            ),
        ],
    },
    open: |read| Some(shared(Slack::read(read)?)),
});

/// The channel in one of its two forms.
#[derive(Debug)]
enum Slack {
    /// An incoming webhook, whose URL is the secret: it posts and does no more.
    Webhook(SecretString),
    /// A bot, which can also answer in threads and change what it posted.
    Bot(Bot),
}

impl Sender for Slack {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let payload = payload::payload(outgoing.content);
        Box::pin(async move {
            self.post(&payload, outgoing.place, outbound, deadline)
                .await
        })
    }

    fn identify<'a>(
        &'a self,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> Option<BoxFuture<'a, Result<(), &'static str>>> {
        match self {
            Self::Webhook(_) => None,
            Self::Bot(bot) => Some(Box::pin(bot.identify(outbound, deadline))),
        }
    }
}

impl Slack {
    /// The bot, which can do more, or the webhook.
    fn read(read: &mut Reader) -> Option<Self> {
        let webhook = read.secret_url("SLACK_WEBHOOK_URL").map(Self::Webhook);
        Bot::read(read).map(Self::Bot).or(webhook)
    }

    /// Sends one payload.
    ///
    /// Where Slack does not take its layout it is sent as plain text. What is gone, or is
    /// in another channel than the bot posts in by now, can be neither answered nor
    /// changed; then the payload becomes a message of its own.
    async fn post(
        &self,
        payload: &Value,
        place: &Place,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let (mut payload, mut place) = (Cow::Borrowed(payload), place);
        loop {
            let verdict = match self {
                Self::Webhook(url) => webhook::attempt(outbound, url, &payload, deadline).await,
                Self::Bot(bot) => bot.attempt(outbound, &payload, place, deadline).await,
            };
            match verdict {
                Verdict::Gone(_) if *place != Place::Anew => place = &Place::Anew,
                Verdict::Layout(_) if plain_payload::is_laid_out(&payload) => {
                    payload = Cow::Owned(plain_payload::of(&payload));
                }
                verdict => return verdict.settled(),
            }
        }
    }
}

/// What an answer of Slack means.
enum Verdict {
    Settled(Delivery),
    /// There is nothing that could be answered or changed.
    Gone(Delivery),
    /// Slack does not take what is laid out so.
    Layout(Delivery),
}

impl Verdict {
    fn settled(self) -> Delivery {
        match self {
            Self::Settled(delivery) | Self::Gone(delivery) | Self::Layout(delivery) => delivery,
        }
    }
}
