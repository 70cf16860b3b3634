//! Values that a browser keeps for us and can neither read nor change.
//!
//! A value is encrypted and signed at once (AES-256-GCM, a fresh nonce each) with a key
//! derived from the project's secret key, and bound to the name under which it is kept: one
//! cookie's value is nothing under another cookie's name. A new secret key ends them all.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    aead,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};

use super::derived_key;

/// The longest sealed text that is looked at: what browsers keep in one cookie.
const LIMIT: usize = 4_096;

/// Seals and opens the values of one name.
pub(super) struct Sealer {
    key: aead::LessSafeKey,
    name: &'static str,
}

impl Sealer {
    /// The sealer of whoever holds that secret; nothing where no key can be made.
    pub(super) fn new(secret: &SecretString, name: &'static str) -> Option<Self> {
        let key = derived_key::derive_sealing(secret, "sign-in cookies")?;
        Some(Self { key, name })
    }

    /// A value, sealed; nothing where there is no randomness.
    pub(super) fn seal(&self, value: &impl Serialize) -> Option<String> {
        let mut nonce = [0; aead::NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = serde_json::to_vec(value).ok()?;
        let aad = aead::Aad::from(self.name.as_bytes());
        let used = aead::Nonce::assume_unique_for_key(nonce);
        let sealing = self.key.seal_in_place_append_tag(used, aad, &mut sealed);
        sealing.ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// The value in a sealed text, if it is one of ours, under that name.
    pub(super) fn open<T: DeserializeOwned>(&self, text: &str) -> Option<T> {
        if text.len() > LIMIT {
            return None;
        }
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(aead::NONCE_LEN)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = aead::Aad::from(self.name.as_bytes());
        let opened = self.key.open_in_place(nonce, aad, sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Sealer of {}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(secret: &str, name: &'static str) -> Sealer {
        Sealer::new(&secret.into(), name).unwrap()
    }

    fn opened(sealer: &Sealer, text: &str) -> Option<String> {
        sealer.open(text)
    }

    #[test]
    fn what_was_sealed_is_opened_by_the_same_secret_under_the_same_name() {
        let own = sealer("sb_secret_a", "access");
        let text = own.seal(&"anna@wine.example").unwrap();
        assert_eq!(opened(&own, &text).as_deref(), Some("anna@wine.example"));
        assert_ne!(
            own.seal(&"anna@wine.example").unwrap(),
            text,
            "never twice the same"
        );
        assert!(!text.contains("anna"));
        assert_eq!(opened(&sealer("sb_secret_b", "access"), &text), None);
        assert_eq!(opened(&sealer("sb_secret_a", "refresh"), &text), None);
    }

    #[test]
    fn a_changed_byte_another_length_and_what_is_no_sealed_text_are_nothing() {
        let own = sealer("sb_secret_a", "access");
        let text = own.seal(&"x").unwrap();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(opened(&own, &changed), None, "byte {index}");
            let cut = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..index]);
            assert_eq!(opened(&own, &cut), None, "{index} bytes");
        }
        for odd in ["", "…", "AAAA", &format!("{text}A"), &"A".repeat(100_000)] {
            assert_eq!(opened(&own, odd), None, "{} bytes", odd.len());
        }
        let number = own.seal(&7).unwrap();
        assert_eq!(opened(&own, &number), None, "of another type");
    }
}
