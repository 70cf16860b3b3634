//! What the platform's CDN compresses on its way out, which is what pages weigh.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Response, header};

/// Below this many bytes nothing is won.
const LEAST: usize = 1024;

/// What is compressed by the platform, by the beginning of its type.
const TYPES: [&str; 5] = [
    "text/",
    "application/json",
    "application/manifest+json",
    "application/problem+json",
    "image/svg+xml",
];

/// Whether whoever asks reads gzip.
pub(super) fn is_wanted(asked: &HeaderMap) -> bool {
    asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|encodings| encodings.to_str().ok())
        .is_some_and(|encodings| {
            encodings.split(',').any(|encoding| {
                encoding
                    .split(';')
                    .next()
                    .is_some_and(|name| name.trim() == "gzip")
            })
        })
}

/// Compresses an answer that is a text, large enough and not encoded yet.
pub(super) fn compress(response: &mut Response<Bytes>) {
    let headers = response.headers();
    let is_text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| TYPES.iter().any(|start| kind.starts_with(start)));
    let is_large = response.body().len() >= LEAST;
    if !is_text || !is_large || headers.contains_key(header::CONTENT_ENCODING) {
        return;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder
        .write_all(response.body())
        .and_then(|()| encoder.finish());
    // Into memory nothing fails; if it did, the answer would stay as it is.
    let Ok(compressed) = compressed else { return };
    *response.body_mut() = compressed.into();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn answer(kind: &'static str, length: usize) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from("a".repeat(length)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        compress(&mut response);
        response
    }

    #[test]
    fn a_long_text_is_compressed_and_says_so() {
        let response = answer("text/html; charset=utf-8", 5000);
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[header::VARY], "accept-encoding");
        let mut text = String::new();
        GzDecoder::new(response.body().as_ref())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "a".repeat(5000));
    }

    #[test]
    fn what_is_short_or_no_text_stays_as_it_is() {
        for response in [answer("text/html", 100), answer("image/png", 5000)] {
            assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        }
    }

    #[test]
    fn who_does_not_ask_for_it_does_not_get_it() {
        for (asked, expected) in [
            ("gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("br", false),
            ("xgzip", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(asked));
            assert_eq!(is_wanted(&headers), expected, "{asked}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }
}
