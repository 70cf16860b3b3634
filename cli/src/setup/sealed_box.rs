//! Sealing a secret to a repository's key, as libsodium does and GitHub asks for.

use anyhow::anyhow;
use base64::{Engine, prelude::BASE64_STANDARD};
use crypto_box::{PublicKey, aead::OsRng};

/// The secret sealed to a key in base64, in base64.
pub(super) fn seal(key: &str, secret: &str) -> anyhow::Result<String> {
    let unusable = || anyhow!("the repository's key cannot be used");
    let key = BASE64_STANDARD.decode(key).map_err(|_| unusable())?;
    let key = PublicKey::from_slice(&key).map_err(|_| unusable())?;
    let sealed = key.seal(&mut OsRng, secret.as_bytes());
    Ok(BASE64_STANDARD.encode(sealed.map_err(|_| unusable())?))
}

#[cfg(test)]
mod tests {
    use crypto_box::SecretKey;

    use super::*;

    #[test]
    fn who_holds_the_key_opens_it_and_no_seal_is_like_another() {
        let private = SecretKey::generate(&mut OsRng);
        let public = BASE64_STANDARD.encode(private.public_key().as_bytes());
        let sealed = seal(&public, "a secret").unwrap();
        let opened = private.unseal(&BASE64_STANDARD.decode(&sealed).unwrap());
        assert_eq!(opened.unwrap(), b"a secret");
        assert_ne!(seal(&public, "a secret").unwrap(), sealed);
        assert!(seal("short", "a secret").is_err());
    }
}
