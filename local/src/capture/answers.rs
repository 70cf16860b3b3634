//! What comes back from the other side of a channel, as its provider sends it: a digit that
//! is pressed in a call, a reply to a text, what is done in a pager, a button.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Channel, Message};
use crate::clock;

/// Where a deployment takes what comes back.
const PATH: &str = "/api/alerts/acknowledge";

/// A request that a provider makes.
#[derive(Clone, Debug)]
pub struct CallBack {
    /// Its URL, or the path of it with the query.
    pub url: String,
    /// Its headers beside those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

/// What a person does about the last message on a channel: the body of
/// `POST /_local/answers`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The channel.
    pub channel: Channel,
    /// The digits that are pressed in a call (1), the text that is replied (OK), or what is
    /// done in a pager (acknowledged, resolved); a button needs none.
    pub says: Option<String>,
}

impl Answer {
    /// The request that its provider makes of it, given every message so far, the variables of
    /// the deployment and where that is reached.
    ///
    /// Fails if nothing was said on the channel, or nothing comes back from it.
    pub fn called_back(
        &self,
        messages: &[Message],
        variables: &BTreeMap<String, String>,
        base_url: &str,
    ) -> anyhow::Result<CallBack> {
        let mut own = messages.iter().rev();
        let message = own
            .find(|message| message.channel == self.channel)
            .context("nothing was said on that channel")?;
        let secret = |name: &str| {
            let value = variables.get(name).map(String::as_str);
            value.with_context(|| format!("{name} is not set: the channel is not open"))
        };
        let says = |usual: &'static str| self.says.as_deref().unwrap_or(usual);
        match self.channel {
            Channel::Voice => {
                let form = [("CallSid", "CA1"), ("Digits", says("1"))];
                Ok(twilio(
                    &gathered_at(&message.text)?,
                    &form,
                    secret("TWILIO_AUTH_TOKEN")?,
                ))
            }
            Channel::Sms => {
                let id = fresh("SM");
                let from = message.raw["To"].as_str().unwrap_or_default();
                let form = [("From", from), ("Body", says("OK")), ("MessageSid", &id)];
                let url = format!("{base_url}{PATH}?channel=sms");
                Ok(twilio(&url, &form, secret("TWILIO_AUTH_TOKEN")?))
            }
            Channel::Pagerduty => {
                let event = json!({
                    "id": fresh("EV"), "event_type": format!("incident.{}", says("acknowledged")),
                    "resource_type": "incident",
                    "agent": {"type": "user_reference", "summary": "Anna"},
                    "data": {"type": "incident", "incident_key": message.to},
                });
                Ok(pagerduty(&event, secret("PAGERDUTY_WEBHOOK_SECRET")?))
            }
            Channel::Telegram => {
                let chat: i64 = secret("TELEGRAM_CHAT_ID")?.parse()?;
                let query = json!({
                    "id": fresh(""), "from": {"id": 1, "first_name": "Anna"},
                    "data": message.raw["reply_markup"]["inline_keyboard"][0][0]["callback_data"],
                    "message": {"message_id": 1, "chat": {"id": chat}},
                });
                Ok(telegram(&query, secret("TELEGRAM_WEBHOOK_SECRET")?))
            }
            Channel::Ntfy => ntfy(&message.raw).context("the notification has no button"),
            Channel::Slack
            | Channel::Email
            | Channel::Discord
            | Channel::Webhook
            | Channel::Push
            | Channel::Teams => bail!("nothing comes back from that channel: its links are opened"),
        }
    }
}

fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", clock::now().as_nanosecond())
}

/// Where what is pressed in a call goes.
pub fn gathered_at(speech: &str) -> anyhow::Result<String> {
    let action = speech
        .split_once("action=\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    let (url, _) = action.context("the call asks for nothing")?;
    Ok(url.replace("&amp;", "&"))
}

/// Twilio's call of a URL with a form, signed by the account's token: see "Webhooks security".
#[must_use]
pub fn twilio(url: &str, form: &[(&str, &str)], token: &str) -> CallBack {
    let mut sorted = form.to_vec();
    sorted.sort_unstable();
    let signed = sorted
        .iter()
        .fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let tag = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    CallBack {
        url: url.to_owned(),
        headers: vec![
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("x-twilio-signature", tag),
        ],
        body: form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish(),
    }
}

/// `PagerDuty`'s webhook of an event: see "Webhooks v3".
#[must_use]
pub fn pagerduty(event: &Value, secret: &str) -> CallBack {
    let body = json!({ "event": event }).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hexadecimal = tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    CallBack {
        url: format!("{PATH}?channel=pagerduty"),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-pagerduty-signature", format!("v1={hexadecimal}")),
        ],
        body,
    }
}

/// What Telegram posts when somebody presses a button: an update with a callback query.
#[must_use]
pub fn telegram(query: &Value, secret: &str) -> CallBack {
    CallBack {
        url: format!("{PATH}?channel=telegram"),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-telegram-bot-api-secret-token", secret.to_owned()),
        ],
        body: json!({"update_id": 1, "callback_query": query}).to_string(),
    }
}

/// What a phone sends when somebody presses the first action of a notification; none if that
/// sends nothing.
#[must_use]
pub fn ntfy(notification: &Value) -> Option<CallBack> {
    let action = &notification["actions"][0];
    if action["action"] != "http" {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(CallBack {
        url: text(&action["url"])?,
        headers: vec![("content-type", text(&action["headers"]["Content-Type"])?)],
        body: text(&action["body"])?,
    })
}
