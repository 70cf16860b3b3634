//! Discord's webhook: `POST` of a JSON message, answered with 204, or with the
//! message where the caller waits for it.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Discord,
    replies: |secret| {
        let path = path(secret);
        Box::new(move |request| reply(&path, request))
    },
    variables: |secret, url| vec![("DISCORD_WEBHOOK_URL", format!("{url}{}", path(secret)))],
};

fn path(secret: &str) -> String {
    format!("/api/webhooks/1/{secret}")
}

const CONTENT_LIMIT: usize = 2_000;
const EMBEDS_LIMIT: usize = 10;
const DESCRIPTION_LIMIT: usize = 4_096;
const FIELDS_LIMIT: usize = 25;
const NAME_LIMIT: usize = 256;
const VALUE_LIMIT: usize = 1_024;
/// Of all embeds of a message together.
const TOTAL_LIMIT: usize = 6_000;

fn reply(webhook: &str, request: &Request<Bytes>) -> Reply {
    if request.method() != Method::POST {
        return answer::method_not_allowed("POST").into();
    }
    if request.uri().path() != webhook {
        return refusal(StatusCode::NOT_FOUND, 10_015, "Unknown Webhook").into();
    }
    let payload: Value = match serde_json::from_slice(request.body()) {
        Ok(payload @ Value::Object(_)) if fits(&payload) => payload,
        _ => return refusal(StatusCode::BAD_REQUEST, 50_035, "Invalid Form Body").into(),
    };
    let response = if answer::query(request, "wait").as_deref() == Some("true") {
        let id = clock::now().as_nanosecond().to_string();
        answer::json(
            StatusCode::OK,
            &json!({ "id": id, "type": 0, "content": payload["content"] }),
        )
    } else {
        answer::empty(StatusCode::NO_CONTENT)
    };
    Reply {
        response,
        message: Some(Message {
            channel: Channel::Discord,
            at: clock::now(),
            to: webhook.to_owned(),
            subject: None,
            text: text_of(&payload),
            raw: payload,
        }),
    }
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response<Bytes> {
    answer::json(status, &json!({ "code": code, "message": message }))
}

/// Whether there is something to show, within Discord's limits.
fn fits(payload: &Value) -> bool {
    let content = length(&payload["content"]);
    let embeds = list(&payload["embeds"]);
    let total: usize = embeds.iter().map(size).sum();
    content + total > 0
        && content <= CONTENT_LIMIT
        && embeds.len() <= EMBEDS_LIMIT
        && embeds
            .iter()
            .all(|embed| size(embed) > 0 && embed_fits(embed))
        && total <= TOTAL_LIMIT
}

fn embed_fits(embed: &Value) -> bool {
    let fields = list(&embed["fields"]);
    length(&embed["description"]) <= DESCRIPTION_LIMIT
        && fields.len() <= FIELDS_LIMIT
        && fields.iter().all(|field| {
            (1..=NAME_LIMIT).contains(&length(&field["name"]))
                && (1..=VALUE_LIMIT).contains(&length(&field["value"]))
        })
}

fn size(embed: &Value) -> usize {
    let fields = list(&embed["fields"]).iter();
    let fields = fields.map(|field| length(&field["name"]) + length(&field["value"]));
    length(&embed["description"]) + fields.sum::<usize>()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}

/// The content, then what the embeds say, each on its own line.
fn text_of(payload: &Value) -> String {
    let mut lines: Vec<&str> = payload["content"].as_str().into_iter().collect();
    for embed in list(&payload["embeds"]) {
        lines.extend(embed["description"].as_str());
        for field in list(&embed["fields"]) {
            lines.extend(field["name"].as_str());
            lines.extend(field["value"].as_str());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, payload: &Value, status: u16, text: Option<&str>) {
        let request = Request::post(path)
            .body(Bytes::from(payload.to_string()))
            .unwrap();
        let reply = reply("/api/webhooks/1/x", &request);
        assert_eq!(reply.response.status().as_u16(), status, "{payload}");
        let kept = reply.message.map(|message| message.text);
        assert_eq!(kept.as_deref(), text, "{payload}");
    }

    #[test]
    fn discord_takes_what_it_can_show() {
        let path = "/api/webhooks/1/x";
        let field = json!({"name": "a", "value": "b"});
        let embed = json!({"description": "c", "fields": [field]});
        let message = json!({"content": "d", "embeds": [embed]});
        check(path, &message, 204, Some("d\nc\na\nb"));
        let waited = "/api/webhooks/1/x?wait=true";
        check(waited, &json!({"content": "d"}), 200, Some("d"));
        check("/api/webhooks/1/y", &json!({"content": "d"}), 404, None);
        let long = |limit| "x".repeat(limit + 1);
        for refused in [
            json!({}),
            json!([]),
            json!({"content": long(CONTENT_LIMIT)}),
            json!({"embeds": [{"color": 1}]}),
            json!({"embeds": [{"description": long(DESCRIPTION_LIMIT)}]}),
            json!({"embeds": [{"fields": [{"name": "a", "value": ""}]}]}),
            json!({"embeds": [{"fields": vec![field; FIELDS_LIMIT + 1]}]}),
            json!({"embeds": vec![json!({"description": long(3_000)}); 2]}),
        ] {
            check(path, &refused, 400, None);
        }
    }
}
