//! Which value a variable has, without the value: what tells drift between two places.

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::reader::usable;
use crate::hexadecimal::hexadecimal;

/// How many bytes of the hash are shown.
const SHOWN: usize = 8;

/// Makes fingerprints that only who holds the same key can compare, or guess a value by.
#[derive(Debug)]
pub struct Fingerprinter(hmac::Key);

impl Fingerprinter {
    /// The one of whoever holds that key.
    #[must_use]
    pub fn new(monitoring_api_key: &SecretString) -> Self {
        let key = monitoring_api_key.expose_secret().as_bytes();
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Sixteen hexadecimal digits for the value that a variable has, as it is read: blanks
    /// around it do not count.
    #[must_use]
    pub fn of(&self, name: &str, value: &str) -> String {
        let value = usable(value).unwrap_or_default();
        let text = format!("pourtrait variable\0{name}\0{value}");
        let tag = hmac::sign(&self.0, text.as_bytes());
        hexadecimal(tag.as_ref().get(..SHOWN).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_key_name_and_value_and_no_blanks() {
        let of = |key: &str, name, value| Fingerprinter::new(&key.into()).of(name, value);
        let one = of("0123456789abcdef", "A", "x");
        assert_eq!(one.len(), 16);
        assert_eq!(one, of("0123456789abcdef", "A", " x\n"));
        for other in [
            of("0123456789abcdef", "A", "y"),
            of("0123456789abcdef", "B", "x"),
            of("0123456789abcdeF", "A", "x"),
        ] {
            assert_ne!(one, other);
        }
    }
}
