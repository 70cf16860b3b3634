//! The grammar of `pourtrait contacts`.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::duty_hours::DutyHours;
use crate::file_plan::Apply;

const ROLES: &str = "\
The contact's role, which says when it is asked about a critical alert that nobody answers:
  on_call_primary                        at once
  on_call_secondary                      after 15 minutes
  engineering_manager, senior_engineer   after 30 minutes
  cto, vendor_support                    after 60 minutes
  executive, external_consultant         after 120 minutes
  stakeholder                            never: hears of incidents by email";

const WAYS: &str = "\
By which channels an alert of a severity reaches the contact, and after how many minutes:
  --way critical=telegram,sms,voice+5   a text at once, a call 5 minutes later, unless
                                        somebody has answered by then
  --way high=email                      a high alert too, but not in the quiet hours
  --way high=                           takes the choice away
A critical alert without a choice uses every address at once; a high or medium one without
a choice does not reach the contact. May be given several times.";

/// What `contacts` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Contacts {
    /// Shows all contacts in the order in which they are asked
    List,
    /// Adds a contact
    Add {
        /// The contact's name
        name: String,
        /// The contact's role, which says when it is asked
        #[arg(long, long_help = ROLES)]
        role: String,
        /// How to reach it.
        #[command(flatten)]
        reach: Reach,
    },
    /// Changes what is given
    Edit {
        /// The contact's name
        name: String,
        /// The contact's new name
        #[arg(long, value_name = "NAME")]
        new_name: Option<String>,
        /// The contact's new role
        #[arg(long)]
        role: Option<String>,
        /// How to reach it.
        #[command(flatten)]
        reach: Reach,
    },
    /// Removes a contact; escalations of open alerts stay as they are
    Remove {
        /// The contact's name
        name: String,
    },
    /// Writes all contacts as a file that `apply` reads
    Export,
    /// Adds and changes contacts until they are what a file says, and says what changed
    Apply(Apply),
    /// Sends a real test message on each of the contact's channels, which proves them
    Test {
        /// The contact's name
        name: String,
    },
    /// Shows on which devices push messages reach a contact, and where to add one
    Devices(DevicesOf),
    /// Makes the key to which devices subscribe for push messages
    Keygen,
}

impl Contacts {
    /// Whether it changes nothing.
    pub(crate) fn only_looks(&self) -> bool {
        match self {
            Self::List | Self::Export | Self::Keygen => true,
            Self::Devices(options) => options.add.is_none() && options.remove.is_none(),
            Self::Add { .. }
            | Self::Edit { .. }
            | Self::Remove { .. }
            | Self::Apply(_)
            | Self::Test { .. } => false,
        }
    }
}

/// The devices of a contact.
#[derive(Debug, Args)]
pub(crate) struct DevicesOf {
    /// The contact's name
    pub(crate) name: String,
    /// Adds a browser by its subscription: a file with the JSON of it, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "remove")]
    pub(crate) add: Option<PathBuf>,
    /// What to call that browser
    #[arg(long = "as", value_name = "DEVICE", requires = "add")]
    pub(crate) device: Option<String>,
    /// Takes a device away, by its name or its id
    #[arg(long, value_name = "DEVICE")]
    pub(crate) remove: Option<String>,
}

/// How to reach a contact; an empty word takes a field away.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// The contact's email address
    #[arg(long)]
    pub(crate) email: Option<Change<String>>,
    /// Slack's id of a member (U…) or a user group (S…)
    #[arg(long, value_name = "ID")]
    pub(crate) slack: Option<Change<String>>,
    /// An address on another channel, such as sms=+4915112345678; may be given several
    /// times, and without the part after = it is taken away
    #[arg(long = "address", value_name = "CHANNEL=ADDRESS", value_parser = address)]
    pub(crate) addresses: Vec<(String, Option<String>)>,
    /// By which channels an alert of a severity reaches the contact, and after how many
    /// minutes, such as critical=telegram,voice+5; may be given several times, and without
    /// the part after = that choice is taken away
    #[arg(long = "way", value_name = "SEVERITY=CHANNELS", value_parser = way, long_help = WAYS)]
    pub(crate) ways: Vec<(String, Option<Way>)>,
    /// When the contact is on duty, such as "mon-fri 09:00-18:00"; "always" by default
    #[arg(long, value_parser = |text: &str| hours(text, "always"))]
    pub(crate) hours: Option<Change<DutyHours>>,
    /// When only critical alerts reach the contact, such as "daily 22:00-07:00"; "never"
    /// by default
    #[arg(long, value_parser = |text: &str| hours(text, "never"))]
    pub(crate) quiet: Option<Change<DutyHours>>,
    /// The time zone of these hours, such as Europe/Berlin [default: UTC]
    #[arg(long)]
    pub(crate) zone: Option<Change<String>>,
    /// The least severity of the incidents that a stakeholder hears of [default: any]
    #[arg(long)]
    pub(crate) severity: Option<Change<String>>,
    /// A service whose incidents a stakeholder hears of, or several by commas [default: all]
    #[arg(long, value_name = "NAMES")]
    pub(crate) services: Option<Change<Vec<String>>>,
}

