//! Secrets and recipients.
//!
//! A backup is encrypted to public keys, so that whoever writes it cannot read
//! it. What the writer does hold is a secret that turns content into names:
//! without it nobody can ask the store whether it has a certain row.

use std::{fmt, str::FromStr, sync::Arc};

use age::x25519;
use ring::{
    aead::{self, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use uuid::Uuid;

use super::hex;

/// Why a key cannot be used. The key itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The secret has another shape.
    #[error("the secret is not 64 hexadecimal digits")]
    Secret,
    /// The key in a manifest has another shape.
    #[error("the dedupe key is not 64 hexadecimal digits")]
    DedupeKey,
    /// Nobody to encrypt to.
    #[error("no recipient is named")]
    NoRecipient,
    /// Not an `age1…` public key.
    #[error("recipient {0} is not an age public key (age1…)")]
    Recipient(usize),
    /// Nothing to decrypt with.
    #[error("the identity file holds no identity")]
    NoIdentity,
    /// Not an `AGE-SECRET-KEY-1…` line.
    #[error("line {0} of the identity file is neither an age secret key nor a comment")]
    Identity(usize),
}

/// What the dedupe keys of all epochs are derived from: 32 bytes.
pub struct Secret(SecretBox<[u8; 32]>);

impl Secret {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        key_bytes(text.expose_secret())
            .map(Self)
            .ok_or(KeyError::Secret)
    }

    /// The key that names the objects of one epoch of one repository.
    #[must_use]
    pub fn dedupe_key(&self, repo: Uuid, epoch: u32) -> DedupeKey {
        let derived = self.derived(repo, &format!("pourtrait dedupe {epoch}"));
        DedupeKey::of(SecretBox::init_with_mut(|key: &mut [u8; 32]| {
            key.copy_from_slice(derived.as_ref());
        }))
    }

    /// The key of what runs of one epoch of one repository note down for each other.
    #[must_use]
    pub fn note_key(&self, repo: Uuid, epoch: u32) -> NoteKey {
        let derived = self.derived(repo, &format!("pourtrait notes {epoch}"));
        NoteKey(Arc::new(SecretBox::init_with_mut(|key: &mut [u8; 32]| {
            key.copy_from_slice(derived.as_ref());
        })))
    }

    /// HKDF (RFC 5869) for a key of one block: extract, then expand once.
    pub(crate) fn derived(&self, repo: Uuid, info: &str) -> hmac::Tag {
        let sign = |key: &[u8], message: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
        };
        let extracted = sign(repo.as_bytes(), self.0.expose_secret());
        sign(extracted.as_ref(), format!("{info}\u{1}").as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret([REDACTED])")
    }
}

/// Seals what runs note down for each other: whoever has the secret can read and write it, and
/// nobody else either of both.
#[derive(Clone)]
pub struct NoteKey(Arc<SecretBox<[u8; 32]>>);

impl NoteKey {
    /// The note sealed, behind a nonce of its own.
    ///
    /// # Errors
    /// For want of randomness.
    pub fn seal(&self, mut note: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce)?;
        let tag = self.key()?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut note,
        )?;
        Ok([&nonce, note.as_slice(), tag.as_ref()].concat())
    }

    /// What [`NoteKey::seal`] was given; nothing if it was sealed with another key or altered.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut note = sealed.to_vec();
        let key = self.key().ok()?;
        let length = key
            .open_in_place(nonce, Aad::empty(), &mut note)
            .ok()?
            .len();
        note.truncate(length);
        Some(note)
    }

    fn key(&self) -> Result<LessSafeKey, Unspecified> {
        let key = UnboundKey::new(&aead::CHACHA20_POLY1305, self.0.expose_secret())?;
        Ok(LessSafeKey::new(key))
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NoteKey([REDACTED])")
    }
}

/// Names objects by their content.
#[derive(Clone)]
pub struct DedupeKey {
    bytes: Arc<SecretBox<[u8; 32]>>,
    hmac: hmac::Key,
}

