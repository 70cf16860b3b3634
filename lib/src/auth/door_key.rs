//! Project keys of the door, which prove themselves.
//!
//! A key is the number of a row and a signature with a key derived from
//! `MONITORING_API_KEY`, 32 hexadecimal digits in all, because Sentry's clients take no other
//! form. A guess is refused before anybody asks the database; whether the door is open to
//! the number, the database alone knows. A key is no secret where pages send: it tells
//! senders apart and may bring so much. Changing `MONITORING_API_KEY` ends every key.

use bytes::Bytes;
use http::{Request, header};
use ring::hmac;
use secrecy::SecretString;
use serde_json::Value;
use subtle::ConstantTimeEq;
use url::Url;

use super::{bearer, derived_key, field};
use crate::{
    bounded_json, encoded_body,
    hexadecimal::{self, hexadecimal},
};

/// How many bytes of the signature stand in a key.
const TAG: usize = 12;

/// How long the header of an envelope may be, in bytes, and how many levels of it are read.
const HEADER: usize = 16 * 1024;
const LEVELS: usize = 4;

/// Makes keys, and knows its own.
#[derive(Debug)]
pub struct KeySigner(hmac::Key);

impl KeySigner {
    /// The signer of whoever holds that key.
    #[must_use]
    pub fn new(monitoring_api_key: &SecretString) -> Self {
        Self(derived_key::derive(monitoring_api_key, "door keys"))
    }

    /// The key of that number.
    #[must_use]
    pub fn sign(&self, number: u32) -> String {
        let number = number.to_be_bytes();
        let tag = hmac::sign(&self.0, &number);
        let tag = tag.as_ref().iter().take(TAG).copied();
        let key: Vec<u8> = number.into_iter().chain(tag).collect();
        hexadecimal(&key)
    }

    /// The number of a key that is one of ours.
    #[must_use]
    pub fn number_of(&self, key: &str) -> Option<u32> {
        let bytes = hexadecimal::bytes(key)?;
        let number = u32::from_be_bytes(*bytes.first_chunk()?);
        let right = self.sign(number);
        let is_right: bool = right
            .as_bytes()
            .ct_eq(key.to_ascii_lowercase().as_bytes())
            .into();
        is_right.then_some(number)
    }
}

/// The key that a request carries: in its query, in a header of ours or of Sentry's clients,
/// as a bearer, or in the DSN within an envelope.
pub(super) fn presented(request: &Request<Bytes>) -> Option<String> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    field(query, "key")
        .or_else(|| field(query, "sentry_key"))
        .or_else(|| header("x-door-key").map(str::to_owned))
        .or_else(|| header("x-sentry-auth").and_then(of_sentry))
        .or_else(|| {
            let value = request.headers().get(header::AUTHORIZATION)?;
            bearer(value.as_bytes()).map(str::to_owned)
        })
        .or_else(|| of_envelope(request))
}

/// The public key of the DSN that the first line of an envelope names. Clients say it nowhere
/// else when a page sends by way of its own server. The body is decoded for it, to no more
/// than any body may be, and only where no key was found before.
fn of_envelope(request: &Request<Bytes>) -> Option<String> {
    let path = request.uri().path().trim_end_matches('/');
    if !path.ends_with("/envelope") {
        return None;
    }
    let body = encoded_body::decode(request.headers(), request.body()).ok()?;
    let header = body.split(|byte| *byte == b'\n').next()?;
    if header.len() > HEADER {
        return None;
    }
    let header: Value = bounded_json::read(header, LEVELS).ok()?;
    let dsn = Url::parse(header.get("dsn")?.as_str()?).ok()?;
    Some(dsn.username().to_owned()).filter(|key| !key.is_empty())
}

/// `Sentry sentry_version=7, sentry_key=…, sentry_client=…`
fn of_sentry(value: &str) -> Option<String> {
    value
        .trim_start_matches("Sentry ")
        .split(',')
        .find_map(|pair| pair.trim().strip_prefix("sentry_key="))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str) -> KeySigner {
        KeySigner::new(&key.into())
    }

    #[test]
    fn a_key_proves_its_number_to_whoever_signed_it() {
        let ours = signer("key-of-sixteen-letters");
        for number in [1, 7, u32::MAX] {
            let key = ours.sign(number);
            assert_eq!(key.len(), 32);
            assert_eq!(ours.number_of(&key), Some(number));
            assert_eq!(ours.number_of(&key.to_uppercase()), Some(number));
            assert_eq!(signer("another-key-of-letters").number_of(&key), None);
        }
    }

    #[test]
    fn a_changed_digit_and_another_length_are_refused() {
        let ours = signer("key-of-sixteen-letters");
        let key = ours.sign(7);
        for at in 0..key.len() {
            let mut changed = key.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(ours.number_of(&changed), None, "{changed}");
            assert_eq!(ours.number_of(&key[..at]), None);
        }
        for text in ["", "…", "zz", &format!("{key}00")] {
            assert_eq!(ours.number_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_stands_where_clients_put_it() {
        for (target, name, value) in [
            ("/api/ingest?key=abc", "accept", "*/*"),
            (
                "/api/1/envelope/?sentry_key=abc&sentry_version=7",
                "accept",
                "*/*",
            ),
            ("/api/ingest", "x-door-key", "abc"),
            (
                "/api/1/store/",
                "x-sentry-auth",
                "Sentry sentry_version=7, sentry_key=abc, sentry_client=x/1",
            ),
            ("/v1/traces", "authorization", "Bearer abc"),
        ] {
            let request = Request::post(target)
                .header(name, value)
                .body(Bytes::new())
                .unwrap();
            assert_eq!(
                presented(&request).as_deref(),
                Some("abc"),
                "{target} {name}"
            );
        }
        let none = Request::post("/api/ingest").body(Bytes::new()).unwrap();
        assert_eq!(presented(&none), None);
    }

    #[test]
    fn an_envelope_names_its_key_itself_where_nothing_else_does() {
        let gzip = |text: &[u8]| {
            use std::io::Write;
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let named = br#"{"dsn":"https://abc@ops.example.com/1"}
{"type":"event"}
{}"#;
        let long = format!("{{\"dsn\":\"https://abc@{}/1\"}}", "x".repeat(HEADER));
        for (target, encoding, body, expected) in [
            ("/api/1/envelope/", "identity", named.to_vec(), Some("abc")),
            ("/api/1/envelope", "gzip", gzip(named), Some("abc")),
            (
                "/api/1/envelope/?sentry_key=def",
                "identity",
                named.to_vec(),
                Some("def"),
            ),
            ("/api/1/store/", "identity", named.to_vec(), None),
            ("/api/1/envelope/", "gzip", named.to_vec(), None),
            ("/api/1/envelope/", "identity", long.into_bytes(), None),
            (
                "/api/1/envelope/",
                "identity",
                br#"{"dsn":"https://ops.example.com/1"}"#.to_vec(),
                None,
            ),
            (
                "/api/1/envelope/",
                "identity",
                br#"{"dsn":7}"#.to_vec(),
                None,
            ),
            (
                "/api/1/envelope/",
                "gzip",
                gzip(&vec![b' '; encoded_body::LIMIT + 1]),
                None,
            ),
        ] {
            let request = Request::post(target)
                .header("content-encoding", encoding)
                .body(Bytes::from(body))
                .unwrap();
            assert_eq!(
                presented(&request).as_deref(),
                expected,
                "{target} {encoding}"
            );
        }
    }
}
