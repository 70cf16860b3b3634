//! RFC 8030: one `POST` to the endpoint of a subscription, answered with 201. What the push
//! service answers says whether the browser can still be reached at all.

use std::time::Duration;

use http::header;
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound::Outbound,
};

use super::{Subscription, WebPush, encryption};
use crate::exchange::{Answer, exchange};

/// What is sent to a browser.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// What it says, at most [`PLAIN_LIMIT`](super::PLAIN_LIMIT) bytes.
    pub plain: &'a [u8],
    /// How long the push service keeps it for a browser that is not there.
    pub ttl: Duration,
    /// How soon it has to be there.
    pub urgency: Urgency,
    /// A newer push of the same topic takes the place of one that waits: at most 32 letters
    /// of base64url.
    pub topic: Option<&'a str>,
}

/// How soon a push has to be there. A device that saves power takes what is high alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// When the device is awake anyway.
    Low,
    /// Soon.
    Normal,
    /// Now.
    High,
}

impl Urgency {
    fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The push service has it.
    Taken,
    /// The subscription is over: nothing sent there will ever arrive.
    Gone {
        /// The HTTP status.
        status: u16,
    },
    /// It was not taken, and may be later.
    Refused {
        /// How long the service asks to wait.
        after: Option<Duration>,
        /// The HTTP status.
        status: u16,
        /// Why, in our own words.
        error: &'static str,
    },
    /// Nobody knows whether it was taken.
    Unclear {
        /// How long the service asks to wait.
        after: Option<Duration>,
        /// The HTTP status.
        status: u16,
        /// Why, in our own words.
        error: &'static str,
    },
    /// The network had no answer.
    Failed(Failure),
    /// It will never be taken as it is.
    Unfit {
        /// The HTTP status, if it was sent at all.
        status: Option<u16>,
        /// Why, in our own words.
        error: &'static str,
    },
}

impl WebPush {
    /// Sends one push, within its time.
    pub async fn send(
        &self,
        to: &Subscription,
        push: Push<'_>,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Outcome {
        let Ok(body) = encryption::encrypt(push.plain, to) else {
            return Outcome::Unfit {
                status: None,
                error: "the message is too long to be encrypted",
            };
        };
        let now = clock::now();
        let Ok(authorization) = self.key.authorization(to.endpoint(), &self.contact, now) else {
            return Outcome::Unfit {
                status: None,
                error: "the key cannot sign",
            };
        };
        let answer = async {
            let mut request = outbound
                .client()?
                .post(to.endpoint().clone())
                .header(header::AUTHORIZATION, authorization)
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_ENCODING, "aes128gcm")
                .header("ttl", push.ttl.as_secs())
                .header("urgency", push.urgency.as_str())
                .body(body);
            if let Some(topic) = push.topic {
                request = request.header("topic", topic);
            }
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err(failure) => Outcome::Failed(failure),
        }
    }
}

fn judge(answer: &Answer) -> Outcome {
    let status = answer.status.as_u16();
    let after = answer.retry_after;
    let refused = |error| Outcome::Refused {
        after,
        status,
        error,
    };
    let unclear = |error| Outcome::Unclear {
        after,
        status,
        error,
    };
    match status {
        200..=202 => Outcome::Taken,
        404 | 410 => Outcome::Gone { status },
        408 => unclear("timeout"),
        429 => refused("rate limited"),
        500..=599 => unclear("the push service fails"),
        // Somebody has to repair the configuration; then it works.
        401 | 403 => refused(
            "the push service refused the key: the browser subscribed to another VAPID_PRIVATE_KEY",
        ),
        413 => Outcome::Unfit {
            status: Some(status),
            error: "the push service does not take so long a message",
        },
        _ => Outcome::Unfit {
            status: Some(status),
            error: "the push service does not accept the message",
        },
    }
}
