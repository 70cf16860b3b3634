//! Bodies as they come.

use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::HeaderValue;

use super::*;

const PLAIN: &str = "the cellar is open";

/// What a brotli encoder made of [`PLAIN`].
const BROTLI: &[u8] = b"\x8b\x08\x80the cellar is open\x03";

/// What it made of six megabytes of nothing.
const BROTLI_BOMB: &[u8] = &[
    0x9b, 0xff, 0xff, 0x5f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x0b,
];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).unwrap();
    [(name, value)].into_iter().collect()
}

fn decoded(encoding: &str, body: &[u8]) -> Result<String, &'static str> {
    let headers = headers(header::CONTENT_ENCODING, encoding);
    decode(&headers, body).map(|body| String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn a_body_is_taken_out_of_whatever_it_was_put_in() {
    let plain = PLAIN.as_bytes();
    let two_members = [gzip(b"the cellar "), gzip(b"is open")].concat();
    for (encoding, body) in [
        ("", plain.to_vec()),
        ("identity", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("X-GZIP", gzip(plain)),
        ("gzip", two_members),
        ("deflate", zlib(plain)),
        ("deflate", deflate(plain)),
        ("br", BROTLI.to_vec()),
        ("zstd", zstandard(plain)),
        ("zstd, gzip", gzip(&zstandard(plain))),
    ] {
        assert_eq!(decoded(encoding, &body), Ok(PLAIN.into()), "{encoding}");
    }
    assert_eq!(decoded("gzip", b""), Ok(String::new()));
}

#[test]
fn what_cannot_be_decoded_says_so() {
    for (encoding, body) in [
        ("compress", PLAIN.as_bytes().to_vec()),
        ("gzip", PLAIN.as_bytes().to_vec()),
        ("gzip", gzip(PLAIN.as_bytes())[..20].to_vec()),
        ("deflate", PLAIN.as_bytes().to_vec()),
        ("br", PLAIN.as_bytes().to_vec()),
        ("br", BROTLI[..10].to_vec()),
        ("zstd", PLAIN.as_bytes().to_vec()),
        ("zstd", zstandard(PLAIN.as_bytes())[..12].to_vec()),
        ("gzip,gzip,gzip,gzip", gzip(&gzip(&gzip(&gzip(b"x"))))),
    ] {
        assert_eq!(
            decoded(encoding, &body),
            Err("encoding"),
            "{encoding} {body:?}"
        );
    }
}

#[test]
fn what_swells_past_the_limit_is_cut() {
    let whole = vec![0; LIMIT];
    let more = vec![0; LIMIT + 1];
    for (encoding, encode) in [
        ("gzip", gzip as fn(&[u8]) -> Vec<u8>),
        ("deflate", zlib),
        ("deflate", deflate),
        ("zstd", zstandard),
    ] {
        let length = decoded(encoding, &encode(&whole)).map(|body| body.len());
        assert_eq!(length, Ok(LIMIT), "{encoding}");
        assert_eq!(
            decoded(encoding, &encode(&more)),
            Err("too_large"),
            "{encoding}"
        );
    }
    assert_eq!(decoded("br", BROTLI_BOMB), Err("too_large"));
}
