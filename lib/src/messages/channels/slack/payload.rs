//! Slack's Block Kit.
//!
//! Text from outside is escaped as Slack asks (`&`, `<`, `>`), which also takes
//! the meaning from mentions and links; `verbatim` and a joiner inside keep
//! Slack from taking `@channel` in plain words for a mention; the marks that
//! format are replaced by letters that look like them.

mod report_blocks;

use serde_json::{Value, json};

use crate::messages::channels::severity_marks::icon;
use crate::messages::{
    message::{Content, Digest, Field, Message},
    message_facts::Kind,
    message_links::Link,
    plain_text,
    recipients::Recipients,
};

/// Slack's limit on a section's text is 3,000 characters, on a field's 2,000,
/// on the blocks of a message 50; a headline longer than this reads badly.
const HEADLINE_LIMIT: usize = 300;
const BODY_LIMIT: usize = 2_900;
const FIELD_LIMIT: usize = 900;
const FIELDS_PER_BLOCK: usize = 10;
const DIGEST_LIMIT: usize = 45;

/// The text and the blocks: the body of a call of the incoming webhook, and what a
/// bot adds its channel to.
#[must_use]
pub fn payload(content: &Content) -> Value {
    match content {
        Content::Message(message) => of_message(message),
        Content::Digest(digest) => of_digest(digest),
    }
}

fn of_message(message: &Message) -> Value {
    let mut blocks = mentions(message.kind, &message.recipients);
    blocks.push(section(&bold_headline(message)));
    if let Some(body) = &message.body {
        let body = safe(&plain_text::paragraph(body), BODY_LIMIT);
        if !body.is_empty() {
            blocks.push(section(&body));
        }
    }
    for fields in message.fields.chunks(FIELDS_PER_BLOCK) {
        let fields: Vec<Value> = fields.iter().map(field).map(|text| mrkdwn(&text)).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    if let Some(report) = &message.facts.report {
        blocks.extend(report_blocks::blocks(report));
    }
    blocks.extend(link_block(&message.links));
    json!({ "text": fallback(message.label(), &message.headline), "blocks": blocks })
}

fn of_digest(digest: &Digest) -> Value {
    let headline = digest.headline();
    let worst = digest.worst();
    let mut blocks = worst.map_or_else(Vec::new, |worst| mentions(worst.kind, &digest.recipients));
    let icon = worst.map_or_else(String::new, |worst| format!("{} ", icon(worst)));
    blocks.push(section(&format!("*{icon}{headline}*")));
    let (shown, more) = digest.shown(DIGEST_LIMIT);
    blocks.extend(shown.iter().map(|message| section(&digest_entry(message))));
    if more > 0 {
        blocks.push(section(&format!("… and {more} more")));
    }
    blocks.extend(link_block(&digest.links));
    json!({ "text": headline, "blocks": blocks })
}

/// Calls those whom the message addresses. Nobody is called again for the end of an
/// alert.
fn mentions(kind: Kind, recipients: &Recipients) -> Vec<Value> {
    let people = recipients.people.iter();
    let mentions: Vec<String> = people
        .filter_map(|person| person.slack.as_deref())
        .map(|id| {
            if id.starts_with('S') {
                format!("<!subteam^{id}>")
            } else {
                format!("<@{id}>")
            }
        })
        .collect();
    if kind == Kind::Resolved || mentions.is_empty() {
        return Vec::new();
    }
    vec![section(&mentions.join(" "))]
}

fn digest_entry(message: &Message) -> String {
    let facts: Vec<String> = message
        .fields
        .iter()
        .filter(|field| matches!(field.label, "Since" | "Found" | "Now" | "Was"))
        .map(|field| {
            let value = safe(&plain_text::line(&field.value), FIELD_LIMIT);
            format!("{}: {value}", field.label)
        })
        .chain(message.links.first().map(link))
        .collect();
    format!("{}\n{}", bold_headline(message), facts.join(" · "))
}

fn bold_headline(message: &Message) -> String {
    let headline = safe(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    format!("*{} {}: {headline}*", icon(message), message.label())
}

/// What notifications show.
fn fallback(label: &str, headline: &str) -> String {
    let headline = safe(&plain_text::line(headline), HEADLINE_LIMIT);
    format!("{label}: {headline}")
}

fn field(field: &Field) -> String {
    let value = safe(&plain_text::paragraph(&field.value), FIELD_LIMIT);
    format!("*{}*\n{value}", field.label)
}

fn link_block(links: &[Link]) -> Option<Value> {
    let links: Vec<String> = links.iter().map(link).collect();
    (!links.is_empty()).then(|| section(&links.join(" · ")))
}

fn link(link: &Link) -> String {
    // A bar would end the URL, and none of ours has one.
    let url = plain_text::escaped(&link.url, FIELD_LIMIT, |letter| match letter {
        '|' => Some("%7C"),
        letter => entity(letter),
    });
    format!("<{url}|{}>", link.label)
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn safe(text: &str, limit: usize) -> String {
    plain_text::escaped(&without_mentions(text), limit, |letter| match letter {
        '*' => Some("∗"),
        '`' => Some("ˋ"),
        '~' => Some("∼"),
        letter => entity(letter),
    })
}

/// Words after `@` that call everybody.
const MENTIONS: [&str; 4] = ["channel", "everyone", "group", "here"];

/// The same to the eye, but nobody is called. Other addresses stay whole, so
/// that they can be copied.
fn without_mentions(text: &str) -> String {
    let mut parts = text.split('@');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result.push('@');
        let calls = |word: &str| {
            part.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        if MENTIONS.iter().any(|word| calls(word)) {
            result.push('\u{2060}');
        }
        result.push_str(part);
    }
    result
}

fn entity(letter: char) -> Option<&'static str> {
    match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}
