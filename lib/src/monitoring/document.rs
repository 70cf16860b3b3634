//! The dashboard's document, as `ops_dashboard` makes it and scripts read it.
//!
//! Numbers are real or null: a rate without requests, a time without samples or
//! an uptime without checks is `None`, never 0 % or 100 %. Times are in
//! milliseconds and durations in seconds unless a name says otherwise.

mod audit;
mod backups;
mod clocks;
mod data_quality;
mod database;
mod deployments;
mod feedback;
mod funnels;
mod incidents;
mod ladder;
mod on_call;
mod production;
mod provider_backups;
mod resources;
mod retention;
mod security;
mod series;
mod slo;
mod telemetry;
mod uptime;
mod usage;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::audit_log::AuditLog;
pub use audit::{Audit, Finding};
pub use backups::{
    Archives, BackupRun, Backups, Collection, CollectionFigures, Collections, Compared, Damage,
    Drill, DrillDispatch, DrillLevel, Drills, Fault, Gap, Heap, LastReview, MissedDocument,
    MissingObject, NotCovered, Receipts, Replica, Requests, Reread, Restore, RestoreForecast,
    Verification, Verifications,
};
pub use clocks::{CallAnswer, Clock};
pub use data_quality::{DataQuality, LeftOut, Uncounted};
pub use database::{
    Blocking, Connections, Database, Statement, States, Table, Transaction, Waiting,
};
pub use deployments::DeploymentMark;
pub use feedback::OpenFeedback;
pub use funnels::{Funnel, FunnelStep};
pub use incidents::{Cause, Deployment, Evidence, Impact, Incident};
pub use ladder::{Ladder, Rung};
pub use on_call::OnCall;
pub use production::{Comparison, Measure, Production, Project, Served};
pub use provider_backups::{ProviderBackup, ProviderBackups};
pub use resources::Resource;
pub use retention::{Forgotten, HeldEvidence, KeptTable, Retention};
pub use security::{Security, SignInAttempts};
pub use series::{LatencySeries, RequestSeries, Series, ServiceSeries, UsageSeries};
pub use slo::{Availability, BurnRate, ErrorBudget, ErrorRate, Latency, Slo, WebVital};
pub use telemetry::{Dependency, Door, DoorSource, Issue, Issues, PageViews, Release, Vital};
pub use uptime::{CheckUptime, Outage, Strip, Strips, Uptime, Window};
pub use usage::{Feature, Metric, PageVital, People, Sessions, VitalOfPages};

/// Everything known about the app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// What works now.
    pub system_health: SystemHealth,
    /// How fast the app answers.
    pub performance: Performance,
    /// What went wrong.
    pub errors: Errors,
    /// What users did.
    pub business: Business,
    /// Who was there.
    pub people: People,
    /// How long they stayed, and what they saw.
    pub sessions: Sessions,
    /// What they used, the most used first.
    pub features: Vec<Feature>,
    /// How far they came on the ways that somebody wants counted.
    pub funnels: Vec<Funnel>,
    /// How pages felt to them, by the name of the Web Vital.
    pub web_vitals: BTreeMap<String, VitalOfPages>,
    /// What the app measured, by name.
    pub metrics: BTreeMap<String, Metric>,
    /// The pages that were looked at most.
    pub pages: Vec<PageViews>,
    /// What the app asked of others, the most asked first.
    pub dependencies: Vec<Dependency>,
    /// The versions of the app that were seen, the newest first.
    pub releases: Vec<Release>,
    /// Errors as issues.
    pub issues: Issues,
    /// How often browsers reported what.
    pub reports: BTreeMap<String, u64>,
    /// What came in by the door.
    pub door: Door,
    /// What is drawn over time.
    pub series: Series,
    /// What was sent to people.
    pub alerts: Alerts,
    /// How long the app was up.
    pub uptime: Uptime,
    /// What was promised, and how much of it is left.
    pub slo: Slo,
    /// What alerts belong together, and how it ended.
    pub incidents: Vec<Incident>,
    /// What became of deployments in the range, the newest twenty, the newest first.
    pub deployments: Vec<DeploymentMark>,
    /// What serves production, whether it is pinned, and how it compares.
    pub production: Production,
    /// What people wrote and nobody has dealt with.
    pub feedback: OpenFeedback,
    /// The database itself.
    pub database: Database,
    /// What may run out.
    pub resources: Vec<Resource>,
    /// What is deleted by age.
    pub retention: Retention,
    /// Messages on their way.
    pub outbox: Outbox,
    /// The bundle's own work.
    pub jobs: Vec<Job>,
    /// The clocks that call them.
    pub clocks: Vec<Clock>,
    /// Who has each rotation now, and who comes next.
    pub on_call: Vec<OnCall>,
    /// Who tries to get in, and who may what.
    pub security: Security,
    /// What is left undone and nobody is about to do.
    pub audit: Audit,
    /// What was done that somebody has to answer for, the newest fifty; null for whoever may
    /// not read it.
    pub audit_log: Option<AuditLog>,
    /// Backups; null until there has been a run.
    pub backups: Option<Backups>,
    /// The backups that the provider of the database makes itself.
    pub provider_backups: ProviderBackups,
    /// What the app wrote that is in no figure.
    pub data_quality: DataQuality,
}

