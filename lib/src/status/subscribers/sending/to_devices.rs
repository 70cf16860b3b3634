//! Pushes to the devices of subscribers, many at once: each is at the push service of its
//! browser, which keeps the message for a device that is off. A device that is gone is left
//! behind.

use futures_util::{StreamExt, stream};
use outside::clock::Deadline;

use super::{
    Batch, LEAST, Message, News, SETTLING, SettledAs, Settlement, claim, settle, settlement,
};
use crate::{
    app::App,
    auth::subscriber_keys::SubscriberKeys,
    messages::channels::SEND_TIMEOUT,
    rpc::RpcError,
    status::subscribers::{
        Kind, devices, keys,
        mail::Envelope,
        notification::{self, Notification},
    },
    web_push::{Outcome, Push, Subscription, Urgency, WebPush},
};

/// How many messages are claimed at once.
const BATCH: u32 = 200;

/// How many devices are told at the same time.
const AT_ONCE: usize = 16;

/// Sends what is due, batch after batch while time allows; returns how many messages were
/// settled.
pub(super) async fn send(app: &App, deadline: Deadline) -> Result<u64, RpcError> {
    let web_push = devices::push_key(&app.config).and(app.config.web_push.as_ref());
    let sender = web_push.zip(app.config.base_url.as_ref());
    let (Some((web_push, base)), Ok(keys)) = (sender, keys(&app.config)) else {
        return Ok(0);
    };
    let base = base.as_str().trim_end_matches('/');
    let mut settled = 0;
    while deadline.reserving(SETTLING).remaining() >= LEAST {
        let batch = claim(app, Kind::Push, BATCH, News::Left, deadline).await?;
        let is_last = batch.messages.len() < BATCH as usize;
        if !batch.messages.is_empty() {
            let sending = Sending {
                app,
                web_push,
                keys: &keys,
                name: &batch.name,
                base,
            };
            let results = sending.send_all(&batch, deadline.reserving(SETTLING)).await;
            settled += settle(app, batch.claim, results, deadline).await?;
        }
        if is_last {
            break;
        }
    }
    Ok(settled)
}

/// Who sends, and what all pushes have in common.
struct Sending<'a> {
    app: &'a App,
    web_push: &'a WebPush,
    keys: &'a SubscriberKeys,
    name: &'a str,
    base: &'a str,
}

impl Sending<'_> {
    async fn send_all(&self, batch: &Batch, deadline: Deadline) -> Vec<Settlement> {
        let mut pushes = Vec::with_capacity(batch.messages.len());
        for message in &batch.messages {
            pushes.push(self.send_in_time(message, deadline));
        }
        stream::iter(pushes)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// Sends a message, if there is time left by its turn.
    async fn send_in_time(&self, message: &Message, deadline: Deadline) -> Settlement {
        if deadline.remaining() < LEAST {
            return settlement(message, SettledAs::Untried, None);
        }
        self.send(message, deadline.within(SEND_TIMEOUT)).await
    }

    async fn send(&self, message: &Message, deadline: Deadline) -> Settlement {
        let unfit = |error: &str| {
            tracing::warn!(error, "a device cannot be told");
            settlement(message, SettledAs::Dead, None)
        };
        let device = match self.device(message) {
            Ok(device) => device,
            Err(error) => return unfit(error),
        };
        let envelope = Envelope {
            name: self.name,
            base: self.base,
            message: message.id,
            subscriber: message.subscriber,
            facts: &message.facts,
        };
        match notification::write(envelope, self.keys) {
            Ok(Some(notification)) => self.push(message, &device, &notification, deadline).await,
            Ok(None) => unfit("a device is not asked"),
            Err(error) => {
                tracing::error!(%error, "a message to a subscriber cannot be read");
                settlement(message, SettledAs::Retry, None)
            }
        }
    }

    /// Where the device is reached.
    fn device(&self, message: &Message) -> Result<Subscription, &'static str> {
        let opened = self.keys.open(&message.address, &message.address_hash);
        let opened = opened.ok_or("where it is reached cannot be read: the key is another one")?;
        let json = serde_json::from_str(&opened).map_err(|_| "where it is reached is no JSON")?;
        self.web_push.subscription(&json)
    }

    async fn push(
        &self,
        message: &Message,
        device: &Subscription,
        notification: &Notification,
        deadline: Deadline,
    ) -> Settlement {
        let push = Push {
            plain: notification.body.as_bytes(),
            ttl: notification::TTL,
            urgency: Urgency::Normal,
            topic: notification.topic.as_deref(),
        };
        let outbound = &self.app.outbound;
        let outcome = self.web_push.send(device, push, outbound, deadline).await;
        settled(message, outcome)
    }
}

fn settled(message: &Message, outcome: Outcome) -> Settlement {
    let (outcome, after) = match outcome {
        Outcome::Taken => (SettledAs::Sent, None),
        Outcome::Gone { .. } => (SettledAs::Gone, None),
        Outcome::Refused {
            after,
            status,
            error,
        }
        | Outcome::Unclear {
            after,
            status,
            error,
        } => {
            tracing::warn!(
                status,
                error,
                "a device was not told, and will be tried again"
            );
            (SettledAs::Retry, after)
        }
        Outcome::Failed(failure) => {
            tracing::warn!(%failure, "a device was not told, and will be tried again");
            (SettledAs::Retry, None)
        }
        Outcome::Unfit { status, error } => {
            tracing::warn!(status, error, "a device does not take its message");
            (SettledAs::Dead, None)
        }
    };
    settlement(message, outcome, after)
}
