//! Mail to subscribers: one after the other, each under a key of its own.

use std::{collections::BTreeMap, time::Duration};

use outside::clock::{self, Deadline};
use uuid::Uuid;

use super::{Batch, LEAST, Message, SETTLING, SettledAs, Settlement, settle, settlement};
use crate::{
    app::App,
    auth::subscriber_keys::SubscriberKeys,
    config::Config,
    messages::channels::{
        Delivery, SEND_TIMEOUT,
        email::{Mailer, PersonalMail},
    },
    rpc::RpcError,
    status::subscribers::{
        are_taken, keys,
        mail::{self, Envelope, Mail},
    },
};

/// Resend takes two a second per account.
const PACE: Duration = Duration::from_millis(500);

/// How long all mail waits for a provider that says that it is too much, and not how long.
const PAUSE: Duration = Duration::from_secs(60);

/// How many messages are claimed at once: what fits the time at that pace; none where no mail
/// is sent.
pub(super) fn most_at_once(config: &Config) -> u32 {
    if are_taken(config) { 40 } else { 0 }
}

/// Sends a batch; returns how many messages were settled.
pub(super) async fn send(app: &App, batch: Batch, deadline: Deadline) -> Result<u64, RpcError> {
    let sender = app.config.mailer.as_ref().zip(app.config.base_url.as_ref());
    let (Some((mailer, base)), Ok(keys)) = (sender, keys(&app.config)) else {
        return Ok(0);
    };
    if batch.messages.is_empty() {
        return Ok(0);
    }
    let post = Post {
        app,
        mailer,
        keys: &keys,
        name: &batch.name,
        base: base.as_str().trim_end_matches('/'),
        host: base.host_str().unwrap_or("localhost"),
    };
    let results = post
        .send_all(&batch.messages, deadline.reserving(SETTLING))
        .await;
    settle(app, batch.claim, results, deadline).await
}

/// Who writes, and what all letters have in common.
struct Post<'a> {
    app: &'a App,
    mailer: &'a Mailer,
    keys: &'a SubscriberKeys,
    name: &'a str,
    base: &'a str,
    host: &'a str,
}

impl Post<'_> {
    async fn send_all(&self, messages: &[Message], deadline: Deadline) -> Vec<Settlement> {
        let mut wait = None;
        let mut results = Vec::with_capacity(messages.len());
        for (nth, message) in messages.iter().enumerate() {
            let time_is_left = deadline.remaining() >= LEAST;
            if wait.is_some() || !time_is_left {
                results.push(settlement(message, SettledAs::Untried, wait));
                continue;
            }
            if nth > 0 {
                clock::wait(PACE).await;
            }
            let delivery = self.send(message, deadline).await;
            if let Delivery::Retry {
                status: Some(429),
                after,
                ..
            }
            | Delivery::Refused {
                status: Some(429),
                after,
                ..
            } = &delivery
            {
                wait = Some(after.unwrap_or(PAUSE));
            }
            results.push(settled(message, &delivery));
        }
        results
    }

    async fn send(&self, message: &Message, deadline: Deadline) -> Delivery {
        let dead = |error| Delivery::Dead {
            status: None,
            error,
        };
        let Some(address) = self.keys.open(&message.address, &message.address_hash) else {
            return dead("the address cannot be read: the key is another one");
        };
        let envelope = Envelope {
            name: self.name,
            base: self.base,
            message: message.id,
            subscriber: message.subscriber,
            facts: &message.facts,
        };
        let mail = match mail::write(envelope, self.keys) {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!(%error, "a message to a subscriber cannot be read");
                return Delivery::unsent("this release does not know what it tells");
            }
        };
        self.post(&address, &mail, message.id, deadline).await
    }

    async fn post(&self, to: &str, mail: &Mail, id: Uuid, deadline: Deadline) -> Delivery {
        let mut headers = BTreeMap::from([("Auto-Submitted", "auto-generated")]);
        let unsubscribe = mail.unsubscribe.as_ref().map(|link| format!("<{link}>"));
        if let Some(link) = &unsubscribe {
            headers.insert("List-Unsubscribe", link);
            headers.insert("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        let thread = mail
            .thread
            .as_ref()
            .map(|thread| format!("<{thread}@{}>", self.host));
        if let Some(thread) = &thread {
            headers.insert("References", thread);
        }
        let personal = PersonalMail {
            to,
            subject: &mail.subject,
            text: &mail.text,
            headers,
        };
        let outbound = &self.app.outbound;
        self.mailer
            .send(
                &personal,
                &id.to_string(),
                outbound,
                deadline.within(SEND_TIMEOUT),
            )
            .await
    }
}

fn settled(message: &Message, delivery: &Delivery) -> Settlement {
    match delivery {
        Delivery::Sent { .. } => settlement(message, SettledAs::Sent, None),
        Delivery::Retry {
            after,
            status,
            error,
        }
        | Delivery::Refused {
            after,
            status,
            error,
        } => {
            tracing::warn!(
                status,
                error,
                "a subscriber was not reached, and will be tried again"
            );
            settlement(message, SettledAs::Retry, *after)
        }
        Delivery::Dead { status, error } | Delivery::Gone { status, error } => {
            tracing::warn!(
                status,
                error,
                "a subscriber's address does not take its message"
            );
            settlement(message, SettledAs::Dead, None)
        }
    }
}
