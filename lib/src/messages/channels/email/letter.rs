//! Email: a subject, HTML with inline styles, and the same as plain text.

use std::fmt::Write;

use crate::messages::channels::severity_marks::colour;
use crate::messages::{
    message::{Content, Digest, Field, Message},
    message_links::Link,
    plain_text,
    recipients::Recipients,
};

const SUBJECT_LIMIT: usize = 200;
const HEADLINE_LIMIT: usize = 500;
const BODY_LIMIT: usize = 10_000;
const FIELD_LIMIT: usize = 2_000;

/// An email without its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line of at most 200 characters.
    pub subject: String,
    /// The HTML part, whole.
    pub html: String,
    /// The plain part.
    pub text: String,
    /// To whom.
    pub recipients: Recipients,
    /// Names and values that the provider can filter by: ASCII letters, digits,
    /// `_` and `-` only.
    pub tags: Vec<(&'static str, String)>,
}

/// The letter that says this.
#[must_use]
pub fn letter(content: &Content) -> Letter {
    match content {
        Content::Message(message) => of_message(message),
        Content::Digest(digest) => of_digest(digest),
    }
}

fn of_message(message: &Message) -> Letter {
    let headline = plain_text::line(&message.headline);
    Letter {
        subject: plain_text::cut_at_word(&format!("[{}] {headline}", tag(message)), SUBJECT_LIMIT),
        html: page(&html(message), &message.links),
        text: plain(message) + &plain_links(&message.links),
        recipients: message.recipients.clone(),
        tags: vec![
            ("rule", tag_value(&message.rule)),
            ("severity", message.severity.as_str().to_owned()),
            ("kind", message.kind.as_str().to_owned()),
        ],
    }
}

fn of_digest(digest: &Digest) -> Letter {
    let headline = digest.headline();
    let mut body = format!(r#"<h1 style="font-size:20px;margin:0 0 16px">{headline}</h1>"#);
    let mut lines = format!("{headline}\n\n");
    let (shown, more) = digest.shown(usize::MAX);
    for message in shown {
        body.push_str(&html(message));
        lines.push_str(&plain(message));
        lines.push('\n');
    }
    if more > 0 {
        let _ = write!(body, "<p>… and {more} more</p>");
        let _ = writeln!(lines, "… and {more} more");
    }
    let (tag, kind) = match digest.worst() {
        Some(worst) => (format!("[{}] ", tag(worst)), "group"),
        None => (String::new(), "digest"),
    };
    Letter {
        html: page(&body, &digest.links),
        text: lines + &plain_links(&digest.links),
        recipients: digest.recipients.clone(),
        subject: tag + &headline,
        tags: vec![("kind", kind.to_owned())],
    }
}

/// What a subject begins with: what calls for somebody is in capitals.
fn tag(message: &Message) -> String {
    if message.kind.is_open() {
        message.label().to_uppercase()
    } else {
        message.label().to_owned()
    }
}

fn plain(message: &Message) -> String {
    let headline = plain_text::cut(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    let mut lines = format!("{}: {headline}\n\n", message.label());
    if let Some(body) = &message.body {
        let body = plain_text::cut(&plain_text::paragraph(body), BODY_LIMIT);
        let _ = writeln!(lines, "{body}\n");
    }
    for Field { label, value } in &message.fields {
        let value = plain_text::cut(&plain_text::paragraph(value), FIELD_LIMIT);
        let _ = writeln!(lines, "{label}: {}", value.replace('\n', "; "));
    }
    lines
}

fn plain_links(links: &[Link]) -> String {
    let mut list = String::new();
    for Link { label, url } in links {
        let _ = write!(list, "\n{label}: {url}");
    }
    if !list.is_empty() {
        list.push('\n');
    }
    list
}

fn page(body: &str, links: &[Link]) -> String {
    let links: Vec<String> = links
        .iter()
        .map(|Link { label, url }| {
            let url = plain_text::html(url, FIELD_LIMIT);
            format!(r#"<a href="{url}" style="color:#7a1f3d">{label}</a>"#)
        })
        .collect();
    let links = if links.is_empty() {
        String::new()
    } else {
        let links = links.join(" &middot; ");
        format!(r#"<p style="margin:16px 0 0">{links}</p>"#)
    };
    format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pourtrait Ops</title></head><body style="margin:0;padding:24px;background:#f6f4f2;font-family:system-ui,sans-serif;font-size:15px;line-height:1.45;color:#222"><div style="max-width:600px;margin:0 auto">{body}{links}</div></body></html>"#
    )
}

fn html(message: &Message) -> String {
    let headline = plain_text::html(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    let mut html = format!(
        r#"<div style="background:#fff;border-left:4px solid #{:06x};padding:16px;margin:0 0 12px"><p style="margin:0;font-size:13px">{}</p><h2 style="font-size:18px;margin:4px 0 12px">{headline}</h2>"#,
        colour(message),
        message.label()
    );
    if let Some(body) = &message.body {
        let body = plain_text::html(&plain_text::paragraph(body), BODY_LIMIT).replace('\n', "<br>");
        let _ = write!(html, r#"<p style="margin:0 0 12px">{body}</p>"#);
    }
    html.push_str(r#"<table role="presentation" style="border-collapse:collapse">"#);
    for Field { label, value } in &message.fields {
        let value =
            plain_text::html(&plain_text::paragraph(value), FIELD_LIMIT).replace('\n', "<br>");
        let _ = write!(
            html,
            r#"<tr><td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">{label}</td><td style="padding:2px 0">{value}</td></tr>"#
        );
    }
    html.push_str("</table></div>");
    html
}

fn tag_value(text: &str) -> String {
    let value: String = text
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
        .take(100)
        .collect();
    if value.is_empty() {
        "unknown".to_owned()
    } else {
        value
    }
}
