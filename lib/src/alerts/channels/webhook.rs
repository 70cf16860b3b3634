//! A request to a machine, signed as [Standard Webhooks] says: `webhook-id` names
//! the message, however often it is sent, `webhook-timestamp` says when it was
//! sent, and `webhook-signature` proves both and the body.
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com

use base64::{Engine, prelude::BASE64_STANDARD};
use http::header;
use outside::{
    clock::{self, Deadline},
    failure::Failure,
};
use ring::hmac;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Answer, Delivery, exchange};
use crate::app::App;

/// Sends one body under the id of its message.
pub async fn send(app: &App, body: &Value, id: &str, deadline: Deadline) -> Delivery {
    let Some(webhook) = &app.config.webhook else {
        return Delivery::unsent("not configured");
    };
    let body = body.to_string();
    let timestamp = clock::now().as_second();
    let signature = sign(webhook.secret.expose_secret(), id, timestamp, &body);
    let answer = async {
        let request = app
            .outbound
            .client()?
            .post(webhook.url.expose_secret())
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
    use crate::alerts::fake_server::{self, Reply, Server};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn app(server: &Server) -> App {
        fake_server::app(&[
            ("ALERT_WEBHOOK_URL", &server.url("/alerts?key=1")),
            ("ALERT_WEBHOOK_SECRET", SECRET),
        ])
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
        let app = app(&server);
        let body = json!({"type": "notice"});
        for sent in [false, true] {
            let deadline = Deadline::after(Duration::from_secs(5));
            assert_eq!(send(&app, &body, "id-1", deadline).await.is_sent(), sent);
        }
        for request in server.requests() {
            assert!(request.head.starts_with("POST /alerts?key=1 "));
            assert_eq!(request.json(), body);
            let header = |name| request.header(name).unwrap();
            assert_eq!(header("webhook-id"), "id-1");
            let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
            assert!((clock::now().as_second() - timestamp).abs() < 60);
            let secret = &app.config.webhook.as_ref().unwrap().secret;
            let expected = sign(secret.expose_secret(), "id-1", timestamp, &body.to_string());
            assert_eq!(header("webhook-signature"), expected);
        }
    }

    #[tokio::test]
    async fn a_receiver_that_asks_for_patience_is_given_it() {
        let server = Server::start([Reply::new(503, "").header("retry-after: 30")]).await;
        let deadline = Deadline::after(Duration::from_secs(5));
        let delivery = send(&app(&server), &json!({}), "id", deadline).await;
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
