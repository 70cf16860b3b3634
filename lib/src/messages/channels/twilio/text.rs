//! A text to a phone: what, since when, one link, and how to answer.

use super::{form::Form, twiml};
use crate::messages::{
    channels::callback::{About, CalledBack, Does, ProviderAnswer, Refused, Reply},
    message::{Content, Message},
    message_facts::Kind,
    plain_text, quantities,
};

/// Two to three parts of a text message; a reader in the dark reads no more.
const HEADLINE_LIMIT: usize = 240;

/// The text that says this.
pub(super) fn of(content: &Content) -> String {
    match content {
        Content::Message(message) => of_message(message),
        Content::Digest(digest) => {
            let worst = digest.messages.first().map(headline);
            let headline = plain_text::cut_at_word(&digest.headline(), HEADLINE_LIMIT);
            let link = digest.links.first().map(|link| link.url.clone());
            lines([Some(headline), worst, link])
        }
    }
}

fn of_message(message: &Message) -> String {
    let since = message.facts.since.filter(|_| message.kind.is_open());
    let since = since.map(|since| format!("Since {}.", quantities::time(since)));
    let code = message.facts.code.as_ref();
    let code = code.map(|code| format!("Reply {code} to take it."));
    // What is over asks nobody to go anywhere.
    let link = message.links.first().filter(|_| message.kind.is_open());
    let link = link.map(|link| link.url.clone());
    lines([Some(headline(message)), notice(message), since, code, link])
}

fn headline(message: &Message) -> String {
    let headline = plain_text::line(&message.headline);
    plain_text::cut_at_word(&format!("{}: {headline}", message.label()), HEADLINE_LIMIT)
}

/// What a notice says: its headline alone would make its reader wonder.
pub(super) fn notice(message: &Message) -> Option<String> {
    let body = message
        .body
        .as_ref()
        .filter(|_| message.kind == Kind::Notice)?;
    let body = plain_text::line(body);
    Some(plain_text::cut_at_word(&body, HEADLINE_LIMIT))
}

fn lines<const N: usize>(lines: [Option<String>; N]) -> String {
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    lines.join("\n")
}

/// What a phone's owner replied: the code of a message, or a word that means yes.
pub(super) fn answered(form: &Form) -> Result<CalledBack, Refused> {
    let field = |name: &str| form.get(name).ok_or(Refused::Unreadable);
    let (from, body, event) = (field("From")?, field("Body")?, field("MessageSid")?);
    let code: String = body.chars().filter(char::is_ascii_digit).collect();
    let yes = ["ack", "ok", "yes", "y"].contains(&body.trim().to_ascii_lowercase().as_str());
    let answers = match code.len() {
        4 => vec![Some(code)],
        0 if yes => vec![None],
        _ => Vec::new(),
    };
    let understood = !answers.is_empty();
    Ok(CalledBack {
        answers: answers
            .into_iter()
            .map(|code| ProviderAnswer {
                about: About::Address {
                    address: from.clone(),
                    code,
                },
                does: Does::Acknowledge,
                by: None,
                event: event.clone(),
            })
            .collect(),
        reply: Reply {
            media_type: "text/xml",
            body: |_, words| twiml::document(&twiml::text(words)),
            id: String::new(),
        },
    })
    .map(|called| {
        if understood {
            called
        } else {
            not_understood(called)
        }
    })
}

fn not_understood(called: CalledBack) -> CalledBack {
    CalledBack {
        reply: Reply {
            body: |_, _| {
                twiml::document(&twiml::text(
                    "Reply with the four digits of a message to take its alert.",
                ))
            },
            ..called.reply
        },
        ..called
    }
}
