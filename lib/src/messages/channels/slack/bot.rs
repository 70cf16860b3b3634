//! Slack's API with a bot's token: `chat.postMessage` and `chat.update`, answered
//! with 200 and `{"ok": true, "channel", "ts"}`, or with `{"ok": false, "error"}`.
//!
//! Slack cannot tell a repetition apart, so a message whose answer was lost may
//! be sent twice. That is better than not at all. Changing a message twice to the
//! same words is harmless.

use http::header;
use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::Verdict;
use crate::{
    messages::channels::{
        Delivery, Place,
        exchange::{Answer, exchange},
    },
    variables::Reader,
};

/// A bot and where it posts.
#[derive(Debug)]
pub(super) struct Bot {
    token: SecretString,
    /// The id of the channel.
    channel: String,
    /// Where Slack's API answers.
    api_url: Url,
}

impl Bot {
    pub(super) fn read(read: &mut Reader) -> Option<Self> {
        read.requires_all(&["SLACK_BOT_TOKEN", "SLACK_CHANNEL_ID"])?;
        let api_url = read.url_or("SLACK_API_URL", "https://slack.com/api");
        let token = read.key("SLACK_BOT_TOKEN");
        let channel = read.text("SLACK_CHANNEL_ID");
        let channel = channel.and_then(|text| read.keep("SLACK_CHANNEL_ID", channel_id(text)));
        Some(Self {
            token: token?,
            channel: channel?,
            api_url: api_url?,
        })
    }

    /// Posts a payload where it belongs, or changes what stands there.
    pub(super) async fn attempt(
        &self,
        outbound: &Outbound,
        payload: &Value,
        place: &Place,
        deadline: Deadline,
    ) -> Verdict {
        let (method, body) = call(self, payload, place);
        match self.ask(outbound, method, &body, deadline).await {
            Ok(answer) => judge(&answer),
            Err(failure) => Verdict::Settled(failure.into()),
        }
    }

    /// Asks Slack whose token it is: why the bot cannot be used, in our own words.
    pub(super) async fn identify(
        &self,
        outbound: &Outbound,
        deadline: Deadline,
    ) -> Result<(), &'static str> {
        let answer = self
            .ask(outbound, "auth.test", &json!({}), deadline)
            .await
            .map_err(Failure::as_str)?;
        judge(&answer).settled().accepted()
    }

    async fn ask(
        &self,
        outbound: &Outbound,
        method: &str,
        body: &Value,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let base = self.api_url.as_str().trim_end_matches('/');
        let request = outbound
            .client()?
            .post(format!("{base}/{method}"))
            .bearer_auth(self.token.expose_secret())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body.to_string());
        exchange(request, deadline).await
    }
}

/// A name would do to post, but threads and changes go by the id.
fn channel_id(text: String) -> Result<String, &'static str> {
    let known = text.starts_with(['C', 'G', 'D']) && text.len() > 2;
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if known && text.bytes().all(plain) {
        Ok(text)
    } else {
        Err("not a channel's id, `C…`: it is at the end of the channel's details in Slack")
    }
}

/// The method and its arguments.
fn call(bot: &Bot, payload: &Value, place: &Place) -> (&'static str, Value) {
    let mut body = payload.clone();
    body["channel"] = json!(bot.channel);
    let here = |message: &str| {
        let (channel, ts) = message.split_once(':')?;
        (channel == bot.channel).then(|| json!(ts))
    };
    let (method, thread) = match place {
        Place::Anew => ("chat.postMessage", None),
        Place::Thread(first) | Place::Broadcast(first) => ("chat.postMessage", here(first)),
        Place::Instead(first) => match here(first) {
            Some(ts) => {
                body["ts"] = ts;
                return ("chat.update", body);
            }
            None => ("chat.postMessage", None),
        },
    };
    body["unfurl_links"] = json!(false);
    body["unfurl_media"] = json!(false);
    if let Some(ts) = thread {
        body["thread_ts"] = ts;
        body["reply_broadcast"] = json!(matches!(place, Place::Broadcast(_)));
    }
    (method, body)
}

fn judge(answer: &Answer) -> Verdict {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Verdict::Settled(match (answer.status.as_u16(), body["ok"].as_bool()) {
        (200, Some(true)) => Delivery::Sent {
            provider_id: name(&body),
        },
        (200, Some(false)) => return refused(answer, body["error"].as_str().unwrap_or_default()),
        (200..=299, _) => answer.retry("something else than slack answered"),
        (408, _) => answer.retry("timeout"),
        (429, _) => answer.limited(),
        (500..=599, _) => answer.retry("slack fails"),
        (404 | 405, _) => answer.dead("slack has no such method: check its API's URL"),
        _ => answer.dead("slack refused the message"),
    })
}

/// Slack's name for a message, by which it is answered and changed.
fn name(body: &Value) -> Option<String> {
    let (channel, ts) = (body["channel"].as_str()?, body["ts"].as_str()?);
    Some(format!("{channel}:{ts}"))
}

/// What the word means that Slack refused with.
fn refused(answer: &Answer, word: &str) -> Verdict {
    Verdict::Settled(match word {
        "ratelimited" | "rate_limited" => answer.limited(),
        "message_not_found"
        | "thread_not_found"
        | "cannot_reply_to_message"
        | "cant_update_message"
        | "edit_window_closed" => {
            return Verdict::Gone(answer.dead("the message that it belongs to is gone"));
        }
        "channel_not_found" => answer.dead("the channel does not exist, or not for the bot"),
        "is_archived" => answer.dead("the channel is archived"),
        "invalid_blocks" | "invalid_blocks_format" | "msg_too_long" | "msg_blocks_too_long" => {
            return Verdict::Layout(answer.dead("slack does not accept the message"));
        }
        "no_text" | "too_many_attachments" | "invalid_arguments" | "invalid_json" => {
            answer.dead("slack does not accept the message")
        }
        // Somebody has to repair the configuration; then it works.
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            answer.refused("slack refused the token")
        }
        "not_in_channel" => answer.refused("the bot is not in the channel: invite it"),
        "missing_scope" | "no_permission" | "restricted_action" => {
            answer.refused("the bot may not write there: it needs the scope chat:write")
        }
        // Slack has many words; most of them name a passing trouble of its own.
        _ => answer.retry("slack fails"),
    })
}

#[cfg(test)]
mod tests;
