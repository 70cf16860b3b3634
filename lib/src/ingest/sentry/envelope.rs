//! The framing of envelopes: a header, then parts of a header and a payload each.
//!
//! A header is one line of JSON. A payload has the length that its header says, or else ends
//! with its line. See "Envelopes" at develop.sentry.dev. What cannot be read is skipped as
//! far as it can be told where it ends. Pure.

use serde_json::{Map, Value};

use crate::bounded_json;

/// How long a header may be, in bytes.
const HEADER: usize = 16 * 1024;

/// How many levels of a header are read.
const LEVELS: usize = 4;

/// What an envelope says, and what is in it.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) header: Map<String, Value>,
    pub(super) parts: Parts<'a>,
}

impl<'a> Envelope<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it, for whoever sent it.
    pub(super) fn open(body: &'a [u8]) -> Result<Self, &'static str> {
        let (line, rest) = line(body);
        let header =
            header(line).ok_or("the envelope's header must be a line of JSON, an object")?;
        Ok(Self {
            header,
            parts: Parts { rest },
        })
    }
}

/// What stands where a part is expected.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// One of that type.
    Whole {
        kind: String,
        header: Map<String, Value>,
        payload: &'a [u8],
    },
    /// One that ends before its length.
    Truncated,
    /// One whose header is none.
    Unreadable,
}

/// The parts of an envelope, in their order.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        loop {
            let (first, rest) = line(self.rest);
            if first.is_empty() && rest.is_empty() {
                return None;
            }
            self.rest = rest;
            if first.trim_ascii().is_empty() {
                continue;
            }
            let Some(header) = header(first) else {
                // Most clients write a payload on one line.
                (_, self.rest) = line(rest);
                return Some(Part::Unreadable);
            };
            if let Some(kind) = header.get("type").and_then(Value::as_str) {
                let kind = kind.to_owned();
                return Some(self.part(kind, header));
            }
            if header.contains_key("length") {
                (_, self.rest) = line(rest);
                return Some(Part::Unreadable);
            }
            // Another envelope's header, where two were sent as one.
        }
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self, kind: String, header: Map<String, Value>) -> Part<'a> {
        let length = header.get("length").and_then(Value::as_u64);
        let payload = match length.map(usize::try_from) {
            Some(Ok(length)) if length <= self.rest.len() => {
                let (payload, rest) = self.rest.split_at(length);
                self.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                payload
            }
            Some(_) => {
                self.rest = &[];
                return Part::Truncated;
            }
            None => {
                let (payload, rest) = line(self.rest);
                self.rest = rest;
                payload
            }
        };
        Part::Whole {
            kind,
            header,
            payload,
        }
    }
}

/// What stands before the first end of a line, and what after it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

fn header(line: &[u8]) -> Option<Map<String, Value>> {
    if line.len() > HEADER {
        return None;
    }
    bounded_json::read(line, LEVELS).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts in short.
    fn parts(body: &[u8]) -> Vec<String> {
        let envelope = Envelope::open(body).unwrap();
        let short = |part| match part {
            Part::Whole { kind, payload, .. } => {
                format!("{kind} {}", String::from_utf8_lossy(payload))
            }
            Part::Truncated => "truncated".to_owned(),
            Part::Unreadable => "unreadable".to_owned(),
        };
        envelope.parts.map(short).collect()
    }

    #[test]
    fn parts_are_as_long_as_they_say_or_end_with_their_line() {
        for (body, expected) in [
            ("{}", vec![]),
            ("{}\n", vec![]),
            ("{}\n\n\n", vec![]),
            ("{}\n{\"type\":\"a\"}\n{}", vec!["a {}"]),
            ("{}\n{\"type\":\"a\"}\n{}\n", vec!["a {}"]),
            ("{}\r\n{\"type\":\"a\"}\r\n{}\r\n", vec!["a {}\r"]),
            ("{}\n{\"type\":\"a\"}", vec!["a "]),
            (
                "{}\n{\"type\":\"a\"}\n\n{\"type\":\"b\"}\n1",
                vec!["a ", "b 1"],
            ),
            (
                "{}\n{\"type\":\"a\",\"length\":3}\nx\ny\n{\"type\":\"b\",\"length\":0}\n\n{\"type\":\"c\"}\n1",
                vec!["a x\ny", "b ", "c 1"],
            ),
            (
                "{\"new\":{\"key\":1}}\n{\"type\":\"riddle\",\"new\":[1]}\n?\n{\"type\":\"a\"}\n1",
                vec!["riddle ?", "a 1"],
            ),
        ] {
            assert_eq!(parts(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn what_is_broken_takes_as_little_along_as_can_be() {
        for (body, expected) in [
            ("{}\n{\"type\":\"a\",\"length\":9}\nxy", vec!["truncated"]),
            (
                "{}\n{\"type\":\"a\",\"length\":18446744073709551615}\nxy",
                vec!["truncated"],
            ),
            ("{}\n{\"type\":\"a\",\"length\":-1}\nxy", vec!["a xy"]),
            ("{}\n{\"type\":\"a\",\"length\":1e400}\nxy", vec!["a xy"]),
            (
                "{}\nriddle\n{}\n{\"type\":\"a\"}\n1",
                vec!["unreadable", "a 1"],
            ),
            (
                "{}\n{\"type\":7,\"length\":1}\n{}\n{\"type\":\"a\"}\n1",
                vec!["unreadable", "a 1"],
            ),
            (
                "{}\n{\"type\":\"a\"}\n1\n{\"event_id\":\"x\"}\n{\"type\":\"a\"}\n1\n",
                vec!["a 1", "a 1"],
            ),
        ] {
            assert_eq!(parts(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn without_a_header_it_is_no_envelope() {
        let long = format!("{{\"dsn\":\"{}\"}}", "x".repeat(HEADER));
        for body in ["", "\n{}", "7", "[]", "{", "null", "\u{0}", &long] {
            assert!(Envelope::open(body.as_bytes()).is_err(), "{body:.40}");
        }
    }
}
