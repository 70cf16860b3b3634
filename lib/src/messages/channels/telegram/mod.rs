//! Telegram by a bot, in one chat. The first message about an alert shows how it stands,
//! later ones answer it, and a button below acknowledges.
//!
//! Telegram cannot tell a repetition apart, so a message whose answer was lost may be
//! sent twice. That is better than not at all. Changing a message to the words that it
//! has already is an error there, and none here.
//!
//! See core.telegram.org/bots/api: "sendMessage", "editMessageText", "setWebhook",
//! "answerCallbackQuery" and "HTML style".

mod bot;
mod callback;
mod text;

use std::time::Duration;

use futures_util::future::BoxFuture;
use outside::{clock::Deadline, outbound::Outbound};
use secrecy::SecretString;
use uuid::Uuid;

#[cfg(test)]
pub(super) use self::text::of as text_of;
use self::{
    bot::{Bot, Verdict},
    text::Text,
};
use super::{
    Channel, Definition, Delivery, Outgoing, Place, Reach, Sender,
    callback::{Callback, CalledBack, Refused},
    shared,
};
use crate::{
    messages::message::Content,
    variables::{Group, Reader, plain, secret},
};

/// A chat of Telegram's.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "telegram",
    name: "Telegram",
    reach: Reach::Room,
    // It takes twenty a minute in a group.
    pace: Duration::from_secs(3),
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts on Telegram",
        without: "The first two open the channel. A contact's address there is a number (`pourtrait contacts edit NAME --address telegram=…`): whoever has one is mentioned.",
        variables: &[
            secret("TELEGRAM_BOT_TOKEN", "A bot's token, `123456:…`."),
            plain(
                "TELEGRAM_CHAT_ID",
                "",
                "The chat in which the bot writes, `-100…` for a group; it has to be a member.",
            ),
            secret(
                "TELEGRAM_WEBHOOK_SECRET",
                "Proves what comes back: the `secret_token` with which the bot's webhook was set to `BASE_URL/api/alerts/acknowledge?channel=telegram`, 1 to 256 letters, digits, `_` and `-`. Without it the button leads to a page.",
            ),
            plain(
                "TELEGRAM_API_URL",
                "https://api.telegram.org",
                "Where the Bot API answers.",
            ),
        ],
    },
    open: |read| Some(shared(Telegram::read(read)?)),
});

/// A bot, and what proves that Telegram calls.
#[derive(Debug)]
struct Telegram {
    bot: Bot,
    webhook_secret: Option<SecretString>,
}

impl Sender for Telegram {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let text = text::of(outgoing.content, self.data(outgoing).as_deref());
        Box::pin(async move { self.write(&text, outgoing.place, outbound, deadline).await })
    }

    fn identify<'a>(
        &'a self,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> Option<BoxFuture<'a, Result<(), &'static str>>> {
        Some(Box::pin(self.bot.identify(outbound, deadline)))
    }

    fn called_back(&self, call: &Callback<'_>) -> Result<CalledBack, Refused> {
        let secret = self.webhook_secret.as_ref().ok_or(Refused::Closed)?;
        callback::read(secret, &self.bot.chat, call)
    }
}

impl Telegram {
    fn read(read: &mut Reader) -> Option<Self> {
        let bot = Bot::read(read);
        let secret = read.text("TELEGRAM_WEBHOOK_SECRET");
        let webhook_secret =
            secret.and_then(|text| read.keep("TELEGRAM_WEBHOOK_SECRET", webhook_secret(text)));
        Some(Self {
            bot: bot?,
            webhook_secret,
        })
    }

    /// What the button brings back, where somebody would notice.
    fn data(&self, outgoing: Outgoing<'_>) -> Option<String> {
        self.webhook_secret.as_ref()?;
        let Content::Message(message) = outgoing.content else {
            return None;
        };
        let alert = message.facts.alert.filter(|_| message.kind.is_open())?;
        Some(callback::data(alert, Uuid::try_parse(outgoing.key).ok()?))
    }

    /// Writes one text.
    ///
    /// Where Telegram does not take its layout it is sent as plain text. What is gone
    /// cannot be changed; then the text becomes a message of its own.
    async fn write(
        &self,
        text: &Text,
        place: &Place,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let (mut payload, mut place) = (&text.laid_out, place);
        loop {
            match self.bot.attempt(outbound, payload, place, deadline).await {
                Verdict::Gone(_) if *place != Place::Anew => place = &Place::Anew,
                Verdict::Layout(_) if *payload == text.laid_out => payload = &text.plain,
                verdict => return verdict.settled(),
            }
        }
    }
}

fn webhook_secret(text: String) -> Result<SecretString, &'static str> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=256).contains(&text.len()) && text.bytes().all(known) {
        Ok(text.into())
    } else {
        Err("not 1 to 256 letters, digits, `_` and `-`")
    }
}

#[cfg(test)]
mod tests;
