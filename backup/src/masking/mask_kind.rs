//! What a mask makes of a value. Pure: the same value under the same key becomes the same, so
//! that rows that were joined by it are joined still.

use std::fmt;

use jiff::{ToSpan, civil::Date};
use ring::hmac;

/// What becomes of the values of a column. Null stays null, and an empty text empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskKind {
    /// They stay.
    Keep,
    /// They become null.
    Null,
    /// They all become this.
    Fixed(String),
    /// A keyed hash in their place; different values stay different.
    Hash,
    /// An address of mail that reaches nobody; different ones stay different.
    Email,
    /// A made-up name.
    Name,
    /// A number of a country code that nobody has; different ones stay different, but for one
    /// pair in 10^11.
    Phone,
    /// Letters become x and digits 0, so that length and shape stay.
    Text,
    /// Moved by some days, the same for all dates of a row; what stands for never or for ever
    /// stays.
    Date,
}

/// What `fixed` is written with.
const FIXED: &str = "fixed:";

impl MaskKind {
    /// Reads the word that a file has.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(value) = word.strip_prefix(FIXED) {
            return Some(Self::Fixed(value.to_owned()));
        }
        let plain = [
            Self::Keep,
            Self::Null,
            Self::Hash,
            Self::Email,
            Self::Name,
            Self::Phone,
            Self::Text,
            Self::Date,
        ];
        plain.into_iter().find(|kind| kind.to_string() == word)
    }

    /// Whether different values stay different and equal ones equal, as a key has to.
    #[must_use]
    pub fn keeps_apart(&self) -> bool {
        matches!(self, Self::Keep | Self::Hash | Self::Email | Self::Phone)
    }

    /// Why values of a type cannot be masked so.
    pub(super) fn refuses(&self, sql: &str) -> Option<String> {
        let longest = match self {
            Self::Keep | Self::Null | Self::Fixed(_) => return None,
            Self::Hash if sql == "uuid" => return None,
            Self::Date if is_dated(sql) => return None,
            Self::Date => return Some(format!("{self} masks dates and times, not {sql}")),
            Self::Text => 0,
            Self::Phone => 15,
            Self::Name => 24,
            Self::Hash | Self::Email => 32,
        };
        if !is_text(sql) {
            let uuid = if *self == Self::Hash { " and uuid" } else { "" };
            return Some(format!("{self} masks text{uuid}, not {sql}"));
        }
        let limit = limit(sql).filter(|limit| *limit < longest);
        limit.map(|_| format!("{self} writes up to {longest} characters, too long for {sql}"))
    }

    /// Whether the server's text of a masked value is what the mask wrote.
    pub(super) fn is_canonical(&self, sql: &str) -> bool {
        !matches!(self, Self::Fixed(_)) || is_text(sql)
    }

    /// What becomes of a value. `row` tells its row from others.
    pub(super) fn apply(
        &self,
        key: &hmac::Key,
        sql: &str,
        value: &str,
        row: &[u8],
    ) -> Option<String> {
        if value.is_empty() && *self != Self::Null {
            return Some(String::new());
        }
        Some(match self {
            Self::Null => return None,
            Self::Keep => value.to_owned(),
            Self::Fixed(fixed) => fixed.clone(),
            Self::Hash if sql == "uuid" => uuid(&mark(key, "hash", value)),
            Self::Hash => crate::hex::of(&mark(key, "hash", value)[..16]),
            Self::Email => {
                let name = crate::hex::of(&mark(key, "email", value)[..8]);
                format!("{name}@example.invalid")
            }
            Self::Name => name(&mark(key, "name", value)),
            Self::Phone => {
                let number = number(&mark(key, "phone", value)) % 100_000_000_000;
                format!("+999{number:011}")
            }
            Self::Text => value.chars().map(hidden).collect(),
            Self::Date => moved(value, row_days(key, row)).unwrap_or_else(|| value.to_owned()),
        })
    }
}

