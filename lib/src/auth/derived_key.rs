//! Keys for what we sign ourselves, each for one purpose.

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// The key that a secret makes for one purpose. Who knows the secret knows it,
/// and nobody learns the secret, or the key of another purpose, from it.
pub(super) fn derive(secret: &SecretString, purpose: &str) -> hmac::Key {
    // HKDF of RFC 5869 with SHA-256, whose first block is all that is needed.
    let sign = |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    let extracted = sign(b"pourtrait-ops", secret.expose_secret().as_bytes());
    let expanded = sign(extracted.as_ref(), &[purpose.as_bytes(), &[1]].concat());
    hmac::Key::new(hmac::HMAC_SHA256, expanded.as_ref())
}
