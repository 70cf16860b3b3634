//! Times as a calendar writes them: by the clock of a zone, which the database knows.

use jiff::{SignedDuration, civil};
use serde::{Serialize, Serializer};

use super::content_lines::ContentLine;

/// A time by a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: civil::DateTime,
    /// The zone; none where the reader's own is meant.
    pub(super) zone: Option<String>,
    /// Whether it is a day, which begins at midnight.
    pub(super) is_day: bool,
}

/// The zone of times that end with a `Z`.
pub(super) const UTC: &str = "UTC";

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.at, &self.zone).serialize(serializer)
    }
}

impl Moment {
    /// The times of a line, which may hold several.
    pub(super) fn all(line: &ContentLine) -> Option<Vec<Self>> {
        let zone = line.parameter("TZID").map(zone_name);
        let values = line.value.split(',');
        values
            .map(|value| Self::read(value, zone.as_deref()))
            .collect()
    }

    /// The one time of a line.
    pub(super) fn one(line: &ContentLine) -> Option<Self> {
        let [moment] = <[Self; 1]>::try_from(Self::all(line)?).ok()?;
        Some(moment)
    }

    /// A time such as `20261123`, `20261123T090000` or `20261123T080000Z`.
    pub(super) fn read(text: &str, zone: Option<&str>) -> Option<Self> {
        let text = text.trim();
        let (text, zone) = match text.strip_suffix(['Z', 'z']) {
            Some(text) => (text, Some(UTC)),
            None => (text, zone),
        };
        let (day, time) = match text.split_once(['T', 't']) {
            Some((day, time)) => (day, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = numbers(day, [4, 2, 2])?;
        let date = civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        let Some(time) = time else {
            // A day is one everywhere.
            return Some(Self {
                at: date.to_datetime(civil::Time::midnight()),
                zone: None,
                is_day: true,
            });
        };
        let [hour, minute, second] = numbers(time, [2, 2, 2])?;
        let time = civil::Time::new(
            hour.try_into().ok()?,
            minute.try_into().ok()?,
            // A leap second is none that a clock here tells.
            second.min(59).try_into().ok()?,
            0,
        );
        Some(Self {
            at: date.to_datetime(time.ok()?),
            zone: zone.map(str::to_owned),
            is_day: false,
        })
    }
}

/// The numbers of which a text of digits consists, each of so many.
fn numbers<const N: usize>(text: &str, lengths: [usize; N]) -> Option<[i16; N]> {
    let total: usize = lengths.iter().sum();
    if text.len() != total || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut from = 0;
    let mut all = [0; N];
    for (number, length) in all.iter_mut().zip(lengths) {
        *number = text[from..from + length].parse().ok()?;
        from += length;
    }
    Some(all)
}

/// The IANA name in a zone's id: some programs put their own before it, and Outlook
/// has names of its own.
fn zone_name(id: &str) -> String {
    let named = WINDOWS.iter().find(|(windows, _)| *windows == id);
    if let Some((_, name)) = named {
        return (*name).to_owned();
    }
    if !id.starts_with('/') {
        return id.to_owned();
    }
    let parts: Vec<&str> = id.split('/').collect();
    let from = parts.len().saturating_sub(2);
    parts[from..].join("/")
}

/// Zones as Outlook calls them, for the places that most teams are in.
const WINDOWS: [(&str, &str); 16] = [
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Romance Standard Time", "Europe/Paris"),
    ("GMT Standard Time", "Europe/London"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("FLE Standard Time", "Europe/Kyiv"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Eastern Standard Time", "America/New_York"),
    ("Central Standard Time", "America/Chicago"),
    ("Mountain Standard Time", "America/Denver"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Nepal Standard Time", "Asia/Kathmandu"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
];

/// A length such as `P1W`, `P1D` or `PT12H30M`.
pub(super) fn length(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    let mut rest = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let mut seconds: i64 = 0;
    let mut in_time = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            (in_time, rest) = (true, after);
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest[digits..].chars().next()?;
        let of_unit = match (in_time, unit) {
            (false, 'W') => 7 * 86_400,
            (false, 'D') => 86_400,
            (true, 'H') => 3_600,
            (true, 'M') => 60,
            (true, 'S') => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(of_unit)?)?;
        rest = &rest[digits + 1..];
    }
    (1..=LONGEST)
        .contains(&seconds)
        .then(|| SignedDuration::from_secs(seconds))
}

/// The longest event, in seconds: a year and a month.
pub(super) const LONGEST: i64 = 400 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<String> {
        let moment = Moment::read(text, Some("Europe/Berlin"))?;
        serde_json::to_string(&moment).ok()
    }

    #[test]
    fn a_time_is_a_day_or_tells_the_clock_of_a_zone() {
        for (text, expected) in [
            ("20261123", r#"["2026-11-23T00:00:00",null]"#),
            (
                "20261123T090000",
                r#"["2026-11-23T09:00:00","Europe/Berlin"]"#,
            ),
            ("20261123T090060Z", r#"["2026-11-23T09:00:59","UTC"]"#),
            ("20280229", r#"["2028-02-29T00:00:00",null]"#),
        ] {
            assert_eq!(moment(text).as_deref(), Some(expected), "{text}");
        }
        for nonsense in [
            "",
            "Z",
            "T",
            "2026",
            "20270229",
            "20261123T25",
            "20261123T250000",
            "２０２６1123",
        ] {
            assert_eq!(moment(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_length_has_units_in_their_places() {
        for (text, seconds) in [("P1W", 604_800), ("P1DT12H", 129_600), ("PT30M5S", 1_805)] {
            assert_eq!(length(text).map(|length| length.as_secs()), Some(seconds));
        }
        for nonsense in [
            "",
            "P",
            "PT",
            "1D",
            "P1H",
            "PT1D",
            "-P1D",
            "P1",
            "PD",
            "P9999999999W",
            "P0D",
            "P1Dä",
        ] {
            assert_eq!(length(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_zone_is_known_by_the_names_that_programs_give_it() {
        for (id, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("Mars", "Mars"),
        ] {
            assert_eq!(zone_name(id), name);
        }
    }
}
