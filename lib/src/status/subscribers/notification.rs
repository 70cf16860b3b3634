//! The notification that a subscriber's device shows, in the form that browsers show by
//! themselves (declarative Web Push), and that the worker of the pages shows in those that do
//! not. Its texts are plain.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    super::words,
    mail::Envelope,
    news::{self, About, Facts},
};
use crate::{
    auth::subscriber_keys::{Purpose, SubscriberKeys},
    hexadecimal::hexadecimal,
    messages::plain_text,
};

/// How long it is kept for a device that is off.
pub(super) const TTL: Duration = Duration::from_secs(86_400);

/// The number that tells browsers that they can show it by themselves.
const DECLARATIVE: u32 = 8_030;

/// No device shows more. With everything around it that fits into one push.
const TEXT: usize = 400;

/// What a device is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notification {
    /// What is encrypted.
    pub(super) body: String,
    /// What it takes the place of, as long as that waits: 32 letters.
    pub(super) topic: Option<String>,
}

/// The notification about some facts; nothing of what a device is not asked.
///
/// # Errors
/// When this release does not know such facts.
pub(super) fn write(
    envelope: Envelope<'_>,
    keys: &SubscriberKeys,
) -> serde_json::Result<Option<Notification>> {
    let Some(news) = Facts::read(envelope.facts)?.news() else {
        return Ok(None);
    };
    let base = envelope.base;
    let token = keys.token(Purpose::Manage, envelope.subscriber);
    let topic = news.about.as_ref().map(topic);
    let mut body = json!({
        "web_push": DECLARATIVE,
        "notification": {
            "title": news::subject(&words::page_name(envelope.name), &news.subject),
            "body": plain_text::cut(&plain_text::paragraph(&news.text), TEXT),
            "navigate": format!("{base}{}", news.place.as_deref().unwrap_or("/status")),
            "lang": "en",
            "dir": "auto",
            "actions": [{
                "action": "manage",
                "title": "Choose or stop",
                "navigate": format!("{base}/status/manage?token={token}"),
            }],
        },
    });
    if let Some(topic) = &topic {
        body["notification"]["tag"] = topic.as_str().into();
        body["notification"]["renotify"] = true.into();
    }
    Ok(Some(Notification {
        body: body.to_string(),
        topic,
    }))
}

fn topic(about: &About) -> String {
    let (About::Story(name) | About::Components(name)) = about;
    hexadecimal(&Sha256::digest(name)[..16])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::web_push::PLAIN_LIMIT;

    fn keys() -> SubscriberKeys {
        SubscriberKeys::new(&"key-of-sixteen-letters".into()).unwrap()
    }

    fn written(name: &str, facts: &Value) -> Option<Notification> {
        let envelope = Envelope {
            name,
            base: "https://ops.wine.example",
            message: Uuid::from_u128(1),
            subscriber: Uuid::from_u128(2),
            facts,
        };
        write(envelope, &keys()).unwrap()
    }

    fn states(to: &str) -> Value {
        json!({"kind": "states", "at": "2026-11-24T10:00:00Z", "changes": [
            {"id": "app", "name": "The app", "from": "operational", "to": to}]})
    }

    #[test]
    fn a_device_shows_what_changed_and_a_press_leads_to_the_page() {
        let notification = written("Wine", &states("major_outage")).unwrap();
        let shown: Value = serde_json::from_str(&notification.body).unwrap();
        let token = keys().token(Purpose::Manage, Uuid::from_u128(2));
        assert_eq!(
            shown,
            json!({"web_push": 8030, "notification": {
                "title": "[Wine status] The app: not working",
                "body": "At 2026-11-24 10:00 UTC:\nThe app: Not working (was: working)",
                "navigate": "https://ops.wine.example/status",
                "lang": "en",
                "dir": "auto",
                "actions": [{
                    "action": "manage",
                    "title": "Choose or stop",
                    "navigate": format!("https://ops.wine.example/status/manage?token={token}"),
                }],
                "tag": notification.topic,
                "renotify": true,
            }})
        );
    }

    #[test]
    fn what_is_out_of_date_is_replaced_and_what_is_only_asked_is_not_sent() {
        let topic = |facts: &Value| written("Wine", facts).unwrap().topic;
        assert_eq!(
            topic(&states("major_outage")),
            topic(&states("operational"))
        );
        assert!(topic(&states("degraded")).unwrap().len() <= 32);
        assert_eq!(topic(&json!({"kind": "welcome"})), None);
        assert_eq!(written("Wine", &json!({"kind": "confirm"})), None);
    }

    #[test]
    fn whatever_people_wrote_fits_into_one_push() {
        for letter in ["é", "🍷", "\"", "\\", "\u{1}x"] {
            let long = letter.repeat(5_000);
            let facts = json!({"kind": "words", "at": "2026-11-24T10:00:00Z", "incident": "0123456789abcdef",
                "title": long, "severity": "critical", "status": "identified", "words": long, "components": []});
            let body = written(&long, &facts).unwrap().body;
            assert!(body.len() <= PLAIN_LIMIT, "{letter}: {}", body.len());
        }
    }
}
