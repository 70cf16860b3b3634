//! What subscribers are sent, in words.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::{
    document::{Progress, State},
    words,
};
use crate::{
    auth::subscriber_keys::{Purpose, SubscriberKeys},
    messages::{message_facts::Severity, plain_text, quantities::time},
};

/// How long a subject may be, in characters.
const SUBJECT: usize = 200;

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

/// What a mail is about, as the database keeps it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Facts {
    /// Whether the address wants to hear at all.
    Confirm {},
    /// Somebody asked for an address that hears already.
    Known {},
    States {
        at: Timestamp,
        changes: Vec<Change>,
    },
    Words(Words),
    Maintenance(Work),
}

#[derive(Debug, Deserialize)]
struct Change {
    name: String,
    from: State,
    to: State,
}

#[derive(Debug, Deserialize)]
struct Words {
    at: Timestamp,
    incident: String,
    title: Option<String>,
    severity: Severity,
    status: Progress,
    words: String,
    components: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Work {
    maintenance: String,
    title: Option<String>,
    words: String,
    from: Timestamp,
    to: Timestamp,
    cancelled: bool,
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
    let facts = Facts::deserialize(envelope.facts)?;
    let page = words::page_name(envelope.name);
    let token = keys.token(Purpose::Manage, envelope.subscriber);
    let manage = format!("{base}/status/manage?token={token}");
    let (subject, body, thread) = match facts {
        Facts::Confirm {} => return Ok(confirmation(&page, envelope, keys)),
        Facts::Known {} => (
            "You are subscribed already".to_owned(),
            "Somebody, maybe you, asked to be told at this address. It is already: nothing has changed.".to_owned(),
            None,
        ),
        Facts::States { at, changes } => states(at, &changes),
        Facts::Words(facts) => told(&facts, base),
        Facts::Maintenance(facts) => work(&facts, base),
    };
    Ok(Mail {
        subject: subject_of(&page, &subject),
        text: format!(
            "{body}\n\nThe page: {base}/status\nWhat you hear of: {manage}\nUnsubscribe: \
             {base}/status/unsubscribe?token={token}\n"
        ),
        unsubscribe: Some(format!("{base}/status/unsubscribe?token={token}")),
        thread,
    })
}

fn subject_of(page: &str, subject: &str) -> String {
    plain_text::cut(&plain_text::line(&format!("[{page}] {subject}")), SUBJECT)
}

fn confirmation(page: &str, envelope: Envelope<'_>, keys: &SubscriberKeys) -> Mail {
    let token = keys.token(Purpose::Confirm, envelope.message);
    let base = envelope.base;
    Mail {
        subject: subject_of(page, "Do you want to be told?"),
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

fn states(at: Timestamp, changes: &[Change]) -> (String, String, Option<String>) {
    let lines: Vec<String> = changes
        .iter()
        .map(|change| {
            format!(
                "{}: {} (was: {})",
                plain_text::line(&change.name),
                words::state(change.to),
                words::state(change.from).to_lowercase()
            )
        })
        .collect();
    let subject = match changes {
        [one] => format!("{}: {}", one.name, words::state(one.to).to_lowercase()),
        changes => format!("{} components changed", changes.len()),
    };
    let body = format!("At {}:\n\n{}", time(at), lines.join("\n"));
    (subject, body, None)
}

fn told(facts: &Words, base: &str) -> (String, String, Option<String>) {
    let names: Vec<&str> = facts.components.iter().map(String::as_str).collect();
    let title = facts
        .title
        .clone()
        .unwrap_or_else(|| words::automatic_title(&names, facts.severity));
    let body = format!(
        "{}, {}\n\n{}\n\n{base}/status/incidents/{}",
        words::progress(facts.status),
        time(facts.at),
        words::text(&facts.words),
        facts.incident,
    );
    // One thread an incident, whatever became of its title.
    (title, body, Some(format!("incident-{}", facts.incident)))
}

fn work(facts: &Work, base: &str) -> (String, String, Option<String>) {
    let title = facts
        .title
        .clone()
        .unwrap_or_else(|| "Planned maintenance".to_owned());
    let subject = if facts.cancelled {
        format!("Cancelled: {title}")
    } else {
        title
    };
    let body = format!(
        "{}From {} to {}\n\n{}\n\n{base}/status#maintenance-{}",
        if facts.cancelled { "Cancelled. " } else { "" },
        time(facts.from),
        time(facts.to),
        words::text(&facts.words),
        facts.maintenance,
    );
    (
        subject,
        body,
        Some(format!("maintenance-{}", facts.maintenance)),
    )
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
