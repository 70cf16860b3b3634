//! The clocks that call the jobs, as the dashboard shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A clock and a job that it calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// `vercel`, `supabase`, `aws`, or what another clock calls itself.
    pub clock: String,
    /// The job.
    pub job: String,
    /// When it called first; null while a clock that was installed has not come through.
    pub first_at: Option<Timestamp>,
    /// When it called last.
    pub last_at: Option<Timestamp>,
    /// How often it calls; null before its third call.
    pub every_seconds: Option<f64>,
    /// For how many of its periods it has not called.
    pub silent_periods: Option<f64>,
    /// How late its newest call was; null where the clock does not say for when it was.
    pub late_seconds: Option<f64>,
    /// `ok`, `new` before its period is known, `silent`, or `gone` if it never came to have one.
    pub status: String,
    /// What the newest call of the scheduler in the database was answered; null for other
    /// clocks, and where `pg_net` has no answer or nobody may read it.
    pub answer: Option<CallAnswer>,
}

/// What `pg_net` keeps of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallAnswer {
    /// When it came.
    pub answered_at: Timestamp,
    /// Its status; null without an answer.
    pub status: Option<u16>,
    /// Whether the answer did not come in time.
    pub timed_out: bool,
    /// Why there is none.
    pub error: Option<String>,
}
