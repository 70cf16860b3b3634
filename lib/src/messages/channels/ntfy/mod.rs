//! ntfy: `POST` of JSON to the root of a server, answered with 200 and the message, which
//! has an `id`. Whoever knows the topic reads and writes it, so the topic is the secret.
//!
//! ntfy cannot tell a repetition apart, so a message whose answer was lost may be sent
//! twice. That is better than not at all. Who presses Acknowledge on a phone sends what
//! the form behind the message's link would.
//!
//! See docs.ntfy.sh: "Publish as JSON", "Action buttons" and "Limitations".

mod notification;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound, secure_url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

#[cfg(test)]
pub(super) use self::notification::body;
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    exchange::{Answer, exchange},
    shared,
};
use crate::variables::{Group, Reader, secret};

/// A topic of ntfy's.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "ntfy",
    name: "ntfy",
    reach: Reach::Room,
    // It takes 60 at once, then one in five seconds, and says when it is too much.
    pace: Duration::from_millis(500),
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts by ntfy",
        without: "The address opens the channel: phones that follow the topic show what comes, and can acknowledge it.",
        variables: &[
            secret(
                "NTFY_URL",
                "A topic, `https://ntfy.sh/…` or of a server of your own. Whoever knows it reads along, so its name has to be long and random.",
            ),
            secret(
                "NTFY_TOKEN",
                "An access token, `tk_…`, where the topic is protected.",
            ),
        ],
    },
    open: |read| Some(shared(Ntfy::read(read)?)),
});

/// A topic of a server.
#[derive(Debug)]
struct Ntfy {
    server: Url,
    topic: SecretString,
    token: Option<SecretString>,
}

impl Sender for Ntfy {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let body = notification::body(outgoing.content);
        Box::pin(async move { self.publish(body, outbound, deadline).await })
    }
}

impl Ntfy {
    fn read(read: &mut Reader) -> Option<Self> {
        let url = read.text("NTFY_URL")?;
        let place = read.keep("NTFY_URL", server_and_topic(&url));
        let token = read.key("NTFY_TOKEN");
        // A topic that is protected takes nothing without it.
        if token.is_none() && read.text("NTFY_TOKEN").is_some() {
            return None;
        }
        let (server, topic) = place?;
        Some(Self {
            server,
            topic,
            token,
        })
    }

    async fn publish(&self, mut body: Value, outbound: &Outbound, deadline: Deadline) -> Delivery {
        body["topic"] = self.topic.expose_secret().into();
        let answer = async {
            let request = outbound
                .client()?
                .post(self.server.clone())
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
            let request = match &self.token {
                Some(token) => request.bearer_auth(token.expose_secret()),
                None => request,
            };
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err::<_, Failure>(failure) => failure.into(),
        }
    }
}

/// The root of the server, and the topic that the path names.
fn server_and_topic(text: &str) -> Result<(Url, SecretString), &'static str> {
    let mut url = secure_url::parse(text)?;
    let topic = url.path().trim_matches('/').to_owned();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !plain || !(1..=64).contains(&topic.len()) || !topic.bytes().all(known) {
        return Err(
            "not the address of a topic, `https://ntfy.sh/…` with at most 64 letters, digits, `-` and `_`",
        );
    }
    url.set_path("/");
    Ok((url, topic.into()))
}

fn judge(answer: &Answer) -> Delivery {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status.as_u16(), body["id"].as_str()) {
        (200, Some(id)) if body["event"] == "message" => Delivery::Sent {
            provider_id: Some(id.chars().take(200).collect()),
        },
        (200..=299, _) => answer.retry("something else than ntfy answered"),
        (408, _) => answer.retry("timeout"),
        (429, _) => answer.limited(),
        (500..=599, _) => answer.retry("ntfy fails"),
        // Somebody has to repair the configuration; then it works.
        (401 | 403, _) => answer.refused("ntfy forbids to write to the topic: it needs a token"),
        (404 | 405, _) => answer.refused("no ntfy answers there: check NTFY_URL"),
        (400 | 413, _) => answer.dead("ntfy does not accept the message"),
        _ => answer.dead("ntfy refused the message"),
    }
}

#[cfg(test)]
mod tests;
