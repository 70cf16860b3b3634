//! Bytes, counts, ages and durations as people read them.

use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount};
use jiff::Timestamp;

/// Bytes: `1.21 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

/// A count: `1,234,567`.
pub(crate) fn count(count: u64) -> String {
    HumanCount(count).to_string()
}

/// How long ago, in its two largest units.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    let [days, hours, minutes] = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60];
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// How long something took.
pub(crate) fn took(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units() {
        let then: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        for (now, text) in [
            ("2026-11-24T23:00:00Z", "0 min"),
            ("2026-11-25T00:00:59Z", "0 min"),
            ("2026-11-25T00:31:00Z", "31 min"),
            ("2026-11-25T05:07:00Z", "5 h 7 min"),
            ("2026-12-01T23:07:00Z", "6 d 23 h"),
        ] {
            assert_eq!(age(now.parse().unwrap(), then), text);
        }
    }

    #[test]
    fn durations_are_exact_only_while_short() {
        assert_eq!(took(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(took(Duration::from_secs(754)), "12 min 34 s");
    }
}
