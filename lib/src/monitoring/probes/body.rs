//! What an answer says, from the bytes that came: decoded, in as many steps as it was
//! encoded in, and read in its own charset. Pure.

use std::{
    borrow::Cow,
    io::{self, Read},
    sync::LazyLock,
};

use encoding_rs::{Encoding, UTF_8};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use regex::bytes::Regex;

/// How much of an answer is read, and how large it may be once it is decoded, in
/// bytes.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;

/// How many times over an answer may be encoded.
const LAYERS: usize = 3;

/// The buffers of a decoder, in bytes.
const BUFFER: usize = 16 * 1024;

/// How far a zstd frame may look back: the least that every decoder has to bear,
/// 8 MiB, as a power of two.
const ZSTD_WINDOW: u32 = 23;

/// Where a document names its charset itself, if its header does not.
const PRESCANNED: usize = 1024;

/// Takes off what an answer was encoded with, though nobody asked for that.
///
/// # Errors
/// The stable word for what is wrong: `encoding`, or `too_large` if more comes out
/// than may.
pub(super) fn decode<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, &'static str> {
    let named = headers.get_all(header::CONTENT_ENCODING);
    let named: Vec<_> = named
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|word| word.trim().to_ascii_lowercase())
        .filter(|word| !word.is_empty() && word != "identity")
        .collect();
    // An answer without a body may still say how it would be encoded.
    if body.is_empty() {
        return Ok(Cow::Borrowed(body));
    }
    if named.len() > LAYERS {
        return Err("encoding");
    }
    // The last one named is the outermost.
    named
        .iter()
        .rev()
        .try_fold(Cow::Borrowed(body), |body, word| {
            Ok(Cow::Owned(without(word, &body)?))
        })
}

fn without(encoding: &str, body: &[u8]) -> Result<Vec<u8>, &'static str> {
    match encoding {
        "gzip" | "x-gzip" => bounded(MultiGzDecoder::new(body)),
        // By the book it has zlib's header; some leave that out.
        "deflate" if has_zlib_header(body) => bounded(ZlibDecoder::new(body)),
        "deflate" => bounded(DeflateDecoder::new(body)),
        "br" => bounded(brotli_decompressor::Decompressor::new(body, BUFFER)),
        "zstd" => bounded(zstd(body).map_err(|_| "encoding")?),
        _ => Err("encoding"),
    }
}

fn has_zlib_header(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0
        }
        _ => false,
    }
}

fn zstd(body: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW)?;
    Ok(decoder)
}

/// Everything that a decoder makes, if that is not too much: a few kilobytes can
/// stand for gigabytes.
fn bounded(decoder: impl Read) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    let bound = LIMIT as u64 + 1;
    decoder
        .take(bound)
        .read_to_end(&mut body)
        .map_err(|_| "encoding")?;
    if body.len() > LIMIT {
        return Err("too_large");
    }
    Ok(body)
}

/// A body as text: in the charset of its byte order mark, else of its header, else of
/// the document itself, else in UTF-8.
pub(super) fn text<'a>(headers: &HeaderMap, body: &'a [u8]) -> Cow<'a, str> {
    let named = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| charset(value.as_bytes()))
        .or_else(|| charset_of_document(body))
        .unwrap_or(UTF_8);
    // This looks at the mark first.
    named.decode(body).0
}

fn charset(content_type: &[u8]) -> Option<&'static Encoding> {
    static CHARSET: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i);\s*charset\s*=\s*"?([^\s;"]+)"#).ok());
    label(CHARSET.as_ref()?, content_type)
}

fn charset_of_document(body: &[u8]) -> Option<&'static Encoding> {
    static CHARSET: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)<meta\s[^>]*charset\s*=\s*["']?([^\s"'/>;]+)|^<\?xml\s[^>]*encoding\s*=\s*["']([^"']+)"#,
        )
        .ok()
    });
    let start = &body[..body.len().min(PRESCANNED)];
    let named = label(CHARSET.as_ref()?, start)?;
    // It was found in bytes that are ASCII: such a document is none of UTF-16.
    Some(match named.name() {
        "UTF-16LE" | "UTF-16BE" => UTF_8,
        _ => named,
    })
}

fn label(pattern: &Regex, text: &[u8]) -> Option<&'static Encoding> {
    let found = pattern.captures(text)?;
    let label = found.iter().skip(1).flatten().next()?;
    Encoding::for_label(label.as_bytes())
}

#[cfg(test)]
mod tests;
