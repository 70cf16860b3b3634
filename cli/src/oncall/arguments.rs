//! The grammar of `pourtrait oncall`.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date};
use outside::database_time;
use uuid::Uuid;

use super::layer_hours::LayerHours;

/// What `oncall` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Oncall {
    /// Shows who is on call now, who comes next, and the shifts of the days to come
    Show {
        /// Shows them as of this time; by default now
        #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
        at: Option<Timestamp>,
        /// How many days of shifts
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// Adds a rotation, or replaces one of its layers
    Rotate(Rotate),
    /// Removes a rotation, or one layer of it
    Remove {
        /// The rotation's name
        name: String,
        /// Removes this layer alone
        #[arg(long)]
        layer: Option<u8>,
    },
    /// Gives a rotation to somebody for a time
    Override {
        /// The contact's name
        person: String,
        /// For which time.
        #[command(flatten)]
        time: Span,
        /// The rotation; may be left out where there is one alone
        #[arg(long, value_name = "NAME")]
        rotation: Option<String>,
        /// Why, which lists show
        #[arg(long)]
        reason: Option<String>,
    },
    /// Lets two people swap a shift each: the one under way or the next
    Swap(Swap),
    /// Notes that somebody is away: the next one in order stands in
    Away {
        /// The contact's name
        person: String,
        /// For which time.
        #[command(flatten)]
        time: Span,
        /// Why, which lists show
        #[arg(long)]
        reason: Option<String>,
    },
    /// Ends an override, a swap or an absence now, and drops what of it is still to come
    End {
        /// Its id, as `show` tells it
        id: Uuid,
    },
    /// Reads who is on call from an iCalendar address, every ten minutes; `off` ends that
    Calendar {
        /// The rotation's name
        rotation: String,
        /// The address, or `off`
        url: String,
        /// The zone of whole days and of times without one [default: the first layer's]
        #[arg(long)]
        zone: Option<String>,
    },
}

/// A time that somebody gives.
#[derive(Debug, Args)]
pub(crate) struct Span {
    /// When it begins, such as 2026-12-24T09:00+01:00; by default now
    #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
    pub(crate) from: Option<Timestamp>,
    /// When it ends
    #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
    pub(crate) until: Timestamp,
}

/// Who swaps which shifts.
#[derive(Debug, Args)]
pub(crate) struct Swap {
    /// Who gives a shift away
    pub(crate) one: String,
    /// Who takes it, and gives another one
    pub(crate) other: String,
    /// The rotation; may be left out where there is one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) rotation: Option<String>,
    /// The first one's shift at this time or after; by default now
    #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
    pub(crate) at: Option<Timestamp>,
    /// The other one's shift at this time or after; by default now
    #[arg(long, value_name = "TIME", value_parser = database_time::parse)]
    pub(crate) for_shift_at: Option<Timestamp>,
    /// Why, which lists show
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// A rotation, and the layer of it that is given.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("unit").args(["daily", "weekly"]),
    after_help = "\
  pourtrait oncall rotate Primary --members ada,bo,cy --weekly --on monday --at 09:00 \\
      --zone Europe/Berlin
  pourtrait oncall rotate Sun --members ada --daily --at 09:00 --zone Europe/Berlin \\
      --hours 09:00-17:00
  pourtrait oncall rotate Sun --layer 2 --members bo --daily --at 09:00 \\
      --zone America/New_York --hours 11:00-03:00"
)]
pub(crate) struct Rotate {
    /// The rotation's name
    pub(crate) name: String,
    /// The role that it staffs, as contacts have them [default: the primaries]
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Who takes turns, in this order, by the contacts' names and commas
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        requires_all = ["unit", "at", "zone"]
    )]
    pub(crate) members: Option<Vec<String>>,
    /// Turns of days
    #[arg(long, requires = "members")]
    pub(crate) daily: bool,
    /// Turns of weeks
    #[arg(long, requires_all = ["members", "on"])]
    pub(crate) weekly: bool,
    /// How many days or weeks a turn lasts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) every: u8,
    /// When a turn passes on, by the clock of the zone
    #[arg(long, value_name = "HH:MM", requires = "members")]
    pub(crate) at: Option<String>,
    /// On which day of the week it does
    #[arg(
        long,
        value_name = "DAY",
        requires = "weekly",
        conflicts_with = "daily"
    )]
    pub(crate) on: Option<Day>,
    /// The IANA name of the zone, such as Europe/Berlin
    #[arg(long, requires = "members")]
    pub(crate) zone: Option<String>,
    /// A day on which the first member has the turn [default: today]
    #[arg(long, value_name = "DATE", value_parser = database_time::parse_day, requires = "members")]
    pub(crate) first: Option<Date>,
    /// The hours of each day that this layer has, such as 09:00-17:00 [default: all]
    #[arg(long, requires = "members")]
    pub(crate) hours: Option<LayerHours>,
    /// Which layer: of those whose hours hold a time, the first one has it
    #[arg(long, default_value_t = 1)]
    pub(crate) layer: u8,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Day {
    /// The first.
    #[value(alias = "mon")]
    Monday,
    /// The second.
    #[value(alias = "tue")]
    Tuesday,
    /// The third.
    #[value(alias = "wed")]
    Wednesday,
    /// The fourth.
    #[value(alias = "thu")]
    Thursday,
    /// The fifth.
    #[value(alias = "fri")]
    Friday,
    /// The sixth.
    #[value(alias = "sat")]
    Saturday,
    /// The seventh.
    #[value(alias = "sun")]
    Sunday,
}

impl Day {
    /// From 1 for Monday to 7.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Monday => 1,
            Self::Tuesday => 2,
            Self::Wednesday => 3,
            Self::Thursday => 4,
            Self::Friday => 5,
            Self::Saturday => 6,
            Self::Sunday => 7,
        }
    }

    /// The word for a number.
    pub(crate) fn name(number: u8) -> String {
        let days = Self::value_variants().iter();
        let day = days
            .filter(|day| day.number() == number)
            .find_map(ValueEnum::to_possible_value);
        day.map_or_else(|| number.to_string(), |day| day.get_name().to_owned())
    }
}
