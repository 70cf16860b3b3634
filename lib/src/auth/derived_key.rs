//! Keys for what we sign and seal ourselves, each for one purpose.

use ring::{aead, hmac};
use secrecy::{ExposeSecret, SecretString};

/// The key that a secret makes for one purpose. Who knows the secret knows it,
/// and nobody learns the secret, or the key of another purpose, from it.
pub(crate) fn derive(secret: &SecretString, purpose: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, expand(secret, purpose).as_ref())
}

/// The same, for what nobody else may read either.
pub(crate) fn derive_sealing(secret: &SecretString, purpose: &str) -> Option<aead::LessSafeKey> {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, expand(secret, purpose).as_ref());
    Some(aead::LessSafeKey::new(key.ok()?))
}

fn expand(secret: &SecretString, purpose: &str) -> hmac::Tag {
    // HKDF of RFC 5869 with SHA-256, whose first block is all that is needed.
    let sign = |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    let extracted = sign(b"pourtrait-ops", secret.expose_secret().as_bytes());
    sign(extracted.as_ref(), &[purpose.as_bytes(), &[1]].concat())
}
