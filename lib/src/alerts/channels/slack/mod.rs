//! Slack, by a webhook or by a bot. Only the bot learns the name of what it posted, so
//! only the bot answers in threads and changes messages. A webhook posts everything as
//! a message of its own.

mod bot;
mod webhook;

use outside::clock::Deadline;
use serde_json::Value;

pub use bot::identify;

use super::{Delivery, Place};
use crate::{app::App, config::Slack};

/// Sends one payload.
pub async fn send(app: &App, payload: &Value, place: &Place, deadline: Deadline) -> Delivery {
    match &app.config.slack {
        None => Delivery::unsent("not configured"),
        Some(Slack::Webhook(url)) => webhook::send(app, url, payload, deadline).await,
        Some(Slack::Bot(bot)) => bot::send(app, bot, payload, place, deadline).await,
    }
}
