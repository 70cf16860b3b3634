//! The part of Telegram's Bot API that a bot writes with: `getMe`, `sendMessage` and
//! `editMessageText` in one chat.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service};

const TEXT_LIMIT: usize = 4_096;
const DATA_LIMIT: usize = 64;

/// The chat that the bot is in.
const CHAT: &str = "-1000000000001";

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Telegram,
    replies: |secret| {
        let api = Api::new(token(secret));
        Box::new(move |request| api.reply(request))
    },
    variables: |secret, url| {
        vec![
            ("TELEGRAM_API_URL", url.to_owned()),
            ("TELEGRAM_BOT_TOKEN", token(secret)),
            ("TELEGRAM_CHAT_ID", CHAT.to_owned()),
            ("TELEGRAM_WEBHOOK_SECRET", secret.to_owned()),
        ]
    },
};

fn token(secret: &str) -> String {
    format!("1000001:{}", secret.chars().take(35).collect::<String>())
}

struct Api {
    token: String,
    /// What was written, by its number.
    written: Mutex<BTreeMap<usize, Value>>,
}

/// A status and what is wrong.
type Refusal = (StatusCode, &'static str);

impl Api {
    fn new(token: String) -> Self {
        Self {
            token,
            written: Mutex::default(),
        }
    }

    fn reply(&self, request: &Request<Bytes>) -> Reply {
        let path = request.uri().path();
        let method = path
            .strip_prefix("/bot")
            .and_then(|path| path.split_once('/'));
        let outcome = match method {
            Some((token, _)) if token != self.token => {
                Err((StatusCode::UNAUTHORIZED, "Unauthorized"))
            }
            Some((_, "getMe")) => {
                let me = json!({ "id": 1_000_001, "is_bot": true, "username": "ops_bot" });
                return said(StatusCode::OK, &json!({ "ok": true, "result": me })).into();
            }
            Some((_, method)) if request.method() == Method::POST => {
                self.take(method, request.body())
            }
            _ => Err((StatusCode::NOT_FOUND, "Not Found")),
        };
        match outcome {
            Ok((id, payload)) => {
                let result = json!({ "message_id": id, "chat": { "id": chat() } });
                Reply {
                    response: said(StatusCode::OK, &json!({ "ok": true, "result": result })),
                    message: Some(Message {
                        channel: Channel::Telegram,
                        at: clock::now(),
                        to: path.rsplit('/').next().unwrap_or_default().to_owned(),
                        subject: None,
                        text: shown(&payload),
                        raw: payload,
                    }),
                }
            }
            Err((status, description)) => {
                let body = json!({
                    "ok": false, "error_code": status.as_u16(), "description": description,
                });
                said(status, &body).into()
            }
        }
    }

    /// The number of the message that a call is about, and what it is to say.
    fn take(&self, method: &str, body: &[u8]) -> Result<(usize, Value), Refusal> {
        let bad = |description| (StatusCode::BAD_REQUEST, description);
        let payload: Value = serde_json::from_slice(body)
            .map_err(|_| bad("Bad Request: can't parse the body as JSON"))?;
        check(&payload).map_err(bad)?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |id: &Value| usize::try_from(id.as_u64()?).ok();
        let id = match method {
            "sendMessage" => {
                let reply = &payload["reply_parameters"];
                let answered =
                    known(&reply["message_id"]).is_some_and(|id| written.contains_key(&id));
                if !reply.is_null() && !answered && reply["allow_sending_without_reply"] != true {
                    return Err(bad("Bad Request: message to be replied not found"));
                }
                written.len() + 1
            }
            "editMessageText" => {
                let id = known(&payload["message_id"]).unwrap_or_default();
                let before = written.get(&id);
                let before = before.ok_or_else(|| bad("Bad Request: message to edit not found"))?;
                let same = |key: &str| before[key] == payload[key];
                if same("text") && same("reply_markup") {
                    return Err(bad("Bad Request: message is not modified"));
                }
                id
            }
            _ => return Err((StatusCode::NOT_FOUND, "Not Found")),
        };
        written.insert(id, payload.clone());
        Ok((id, payload))
    }
}

fn chat() -> i64 {
    CHAT.parse().unwrap_or_default()
}

fn said(status: StatusCode, body: &Value) -> Response<Bytes> {
    answer::json(status, body)
}

/// What is wrong with a message, as the documentation has it.
fn check(payload: &Value) -> Result<(), &'static str> {
    if payload["chat_id"] != *CHAT {
        return Err("Bad Request: chat not found");
    }
    let text = payload["text"].as_str().unwrap_or_default();
    let text = match payload["parse_mode"].as_str() {
        Some("HTML") => parse(text).ok_or("Bad Request: can't parse entities")?,
        _ => text.to_owned(),
    };
    match text.encode_utf16().count() {
        0 => return Err("Bad Request: message text is empty"),
        length if length > TEXT_LIMIT => return Err("Bad Request: message is too long"),
        _ => {}
    }
    let rows = payload["reply_markup"]["inline_keyboard"].as_array();
    let mut buttons = rows
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten();
    let works = |button: &Value| {
        let fits = |key: &str, limit| {
            let text = button[key].as_str();
            text.is_some_and(|text| (1..=limit).contains(&text.len()))
        };
        fits("text", TEXT_LIMIT) && (fits("url", 2_048) || fits("callback_data", DATA_LIMIT))
    };
    if buttons.all(works) {
        Ok(())
    } else {
        Err("Bad Request: BUTTON_INVALID")
    }
}

