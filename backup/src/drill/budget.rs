//! How much a drill may do: bytes of rows, or time.

use std::{str::FromStr, time::Duration};

/// What a drill measured of itself, or this until one has: the rows of a small
/// database over a slow line.
const UNMEASURED_BYTES_PER_SECOND: f64 = 5_000_000.0;

/// How much of the rows a drill restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// So many bytes of COPY text.
    Bytes(u64),
    /// What earlier drills did in that time.
    Time(Duration),
}

impl Budget {
    /// The budget in bytes, given what earlier drills restored in a second.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of bytes, which a float holds well enough and `as` bounds"
    )]
    pub fn bytes(self, per_second: Option<f64>) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Time(time) => {
                let rate = per_second.unwrap_or(UNMEASURED_BYTES_PER_SECOND);
                (time.as_secs_f64() * rate) as u64
            }
        }
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("a budget is a size or a time, such as 500MB, 2GB or 10min, got {text}");
        let end = text
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let times = |factor: u64| number.checked_mul(factor).filter(|product| *product > 0);
        let bytes = |factor| times(factor).map(Self::Bytes);
        let seconds =
            |factor| times(factor).map(|seconds| Self::Time(Duration::from_secs(seconds)));
        let budget = match unit.to_ascii_lowercase().as_str() {
            "kb" => bytes(1_000),
            "mb" => bytes(1_000_000),
            "gb" => bytes(1_000_000_000),
            "tb" => bytes(1_000_000_000_000),
            "s" => seconds(1),
            "m" | "min" => seconds(60),
            "h" => seconds(3_600),
            _ => None,
        };
        budget.ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_size_or_a_time() {
        for (text, budget) in [
            ("500MB", Some(Budget::Bytes(500_000_000))),
            ("2gb", Some(Budget::Bytes(2_000_000_000))),
            ("10min", Some(Budget::Time(Duration::from_secs(600)))),
            ("1h", Some(Budget::Time(Duration::from_secs(3_600)))),
            ("30s", Some(Budget::Time(Duration::from_secs(30)))),
            ("500", None),
            ("0MB", None),
            ("MB", None),
            ("-5MB", None),
            ("1.5GB", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(text.parse().ok(), budget, "{text}");
        }
    }

    #[test]
    fn time_counts_as_what_was_measured() {
        let minute = Budget::Time(Duration::from_secs(60));
        assert_eq!(minute.bytes(Some(1_000.0)), 60_000);
        assert_eq!(minute.bytes(None), 300_000_000);
        assert_eq!(Budget::Bytes(7).bytes(Some(1_000.0)), 7);
    }
}
