//! Links that may do one thing about one alert, once and until a named time.
//!
//! A token names the alert, the message it stands in, the action and the end,
//! and is signed with a key derived from `MONITORING_API_KEY`: whoever holds that
//! key may do the same, so changing it also ends every link that is out. The
//! same message always carries the same link, however often it is sent. That a
//! link is used only once is kept in the database.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use crate::alerts::message;

/// How long a link works after its message was written.
const LIFE: SignedDuration = SignedDuration::from_hours(72);

const VERSION: u8 = 1;
const SIGNED: usize = 1 + 1 + 16 + 16 + 8;

/// What a link may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkAction {
    Acknowledge,
    Snooze,
}

impl LinkAction {
    const ALL: [Self; 2] = [Self::Acknowledge, Self::Snooze];

    /// The word that the database uses.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Snooze => "snooze",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Acknowledge => "Acknowledge",
            Self::Snooze => "Snooze",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Acknowledge => 1,
            Self::Snooze => 2,
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// The alert that it is about.
    pub(super) alert: Uuid,
    /// The message that carries it.
    pub(super) message: Uuid,
    /// What it may do.
    pub(super) action: LinkAction,
    /// When it ends, to the second.
    pub(super) expires_at: Timestamp,
}

/// Signs and verifies.
#[derive(Debug)]
pub(in crate::alerts) struct Signer(hmac::Key);

impl Signer {
    /// The signer of whoever holds that key.
    pub(in crate::alerts) fn new(key: &SecretString) -> Self {
        // HKDF of RFC 5869 with SHA-256, whose first block is all that is needed.
        let sign =
            |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
        let extracted = sign(b"pourtrait-ops", key.expose_secret().as_bytes());
        let expanded = sign(extracted.as_ref(), b"acknowledge links\x01");
        Self(hmac::Key::new(hmac::HMAC_SHA256, expanded.as_ref()))
    }

    /// The links that a message about an alert carries, written at that time.
    pub(in crate::alerts) fn links(
        &self,
        base: &Url,
        alert: Uuid,
        message: Uuid,
        written_at: Timestamp,
    ) -> Vec<message::Link> {
        let Ok(expires_at) = written_at.checked_add(LIFE) else {
            return Vec::new();
        };
        let base = base.as_str().trim_end_matches('/');
        LinkAction::ALL
            .into_iter()
            .map(|action| {
                let token = self.sign(&Grant {
                    alert,
                    message,
                    action,
                    expires_at,
                });
                message::Link {
                    label: action.label(),
                    url: format!("{base}/api/alerts/acknowledge?token={token}"),
                }
            })
            .collect()
    }

    pub(super) fn sign(&self, grant: &Grant) -> String {
        let mut token = [
            &[VERSION, grant.action.byte()][..],
            grant.alert.as_bytes(),
            grant.message.as_bytes(),
        ]
        .concat();
        token.extend(grant.expires_at.as_second().to_be_bytes());
        let tag = hmac::sign(&self.0, &token);
        token.extend(tag.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// What a token grants, if it is one of ours.
    pub(super) fn verify(&self, token: &str) -> Option<Grant> {
        let token = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = token.split_at_checked(SIGNED)?;
        hmac::verify(&self.0, signed, tag).ok()?;
        let [version, action, rest @ ..] = signed else {
            return None;
        };
        let action = LinkAction::ALL
            .into_iter()
            .find(|known| known.byte() == *action);
        let (alert, rest) = rest.split_at_checked(16)?;
        let (message, expiry) = rest.split_at_checked(16)?;
        (*version == VERSION).then_some(())?;
        Some(Grant {
            alert: Uuid::from_slice(alert).ok()?,
            message: Uuid::from_slice(message).ok()?,
            action: action?,
            expires_at: Timestamp::from_second(i64::from_be_bytes(expiry.try_into().ok()?)).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str) -> Signer {
        Signer::new(&key.into())
    }

    fn grant() -> Grant {
        Grant {
            alert: Uuid::from_u128(1),
            message: Uuid::from_u128(2),
            action: LinkAction::Snooze,
            expires_at: "2026-11-27T03:12:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_was_signed_is_read_back() {
        for action in LinkAction::ALL {
            let grant = Grant { action, ..grant() };
            let token = signer("key-of-sixteen-letters").sign(&grant);
            assert_eq!(signer("key-of-sixteen-letters").verify(&token), Some(grant));
        }
    }

    #[test]
    fn another_key_a_changed_byte_and_another_length_are_refused() {
        let signer = signer("key-of-sixteen-letters");
        let token = signer.sign(&grant());
        assert_eq!(self::signer("another-key-of-letters").verify(&token), None);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(signer.verify(&changed), None, "byte {index}");
            let cut = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..index]);
            assert_eq!(signer.verify(&cut), None, "{index} bytes");
        }
        for text in ["", "…", "AAAA", &format!("{token}A")] {
            assert_eq!(signer.verify(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_message_always_carries_the_same_links() {
        let base: Url = "https://ops.wine.example/".parse().unwrap();
        let written = "2026-11-24T03:12:00.5Z".parse().unwrap();
        let links = || {
            signer("key-of-sixteen-letters").links(
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
        let grant = signer("key-of-sixteen-letters").verify(token).unwrap();
        assert_eq!(
            grant.expires_at,
            "2026-11-27T03:12:00Z".parse().unwrap(),
            "three days later"
        );
    }
}
