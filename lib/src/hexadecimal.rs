//! Bytes as people and databases write them.

use std::fmt::Write;

/// Two lower-case digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of such a text, in either case; nothing where it is none.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        let digit = char::from(byte).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_are_written_and_rubbish_is_not() {
        let all: Vec<u8> = (0..=255).collect();
        let text = hexadecimal(&all);
        assert_eq!(bytes(&text), Some(all.clone()));
        assert_eq!(bytes(&text.to_uppercase()), Some(all));
        for rubbish in ["a", "abc", "zz", "0x", "é"] {
            assert_eq!(bytes(rubbish), None, "{rubbish}");
        }
    }
}
