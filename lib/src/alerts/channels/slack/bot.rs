//! Slack's API with a bot's token: `chat.postMessage` and `chat.update`, answered
//! with 200 and `{"ok": true, "channel", "ts"}`, or with `{"ok": false, "error"}`.
//!
//! Slack cannot tell a repetition apart, so a message whose answer was lost may
//! be sent twice. That is better than not at all. Changing a message twice to the
//! same words is harmless.

use http::header;
use outside::{clock::Deadline, failure::Failure};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Verdict;
use crate::{
    alerts::channels::{Answer, Delivery, Place, exchange},
    app::App,
    config::{Slack, SlackBot},
};

/// Posts a payload where it belongs, or changes what stands there.
pub(super) async fn attempt(
    app: &App,
    bot: &SlackBot,
    payload: &Value,
    place: &Place,
    deadline: Deadline,
) -> Verdict {
    let (method, body) = call(bot, payload, place);
    match ask(app, bot, method, &body, deadline).await {
        Ok(answer) => judge(&answer),
        Err(failure) => Verdict::Settled(failure.into()),
    }
}

/// Asks Slack whose token it is.
///
/// # Errors
/// Why the bot cannot be used, in our own words.
pub async fn identify(app: &App, deadline: Deadline) -> Result<(), &'static str> {
    let Some(Slack::Bot(bot)) = &app.config.slack else {
        return Err("not configured");
    };
    let answer = ask(app, bot, "auth.test", &json!({}), deadline)
        .await
        .map_err(Failure::as_str)?;
    match judge(&answer).settled() {
        Delivery::Sent { .. } => Ok(()),
        Delivery::Retry { error, .. }
        | Delivery::Refused { error, .. }
        | Delivery::Dead { error, .. } => Err(error),
    }
}

/// The method and its arguments.
fn call(bot: &SlackBot, payload: &Value, place: &Place) -> (&'static str, Value) {
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

async fn ask(
    app: &App,
    bot: &SlackBot,
    method: &str,
    body: &Value,
    deadline: Deadline,
) -> Result<Answer, Failure> {
    let base = bot.api_url.as_str().trim_end_matches('/');
    let request = app
        .outbound
        .client()?
        .post(format!("{base}/{method}"))
        .bearer_auth(bot.token.expose_secret())
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(body.to_string());
    exchange(request, deadline).await
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
