//! Lengths of time as an operator writes them.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

use crate::failure::Misuse;

/// The end of a length of time that begins now.
pub(super) fn until(length: &str) -> anyhow::Result<Timestamp> {
    ops::clock::now()
        .checked_add(duration(length)?)
        .context("too far ahead")
}

/// A length of time such as `90m`, `2h` or `3d`.
pub(super) fn duration(length: &str) -> anyhow::Result<SignedDuration> {
    let wrong = || {
        Misuse(format!(
            "a length is written as 90m, 2h or 3d, not {length}"
        ))
    };
    let unit = length.chars().last().ok_or_else(wrong)?;
    let count: i64 = length[..length.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| wrong())?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return Err(wrong().into()),
    };
    let minutes = count
        .checked_mul(minutes)
        .filter(|minutes| (1..=1_000_000).contains(minutes));
    Ok(SignedDuration::from_mins(minutes.ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_minutes_hours_or_days() {
        for (length, minutes) in [("90m", 90), ("2h", 120), ("3d", 4_320)] {
            let ahead = until(length).unwrap().duration_since(ops::clock::now());
            assert!(
                (minutes * 60 - 5..=minutes * 60).contains(&ahead.as_secs()),
                "{length}"
            );
        }
        for length in ["", "m", "2", "2w", "-2h", "0m", "2 h", "99999999d", "2ü"] {
            assert!(until(length).is_err(), "{length}");
        }
    }
}
