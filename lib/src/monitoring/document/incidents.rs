//! Incidents, as the dashboard and the operator's command show them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What people work on: alerts that belong together, or what somebody saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Its id.
    pub id: Uuid,
    /// The number that people say.
    pub number: i64,
    /// What people call it; null for one that an alert opened.
    pub title: Option<String>,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: String,
    /// `investigating`, `identified`, `monitoring` or `resolved`.
    pub status: String,
    /// The first bad sample, or since when somebody says.
    pub started_at: Timestamp,
    /// When its first alert opened, or somebody opened it.
    pub detected_at: Timestamp,
    /// When a person first answered one of its alerts.
    pub acknowledged_at: Option<Timestamp>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// Seconds from its beginning until it ended, or until now.
    pub duration_seconds: f64,
    /// Seconds from its first alert until a person answered.
    pub time_to_acknowledge_seconds: Option<f64>,
    /// Seconds from its detection until it ended.
    pub time_to_resolve_seconds: Option<f64>,
    /// Who opened it; null if an alert did.
    pub opened_by: Option<String>,
    /// Who resolved it; null if its last alert did.
    pub resolved_by: Option<String>,
    /// The rule of its first alert.
    pub rule: Option<String>,
    /// What that was about.
    pub subject: Option<String>,
    /// The services that suffer.
    pub affects: Vec<String>,
    /// How many alerts belong to it.
    pub alerts: u64,
    /// Whose side it is on.
    pub cause: Cause,
    /// The deployment that was newest as it began.
    pub began_after: Option<Deployment>,
    /// Whom and what it hit.
    pub impact: Impact,
}

/// Whose side an incident is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// `ours`, `supabase`, `openai`, `google`, `resend`, `vercel` or `unknown`.
    pub side: String,
    /// Who said so; null if it is what is probable.
    pub by: Option<String>,
    /// What was known as it began.
    pub evidence: Vec<Evidence>,
}

/// One thing that was known as an incident began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Evidence {
    /// A service that was down or degraded.
    #[serde(rename_all = "camelCase")]
    Bad {
        /// Its name.
        service: String,
        /// `down` or `degraded`.
        status: String,
        /// Why, as its probe says.
        reason: Option<String>,
        /// The status of its answer.
        status_code: Option<u64>,
    },
    /// A service that was well.
    Up {
        /// Its name.
        service: String,
    },
    /// A service that nobody could see.
    Unknown {
        /// Its name.
        service: String,
    },
    /// A deployment a short time before.
    Deployment(Deployment),
}

/// A deployment that was newest as an incident began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Its id.
    pub deployment: String,
    /// Its commit.
    pub commit: Option<String>,
    /// Its first sample.
    pub first_seen_at: Timestamp,
    /// How long before the incident that was.
    pub seconds_before: f64,
}

/// Whom and what an incident hit; null is what nothing is known of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Distinct users or sessions with a failed request or an error.
    pub users: Option<u64>,
    /// Requests answered with 500 or more.
    pub failed_requests: Option<u64>,
    /// Of the affected service that fared worst.
    pub minutes_down: Option<f64>,
    /// How often users reported it.
    pub reports: u64,
    /// How many users that were.
    pub reporters: Option<u64>,
}