/// As a file has it.
impl fmt::Display for MaskKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Keep => "keep",
            Self::Null => "null",
            Self::Fixed(value) => return write!(formatter, "{FIXED}{value}"),
            Self::Hash => "hash",
            Self::Email => "email",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Text => "text",
            Self::Date => "date",
        })
    }
}

/// Whether a type's values are texts that are written as they are stored.
pub(super) fn is_text(sql: &str) -> bool {
    sql == "text"
        || sql == "character varying"
        || sql.starts_with("character varying(") && sql.ends_with(')')
        || sql == "citext"
        || sql.ends_with(".citext")
}

/// Whether a type's values are days, or times.
pub(super) fn is_dated(sql: &str) -> bool {
    sql == "date" || sql.starts_with("timestamp") && !sql.ends_with("[]")
}

/// The most characters that a type takes.
fn limit(sql: &str) -> Option<usize> {
    let digits = sql.strip_prefix("character varying(")?.strip_suffix(')')?;
    digits.parse().ok()
}

fn mark(key: &hmac::Key, kind: &str, value: &str) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    context.update(kind.as_bytes());
    context.update(b"\0");
    context.update(value.as_bytes());
    let mut mark = [0; 32];
    mark.copy_from_slice(context.sign().as_ref());
    mark
}

fn number(mark: &[u8; 32]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&mark[..8]);
    u64::from_be_bytes(bytes)
}

