//! The key that signs the receipts of a repository: P-256, derived from the secret, since that is
//! the one kind of key that every stock verifier takes.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use p256::{SecretKey, elliptic_curve::sec1::ToEncodedPoint};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
    },
};
use uuid::Uuid;

use crate::{hex, keys::Secret};

/// What stands before the 65 bytes of a P-256 key where it is written as others read it
/// (RFC 5480).
const PUBLIC_KEY_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

const PEM_HEAD: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// How many characters a line of a PEM file has.
const PEM_LINE: usize = 64;

/// Of 2³² numbers of 32 bytes one is no key; so many in a row are none.
const TRIES: u32 = 4;

/// Why there is no key, or no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// No key can be made of the secret, which happens to none of 2¹²⁸.
    #[error("no signing key can be derived from the secret")]
    Underivable,
    /// There is no randomness.
    #[error("a receipt cannot be signed for want of randomness")]
    Randomness,
    /// Not a P-256 key as `openssl` writes it.
    #[error("it is not a public key of the curve P-256 in PEM form")]
    Malformed,
}

/// Signs receipts.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a repository, which whoever has its secret derives again.
    ///
    /// # Errors
    /// [`SigningError::Underivable`].
    pub fn of(secret: &Secret, repo: Uuid) -> Result<Self, SigningError> {
        let derived = (1..=TRIES).find_map(|n| {
            let scalar = secret.derived(repo, &format!("pourtrait evidence {n}"));
            let key = SecretKey::from_slice(scalar.as_ref()).ok()?;
            Some((scalar, key))
        });
        let (scalar, key) = derived.ok_or(SigningError::Underivable)?;
        let point = key.public_key().to_encoded_point(false);
        let public = PublicKey::of_point(point.as_bytes()).ok_or(SigningError::Underivable)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            scalar.as_ref(),
            &public.point,
            &SystemRandom::new(),
        );
        let pair = pair.map_err(|_| SigningError::Underivable)?;
        Ok(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signed = self.pair.sign(&SystemRandom::new(), message);
        let signed = signed.map_err(|_| SigningError::Randomness)?;
        Ok(signed.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({}, REDACTED)", self.public.id())
    }
}

/// Verifies receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The point, uncompressed.
    point: [u8; 65],
}

impl PublicKey {
    fn of_point(point: &[u8]) -> Option<Self> {
        let point = <[u8; 65]>::try_from(point).ok()?;
        p256::PublicKey::from_sec1_bytes(&point).ok()?;
        Some(Self { point })
    }

    /// Reads what [`PublicKey::to_pem`] writes, as `openssl` writes it too.
    ///
    /// # Errors
    /// [`SigningError::Malformed`].
    pub fn parse_pem(text: &str) -> Result<Self, SigningError> {
        let key = || {
            let inner = text.trim().strip_prefix(PEM_HEAD)?.strip_suffix(PEM_END)?;
            let encoded: String = inner.split_whitespace().collect();
            let der = BASE64_STANDARD.decode(encoded).ok()?;
            Self::of_point(der.strip_prefix(&PUBLIC_KEY_HEAD)?)
        };
        key().ok_or(SigningError::Malformed)
    }

    /// The key as `openssl` and `cosign` read it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let encoded = BASE64_STANDARD.encode(self.der());
        let mut rest = encoded.as_str();
        let mut text = format!("{PEM_HEAD}\n");
        while !rest.is_empty() {
            let (line, others) = rest.split_at(rest.len().min(PEM_LINE));
            text.push_str(line);
            text.push('\n');
            rest = others;
        }
        text + PEM_END + "\n"
    }

    /// What tells it from others: SHA-256 of its DER form, as `openssl pkey -pubin -outform DER |
    /// sha256sum` gives it.
    #[must_use]
    pub fn id(&self) -> String {
        hex::sha256(&self.der())
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point);
        key.verify(message, signature).is_ok()
    }

    fn der(&self) -> Vec<u8> {
        [PUBLIC_KEY_HEAD.as_slice(), &self.point].concat()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn key(digit: &str, repo: u128) -> SigningKey {
        let secret = Secret::parse(&SecretString::from(digit.repeat(64))).unwrap();
        SigningKey::of(&secret, Uuid::from_u128(repo)).unwrap()
    }

    #[test]
    fn a_key_is_that_of_one_secret_and_one_repository() {
        let id = |digit, repo| key(digit, repo).public().id();
        assert_eq!(id("a", 1), id("a", 1));
        assert_ne!(id("a", 1), id("b", 1));
        assert_ne!(id("a", 1), id("a", 2));
        assert!(!format!("{:?}", key("a", 1)).contains(&"a".repeat(64)));
    }

    #[test]
    fn only_what_was_signed_verifies_and_only_with_its_key() {
        let (one, other) = (key("a", 1), key("b", 1));
        let signature = one.sign(b"a message").unwrap();
        assert!(one.public().has_signed(b"a message", &signature));
        assert!(!one.public().has_signed(b"a messagf", &signature));
        assert!(!other.public().has_signed(b"a message", &signature));
        assert!(!one.public().has_signed(b"a message", &signature[1..]));
    }

    #[test]
    fn a_public_key_is_read_as_it_is_written_and_nothing_else_is_one() {
        let public = key("a", 1).public().clone();
        let text = public.to_pem();
        assert_eq!(PublicKey::parse_pem(&text), Ok(public));
        assert!(text.lines().all(|line| line.len() <= PEM_LINE), "{text}");
        for other in [
            text.replace("PUBLIC", "PRIVATE"),
            text.replacen("MFkw", "MFkx", 1),
            text.lines().take(2).collect(),
            String::new(),
        ] {
            let read = PublicKey::parse_pem(&other);
            assert_eq!(read, Err(SigningError::Malformed), "{other}");
        }
    }
}
