//! A call: a voice reads the alert twice and waits for a digit. 1 takes it.

use url::Url;

use super::{form::Form, text, twiml};
use crate::messages::{
    channels::callback::{About, CalledBack, Does, ProviderAnswer, Refused, Reply},
    message::{Content, Message},
    message_links::Link,
    plain_text, quantities,
};

/// How much is read aloud.
const HEADLINE_LIMIT: usize = 400;

/// Where the link of a message leads by which it is acknowledged.
const ANSWER_LABEL: &str = "Acknowledge";

/// What Twilio is to do in the call.
pub(super) fn of(content: &Content) -> String {
    match content {
        Content::Message(message) => of_message(message),
        Content::Digest(digest) => {
            let text = plain_text::cut_at_word(&digest.headline(), HEADLINE_LIMIT);
            twiml::document(&twice(&text))
        }
    }
}

fn of_message(message: &Message) -> String {
    let text = spoken(message);
    let acknowledge = message
        .links
        .iter()
        .find(|link| link.label == ANSWER_LABEL)
        .and_then(action);
    let Some(action) = acknowledge else {
        return twiml::document(&twice(&text));
    };
    let asked = twiml::say("Press 1 to take it. Nobody else is called then.");
    let gather = format!(
        r#"<Gather numDigits="1" timeout="8" action="{}" method="POST">{}{asked}{}{asked}</Gather>"#,
        twiml::attribute(&action),
        twiml::say(&text),
        twiml::say(&text),
    );
    let bye = twiml::say("Nobody has taken it. The next person is called.");
    twiml::document(&format!("{gather}{bye}"))
}

fn twice(text: &str) -> String {
    twiml::say(text) + &twiml::say(text)
}

fn spoken(message: &Message) -> String {
    let since = message.facts.since.filter(|_| message.kind.is_open());
    let since = since.map_or_else(String::new, |since| {
        format!(" Since {}.", quantities::time(since))
    });
    let headline = plain_text::line(&message.headline);
    let text = match text::notice(message) {
        Some(notice) => format!("{headline}. {notice}"),
        None => format!("{} alert. {headline}.{since}", message.label()),
    };
    plain_text::cut_at_word(&text, HEADLINE_LIMIT)
}

/// The link of the message, as the address to which its digit is posted.
fn action(link: &Link) -> Option<String> {
    let mut url = Url::parse(&link.url).ok()?;
    url.query_pairs_mut().append_pair("channel", "voice");
    Some(url.into())
}

/// The digit that was pressed in the call about the message whose token the address has.
pub(super) fn answered(form: &Form, url: &str) -> Result<CalledBack, Refused> {
    let url = Url::parse(url).map_err(|_| Refused::Unreadable)?;
    let token = url.query_pairs().find(|(name, _)| name == "token");
    let (_, token) = token.ok_or(Refused::Unreadable)?;
    let call = form.get("CallSid").ok_or(Refused::Unreadable)?;
    let accepted = form.get("Digits").is_some_and(|digits| digits == "1");
    let answer = ProviderAnswer {
        about: About::Token(token.into_owned()),
        does: Does::Acknowledge,
        by: None,
        event: call.clone(),
    };
    Ok(CalledBack {
        answers: Vec::from_iter(accepted.then_some(answer)),
        reply: Reply {
            media_type: "text/xml",
            body: |_, words| {
                let words = if words.is_empty() {
                    "That was not a 1. The next person is called."
                } else {
                    words
                };
                twiml::document(&twiml::say(words))
            },
            id: String::new(),
        },
    })
}
