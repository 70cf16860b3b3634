//! The grammar of `pourtrait maintenance`.

use std::fmt;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use outside::database_time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What `maintenance` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Maintenance {
    /// Shows the windows that are announced, are over or were removed
    List,
    /// Announces a window from now on or later; what has passed never becomes maintenance
    Add(Window),
    /// Shows a window on the status page with these words, or changes them
    Publish {
        /// The window's id
        id: Uuid,
        /// What everybody may read about it.
        #[command(flatten)]
        public: Public,
    },
    /// Shows what the maintenance job would delete now because of its age; deletes nothing
    Plan,
    /// Deletes what is older than it is kept, a part at a time, as the maintenance job does
    Run {
        /// Shows what it would delete instead, as `plan` does
        #[arg(long)]
        dry_run: bool,
    },
    /// Ends a window now, and drops what of it is still to come
    Remove {
        /// The window's id
        id: Uuid,
    },
}

/// What the status page says of a window.
#[derive(Debug, Args)]
pub(crate) struct Public {
    /// What everybody may read about it
    #[arg(long = "public", value_name = "TEXT")]
    pub(crate) words: String,
    /// The title above it; by default Planned maintenance
    #[arg(long = "public-title", value_name = "TEXT")]
    pub(crate) title: Option<String>,
}

/// A window to announce.
#[derive(Debug, Args)]
#[command(after_help = "\
  pourtrait maintenance add --reason 'Move the database' --until 2026-11-28T23:30Z
  pourtrait maintenance add --reason 'Nightly import' --every mon,thu --at 02:00 \\
      --minutes 30 --zone Europe/Paris --until 2027-06-30T00:00Z --service ai")]
pub(crate) struct Window {
    /// The reason, which lists show
    #[arg(long)]
    pub(crate) reason: String,
    /// When the window begins; by default now
    #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
    pub(crate) from: Option<Timestamp>,
    /// When the window ends; if it recurs, when it no longer does
    #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
    pub(crate) until: Timestamp,
    /// Covers this check instead of everything; may be repeated
    #[arg(long = "check", value_name = "NAME")]
    pub(crate) checks: Vec<String>,
    /// Covers this service instead of everything; may be repeated
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<String>,
    /// The days on which it recurs: day, or some of mon,tue,wed,thu,fri,sat,sun
    #[arg(long, value_name = "DAYS", value_parser = weekdays, requires_all = ["at", "minutes", "zone"])]
    pub(crate) every: Option<Weekdays>,
    /// When it begins on those days, on the clock of its zone
    #[arg(long, value_name = "HH:MM", requires = "every")]
    pub(crate) at: Option<String>,
    /// How many minutes it takes
    #[arg(long, requires = "every")]
    pub(crate) minutes: Option<u32>,
    /// The IANA name of its zone, such as Europe/Paris
    #[arg(long, requires = "every")]
    pub(crate) zone: Option<String>,
    /// What the status page says about it; without words it is not shown there
    #[arg(long, value_name = "TEXT")]
    pub(crate) public: Option<String>,
    /// The title above that; by default Planned maintenance
    #[arg(long, value_name = "TEXT", requires = "public")]
    pub(crate) public_title: Option<String>,
}

/// Days of the week, 1 for Monday to 7 for Sunday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Weekdays(Vec<u8>);

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl fmt::Display for Weekdays {
    /// As `--every` takes them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(days) = self;
        if days.len() == NAMES.len() {
            return formatter.write_str("day");
        }
        let names = (1..=7).zip(NAMES);
        let names: Vec<_> = names
            .filter(|(number, _)| days.contains(number))
            .map(|(_, name)| name)
            .collect();
        formatter.write_str(&names.join(","))
    }
}

fn weekdays(text: &str) -> Result<Weekdays, String> {
    if text == "day" {
        return Ok(Weekdays((1..=7).collect()));
    }
    let number = |name: &str| {
        (1..=7)
            .zip(NAMES)
            .find(|(_, known)| *known == name)
            .map(|(number, _)| number)
            .ok_or_else(|| {
                format!(
                    "the days must be `day` or some of {}, got `{name}`",
                    NAMES.join(",")
                )
            })
    };
    text.split(',')
        .map(number)
        .collect::<Result<_, _>>()
        .map(Weekdays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_from_monday() {
        let of = |text| weekdays(text).map(|Weekdays(days)| days);
        assert_eq!(of("day"), Ok(vec![1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(of("sun"), Ok(vec![7]));
        assert_eq!(of("mon,thu"), Ok(vec![1, 4]));
        for text in ["day", "sun", "mon,thu"] {
            assert_eq!(weekdays(text).unwrap().to_string(), text);
        }
        for nonsense in ["", "monday", "mon,", "Mon", "mon thu"] {
            assert!(of(nonsense).is_err(), "{nonsense}");
        }
    }
}
