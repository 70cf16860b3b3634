//! The grammar of `pourtrait maintenance`.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use uuid::Uuid;

/// What `maintenance` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Maintenance {
    /// Shows what is announced, what is over and what was removed
    List,
    /// Announces work, from now on or later; nothing before now becomes maintenance
    Add(Window),
    /// Ends work now, and with it what is still to come
    Remove {
        /// Its id
        id: Uuid,
    },
}

/// Work to announce.
#[derive(Debug, Args)]
#[command(after_help = "\
  pourtrait maintenance add --reason 'Move the database' --until 2026-11-28T23:30Z
  pourtrait maintenance add --reason 'Nightly import' --every mon,thu --at 02:00 \\
      --minutes 30 --zone Europe/Paris --until 2027-06-30T00:00Z --service ai")]
pub(crate) struct Window {
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// When it begins; without it, now
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// When it ends; of recurring work, when it no longer recurs
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Timestamp,
    /// One check that is worked on, and no other; may be repeated
    #[arg(long = "check", value_name = "NAME")]
    pub(crate) checks: Vec<String>,
    /// One service that is worked on, and no other; may be repeated
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<String>,
    /// On which days it recurs: day, or some of mon,tue,wed,thu,fri,sat,sun
    #[arg(long, value_name = "DAYS", value_parser = weekdays, requires_all = ["at", "minutes", "zone"])]
    pub(crate) every: Option<Weekdays>,
    /// When it begins, on the clock of its zone
    #[arg(long, value_name = "HH:MM", requires = "every")]
    pub(crate) at: Option<String>,
    /// How long it takes
    #[arg(long, requires = "every")]
    pub(crate) minutes: Option<u32>,
    /// IANA name of the zone
    #[arg(long, requires = "every")]
    pub(crate) zone: Option<String>,
}

/// Days of the week, 1 for Monday to 7 for Sunday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Weekdays(pub(crate) Vec<u8>);

fn weekdays(text: &str) -> Result<Weekdays, String> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    if text == "day" {
        return Ok(Weekdays((1..=7).collect()));
    }
    let number = |name: &str| {
        (1..=7)
            .zip(NAMES)
            .find(|(_, known)| *known == name)
            .map(|(number, _)| number)
            .ok_or_else(|| format!("`{name}` is no day: day, or some of {}", NAMES.join(",")))
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
        for nonsense in ["", "monday", "mon,", "Mon", "mon thu"] {
            assert!(of(nonsense).is_err(), "{nonsense}");
        }
    }
}
