//! Slack's incoming webhook: `POST` of a JSON message, answered with the text
//! `ok`, or with a word that says what is wrong.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::Value;

use super::{Channel, Message, Reply};
use crate::{answer, clock};

/// Slack's limit on the blocks of one message.
const BLOCKS_LIMIT: usize = 50;
/// Slack's limit on the characters of a section's text.
const SECTION_LIMIT: usize = 3000;
/// Slack's limit on the characters of a header's text.
const HEADER_LIMIT: usize = 150;

pub(super) fn reply(webhook: &str, request: &Request<Bytes>) -> Reply {
    if request.method() != Method::POST {
        return answer::method_not_allowed("POST").into();
    }
    if request.uri().path() != webhook {
        return answer::text(StatusCode::NOT_FOUND, "no_service").into();
    }
    let payload: Value = match serde_json::from_slice(request.body()) {
        Ok(payload @ Value::Object(_)) => payload,
        _ => return answer::text(StatusCode::BAD_REQUEST, "invalid_payload").into(),
    };
    if let Err(problem) = check(&payload) {
        return answer::text(StatusCode::BAD_REQUEST, problem).into();
    }
    Reply {
        response: answer::text(StatusCode::OK, "ok"),
        message: Some(Message {
            channel: Channel::Slack,
            at: clock::now(),
            to: webhook.to_owned(),
            subject: None,
            text: text_of(&payload),
            raw: payload,
        }),
    }
}

/// What Slack refuses: a message without text, and blocks past its limits.
pub(super) fn check(payload: &Value) -> Result<(), &'static str> {
    let blocks = payload["blocks"].as_array();
    let no_blocks = blocks.is_none_or(Vec::is_empty) && payload["attachments"].is_null();
    if no_blocks && payload["text"].as_str().is_none_or(str::is_empty) {
        return Err("no_text");
    }
    let blocks = blocks.map_or(&[][..], Vec::as_slice);
    let fits = |block: &Value| {
        let limit = match block["type"].as_str() {
            Some("header") => HEADER_LIMIT,
            Some("section") => SECTION_LIMIT,
            Some(_) => usize::MAX,
            None => return false,
        };
        let length = |text: &str| text.chars().count();
        block["text"]["text"]
            .as_str()
            .is_none_or(|text| (1..=limit).contains(&length(text)))
    };
    if blocks.len() > BLOCKS_LIMIT || !blocks.iter().all(fits) {
        return Err("invalid_blocks");
    }
    Ok(())
}

/// The text of the message, then of everything in it, each on its own line.
pub(super) fn text_of(payload: &Value) -> String {
    let mut lines: Vec<&str> = payload["text"].as_str().into_iter().collect();
    collect(payload, &mut lines);
    lines.join("\n")
}

fn collect<'a>(value: &'a Value, lines: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if name == "text" || name == "fallback" => {
                        if !lines.contains(&text.as_str()) {
                            lines.push(text);
                        }
                    }
                    value => collect(value, lines),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, lines)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_reply(payload: &Value, status: u16, text: Option<&str>) {
        let request = Request::post("/services/T/B/x")
            .body(Bytes::from(payload.to_string()))
            .unwrap();
        let reply = reply("/services/T/B/x", &request);
        assert_eq!(reply.response.status().as_u16(), status, "{payload}");
        assert_eq!(
            reply.message.map(|message| message.text).as_deref(),
            text,
            "{payload}"
        );
    }

    #[test]
    fn slack_takes_what_it_can_show() {
        check_reply(&json!({ "text": "hello" }), 200, Some("hello"));
        let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "*down*" } });
        check_reply(
            &json!({ "text": "down", "blocks": [section] }),
            200,
            Some("down\n*down*"),
        );
        check_reply(&json!({}), 400, None);
        check_reply(&json!([1]), 400, None);
        let long =
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(3001) } });
        check_reply(&json!({ "text": "a", "blocks": [long] }), 400, None);
    }

    #[test]
    fn another_webhook_is_no_service() {
        let request = Request::post("/services/T/B/y")
            .body(Bytes::from_static(br#"{"text":"a"}"#))
            .unwrap();
        let reply = reply("/services/T/B/x", &request);
        assert_eq!(reply.response.status(), StatusCode::NOT_FOUND);
        assert!(reply.message.is_none());
    }
}
