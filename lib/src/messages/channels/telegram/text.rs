//! A message as Telegram shows it: HTML, of which everything from outside is escaped, and
//! the same as plain text, should the HTML not be taken.
//!
//! Telegram looks for mentions in plain words too, so a joiner after `@` keeps a text
//! from calling anybody. Addresses of mail stay whole.

use serde_json::{Value, json};

use crate::messages::{
    channels::severity_marks::icon,
    message::{Content, Digest, Field, Message},
    message_facts::Kind,
    message_links::{self, Link},
    plain_text,
    recipients::Recipients,
};

/// Telegram's limit on what is shown of a text, in UTF-16.
const TEXT_LIMIT: usize = 4_096;
const HEADLINE_LIMIT: usize = 300;
const BODY_LIMIT: usize = 2_000;
const FIELD_LIMIT: usize = 900;
const DIGEST_LIMIT: usize = 45;
const DIGEST_VALUE_LIMIT: usize = 200;

/// Links beside each other.
const BUTTONS_PER_ROW: usize = 2;

/// A message in both forms, without the chat.
#[derive(Debug, Clone)]
pub(in crate::messages::channels) struct Text {
    /// With its layout and its buttons.
    pub(in crate::messages::channels) laid_out: Value,
    /// Without either.
    pub(in crate::messages::channels) plain: Value,
}

/// What is sent for this. The data come back when somebody presses Acknowledge; without
/// them that button is a link.
#[must_use]
pub(in crate::messages::channels) fn of(content: &Content, data: Option<&str>) -> Text {
    let (page, links) = match content {
        Content::Message(message) => (of_message(message), &message.links),
        Content::Digest(digest) => (of_digest(digest), &digest.links),
    };
    let mut laid_out = json!({
        "text": page.html,
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
    });
    let keyboard = keyboard(links, data);
    if !keyboard.is_empty() {
        laid_out["reply_markup"] = json!({ "inline_keyboard": keyboard });
    }
    let plain = json!({
        "text": with_links(&page.plain, links),
        "link_preview_options": { "is_disabled": true },
    });
    Text { laid_out, plain }
}

fn of_message(message: &Message) -> Page {
    let mut page = Page::new();
    page.mention(message.kind, &message.recipients);
    page.bold(&headline(message));
    if let Some(body) = &message.body {
        let body = plain_text::cut(&plain_text::paragraph(body), BODY_LIMIT);
        if !body.is_empty() {
            page.text("\n");
            page.text(&body);
        }
    }
    for Field { label, value } in &message.fields {
        let value = plain_text::paragraph(value);
        page.text("\n");
        page.bold(label);
        page.text(&format!(": {}", plain_text::cut(&value, FIELD_LIMIT)));
    }
    page
}

fn of_digest(digest: &Digest) -> Page {
    let mut page = Page::new();
    if let Some(worst) = digest.worst() {
        page.mention(worst.kind, &digest.recipients);
    }
    let icon = digest
        .worst()
        .map_or_else(String::new, |worst| format!("{} ", icon(worst)));
    page.bold(&format!("{icon}{}", digest.headline()));
    let (shown, mut more) = digest.shown(DIGEST_LIMIT);
    for (nth, message) in shown.iter().enumerate() {
        let (headline, facts) = (headline(message), facts(message));
        // Each is shown whole or counted.
        if length(&headline) + length(&facts) + 40 > page.left {
            more += shown.len() - nth;
            break;
        }
        page.text("\n\n");
        page.bold(&headline);
        page.text(&format!("\n{facts}"));
    }
    if more > 0 {
        page.text(&format!("\n\n… and {more} more"));
    }
    page
}

fn headline(message: &Message) -> String {
    let headline = plain_text::line(&message.headline);
    let headline = plain_text::cut_at_word(&headline, HEADLINE_LIMIT);
    format!("{} {}: {headline}", icon(message), message.label())
}

