//! What an answer says, from the bytes that came, read in its own charset. Pure.

use std::{borrow::Cow, sync::LazyLock};

use encoding_rs::{Encoding, UTF_8};
use http::{HeaderMap, header};
use regex::bytes::Regex;

/// Where a document names its charset itself, if its header does not.
const PRESCANNED: usize = 1024;

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
