//! Slack, by a webhook or by a bot. Only the bot learns the name of what it posted, so
//! only the bot answers in threads and changes messages. A webhook posts everything as
//! a message of its own.

mod bot;
mod plain_payload;
mod webhook;

use std::borrow::Cow;

use outside::clock::Deadline;
use serde_json::Value;

pub use bot::identify;

use super::{Delivery, Place};
use crate::{app::App, config::Slack};

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

/// Sends one payload.
///
/// Where Slack does not take its layout it is sent as plain text. What is gone, or is in
/// another channel than the bot posts in by now, can be neither answered nor changed; then
/// the payload becomes a message of its own.
pub async fn send(app: &App, payload: &Value, place: &Place, deadline: Deadline) -> Delivery {
    let Some(slack) = &app.config.slack else {
        return Delivery::unsent("not configured");
    };
    let (mut payload, mut place) = (Cow::Borrowed(payload), place);
    loop {
        let verdict = match slack {
            Slack::Webhook(url) => webhook::attempt(app, url, &payload, deadline).await,
            Slack::Bot(bot) => bot::attempt(app, bot, &payload, place, deadline).await,
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
