//! The grammar of `pourtrait door`.

use clap::{Args, Subcommand};

/// What `door` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Door {
    /// Shows every project key, what it brought today, and what was not taken lately
    Keys,
    /// Adds a project key, with which an app or a platform sends
    Add(NewKey),
    /// Adds a key that may do what that one may; the former stays open until it is revoked
    Rotate {
        /// The number of the key
        key: u32,
    },
    /// Closes the door to a key for good
    Revoke {
        /// The number of the key
        key: u32,
    },
}

/// A project key to add.
#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// Who sends with it
    pub(crate) name: String,
    /// A page that may send with it, such as <https://wine.example>; may be repeated, and
    /// without one any page may
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
    /// How many items it may bring in a minute
    #[arg(long, value_name = "ITEMS", default_value_t = 6_000)]
    pub(crate) a_minute: u32,
    /// How many items it may bring in a day
    #[arg(long, value_name = "ITEMS", default_value_t = 1_000_000)]
    pub(crate) a_day: u64,
}