/// After how many minutes each channel is used.
pub(crate) type Way = BTreeMap<String, u32>;

fn address(text: &str) -> Result<(String, Option<String>), String> {
    let (channel, address) = text
        .split_once('=')
        .ok_or_else(|| format!("an address must be CHANNEL=ADDRESS, got `{text}`"))?;
    let address = address.trim();
    let address = (!address.is_empty()).then(|| address.to_owned());
    Ok((channel.trim().to_owned(), address))
}

fn way(text: &str) -> Result<(String, Option<Way>), String> {
    let wrong = || format!("a way must be SEVERITY=CHANNEL,CHANNEL+MINUTES, got `{text}`");
    let (severity, channels) = text.split_once('=').ok_or_else(wrong)?;
    let mut way = Way::new();
    for part in channels.split(',').map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let (channel, minutes) = part.split_once('+').unwrap_or((part, "0"));
        let minutes = minutes.trim().parse().map_err(|_| wrong())?;
        way.insert(channel.trim().to_owned(), minutes);
    }
    Ok((severity.trim().to_owned(), (!way.is_empty()).then_some(way)))
}

/// What becomes of a field that is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Change<T> {
    /// The field is taken away, for which the database reads null.
    Remove,
    /// The field has this value.
    Set(T),
}

impl From<&str> for Change<String> {
    fn from(text: &str) -> Self {
        match text.trim() {
            "" => Self::Remove,
            text => Self::Set(text.to_owned()),
        }
    }
}

impl From<&str> for Change<Vec<String>> {
    fn from(text: &str) -> Self {
        let names = text.split(',').map(str::trim);
        let names: Vec<_> = names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            Self::Remove
        } else {
            Self::Set(names)
        }
    }
}

fn hours(text: &str, none: &str) -> Result<Change<DutyHours>, String> {
    let text = text.trim();
    if text.is_empty() || text == none {
        return Ok(Change::Remove);
    }
    DutyHours::parse(text).map(Change::Set)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_word_takes_a_field_away() {
        assert_eq!(Change::<String>::from(" "), Change::Remove);
        assert_eq!(Change::from(" U0ABC "), Change::Set("U0ABC".to_owned()));
        let services = ["app".to_owned(), "ai".to_owned()];
        assert_eq!(Change::from("app, ai"), Change::Set(services.to_vec()));
        assert_eq!(Change::<Vec<String>>::from(" , "), Change::Remove);
        for always in ["", "always"] {
            assert_eq!(hours(always, "always"), Ok(Change::Remove));
        }
        assert_eq!(json!(Change::<String>::Remove), json!(null));
        assert_eq!(
            json!(hours("mon 9:00-18:00", "always").unwrap()),
            json!({"days": [1], "from": "09:00", "until": "18:00"})
        );
        assert!(hours("9 to 5", "always").is_err());
        assert!(hours("always", "never").is_err());
    }

    #[test]
    fn a_way_names_channels_and_minutes() {
        for (text, expected) in [
            (
                "critical=telegram, voice+5",
                json!(["critical", {"telegram": 0, "voice": 5}]),
            ),
            ("high = email + 10", json!(["high", {"email": 10}])),
            ("high=", json!(["high", null])),
            ("medium= , ", json!(["medium", null])),
        ] {
            assert_eq!(json!(way(text).unwrap()), expected, "{text}");
        }
        for text in ["critical", "critical=sms+soon", "critical=sms+-1"] {
            assert!(way(text).is_err(), "{text}");
        }
    }
}
