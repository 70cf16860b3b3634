//! What the capture servers received.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::{clock, fault::Service};

/// By which way a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Slack's incoming webhook, or its API.
    Slack,
    /// Resend.
    Email,
    /// Discord's webhook.
    Discord,
    /// The webhook for machines.
    Webhook,
    /// `PagerDuty`'s Events API.
    Pagerduty,
    /// A text by Twilio.
    Sms,
    /// A call by Twilio.
    Voice,
    /// ntfy.
    Ntfy,
    /// Telegram's Bot API.
    Telegram,
    /// A workflow of Microsoft Teams'.
    Teams,
    /// A push service, to a browser.
    Push,
}

/// A message that a service accepted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// By which way it came.
    pub channel: Channel,
    /// When it was accepted.
    pub at: Timestamp,
    /// The recipients of an email, with commas between; else the request's path.
    pub to: String,
    /// The subject of an email, the type of what a machine is told.
    pub subject: Option<String>,
    /// All of its text, as a reader sees it.
    pub text: String,
    /// The request's body as it came.
    pub raw: Value,
}

/// A request as it arrived, whether accepted or not.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// At which service.
    pub service: Service,
    /// When.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// Its path, with the query.
    pub path: String,
    /// Its headers, credentials included.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Messages and requests of all capture servers, in the order of arrival.
#[derive(Debug, Default)]
pub struct Inbox {
    messages: watch::Sender<Vec<Message>>,
    requests: Mutex<Vec<Recorded>>,
}

impl Inbox {
    /// The messages so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.borrow().clone()
    }

    /// The requests so far at one service.
    #[must_use]
    pub fn requests(&self, service: Service) -> Vec<Recorded> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests
            .iter()
            .filter(|request| request.service == service)
            .cloned()
            .collect()
    }

    /// Forgets messages and requests.
    pub fn clear(&self) {
        self.messages.send_modify(Vec::clear);
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Waits until there are `count` messages or the time is over, and returns
    /// those that there are.
    pub async fn wait_for(&self, count: usize, limit: Duration) -> Vec<Message> {
        let mut messages = self.messages.subscribe();
        let enough = messages.wait_for(|messages| messages.len() >= count);
        // Too few are returned too: what is missing is for the caller to say.
        let _in_time = tokio::time::timeout(limit, enough).await;
        self.messages()
    }

    pub(crate) fn deliver(&self, message: Message) {
        self.messages.send_modify(|messages| messages.push(message));
    }

    pub(super) fn record(&self, service: Service, request: &Request<Bytes>) {
        let uri = request.uri();
        let recorded = Recorded {
            service,
            at: clock::now(),
            method: request.method().clone(),
            path: uri
                .path_and_query()
                .map_or(uri.path(), |path| path.as_str())
                .to_owned(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        };
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(recorded);
    }
}
