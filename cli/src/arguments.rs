//! The grammar of the command line.

pub(crate) mod backup;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use backup::Backup;

const VARIABLES: &str = "\
Variables:
  A command reads its variables from the environment if SUPABASE_URL,
  NEXT_PUBLIC_SUPABASE_URL, DATABASE_URL or BACKUP_URL is set there. Otherwise it
  reads them from the first of these files that exists: the one named with
  --env-file, .env, .pourtrait/dev.env. One source is read whole; two are never merged.
  A file is read as a shell would source it. `dev` reads neither.

Exit status: 0 done, 1 failed or found bad, 2 used wrongly.";

/// Operates the Pourtrait Ops bundle
#[derive(Debug, Parser)]
#[command(name = "pourtrait", version, after_help = VARIABLES)]
pub(crate) struct Arguments {
    /// Reads variables from this file, unless the environment names a project
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Prints results as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the whole bundle on this machine, with sample data and captured messages
    Dev(Dev),
    /// Brings the database to the schema that this build needs
    Migrate {
        /// What to do; without it, apply.
        #[command(subcommand)]
        action: Option<Migrate>,
    },
    /// Shows and changes settings: thresholds, checked URLs, contacts
    Settings {
        /// What to do.
        #[command(subcommand)]
        action: Settings,
    },
    /// Takes backups, checks them and restores them
    Backup {
        /// What to do.
        #[command(subcommand)]
        action: Backup,
    },
    /// Announces work: it silences messages and is left out of uptime
    Maintenance {
        /// What to do.
        #[command(subcommand)]
        action: Maintenance,
    },
    /// Shows, changes and tries the checks that are kept in the database
    Checks {
        /// What to do.
        #[command(subcommand)]
        action: Checks,
    },
    /// Checks the configuration
    Check {
        /// Also asks every service, opens a database session and looks for pending migrations
        #[arg(long)]
        live: bool,
    },
    /// Writes the files of the repository that follow from its code
    #[command(hide = true)]
    Docs,
}

/// What `migrate` can do.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Migrate {
    /// Shows what would be applied
    Plan,
    /// Applies what is pending (also without a word)
    Apply,
    /// Shows every migration and whether it was applied
    Status,
}

/// What `settings` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Shows every setting
    List,
    /// Shows the value of one setting
    Get {
        /// Its name
        key: String,
    },
    /// Changes one setting
    Set {
        /// Its name
        key: String,
        /// JSON, or else text; `null` restores the default
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
}

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

/// What `checks` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Checks {
    /// Shows every check and what was seen of it last
    List,
    /// Adds a check
    #[command(after_help = FIELDS)]
    Add {
        /// Its name: lower-case letters, digits and hyphens
        name: String,
        /// http, tls, dns, tcp, heartbeat or rule
        kind: String,
        /// What it asks for and expects
        #[arg(value_name = "FIELD=VALUE", value_parser = field)]
        fields: Vec<(String, Value)>,
    },
    /// Changes a check; `null` takes a field away
    #[command(after_help = FIELDS)]
    Edit {
        /// Its name
        name: String,
        /// What is to be another
        #[arg(value_name = "FIELD=VALUE", value_parser = field, required = true)]
        fields: Vec<(String, Value)>,
    },
    /// Removes a check; what was seen of it stays
    Remove {
        /// Its name
        name: String,
    },
    /// Does what a check does, now and from here
    Test {
        /// Its name
        name: String,
    },
    /// Makes another token for a heartbeat, and ends the one before
    Token {
        /// Its name
        name: String,
    },
}

const FIELDS: &str = "\
Fields, whose values are JSON or else text (url, body, contains, host, address and
event are text always):
  every kind  everySeconds timeoutMs severity enabled
  http        url method headers body status contains json redirects maxLatencyMs
  tls         host port maxLatencyMs
  dns         host address maxLatencyMs
  tcp         host port maxLatencyMs
  heartbeat   periodSeconds graceSeconds
  rule        event windowMinutes minimum

  pourtrait checks add search http url=https://app.example/api/search contains=results";

/// Fields that are text even where it reads as JSON.
const TEXTS: [&str; 6] = ["url", "body", "contains", "host", "address", "event"];

/// `FIELD=VALUE`, where a value is JSON or else text.
fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form FIELD=VALUE")?;
    let parsed = serde_json::from_str(value)
        .ok()
        .filter(|parsed: &Value| parsed.is_null() || !TEXTS.contains(&name));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

/// How `dev` runs.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
dev reads no variable of the environment and no .env: every URL and key is made
here, so that it can never touch production. It writes them to DIR/dev.env.")]
pub(crate) struct Dev {
    /// Port on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 8787)]
    pub(crate) port: u16,
    /// Folder that keeps the data from one start to the next
    #[arg(long, value_name = "DIR", default_value = ".pourtrait")]
    pub(crate) data: PathBuf,
    /// Starts without sample data and without traffic
    #[arg(long)]
    pub(crate) empty: bool,
    /// Starts without sample traffic
    #[arg(long)]
    pub(crate) no_traffic: bool,
    /// Runs nothing by schedule
    #[arg(long)]
    pub(crate) no_crons: bool,
    /// Uses the Supabase that this env file describes: no sample data, no
    /// traffic, no migrations; crons only where it is on this machine
    #[arg(long, value_name = "FILE")]
    pub(crate) supabase: Option<PathBuf>,
    /// Accepts a Supabase that is not on this machine
    #[arg(long)]
    pub(crate) yes: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_json_unless_it_is_a_text_by_its_name() {
        for (text, name, value) in [
            ("status=[200,204]", "status", json!([200, 204])),
            ("everySeconds=300", "everySeconds", json!(300)),
            ("severity=high", "severity", json!("high")),
            ("body={}", "body", json!("{}")),
            ("contains=200", "contains", json!("200")),
            ("contains=null", "contains", Value::Null),
            (
                "url=https://a.example/?b=c",
                "url",
                json!("https://a.example/?b=c"),
            ),
        ] {
            assert_eq!(field(text), Ok((name.to_owned(), value)), "{text}");
        }
        assert!(field("status").is_err());
    }

    #[test]
    fn the_grammar_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

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
