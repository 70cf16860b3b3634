//! JSON as it comes from elsewhere, read however odd a part of it is.
//!
//! The parser gives a whole document up over one value that nests too deep, a number
//! that it cannot hold, half of a character, or a key that is a private name of its own,
//! by which it would parse a text as JSON. Here such a value alone is changed before the
//! document is parsed: what nests too deep is left out, such a number becomes a text, such
//! a half U+FFFD, and such a name another one. This must stay a scan without recursion, or depth could exhaust
//! the stack.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What stands in the place of what was left out.
const LEFT_OUT: &[u8] = br#""(left out: nested too deep)""#;

/// What the parser's private names begin with. They work because platforms' runtimes
/// switch its feature `raw_value` on.
const PRIVATE: &str = "$serde_json::private::";

/// Reads a document of at most so many levels of arrays and objects; deeper ones are
/// left out, and a text says so in their place.
///
/// # Errors
/// When it is no JSON, or is not what is asked for.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8], levels: usize) -> serde_json::Result<T> {
    read_telling(text, levels).map(|(value, _)| value)
}

/// The same, and whether anything was changed for it.
///
/// # Errors
/// When it is no JSON, or is not what is asked for.
pub(crate) fn read_telling<T: DeserializeOwned>(
    text: &[u8],
    levels: usize,
) -> serde_json::Result<(T, bool)> {
    let bounded = bounded(text, levels);
    let value = serde_json::from_slice(&bounded)?;
    Ok((value, matches!(bounded, Cow::Owned(_))))
}

/// The text as a parser can read it; whatever is no JSON is left as it is.
fn bounded(text: &[u8], levels: usize) -> Cow<'_, [u8]> {
    let mut kept = Vec::new();
    let mut copied = 0;
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(text, at);
                if let Some(other) = readable(&text[at..end]).filter(|_| depth <= levels) {
                    kept.extend_from_slice(&text[copied..at]);
                    kept.extend_from_slice(&other);
                    copied = end;
                }
                at = end;
            }
            b'[' | b'{' => {
                if depth == levels {
                    kept.extend_from_slice(&text[copied..at]);
                    kept.extend_from_slice(LEFT_OUT);
                }
                depth += 1;
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at += 1;
                if depth == levels {
                    copied = at;
                }
            }
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(text, at);
                if depth <= levels && is_too_large(&text[at..end]) {
                    kept.extend_from_slice(&text[copied..at]);
                    kept.push(b'"');
                    kept.extend_from_slice(&text[at..end]);
                    kept.push(b'"');
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    // What ends before its arrays and objects do is for the parser to refuse.
    if kept.is_empty() || depth > levels {
        return Cow::Borrowed(text);
    }
    kept.extend_from_slice(&text[copied..]);
    Cow::Owned(kept)
}

/// Another string in the place of one that the parser would refuse, or take for more.
fn readable(string: &[u8]) -> Option<Vec<u8>> {
    let whole = without_halves(string);
    let name = renamed(whole.as_deref().unwrap_or(string));
    name.map(|name| name.to_string().into_bytes()).or(whole)
}

/// The string with U+FFFD for each half of a character whose other half is missing, as it is
/// after a script cut a text; `None` if there is none.
fn without_halves(string: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(byte) = string.get(at) {
        if *byte != b'\\' {
            at += 1;
            continue;
        }
        let next = string.get(at + 6..).and_then(escaped_unit);
        match (escaped_unit(&string[at..]), next) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                kept.extend_from_slice(&string[copied..at]);
                kept.extend_from_slice(b"\\ufffd");
                at += 6;
                copied = at;
            }
            _ => at += 2,
        }
    }
    if copied == 0 {
        return None;
    }
    kept.extend_from_slice(&string[copied..]);
    Some(kept)
}

/// The unit of UTF-16 that an escape at the beginning of a text stands for.
fn escaped_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let whole = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| whole)
}

