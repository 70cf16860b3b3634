//! Times and lengths of time, as an operator writes and reads them.

use std::time::Duration;

use anyhow::Context;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use ops::messages::quantities::duration;

/// The end of a length of time that begins now.
pub(crate) fn end_of(length: SignedDuration) -> anyhow::Result<Timestamp> {
    outside::clock::now()
        .checked_add(length)
        .context("that is too far ahead")
}

/// Reads a length of time such as `90m`, `2h` or `3d`.
pub(crate) fn length(text: &str) -> Result<SignedDuration, String> {
    const MINUTES: std::ops::RangeInclusive<i64> = 1..=1_000_000;
    let wrong = || format!("a length of time must be written as 90m, 2h or 3d, got `{text}`");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: i64 = text[..text.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| wrong())?;
    let minutes_of_unit = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return Err(wrong()),
    };
    let minutes = count.checked_mul(minutes_of_unit);
    minutes
        .filter(|minutes| MINUTES.contains(minutes))
        .map(SignedDuration::from_mins)
        .ok_or_else(wrong)
}

/// Reads a moment, or a day for its first one, in UTC.
pub(crate) fn first_moment(text: &str) -> Result<Timestamp, String> {
    moment(text, Ok)
}

/// Reads a moment, or a day for the first one after it, in UTC.
pub(crate) fn end_moment(text: &str) -> Result<Timestamp, String> {
    moment(text, Date::tomorrow)
}

fn moment(
    text: &str,
    day: impl FnOnce(Date) -> Result<Date, jiff::Error>,
) -> Result<Timestamp, String> {
    let midnight = |date: Date| TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight()));
    text.parse::<Timestamp>()
        .or_else(|_| text.parse::<Date>().and_then(day).and_then(midnight))
        .map_err(|_| "a time must be written as 2026-11-24 or 2026-11-24T07:00:00Z".to_owned())
}

/// A length of time that is known in seconds, in its two largest units.
pub(crate) fn for_seconds(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds).map_or(0, |length| length.as_secs());
    duration(whole)
}

/// A time to the minute, in UTC.
pub(crate) fn to_the_minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A time to the second, in UTC.
pub(crate) fn to_the_second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_minutes_hours_or_days() {
        for (text, minutes) in [("90m", 90), ("2h", 120), ("3d", 4_320)] {
            assert_eq!(length(text), Ok(SignedDuration::from_mins(minutes)));
        }
        for text in ["", "m", "2", "2w", "-2h", "0m", "2 h", "99999999d", "2ü"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_with_its_first_moment_and_ends_before_the_next_one() {
        let at = |text: &str| Ok(text.parse().unwrap());
        for (text, first, end) in [
            ("2026-11-30", "2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"),
            (
                "2026-11-30T01:00:00+01:00",
                "2026-11-30T00:00:00Z",
                "2026-11-30T00:00:00Z",
            ),
        ] {
            assert_eq!((first_moment(text), end_moment(text)), (at(first), at(end)));
        }
        for text in ["", "yesterday", "2026-13-01", "7:00", "9999-12-31"] {
            assert!(end_moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_said_in_two_units() {
        for (seconds, text) in [
            (5_400.9, "1 h 30 min"),
            (0.4, "0 s"),
            (-1.0, "0 s"),
            (f64::NAN, "0 s"),
        ] {
            assert_eq!(for_seconds(seconds), text);
        }
    }

    #[test]
    fn a_length_begins_now() {
        let end = end_of(SignedDuration::from_mins(90)).unwrap();
        let ahead = end.duration_since(outside::clock::now()).as_secs();
        assert!((5_395..=5_400).contains(&ahead), "{ahead}");
    }
}
