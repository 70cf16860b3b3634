//! The dashboard's sections about what comes in by the door.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A page that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageViews {
    /// Its path, without its query.
    pub page: String,
    /// How often.
    pub views: u64,
}

/// A host or statement that the app asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// Its name.
    pub dependency: String,
    /// How often.
    pub requests: u64,
    /// Requests that failed or were answered with 500 or more.
    pub failed_requests: u64,
    /// Percent of requests that failed.
    pub error_rate: Option<f64>,
    /// Milliseconds.
    pub average_response_time: Option<f64>,
    /// Milliseconds.
    pub p50_response_time: Option<f64>,
    /// Milliseconds.
    pub p95_response_time: Option<f64>,
}

/// A version of the app, in the range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// What it calls itself.
    pub release: String,
    /// When it first sent something.
    pub first_seen: Timestamp,
    /// Pages that were looked at.
    pub views: u64,
    /// Errors.
    pub errors: u64,
    /// Sessions whose clients count them by themselves.
    pub sessions: u64,
    /// Percent of those that did not crash; null without any.
    pub crash_free_percent: Option<f64>,
    /// By the name of the Web Vital, with ` soft` behind it for pages that were changed without
    /// being loaded.
    pub web_vitals: BTreeMap<String, Vital>,
    /// The twenty events that happened most, and how often.
    pub events: BTreeMap<String, u64>,
}

/// A Web Vital.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vital {
    /// Three of four page views were as good or better; milliseconds, or a plain number for CLS.
    pub p75: Option<f64>,
    /// Page views that were measured.
    pub views: u64,
}

/// Errors as issues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Issues {
    /// How many are open.
    pub open: u64,
    /// How many of these happened first in the range.
    pub new: u64,
    /// How many of these came back in the range.
    pub regressed: u64,
    /// The ten that happened last.
    pub latest: Vec<Issue>,
}

/// Errors that are the same, as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// Its id, which the commands take.
    pub id: Uuid,
    /// What happened.
    pub title: String,
    /// Where in the app.
    pub culprit: String,
    /// One of the app's categories.
    pub category: String,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// How often, in all.
    pub events: u64,
    /// To how many people, up to 10,000.
    pub people: u64,
    /// When it first happened.
    pub first_seen: Timestamp,
    /// When it last happened.
    pub last_seen: Timestamp,
    /// The version in which it first happened.
    pub first_release: Option<String>,
    /// The version in which it last happened.
    pub last_release: Option<String>,
    /// When it last came back after it was resolved.
    pub regressed_at: Option<Timestamp>,
    /// How often in each of the last 24 hours, the oldest first.
    pub hours: Vec<u64>,
}

/// What came in by the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Door {
    /// Items since the day that the range begins in.
    pub taken: u64,
    /// What was left out in the range, by source and reason.
    pub left_out: BTreeMap<String, u64>,
    /// Who brings what.
    pub sources: Vec<DoorSource>,
}

/// A source that brings a kind of item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DoorSource {
    /// `request`, `error`, `event` and so on.
    pub kind: String,
    /// `development`, `preview` or `production`.
    pub environment: String,
    /// Its name.
    pub source: String,
    /// When it last brought one, to the hour.
    pub last_at: Timestamp,
    /// Whether these are in the figures: what several bring is counted from one of them.
    pub counted: bool,
}
