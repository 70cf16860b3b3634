//! The proof of an erasure: what was done, and which backups hold the person still, signed so
//! that anybody can check it with `openssl`.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use super::{erasure::Erased, marks::Marked};
use crate::{auth::derived_key, hexadecimal::hexadecimal};

/// What stands before the 32 bytes of an Ed25519 key where it is written as others read it
/// (RFC 8410).
const PUBLIC_KEY_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Signs proofs, and tells a person again whose data are gone. Derived from
/// `MONITORING_API_KEY`: with another one, older proofs hold with the key that they carry.
#[derive(Debug)]
pub struct ProofKeys {
    signing: Ed25519KeyPair,
    subjects: hmac::Key,
}

impl ProofKeys {
    /// Those of whoever holds that key; `None` where the library refuses it, which no key of
    /// that length is.
    #[must_use]
    pub fn new(key: &SecretString) -> Option<Self> {
        let seed = derived_key::derive(key, "proofs of erasures");
        let seed = hmac::sign(&seed, b"ed25519");
        Some(Self {
            signing: Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?,
            subjects: derived_key::derive(key, "subjects of erasures"),
        })
    }

    /// What a user's number is kept as: the same again, and nobody reads it back.
    #[must_use]
    pub fn subject(&self, user: Uuid) -> String {
        hexadecimal(hmac::sign(&self.subjects, user.as_bytes()).as_ref())
    }

    /// Signs a text.
    #[must_use]
    pub fn sign(&self, text: &str) -> Vec<u8> {
        self.signing.sign(text.as_bytes()).as_ref().to_vec()
    }

    /// The public key, as `openssl` reads it.
    #[must_use]
    pub fn public_key(&self) -> String {
        let key = [&PUBLIC_KEY_HEAD, self.signing.public_key().as_ref()].concat();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64_STANDARD.encode(key)
        )
    }
}

/// The newest backup that holds the person still.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastBackup {
    /// Its name.
    pub name: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// When nothing is left of it, nor of any older one, at the latest, while backups and
    /// collections are made every day; `None` where they are kept until somebody deletes them.
    pub expires_at: Option<Timestamp>,
    /// Those that hold the person and are kept until somebody unpins them.
    pub pinned: Vec<String>,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof<'a> {
    /// The number of the erasure.
    pub erasure: Uuid,
    /// The keyed hash of the user's number.
    pub subject: &'a str,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it was done.
    pub erased_at: Timestamp,
    /// Of which database.
    pub database: &'a str,
    /// What was erased.
    #[serde(flatten)]
    pub erased: &'a Erased,
    /// How many files in Storage were deleted, with their content.
    pub files_deleted: u64,
    /// What still names the person in another way than by a key, and was not touched.
    pub not_covered: &'a Marked,
    /// The newest backup that holds the person; `None` where there is none.
    pub last_backup: Option<LastBackup>,
    /// What a restore of that backup follows; `None` where backups are not set up.
    pub followed_by_restores: Option<String>,
    /// The public key of the signature.
    pub public_key: String,
}

impl Proof<'_> {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    fn keys(key: &str) -> ProofKeys {
        ProofKeys::new(&SecretString::from(key.to_owned())).unwrap()
    }

    #[test]
    fn a_subject_is_the_same_under_the_same_key_alone() {
        let user = Uuid::from_u128(1);
        assert_eq!(keys("a").subject(user), keys("a").subject(user));
        assert_ne!(keys("a").subject(user), keys("b").subject(user));
        assert_ne!(keys("a").subject(user), keys("a").subject(Uuid::nil()));
        assert_eq!(keys("a").subject(user).len(), 64);
    }

    #[test]
    fn a_signature_holds_for_its_text_under_the_key_that_is_written() {
        let keys = keys("a");
        let public = keys.public_key();
        let encoded = public.lines().nth(1).unwrap();
        let key = BASE64_STANDARD.decode(encoded).unwrap();
        let key = UnparsedPublicKey::new(&ED25519, &key[PUBLIC_KEY_HEAD.len()..]);
        let signature = keys.sign("gone");
        assert!(key.verify(b"gone", &signature).is_ok());
        assert!(key.verify(b"here", &signature).is_err());
    }
}
