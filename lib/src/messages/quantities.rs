//! Quantities as people read them: times in UTC, durations in two units at most, and
//! numbers with their unit.

use std::time::Duration;

use jiff::Timestamp;

/// `2026-11-24 03:12 UTC`.
#[must_use]
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The time between, `4 min 12 s`; nothing if it lies in the future.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> String {
    duration(u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0))
}

/// Seconds in the two largest units that say something: `4 min 12 s`, `2 h`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = UNITS
        .iter()
        .position(|(length, _)| seconds >= *length)
        .unwrap_or(UNITS.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, unit) in UNITS.iter().skip(first).take(2) {
        let count = rest / length;
        rest %= length;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

/// A figure with its unit, rounded as one would say it: `12.4 %`, `512 ms`,
/// `5.42 s`, `1 day`, `1 h 2 min`.
#[must_use]
pub fn quantity(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some("ms") if value.abs() >= 1_000.0 => format!("{} s", number(value / 1_000.0, 3)),
        Some("ms") => format!("{} ms", number(value, 1)),
        Some("d") => days(value),
        Some("min") => minutes(value),
        Some(unit) => format!("{} {unit}", number(value, 2)),
        None => number(value, 2),
    }
}

/// `1 day`, `5 days`.
#[must_use]
pub fn days(value: f64) -> String {
    let count = number(value, 0);
    let unit = if count == "1" { "day" } else { "days" };
    format!("{count} {unit}")
}

/// `50 min`, `1 h 2 min`; nothing if it is negative.
fn minutes(value: f64) -> String {
    let length = Duration::try_from_secs_f64(value * 60.0).unwrap_or_default();
    duration(length.as_secs())
}

/// A count with its noun: `1 request`, `1,240 requests`.
#[must_use]
pub fn count(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(&value.to_string()))
}

/// At most that many decimals, none that are zero, thousands grouped.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole == "-0" && fraction.is_empty() {
        "0"
    } else {
        whole
    };
    let separator = if fraction.is_empty() { "" } else { "." };
    format!("{}{separator}{fraction}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (252, "4 min 12 s"),
            (3_600, "1 h"),
            (3_659, "1 h"),
            (7_500, "2 h 5 min"),
            (86_400 + 59 * 60, "1 d"),
            (100 * 86_400 + 3_600, "100 d 1 h"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn figures_read_as_one_would_say_them() {
        for (value, unit, text) in [
            (12.4, Some("%"), "12.4 %"),
            (5.0, Some("%"), "5 %"),
            (100.0, Some("%"), "100 %"),
            (512.0, Some("ms"), "512 ms"),
            (500.3, Some("ms"), "500.3 ms"),
            (5.04, Some("%"), "5.04 %"),
            (5_420.0, Some("ms"), "5.42 s"),
            (1_000.0, Some("ms"), "1 s"),
            (7_200_000.0, Some("ms"), "7,200 s"),
            (1.0, Some("d"), "1 day"),
            (-3.0, Some("d"), "-3 days"),
            (50.0, Some("min"), "50 min"),
            (61.5, Some("min"), "1 h 1 min"),
            (-1.0, Some("min"), "0 s"),
            (1_234_567.0, None, "1,234,567"),
            (-0.001, None, "0"),
            (0.5, Some("bottles"), "0.5 bottles"),
        ] {
            assert_eq!(quantity(value, unit), text);
        }
        assert_eq!(count(1, "request"), "1 request");
        assert_eq!(count(1_240, "request"), "1,240 requests");
    }

    #[test]
    fn times_are_in_utc_and_never_negative() {
        let from: Timestamp = "2026-11-24T03:12:40Z".parse().unwrap();
        let to: Timestamp = "2026-11-24T03:16:52Z".parse().unwrap();
        assert_eq!(time(from), "2026-11-24 03:12 UTC");
        assert_eq!(between(from, to), "4 min 12 s");
        assert_eq!(between(to, from), "0 s");
    }
}
