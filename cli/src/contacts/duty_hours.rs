//! Hours of a contact as people write them: `mon-fri 09:00-18:00`, `daily 22:00-07:00`.

use std::fmt;

use serde::{Deserialize, Serialize};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days from 1 for Monday to 7, and two times of day; the second time lies on the
/// following day if it is the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DutyHours {
    days: Vec<u8>,
    from: String,
    until: String,
}

impl DutyHours {
    /// Reads days, ranges of days or both, then a range of times.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("the hours must be written as `mon-fri 09:00-18:00`, got `{text}`");
        let (days, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let (from, until) = times.trim().split_once('-').ok_or_else(wrong)?;
        let days = if days.eq_ignore_ascii_case("daily") {
            "mon-sun"
        } else {
            days
        };
        let mut known: Vec<u8> = Vec::new();
        for part in days.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first).ok_or_else(wrong)?, day(last).ok_or_else(wrong)?);
            // `fri-mon` passes the end of the week.
            let length = (last + 7 - first) % 7;
            known.extend((first..=first + length).map(|day| (day - 1) % 7 + 1));
        }
        known.sort_unstable();
        known.dedup();
        Ok(Self {
            days: known,
            from: time(from).ok_or_else(wrong)?,
            until: time(until).ok_or_else(wrong)?,
        })
    }
}

fn day(word: &str) -> Option<u8> {
    let place = DAYS
        .iter()
        .position(|day| day.eq_ignore_ascii_case(word.trim()))?;
    u8::try_from(place + 1).ok()
}

fn time(word: &str) -> Option<String> {
    let (hour, minute) = word.trim().split_once(':')?;
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
}

impl fmt::Display for DutyHours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = self
            .days
            .iter()
            .filter_map(|day| DAYS.get(usize::from(*day).checked_sub(1)?).copied())
            .collect();
        let days = if days == DAYS {
            "daily".to_owned()
        } else {
            days.join(",")
        };
        write!(formatter, "{days} {}-{}", self.from, self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (words, days, from, until) in [
            ("mon-fri 09:00-18:00", vec![1, 2, 3, 4, 5], "09:00", "18:00"),
            ("Sat,Sun 8:30-12:05", vec![6, 7], "08:30", "12:05"),
            ("fri-mon 22:00-06:00", vec![1, 5, 6, 7], "22:00", "06:00"),
            ("wed 00:00-23:59", vec![3], "00:00", "23:59"),
            ("daily 22:00-07:00", (1..=7).collect(), "22:00", "07:00"),
        ] {
            let hours = DutyHours::parse(words).unwrap();
            assert_eq!(
                (hours.days, hours.from.as_str(), hours.until.as_str()),
                (days, from, until),
                "{words}"
            );
        }
    }

    #[test]
    fn what_is_not_hours_is_refused() {
        for words in [
            "",
            "9-18",
            "weekdays 09:00-18:00",
            "mon 24:00-25:00",
            "mon 09:00",
            "mon- 1:00-2:00",
        ] {
            assert!(DutyHours::parse(words).is_err(), "{words}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for (words, shown) in [
            ("mon-wed,sat 09:00-18:00", "mon,tue,wed,sat 09:00-18:00"),
            ("mon-sun 22:00-07:00", "daily 22:00-07:00"),
        ] {
            let hours = DutyHours::parse(words).unwrap();
            assert_eq!(hours.to_string(), shown);
            assert_eq!(DutyHours::parse(shown), Ok(hours));
        }
    }
}
