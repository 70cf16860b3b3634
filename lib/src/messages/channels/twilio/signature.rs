//! Twilio's signature of a call to us: HMAC-SHA1, in base64, of the address that was
//! called and of each field of the form, sorted by name, name and value run together.
//! SHA-1 is Twilio's choice; as a HMAC it is still sound.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;

use super::form::Form;

/// Whether a signature is that of a token.
pub(super) fn proves(token: &str, url: &str, form: &Form, presented: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signed = form
        .iter()
        .fold(url.to_owned(), |text, (name, value)| text + name + value);
    BASE64_STANDARD
        .decode(presented)
        .is_ok_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Twilio's documentation.
    #[test]
    fn a_signature_is_the_one_that_twilio_makes() {
        let form: Form = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let signature = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";
        assert!(proves("12345", url, &form, signature));
        assert!(!proves("12346", url, &form, signature));
        assert!(!proves(
            "12345",
            "https://mycompany.com/myapp.php?foo=1",
            &form,
            signature
        ));
        let mut other = form.clone();
        other.insert("Digits".to_owned(), "1235".to_owned());
        assert!(!proves("12345", url, &other, signature));
        for rubbish in ["", "0/KCTR6DLpKmkAf8muzZqo1nDgQ", "%%%"] {
            assert!(!proves("12345", url, &form, rubbish), "{rubbish}");
        }
    }
}
