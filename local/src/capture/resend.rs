//! Resend: sends an email once per idempotency key, lists domains.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Channel, Message, Reply};
use crate::{answer, clock};

/// Resend's limit on the characters of an idempotency key.
const KEY_LIMIT: usize = 256;

/// Addresses to which Resend sends nothing.
const REFUSED: &str = "@example.com";

/// What the API key may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyKind {
    /// Everything.
    #[default]
    Full,
    /// Send emails, and nothing else.
    SendingOnly,
}

/// Resend's refusal of a request.
struct Refusal {
    status: u16,
    name: &'static str,
    message: String,
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            status,
            name,
            message,
        } = refusal;
        answer::json(
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            &json!({ "statusCode": status, "name": name, "message": message }),
        )
        .into()
    }
}

pub(super) struct Resend {
    key: String,
    kind: KeyKind,
    /// Idempotency keys with the body that came and the id that was given.
    sent: Mutex<HashMap<String, (Bytes, String)>>,
}

impl Resend {
    pub(super) fn new(key: String, kind: KeyKind) -> Self {
        Self {
            key,
            kind,
            sent: Mutex::default(),
        }
    }

    pub(super) fn reply(&self, request: &Request<Bytes>) -> Reply {
        match answer::bearer(request) {
            None => return refuse(401, "missing_api_key", "Missing API Key").into(),
            Some(key) if key != self.key => {
                return refuse(401, "validation_error", "API key is invalid").into();
            }
            Some(_) => {}
        }
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/emails") => self.send(request),
            _ if self.kind == KeyKind::SendingOnly => refuse(
                401,
                "restricted_api_key",
                "This API key is restricted to only send emails",
            )
            .into(),
            (&Method::GET, "/domains") => answer::json(StatusCode::OK, &domains()).into(),
            _ => refuse(404, "not_found", "The requested endpoint does not exist").into(),
        }
    }

    fn send(&self, request: &Request<Bytes>) -> Reply {
        let message = match read(request.body()) {
            Ok(message) => message,
            Err(refusal) => return refusal.into(),
        };
        let key = request
            .headers()
            .get("idempotency-key")
            .map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        let id = uuid::Uuid::new_v4().to_string();
        if let Some(key) = key {
            if key.is_empty() || key.chars().count() > KEY_LIMIT {
                return refuse(
                    400,
                    "invalid_idempotency_key",
                    "The key must be between 1-256 chars",
                )
                .into();
            }
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            match sent.get(&key) {
                Some((body, id)) if body == request.body() => return accepted(id).into(),
                Some(_) => {
                    return refuse(
                        409,
                        "invalid_idempotent_request",
                        "Same idempotency key used with a different request payload",
                    )
                    .into();
                }
                None => {
                    sent.insert(key, (request.body().clone(), id.clone()));
                }
            }
        }
        Reply {
            response: accepted(&id),
            message: Some(message),
        }
    }
}

/// The email in a body, or Resend's refusal of it.
fn read(body: &Bytes) -> Result<Message, Refusal> {
    let raw: Value = serde_json::from_slice(body).map_err(|_| {
        refuse(
            400,
            "validation_error",
            "The request body is not valid JSON",
        )
    })?;
    let missing = |field| {
        refuse(
            422,
            "missing_required_field",
            format!("Missing `{field}` field."),
        )
    };
    raw["from"].as_str().ok_or_else(|| missing("from"))?;
    let to = addresses(&raw["to"]).ok_or_else(|| missing("to"))?;
    if to.contains(REFUSED) {
        return Err(refuse(
            422,
            "validation_error",
            "Invalid `to` field. Please use our testing email address instead of domains like `example.com`.",
        ));
    }
    let subject = raw["subject"].as_str().ok_or_else(|| missing("subject"))?;
    let text = raw["text"]
        .as_str()
        .or(raw["html"].as_str())
        .ok_or_else(|| missing("html"))?;
    Ok(Message {
        channel: Channel::Email,
        at: clock::now(),
        to,
        subject: Some(subject.to_owned()),
        text: text.to_owned(),
        raw,
    })
}

/// One address or up to fifty, as one line.
fn addresses(value: &Value) -> Option<String> {
    match value {
        Value::String(one) => Some(one.clone()),
        Value::Array(many) if (1..=50).contains(&many.len()) => {
            let many: Option<Vec<&str>> = many.iter().map(Value::as_str).collect();
            Some(many?.join(", "))
        }
        _ => None,
    }
}