fn facts(message: &Message) -> String {
    let facts = message.fields.iter();
    let facts = facts.filter(|field| matches!(field.label, "Since" | "Found" | "Now" | "Was"));
    let facts: Vec<String> = facts
        .map(|Field { label, value }| {
            let value = plain_text::line(value);
            format!("{label}: {}", plain_text::cut(&value, DIGEST_VALUE_LIMIT))
        })
        .collect();
    facts.join(" · ")
}

/// How a person can answer in the first row, and below where to go on.
fn keyboard(links: &[Link], data: Option<&str>) -> Vec<Vec<Value>> {
    let acknowledge = match data {
        Some(data) => Some(json!({ "text": message_links::ACKNOWLEDGE, "callback_data": data })),
        None => message_links::acknowledging(links).map(button),
    };
    let leading: Vec<Value> = links
        .iter()
        .filter(|link| link.leads_on())
        .map(button)
        .collect();
    let mut rows: Vec<Vec<Value>> = acknowledge.map(|button| vec![button]).into_iter().collect();
    let snooze = links
        .iter()
        .filter(|link| link.label == message_links::SNOOZE);
    let snooze: Vec<Value> = snooze.map(button).collect();
    match rows.first_mut() {
        Some(first) => first.extend(snooze),
        None if snooze.is_empty() => {}
        None => rows.push(snooze),
    }
    rows.extend(leading.chunks(BUTTONS_PER_ROW).map(<[Value]>::to_vec));
    rows
}

fn button(link: &Link) -> Value {
    json!({ "text": link.label, "url": link.url })
}

/// The text with its links below, as far as they fit.
fn with_links(text: &str, links: &[Link]) -> String {
    let mut room = TEXT_LIMIT / 2;
    let below: String = links
        .iter()
        .map(|Link { label, url }| format!("\n{label}: {url}"))
        .take_while(|line| {
            let fits = length(line) <= room;
            room = room.saturating_sub(length(line));
            fits
        })
        .collect();
    plain_text::cut(text, TEXT_LIMIT - length(&below)) + &below
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text that grows until it is as long as Telegram shows.
struct Page {
    html: String,
    plain: String,
    left: usize,
}

impl Page {
    fn new() -> Self {
        Self {
            html: String::new(),
            plain: String::new(),
            left: TEXT_LIMIT,
        }
    }

    fn text(&mut self, text: &str) {
        self.write("", &without_mentions(text), "");
    }

    fn bold(&mut self, text: &str) {
        self.write("<b>", &without_mentions(text), "</b>");
    }

    /// Calls those whom the message addresses. Nobody is called again for the end of an
    /// alert.
    fn mention(&mut self, kind: Kind, recipients: &Recipients) {
        if kind == Kind::Resolved {
            return;
        }
        let mut called = false;
        for person in &recipients.people {
            let Some(id) = person.addresses.get(super::CHANNEL.as_str()) else {
                continue;
            };
            let name = plain_text::cut(&plain_text::line(&person.name), DIGEST_VALUE_LIMIT);
            // It goes into a mention as it is.
            let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            if !name.is_empty() && number {
                self.text(if called { " " } else { "" });
                let link = format!(r#"<a href="tg://user?id={id}">"#);
                self.write(&link, &without_mentions(&name), "</a>");
                called = true;
            }
        }
        if called {
            self.text("\n");
        }
    }

    fn write(&mut self, opening: &str, text: &str, closing: &str) {
        if text.is_empty() || self.left == 0 {
            return;
        }
        let text = plain_text::cut(text, self.left);
        self.left -= length(&text);
        self.html.push_str(opening);
        self.html.push_str(&plain_text::html(&text, usize::MAX));
        self.html.push_str(closing);
        self.plain.push_str(&text);
    }
}

/// The same to the eye, but nobody is called.
fn without_mentions(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut previous = ' ';
    for letter in text.chars() {
        result.push(letter);
        if letter == '@' && !previous.is_alphanumeric() {
            result.push('\u{2060}');
        }
        previous = letter;
    }
    result
}
