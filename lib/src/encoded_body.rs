//! Bodies that were encoded on their way, decoded in as many steps as they were encoded in,
//! and never to more than may be. Pure.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

/// How large a body may be once it is decoded, in bytes.
pub(crate) const LIMIT: usize = 4 * 1024 * 1024;

/// How many times over an answer may be encoded.
const LAYERS: usize = 3;

/// The buffers of a decoder, in bytes.
const BUFFER: usize = 16 * 1024;

/// How far a zstd frame may look back: the least that every decoder has to bear,
/// 8 MiB, as a power of two.
const ZSTD_WINDOW: u32 = 23;

/// Takes off what a body was encoded with.
///
/// # Errors
/// The stable word for what is wrong: `encoding`, or `too_large` if more comes out
/// than may.
pub(crate) fn decode<'a>(
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
    // Without a body the headers may still say how it would be encoded.
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

#[cfg(test)]
mod tests;
