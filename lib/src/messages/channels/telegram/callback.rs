//! What Telegram calls back with when somebody presses a button. Every update carries
//! the secret that the webhook was set with. What it is to say in return stands in the
//! answer to its own call.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::messages::{
    channels::callback::{About, Callback, CalledBack, Does, ProviderAnswer, Refused, Reply},
    plain_text,
};

/// How much is kept of a person's name, and how much Telegram shows of an answer.
const NAME_LIMIT: usize = 100;
const ANSWER_LIMIT: usize = 200;

/// What a button brings back, in 43 of the 64 bytes that Telegram keeps.
pub(super) fn data(alert: Uuid, message: Uuid) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([*alert.as_bytes(), *message.as_bytes()].concat())
}

/// The alert and the message that a button stands below.
fn alert_and_message(data: &str) -> Option<(Uuid, Uuid)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(data).ok()?;
    let (alert, message) = bytes.split_at_checked(16)?;
    Some((
        Uuid::from_slice(alert).ok()?,
        Uuid::from_slice(message).ok()?,
    ))
}

/// Reads a call that is proven by that secret. What was pressed in another chat than
/// that one does nothing.
pub(super) fn read(
    secret: &SecretString,
    chat: &str,
    call: &Callback<'_>,
) -> Result<CalledBack, Refused> {
    let presented = call.header("x-telegram-bot-api-secret-token");
    let secret = secret.expose_secret().as_bytes();
    let proven = secret.ct_eq(presented.unwrap_or_default().as_bytes());
    if !bool::from(proven) {
        return Err(Refused::Wrong);
    }
    let update: Value = serde_json::from_slice(call.body).map_err(|_| Refused::Unreadable)?;
    let query = &update["callback_query"];
    let pressed_in = query["message"]["chat"]["id"].as_i64();
    let ours = pressed_in.is_some_and(|id| id.to_string() == chat);
    Ok(match query["id"].as_str().filter(|_| ours) {
        Some(id) => CalledBack {
            answers: answer(query, id).into_iter().collect(),
            reply: reply(id),
        },
        None => CalledBack {
            answers: Vec::new(),
            reply: Reply::empty(),
        },
    })
}

fn answer(query: &Value, id: &str) -> Option<ProviderAnswer> {
    let (alert, message) = alert_and_message(query["data"].as_str()?)?;
    Some(ProviderAnswer {
        about: About::Message { alert, message },
        does: Does::Acknowledge,
        by: name(&query["from"]),
        event: id.to_owned(),
    })
}

/// A first and a last name, else what the person is called by.
fn name(from: &Value) -> Option<String> {
    let parts = ["first_name", "last_name"].map(|key| from[key].as_str().unwrap_or_default());
    let whole = plain_text::line(&parts.join(" "));
    let name = if whole.trim().is_empty() {
        plain_text::line(from["username"].as_str()?)
    } else {
        whole.trim().to_owned()
    };
    Some(plain_text::cut(&name, NAME_LIMIT)).filter(|name| !name.is_empty())
}

fn reply(id: &str) -> Reply {
    Reply {
        media_type: "application/json",
        body: |id, words| {
            json!({
                "method": "answerCallbackQuery",
                "callback_query_id": id,
                "text": plain_text::cut(words, ANSWER_LIMIT),
            })
            .to_string()
        },
        id: id.to_owned(),
    }
}
