//! An adaptive card as a workflow of Teams' posts it.
//!
//! Text from outside is escaped with backslashes, so that it neither formats nor links.
//! A mention needs an entry of its own in the card, and there is none, so nobody is
//! ever mentioned.

use serde_json::{Value, json};

use crate::messages::{
    channels::severity_marks::icon,
    message::{Content, Digest, Field, Message},
    message_facts::{Kind, Severity},
    message_links::Link,
    plain_text,
};

/// A card of more than 28 KB is accepted and never shown.
const CARD_LIMIT: usize = 27 * 1_024;
const HEADLINE_LIMIT: usize = 300;

/// Teams shows no more.
const ACTIONS: usize = 6;

/// How much is shown of a text, of a fact and of a digest.
struct Extent {
    body: usize,
    fact: usize,
    entries: usize,
}

/// From all that is sensible to what fits whatever it is.
const EXTENTS: [Extent; 4] = [
    Extent {
        body: 4_000,
        fact: 900,
        entries: 45,
    },
    Extent {
        body: 2_000,
        fact: 400,
        entries: 25,
    },
    Extent {
        body: 1_000,
        fact: 200,
        entries: 12,
    },
    Extent {
        body: 400,
        fact: 80,
        entries: 6,
    },
];

/// The body of a call: as much as fits.
#[must_use]
pub(in crate::messages::channels) fn body(content: &Content) -> Value {
    let mut body = Value::Null;
    for extent in EXTENTS {
        body = with(content, &extent);
        if body.to_string().len() <= CARD_LIMIT {
            break;
        }
    }
    body
}

fn with(content: &Content, extent: &Extent) -> Value {
    let (blocks, links) = match content {
        Content::Message(message) => (of_message(message, extent), &message.links),
        Content::Digest(digest) => (of_digest(digest, extent), &digest.links),
    };
    let actions: Vec<Value> = links.iter().take(ACTIONS).map(action).collect();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "msteams": { "width": "Full" },
    });
    if !actions.is_empty() {
        card["actions"] = actions.into();
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

fn of_message(message: &Message, extent: &Extent) -> Vec<Value> {
    let mut blocks = vec![heading(&headline(message), colour(message))];
    let body = plain_text::paragraph(message.body.as_deref().unwrap_or_default());
    if !body.is_empty() {
        blocks.push(block(&safe(&body, extent.body)));
    }
    let facts: Vec<Value> = message
        .fields
        .iter()
        .map(|field| fact(field, extent))
        .collect();
    if !facts.is_empty() {
        blocks.push(json!({ "type": "FactSet", "facts": facts }));
    }
    blocks
}

fn of_digest(digest: &Digest, extent: &Extent) -> Vec<Value> {
    let colour = digest.worst().map_or("default", colour);
    let mut blocks = vec![heading(&digest.headline(), colour)];
    let (shown, more) = digest.shown(extent.entries);
    blocks.extend(shown.iter().map(|message| block(&entry(message, extent))));
    if more > 0 {
        blocks.push(block(&format!("… and {more} more")));
    }
    blocks
}

fn entry(message: &Message, extent: &Extent) -> String {
    let facts = message.fields.iter();
    let facts = facts.filter(|field| matches!(field.label, "Since" | "Found" | "Now" | "Was"));
    let facts: Vec<String> = facts
        .map(|Field { label, value }| {
            let value = safe(&plain_text::line(value), extent.fact.min(200));
            format!("{label}: {value}")
        })
        .collect();
    format!("**{}**\n\n{}", headline(message), facts.join(" · "))
}

fn headline(message: &Message) -> String {
    let headline = safe(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    format!("{} {}: {headline}", icon(message), message.label())
}

fn fact(Field { label, value }: &Field, extent: &Extent) -> Value {
    json!({ "title": label, "value": safe(&plain_text::paragraph(value), extent.fact) })
}

fn action(Link { label, url }: &Link) -> Value {
    json!({ "type": "Action.OpenUrl", "title": label, "url": url })
}

fn heading(text: &str, colour: &str) -> Value {
    json!({
        "type": "TextBlock", "text": text, "wrap": true,
        "weight": "Bolder", "size": "Medium", "color": colour,
    })
}

fn block(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true })
}

/// One of the colours that a card knows.
fn colour(message: &Message) -> &'static str {
    match (message.kind, message.severity) {
        (Kind::Resolved, _) if message.facts.ended.is_none() => "good",
        (Kind::Resolved | Kind::Notice, _) => "default",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical) => "attention",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::High | Severity::Medium) => {
            "warning"
        }
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => "accent",
    }
}

/// Marks that mean something everywhere are always escaped. Those that do only at the
/// beginning of a word are left alone inside of one, so that URLs stay whole. A line
/// begins after two breaks.
fn safe(text: &str, limit: usize) -> String {
    let mut previous = ' ';
    plain_text::escaped(text, limit, |letter| {
        let within_word = previous.is_ascii_alphanumeric() || previous == '/';
        // A number and a full stop begin a list.
        let lists = previous.is_ascii_digit();
        previous = letter;
        match letter {
            '\\' => Some("\\\\"),
            '*' => Some("\\*"),
            '`' => Some("\\`"),
            '<' => Some("\\<"),
            '[' => Some("\\["),
            ']' => Some("\\]"),
            '{' => Some("\\{"),
            '\n' => Some("\n\n"),
            '_' if !within_word => Some("\\_"),
            '~' if !within_word => Some("\\~"),
            '#' if !within_word => Some("\\#"),
            '>' if !within_word => Some("\\>"),
            '-' if !within_word => Some("\\-"),
            '+' if !within_word => Some("\\+"),
            '!' if !within_word => Some("\\!"),
            ')' if lists => Some("\\)"),
            _ => None,
        }
    })
}
