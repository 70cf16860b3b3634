//! The grammar of `pourtrait components`.

use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;
use serde::Serialize;

use crate::times;

/// What `components` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Components {
    /// Shows what the status page shows, how it is and what feeds it
    List(Place),
    /// Adds a component; the first change makes those that are shown by default your own
    Add {
        /// Its name in addresses, such as sign-in; it never changes
        slug: String,
        /// Its name, after what people do
        #[arg(long)]
        name: String,
        /// What else it is.
        #[command(flatten)]
        details: Details,
        /// Of which page.
        #[command(flatten)]
        place: Place,
    },
    /// Changes a component, or says how it is
    Set {
        /// Its name in addresses
        slug: String,
        /// Its name, after what people do
        #[arg(long)]
        name: Option<String>,
        /// What else it is.
        #[command(flatten)]
        details: Details,
        /// What somebody says of it.
        #[command(flatten)]
        said: Said,
        /// Of which page.
        #[command(flatten)]
        place: Place,
    },
    /// Removes a component; without any the page shows the services that are watched
    Remove {
        /// Its name in addresses
        slug: String,
        /// Of which page.
        #[command(flatten)]
        place: Place,
    },
}

/// Which page it is about.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The environment of the app
    #[arg(long, default_value = "production")]
    pub(crate) environment: String,
}

/// What a component is beside its name.
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// A sentence about it; an empty one takes it away
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// The heading under which it stands; an empty one takes it away
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Where it stands among the others, from 0
    #[arg(long)]
    pub(crate) position: Option<u32>,
    /// A service that it needs, such as app or database; may be repeated
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<String>,
    /// A custom check that measures it; may be repeated
    #[arg(long = "check", value_name = "NAME")]
    pub(crate) checks: Vec<String>,
}

impl Details {
    pub(crate) fn is_empty(&self) -> bool {
        self.description.is_none()
            && self.group.is_none()
            && self.position.is_none()
            && self.services.is_empty()
            && self.checks.is_empty()
    }
}

/// What somebody says of a component, whatever is measured.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// How it is; what is worse than measured shows at once, what is better needs a note
    #[arg(long)]
    pub(crate) state: Option<State>,
    /// What the page says about that
    #[arg(long, requires = "state")]
    pub(crate) note: Option<String>,
    /// For how long that holds, such as 90m, 2h or 3d
    #[arg(long = "for", value_name = "LENGTH", requires = "state", default_value = "4h", value_parser = times::length)]
    pub(crate) length: SignedDuration,
}

/// How a component can be said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum State {
    /// As the checks say: takes back what was said
    Measured,
    /// It works
    Operational,
    /// Announced work is under way
    Maintenance,
    /// It is slow, or fails in part
    Degraded,
    /// Some of it does not work
    PartialOutage,
    /// It does not work
    MajorOutage,
}
