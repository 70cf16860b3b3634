//! A body as JSON, also where its sender wrote what JSON cannot hold.
//!
//! Those who raise alerts build them from whatever went wrong: half an emoji where a
//! text was cut, NaN, a line break inside quotes, bytes that are no UTF-8, an error
//! that nests its causes a thousand deep. None of that is worth an alert, so it is
//! replaced, and said so. What is no JSON for another reason is refused.

use std::{fmt::Write, iter::Peekable, str::Chars};

use serde_json::Value;

use super::door_notes::DoorNotes;
use crate::{bounded_json, messages::plain_text};

/// How many levels of a body are taken; a text stands for what nests deeper.
const LEVELS: usize = 16;

/// What stands for text that cannot be read.
const REPLACEMENT: char = '\u{fffd}';

/// Reads a body.
///
/// # Errors
/// Where it stops being JSON, as a text for the caller.
pub(super) fn read(body: &[u8], notes: &mut DoorNotes) -> Result<Value, String> {
    let error = match bounded_json::read_telling(body, LEVELS) {
        Ok((value, is_changed)) => {
            if is_changed {
                notes.add("the body", "what no parser would read was replaced");
            }
            return Ok(value);
        }
        Err(error) => error,
    };
    let text = repaired(&String::from_utf8_lossy(body));
    if let Ok(value) = bounded_json::read(text.as_bytes(), LEVELS) {
        notes.add("the body", "what JSON cannot hold was replaced");
        return Ok(value);
    }
    // Serde's text names a place, never what stood there.
    Err(format!(
        "the body is not JSON: {}",
        plain_text::cut(&error.to_string(), 200)
    ))
}

/// The same text with what JSON cannot hold replaced, if it is JSON otherwise.
fn repaired(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut repair = Repair {
        rest: text.chars().peekable(),
        written: String::with_capacity(text.len()),
    };
    repair.run();
    repair.written
}

struct Repair<'a> {
    rest: Peekable<Chars<'a>>,
    written: String,
}

