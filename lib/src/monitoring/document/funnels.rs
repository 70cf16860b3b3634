//! The dashboard's section about funnels: what each came to when it was counted last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A way through the app, and how far people came on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Funnel {
    /// Its name.
    pub name: String,
    /// How long after the first step the others count.
    pub within_seconds: u64,
    /// Over how many days up to `as_of` it was counted.
    pub days: u32,
    /// When it was counted; null before the first time.
    pub as_of: Option<Timestamp>,
    /// Percent of those of the first step who came to the last.
    pub conversion_rate: Option<f64>,
    /// In order; empty before the first time.
    pub steps: Vec<FunnelStep>,
    /// Why it could not be counted anew.
    pub failure: Option<String>,
}

/// A step of a funnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelStep {
    /// An event, `page:` with a path, or `feature:` with a name.
    pub step: String,
    /// How many came to it.
    pub people: u64,
    /// Percent of those of the first step.
    pub of_first: Option<f64>,
    /// Percent of those of the step before it.
    pub of_previous: Option<f64>,
    /// How many of the step before it did not come to it.
    pub dropped_off: Option<u64>,
    /// Half of those who came did so within this time after the step before it.
    pub median_seconds: Option<f64>,
}
