//! A request to a machine, signed as [Standard Webhooks] says: `webhook-id` names
//! the message, however often it is sent, `webhook-timestamp` says when it was
//! sent, and `webhook-signature` proves both and the body.
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com

mod body;
mod template;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::BoxFuture;
use http::header;
use outside::{
    clock::{self, Deadline},
    failure::Failure,
    outbound::Outbound,
};
use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde_json::Value;

#[cfg(test)]
pub(super) use self::body::body;
use self::template::Template;
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    exchange::{Answer, exchange},
    shared,
};
use crate::{
    messages::message::Content,
    variables::{Group, Reader, secret},
};

/// A machine.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "webhook",
    name: "webhook",
    reach: Reach::Machine,
    // A machine says when it is too much.
    pace: Duration::ZERO,
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts by webhook",
        without: "The first two variables are needed.",
        variables: &[
            secret(
                "ALERT_WEBHOOK_URL",
                "Where every message is posted as JSON, for machines.",
            ),
            secret(
                "ALERT_WEBHOOK_SECRET",
                "Signs what is posted there, as Standard Webhooks does: base64 of at least 24 bytes (`openssl rand -base64 32`), with or without `whsec_` before it. Without it nothing is posted.",
            ),
            secret(
                "ALERT_WEBHOOK_TEMPLATE",
                "A JSON document to post in place of ours. In its strings `{{headline}}`, `{{label}}`, `{{severity}}`, `{{kind}}`, `{{alert}}`, `{{body}}`, `{{since}}`, `{{link}}` and `{{acknowledge}}` are replaced; a string that is `{{data}}` becomes our whole document.",
            ),
        ],
    },
    open: |read| Some(shared(Webhook::read(read)?)),
});

/// Where messages are posted.
#[derive(Debug)]
struct Webhook {
    /// It may hold a secret too.
    url: SecretString,
    /// What messages are signed with.
    secret: SecretSlice<u8>,
    /// The form of what is posted, where it is not ours.
    template: Option<Template>,
}

impl Sender for Webhook {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let body = self.body(outgoing.content);
        Box::pin(async move { self.post(&body, outgoing.key, outbound, deadline).await })
    }
}

impl Webhook {
    fn read(read: &mut Reader) -> Option<Self> {
        read.requires_all(&["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"])?;
        let url = read.secret_url("ALERT_WEBHOOK_URL");
        let secret = read.text("ALERT_WEBHOOK_SECRET");
        let secret =
            secret.and_then(|text| read.keep("ALERT_WEBHOOK_SECRET", signing_secret(&text)));
        let template = match read.text("ALERT_WEBHOOK_TEMPLATE") {
            Some(text) => Some(read.keep("ALERT_WEBHOOK_TEMPLATE", Template::parse(&text))?),
            None => None,
        };
        Some(Self {
            url: url?,
            secret: secret?,
            template,
        })
    }

    fn body(&self, content: &Content) -> Value {
        let body = body::body(content);
        match &self.template {
            Some(template) => template.filled(content, &body),
            None => body,
        }
    }

    /// Posts one body under the id of its message.
    async fn post(
        &self,
        body: &Value,
        id: &str,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Delivery {
        let body = body.to_string();
        let timestamp = clock::now().as_second();
        let signature = sign(self.secret.expose_secret(), id, timestamp, &body);
        let answer = async {
            let request = outbound
                .client()?
                .post(self.url.expose_secret())
                .header(header::CONTENT_TYPE, "application/json")
                .header("webhook-id", id)
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", signature)
                .body(body);
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err::<_, Failure>(failure) => failure.into(),
        }
    }
}

/// In the form that Standard Webhooks gives secrets; its prefix may be left out.
fn signing_secret(text: &str) -> Result<SecretSlice<u8>, &'static str> {
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .map_err(|_| "not base64 (`openssl rand -base64 32`)")?;
    if bytes.len() < 24 {
        return Err("shorter than 24 bytes (`openssl rand -base64 32`)");
    }
    Ok(bytes.into())
}

fn sign(secret: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(tag))
}

