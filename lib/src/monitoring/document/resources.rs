//! The dashboard's section about what may run out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that may run out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What it is.
    pub resource: String,
    /// How much of it is used; null where nobody tells.
    pub used: Option<f64>,
    /// How much there is; null where nobody tells.
    pub capacity: Option<f64>,
    /// The unit of both: `B`, `s`, `%`, or what is counted.
    pub unit: String,
    /// The share that is used, in percent.
    pub percent: Option<f64>,
    /// By how much its use grows in a day, by the last 30; null of fewer than seven days.
    pub per_day: Option<f64>,
    /// In how many days it is full, of what only grows.
    pub days_to_full: Option<f64>,
    /// What else there is to know: what is counted, or of which function it is.
    pub note: Option<String>,
    /// Why something is null.
    pub reason: Option<String>,
    /// When it was read.
    pub read_at: Timestamp,
    /// Its use on the last 30 days, the newest last; null where it is not known.
    pub days: Vec<Option<f64>>,
}
