//! The Bot API: `sendMessage` and `editMessageText`, answered with `{"ok": true,
//! "result": {"message_id"}}`, or with `{"ok": false, "error_code", "description",
//! "parameters"}` and the same status.

use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::{
    messages::channels::{
        Delivery, Place,
        exchange::{Answer, exchange},
    },
    variables::Reader,
};

/// A bot and where it writes.
#[derive(Debug)]
pub(super) struct Bot {
    /// It is a part of every address, so no address is ever shown.
    token: SecretString,
    pub(super) chat: String,
    api_url: Url,
}

/// What an answer of Telegram's means.
pub(super) enum Verdict {
    Settled(Delivery),
    /// There is nothing that could be changed.
    Gone(Delivery),
    /// Telegram does not take what is laid out so.
    Layout(Delivery),
}

impl Verdict {
    pub(super) fn settled(self) -> Delivery {
        match self {
            Self::Settled(delivery) | Self::Gone(delivery) | Self::Layout(delivery) => delivery,
        }
    }
}

impl Bot {
    pub(super) fn read(read: &mut Reader) -> Option<Self> {
        read.requires_all(&["TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"])?;
        let token = read.text("TELEGRAM_BOT_TOKEN");
        let token = token.and_then(|text| read.keep("TELEGRAM_BOT_TOKEN", bot_token(text)));
        let chat = read.text("TELEGRAM_CHAT_ID");
        let chat = chat.and_then(|text| read.keep("TELEGRAM_CHAT_ID", chat_id(text)));
        let api_url = read.url_or("TELEGRAM_API_URL", "https://api.telegram.org");
        Some(Self {
            token: token?,
            chat: chat?,
            api_url: api_url?,
        })
    }

    /// Writes a payload where it belongs, or changes what stands there.
    pub(super) async fn attempt(
        &self,
        outbound: &Outbound,
        payload: &Value,
        place: &Place,
        deadline: Deadline,
    ) -> Verdict {
        let (method, body) = call(&self.chat, payload, place);
        match self.ask(outbound, method, &body, deadline).await {
            Ok(answer) => judge(&answer, &self.chat, place),
            Err(failure) => Verdict::Settled(failure.into()),
        }
    }

    /// Asks Telegram whose token it is: why the bot cannot be used, in our own words.
    pub(super) async fn identify(
        &self,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Result<(), &'static str> {
        let answer = self
            .ask(outbound, "getMe", &json!({}), deadline)
            .await
            .map_err(Failure::as_str)?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match (body["ok"].as_bool(), body["result"]["is_bot"].as_bool()) {
            (Some(true), Some(true)) => Ok(()),
            _ => judge(&answer, &self.chat, &Place::Anew)
                .settled()
                .accepted(),
        }
    }

    async fn ask(
        &self,
        outbound: &Outbound,
        method: &str,
        body: &Value,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let base = self.api_url.as_str().trim_end_matches('/');
        let token = self.token.expose_secret();
        let request = outbound
            .client()?
            .post(format!("{base}/bot{token}/{method}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        exchange(request, deadline).await
    }
}

fn bot_token(text: String) -> Result<SecretString, &'static str> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match text.split_once(':') {
        Some((id, key))
            if !id.is_empty()
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && key.len() >= 30
                && key.bytes().all(known) =>
        {
            Ok(text.into())
        }
        _ => Err("not a bot's token, `123456:…` as @BotFather shows it"),
    }
}

/// A name would do to write, but what is pressed comes back with the id.
fn chat_id(text: String) -> Result<String, &'static str> {
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let number = (1..=18).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if number {
        Ok(text)
    } else {
        Err("not a chat's id, a number such as -1001234567890")
    }
}

/// The method and its arguments.
fn call(chat: &str, payload: &Value, place: &Place) -> (&'static str, Value) {
    let mut body = payload.clone();
    body["chat_id"] = chat.into();
    match place {
        Place::Anew => {}
        Place::Thread(first) | Place::Broadcast(first) => {
            if let Some(id) = here(chat, first) {
                body["reply_parameters"] =
                    json!({ "message_id": id, "allow_sending_without_reply": true });
            }
        }
        Place::Instead(first) => {
            if let Some(id) = here(chat, first) {
                body["message_id"] = id.into();
                return ("editMessageText", body);
            }
        }
    }
    ("sendMessage", body)
}

/// The number of a message, if it is in the chat in which the bot writes by now.
fn here(chat: &str, message: &str) -> Option<i64> {
    let (elsewhere, id) = message.split_once(':')?;
    (elsewhere == chat).then(|| id.parse().ok()).flatten()
}

pub(super) fn judge(answer: &Answer, chat: &str, place: &Place) -> Verdict {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let written = body["result"]["message_id"].as_i64();
    Verdict::Settled(
        match (answer.status.as_u16(), body["ok"].as_bool(), written) {
            (200, Some(true), Some(id)) => Delivery::Sent {
                provider_id: Some(format!("{chat}:{id}")),
            },
            (200..=299, ..) => answer.retry("something else than telegram answered"),
            (408, ..) => answer.retry("timeout"),
            (429, ..) => answer.limited(),
            (500..=599, ..) => answer.retry("telegram fails"),
            (400, Some(false), _) => return refused(answer, &body, place),
            // Somebody has to repair the configuration; then it works.
            (401, ..) => answer.refused("telegram refused the bot's token"),
            (403, ..) => answer.refused("the bot may not write there: it was removed or blocked"),
            (404, ..) => {
                answer.refused("telegram knows no such bot: check its token and the API's URL")
            }
            (400 | 413, ..) => answer.dead("telegram does not accept the message"),
            _ => answer.dead("telegram refused the message"),
        },
    )
}

/// What the description means that Telegram refused with.
fn refused(answer: &Answer, body: &Value, place: &Place) -> Verdict {
    let description = body["description"].as_str().unwrap_or_default();
    let description = description.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    if !body["parameters"]["migrate_to_chat_id"].is_null() {
        return Verdict::Settled(answer.refused(
            "the chat became a supergroup and has another id: set TELEGRAM_CHAT_ID to that",
        ));
    }
    match place {
        Place::Instead(first) if says(&["message is not modified"]) => {
            return Verdict::Settled(Delivery::Sent {
                provider_id: Some(first.clone()),
            });
        }
        Place::Instead(_)
            if says(&[
                "message to edit not found",
                "message can't be edited",
                "message_id_invalid",
            ]) =>
        {
            return Verdict::Gone(answer.dead("the message that it belongs to is gone"));
        }
        _ => {}
    }
    if says(&[
        "can't parse entities",
        "button_",
        "wrong http url",
        "reply_markup",
    ]) {
        return Verdict::Layout(answer.dead("telegram does not accept the message"));
    }
    Verdict::Settled(if says(&["chat not found"]) {
        answer.refused("the chat does not exist, or not for the bot")
    } else if says(&[
        "not enough rights",
        "have no rights",
        "need administrator rights",
        "chat_write_forbidden",
    ]) {
        answer.refused("the bot may not write there: it needs the right to")
    } else {
        answer.dead("telegram does not accept the message")
    })
}
