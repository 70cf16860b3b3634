//! What stays of a name when what varies is taken out of it, so that few names stand for
//! however many paths and statements. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// From how many characters on a part of a path is no word.
const LONG: usize = 40;

/// A statement's texts and numbers; a name may hold digits.
static LITERALS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"'(?:[^']|'')*'?|(?:^|\b)[0-9]+(?:\.[0-9]+)?\b").ok());

/// A path whose ids are one word: `/wines/[id]`.
pub(super) fn path(path: &str) -> String {
    let parts = path.split('/');
    let parts = parts.map(|part| if is_id(part) { "[id]" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn is_id(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let is_hexadecimal = part
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_number = digits > 0 && digits == part.len();
    is_number || part.len() >= LONG || (digits > 1 && part.len() >= 12 && is_hexadecimal)
}

/// A statement whose values are `?`; `$1` stays.
pub(super) fn statement(statement: &str) -> String {
    let Some(literals) = LITERALS.as_ref() else {
        return "unknown".to_owned();
    };
    // What a placeholder's number is would be a number as well.
    let parts = statement.split('$').enumerate();
    let parts = parts.map(|(nth, part)| {
        let digits = if nth == 0 {
            0
        } else {
            part.bytes().take_while(u8::is_ascii_digit).count()
        };
        let (number, rest) = part.split_at(digits);
        format!("{number}{}", literals.replace_all(rest, "?"))
    });
    parts.collect::<Vec<_>>().join("$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_a_path_are_one_word() {
        for (given, expected) in [
            ("/wines/17", "/wines/[id]"),
            ("/wines/[id]/labels/", "/wines/[id]/labels/"),
            ("/w/7c5e2f10-9d0a-4b52-8d1c-0f6a1b2c3d4e/x", "/w/[id]/x"),
            ("/v1/feedback", "/v1/feedback"),
            (
                "/reset/aVeryLongTokenThatNobodyElseHasOrWouldGuess",
                "/reset/[id]",
            ),
            ("/2024-2025-report", "/2024-2025-report"),
            ("/", "/"),
            ("", ""),
        ] {
            assert_eq!(path(given), expected);
        }
    }

    #[test]
    fn a_statement_keeps_no_values() {
        for (given, expected) in [
            (
                "select * from wines where id = $1",
                "select * from wines where id = $1",
            ),
            (
                "select 'it''s', 17 from w2 limit 1.5",
                "select ?, ? from w2 limit ?",
            ),
            ("update a set b = 'secret", "update a set b = ?"),
            ("GET wine:17", "GET wine:?"),
        ] {
            assert_eq!(statement(given), expected);
        }
    }
}
