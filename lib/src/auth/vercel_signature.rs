//! What Vercel signs: the bodies of its drains and of its webhooks.
//!
//! `x-vercel-signature` is HMAC-SHA1 of the body in hexadecimal digits, with a secret that
//! Vercel shows where a drain or a webhook is made. Whether a compressed body is signed
//! before or after its compression is nowhere said, so either is right.

use bytes::Bytes;
use http::Request;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::{config::Config, encoded_body, hexadecimal};

const HEADER: &str = "x-vercel-signature";

/// The secret with which what comes to that path is signed, where one is configured.
pub(super) fn secret<'a>(config: &'a Config, path: &str) -> Option<&'a SecretString> {
    match path.trim_end_matches('/') {
        "/api/drain/vercel" => config.vercel_drain_secret.as_ref(),
        "/api/drain/vercel-webhook" => config.vercel_webhook_secret.as_ref(),
        _ => None,
    }
}

/// Whether a request carries the signature of its body. Compared in constant time.
pub(super) fn is_right(secret: &SecretString, request: &Request<Bytes>) -> bool {
    let presented = request.headers().get(HEADER);
    let Some(tag) = presented
        .and_then(|value| value.to_str().ok())
        .and_then(|value| hexadecimal::bytes(value.trim()))
    else {
        return false;
    };
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        secret.expose_secret().as_bytes(),
    );
    let signs = |body: &[u8]| hmac::verify(&key, body, &tag).is_ok();
    signs(request.body())
        || encoded_body::decode(request.headers(), request.body()).is_ok_and(|body| signs(&body))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// As the platform's documentation computes it.
    fn signature(secret: &str, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        hexadecimal::hexadecimal(hmac::sign(&key, body).as_ref())
    }

    fn check(signature: Option<&str>, encoding: Option<&str>, body: &[u8]) -> bool {
        let mut request = Request::post("/api/drain/vercel");
        if let Some(signature) = signature {
            request = request.header(HEADER, signature);
        }
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let request = request.body(Bytes::copy_from_slice(body)).unwrap();
        is_right(&"secret".into(), &request)
    }

    #[test]
    fn a_known_answer_is_computed() {
        let expected = "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9";
        let body = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(signature("key", body), expected);
    }

    #[test]
    fn a_body_is_signed_as_it_comes_or_as_it_was_before() {
        let body = br#"[{"id":"1"}]"#;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        let packed = encoder.finish().unwrap();
        let (plain, of_packed) = (signature("secret", body), signature("secret", &packed));
        assert!(check(Some(&plain), None, body));
        assert!(check(Some(&of_packed), Some("gzip"), &packed));
        assert!(check(Some(&plain), Some("gzip"), &packed));
        assert!(check(Some(&plain.to_uppercase()), None, body));
    }

    #[test]
    fn a_missing_a_short_and_a_wrong_signature_are_none() {
        let body = br#"[{"id":"1"}]"#;
        let other = signature("another", body);
        let right = signature("secret", body);
        for wrong in ["", "zz", "é", &right[..38], &other, &format!("{right}00")] {
            assert!(!check(Some(wrong), None, body), "{wrong}");
        }
        assert!(!check(None, None, body));
        assert!(!check(Some(&right), None, br#"[{"id":"2"}]"#));
    }
}