fn accepted(id: &str) -> Response<Bytes> {
    answer::json(StatusCode::OK, &json!({ "id": id }))
}

fn refuse(status: u16, name: &'static str, message: impl Into<String>) -> Refusal {
    Refusal {
        status,
        name,
        message: message.into(),
    }
}

fn domains() -> Value {
    json!({
        "object": "list",
        "has_more": false,
        "data": [{
            "id": "d91cd9bd-1176-453e-8fc1-35364d380206",
            "name": "pourtrait.test",
            "status": "verified",
            "created_at": "2026-01-01T00:00:00.000Z",
            "region": "us-east-1",
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAIL: &str = r#"{"from":"a@b.test","to":["c@d.test"],"subject":"s","text":"t"}"#;

    fn post(resend: &Resend, key: Option<&str>, body: &str) -> (u16, Value, Option<Message>) {
        let mut request = Request::post("/emails").header("authorization", "Bearer re_1");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let reply = resend.reply(&request.body(Bytes::from(body.to_owned())).unwrap());
        let value = serde_json::from_slice(reply.response.body()).unwrap();
        (reply.response.status().as_u16(), value, reply.message)
    }

    #[test]
    fn an_address_to_which_nothing_is_sent_is_refused() {
        let resend = Resend::new("re_1".to_owned(), KeyKind::Full);
        let (status, said, message) =
            post(&resend, Some("k"), &EMAIL.replace("d.test", "example.com"));
        assert_eq!(
            (status, said["name"].as_str()),
            (422, Some("validation_error"))
        );
        assert!(message.is_none());
    }

    #[test]
    fn the_same_key_twice_sends_once_and_gives_the_first_id() {
        let resend = Resend::new("re_1".to_owned(), KeyKind::SendingOnly);
        let (status, first, message) = post(&resend, Some("k"), EMAIL);
        assert_eq!(status, 200);
        let message = message.unwrap();
        assert_eq!(message.to, "c@d.test");
        assert_eq!(message.subject.as_deref(), Some("s"));
        let (status, second, repeated) = post(&resend, Some("k"), EMAIL);
        assert_eq!((status, &second), (200, &first));
        assert!(repeated.is_none());
        let (_, other, again) = post(&resend, Some("l"), EMAIL);
        assert_ne!(other, first);
        assert!(again.is_some());
    }

    #[test]
    fn the_same_key_with_another_email_is_a_conflict() {
        let resend = Resend::new("re_1".to_owned(), KeyKind::Full);
        post(&resend, Some("k"), EMAIL);
        let (status, body, message) = post(&resend, Some("k"), &EMAIL.replace("\"t\"", "\"u\""));
        assert_eq!(status, 409);
        assert_eq!(body["name"], "invalid_idempotent_request");
        assert!(message.is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let resend = Resend::new("re_1".to_owned(), KeyKind::Full);
        for (body, status, name) in [
            ("{", 400, "validation_error"),
            ("{}", 422, "missing_required_field"),
            (
                r#"{"from":"a","to":[],"subject":"s","text":"t"}"#,
                422,
                "missing_required_field",
            ),
            (
                r#"{"from":"a","to":"b","subject":"s"}"#,
                422,
                "missing_required_field",
            ),
        ] {
            let (got, value, message) = post(&resend, None, body);
            assert_eq!(
                (got, &value["name"]),
                (status, &Value::from(name)),
                "{body}"
            );
            assert!(message.is_none(), "{body}");
        }
    }

    #[test]
    fn a_sending_key_may_not_list_domains() {
        for (kind, key, status, name) in [
            (KeyKind::Full, "Bearer re_1", 200, None),
            (KeyKind::Full, "Bearer re_2", 401, Some("validation_error")),
            (
                KeyKind::SendingOnly,
                "Bearer re_1",
                401,
                Some("restricted_api_key"),
            ),
        ] {
            let request = Request::get("/domains")
                .header("authorization", key)
                .body(Bytes::new())
                .unwrap();
            let reply = Resend::new("re_1".to_owned(), kind).reply(&request);
            let body: Value = serde_json::from_slice(reply.response.body()).unwrap();
            assert_eq!(reply.response.status().as_u16(), status);
            assert_eq!(body["name"].as_str(), name);
        }
    }
}