/// Another name in the place of a private one, however that is escaped.
fn renamed(string: &[u8]) -> Option<Value> {
    // No shorter text is one, and most that are as long show that they are not.
    let may_be = string.len() > PRIVATE.len()
        && (string.starts_with(b"\"$serde") || string.windows(2).any(|two| two == b"\\u"));
    if !may_be {
        return None;
    }
    let name: String = serde_json::from_slice(string).ok()?;
    let rest = name.strip_prefix(PRIVATE)?;
    Some(Value::String(format!("serde_json.private.{rest}")))
}

/// Where a string that begins there has ended.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn end_of_number(text: &[u8], start: usize) -> usize {
    let rest = text[start..].iter();
    let length = rest
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        .count();
    start + length
}

/// Whether a number is beyond what a float holds.
fn is_too_large(number: &[u8]) -> bool {
    // No number as short as that is, and most are.
    number.len() > 4
        && std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse::<f64>().ok())
            .is_some_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, levels: usize, expected: &Value) {
        let read: Value = read(text.as_bytes(), levels).unwrap();
        assert_eq!(read, *expected, "{text} at {levels}");
    }

    #[test]
    fn what_nests_too_deep_is_left_out_and_takes_nothing_else_along() {
        let gone = "(left out: nested too deep)";
        check(r#"{"a":[1],"b":2}"#, 2, &json!({"a": [1], "b": 2}));
        check(r#"{"a":[1],"b":2}"#, 1, &json!({"a": gone, "b": 2}));
        check(
            r#"[{"a":{"b":[["]\"}"]]}},[],7]"#,
            2,
            &json!([{"a": gone}, [], 7]),
        );
        check("[[],{}]", 1, &json!([gone, gone]));
        check("[1]", 0, &json!(gone));
        check(r#""[[""#, 0, &json!("[["));
        let deep = format!("[1,{}{},2]", "[".repeat(100_000), "]".repeat(100_000));
        check(&deep, 1, &json!([1, gone, 2]));
    }

    #[test]
    fn a_number_that_no_float_holds_becomes_a_text() {
        let digits = "9".repeat(400);
        check(
            &format!("[1e400, -1E+999 ,{digits},1e-400,-12.5e3,18446744073709551616]"),
            8,
            &json!([
                "1e400",
                "-1E+999",
                digits,
                0.0,
                -12500.0,
                18_446_744_073_709_551_616.0
            ]),
        );
    }

    #[test]
    fn half_of_a_character_is_one_that_says_so() {
        for (text, expected) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\uD83Db""#, "a\u{fffd}b"),
            (r#""\udc00\ud800""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""\\ud83d\ud83d\ude00""#, r"\ud83d😀"),
            (r#""\u00e9\ue000""#, "é\u{e000}"),
        ] {
            check(text, 8, &json!(expected));
            check(&format!("[{{{text}:1}},2]"), 8, &json!([{expected: 1}, 2]));
        }
        for broken in [r#""\ud83""#, r#""\ud83d"#, r#""\ud83x""#, r#""\u+83d""#] {
            let read: serde_json::Result<Value> = read(broken.as_bytes(), 8);
            assert!(read.is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_as_before() {
        for text in [
            "",
            "[",
            "]",
            "]]]",
            "[[[",
            "[[1]",
            "\"",
            "\"\\",
            "1e400e",
            "-",
            "[\"\\",
            "{\"a\":[[",
        ] {
            for levels in 0..3 {
                let read: serde_json::Result<Value> = read(text.as_bytes(), levels);
                assert!(read.is_err(), "{text} at {levels}");
            }
        }
    }

    #[test]
    fn the_parsers_private_names_become_names_like_others() {
        for (text, expected) in [
            (
                r#"{"$serde_json::private::RawValue":"[["}"#,
                json!({"serde_json.private.RawValue": "[["}),
            ),
            (
                r#"[{"\u0024serde_json::private::Number":"1","a":[]}]"#,
                json!([{"serde_json.private.Number": "1", "a": []}]),
            ),
            (
                r#"{"$serde_js\u006fn::private::RawValue":1}"#,
                json!({"serde_json.private.RawValue": 1}),
            ),
            (
                r#"{"\u00e9 and so on, as long as that":"\u0024"}"#,
                json!({"é and so on, as long as that": "$"}),
            ),
        ] {
            check(text, 8, &expected);
        }
    }
}
