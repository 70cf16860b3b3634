//! `PagerDuty`'s Events API v2: takes events of one integration, answered with 202.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

const SUMMARY_LIMIT: usize = 1_024;
const KEY_LIMIT: usize = 255;

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Pagerduty,
    replies: |secret| {
        let key = routing_key(secret);
        Box::new(move |request| reply(&key, request))
    },
    variables: |secret, url| {
        vec![
            ("PAGERDUTY_EVENTS_URL", url.to_owned()),
            ("PAGERDUTY_ROUTING_KEY", routing_key(secret)),
            ("PAGERDUTY_WEBHOOK_SECRET", secret.to_owned()),
        ]
    },
};

/// A key has 32 letters and digits.
fn routing_key(secret: &str) -> String {
    secret.chars().take(32).collect()
}

fn reply(key: &str, request: &Request<Bytes>) -> Reply {
    if request.method() != Method::POST {
        return answer::method_not_allowed("POST").into();
    }
    let change = match request.uri().path() {
        "/v2/enqueue" => false,
        "/v2/change/enqueue" => true,
        _ => return answer::empty(StatusCode::NOT_FOUND).into(),
    };
    let Ok(event) = serde_json::from_slice::<Value>(request.body()) else {
        return invalid(&["the body is not JSON"]).into();
    };
    let errors = errors(key, change, &event);
    if !errors.is_empty() {
        return invalid(&errors).into();
    }
    let dedup_key = &event["dedup_key"];
    let accepted = json!({
        "status": "success", "message": "Event processed", "dedup_key": dedup_key,
    });
    Reply {
        response: answer::json(StatusCode::ACCEPTED, &accepted),
        message: Some(Message {
            channel: Channel::Pagerduty,
            at: clock::now(),
            to: dedup_key.as_str().unwrap_or_default().to_owned(),
            subject: event["event_action"].as_str().map(str::to_owned),
            text: event["payload"]["summary"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            raw: event,
        }),
    }
}

fn invalid(errors: &[&str]) -> Response<Bytes> {
    let body = json!({
        "status": "invalid event", "message": "Event object is invalid", "errors": errors,
    });
    answer::json(StatusCode::BAD_REQUEST, &body)
}

/// What is wrong with an event, as its documentation has it.
fn errors(key: &str, change: bool, event: &Value) -> Vec<&'static str> {
    let text = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let action = event["event_action"].as_str().unwrap_or_default();
    let payload = &event["payload"];
    let needs_payload = change || action == "trigger";
    let severities = ["critical", "error", "warning", "info"].map(Value::from);
    [
        (event["routing_key"] != *key, "'routing_key' is invalid"),
        (
            !change && !["trigger", "acknowledge", "resolve"].contains(&action),
            "'event_action' is invalid",
        ),
        (
            !change && action != "trigger" && text(&event["dedup_key"]) == 0,
            "'dedup_key' is missing or blank",
        ),
        (
            text(&event["dedup_key"]) > KEY_LIMIT,
            "'dedup_key' is too long",
        ),
        (
            needs_payload && !(1..=SUMMARY_LIMIT).contains(&text(&payload["summary"])),
            "'payload.summary' is missing or too long",
        ),
        (
            needs_payload && !change && text(&payload["source"]) == 0,
            "'payload.source' is missing or blank",
        ),
        (
            needs_payload && !change && !severities.contains(&payload["severity"]),
            "'payload.severity' is invalid",
        ),
    ]
    .into_iter()
    .filter_map(|(wrong, error)| wrong.then_some(error))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(path: &str, event: &Value) -> u16 {
        let request = Request::post(path)
            .body(Bytes::from(event.to_string()))
            .unwrap();
        reply("key", &request).response.status().as_u16()
    }

    #[test]
    fn an_event_is_taken_as_the_documentation_has_it() {
        let trigger = json!({
            "routing_key": "key", "event_action": "trigger", "dedup_key": "d",
            "payload": {"summary": "s", "source": "app", "severity": "critical"},
        });
        assert_eq!(status("/v2/enqueue", &trigger), 202);
        let resolve = json!({"routing_key": "key", "event_action": "resolve", "dedup_key": "d"});
        assert_eq!(status("/v2/enqueue", &resolve), 202);
        let change = json!({"routing_key": "key", "payload": {"summary": "s"}});
        assert_eq!(status("/v2/change/enqueue", &change), 202);
        assert_eq!(status("/v2/other", &trigger), 404);
        for (key, value) in [
            ("routing_key", json!("other")),
            ("event_action", json!("wake")),
            ("dedup_key", json!("x".repeat(256))),
            (
                "payload",
                json!({"summary": "", "source": "app", "severity": "critical"}),
            ),
            (
                "payload",
                json!({"summary": "s", "source": "app", "severity": "high"}),
            ),
        ] {
            let mut wrong = trigger.clone();
            wrong[key] = value;
            assert_eq!(status("/v2/enqueue", &wrong), 400, "{wrong}");
        }
    }
}
