//! A notification as ntfy takes it. Its texts are plain, and what a phone does with a
//! press stands in its actions.

use serde_json::{Value, json};
use url::Url;

use crate::messages::{
    channels::plain_lines,
    message::{Content, Digest, Message},
    message_facts::{Kind, Severity},
    message_links::{self, Link},
};

/// A longer text becomes a file, which no phone shows, and a longer body is refused.
const TEXT_LIMIT: usize = 4_096;
const BODY_LIMIT: usize = 2 * TEXT_LIMIT;

/// No phone shows more.
const ACTIONS: usize = 3;

/// The body of a call, without the topic.
#[must_use]
pub(in crate::messages::channels) fn body(content: &Content) -> Value {
    let (title, links) = match content {
        Content::Message(message) => (plain_lines::headline(message), &message.links),
        Content::Digest(digest) => (digest.headline(), &digest.links),
    };
    let text = plain_lines::of(content).join("\n");
    let mut body = json!({
        "title": title,
        "message": "",
        "priority": priority(content),
        "tags": tags(content),
    });
    if let Some(link) = links.iter().find(|link| link.leads_on()) {
        body["click"] = json!(link.url);
    }
    let actions = actions(links);
    if !actions.is_empty() {
        body["actions"] = actions.into();
    }
    // ntfy writes "triggered" where there is no text.
    let text = if text.is_empty() { &title } else { &text };
    body["message"] = fitting(text, BODY_LIMIT.saturating_sub(topic_and(&body))).into();
    body
}

/// The bytes of all but the text, with room for the longest topic.
fn topic_and(body: &Value) -> usize {
    const TOPIC: usize = 64 + r#""topic":"","#.len();
    body.to_string().len() + TOPIC
}

/// As much of the text as fits, in bytes and, written as JSON, in that room.
fn fitting(text: &str, room: usize) -> String {
    const MORE: &str = "…";
    let mut written = 0;
    // Where to cut, should more come than fits.
    let mut fits = 0;
    for (at, letter) in text.char_indices() {
        let bytes = at + letter.len_utf8();
        written += match letter {
            '"' | '\\' | '\n' => 2,
            letter => letter.len_utf8(),
        };
        if bytes > TEXT_LIMIT || written > room {
            return format!("{}{MORE}", &text[..fits]);
        }
        if bytes + MORE.len() <= TEXT_LIMIT && written + MORE.len() <= room {
            fits = bytes;
        }
    }
    text.to_owned()
}

fn priority(content: &Content) -> u8 {
    match content {
        Content::Message(message) => message_priority(message),
        Content::Digest(digest) => digest.worst().map_or(2, message_priority),
    }
}

fn message_priority(message: &Message) -> u8 {
    match (message.kind, message.severity) {
        (Kind::Resolved | Kind::Notice, _) | (_, Severity::Medium) => 3,
        (_, Severity::Critical) => 5,
        (_, Severity::High) => 4,
        (_, Severity::Low) => 2,
    }
}

/// The first is the name of a sign, which phones show before the title.
fn tags(content: &Content) -> Vec<&str> {
    match content {
        Content::Message(message) => vec![sign(message), message.severity.as_str()],
        Content::Digest(digest) => vec![of_digest(digest)],
    }
}

fn of_digest(digest: &Digest) -> &'static str {
    digest.worst().map_or("newspaper", sign)
}

fn sign(message: &Message) -> &'static str {
    match (message.kind, message.severity) {
        (Kind::Resolved, _) if message.facts.ended.is_some() => "ballot_box_with_check",
        (Kind::Resolved, _) => "white_check_mark",
        (Kind::Notice, _) => "information_source",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical) => "red_circle",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::High) => "orange_circle",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Medium) => "yellow_circle",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => "large_blue_circle",
    }
}

fn actions(links: &[Link]) -> Vec<Value> {
    let acknowledge = message_links::acknowledging(links).and_then(acknowledge);
    let views = links.iter().filter(|link| link.leads_on()).map(view);
    acknowledge.into_iter().chain(views).take(ACTIONS).collect()
}

/// What the form behind the link sends, without the form.
fn acknowledge(link: &Link) -> Option<Value> {
    let mut url = Url::parse(&link.url).ok()?;
    let form = url.query()?.to_owned();
    url.set_query(None);
    Some(json!({
        "action": "http",
        "label": link.label,
        "url": url,
        "method": "POST",
        "headers": { "Content-Type": "application/x-www-form-urlencoded" },
        "body": form,
        "clear": true,
    }))
}

fn view(link: &Link) -> Value {
    json!({ "action": "view", "label": link.label, "url": link.url })
}