/// What works now, from the newest sample of each service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemHealth {
    /// `healthy`, `degraded`, `unhealthy` or `unknown`.
    pub overall: String,
    /// Per service.
    pub services: BTreeMap<String, ServiceHealth>,
    /// The newest sample of all.
    pub last_updated: Option<Timestamp>,
}

/// One service now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceHealth {
    /// `healthy`, `degraded`, `unhealthy`, or `unknown` when samples are too old.
    pub status: String,
    /// Milliseconds.
    pub response_time: Option<f64>,
    /// Percent of requests; for the app only.
    pub error_rate: Option<f64>,
    /// Percent of the last 24 hours.
    pub uptime: Option<f64>,
    /// When it was last seen.
    pub last_check: Option<Timestamp>,
    /// Why it is not healthy.
    pub reason: Option<String>,
    /// The check that says so.
    pub check: Option<String>,
}

/// How fast the app answers, over all requests of the range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Performance {
    /// Milliseconds.
    pub average_response_time: Option<f64>,
    /// Milliseconds.
    pub p50_response_time: Option<f64>,
    /// Milliseconds.
    pub p95_response_time: Option<f64>,
    /// Milliseconds.
    pub p99_response_time: Option<f64>,
    /// Requests a minute.
    pub throughput: f64,
    /// Requests in the range.
    pub requests: u64,
    /// Distinct users.
    pub active_users: u64,
    /// Percent of this instance's memory.
    pub memory_usage: Option<f64>,
    /// Percent of the processors of the database's host in the last hour or two; null where its
    /// platform does not tell.
    pub cpu_usage: Option<f64>,
    /// The endpoints that were called most, the most called first.
    pub endpoints: Vec<EndpointPerformance>,
}

/// How fast one endpoint answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPerformance {
    /// Method and path without query; `other` for all that came after the day's 500th.
    pub endpoint: String,
    /// Requests in the range.
    pub requests: u64,
    /// Requests a minute.
    pub throughput: f64,
    /// Requests answered with 500 or more.
    pub failed_requests: u64,
    /// Percent of requests answered with 500 or more.
    pub error_rate: Option<f64>,
    /// Requests by the class of their status, `1xx` to `5xx`.
    pub status_classes: BTreeMap<String, u64>,
    /// Milliseconds.
    pub average_response_time: Option<f64>,
    /// Milliseconds; null beyond the ten endpoints that were called most, as the next two are.
    pub p50_response_time: Option<f64>,
    /// Milliseconds.
    pub p95_response_time: Option<f64>,
    /// Milliseconds.
    pub p99_response_time: Option<f64>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// Logged errors.
    pub total_errors: u64,
    /// Percent of requests answered with 500 or more.
    pub error_rate: Option<f64>,
    /// Requests answered with 500 or more.
    pub failed_requests: u64,
    /// Requests in the range.
    pub requests: u64,
    /// Logged errors of severity critical.
    pub critical_errors: u64,
    /// Logged errors by the app's categories.
    pub errors_by_category: BTreeMap<String, u64>,
    /// The newest, grouped by message.
    pub recent_errors: Vec<ErrorGroup>,
}

