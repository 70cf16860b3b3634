//! Hexadecimal digits, and the hash that is written in them everywhere.

use ring::digest;

/// Lower-case hexadecimal digits.
pub(super) fn of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// Reads digits of either case into `bytes`; false unless they fill it exactly.
pub(super) fn into(text: &str, bytes: &mut [u8]) -> bool {
    let digits = text.as_bytes();
    digits.len() == bytes.len() * 2
        && digits.chunks_exact(2).zip(bytes).all(|(pair, byte)| {
            let value = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
            match (value(pair[0]), value(pair[1])) {
                (Some(high), Some(low)) => {
                    *byte = high << 4 | low;
                    true
                }
                (None, _) | (_, None) => false,
            }
        })
}

/// SHA-256 as `sha256sum` prints it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    of(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Whether a text is a SHA-256, or an HMAC, as this module writes it.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
