//! The part of Slack's API that a bot posts with: `auth.test`, `chat.postMessage`
//! and `chat.update`, answered with 200 whatever is wrong.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, slack};
use crate::{answer, clock};

pub(super) struct Api {
    token: String,
    channel: String,
    /// Slack's names for the messages that were posted.
    posted: Mutex<Vec<String>>,
}

impl Api {
    pub(super) fn new(token: String, channel: String) -> Self {
        Self {
            token,
            channel,
            posted: Mutex::default(),
        }
    }

    pub(super) fn reply(&self, method: &str, request: &Request<Bytes>) -> Reply {
        if request.method() != Method::POST {
            return answer::method_not_allowed("POST").into();
        }
        if answer::bearer(request) != Some(&self.token) {
            return refusal("invalid_auth").into();
        }
        if method == "auth.test" {
            return said(&json!({ "ok": true, "user": "ops" })).into();
        }
        match self.take(method, request.body()) {
            Ok((ts, payload)) => Reply {
                response: said(&json!({ "ok": true, "channel": self.channel, "ts": ts })),
                message: Some(Message {
                    channel: Channel::Slack,
                    at: clock::now(),
                    to: request.uri().path().to_owned(),
                    subject: None,
                    text: slack::text_of(&payload),
                    raw: payload,
                }),
            },
            Err(word) => refusal(word).into(),
        }
    }

    /// The name of the message that a call is about, and what it is to say.
    fn take(&self, method: &str, body: &[u8]) -> Result<(String, Value), &'static str> {
        let payload: Value = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
        if payload["channel"] != json!(self.channel) {
            return Err("channel_not_found");
        }
        slack::check(&payload)?;
        let ts = match method {
            "chat.postMessage" => self.post(&payload)?,
            "chat.update" => self.known(&payload["ts"]).ok_or("message_not_found")?,
            _ => return Err("unknown_method"),
        };
        Ok((ts, payload))
    }

    fn post(&self, payload: &Value) -> Result<String, &'static str> {
        let thread = &payload["thread_ts"];
        if !thread.is_null() {
            self.known(thread).ok_or("thread_not_found")?;
        }
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        let ts = format!("{}.{:06}", clock::now().as_second(), posted.len() + 1);
        posted.push(ts.clone());
        Ok(ts)
    }

    fn known(&self, ts: &Value) -> Option<String> {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        let ts = ts.as_str()?.to_owned();
        posted.contains(&ts).then_some(ts)
    }
}

fn said(body: &Value) -> Response<Bytes> {
    answer::json(StatusCode::OK, body)
}

fn refusal(word: &str) -> Response<Bytes> {
    said(&json!({ "ok": false, "error": word }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(api: &Api, token: &str, method: &str, body: &Value) -> (Value, bool) {
        let request = Request::post(format!("/api/{method}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let reply = api.reply(method, &request);
        assert_eq!(reply.response.status(), StatusCode::OK);
        let answer = serde_json::from_slice(reply.response.body()).unwrap();
        (answer, reply.message.is_some())
    }

    #[test]
    fn what_was_posted_can_be_answered_and_changed_and_nothing_else_can() {
        let api = Api::new("xoxb-1".into(), "C1".into());
        let (posted, kept) = call(
            &api,
            "xoxb-1",
            "chat.postMessage",
            &json!({"channel": "C1", "text": "a"}),
        );
        assert!(kept && posted["ok"] == true && posted["channel"] == "C1");
        let ts = &posted["ts"];
        let other = "1.1";
        for (method, body, word) in [
            (
                "chat.postMessage",
                json!({"channel": "C1", "text": "b", "thread_ts": ts}),
                Value::Null,
            ),
            (
                "chat.update",
                json!({"channel": "C1", "text": "c", "ts": ts}),
                Value::Null,
            ),
            (
                "chat.postMessage",
                json!({"channel": "C1", "text": "b", "thread_ts": other}),
                json!("thread_not_found"),
            ),
            (
                "chat.update",
                json!({"channel": "C1", "text": "c", "ts": other}),
                json!("message_not_found"),
            ),
            (
                "chat.postMessage",
                json!({"channel": "C2", "text": "b"}),
                json!("channel_not_found"),
            ),
            (
                "chat.postMessage",
                json!({"channel": "C1"}),
                json!("no_text"),
            ),
        ] {
            let (answer, kept) = call(&api, "xoxb-1", method, &body);
            assert_eq!(answer["error"], word, "{method} {body}");
            assert_eq!(kept, word.is_null());
        }
    }

    #[test]
    fn a_token_is_known_or_refused() {
        let api = Api::new("xoxb-1".into(), "C1".into());
        let (known, _) = call(&api, "xoxb-1", "auth.test", &json!({}));
        assert_eq!(known["ok"], true);
        let (refused, _) = call(&api, "xoxb-2", "auth.test", &json!({}));
        assert_eq!(refused["error"], "invalid_auth");
    }
}
