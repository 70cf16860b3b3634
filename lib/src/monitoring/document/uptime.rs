//! The dashboard's section about uptime.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// How long the app was up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Uptime {
    /// Percent of the last 24 hours.
    pub uptime24h: Option<f64>,
    /// Percent of the last 7 days.
    pub uptime7d: Option<f64>,
    /// Percent of the last 30 days.
    pub uptime30d: Option<f64>,
    /// Percent of the last 90 days.
    pub uptime90d: Option<f64>,
    /// Percent of the last 365 days.
    pub uptime1y: Option<f64>,
    /// The same, whole: per window.
    pub windows: BTreeMap<String, Window>,
    /// Percent, per checked page and dependency.
    pub checks: BTreeMap<String, CheckUptime>,
    /// The last ninety days of each service.
    pub days: Strips,
    /// Incidents of the last 30 days.
    pub incidents: Vec<Outage>,
}

/// The last ninety days in UTC, the oldest first; today is not over yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strips {
    /// The first of them.
    pub from: Date,
    /// Per service.
    pub services: BTreeMap<String, Strip>,
}

/// How long a service was what, in seconds by day, which sum to the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strip {
    /// The check that stands for the service.
    pub check: String,
    /// Known to be up.
    pub up: Vec<u32>,
    /// Of that, known to be degraded.
    pub degraded: Vec<u32>,
    /// Known to be down.
    pub down: Vec<u32>,
    /// Not watched.
    pub unknown: Vec<u32>,
    /// Down or not, on purpose.
    pub maintenance: Vec<u32>,
}

/// How long one check was up, in percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckUptime {
    /// Of the last 24 hours.
    pub uptime24h: Option<f64>,
    /// Of the last 7 days.
    pub uptime7d: Option<f64>,
    /// Of the last 30 days.
    pub uptime30d: Option<f64>,
    /// Of the last 90 days.
    pub uptime90d: Option<f64>,
    /// Of the last 365 days.
    pub uptime1y: Option<f64>,
}

/// Uptime integrated over a window, in seconds that sum to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Known to be up.
    pub up: f64,
    /// Of that, known to be degraded.
    pub degraded: f64,
    /// Known to be down.
    pub down: f64,
    /// Not watched.
    pub unknown: f64,
    /// Down or not, on purpose.
    pub maintenance: f64,
    /// Up, of what is known.
    pub percent: Option<f64>,
    /// If all that is unknown had been down.
    pub lower: Option<f64>,
    /// If all that is unknown had been up.
    pub upper: Option<f64>,
    /// How much is known.
    pub coverage: Option<f64>,
}

/// An incident as the old dashboard showed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// When it began.
    pub date: Timestamp,
    /// Seconds until it ended, or until now.
    pub duration: f64,
    /// Its severity.
    pub impact: String,
}