fn judge(answer: &Answer) -> Delivery {
    match answer.status.as_u16() {
        200..=299 => Delivery::Sent { provider_id: None },
        408 => answer.retry("timeout"),
        429 => answer.limited(),
        500..=599 => answer.retry("the webhook's receiver fails"),
        300..=399 => answer.dead("the webhook's receiver redirects, which is not followed"),
        400 | 413 | 415 | 422 => answer.dead("the webhook's receiver does not accept the message"),
        410 => answer.dead("the webhook's receiver is gone"),
        // Somebody has to repair an address or a secret; then it works.
        400..=499 => answer.refused("the webhook's receiver refused the message"),
        _ => answer.retry("something else than a receiver of webhooks answered"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::{
        fake_server::{self, Reply, Server},
        messages::{
            channels::Place, message::Message, message_facts::Facts, message_links::Places,
        },
    };

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn webhook(server: &Server) -> Webhook {
        let url = server.url("/alerts?key=1");
        let variables = [
            ("ALERT_WEBHOOK_URL", url.as_str()),
            ("ALERT_WEBHOOK_SECRET", SECRET),
        ];
        fake_server::opened(&variables, Webhook::read)
    }

    #[test]
    fn a_secret_may_carry_its_prefix() {
        for text in [SECRET, SECRET.strip_prefix("whsec_").unwrap()] {
            let secret = signing_secret(text).unwrap();
            assert_eq!(secret.expose_secret().len(), 24, "{text}");
        }
    }

    /// The example of the specification's reference libraries.
    #[test]
    fn a_signature_is_the_one_that_other_libraries_make() {
        let secret = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[tokio::test]
    async fn a_message_keeps_its_id_and_is_signed_for_each_attempt() {
        let server = Server::start([Reply::new(500, ""), Reply::new(204, "")]).await;
        let webhook = webhook(&server);
        let body = json!({"type": "notice"});
        for sent in [false, true] {
            let deadline = Deadline::after(Duration::from_secs(5));
            let delivery = webhook
                .post(&body, "id-1", &Outbound::default(), deadline)
                .await;
            assert_eq!(delivery.is_sent(), sent);
        }
        for request in server.requests() {
            assert!(request.head.starts_with("POST /alerts?key=1 "));
            assert_eq!(request.json(), body);
            let header = |name| request.header(name).unwrap();
            assert_eq!(header("webhook-id"), "id-1");
            let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
            assert!((clock::now().as_second() - timestamp).abs() < 60);
            let secret = webhook.secret.expose_secret();
            let expected = sign(secret, "id-1", timestamp, &body.to_string());
            assert_eq!(header("webhook-signature"), expected);
        }
    }

    #[test]
    fn a_template_that_is_none_closes_the_channel_and_is_told() {
        for (template, faults) in [
            (r#"{"text": "{{headline}}"}"#, 0),
            ("", 0),
            ("{{headline}}", 1),
            (r#"{"text": "{{title}}"}"#, 1),
        ] {
            let lookup = |name: &str| {
                let value = match name {
                    "ALERT_WEBHOOK_URL" => "https://wine.example/alerts",
                    "ALERT_WEBHOOK_SECRET" => SECRET,
                    _ => template,
                };
                Some(value.to_owned())
            };
            let mut read = Reader::new(&lookup);
            let opened = Webhook::read(&mut read).is_some();
            assert_eq!(
                (opened, read.faults.len()),
                (faults == 0, faults),
                "{template}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_signed_is_the_body_that_the_template_gives() {
        let server = Server::start([Reply::new(204, "")]).await;
        let url = server.url("/alerts");
        let variables = [
            ("ALERT_WEBHOOK_URL", url.as_str()),
            ("ALERT_WEBHOOK_SECRET", SECRET),
            (
                "ALERT_WEBHOOK_TEMPLATE",
                r#"{"text": "{{label}}: {{headline}}", "all": "{{data}}"}"#,
            ),
        ];
        let webhook = fake_server::opened(&variables, Webhook::read);
        let facts = json!({"rule": "external", "severity": "low", "title": "\"}, {"});
        let message = Message::new(&Facts::read(&facts), Places::default());
        let content = Content::Message(message);
        let outgoing = Outgoing {
            content: &content,
            key: "id-1",
            place: &Place::Anew,
        };
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = webhook.send(outgoing, &Outbound::default(), deadline).await;
        assert!(delivery.is_sent(), "{delivery:?}");
        let request = &server.requests()[0];
        let sent = request.json();
        assert_eq!(sent["text"], "Low: \"}, {");
        assert_eq!(sent["all"], body::body(&content));
        let timestamp = request
            .header("webhook-timestamp")
            .unwrap()
            .parse()
            .unwrap();
        let text = std::str::from_utf8(&request.body).unwrap();
        let expected = sign(webhook.secret.expose_secret(), "id-1", timestamp, text);
        assert_eq!(request.header("webhook-signature"), Some(expected.as_str()));
    }

    #[tokio::test]
    async fn a_receiver_that_asks_for_patience_is_given_it() {
        let server = Server::start([Reply::new(503, "").header("retry-after: 30")]).await;
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = webhook(&server)
            .post(&json!({}), "id", &Outbound::default(), deadline)
            .await;
        let expected = Delivery::Retry {
            after: Some(Duration::from_secs(30)),
            status: Some(503),
            error: "the webhook's receiver fails",
        };
        assert_eq!(delivery, expected);
    }

    #[test]
    fn every_status_has_a_verdict() {
        for status in 100..=599 {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
                body: "".into(),
            };
            let delivery = judge(&answer);
            let sent = (200..300).contains(&status);
            assert_eq!(delivery.is_sent(), sent, "{status}");
            let never = matches!(status, 300..=399 | 400 | 410 | 413 | 415 | 422);
            let dead = matches!(delivery, Delivery::Dead { .. });
            assert_eq!(dead, never, "{status}");
        }
    }
}
