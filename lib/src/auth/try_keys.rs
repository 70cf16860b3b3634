//! Under which keys tries to sign in are counted: never an address or a network in clear.

use ring::hmac;
use secrecy::SecretString;

use super::derived_key;
use crate::hexadecimal::hexadecimal;

/// Makes keys. The database that keeps them can tell equal ones, and nobody who reads it
/// learns whose they are: guessing needs the project's secret key, too.
#[derive(Debug)]
pub(crate) struct TryKeys(hmac::Key);

impl TryKeys {
    /// The keys of whoever holds that secret.
    pub(crate) fn new(secret: &SecretString) -> Self {
        Self(derived_key::derive(secret, "tries to sign in"))
    }

    /// The key of something of a kind: 64 hexadecimal digits.
    pub(crate) fn of(&self, kind: &str, of: &str) -> String {
        let text = [kind.as_bytes(), &[0], of.as_bytes()].concat();
        hexadecimal(hmac::sign(&self.0, &text).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_for_the_same_and_tells_nothing() {
        let keys = TryKeys::new(&"sb_secret_a".into());
        let anna = keys.of("account", "anna@wine.example");
        assert_eq!(anna, keys.of("account", "anna@wine.example"));
        assert_eq!(anna.len(), 64);
        assert_ne!(anna, keys.of("account", "bo@wine.example"));
        assert_ne!(anna, keys.of("client", "anna@wine.example"));
        let elsewhere = TryKeys::new(&"sb_secret_b".into());
        assert_ne!(anna, elsewhere.of("account", "anna@wine.example"));
    }
}
