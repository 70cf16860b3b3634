//! A message as lines of plain text, for what shows no layout. The headline is not among
//! them.

use crate::messages::{
    message::{Content, Digest, Field, Message},
    plain_text,
};

/// What a message says below its headline, as much as is sensible of each part.
pub(super) fn of(content: &Content) -> Vec<String> {
    match content {
        Content::Message(message) => of_message(message),
        Content::Digest(digest) => of_digest(digest),
    }
}

const BODY_LIMIT: usize = 2_000;
const VALUE_LIMIT: usize = 900;
const HEADLINE_LIMIT: usize = 300;
const DIGEST_LIMIT: usize = 45;

fn of_message(message: &Message) -> Vec<String> {
    let body = plain_text::paragraph(message.body.as_deref().unwrap_or_default());
    let body = plain_text::cut(&body, BODY_LIMIT);
    let fields = message.fields.iter().map(|Field { label, value }| {
        let value = plain_text::paragraph(value);
        format!("{label}: {}", plain_text::cut(&value, VALUE_LIMIT))
    });
    let body = Some(body).filter(|body| !body.is_empty());
    body.into_iter().chain(fields).collect()
}

fn of_digest(digest: &Digest) -> Vec<String> {
    let (shown, more) = digest.shown(DIGEST_LIMIT);
    let more = (more > 0).then(|| format!("… and {more} more"));
    shown.iter().map(headline).chain(more).collect()
}

/// `High: the cellar is warm`.
pub(super) fn headline(message: &Message) -> String {
    let headline = plain_text::line(&message.headline);
    let headline = plain_text::cut_at_word(&headline, HEADLINE_LIMIT);
    format!("{}: {headline}", message.label())
}
