//! Email: a subject, HTML that needs nothing from elsewhere, and the same as plain text.
//!
//! Styles stand in each element, because some clients read no others; the dark ones stand in
//! a style sheet, for those that do. What a reader is to do comes first: one button.

mod report_table;

use std::fmt::Write;

use super::palette::{self, ACCENT, Colour, GROUND, MUTED, ON_ACCENT, RULE, TEXT};
use crate::messages::{
    message::{Content, Digest, Field, Message},
    message_links::{self, Link},
    plain_text,
    recipients::Recipients,
    report,
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
        html: page(&html(message, &message.links)),
        text: plain(message, &message.links),
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
    let mut body = format!(
        r#"<h1 class="{}" style="margin:0 0 24px;color:{};font-size:24px;line-height:1.25">{headline}</h1>"#,
        TEXT.class, TEXT.light
    );
    let mut lines = format!("{headline}\n\n");
    let (shown, more) = digest.shown(usize::MAX);
    for message in shown {
        body.push_str(&html(message, &[]));
        body.push_str(&rule());
        lines.push_str(&plain(message, &[]));
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
        html: page(&(body + &ways_on(&digest.links))),
        text: lines + &plain_links(digest.links.iter()),
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

/// What a reader is to do comes before what is known.
fn plain(message: &Message, links: &[Link]) -> String {
    let headline = plain_text::cut(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    let mut text = format!("{}: {headline}\n", message.label());
    text.push_str(&plain_links(links.iter().filter(|link| !link.leads_on())));
    text.push('\n');
    if let Some(body) = &message.body {
        let body = plain_text::cut(&plain_text::paragraph(body), BODY_LIMIT);
        let _ = writeln!(text, "{body}\n");
    }
    if let Some(report) = &message.facts.report {
        let _ = writeln!(text, "{}", report::text(report));
    }
    for Field { label, value } in &message.fields {
        let value = plain_text::cut(&plain_text::paragraph(value), FIELD_LIMIT);
        let _ = writeln!(text, "{label}: {}", value.replace('\n', "; "));
    }
    text + &plain_links(links.iter().filter(|link| link.leads_on()))
}

fn plain_links<'a>(links: impl Iterator<Item = &'a Link>) -> String {
    let mut list = String::new();
    for Link { label, url } in links {
        let _ = write!(list, "\n{label}: {url}");
    }
    if !list.is_empty() {
        list.push('\n');
    }
    list
}

fn page(body: &str) -> String {
    format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>Pourtrait Ops</title><style>{}</style></head><body class="{} {}" style="margin:0;padding:24px 16px;background:{};color:{};font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:16px;line-height:1.5"><div style="max-width:600px;margin:0 auto">{body}</div></body></html>"#,
        palette::style_sheet(),
        GROUND.class,
        TEXT.class,
        GROUND.light,
        TEXT.light,
    )
}

fn rule() -> String {
    format!(
        r#"<div class="{}" style="margin:24px 0;border-top:1px solid {}"></div>"#,
        RULE.class, RULE.light
    )
}

/// The button, if there is something to do or somewhere to go, and the other links below it.
fn ways_on(links: &[Link]) -> String {
    let main = message_links::acknowledging(links)
        .or_else(|| links.iter().find(|link| message_links::is_of_pages(link)))
        .or_else(|| links.first());
    let Some(main) = main else {
        return String::new();
    };
    let mut html = format!(
        r#"<p style="margin:24px 0 16px"><a class="{}" href="{}" style="display:inline-block;padding:14px 28px;border-radius:12px;background:{};color:{};font-weight:600;text-decoration:none">{}</a></p>"#,
        ON_ACCENT.class,
        plain_text::html(&main.url, FIELD_LIMIT),
        ACCENT.light,
        ON_ACCENT.light,
        main.label,
    );
    let others: Vec<String> = links
        .iter()
        .filter(|link| *link != main)
        .map(|Link { label, url }| {
            let url = plain_text::html(url, FIELD_LIMIT);
            let Colour { class, light, .. } = ACCENT;
            format!(r#"<a class="{class}" href="{url}" style="color:{light}">{label}</a>"#)
        })
        .collect();
    if !others.is_empty() {
        let Colour { class, light, .. } = MUTED;
        let others = others.join(" &middot; ");
        let _ = write!(
            html,
            r#"<p class="{class}" style="margin:0;color:{light}">{others}</p>"#
        );
    }
    html
}

fn html(message: &Message, links: &[Link]) -> String {
    let headline = plain_text::html(&plain_text::line(&message.headline), HEADLINE_LIMIT);
    let (state, sign) = palette::state(message);
    let mut html = format!(
        r#"<p class="{}" style="margin:0;color:{};font-weight:600">{sign} {}</p><h2 class="{}" style="margin:4px 0 12px;color:{};font-size:20px;line-height:1.3">{headline}</h2>"#,
        state.class,
        state.light,
        message.label(),
        TEXT.class,
        TEXT.light,
    );
    html.push_str(&ways_on(links));
    if let Some(body) = &message.body {
        let body = plain_text::html(&plain_text::paragraph(body), BODY_LIMIT).replace('\n', "<br>");
        let _ = write!(html, r#"<p style="margin:16px 0">{body}</p>"#);
    }
    if let Some(report) = &message.facts.report {
        html.push_str(&report_table::html(report));
    }
    html.push_str(
        r#"<table role="presentation" style="margin:16px 0 0;border-collapse:collapse">"#,
    );
    for Field { label, value } in &message.fields {
        let value =
            plain_text::html(&plain_text::paragraph(value), FIELD_LIMIT).replace('\n', "<br>");
        let Colour { class, light, .. } = MUTED;
        let _ = write!(
            html,
            r#"<tr><td class="{class}" style="padding:3px 16px 3px 0;color:{light};vertical-align:top">{label}</td><td style="padding:3px 0">{value}</td></tr>"#
        );
    }
    html.push_str("</table>");
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::messages::{
        message_facts::Facts,
        message_links::{ACKNOWLEDGE, Places, SNOOZE},
    };

    fn message(kind: &str) -> Message {
        let base = "https://ops.wine.example".parse().unwrap();
        let places = Places {
            base: Some(&base),
            runbook: None,
        };
        let facts = json!({
            "alert": uuid::Uuid::from_u128(7), "rule": "external", "kind": kind, "severity": "critical",
            "title": "<img src=x>", "message": "</table><a href=x>", "since": "2026-11-24T03:12:07Z",
        });
        let mut message = Message::new(&Facts::read(&facts), places);
        if message.kind.is_open() {
            for (nth, label) in [ACKNOWLEDGE, SNOOZE].into_iter().enumerate() {
                let url = format!("https://ops.wine.example/a?token={nth}&x=1");
                message.links.insert(nth, Link { label, url });
            }
        }
        message
    }

    #[test]
    fn a_letter_needs_nothing_from_elsewhere_and_what_others_wrote_is_text() {
        for kind in ["firing", "resolved", "notice"] {
            let letter = of_message(&message(kind));
            for outside in ["<img", "<link", "<script", "url(", "@import", "src="] {
                let shown = letter.html.replace("&lt;img src=x&gt;", "");
                assert!(!shown.contains(outside), "{outside}: {}", letter.html);
            }
            assert!(letter.html.contains("&lt;/table&gt;"), "{}", letter.html);
            let links = letter.html.split("href=\"").skip(1);
            for link in links {
                assert!(link.starts_with("https://ops.wine.example/"), "{link}");
            }
        }
    }

    #[test]
    fn there_is_one_button_which_acts_or_leads_on() {
        for (kind, label) in [("firing", "Acknowledge"), ("resolved", "Open alert")] {
            let letter = of_message(&message(kind));
            assert_eq!(letter.html.matches("class=\"act\"").count(), 1, "{kind}");
            let (_, button) = letter.html.split_once("class=\"act\"").unwrap();
            let (_, words) = button.split_once('>').unwrap();
            assert!(words.starts_with(label), "{words}");
        }
        let bare = Message {
            links: Vec::new(),
            ..message("notice")
        };
        assert!(!of_message(&bare).html.contains("class=\"act\""));
    }

    #[test]
    fn every_class_has_a_dark_colour_and_every_element_a_light_one() {
        for kind in ["firing", "resolved", "notice"] {
            let html = of_message(&message(kind)).html;
            for tag in html.split('<').filter(|tag| tag.contains("class=\"")) {
                let (_, rest) = tag.split_once("class=\"").unwrap();
                for class in rest.split('"').next().unwrap().split(' ') {
                    assert!(
                        palette::style_sheet().contains(&format!(".{class}{{")),
                        "{class}"
                    );
                }
                assert!(tag.contains("style=\"") && tag.contains('#'), "{tag}");
            }
        }
    }

    #[test]
    fn the_plain_part_says_what_to_do_first() {
        let text = of_message(&message("firing")).text;
        let places = [
            "Critical: ",
            "\nAcknowledge: ",
            "\nSnooze: ",
            "\nSince: ",
            "\nOpen alert: ",
            "\nRunbook: ",
        ]
        .map(|part| {
            text.find(part)
                .unwrap_or_else(|| panic!("{part} in {text}"))
        });
        assert!(places.is_sorted(), "{text}");
    }
}