/// A UUID of version 4 by its form.
fn uuid(mark: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&mark[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn name(mark: &[u8; 32]) -> String {
    const FIRST: [&str; 16] = [
        "Ada", "Bela", "Cleo", "Dana", "Eli", "Finn", "Gina", "Hugo", "Ines", "Jona", "Kim",
        "Lena", "Milo", "Nora", "Otis", "Pia",
    ];
    const LAST: [&str; 16] = [
        "Adler", "Berg", "Carver", "Doyle", "Ekman", "Fontaine", "Gruber", "Hale", "Iversen",
        "Jansen", "Keller", "Lund", "Moreau", "Novak", "Ortega", "Price",
    ];
    let pick = |names: [&'static str; 16], byte: u8| names[usize::from(byte & 15)];
    format!("{} {}", pick(FIRST, mark[0]), pick(LAST, mark[1]))
}

fn hidden(character: char) -> char {
    if character.is_alphabetic() {
        'x'
    } else if character.is_numeric() {
        '0'
    } else {
        character
    }
}

/// By how many days the dates of a row move: half a year at most, and never by none.
fn row_days(key: &hmac::Key, row: &[u8]) -> i64 {
    let days = i64::from(hmac::sign(key, row).as_ref()[0])
        + i64::from(hmac::sign(key, row).as_ref()[1] & 63);
    if days & 1 == 0 {
        -1 - days / 2
    } else {
        1 + days / 2
    }
}

/// A day, or a time, whose day is moved. Nothing for what stands for never or for ever: infinity,
/// and days that would leave, or are beyond, the years from 1 to 9999, on which nobody was born.
fn moved(value: &str, days: i64) -> Option<String> {
    let (day, time) = value.split_at_checked(10)?;
    if time.ends_with("BC") {
        return None;
    }
    let day: Date = day.parse().ok()?;
    let moved = day.checked_add(days.days()).ok()?;
    (moved.year() > 0).then(|| format!("{moved}{time}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())
    }

    fn masked(kind: &MaskKind, sql: &str, value: &str) -> String {
        let masked = kind.apply(&key("a"), sql, value, b"row");
        masked.unwrap_or_else(|| "null".to_owned())
    }

    #[test]
    fn words_and_kinds_are_the_same() {
        for word in [
            "keep",
            "null",
            "hash",
            "email",
            "name",
            "phone",
            "text",
            "date",
            "fixed:",
            "fixed:a:b",
        ] {
            assert_eq!(MaskKind::parse(word).unwrap().to_string(), word);
        }
        assert_eq!(MaskKind::parse("Hash"), None);
        assert_eq!(MaskKind::parse("fixed"), None);
    }

    #[test]
    fn nothing_of_a_value_is_left_and_its_form_stays() {
        for (kind, sql, value, length) in [
            (MaskKind::Hash, "text", "ada@example.org", 32),
            (
                MaskKind::Hash,
                "uuid",
                "0b0e4a5e-0000-4000-8000-00000000000a",
                36,
            ),
            (
                MaskKind::Email,
                "character varying(255)",
                "ada@example.org",
                32,
            ),
            (MaskKind::Phone, "text", "+49 30 1234567", 15),
        ] {
            let one = masked(&kind, sql, value);
            assert_eq!(one.len(), length, "{kind}: {one}");
            assert!(!one.contains(value), "{one}");
            assert_eq!(masked(&kind, sql, value), one);
            assert_ne!(masked(&kind, sql, "another"), one);
            assert_ne!(kind.apply(&key("b"), sql, value, b"row").unwrap(), one);
            assert_eq!(masked(&kind, sql, ""), "");
        }
        assert_eq!(
            masked(&MaskKind::Text, "text", "Größe 12,\n"),
            "xxxxx 00,\n"
        );
        assert_eq!(
            masked(&MaskKind::Fixed("{}".into()), "jsonb", "{\"a\": 1}"),
            "{}"
        );
        assert_eq!(masked(&MaskKind::Null, "text", ""), "null");
        assert_eq!(
            masked(&MaskKind::Name, "text", "Ada Lovelace")
                .split(' ')
                .count(),
            2
        );
    }

    #[test]
    fn all_dates_of_a_row_move_alike_and_none_stays() {
        let key = key("a");
        for number in 0..500_u32 {
            let row = number.to_be_bytes();
            let days = row_days(&key, &row);
            assert!(days != 0 && days.abs() <= 183, "{days}");
            let moved = |value: &str| MaskKind::Date.apply(&key, "date", value, &row).unwrap();
            let day: Date = moved("2026-03-01").parse().unwrap();
            let time = moved("2026-03-01 12:34:56.7+00");
            assert_eq!(time, format!("{day} 12:34:56.7+00"));
            assert_ne!(day.to_string(), "2026-03-01");
        }
    }

    #[test]
    fn what_stands_for_never_or_for_ever_is_no_day_of_anybody() {
        for (value, days) in [
            ("-infinity", 1),
            ("infinity", 1),
            ("0044-03-15 BC", 1),
            ("0044-03-15 00:00:00+00 BC", 1),
            ("10000-01-01", -1),
            ("294276-12-31 23:59:59+00", -1),
            ("9999-12-31", 1),
            ("0001-01-01 00:00:00+00", -1),
        ] {
            assert_eq!(moved(value, days), None, "{value}");
        }
        assert_eq!(moved("9999-12-31", -1).as_deref(), Some("9999-12-30"));
        assert_eq!(masked(&MaskKind::Date, "date", "infinity"), "infinity");
    }

    #[test]
    fn a_mask_is_refused_where_it_does_not_fit() {
        for (word, sql, refused) in [
            ("hash", "integer", "hash masks text and uuid, not integer"),
            ("email", "jsonb", "email masks text, not jsonb"),
            ("date", "text", "date masks dates and times, not text"),
            (
                "email",
                "character varying(20)",
                "email writes up to 32 characters, too long for character varying(20)",
            ),
            ("text", "character(3)", "text masks text, not character(3)"),
        ] {
            let kind = MaskKind::parse(word).unwrap();
            assert_eq!(kind.refuses(sql).as_deref(), Some(refused));
        }
        for (word, sql) in [
            ("text", "character varying(3)"),
            ("email", "extensions.citext"),
            ("null", "integer"),
            ("date", "timestamp(3) with time zone"),
            ("fixed:1", "integer"),
        ] {
            assert_eq!(MaskKind::parse(word).unwrap().refuses(sql), None, "{word}");
        }
    }
}