impl Repair<'_> {
    fn run(&mut self) {
        while let Some(letter) = self.rest.next() {
            match letter {
                '"' => self.string(),
                '-' | '0'..='9' | 'N' | 'I' => self.number(letter),
                other => self.written.push(other),
            }
        }
    }

    /// A number, or what languages write for one that JSON does not have.
    fn number(&mut self, first: char) {
        let mut token = String::from(first);
        let belongs = |letter: &char| letter.is_ascii_alphanumeric() || "+-.".contains(*letter);
        while let Some(letter) = self.rest.next_if(belongs) {
            token.push(letter);
        }
        let is_finite = token.parse::<f64>().map(f64::is_finite);
        self.written.push_str(if is_finite == Ok(false) {
            "null"
        } else {
            &token
        });
    }

    fn string(&mut self) {
        self.written.push('"');
        while let Some(letter) = self.rest.next() {
            match letter {
                '"' => {
                    self.written.push('"');
                    return;
                }
                '\\' => self.escape(),
                control if control.is_control() => {
                    self.write_escape(u32::from(control));
                }
                other => self.written.push(other),
            }
        }
    }

    /// What follows a backslash. An escape of half a character stands for nothing.
    fn escape(&mut self) {
        let Some(kind) = self.rest.next() else { return };
        if kind != 'u' {
            self.written.push('\\');
            self.written.push(kind);
            return;
        }
        let unit = self.hexadecimal();
        let mut units = vec![unit];
        if (0xd800..0xdc00).contains(&unit) && self.is_escape_next() {
            self.rest.nth(1);
            units.push(self.hexadecimal());
        }
        for decoded in char::decode_utf16(units) {
            match decoded.unwrap_or(REPLACEMENT) {
                plain if plain.is_alphanumeric() => self.written.push(plain),
                other => {
                    let mut buffer = [0; 2];
                    for unit in other.encode_utf16(&mut buffer) {
                        self.write_escape(u32::from(*unit));
                    }
                }
            }
        }
    }

    fn write_escape(&mut self, unit: u32) {
        // Writing to a text cannot fail.
        let _ = write!(self.written, "\\u{unit:04x}");
    }

    /// Whether another `\u` follows.
    fn is_escape_next(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next() == Some('\\') && ahead.next() == Some('u')
    }

    /// Up to four hexadecimal digits.
    fn hexadecimal(&mut self) -> u16 {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.rest.next_if(char::is_ascii_hexdigit) else {
                break;
            };
            unit = unit << 4 | u16::try_from(digit.to_digit(16).unwrap_or(0)).unwrap_or(0);
        }
        unit
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(body: &[u8], expected: &Value, is_repaired: bool) {
        let mut notes = DoorNotes::default();
        let text = String::from_utf8_lossy(body);
        let text = plain_text::cut(&text, 100);
        assert_eq!(read(body, &mut notes).as_ref(), Ok(expected), "{text}");
        assert_eq!(notes.text().is_some(), is_repaired, "{text}");
    }

    #[test]
    fn what_json_cannot_hold_is_replaced_and_the_rest_stays() {
        check(b" {\"a\": [1.5, true]} ", &json!({"a": [1.5, true]}), false);
        check(b"\"\\ud83c\\udf77 \\u00e9\"", &json!("🍷 é"), false);
        for (body, expected) in [
            (
                &b"[\"cut \\ud83c\", \"b\"]"[..],
                json!(["cut \u{fffd}", "b"]),
            ),
            (b"[\"\\udf77\\ud83c\\udf77\"]", json!(["\u{fffd}🍷"])),
            (b"[\"\\ud83c\\u0041\\n\"]", json!(["\u{fffd}A\n"])),
            (b"[\"\\ud83c\\\"\\u0022\"]", json!(["\u{fffd}\"\""])),
            (
                b"{\"n\": NaN, \"i\": -Infinity, \"b\": 1e999, \"t\": \"NaN 1e999\"}",
                json!({"n": null, "i": null, "b": null, "t": "NaN 1e999"}),
            ),
            (b"[\"one\ntwo\tthree\", 1]", json!(["one\ntwo\tthree", 1])),
            (b"[\"caf\xe9\", -1.5e3]", json!(["caf\u{fffd}", -1500.0])),
            (b"\xef\xbb\xbf[1]", json!([1])),
        ] {
            check(body, &expected, true);
        }
        let levels = |count| format!("{}1{}", "[".repeat(count), "]".repeat(count));
        let fits = levels(LEVELS);
        check(fits.as_bytes(), &fits.parse().unwrap(), false);
        let cut = levels(LEVELS).replace('1', "\"(left out: nested too deep)\"");
        check(levels(LEVELS + 1).as_bytes(), &cut.parse().unwrap(), true);
    }

    #[test]
    fn what_is_nested_beyond_all_measure_takes_no_other_along() {
        for depth in [200, 100_000] {
            for [open, close] in [["[", "]"], ["{\"]\": ", "}"]] {
                let deep = format!("{}\"}}]\"{}", open.repeat(depth), close.repeat(depth));
                let body = format!("[{{\"a\": {deep}, \"b\": 1}}, 2]");
                let mut notes = DoorNotes::default();
                let value = read(body.as_bytes(), &mut notes).expect("it is read");
                assert_eq!((&value[0]["b"], &value[1]), (&json!(1), &json!(2)));
            }
        }
    }

    #[test]
    fn what_is_no_json_for_another_reason_is_refused() {
        for (body, expected) in [
            (&b""[..], "EOF while parsing a value at line 1 column 0"),
            (b"alert", "expected value at line 1 column 1"),
            (b"{\"a\": 1,}", "trailing comma at line 1 column 9"),
            (b"[\"open", "EOF while parsing a string at line 1 column 6"),
            (b"[1] 2", "trailing characters at line 1 column 5"),
        ] {
            let expected = format!("the body is not JSON: {expected}");
            assert_eq!(read(body, &mut DoorNotes::default()), Err(expected));
        }
    }
}
