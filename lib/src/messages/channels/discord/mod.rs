//! Discord's webhook: `POST` of JSON, answered with the message if one waits for
//! it. The URL is the secret.
//!
//! Discord cannot tell a repetition apart, so a message whose answer was lost may
//! be sent twice. That is better than not at all.

mod embed;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

#[cfg(test)]
pub(super) use self::embed::payload;
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    exchange::{Answer, exchange},
    shared,
};
use crate::variables::{Group, Reader, secret};

/// A channel of Discord's.
pub const CHANNEL: Channel = Channel(&Definition {
    word: "discord",
    name: "Discord",
    reach: Reach::Room,
    // It takes five in two seconds per webhook.
    pace: Duration::from_millis(500),
    knows_what_was_said: false,
    variables: Group {
        title: "Alerts on Discord",
        without: "One variable opens the channel.",
        variables: &[secret(
            "DISCORD_WEBHOOK_URL",
            "A channel's webhook, `https://discord.com/api/webhooks/…`.",
        )],
    },
    open: |read| Some(shared(Discord::read(read)?)),
});

/// A webhook, whose URL is the secret.
#[derive(Debug)]
struct Discord {
    webhook: SecretString,
}

impl Sender for Discord {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        let payload = embed::payload(outgoing.content);
        Box::pin(async move { self.post(&payload, outbound, deadline).await })
    }
}

impl Discord {
    fn read(read: &mut Reader) -> Option<Self> {
        let webhook = read.secret_url("DISCORD_WEBHOOK_URL")?;
        Some(Self { webhook })
    }

    async fn post(&self, payload: &Value, outbound: &Outbound, deadline: Deadline) -> Delivery {
        let answer = async {
            let request = outbound
                .client()?
                .post(awaited(self.webhook.expose_secret())?)
                .header(header::CONTENT_TYPE, "application/json")
                .body(payload.to_string());
            exchange(request, deadline).await
        };
        match answer.await {
            Ok(answer) => judge(&answer),
            Err::<_, Failure>(failure) => failure.into(),
        }
    }
}

/// Asked so, Discord answers only once it has the message, and names it.
fn awaited(webhook: &str) -> Result<Url, Failure> {
    let mut url = Url::parse(webhook).map_err(|_| Failure::Request)?;
    url.query_pairs_mut().append_pair("wait", "true");
    Ok(url)
}

fn judge(answer: &Answer) -> Delivery {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status.as_u16(), body["id"].as_str()) {
        (200, Some(id)) => Delivery::Sent {
            provider_id: Some(id.chars().take(200).collect()),
        },
        (200..=299, _) => answer.retry("something else than discord answered"),
        (408, _) => answer.retry("timeout"),
        (429, _) => answer.limited(),
        (500..=599, _) => answer.retry("discord fails"),
        (400, _) => answer.dead("discord does not accept the message"),
        (401 | 403, _) => answer.dead("discord forbids the webhook to post"),
        (404, _) => answer.dead("the webhook or its channel does not exist"),
        _ => answer.dead("discord refused the message"),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::fake_server::{self, Reply, Server};

    async fn check(reply: Reply, expected: Delivery) {
        let deadline = Deadline::after(reply.patience());
        let server = Server::start([reply]).await;
        let url = server.url("/api/webhooks/1/secret");
        let discord = fake_server::opened(&[("DISCORD_WEBHOOK_URL", &url)], Discord::read);
        let payload = json!({"content": "hello"});
        let delivery = discord.post(&payload, &Outbound::default(), deadline).await;
        assert_eq!(delivery, expected);
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        let head = &requests[0].head;
        assert!(
            head.starts_with("POST /api/webhooks/1/secret?wait=true "),
            "{head}"
        );
        assert_eq!(requests[0].json(), payload);
    }

    fn retry(status: u16, after: Option<u64>, error: &'static str) -> Delivery {
        Delivery::Retry {
            after: after.map(Duration::from_secs),
            status: Some(status),
            error,
        }
    }

    fn limited(after: Option<u64>) -> Delivery {
        Delivery::Refused {
            after: after.map(Duration::from_secs),
            status: Some(429),
            error: "rate limited",
        }
    }

    #[tokio::test]
    async fn what_discord_names_is_sent() {
        let sent = Delivery::Sent {
            provider_id: Some("1180".into()),
        };
        check(Reply::new(200, r#"{"id":"1180","type":0}"#), sent).await;
        for (status, body) in [(200, "{}"), (200, "<html>"), (204, "")] {
            let other = retry(status, None, "something else than discord answered");
            check(Reply::new(status, body), other).await;
        }
    }

    #[tokio::test]
    async fn a_limit_is_waited_for_as_the_header_or_the_body_says() {
        let body = r#"{"message":"You are being rate limited.","retry_after":2.3,"global":false}"#;
        check(Reply::new(429, body), limited(Some(3))).await;
        let reply = Reply::new(429, body).header("retry-after: 7");
        check(reply, limited(Some(7))).await;
        for (body, wait) in [
            (r#"{"retry_after":-1}"#, None),
            (r#"{"retry_after":1e300}"#, None),
            (r#"{"retry_after":86400}"#, Some(3_600)),
            ("error code: 1015", None),
        ] {
            check(Reply::new(429, body), limited(wait)).await;
        }
        check(Reply::Reset, Delivery::unanswered("reset")).await;
        check(Reply::Hang, Delivery::unanswered("timeout")).await;
    }

    #[tokio::test]
    async fn what_discord_will_never_take_is_dead() {
        for (status, body, error) in [
            (
                400,
                r#"{"code":50035}"#,
                "discord does not accept the message",
            ),
            (
                401,
                r#"{"code":50027}"#,
                "discord forbids the webhook to post",
            ),
            (
                404,
                r#"{"code":10015}"#,
                "the webhook or its channel does not exist",
            ),
            (302, "", "discord refused the message"),
        ] {
            let dead = Delivery::Dead {
                status: Some(status),
                error,
            };
            check(Reply::new(status, body), dead).await;
        }
    }

    #[test]
    fn every_status_has_a_verdict_and_only_200_is_sent() {
        for status in 100..=599 {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
                body: r#"{"id":"1"}"#.into(),
            };
            assert_eq!(judge(&answer).is_sent(), status == 200, "{status}");
        }
    }
}
