//! The envelope of a receipt: DSSE, version 1. What is signed is the type and the payload, each
//! with its length before it, so that neither can be taken for the other.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::{PublicKey, SigningError, SigningKey};

/// What kind of payload a receipt has: a statement of in-toto.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Why an envelope is not one that counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is not JSON of this shape.
    #[error("it is not an envelope")]
    Malformed,
    /// It holds something else.
    #[error("its payload is of the type {0:?}")]
    Type(String),
    /// Nobody whose key is known has signed it.
    #[error("no key that is known has signed it")]
    Unsigned,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// An envelope around this payload, as one line of text.
pub(super) fn seal(key: &SigningKey, payload: &[u8]) -> Result<Vec<u8>, SigningError> {
    let signature = key.sign(&signed_text(PAYLOAD_TYPE, payload))?;
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: BASE64_STANDARD.encode(payload),
        signatures: vec![Signature {
            keyid: key.public().id(),
            sig: BASE64_STANDARD.encode(signature),
        }],
    };
    let mut text = serde_json::to_vec(&envelope).unwrap_or_default();
    text.push(b'\n');
    Ok(text)
}

/// The payload of an envelope that one of these keys has signed, and the id of that key.
pub(super) fn open(text: &[u8], keys: &[PublicKey]) -> Result<(Vec<u8>, String), EnvelopeError> {
    let envelope: Envelope = serde_json::from_slice(text).map_err(|_| EnvelopeError::Malformed)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(EnvelopeError::Type(envelope.payload_type));
    }
    let decoded = |text: &str| BASE64_STANDARD.decode(text).ok();
    let payload = decoded(&envelope.payload).ok_or(EnvelopeError::Malformed)?;
    let message = signed_text(PAYLOAD_TYPE, &payload);
    let signatures = envelope.signatures.iter();
    let mut signatures = signatures.filter_map(|one| decoded(&one.sig));
    // A key's id is a hint that anybody can write: the signature alone counts.
    let signer = signatures.find_map(|signature| {
        let mut keys = keys.iter();
        keys.find(|key| key.has_signed(&message, &signature))
    });
    let signer = signer.ok_or(EnvelopeError::Unsigned)?;
    Ok((payload, signer.id()))
}

/// The pre-authentication encoding.
fn signed_text(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use uuid::Uuid;

    use super::*;
    use crate::keys::Secret;

    fn key(digit: &str) -> SigningKey {
        let secret = Secret::parse(&SecretString::from(digit.repeat(64))).unwrap();
        SigningKey::of(&secret, Uuid::from_u128(1)).unwrap()
    }

    /// The example of the specification.
    #[test]
    fn what_is_signed_has_each_part_with_its_length() {
        assert_eq!(
            signed_text("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_envelope_opens_to_its_payload_with_the_key_that_signed_it() {
        let (one, other) = (key("a"), key("b"));
        let text = seal(&one, b"{}").unwrap();
        let keys = [other.public().clone(), one.public().clone()];
        let opened = open(&text, &keys);
        assert_eq!(opened, Ok((b"{}".to_vec(), one.public().id())));
        assert_eq!(open(&text, &keys[..1]), Err(EnvelopeError::Unsigned));
        assert_eq!(open(&text, &[]), Err(EnvelopeError::Unsigned));
    }

    #[test]
    fn whatever_is_changed_in_an_envelope_is_found() {
        let one = key("a");
        let keys = [one.public().clone()];
        let text = String::from_utf8(seal(&one, b"{\"a\":1}").unwrap()).unwrap();
        let payload = BASE64_STANDARD.encode(b"{\"a\":1}");
        let other = BASE64_STANDARD.encode(b"{\"a\":2}");
        for (changed, expected) in [
            (text.replace(&payload, &other), EnvelopeError::Unsigned),
            (
                text.replace(PAYLOAD_TYPE, "text/plain"),
                EnvelopeError::Type("text/plain".to_owned()),
            ),
            (
                text.replace("\"sig\":\"M", "\"sig\":\"N"),
                EnvelopeError::Unsigned,
            ),
            (text.replace(&payload, "%"), EnvelopeError::Malformed),
            (text[1..].to_owned(), EnvelopeError::Malformed),
        ] {
            assert_ne!(changed, text);
            assert_eq!(open(changed.as_bytes(), &keys), Err(expected), "{changed}");
        }
    }
}
