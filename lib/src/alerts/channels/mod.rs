//! The channels by which messages reach people. A channel sends what it is given and
//! returns what became of it. Whether to send is decided in the database.

pub mod discord;
pub mod email;
pub mod slack;
pub mod webhook;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound,
};
use reqwest::RequestBuilder;
use serde_json::Value;

use super::{message::Content, render};
use crate::{app::App, config::Channel};

/// How long sending one message may take.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read, in bytes; real ones are under a hundred.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The longest that a provider may ask us to wait: past this we look again.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

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

impl Channel {
    /// The least time between two messages: Slack takes about one a second per
    /// channel, Resend two a second per account, Discord five in two seconds per
    /// webhook. A machine says when it is too much.
    #[must_use]
    pub fn pace(self) -> Duration {
        match self {
            Self::Slack => Duration::from_secs(1),
            Self::Email | Self::Discord => Duration::from_millis(500),
            Self::Webhook => Duration::ZERO,
        }
    }

    /// Sends one message. `key` names it: a channel that can tell repetitions
    /// apart sends it once, however often it is asked to.
    pub async fn send(
        self,
        app: &App,
        content: &Content,
        key: &str,
        place: &Place,
        deadline: Deadline,
    ) -> Delivery {
        let deadline = deadline.within(SEND_TIMEOUT);
        match self {
            Self::Slack => {
                slack::send(app, &render::slack::payload(content), place, deadline).await
            }
            Self::Email => email::send(app, &render::email::letter(content), key, deadline).await,
            Self::Discord => discord::send(app, &render::discord::payload(content), deadline).await,
            Self::Webhook => {
                webhook::send(app, &render::webhook::body(content), key, deadline).await
            }
        }
    }
}

/// What became of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The provider has it.
    Sent {
        /// The provider's name for it, if it gave one.
        provider_id: Option<String>,
    },
    /// It is not known whether it worked. It is tried again.
    Retry {
        /// How long the provider asks us to wait.
        after: Option<Duration>,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// Why, in our own words: never what a provider answered, which may
        /// repeat a secret.
        error: &'static str,
    },
    /// Nobody can have got it, and it may work later.
    Refused {
        /// How long the provider asks us to wait.
        after: Option<Duration>,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// Why, in our own words.
        error: &'static str,
    },
    /// It will never work as it is.
    Dead {
        /// The HTTP status.
        status: Option<u16>,
        /// Why, in our own words.
        error: &'static str,
    },
}

impl Delivery {
    /// Nothing was sent, for a reason of ours or of the network.
    fn unsent(error: &'static str) -> Self {
        Self::Refused {
            after: None,
            status: None,
            error,
        }
    }

    /// No answer came to what may have been sent.
    fn unanswered(error: &'static str) -> Self {
        Self::Retry {
            after: None,
            status: None,
            error,
        }
    }

    /// Whether the provider has it.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Sent { .. })
    }
}

impl From<Failure> for Delivery {
    fn from(failure: Failure) -> Self {
        let error = failure.as_str();
        match failure {
            // Nothing was written to anybody.
            Failure::Dns
            | Failure::Private
            | Failure::Connect
            | Failure::Tls
            | Failure::Request => Self::unsent(error),
            Failure::Timeout | Failure::Reset | Failure::TooLarge => Self::unanswered(error),
        }
    }
}

/// What a provider answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
}

impl Answer {
    fn retry(&self, error: &'static str) -> Delivery {
        Delivery::Retry {
            after: self.retry_after,
            status: Some(self.status.as_u16()),
            error,
        }
    }

    fn refused(&self, error: &'static str) -> Delivery {
        Delivery::Refused {
            after: self.retry_after,
            status: Some(self.status.as_u16()),
            error,
        }
    }

    /// The provider asks to wait, in a header or in the body. It counts as the status
    /// 429, on which the sender pauses.
    fn limited(&self) -> Delivery {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        Delivery::Refused {
            after: self.retry_after.or_else(|| wait_asked(&body)),
            status: Some(429),
            error: "rate limited",
        }
    }

    fn dead(&self, error: &'static str) -> Delivery {
        Delivery::Dead {
            status: Some(self.status.as_u16()),
            error,
        }
    }
}

/// Sends a request and reads the answer, all within the deadline. The error
/// carries no URL: the webhook's is a secret.
async fn exchange(request: RequestBuilder, deadline: Deadline) -> Result<Answer, Failure> {
    let response = request
        .timeout(deadline.remaining())
        .send()
        .await
        .map_err(|error| Failure::of(&error))?;
    let status = response.status();
    let retry_after = retry_after(response.headers(), clock::now());
    let body = outbound::body(response, ANSWER_LIMIT).await?;
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

/// How long an answer asks us to wait: `Retry-After` in seconds or as a date,
/// at most an hour.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(value, now)?,
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The seconds, with a fraction, that the body of a refusal asks us to wait; at most an
/// hour. The header does not always repeat them.
fn wait_asked(body: &Value) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(body["retry_after"].as_f64()?.ceil()).ok()?;
    Some(wait.min(LONGEST_WAIT))
}

/// The time until an HTTP date; none if it is past.
fn until(date: &str, now: Timestamp) -> Option<Duration> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    let wait: SignedDuration = date.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_is_bounded() {
        let now: Timestamp = "2026-11-24T03:12:00Z".parse().unwrap();
        for (value, seconds) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("86400", Some(3_600)),
            ("Tue, 24 Nov 2026 03:12:45 GMT", Some(45)),
            ("Tue, 24 Nov 2026 03:00:00 GMT", Some(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(3_600)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            let headers = [(header::RETRY_AFTER, value.parse().unwrap())];
            let headers = HeaderMap::from_iter(headers);
            assert_eq!(
                retry_after(&headers, now),
                seconds.map(Duration::from_secs),
                "{value:?}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
