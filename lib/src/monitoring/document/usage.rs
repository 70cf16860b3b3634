//! The dashboard's sections about use: who was there, for how long, what they
//! used, and how pages felt to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Vital;

/// Who was there: distinct users of events and API calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct People {
    /// In the range.
    pub active: u64,
    /// In the range, and never before.
    pub new: u64,
    /// In the range, and before.
    pub returning: u64,
    /// In the last 24 hours.
    pub active24h: u64,
    /// In the last 7 days.
    pub active7d: u64,
    /// In the last 30 days.
    pub active30d: u64,
    /// On a day, the mean of the last 30 that are over.
    pub active_a_day: f64,
    /// That mean, in percent of those of the last 30 days; null where there was nobody.
    pub stickiness_percent: Option<f64>,
    /// Visitors of whom nothing is known, each once a day.
    pub visitors: u64,
}

/// Visits and sessions that began in the range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// Session ids of events, each where it was seen first.
    pub visits: u64,
    /// Visits by the people who were active in the range; null without any.
    pub visits_per_person: Option<f64>,
    /// Rows of `user_sessions`, or visits as the door knows them.
    pub sessions: u64,
    /// Of a session.
    pub average_seconds: Option<f64>,
    /// Half of the sessions were shorter.
    pub median_seconds: Option<f64>,
    /// Of all sessions.
    pub page_views: f64,
    /// Of a session.
    pub pages_per_session: Option<f64>,
    /// Of all sessions.
    pub events: f64,
    /// Sessions by device.
    pub devices: BTreeMap<String, u64>,
}

/// How a feature was used on the dates of the range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feature {
    /// Its name.
    pub feature: String,
    /// How often.
    pub uses: f64,
    /// On how many days of how many users: one user on two days is two.
    pub user_days: u64,
    /// Percent, the mean of the rows.
    pub success_rate: Option<f64>,
    /// The mean of the rows, in the app's unit.
    pub average_duration: Option<f64>,
}

/// A Web Vital of all pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VitalOfPages {
    /// Three of four page views were as good or better; milliseconds, or a plain number
    /// for CLS.
    pub p75: Option<f64>,
    /// Page views that were measured.
    pub views: u64,
    /// Of pages that were changed without being loaded; null where none was measured.
    pub soft: Option<Vital>,
    /// The pages that were seen most.
    pub pages: Vec<PageVital>,
}

/// A Web Vital of one page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageVital {
    /// Its path.
    pub page: String,
    /// As for all pages.
    pub p75: Option<f64>,
    /// Page views that were measured.
    pub views: u64,
}

/// What the app measured under one name, in the app's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// How many numbers there are in the range.
    pub measurements: u64,
    /// Of all numbers.
    pub average: Option<f64>,
    /// Half of the numbers are less.
    pub p50: Option<f64>,
    /// 95 of 100 are less.
    pub p95: Option<f64>,
}
