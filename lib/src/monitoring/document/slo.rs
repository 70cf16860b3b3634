//! The dashboard's section about objectives: what was promised, and how much of
//! it is left.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The objectives, over the last 30 days unless a name says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slo {
    /// How long the app may be down.
    pub availability: Availability,
    /// How many requests may fail.
    pub error_rate: ErrorRate,
    /// How many requests are answered fast.
    pub latency: Latency,
    /// How fast the errors use up what may fail, over pairs of windows.
    pub burn_rates: Vec<BurnRate>,
    /// How pages feel, by the name of the measure; the last 24 hours.
    pub web_vitals: BTreeMap<String, WebVital>,
}

/// How long the app may be down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// Percent of time.
    pub target: f64,
    /// Of 30 days.
    #[serde(rename = "30d")]
    pub month: ErrorBudget,
    /// Of 365 days.
    #[serde(rename = "1y")]
    pub year: ErrorBudget,
}

/// What may be down of a window, and what is left of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBudget {
    /// Minutes that the whole window allows.
    pub budget_minutes: f64,
    /// Minutes that are left; below zero it is overspent, null while nothing is
    /// known.
    pub minutes_left: Option<f64>,
    /// Uptime, in percent of what is known.
    pub percent: Option<f64>,
}

/// How many requests may fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRate {
    /// Percent of requests.
    pub target: f64,
    /// Percent of requests that did.
    pub percent: Option<f64>,
    /// How many there were.
    pub requests: u64,
    /// How many failed.
    pub failures: u64,
}

/// How many requests are answered fast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Below how many milliseconds an answer is fast.
    pub target_ms: f64,
    /// Percent of requests that were.
    pub percent: Option<f64>,
    /// How many there were.
    pub requests: u64,
}

/// Errors against what may fail, over a long window and a short one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnRate {
    /// The rule that judges it.
    pub rule: String,
    /// Above which rate both windows are bad.
    pub factor: f64,
    /// Length of the long window.
    pub long_seconds: u64,
    /// How many times faster than allowed; null without requests.
    pub long_burn: Option<f64>,
    /// Length of the short window.
    pub short_seconds: u64,
    /// How many times faster than allowed; null without requests.
    pub short_burn: Option<f64>,
    /// Requests in the long window.
    pub requests: u64,
    /// How many of them failed.
    pub failures: u64,
    /// `good`, `bad`, or `insufficient` when too little is known.
    pub verdict: String,
}

/// One Web Vital.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebVital {
    /// Three views in four were as good: milliseconds, of CLS a bare number.
    pub p75: Option<f64>,
    /// What it should be at most.
    pub target: f64,
    /// How many views it rests on.
    pub views: u64,
    /// When it was measured.
    pub measured_at: Option<Timestamp>,
    /// `good`, `bad`, or `insufficient` when too little is known.
    pub verdict: String,
}