impl DedupeKey {
    /// Reads the key that a manifest carries.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        key_bytes(text).map(Self::of).ok_or(KeyError::DedupeKey)
    }

    /// The key as a manifest carries it. It belongs there and nowhere else.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::of(self.bytes.expose_secret())
    }

    /// The name of an object with this plaintext: 64 hexadecimal digits.
    #[must_use]
    pub fn name_of(&self, plaintext: &[u8]) -> String {
        hex::of(hmac::sign(&self.hmac, plaintext).as_ref())
    }

    /// The name of an object whose plaintext comes part by part.
    pub(super) fn naming(&self) -> Naming {
        Naming(hmac::Context::with_key(&self.hmac))
    }

    /// What tells this key from another without giving it away.
    #[must_use]
    pub fn check_value(&self) -> String {
        self.name_of(b"pourtrait check value")
    }

    fn of(bytes: SecretBox<[u8; 32]>) -> Self {
        Self {
            hmac: hmac::Key::new(hmac::HMAC_SHA256, bytes.expose_secret()),
            bytes: Arc::new(bytes),
        }
    }
}

/// A name that is being made.
pub(super) struct Naming(hmac::Context);

impl Naming {
    pub(super) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The name of all parts one behind the other, as [`DedupeKey::name_of`] gives it.
    pub(super) fn finish(self) -> String {
        hex::of(self.0.sign().as_ref())
    }
}

impl fmt::Debug for DedupeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DedupeKey([REDACTED])")
    }
}

/// Whom backups are encrypted to: at least one public key.
#[derive(Clone)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Reads `age1…` keys with commas or blanks between them.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let recipients: Vec<_> = text
            .split(|between: char| between == ',' || between.is_whitespace())
            .filter(|word| !word.is_empty())
            .enumerate()
            .map(|(index, word)| {
                x25519::Recipient::from_str(word).map_err(|_| KeyError::Recipient(index + 1))
            })
            .collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            return Err(KeyError::NoRecipient);
        }
        Ok(Self(recipients))
    }

    /// What tells these recipients from others, in any order: the first 16
    /// digits of each key's SHA-256.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        let mut fingerprints: Vec<_> = self
            .0
            .iter()
            .map(|recipient| hex::sha256(recipient.to_string().as_bytes())[..16].to_owned())
            .collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        fingerprints
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|recipient| recipient as _)
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Recipients")
            .field(&self.fingerprints())
            .finish()
    }
}

/// What opens backups: at least one secret key.
#[derive(Clone)]
pub struct Identities(Vec<x25519::Identity>);

impl Identities {
    /// Reads an identity file as `age-keygen` writes it: a key a line, `#`
    /// before comments.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let identities: Vec<_> = text
            .lines()
            .map(str::trim)
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(index, line)| {
                x25519::Identity::from_str(line).map_err(|_| KeyError::Identity(index + 1))
            })
            .collect::<Result<_, _>>()?;
        if identities.is_empty() {
            return Err(KeyError::NoIdentity);
        }
        Ok(Self(identities))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as _)
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identities([{} REDACTED])", self.0.len())
    }
}

/// Everything that a new repository needs.
#[derive(Debug)]
pub struct Keys {
    /// For [`Secret::parse`].
    pub secret: SecretString,
    /// For [`Identities::parse`]: to be kept away from whoever writes backups.
    pub identity: SecretString,
    /// For [`Recipients::parse`]: public.
    pub recipient: String,
}

/// Makes new keys.
#[must_use]
pub fn generate() -> Keys {
    let identity = x25519::Identity::generate();
    // The hash of a second secret key is as random as that, and needs no other
    // source of randomness.
    let random = x25519::Identity::generate().to_string();
    let secret = hex::sha256(random.expose_secret().as_bytes());
    Keys {
        secret: secret.into(),
        recipient: identity.to_public().to_string(),
        identity: identity.to_string(),
    }
}

fn key_bytes(text: &str) -> Option<SecretBox<[u8; 32]>> {
    let mut key = SecretBox::new(Box::new([0; 32]));
    hex::into(text, key.expose_secret_mut()).then_some(key)
}

#[cfg(test)]
mod tests;
