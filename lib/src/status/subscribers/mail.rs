//! The mail that subscribers are sent.

use serde_json::Value;
use uuid::Uuid;

use super::{
    super::words,
    news::{self, About, Facts},
};
use crate::auth::subscriber_keys::{Purpose, SubscriberKeys};

/// A mail, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) text: String,
    /// Where one press ends the subscription; none before it began.
    pub(super) unsubscribe: Option<String>,
    /// What mails about the same thing refer to, so that they stand together.
    pub(super) thread: Option<String>,
}

/// Who is written to, and about what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    /// The name of the page, as it is set.
    pub(super) name: &'a str,
    /// The page's origin.
    pub(super) base: &'a str,
    pub(super) message: Uuid,
    pub(super) subscriber: Uuid,
    pub(super) facts: &'a Value,
}

/// The mail about some facts.
///
/// # Errors
/// When this release does not know such facts.
pub(super) fn write(envelope: Envelope<'_>, keys: &SubscriberKeys) -> serde_json::Result<Mail> {
    let Envelope { base, .. } = envelope;
    let page = words::page_name(envelope.name);
    let Some(news) = Facts::read(envelope.facts)?.news() else {
        return Ok(confirmation(&page, envelope, keys));
    };
    let token = keys.token(Purpose::Manage, envelope.subscriber);
    let place = news.place.map(|place| format!("\n\n{base}{place}"));
    Ok(Mail {
        subject: news::subject(&page, &news.subject),
        text: format!(
            "{}{}\n\nThe page: {base}/status\nWhat you hear of: {base}/status/manage?token={token}\nUnsubscribe: \
             {base}/status/unsubscribe?token={token}\n",
            news.text,
            place.unwrap_or_default(),
        ),
        unsubscribe: Some(format!("{base}/status/unsubscribe?token={token}")),
        thread: match news.about {
            Some(About::Story(story)) => Some(story),
            Some(About::Components(_)) | None => None,
        },
    })
}

fn confirmation(page: &str, envelope: Envelope<'_>, keys: &SubscriberKeys) -> Mail {
    let token = keys.token(Purpose::Confirm, envelope.message);
    let base = envelope.base;
    Mail {
        subject: news::subject(page, "Do you want to be told?"),
        text: format!(
            "Somebody, hopefully you, asked to be told at this address when something on the page \"{page}\" \
             changes.\n\nTo say yes, open this link within 48 hours and press the button there:\n\
             {base}/status/confirm?token={token}\n\nIf it was not you, do nothing: you will hear no more, and the \
             address is forgotten.\n"
        ),
        unsubscribe: None,
        thread: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys() -> SubscriberKeys {
        SubscriberKeys::new(&"key-of-sixteen-letters".into()).unwrap()
    }

    fn mail(facts: &Value) -> Mail {
        let envelope = Envelope {
            name: "Wine",
            base: "https://ops.wine.example",
            message: Uuid::from_u128(1),
            subscriber: Uuid::from_u128(2),
            facts,
        };
        write(envelope, &keys()).unwrap()
    }

    #[test]
    fn a_confirmation_leads_to_a_button_and_nowhere_else() {
        let mail = mail(&json!({"kind": "confirm", "at": "2026-11-24T10:00:00Z"}));
        assert_eq!(mail.subject, "[Wine status] Do you want to be told?");
        let token = keys().token(Purpose::Confirm, Uuid::from_u128(1));
        assert!(mail.text.contains(&format!(
            "https://ops.wine.example/status/confirm?token={token}\n"
        )));
        assert_eq!((mail.unsubscribe, mail.thread), (None, None));
    }

    #[test]
    fn every_other_mail_tells_how_to_end_it() {
        let token = keys().token(Purpose::Manage, Uuid::from_u128(2));
        let link = format!("https://ops.wine.example/status/unsubscribe?token={token}");
        for (facts, subject, line, thread) in [
            (
                json!({"kind": "states", "at": "2026-11-24T10:00:00Z", "changes": [
                    {"id": "a", "name": "The app\r\nBcc: x", "from": "operational", "to": "major_outage"}]}),
                "[Wine status] The app Bcc: x: not working",
                "The app Bcc: x: Not working (was: working)",
                None,
            ),
            (
                json!({"kind": "words", "at": "2026-11-24T10:00:00Z", "incident": "1c", "title": null,
                       "severity": "critical", "status": "identified", "words": "We found it.\u{8}",
                       "components": ["The app"]}),
                "[Wine status] The app: not working",
                "We found it.\n",
                Some("incident-1c"),
            ),
            (
                json!({"kind": "maintenance", "at": "2026-11-24T10:00:00Z", "maintenance": "3a", "title": "Moving",
                       "words": "We move.", "from": "2026-11-25T20:00:00Z", "to": "2026-11-25T21:00:00Z",
                       "cancelled": true}),
                "[Wine status] Cancelled: Moving",
                "Cancelled. From 2026-11-25 20:00 UTC to 2026-11-25 21:00 UTC",
                Some("maintenance-3a"),
            ),
            (
                json!({"kind": "known", "at": "2026-11-24T10:00:00Z"}),
                "[Wine status] You are subscribed already",
                "nothing has changed",
                None,
            ),
        ] {
            let mail = mail(&facts);
            assert_eq!(mail.subject, subject);
            assert!(mail.text.contains(line), "{}", mail.text);
            assert!(mail.text.contains(&format!("Unsubscribe: {link}\n")));
            assert_eq!(mail.unsubscribe.as_deref(), Some(link.as_str()));
            assert_eq!(mail.thread.as_deref(), thread);
        }
    }
}
