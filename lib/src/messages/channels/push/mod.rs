//! Web Push: a notification on the devices on which a contact said so, by the push services
//! of their browsers and without an account anywhere.
//!
//! A message goes to one device: the database queues one for each, and says at the claim
//! where that device is reached. A push service cannot tell a repetition apart, so a message
//! whose answer was lost may be sent twice; the second takes the place of the first on the
//! screen. A device that is gone is told as gone, and left behind.

mod notification;

use std::time::Duration;

use futures_util::future::BoxFuture;
use outside::{clock::Deadline, outbound::Outbound};
use serde_json::Value;

#[cfg(test)]
pub(super) use self::notification::body;
use super::{Channel, Definition, Delivery, Outgoing, Reach, Sender, shared};
use crate::{
    variables::{Group, plain, secret},
    web_push::{Outcome, Push, WebPush},
};

/// The devices of contacts.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "push",
    name: "push message",
    reach: Reach::Phone,
    // Push services say when it is too much, and each device is its own.
    pace: Duration::ZERO,
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts by Web Push",
        without: "The key opens the channel, where `BASE_URL` is known: whoever signs in on a page of this bundle can let a phone or a browser be reached.",
        variables: &[
            secret(
                "VAPID_PRIVATE_KEY",
                "The key by which browsers know who sends, 32 bytes in base64url (`pourtrait contacts keygen` makes one). Keep it: every device subscribes to this key, and has to subscribe anew to another.",
            ),
            plain(
                "PUSH_SERVICE_URL",
                "",
                "A push service of your own; those of Google, Mozilla, Apple and Microsoft are known.",
            ),
        ],
    },
    open: |read| Some(shared(Devices(WebPush::open(read)?))),
});

/// Sends to devices.
#[derive(Debug)]
struct Devices(WebPush);

impl Sender for Devices {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let Some(address) = outgoing.content.address_on(CHANNEL.as_str()) else {
                return nobody();
            };
            // Without keys it is the name of a device that is no longer there.
            let Ok(device) = serde_json::from_str::<Value>(address) else {
                return nobody();
            };
            let subscription = match self.0.subscription(&device) {
                Ok(subscription) => subscription,
                Err(error) => {
                    return Delivery::Dead {
                        status: None,
                        error,
                    };
                }
            };
            let body = notification::body(outgoing.content);
            let topic = notification::topic(outgoing.content);
            let push = Push {
                plain: body.as_bytes(),
                ttl: notification::TTL,
                urgency: notification::urgency(outgoing.content),
                topic: topic.as_deref(),
            };
            delivery(self.0.send(&subscription, push, outbound, deadline).await)
        })
    }
}

const GONE: &str = "the device takes no push messages any more";

/// What becomes of a message to a device that was removed since it was queued.
fn nobody() -> Delivery {
    Delivery::Gone {
        status: None,
        error: GONE,
    }
}

fn delivery(outcome: Outcome) -> Delivery {
    match outcome {
        Outcome::Taken => Delivery::Sent { provider_id: None },
        Outcome::Gone { status } => Delivery::Gone {
            status: Some(status),
            error: GONE,
        },
        Outcome::Refused {
            after,
            status,
            error,
        } => Delivery::Refused {
            after,
            // On this status a channel pauses as a whole, and the other devices may be at
            // other push services.
            status: (status != 429).then_some(status),
            error,
        },
        Outcome::Unclear {
            after,
            status,
            error,
        } => Delivery::Retry {
            after,
            status: Some(status),
            error,
        },
        Outcome::Failed(failure) => failure.into(),
        Outcome::Unfit { status, error } => Delivery::Dead { status, error },
    }
}

#[cfg(test)]
mod tests;
