//! `PagerDuty` by its Events API v2: `POST /v2/enqueue`, answered with 202 and
//! `{"status": "success", "dedup_key"}`. An alert's id is the key, so that a repetition
//! adds nothing and every event finds its incident.
//!
//! What people do there comes back by a webhook (v3), signed with HMAC-SHA256 in
//! `X-PagerDuty-Signature`. A notice becomes a change event, which pages nobody.
//!
//! See developer.pagerduty.com: "Send an Alert Event", "Send a Change Event" and "Verifying
//! Webhook Signatures".

mod event;
mod webhook;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use self::event::Event;
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    callback::{Callback, CalledBack, Refused},
    exchange::{Answer, exchange},
    shared,
};
use crate::variables::{Group, Reader, plain, secret};

/// A service of `PagerDuty`'s.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "pagerduty",
    name: "PagerDuty",
    reach: Reach::Pager,
    // It takes 120 a minute per integration.
    pace: Duration::from_millis(500),
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts by PagerDuty",
        without: "The key opens the channel: critical alerts page whoever is on call there.",
        variables: &[
            secret(
                "PAGERDUTY_ROUTING_KEY",
                "The integration key of a service (Events API v2), 32 letters and digits.",
            ),
            secret(
                "PAGERDUTY_WEBHOOK_SECRET",
                "Proves what comes back: the secret of a webhook (v3) of that service for `incident.acknowledged` and `incident.resolved`, to `BASE_URL/api/alerts/acknowledge?channel=pagerduty`. Without it nothing that is done there is known here.",
            ),
            plain(
                "PAGERDUTY_EVENTS_URL",
                "https://events.pagerduty.com",
                "Where events go; `https://events.eu.pagerduty.com` for accounts in the EU.",
            ),
        ],
    },
    open: |read| Some(shared(PagerDuty::read(read)?)),
});

/// An integration with a service.
#[derive(Debug)]
struct PagerDuty {
    routing_key: SecretString,
    webhook_secret: Option<SecretString>,
    events_url: Url,
}

impl Sender for PagerDuty {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let event = event::of(outgoing);
        Box::pin(async move { self.enqueue(event, outbound, deadline).await })
    }

    fn called_back(&self, call: &Callback<'_>) -> Result<CalledBack, Refused> {
        let secret = self.webhook_secret.as_ref().ok_or(Refused::Closed)?;
        webhook::read(secret.expose_secret(), call)
    }
}

impl PagerDuty {
    fn read(read: &mut Reader) -> Option<Self> {
        let key = read.text("PAGERDUTY_ROUTING_KEY")?;
        let key = read.keep("PAGERDUTY_ROUTING_KEY", routing_key(key));
        let webhook_secret = read.key("PAGERDUTY_WEBHOOK_SECRET");
        Some(Self {
            routing_key: key?,
            webhook_secret,
            events_url: read.url_or("PAGERDUTY_EVENTS_URL", "https://events.pagerduty.com")?,
        })
    }

    async fn enqueue(&self, event: Event, outbound: &Outbound, deadline: Deadline) -> Delivery {
        let Event {
            path,
            mut body,
            dedup_key,
        } = event;
        body["routing_key"] = self.routing_key.expose_secret().into();
        let base = self.events_url.as_str().trim_end_matches('/');
        let answer = async {
            let request = outbound
                .client()?
                .post(format!("{base}{path}"))
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer, dedup_key),
            Err::<_, Failure>(failure) => failure.into(),
        }
    }
}

fn routing_key(text: String) -> Result<SecretString, &'static str> {
    if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text.into())
    } else {
        Err("not an integration key of 32 letters and digits")
    }
}

fn judge(answer: &Answer, dedup_key: Option<String>) -> Delivery {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let names_key = |error: &Value| {
        error
            .as_str()
            .is_some_and(|text| text.contains("routing_key"))
    };
    match (answer.status.as_u16(), body["status"].as_str()) {
        (200..=299, Some("success")) => Delivery::Sent {
            provider_id: dedup_key,
        },
        // The same event may be sent again: its key tells it apart.
        (200..=299, _) => answer.retry("something else than pagerduty answered"),
        (408, _) => answer.retry("timeout"),
        (429, _) => answer.limited(),
        (500..=599, _) => answer.retry("pagerduty fails"),
        // Somebody has to repair the configuration; then it works.
        (400, _)
            if body["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .any(names_key) =>
        {
            answer.refused("pagerduty does not know the routing key")
        }
        (401 | 403, _) => answer.refused("pagerduty refused the routing key"),
        (400, _) => answer.dead("pagerduty does not accept the event"),
        (404 | 405, _) => answer.dead("pagerduty has no such endpoint: check its events' URL"),
        _ => answer.dead("pagerduty refused the event"),
    }
}

#[cfg(test)]
mod tests;
