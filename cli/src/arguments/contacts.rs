//! The grammar of `pourtrait contacts`.

use clap::{Args, Subcommand};

const ROLES: &str = "\
Its role, which says when it is asked about a critical alert that nobody answers:
  on_call_primary                        at once
  on_call_secondary                      after 15 minutes
  engineering_manager, senior_engineer   after 30 minutes
  cto, vendor_support                    after 60 minutes
  executive, external_consultant         after 120 minutes";

/// What `contacts` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Contacts {
    /// Shows all contacts in the order in which they are asked
    List,
    /// Adds one
    Add {
        /// Its name
        name: String,
        /// Its role, which says when it is asked
        #[arg(long, long_help = ROLES)]
        role: String,
        /// How to reach it.
        #[command(flatten)]
        fields: ContactFields,
    },
    /// Changes what is given
    Edit {
        /// Its name
        name: String,
        /// Another name
        #[arg(long, value_name = "NAME")]
        new_name: Option<String>,
        /// Another role
        #[arg(long)]
        role: Option<String>,
        /// How to reach it.
        #[command(flatten)]
        fields: ContactFields,
    },
    /// Removes one; ladders of open alerts stay as they are
    Remove {
        /// Its name
        name: String,
    },
    /// Sends a real test message on each of its channels, which proves them
    Test {
        /// Its name
        name: String,
    },
}

/// How to reach a contact; an empty word takes a field away.
#[derive(Debug, Args)]
pub(crate) struct ContactFields {
    /// Email address
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Slack's id of a member (U…) or a user group (S…)
    #[arg(long, value_name = "ID")]
    pub(crate) slack: Option<String>,
    /// When it is on duty, such as "mon-fri 09:00-18:00"; "always" otherwise
    #[arg(long)]
    pub(crate) hours: Option<String>,
    /// The time zone of the hours, such as Europe/Berlin [default: UTC]
    #[arg(long)]
    pub(crate) zone: Option<String>,
}
