//! What serves production, as the dashboard shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployments::DeploymentMark;

/// The platform's projects, and what served users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Production {
    /// The watched app's project, and this bundle's.
    pub projects: Vec<Project>,
    /// What was told of this bundle's own deployments, the newest twenty events of the range.
    pub own_deployments: Vec<DeploymentMark>,
    /// The five deployments of the app that served last, the newest first.
    pub served: Vec<Served>,
}

/// A project on the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// `app_project` or `own_project`.
    pub source: String,
    /// Its name there.
    pub name: Option<String>,
    /// `free`, `pinned`, `unknown` or `not watched`.
    pub state: String,
    /// Since when later releases serve nobody.
    pub pinned_since: Option<Timestamp>,
    /// The deployment that serves.
    pub live: Option<String>,
    /// When it was read last.
    pub read_at: Option<Timestamp>,
    /// Why it could not be read, if it could not.
    pub error: Option<String>,
}

/// A deployment that began to serve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// The platform's id of it.
    pub deployment: String,
    /// The commit that it was built from, where that is known.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Since when it served.
    pub began_at: Timestamp,
    /// When another one took over; null while it serves.
    pub ended_at: Option<Timestamp>,
    /// Which one served before.
    pub before: Option<String>,
    /// At each age.
    pub comparisons: Vec<Comparison>,
}

/// How a deployment compares with the day before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// 15, 60, 1440 or 2880.
    pub age_minutes: u32,
    /// `fine`, `regressed` or `insufficient`; `waiting`, `replaced` or `missed` where none was
    /// made.
    pub verdict: String,
    /// The time that is looked at.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The time that it is compared with.
    pub before_from: Timestamp,
    /// Its end.
    pub before_to: Timestamp,
    /// Each measure.
    pub measures: Vec<Measure>,
}

/// One measure of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measure {
    /// Its name.
    pub measure: String,
    /// `same`, `better`, `worse` or `insufficient`.
    pub verdict: String,
    /// The unit of both numbers.
    pub unit: Option<String>,
    /// What was measured.
    pub after: Option<f64>,
    /// What was measured the day before.
    pub before: Option<f64>,
    /// What the first rests on.
    pub after_samples: u64,
    /// What the second rests on.
    pub before_samples: u64,
    /// Some of what was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}
