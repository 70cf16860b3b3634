//! Sends subscribers what is due to them, in runs of delivery, after what pages people: at
//! least once, each under a key of its own, and no address keeps another from hearing.

use std::{collections::BTreeMap, time::Duration};

use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    are_taken, environment, keys,
    mail::{self, Envelope, Mail},
};
use crate::{
    app::App,
    auth::subscriber_keys::SubscriberKeys,
    messages::channels::{
        Delivery, SEND_TIMEOUT,
        email::{Mailer, PersonalMail},
    },
    rpc::{Call, Retry, RpcError},
};

/// How long a claimed message is ours.
const LEASE: Duration = Duration::from_secs(60);

/// How long one run may send, so that the next one finds it done.
const SENDING: Duration = Duration::from_secs(25);

/// Kept back so that what was sent is also settled.
const SETTLING: Duration = Duration::from_secs(5);

/// Resend takes two a second per account.
const PACE: Duration = Duration::from_millis(500);

/// How many messages are claimed at once: what fits the time at that pace.
const BATCH: u32 = 40;

#[derive(Debug, Serialize)]
struct ClaimMessages {
    p_claim: Uuid,
    p_limit: u32,
    p_lease_seconds: u64,
    p_environment: &'static str,
    p_queue: bool,
}

#[derive(Debug, Deserialize)]
struct Claimed {
    #[serde(default)]
    name: String,
    messages: Vec<Message>,
}

impl Call for ClaimMessages {
    const NAME: &'static str = "ops_claim_subscriber_messages";
    // A claim whose answer was lost comes back when its lease ends.
    const RETRY: Retry = Retry::Never;
    type Output = Claimed;
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Uuid,
    subscriber: Uuid,
    kind: String,
    address_hash: String,
    address: String,
    facts: Value,
}

#[derive(Debug, Serialize)]
struct SettleMessages {
    p_claim: Uuid,
    p_results: Vec<Settlement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settlement {
    id: Uuid,
    outcome: SettledAs,
    after_seconds: Option<u64>,
}

/// What became of a message, as the database takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum SettledAs {
    Sent,
    /// It is tried again.
    Retry,
    /// Its address does not take it.
    Dead,
    /// Nobody has tried to send it.
    Untried,
}

#[derive(Debug, Deserialize)]
struct Settled {
    settled: u64,
}

impl Call for SettleMessages {
    const NAME: &'static str = "ops_settle_subscriber_messages";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Settled;
}

/// Queues what is new for subscribers and sends what is due, as far as time allows. A failure
/// is a warning: the next run goes on.
///
/// Returns how many messages were settled; `None` where that could not be found out.
pub async fn send_due(app: &App, deadline: Deadline) -> Option<u64> {
    let sent = send(app, deadline.within(SENDING + SETTLING)).await;
    sent.inspect_err(|error| tracing::warn!(%error, "subscribers wait for the next run"))
        .ok()
}

async fn send(app: &App, deadline: Deadline) -> Result<u64, RpcError> {
    let claim = ClaimMessages {
        p_claim: Uuid::new_v4(),
        // Changes are noted whether or not anybody can be told of them.
        p_limit: if are_taken(&app.config) { BATCH } else { 0 },
        p_lease_seconds: LEASE.as_secs(),
        p_environment: environment(app),
        p_queue: true,
    };
    let claimed = app.call(&claim, deadline).await?;
    let sender = app.config.mailer.as_ref().zip(app.config.base_url.as_ref());
    let (Some((mailer, base)), Ok(keys)) = (sender, keys(&app.config)) else {
        return Ok(0);
    };
    if claimed.messages.is_empty() {
        return Ok(0);
    }
    let post = Post {
        app,
        mailer,
        keys: &keys,
        name: &claimed.name,
        base: base.as_str().trim_end_matches('/'),
        host: base.host_str().unwrap_or("localhost"),
    };
    let settle = SettleMessages {
        p_claim: claim.p_claim,
        p_results: post
            .send_all(&claimed.messages, deadline.reserving(SETTLING))
            .await,
    };
    let settled = app.call(&settle, deadline.or_at_least(SETTLING)).await?;
    Ok(settled.settled)
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
            let time_is_left = deadline.remaining() >= SEND_TIMEOUT.min(SENDING / 5);
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
                wait = Some(after.unwrap_or(Duration::from_secs(60)).as_secs());
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
        if message.kind != "email" {
            return Delivery::unsent("this release knows no such kind of subscriber");
        }
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

fn settlement(message: &Message, outcome: SettledAs, after_seconds: Option<u64>) -> Settlement {
    Settlement {
        id: message.id,
        outcome,
        after_seconds,
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
            settlement(
                message,
                SettledAs::Retry,
                after.map(|after| after.as_secs()),
            )
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
