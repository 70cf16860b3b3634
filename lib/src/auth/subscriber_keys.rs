//! What subscribers of the status page prove themselves with, and what their addresses are
//! kept under: keys derived from `MONITORING_API_KEY`, each for one purpose. Changing it ends
//! every link that is out and makes the addresses unreadable.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::derived_key;
use crate::hexadecimal::hexadecimal;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Confirms a subscription, once; it names the message that carries it.
    Confirm,
    /// Changes or ends a subscription; it names the subscriber.
    Manage,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Confirm => 1,
            Self::Manage => 2,
        }
    }
}

/// Makes tokens and hashes, seals addresses and opens them.
#[derive(Debug)]
pub struct SubscriberKeys {
    tokens: hmac::Key,
    hashes: hmac::Key,
    addresses: LessSafeKey,
}

impl SubscriberKeys {
    /// Those of whoever holds that key; `None` where the platform's cipher refuses it, which
    /// no key of that length is.
    #[must_use]
    pub fn new(key: &SecretString) -> Option<Self> {
        let addresses = derived_key::derive(key, "addresses of subscribers");
        let addresses = hmac::sign(&addresses, b"aes-256-gcm");
        let addresses = UnboundKey::new(&AES_256_GCM, addresses.as_ref()).ok()?;
        Some(Self {
            tokens: derived_key::derive(key, "tokens of subscribers"),
            hashes: derived_key::derive(key, "hashes of subscribers"),
            addresses: LessSafeKey::new(addresses),
        })
    }

    /// The token of a message or a subscriber: always the same.
    #[must_use]
    pub fn token(&self, purpose: Purpose, id: Uuid) -> String {
        let mut token = [&[purpose.byte()][..], id.as_bytes()].concat();
        let tag = hmac::sign(&self.tokens, &token);
        token.extend(tag.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// What a token of ours names, if it is for that purpose.
    #[must_use]
    pub fn named(&self, purpose: Purpose, token: &str) -> Option<Uuid> {
        let token = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = token.split_at_checked(17)?;
        hmac::verify(&self.tokens, signed, tag).ok()?;
        let (first, id) = signed.split_first()?;
        (*first == purpose.byte()).then_some(())?;
        Uuid::from_slice(id).ok()
    }

    /// An address under which the same one is found again, and which does not tell it; 64
    /// hexadecimal digits. The same holds of a client.
    #[must_use]
    pub fn hash(&self, kind: &str, text: &str) -> String {
        let text = format!("{kind}\u{0}{}", text.to_lowercase());
        hexadecimal(hmac::sign(&self.hashes, text.as_bytes()).as_ref())
    }

    /// An address as the database keeps it; it opens under its own hash alone. `None` where
    /// the machine has no random bytes.
    #[must_use]
    pub fn seal(&self, address: &str, hash: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = address.as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.addresses
            .seal_in_place_append_tag(unique, Aad::from(hash.as_bytes()), &mut sealed)
            .ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// The address that was sealed; `None` under another key or another hash.
    #[must_use]
    pub fn open(&self, sealed: &str, hash: &str) -> Option<String> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let opened = self
            .addresses
            .open_in_place(nonce, Aad::from(hash.as_bytes()), &mut rest)
            .ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

/// A token's SHA-256 in hexadecimal, as the database keeps it.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hexadecimal(&Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(key: &str) -> SubscriberKeys {
        SubscriberKeys::new(&key.into()).unwrap()
    }

    #[test]
    fn a_token_opens_what_it_is_for_and_nothing_else() {
        let (ours, others) = (
            keys("key-of-sixteen-letters"),
            keys("another-key-of-letters"),
        );
        let id = Uuid::from_u128(7);
        let token = ours.token(Purpose::Confirm, id);
        assert_eq!(ours.named(Purpose::Confirm, &token), Some(id));
        assert_eq!(ours.named(Purpose::Manage, &token), None);
        assert_eq!(others.named(Purpose::Confirm, &token), None);
        for text in ["", "AAAA", "…", &token[1..], &format!("{token}A")] {
            assert_eq!(ours.named(Purpose::Confirm, text), None, "{text}");
        }
    }

    #[test]
    fn an_address_opens_under_its_own_key_and_hash_alone() {
        let (ours, others) = (
            keys("key-of-sixteen-letters"),
            keys("another-key-of-letters"),
        );
        let hash = ours.hash("email", "Anna@wine.example");
        assert_eq!(hash, ours.hash("email", "anna@wine.example"));
        assert_ne!(hash, others.hash("email", "anna@wine.example"));
        assert_ne!(hash, ours.hash("client", "anna@wine.example"));
        let sealed = ours.seal("anna@wine.example", &hash).unwrap();
        assert_ne!(ours.seal("anna@wine.example", &hash).unwrap(), sealed);
        assert!(!sealed.contains("anna"));
        assert_eq!(
            ours.open(&sealed, &hash).as_deref(),
            Some("anna@wine.example")
        );
        assert_eq!(others.open(&sealed, &hash), None);
        assert_eq!(
            ours.open(&sealed, &ours.hash("email", "bo@wine.example")),
            None
        );
        assert_eq!(ours.open("", &hash), None);
    }
}
