//! A check-in: the report of a job, which feeds its heartbeat.

use serde::Serialize;

/// What a job says of one of its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CheckIn {
    /// What the client calls the job.
    pub(super) slug: String,
    pub(super) event: Progress,
    /// What it calls the run; empty if it gives it no name.
    pub(super) run: String,
    /// When the job has to report, if the client says so.
    pub(super) config: Option<Times>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// It began.
    Start,
    /// It ended well.
    Success,
    /// It ended badly.
    Failure,
}

/// The times of a heartbeat, each in what the database takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Times {
    /// From one run to the next, at most.
    pub(super) period_seconds: u32,
    /// How late a run may be.
    pub(super) grace_seconds: u32,
    /// How long it may take.
    pub(super) max_run_seconds: u32,
}
