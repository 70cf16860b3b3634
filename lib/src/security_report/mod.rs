//! What an auditor reads: who may read what and who did, which keys there are and how old they
//! are, what is kept and where, how each place is encrypted, and what of all that was looked at.
//!
//! The database knows a part of it ([`answer`]), the outside shows another ([`looked`]): what
//! nobody could look at is said with its reason, never left out. [`facts`] are what two months
//! are compared by, `comparable` makes them, and [`monthly`] keeps them. How it is written is the command's.

pub mod answer;
mod comparable;
pub mod dependencies;
pub mod facts;
pub mod looked;
pub mod monthly;
pub mod places;

use jiff::Timestamp;

use crate::{audit_log::verifier::Report, config::Config};
use answer::Answer;
use dependencies::Dependencies;
use facts::Facts;
use looked::Looked;

/// Everything that a report says.
#[derive(Debug)]
pub struct Collected<'a> {
    /// What the database knows.
    pub answer: &'a Answer,
    /// What was looked at outside.
    pub looked: &'a Looked,
    /// What is known of the dependencies, or why nothing is.
    pub dependencies: &'a Result<Dependencies, String>,
    /// The environment.
    pub config: &'a Config,
}

impl Collected<'_> {
    /// What of it is compared with another month.
    #[must_use]
    pub fn facts(&self) -> Facts {
        comparable::of(self)
    }
}

/// Whether the log was as it was written, in a word for documents; the proof says more.
#[must_use]
pub fn log_verdict(report: &Report) -> &'static str {
    if report.is_good() {
        "as it was written"
    } else {
        "NOT as it was written"
    }
}

/// In whole days.
#[must_use]
pub fn days_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.duration_since(earlier).as_hours() / 24
}
