//! Tokens of heartbeats, which prove themselves.
//!
//! A token is random and signed with a key derived from `MONITORING_API_KEY`, so a
//! guess is refused before anybody asks the database. Which heartbeat it belongs
//! to, and whether it still does, the database alone knows: it keeps the hash.
//! Changing `MONITORING_API_KEY` ends every token.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::derived_key;
use crate::hexadecimal::hexadecimal;

const VERSION: u8 = 1;
const SIGNED: usize = 1 + 16;

/// Makes tokens, and knows its own.
#[derive(Debug)]
pub struct TokenSigner(hmac::Key);

impl TokenSigner {
    /// The signer of whoever holds that key.
    #[must_use]
    pub fn new(monitoring_api_key: &SecretString) -> Self {
        Self(derived_key::derive(monitoring_api_key, "heartbeat tokens"))
    }

    /// A token that nobody has had before.
    #[must_use]
    pub fn issue(&self) -> String {
        self.sign(VERSION, Uuid::new_v4())
    }

    /// Whether a token is one of ours.
    #[must_use]
    pub fn has_signed(&self, token: &str) -> bool {
        self.verify(token).is_some()
    }

    fn sign(&self, version: u8, nonce: Uuid) -> String {
        let mut token = [&[version][..], nonce.as_bytes()].concat();
        let tag = hmac::sign(&self.0, &token);
        token.extend(tag.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    fn verify(&self, token: &str) -> Option<()> {
        let token = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = token.split_at_checked(SIGNED)?;
        hmac::verify(&self.0, signed, tag).ok()?;
        (signed.first() == Some(&VERSION)).then_some(())
    }
}

/// A token's SHA-256 in hexadecimal, as the database keeps it.
#[must_use]
pub fn hash(token: &str) -> String {
    hexadecimal(&Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::signed_link::{Grant, LinkAction, Signer};

    fn signer(key: &str) -> TokenSigner {
        TokenSigner::new(&key.into())
    }

    #[test]
    fn a_token_proves_itself_to_whoever_holds_the_key() {
        let token = signer("key-of-sixteen-letters").issue();
        assert!(signer("key-of-sixteen-letters").has_signed(&token));
        assert!(!signer("another-key-of-letters").has_signed(&token));
        assert_ne!(signer("key-of-sixteen-letters").issue(), token);
    }

    #[test]
    fn a_changed_byte_another_length_and_another_version_are_refused() {
        let signer = signer("key-of-sixteen-letters");
        let token = signer.issue();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert!(!signer.has_signed(&changed), "byte {index}");
            let cut = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..index]);
            assert!(!signer.has_signed(&cut), "{index} bytes");
        }
        let unsigned = "0".repeat(64);
        for text in ["", "…", "AAAA", &unsigned, &format!("{token}A")] {
            assert!(!signer.has_signed(text), "{text}");
        }
        assert!(!signer.has_signed(&signer.sign(VERSION + 1, Uuid::nil())));
    }

    #[test]
    fn a_link_is_no_token() {
        let key = "key-of-sixteen-letters";
        let grant = Grant {
            alert: Uuid::nil(),
            message: Uuid::nil(),
            action: LinkAction::Acknowledge,
            expires_at: "2026-11-27T03:12:00Z".parse().unwrap(),
        };
        let link = Signer::new(&key.into()).sign(&grant);
        assert!(!signer(key).has_signed(&link));
        let token = signer(key).issue();
        assert_eq!(Signer::new(&key.into()).verify(&token), None);
    }

    #[test]
    fn a_token_is_known_by_its_hash() {
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
