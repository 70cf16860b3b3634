//! A workflow of Microsoft Teams' that posts cards: answered with 202 and nothing more.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

const BODY_LIMIT: usize = 28 * 1_024;
const ACTIONS_LIMIT: usize = 6;
const CARD: &str = "application/vnd.microsoft.card.adaptive";

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Teams,
    replies: |secret| {
        let signature = secret.to_owned();
        Box::new(move |request| reply(&signature, request))
    },
    variables: |secret, url| {
        let workflow = format!("{url}{PATH}?api-version=1&sig={secret}");
        vec![("TEAMS_WORKFLOW_URL", workflow)]
    },
};

const PATH: &str = "/workflows/1/triggers/manual/paths/invoke";

fn reply(signature: &str, request: &Request<Bytes>) -> Reply {
    if request.method() != Method::POST {
        return answer::method_not_allowed("POST").into();
    }
    if request.uri().path() != PATH {
        return refusal(StatusCode::NOT_FOUND, "WorkflowNotFound").into();
    }
    if answer::query(request, "sig").as_deref() != Some(signature) {
        return refusal(StatusCode::UNAUTHORIZED, "DirectApiAuthorizationRequired").into();
    }
    // Without a charset every character counts as two bytes.
    let media_type = request.headers().get(header::CONTENT_TYPE);
    let counted = media_type.is_some_and(|value| value.as_bytes().ends_with(b"charset=utf-8"));
    let size = request.body().len() * if counted { 1 } else { 2 };
    if size > BODY_LIMIT {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge").into();
    }
    let payload: Value = match serde_json::from_slice(request.body()) {
        Ok(payload) if is_message(&payload) => payload,
        _ => return refusal(StatusCode::BAD_REQUEST, "TriggerInputSchemaMismatch").into(),
    };
    Reply {
        response: answer::empty(StatusCode::ACCEPTED),
        message: Some(Message {
            channel: Channel::Teams,
            at: clock::now(),
            to: PATH.to_owned(),
            subject: None,
            text: text_of(&payload),
            raw: payload,
        }),
    }
}

fn refusal(status: StatusCode, code: &str) -> Response<Bytes> {
    answer::json(
        status,
        &json!({ "error": { "code": code, "message": code } }),
    )
}

/// Whether there is one card that can be shown.
fn is_message(payload: &Value) -> bool {
    let card = &payload["attachments"][0]["content"];
    let blocks = list(&card["body"]);
    let actions = list(&card["actions"]);
    let block = |block: &Value| match block["type"].as_str() {
        Some("TextBlock") => block["text"].as_str().is_some_and(|text| !text.is_empty()),
        Some("FactSet") => list(&block["facts"])
            .iter()
            .all(|fact| fact["title"].is_string() && fact["value"].is_string()),
        _ => false,
    };
    let action = |action: &Value| {
        action["type"] == "Action.OpenUrl"
            && action["title"].is_string()
            && action["url"].is_string()
    };
    payload["type"] == "message"
        && payload["attachments"][0]["contentType"] == CARD
        && card["type"] == "AdaptiveCard"
        && !blocks.is_empty()
        && blocks.iter().all(block)
        && actions.len() <= ACTIONS_LIMIT
        && actions.iter().all(action)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts and the facts, each on its own line.
fn text_of(payload: &Value) -> String {
    let mut lines = Vec::new();
    for block in list(&payload["attachments"][0]["content"]["body"]) {
        lines.extend(block["text"].as_str());
        for fact in list(&block["facts"]) {
            lines.extend(fact["title"].as_str());
            lines.extend(fact["value"].as_str());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(signature: &str, media_type: &str, payload: &Value) -> u16 {
        let request = Request::post(format!("{PATH}?sig={signature}"))
            .header("content-type", media_type)
            .body(Bytes::from(payload.to_string()))
            .unwrap();
        reply("s", &request).response.status().as_u16()
    }

    #[test]
    fn a_card_that_can_be_shown_is_taken() {
        let utf8 = "application/json; charset=utf-8";
        let block = json!({"type": "TextBlock", "text": "a"});
        let facts = json!({"type": "FactSet", "facts": [{"title": "b", "value": "c"}]});
        let action = json!({"type": "Action.OpenUrl", "title": "d", "url": "https://wine.example"});
        let message = |body: Value, actions: Value| {
            let card = json!({"type": "AdaptiveCard", "body": body, "actions": actions});
            json!({"type": "message", "attachments": [{"contentType": CARD, "content": card}]})
        };
        let whole = message(json!([block, facts]), json!([action]));
        assert_eq!(text_of(&whole), "a\nb\nc");
        assert_eq!(status("s", utf8, &whole), 202);
        assert_eq!(status("x", utf8, &whole), 401);
        let long = json!([{"type": "TextBlock", "text": "x".repeat(20_000)}]);
        assert_eq!(status("s", utf8, &message(long.clone(), json!([]))), 202);
        assert_eq!(
            status("s", "application/json", &message(long, json!([]))),
            413
        );
        for (body, actions) in [
            (json!([]), json!([])),
            (json!([{"type": "TextBlock", "text": ""}]), json!([])),
            (json!([{"type": "Image"}]), json!([])),
            (json!([block]), json!(vec![action.clone(); 7])),
            (json!([block]), json!([{"type": "Action.Submit"}])),
        ] {
            assert_eq!(status("s", utf8, &message(body, actions)), 400);
        }
    }
}
