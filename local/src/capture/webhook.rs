//! A machine that is told by a request: takes what is signed as Standard Webhooks
//! says, and refuses the rest.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use ring::hmac;
use serde_json::Value;

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

/// How far a clock may be off, in seconds.
const TOLERANCE: i64 = 300;

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Webhook,
    replies: |secret| {
        let receiver = Receiver::new(path(secret), secret.as_bytes());
        Box::new(move |request| receiver.reply(request))
    },
    variables: |secret, url| {
        let key = BASE64_STANDARD.encode(secret);
        vec![
            ("ALERT_WEBHOOK_URL", format!("{url}{}", path(secret))),
            ("ALERT_WEBHOOK_SECRET", format!("whsec_{key}")),
        ]
    },
};

fn path(secret: &str) -> String {
    format!("/alerts/{}", secret.get(..8).unwrap_or_default())
}

struct Receiver {
    path: String,
    key: hmac::Key,
}

impl Receiver {
    fn new(path: String, secret: &[u8]) -> Self {
        Self {
            path,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    fn reply(&self, request: &Request<Bytes>) -> Reply {
        if request.method() != Method::POST {
            return answer::method_not_allowed("POST").into();
        }
        if request.uri().path() != self.path {
            return answer::empty(StatusCode::NOT_FOUND).into();
        }
        if self.verify(request).is_none() {
            return answer::empty(StatusCode::UNAUTHORIZED).into();
        }
        let Ok(payload) = serde_json::from_slice::<Value>(request.body()) else {
            return answer::empty(StatusCode::BAD_REQUEST).into();
        };
        Reply {
            response: answer::empty(StatusCode::OK),
            message: Some(Message {
                channel: Channel::Webhook,
                at: clock::now(),
                to: self.path.clone(),
                subject: payload["type"].as_str().map(str::to_owned),
                text: payload["data"]["headline"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                raw: payload,
            }),
        }
    }

    fn verify(&self, request: &Request<Bytes>) -> Option<()> {
        let header = |name| request.headers().get(name)?.to_str().ok();
        let id = header("webhook-id")?;
        let timestamp: i64 = header("webhook-timestamp")?.parse().ok()?;
        let signature = header("webhook-signature")?.strip_prefix("v1,")?;
        let tag = BASE64_STANDARD.decode(signature).ok()?;
        let mut signed = format!("{id}.{timestamp}.").into_bytes();
        signed.extend_from_slice(request.body());
        hmac::verify(&self.key, &signed, &tag).ok()?;
        let age = clock::now().as_second().abs_diff(timestamp);
        (age <= TOLERANCE.unsigned_abs()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(path: &str, id: &str, timestamp: i64, body: &'static str, signed: &str) -> u16 {
        let receiver = Receiver::new("/alerts".to_owned(), b"secret");
        let tag = hmac::sign(&receiver.key, signed.as_bytes());
        let request = Request::post(path)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header(
                "webhook-signature",
                format!("v1,{}", BASE64_STANDARD.encode(tag)),
            )
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        receiver.reply(&request).response.status().as_u16()
    }

    #[test]
    fn only_what_is_signed_and_recent_is_taken() {
        let now = clock::now().as_second();
        let right = format!("a.{now}.{{}}");
        assert_eq!(status("/alerts", "a", now, "{}", &right), 200);
        assert_eq!(status("/other", "a", now, "{}", &right), 404);
        assert_eq!(status("/alerts", "b", now, "{}", &right), 401);
        assert_eq!(status("/alerts", "a", now + 1, "{}", &right), 401);
        assert_eq!(status("/alerts", "a", now, "[]", &right), 401);
        let old = now - TOLERANCE - 60;
        let late = format!("a.{old}.{{}}");
        assert_eq!(status("/alerts", "a", old, "{}", &late), 401);
    }
}
