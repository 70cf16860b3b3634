//! The links by which a reader of a message answers an alert.

use jiff::{SignedDuration, Timestamp};
use url::Url;
use uuid::Uuid;

use crate::{
    auth::signed_link::{Grant, LinkAction, Signer},
    messages::message_links::{self, Link},
};

/// How long a link works after its message was written.
const LIFE: SignedDuration = SignedDuration::from_hours(72);

/// The links that a message about an alert carries, written at that time. The same
/// message always carries the same links, however often it is sent.
pub(in crate::alerts) fn of_message(
    signer: &Signer,
    base: &Url,
    alert: Uuid,
    message: Uuid,
    written_at: Timestamp,
) -> Vec<Link> {
    let Ok(expires_at) = written_at.checked_add(LIFE) else {
        return Vec::new();
    };
    let base = base.as_str().trim_end_matches('/');
    LinkAction::ALL
        .into_iter()
        .map(|action| {
            let token = signer.sign(&Grant {
                alert,
                message,
                action,
                expires_at,
            });
            Link {
                label: label(action),
                url: format!("{base}/api/alerts/acknowledge?token={token}"),
            }
        })
        .collect()
}

fn label(action: LinkAction) -> &'static str {
    match action {
        LinkAction::Acknowledge => message_links::ACKNOWLEDGE,
        LinkAction::Snooze => message_links::SNOOZE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_always_carries_the_same_links() {
        let base: Url = "https://ops.wine.example/".parse().unwrap();
        let written = "2026-11-24T03:12:00.5Z".parse().unwrap();
        let signer = Signer::new(&"key-of-sixteen-letters".into());
        let links = || {
            of_message(
                &signer,
                &base,
                Uuid::from_u128(1),
                Uuid::from_u128(2),
                written,
            )
        };
        assert_eq!(links(), links());
        let labels: Vec<_> = links().into_iter().map(|link| link.label).collect();
        assert_eq!(labels, ["Acknowledge", "Snooze"]);
        let url = &links()[0].url;
        let token = url
            .strip_prefix("https://ops.wine.example/api/alerts/acknowledge?token=")
            .unwrap();
        let grant = signer.verify(token).unwrap();
        assert_eq!(
            grant.expires_at,
            "2026-11-27T03:12:00Z".parse().unwrap(),
            "three days later"
        );
    }
}
