//! Crontabs, of which one thing is asked: how long it is from one time to the next, at the
//! most. Pure.

use jiff::civil::{Date, date};

/// The first of the days that are looked at: five years hold a leap day twice.
const FIRST: Date = date(2024, 1, 1);
const DAYS: u32 = 5 * 366;

/// What stands for the usual crontabs.
const NAMED: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Which values a field allows, a bit each.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Allowed {
    bits: u64,
    is_any: bool,
}

impl Allowed {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits.checked_shr(value).unwrap_or(0) & 1 == 1)
    }

    fn values(self) -> impl DoubleEndedIterator<Item = u32> {
        (0..60).filter(move |value| self.bits >> value & 1 == 1)
    }
}

/// The longest time between two neighbouring times of a crontab, in minutes; none if it is no
/// crontab, or has less than two times in five years.
pub(super) fn longest_interval(crontab: &str) -> Option<u32> {
    let crontab = crontab.trim().to_ascii_lowercase();
    let named = NAMED.iter().find(|(name, _)| *name == crontab);
    let crontab = named.map_or(crontab.as_str(), |(_, crontab)| crontab);
    let parts: Vec<_> = crontab.split_ascii_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = parts.as_slice() else {
        return None;
    };
    let minutes = field(minutes, 0, 59, &[])?;
    let hours = field(hours, 0, 23, &[])?;
    let days = field(days, 1, 31, &[])?;
    let months = field(months, 1, 12, &MONTHS)?;
    let weekdays = field(weekdays, 0, 7, &WEEKDAYS)?;

    let times: Vec<u32> = hours
        .values()
        .flat_map(|hour| minutes.values().map(move |minute| hour * 60 + minute))
        .collect();
    let (first, last) = (*times.first()?, *times.last()?);
    let within = times
        .windows(2)
        .map(|two| two[1] - two[0])
        .max()
        .unwrap_or(0);
    let mut longest = 0;
    let mut former = None;
    for (nth, day) in (0..DAYS).zip(FIRST.series(jiff::Span::new().days(1))) {
        let weekday = day.weekday().to_sunday_zero_offset();
        let by_date = days.has(day.day());
        let by_weekday = weekdays.has(weekday) || (weekday == 0 && weekdays.has(7));
        // As cron has it: where both are limited, either is enough.
        let is_on = match (days.is_any, weekdays.is_any) {
            (false, false) => by_date || by_weekday,
            _ => by_date && by_weekday,
        };
        if !is_on || !months.has(day.month()) {
            continue;
        }
        if let Some(former) = former {
            longest = longest.max((nth - former) * 1_440 + first - last);
        }
        longest = longest.max(within);
        former = Some(nth);
    }
    (longest > 0).then_some(longest)
}

/// `*`, `?`, `5`, `1-5`, `*/10`, `5/10`, `mon-fri`, and lists of them.
fn field(text: &str, lowest: u32, highest: u32, names: &[&str]) -> Option<Allowed> {
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                Some(step.parse::<u32>().ok().filter(|step| *step > 0)?),
            ),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (lowest, highest),
            Some((from, to)) => (value(from, lowest, names)?, value(to, lowest, names)?),
            None => {
                let from = value(range, lowest, names)?;
                (from, if step.is_some() { highest } else { from })
            }
        };
        if from < lowest || to > highest || from > to {
            return None;
        }
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        bits |= (from..=to)
            .step_by(step)
            .fold(0, |bits, value| bits | 1_u64 << value);
    }
    Some(Allowed {
        bits,
        is_any: text.starts_with(['*', '?']),
    })
}

fn value(text: &str, lowest: u32, names: &[&str]) -> Option<u32> {
    match names.iter().position(|name| *name == text) {
        Some(nth) => Some(u32::try_from(nth).ok()? + lowest),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_interval_of_a_crontab() {
        const HOUR: u32 = 60;
        const DAY: u32 = 24 * HOUR;
        for (crontab, expected) in [
            ("* * * * *", 1),
            ("*/5 * * * *", 5),
            ("*/7 * * * *", 7),
            ("0 * * * *", HOUR),
            ("@hourly", HOUR),
            ("0 3 * * *", DAY),
            ("0 9-17 * * *", 16 * HOUR),
            ("0 9-17 * * mon-fri", 2 * DAY + 16 * HOUR),
            ("30 4 * * 0", 7 * DAY),
            ("30 4 * * 7", 7 * DAY),
            ("0 0 1 * *", 31 * DAY),
            ("0 0 1,15 * *", 17 * DAY),
            ("0 0 13 * FRI", 7 * DAY),
            ("@yearly", 366 * DAY),
            ("0 0 29 2 *", 1_461 * DAY),
            ("5/20 * * * *", 20),
        ] {
            assert_eq!(longest_interval(crontab), Some(expected), "{crontab}");
        }
    }

    #[test]
    fn what_is_no_crontab_has_none() {
        for crontab in [
            "",
            "daily",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "0 0 31 2 *",
            "*/0 * * * *",
            "5-1 * * * *",
            "* * * * lun",
            "-1 * * * *",
            "1,, * * * *",
            "* * 0 * *",
            "* * * 13 *",
            "99999999999 * * * *",
        ] {
            assert_eq!(longest_interval(crontab), None, "{crontab}");
        }
    }
}