/// What the HTML shows; nothing where Telegram would not parse it.
fn parse(html: &str) -> Option<String> {
    let (mut shown, mut open, mut rest) = (String::new(), Vec::new(), html);
    while let Some(at) = rest.find(['<', '&']) {
        shown.push_str(&rest[..at]);
        let piece = &rest[at..];
        if piece.starts_with('&') {
            let (entity, after) = piece.split_once(';')?;
            shown.push(match entity {
                "&amp" => '&',
                "&lt" => '<',
                "&gt" => '>',
                "&quot" => '"',
                "&#39" => '\'',
                _ => return None,
            });
            rest = after;
            continue;
        }
        let (tag, after) = piece[1..].split_once('>')?;
        match tag {
            "b" => open.push("b"),
            "/b" | "/a" => {
                if open.pop()? != &tag[1..] {
                    return None;
                }
            }
            mention if mention.starts_with("a href=\"tg://user?id=") => open.push("a"),
            _ => return None,
        }
        rest = after;
    }
    shown.push_str(rest);
    open.is_empty().then_some(shown)
}

fn shown(payload: &Value) -> String {
    let text = payload["text"].as_str().unwrap_or_default();
    parse(text).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(api: &Api, token: &str, method: &str, body: &Value) -> (u16, Value) {
        let request = Request::post(format!("/bot{token}/{method}"))
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let reply = api.reply(&request);
        let answer: Value = serde_json::from_slice(reply.response.body()).unwrap();
        assert_eq!(
            reply.message.is_some(),
            !answer["result"]["message_id"].is_null()
        );
        (reply.response.status().as_u16(), answer)
    }

    fn message(text: &str) -> Value {
        json!({"chat_id": CHAT, "text": text, "parse_mode": "HTML"})
    }

    #[test]
    fn what_was_written_can_be_changed_and_answered() {
        let api = Api::new("1:x".into());
        assert_eq!(call(&api, "1:y", "getMe", &json!({})).0, 401);
        assert_eq!(
            call(&api, "1:x", "getMe", &json!({})).1["result"]["is_bot"],
            true
        );
        let (status, answer) = call(&api, "1:x", "sendMessage", &message("a"));
        assert_eq!((status, &answer["result"]["message_id"]), (200, &json!(1)));
        let change = |id: u64, text: &str| {
            let mut body = message(text);
            body["message_id"] = json!(id);
            call(&api, "1:x", "editMessageText", &body).0
        };
        assert_eq!(change(1, "b"), 200);
        assert_eq!(change(1, "b"), 400, "not modified");
        assert_eq!(change(9, "b"), 400, "not there");
        let mut reply = message("c");
        reply["reply_parameters"] = json!({"message_id": 9});
        assert_eq!(call(&api, "1:x", "sendMessage", &reply).0, 400);
        reply["reply_parameters"]["allow_sending_without_reply"] = json!(true);
        assert_eq!(call(&api, "1:x", "sendMessage", &reply).0, 200);
    }

    #[test]
    fn a_message_has_to_parse_and_to_fit() {
        let api = Api::new("1:x".into());
        let long = "&amp;".repeat(TEXT_LIMIT);
        let whole = "<a href=\"tg://user?id=1\">A</a> <b>x &lt;b&gt;</b>";
        for (text, status) in [
            (whole, 200),
            (long.as_str(), 200),
            (&format!("{long}x"), 400),
            ("", 400),
            ("<b>x", 400),
            ("<b>x</a>", 400),
            ("<i>x</i>", 400),
            ("a & b", 400),
        ] {
            assert_eq!(
                call(&api, "1:x", "sendMessage", &message(text)).0,
                status,
                "{text}"
            );
        }
        let mut elsewhere = message("x");
        elsewhere["chat_id"] = json!("-5");
        assert_eq!(call(&api, "1:x", "sendMessage", &elsewhere).0, 400);
        for (button, status) in [
            (json!({"text": "a", "url": "https://wine.example"}), 200),
            (json!({"text": "a", "callback_data": "x".repeat(64)}), 200),
            (json!({"text": "a", "callback_data": "x".repeat(65)}), 400),
            (json!({"text": "a"}), 400),
        ] {
            let mut body = message("x");
            body["reply_markup"] = json!({"inline_keyboard": [[button]]});
            assert_eq!(
                call(&api, "1:x", "sendMessage", &body).0,
                status,
                "{button}"
            );
        }
    }
}
