//! Links that may do one thing about one alert, once and until a named time.
//!
//! A token names the alert, the message it stands in, the action and the end,
//! and is signed with a key derived from `MONITORING_API_KEY`: whoever holds that
//! key may do the same, so changing it also ends every link that is out. The
//! same message always carries the same link, however often it is sent. That a
//! link is used only once is kept in the database.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::hmac;
use secrecy::SecretString;
use uuid::Uuid;

use super::derived_key;

const VERSION: u8 = 1;
const SIGNED: usize = 1 + 1 + 16 + 16 + 8;

/// What a link may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAction {
    /// To acknowledge it.
    Acknowledge,
    /// To snooze it.
    Snooze,
}

impl LinkAction {
    /// Every action.
    pub const ALL: [Self; 2] = [Self::Acknowledge, Self::Snooze];

    /// The word that the database uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Snooze => "snooze",
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
pub struct Grant {
    /// The alert that it is about.
    pub alert: Uuid,
    /// The message that carries it.
    pub message: Uuid,
    /// What it may do.
    pub action: LinkAction,
    /// When it ends, to the second.
    pub expires_at: Timestamp,
}

/// Signs and verifies.
#[derive(Debug)]
pub struct Signer(hmac::Key);

impl Signer {
    /// The signer of whoever holds that key.
    #[must_use]
    pub fn new(key: &SecretString) -> Self {
        Self(derived_key::derive(key, "acknowledge links"))
    }

    /// The token of a grant.
    #[must_use]
    pub fn sign(&self, grant: &Grant) -> String {
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
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Grant> {
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
    fn a_token_of_another_version_is_refused_though_it_is_signed() {
        let signer = signer("key-of-sixteen-letters");
        let token = BASE64_URL_SAFE_NO_PAD
            .decode(signer.sign(&grant()))
            .unwrap();
        let mut bytes = token[..SIGNED].to_vec();
        bytes[0] = VERSION + 1;
        let tag = hmac::sign(&signer.0, &bytes);
        let newer = BASE64_URL_SAFE_NO_PAD.encode([&bytes, tag.as_ref()].concat());
        assert_eq!(signer.verify(&newer), None);
    }
}
