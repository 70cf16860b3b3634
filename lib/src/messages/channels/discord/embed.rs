//! Discord's message with an embed.
//!
//! Text from outside is escaped with backslashes, so that it neither formats nor
//! links nor stands for a user or a channel. Nobody is ever mentioned: Discord is
//! asked to look for no mentions at all.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::messages::channels::severity_marks::{colour, icon};
use crate::messages::{
    message::{Content, Digest, Field, Message},
    message_links::Link,
    plain_text,
};

/// Discord's limits, in characters, are 2,000 for the content, 4,096 for an
/// embed's description, 1,024 for the value of each of its 25 fields, and 6,000
/// for an embed as a whole. Body, links and the line breaks between them make up
/// a description.
const HEADLINE_LIMIT: usize = 300;
const BODY_LIMIT: usize = 2_000;
const LINKS_LIMIT: usize = 2_000;
const FIELD_LIMIT: usize = 1_024;
const FIELDS: usize = 25;
const EMBED_LIMIT: usize = 6_000;

/// How much of a digest is shown, and how much of each value in it.
const DIGEST_LIMIT: usize = 2_000;
const DIGEST_VALUE_LIMIT: usize = 200;

/// The body of a call of the webhook.
#[must_use]
pub(in crate::messages::channels) fn payload(content: &Content) -> Value {
    let (headline, embed) = match content {
        Content::Message(message) => (headline(message), of_message(message)),
        Content::Digest(digest) => (digest.headline(), Some(of_digest(digest))),
    };
    json!({
        "content": headline,
        "embeds": Vec::from_iter(embed),
        "allowed_mentions": { "parse": [] },
    })
}

/// Everything but the headline; an embed that shows nothing is refused.
fn of_message(message: &Message) -> Option<Value> {
    let body = message.body.as_deref();
    let body = safe(&plain_text::paragraph(body.unwrap_or_default()), BODY_LIMIT);
    let description = paragraphs([body, links(&message.links)]);
    let fields = fields(&message.fields, EMBED_LIMIT - length(&description));
    if description.is_empty() && fields.is_empty() {
        return None;
    }
    Some(json!({
        "color": colour(message),
        "description": description,
        "fields": fields,
    }))
}

fn of_digest(digest: &Digest) -> Value {
    let mut list = String::new();
    for (nth, message) in digest.messages.iter().enumerate() {
        let entry = digest_entry(message);
        if length(&list) + length(&entry) > DIGEST_LIMIT {
            let more = digest.messages.len() - nth;
            let _ = write!(list, "… and {more} more");
            break;
        }
        list.push_str(&entry);
        list.push('\n');
    }
    json!({ "description": paragraphs([list, links(&digest.links)]) })
}

fn digest_entry(message: &Message) -> String {
    let facts = message.fields.iter();
    let facts = facts.filter(|field| matches!(field.label, "Since" | "Found" | "Now" | "Was"));
    let facts: Vec<String> = facts
        .map(|Field { label, value }| {
            format!(
                "{label}: {}",
                safe(&plain_text::line(value), DIGEST_VALUE_LIMIT)
            )
        })
        .chain(message.links.first().map(link))
        .collect();
    format!("**{}**\n{}", headline(message), facts.join(" · "))
}

fn headline(message: &Message) -> String {
    let headline = safe(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    format!("{} {}: {headline}", icon(message), message.label())
}

/// As many fields as Discord takes and as there is room for.
fn fields(fields: &[Field], mut room: usize) -> Vec<Value> {
    let mut shown = Vec::new();
    for Field { label, value } in fields.iter().take(FIELDS) {
        room = room.saturating_sub(label.len());
        let value = safe(&plain_text::paragraph(value), FIELD_LIMIT.min(room));
        if room == 0 {
            break;
        }
        // Discord refuses a field without a value.
        if !value.is_empty() {
            room -= length(&value);
            shown.push(json!({ "name": label, "value": value }));
        }
    }
    shown
}

fn links(links: &[Link]) -> String {
    let mut list = String::new();
    for link in links.iter().map(link) {
        if length(&list) + length(&link) < LINKS_LIMIT {
            list.push_str(if list.is_empty() { "" } else { " · " });
            list.push_str(&link);
        }
    }
    list
}

fn link(Link { label, url }: &Link) -> String {
    // These would end the URL, and none of ours has one.
    let url = plain_text::escaped(url, LINKS_LIMIT, |letter| match letter {
        '(' => Some("%28"),
        ')' => Some("%29"),
        '<' => Some("%3C"),
        '>' => Some("%3E"),
        _ => None,
    });
    format!("[{label}]({url})")
}

fn paragraphs(parts: [String; 2]) -> String {
    let parts = parts.map(|part| part.trim_end().to_owned());
    let [first, second] = &parts;
    let between = if first.is_empty() || second.is_empty() {
        ""
    } else {
        "\n\n"
    };
    format!("{first}{between}{second}")
}

/// Characters as services count that refuse what is too long.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Marks that mean something everywhere are always escaped. Those that do only at
/// the beginning of a word or twice in a row are left alone inside of one, so that
/// URLs, which show a backslash, stay whole.
fn safe(text: &str, limit: usize) -> String {
    let mut previous = ' ';
    plain_text::escaped(text, limit, |letter| {
        let within_word = previous.is_ascii_alphanumeric() || previous == '/';
        previous = letter;
        match letter {
            '\\' => Some("\\\\"),
            '*' => Some("\\*"),
            '`' => Some("\\`"),
            '<' => Some("\\<"),
            '[' => Some("\\["),
            ']' => Some("\\]"),
            '_' if !within_word => Some("\\_"),
            '~' if !within_word => Some("\\~"),
            '|' if !within_word => Some("\\|"),
            '#' if !within_word => Some("\\#"),
            '>' if !within_word => Some("\\>"),
            '-' if !within_word => Some("\\-"),
            _ => None,
        }
    })
}
