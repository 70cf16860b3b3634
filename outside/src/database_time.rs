//! Times from outside that the database can name, too.
//!
//! The years before the first and after 9999 are written in ways that PostgreSQL does
//! not read: such a time would fail in the database, together with everything that
//! was sent with it.

use jiff::{Timestamp, civil::Date, tz::Offset};

/// The years in which a time has to lie, in UTC.
const YEARS: std::ops::RangeInclusive<i16> = 1..=9999;

/// Reads a time of RFC 3339.
///
/// # Errors
/// What it must be, and what it is.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<Timestamp>().ok();
    time.filter(|time| YEARS.contains(&Offset::UTC.to_datetime(*time).year()))
        .ok_or_else(|| refusal("time", "2026-11-24T16:00:00Z", text))
}

/// Reads a day of RFC 3339.
///
/// # Errors
/// What it must be, and what it is.
pub fn parse_day(text: &str) -> Result<Date, String> {
    let day = text.parse::<Date>().ok();
    day.filter(|day| YEARS.contains(&day.year()))
        .ok_or_else(|| refusal("day", "2026-11-24", text))
}

fn refusal(what: &str, example: &str, text: &str) -> String {
    let shown = text.chars().filter(|letter| !letter.is_control());
    let got: String = shown.take(40).collect();
    format!("must be a {what} of the years 1 to 9999, such as {example}, got `{got}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_one_that_the_database_reads_back() {
        for (text, is_one) in [
            ("2026-11-24T16:00:00+01:00", true),
            ("2026-11-24T16:00Z", true),
            ("0001-01-01T00:00:00Z", true),
            ("9999-12-30T00:00:00Z", true),
            ("0001-01-01T00:00:00+00:01", false),
            ("0000-12-31T23:59:59Z", false),
            ("-000044-03-15T12:00:00Z", false),
            ("+010000-01-01T00:00:00Z", false),
            ("2026-02-30T00:00:00Z", false),
            ("infinity", false),
            ("tomorrow", false),
            ("", false),
        ] {
            assert_eq!(parse(text).is_ok(), is_one, "{text}");
        }
        for (text, is_one) in [
            ("2026-11-24", true),
            ("0001-01-01", true),
            ("9999-12-31", true),
            ("0000-12-31", false),
            ("-000044-03-15", false),
            ("2026-02-30", false),
            ("soon", false),
        ] {
            assert_eq!(parse_day(text).is_ok(), is_one, "{text}");
        }
        let refused = parse(&"\u{7}x".repeat(1_000)).unwrap_err();
        assert!(
            refused.ends_with(&format!("got `{}`", "x".repeat(40))),
            "{refused}"
        );
    }
}
