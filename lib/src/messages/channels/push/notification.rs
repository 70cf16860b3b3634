//! A notification in the form that browsers show by themselves (declarative Web Push), and
//! that the worker of the pages shows in those that do not. Its texts are plain.
//!
//! A press on it opens the page on which the alert can be acknowledged, or the dashboard.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    messages::{
        channels::plain_lines,
        message::{Content, Message},
        message_facts::{Kind, Severity},
        message_links::{self, Link},
        plain_text,
    },
    web_push::{PLAIN_LIMIT, Urgency},
};

/// How long it is kept for a device that is off: whoever comes back the next morning should
/// hear of it, and of its end by the same topic.
pub(super) const TTL: Duration = Duration::from_secs(86_400);

/// The number that tells browsers that they can show it by themselves.
const DECLARATIVE: u32 = 8_030;

const TITLE_LIMIT: usize = 120;

/// No device shows more.
const TEXT_LIMIT: usize = 600;

/// What is encrypted: at most [`PLAIN_LIMIT`] bytes.
#[must_use]
pub(in crate::messages::channels) fn body(content: &Content) -> String {
    let (title, links) = match content {
        Content::Message(message) => (plain_lines::headline(message), &message.links),
        Content::Digest(digest) => (digest.headline(), &digest.links),
    };
    let text = plain_text::cut(&plain_lines::of(content).join("\n"), TEXT_LIMIT);
    let mut body = json!({
        "web_push": DECLARATIVE,
        "notification": {
            "title": plain_text::cut_at_word(&title, TITLE_LIMIT),
            "body": text,
            "navigate": destination(links),
            "lang": "en",
            "dir": "auto",
        },
    });
    let notification = &mut body["notification"];
    if let Some(topic) = topic(content) {
        notification["tag"] = topic.into();
        // What takes the place of another makes itself heard all the same.
        notification["renotify"] = true.into();
    }
    if is_urgent(content) {
        notification["requireInteraction"] = true.into();
    }
    let actions = actions(links);
    if !actions.is_empty() {
        notification["actions"] = actions.into();
    }
    fitting(body, &text)
}

/// It with as much of the text as fits.
fn fitting(mut body: Value, text: &str) -> String {
    let mut limit = text.encode_utf16().count();
    loop {
        let written = body.to_string();
        if written.len() <= PLAIN_LIMIT || limit == 0 {
            return written;
        }
        limit /= 2;
        body["notification"]["body"] = plain_text::cut(text, limit).into();
    }
}

/// One alert has one notification, which is as the alert stands.
pub(super) fn topic(content: &Content) -> Option<String> {
    match content {
        Content::Message(message) => Some(message.facts.alert?.simple().to_string()),
        Content::Digest(_) => None,
    }
}

/// How soon the device has to show it.
pub(super) fn urgency(content: &Content) -> Urgency {
    let loudest = match content {
        Content::Message(message) => Some(message),
        Content::Digest(digest) => digest.worst(),
    };
    match loudest.map(|message| (message.kind, message.severity)) {
        None | Some((Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low)) => {
            Urgency::Low
        }
        Some((
            Kind::Firing | Kind::Escalation | Kind::Reminder,
            Severity::Critical | Severity::High,
        )) => Urgency::High,
        Some(_) => Urgency::Normal,
    }
}

/// Whether it stays on the screen until somebody has seen it.
fn is_urgent(content: &Content) -> bool {
    let is_critical =
        |message: &Message| message.kind.is_open() && message.severity == Severity::Critical;
    match content {
        Content::Message(message) => is_critical(message),
        Content::Digest(digest) => digest.worst().is_some_and(is_critical),
    }
}

/// Where a press leads: to the page that acknowledges, else to what the message is about.
fn destination(links: &[Link]) -> &str {
    let about = || links.iter().rfind(|link| message_links::is_of_pages(link));
    message_links::acknowledging(links)
        .or_else(about)
        .map_or("/dashboard", |link| &link.url)
}

/// The buttons below it, as far as a device has any: two are shown.
fn actions(links: &[Link]) -> Vec<Value> {
    if message_links::acknowledging(links).is_none() {
        return Vec::new();
    }
    let snooze = links
        .iter()
        .find(|link| link.label == message_links::SNOOZE);
    let about = links.iter().find(|link| message_links::is_of_pages(link));
    let action = |link: &Link| {
        let is_snooze = link.label == message_links::SNOOZE;
        json!({
            "action": if is_snooze { "snooze" } else { "open" },
            "title": link.label,
            "navigate": link.url,
        })
    };
    snooze.into_iter().chain(about).map(action).collect()
}
