//! The document of `ops_metrics`: what a scrape is told, before it is worded.
//!
//! Times are in milliseconds unless a name says otherwise. What is not known is `None`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Everything that a scrape is told of an environment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// All requests that were ever counted.
    pub requests: Requests,
    /// The endpoints of the last five minutes.
    pub endpoints: Endpoints,
    /// What went wrong.
    pub errors: Errors,
    /// What works now.
    pub services: Vec<Service>,
    /// What was promised, and what became of it.
    pub availability: Availability,
    /// Open alerts.
    pub alerts: Vec<OpenAlerts>,
    /// Open incidents by severity.
    pub incidents: BTreeMap<String, f64>,
    /// Messages on their way.
    pub outbox: Outbox,
    /// The bundle's own work.
    pub jobs: Vec<Job>,
    /// What would be lost now.
    pub backups: Backups,
    /// What apps and platforms sent.
    pub door: Door,
    /// What three views in four stayed below, by the name of the Web Vital.
    pub web_vitals: BTreeMap<String, f64>,
    /// How many different people were there, by window.
    pub people: BTreeMap<String, f64>,
    /// The database itself.
    pub database: Database,
}

/// Requests of the API.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Requests {
    /// How many had a status of 1xx to 5xx, then 401 or 403, then none of HTTP; empty without
    /// requests.
    pub tallies: Vec<f64>,
    /// The sum of their times.
    pub milliseconds: f64,
    /// The buckets of their times, ascending: number n, which is even, holds what is
    /// above 1.0202 ^ (n - 2) ms, up to 1.0202 ^ n; -2000 holds 0.
    pub buckets: Vec<i32>,
    /// How many are in each bucket.
    pub counts: Vec<f64>,
}

/// The endpoints that were called lately.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Endpoints {
    /// Those that were called most, the most called first.
    pub most: Vec<Endpoint>,
    /// The requests of all of them.
    pub requests: f64,
    /// How many of these failed.
    pub failed: f64,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Endpoint {
    /// Method and path, as the app wrote them.
    pub endpoint: String,
    /// Its requests.
    pub requests: f64,
    /// How many of them failed.
    pub failed: f64,
    /// Half of them took less.
    pub p50: Option<f64>,
    /// 95 of 100 took less.
    pub p95: Option<f64>,
    /// 99 of 100 took less.
    pub p99: Option<f64>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Errors {
    /// How many errors there ever were, by severity.
    pub severities: BTreeMap<String, f64>,
    /// Those of the last five minutes by category, the most frequent first.
    pub categories: Vec<Category>,
}

/// Errors of one category.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Category {
    /// As the app wrote it.
    pub category: String,
    /// How many there were.
    pub errors: f64,
}

/// One service now.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its name.
    pub service: String,
    /// Whether the app is down without it.
    pub critical: bool,
    /// `healthy`, `degraded`, `unhealthy` or `unknown`.
    pub status: String,
    /// How long its probe took.
    pub milliseconds: Option<f64>,
    /// When it was probed, in seconds since 1970.
    pub last_check: Option<f64>,
}

/// How long the app was up in 30 days.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// Percent of time, as promised.
    pub target_percent: f64,
    /// Percent of the time that is known.
    pub percent: Option<f64>,
    /// Minutes that it may be down.
    pub budget_minutes: f64,
    /// Minutes that are left of these; below zero the budget is overspent.
    pub minutes_left: Option<f64>,
}

/// Open alerts of one severity and status.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OpenAlerts {
    /// How bad they are.
    pub severity: String,
    /// `firing` or `acknowledged`.
    pub status: String,
    /// How many there are.
    pub n: f64,
}

/// Messages on their way.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outbox {
    /// How many wait.
    pub pending: f64,
    /// For how many seconds the oldest has waited that does not wait on purpose.
    pub oldest_seconds: Option<f64>,
    /// How many were given up.
    pub dead: f64,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its name.
    pub job: String,
    /// Seconds between two runs.
    pub every_seconds: f64,
    /// When it succeeded last, in seconds since 1970.
    pub last_success: Option<f64>,
    /// How many seconds that took.
    pub seconds: Option<f64>,
}

/// What would be lost now, and the newest backup.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backups {
    /// Seconds of changes that no backup holds.
    pub age_seconds: Option<f64>,
    /// When the newest one was taken, in seconds since 1970.
    pub taken_at: Option<f64>,
    /// The bytes of the database's rows in it.
    pub bytes: Option<f64>,
    /// Those that were read for it.
    pub bytes_read: Option<f64>,
    /// The bytes that were added to the store for it.
    pub bytes_stored: Option<f64>,
}

/// What apps and platforms sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Door {
    /// How many items each key ever brought.
    pub taken: Vec<Taken>,
    /// How many items were ever dropped, by the source they came from.
    pub dropped: BTreeMap<String, f64>,
    /// Why items were dropped in the last 24 hours, the most frequent first.
    pub reasons: Vec<Reason>,
    /// How many were, for all reasons.
    pub recent: f64,
}

/// What a key brought.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Taken {
    /// The key's number.
    pub key: u32,
    /// What the operator called it.
    pub name: String,
    /// Its items.
    pub items: f64,
}

/// Items that were dropped for one reason.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Reason {
    /// Where they came from.
    pub source: String,
    /// Why they were dropped; clients may have said so.
    pub reason: String,
    /// How many there were.
    pub items: f64,
}

/// The database itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Database {
    /// Its size.
    pub bytes: f64,
    /// Connections to its server.
    pub connections: f64,
    /// How many there may be.
    pub maximum: f64,
}
