//! The hours of each day that a layer of a rotation has, as people write them:
//! `09:00-17:00`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Two times of day; the second one lies on the following day if it is the earlier
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerHours {
    from: String,
    until: String,
}

impl FromStr for LayerHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("the hours must be written as 09:00-17:00, got `{text}`");
        let (from, until) = text.split_once('-').ok_or_else(wrong)?;
        Ok(Self {
            from: time(from).ok_or_else(wrong)?,
            until: time(until).ok_or_else(wrong)?,
        })
    }
}

impl fmt::Display for LayerHours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.from, self.until)
    }
}

/// A time of day, with its hour in two digits.
pub(super) fn time(text: &str) -> Option<String> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_two_times_of_day() {
        let shown = |text: &str| text.parse::<LayerHours>().map(|hours| hours.to_string());
        assert_eq!(shown("9:00-17:30"), Ok("09:00-17:30".to_owned()));
        assert_eq!(shown("20:00-08:00"), Ok("20:00-08:00".to_owned()));
        for nonsense in ["", "9-17", "09:00", "09:00-24:00", "09:60-10:00"] {
            assert!(shown(nonsense).is_err(), "{nonsense}");
        }
    }
}
