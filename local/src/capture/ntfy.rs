//! ntfy: takes JSON for one topic at the server's root, answered with the message.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

const TEXT_LIMIT: usize = 4_096;
const BODY_LIMIT: usize = 2 * TEXT_LIMIT;
const ACTIONS_LIMIT: usize = 3;

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Ntfy,
    replies: |secret| {
        let (topic, token) = (topic(secret), token(secret));
        Box::new(move |request| reply(&topic, &token, request))
    },
    variables: |secret, url| {
        vec![
            ("NTFY_URL", format!("{url}/{}", topic(secret))),
            ("NTFY_TOKEN", token(secret)),
        ]
    },
};

fn topic(secret: &str) -> String {
    format!("local-{}", secret.chars().take(16).collect::<String>())
}

fn token(secret: &str) -> String {
    format!("tk_{}", secret.chars().skip(16).collect::<String>())
}

fn reply(topic: &str, token: &str, request: &Request<Bytes>) -> Reply {
    if request.method() != Method::POST || request.uri().path() != "/" {
        return refusal(StatusCode::NOT_FOUND, 40_401, "page not found").into();
    }
    if answer::bearer(request) != Some(token) {
        return refusal(StatusCode::UNAUTHORIZED, 40_101, "unauthorized").into();
    }
    let body = request.body();
    if body.len() > BODY_LIMIT {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, 41_303, "too large JSON body").into();
    }
    let payload: Value = match serde_json::from_slice(body) {
        Ok(payload) if is_message(&payload) => payload,
        _ => return refusal(StatusCode::BAD_REQUEST, 40_024, "invalid request").into(),
    };
    if payload["topic"] != *topic {
        return refusal(StatusCode::FORBIDDEN, 40_301, "forbidden").into();
    }
    let field = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    let at = clock::now();
    let answered = json!({
        "id": format!("{:012x}", at.as_nanosecond() & 0xffff_ffff_ffff),
        "time": at.as_second(), "event": "message", "topic": topic, "message": payload["message"],
    });
    Reply {
        response: answer::json(StatusCode::OK, &answered),
        message: Some(Message {
            channel: Channel::Ntfy,
            at,
            to: topic.to_owned(),
            subject: Some(field("title")),
            text: field("message"),
            raw: payload,
        }),
    }
}

/// Whether a phone shows all of it.
fn is_message(payload: &Value) -> bool {
    let text = payload["message"].as_str().unwrap_or_default();
    let actions = payload["actions"].as_array().map_or(&[][..], Vec::as_slice);
    let known = |action: &Value| {
        ["view", "http"]
            .map(Value::from)
            .contains(&action["action"])
            && action["label"].is_string()
            && action["url"].is_string()
    };
    (1..=TEXT_LIMIT).contains(&text.len())
        && payload["priority"]
            .as_u64()
            .is_none_or(|priority| (1..=5).contains(&priority))
        && actions.len() <= ACTIONS_LIMIT
        && actions.iter().all(known)
}

fn refusal(status: StatusCode, code: u32, error: &str) -> Response<Bytes> {
    let body = json!({ "code": code, "http": status.as_u16(), "error": error });
    answer::json(status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(path: &str, token: &str, payload: &Value) -> u16 {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::from(payload.to_string()))
            .unwrap();
        reply("wine", "tk_1", &request).response.status().as_u16()
    }

    #[test]
    fn what_a_phone_can_show_is_taken_for_the_topic_alone() {
        let view = json!({"action": "view", "label": "Runbook", "url": "https://wine.example"});
        let message = json!({"topic": "wine", "message": "m", "priority": 5, "actions": [view]});
        assert_eq!(status("/", "tk_1", &message), 200);
        assert_eq!(status("/", "tk_2", &message), 401);
        assert_eq!(status("/wine", "tk_1", &message), 404);
        for (key, value, refused) in [
            ("topic", json!("cellar"), 403),
            ("message", json!(""), 400),
            ("message", json!("é".repeat(TEXT_LIMIT / 2 + 1)), 400),
            ("message", json!("x".repeat(BODY_LIMIT)), 413),
            ("priority", json!(6), 400),
            ("actions", json!([view, view, view, view]), 400),
            ("actions", json!([{"action": "dance"}]), 400),
        ] {
            let mut wrong = message.clone();
            wrong[key] = value;
            assert_eq!(status("/", "tk_1", &wrong), refused, "{key}");
        }
    }
}