/// Errors with the same message but for ids and numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorGroup {
    /// The newest one's message.
    pub message: String,
    /// The app's word.
    pub severity: String,
    /// The app's category.
    pub category: String,
    /// When it last happened.
    pub timestamp: Timestamp,
    /// When it first happened in the range.
    pub first_seen: Timestamp,
    /// How often in the range.
    pub count: u64,
    /// The group's identity.
    pub fingerprint: String,
}

/// What users did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Business {
    /// Distinct users of the last 24 hours.
    pub daily_active_users: u64,
    /// Event `wine_added`.
    pub wines_added: u64,
    /// Event `recommendation_generated`.
    pub recommendations_generated: u64,
    /// Event `ai_query_processed`.
    pub ai_queries_processed: u64,
    /// Event `image_processed`.
    pub image_processing_requests: u64,
    /// Event `user_registered`.
    pub users_registered: u64,
    /// Event `taste_profile_completed`.
    pub taste_profiles_completed: u64,
    /// Event `wine_consumed`.
    pub wines_consumed: u64,
    /// Event `food_pairing_requested`.
    pub food_pairings_requested: u64,
    /// Taste profiles completed, in percent of users registered.
    pub conversion_rate: Option<f64>,
    /// Every event, by name.
    pub events: BTreeMap<String, u64>,
    /// What the app counts itself, by name.
    pub metrics: BTreeMap<String, BusinessMetric>,
}

/// A figure that the app counts itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BusinessMetric {
    /// How many numbers there are in the range.
    pub count: u64,
    /// Of all numbers.
    pub sum: f64,
    /// Of all numbers; null without any.
    pub average: Option<f64>,
    /// The least number.
    pub lowest: Option<f64>,
    /// The greatest number.
    pub highest: Option<f64>,
}

/// What was sent to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alerts {
    /// Not resolved yet.
    pub active_alerts: u64,
    /// Not resolved yet, of severity critical.
    pub critical_alerts: u64,
    /// The newest.
    pub recent_alerts: Vec<Alert>,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// The rule that opened it.
    #[serde(rename = "type")]
    pub rule: String,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// `firing`, `acknowledged` or `resolved`.
    pub status: String,
    /// What it is about.
    pub subject: Option<String>,
    /// What the app said, if it was the app that raised it.
    pub message: Option<String>,
    /// When it opened.
    pub timestamp: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// The number of the incident it belongs to.
    pub incident: Option<i64>,
    /// What it is only the consequence of, while it waits for the end of that.
    pub held_by: Option<Holder>,
    /// Whom its ladder asks next; of the newest open ones alone.
    #[serde(default)]
    pub ladder: Option<Ladder>,
}

/// What holds an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The rule by which it is bad.
    pub rule: String,
    /// What is bad.
    pub subject: String,
}

/// Messages on their way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outbox {
    /// Not sent yet.
    pub pending: u64,
    /// How long the oldest has been due.
    pub oldest_pending_seconds: Option<f64>,
    /// Sent in the last 24 hours.
    #[serde(rename = "sent24h")]
    pub sent_24h: u64,
    /// Given up; somebody has to look.
    pub dead: Vec<DeadLetter>,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its id.
    pub id: Uuid,
    /// Where it was to go; null where nothing was configured.
    pub channel: Option<String>,
    /// What it was about.
    pub rule: Option<String>,
    /// How bad that was.
    pub severity: String,
    /// Why it could not be sent.
    pub error: Option<String>,
    /// When it was written.
    pub at: Timestamp,
}

/// A job of the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its name.
    pub job: String,
    /// Seconds between two slots.
    pub every_seconds: u64,
    /// `ok`, `overdue` or `not set up`.
    pub status: String,
    /// The newest slot that was claimed.
    pub last_slot: Option<Timestamp>,
    /// How the newest run ended.
    pub last_outcome: Option<String>,
    /// When it started.
    pub last_started_at: Option<Timestamp>,
    /// When it ended.
    pub last_finished_at: Option<Timestamp>,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// Slots without a run in the last 24 hours.
    #[serde(rename = "missed24h")]
    pub missed_24h: u64,
    /// What became of its last sixty slots.
    #[serde(default)]
    pub slots: Slots,
}

/// What became of slots that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slots {
    /// The first one.
    pub from: Option<Timestamp>,
    /// The outcome of each one's run, or `missed`; null where there is nothing yet.
    pub outcomes: Vec<Option<String>>,
}
