//! Runs of scheduled work.
//!
//! A run is claimed, once per job and slot, before anything is done; a second
//! caller is told so and does nothing. The claim is a lease with a fencing
//! token: a run that was killed is taken over when its lease ends, and one that
//! wakes up late finds its token refused. All of it is decided in the database.

mod lease;

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use sentry::protocol::MonitorCheckInStatus;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    app::{self, App},
    auth::Caller,
    clock::Deadline,
    endpoint::Job,
    problem::Problem,
    rpc::{Call, Retry, RpcError},
    telemetry,
};

pub use lease::{Lease, extend, hold};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Somebody else has the slot, or had it.
    Skipped,
    /// Done in part; the next run goes on with the rest.
    Partial,
    /// Nothing that counts was done.
    Failed,
}

/// A run that is ours until its lease ends.
#[derive(Debug, Clone)]
pub struct Run {
    /// Made here, so that a lost answer can be asked for again.
    pub id: Uuid,
    /// Which job.
    pub job: Job,
    /// The slot, or `None` for a run that an operator asked for.
    pub slot: Option<Timestamp>,
    /// Grows with every claim of the job; a smaller one is refused.
    pub fence: i64,
    /// All settings, as of the claim.
    pub settings: Map<String, Value>,
    /// The kept checks that are due; the monitor's alone.
    pub checks: Vec<Value>,
}

/// What came of asking for a run.
#[derive(Debug)]
pub enum Claim {
    /// It is ours.
    Claimed(Run),
    /// It is not: busy, or done already.
    Skipped {
        /// The id that was refused.
        run: Uuid,
        /// The slot that was asked for.
        slot: Option<Timestamp>,
        /// Why, in the database's word.
        reason: String,
    },
}

#[derive(Debug, Serialize)]
struct ClaimRun {
    p_run: Uuid,
    p_job: &'static str,
    p_every_seconds: u32,
    p_lease_seconds: u32,
    p_manual: bool,
}

#[derive(Debug, Deserialize)]
struct ClaimedRun {
    outcome: String,
    reason: Option<String>,
    slot: Option<Timestamp>,
    fence: Option<i64>,
    settings: Option<Map<String, Value>>,
    checks: Option<Vec<Value>>,
}

impl Call for ClaimRun {
    const NAME: &'static str = "ops_claim_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = ClaimedRun;
}

#[derive(Debug, Serialize)]
struct FinishRun<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_outcome: Outcome,
    p_summary: &'a Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct FinishedRun {
    outcome: String,
}

impl Call for FinishRun<'_> {
    const NAME: &'static str = "ops_finish_run";
    const RETRY: Retry = Retry::Idempotent;
    type Output = FinishedRun;
}

/// Asks for the current slot, or, for an operator, for a run right now.
///
/// # Errors
/// When the database cannot be asked.
pub async fn claim(
    app: &App,
    job: Job,
    caller: &Caller,
    run: Uuid,
    deadline: Deadline,
) -> Result<Claim, RpcError> {
    let call = ClaimRun {
        p_run: run,
        p_job: job.name,
        p_every_seconds: job.every_s,
        p_lease_seconds: job.lease_s,
        p_manual: *caller != Caller::Cron,
    };
    let claimed = app.call(&call, deadline).await?;
    Ok(match claimed.fence {
        Some(fence) if claimed.outcome == "claimed" => Claim::Claimed(Run {
            id: run,
            job,
            slot: claimed.slot,
            fence,
            settings: claimed.settings.unwrap_or_default(),
            checks: claimed.checks.unwrap_or_default(),
        }),
        _ => Claim::Skipped {
            run,
            slot: claimed.slot,
            reason: claimed.reason.unwrap_or_default(),
        },
    })
}

/// What a run did: how it ended, and what its answer and its record tell.
#[derive(Debug)]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// Counts and names; no secrets, for it is kept and shown.
    pub details: Map<String, Value>,
}

/// Claims a run, and only then does the work, records how it ended, and answers.
///
/// # Errors
/// None: a database that cannot be asked is a failed run, answered with 500.
pub async fn run(
    app: &App,
    job: Job,
    caller: &Caller,
    deadline: Deadline,
    work: impl AsyncFnOnce(&Run) -> Summary,
) -> Result<Response<Bytes>, Problem> {
    let id = Uuid::new_v4();
    let run = match claim(app, job, caller, id, deadline).await {
        Ok(Claim::Claimed(run)) => run,
        Ok(Claim::Skipped { run, slot, reason }) => return skipped(job, run, slot, &reason),
        Err(error) => return unclaimed(job, id, &error),
    };
    started(app, &run);
    let mut summary = work(&run).await;
    let call = FinishRun {
        p_run: run.id,
        p_fence: run.fence,
        p_outcome: summary.outcome,
        p_summary: &summary.details,
    };
    match app.call(&call, deadline.or_at_least(FINISH)).await {
        Ok(finished) if finished.outcome == "superseded" => {
            tracing::warn!(job = job.name, run = %run.id, "another run took over before this one ended");
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(job = job.name, run = %run.id, %error, "a run's end cannot be recorded");
            summary.outcome = summary.outcome.or_partial();
        }
    }
    ended(app, &run, summary.outcome);
    answer(&run, summary.outcome, summary.details)
}

/// What recording the end may take even when the work used up its time.
const FINISH: Duration = Duration::from_secs(2);

impl Outcome {
    /// The status of an answer that tells it: only a failed run is an error.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Done | Self::Skipped | Self::Partial => StatusCode::OK,
        }
    }

    /// The same of a run whose end could not be recorded.
    #[must_use]
    pub fn or_partial(self) -> Self {
        if self == Self::Done {
            Self::Partial
        } else {
            self
        }
    }
}

/// Tells the outside watcher that a scheduled run has begun.
pub fn started(app: &App, run: &Run) {
    if run.slot.is_some() {
        telemetry::check_in(app, &run.job, run.id, MonitorCheckInStatus::InProgress);
    }
}

/// Tells the outside watcher how a scheduled run ended.
pub fn ended(app: &App, run: &Run, outcome: Outcome) {
    if run.slot.is_some() {
        let status = match outcome {
            Outcome::Failed => MonitorCheckInStatus::Error,
            Outcome::Done | Outcome::Skipped | Outcome::Partial => MonitorCheckInStatus::Ok,
        };
        telemetry::check_in(app, &run.job, run.id, status);
    }
}

/// The answer of a run that was ours.
///
/// # Errors
/// 500 if it cannot be written.
pub fn answer(
    run: &Run,
    outcome: Outcome,
    details: Map<String, Value>,
) -> Result<Response<Bytes>, Problem> {
    respond(run.job, run.id, run.slot, outcome, details)
}

/// The answer to a second caller: nothing went wrong, nothing was done.
///
/// # Errors
/// 500 if it cannot be written.
pub fn skipped(
    job: Job,
    run: Uuid,
    slot: Option<Timestamp>,
    reason: &str,
) -> Result<Response<Bytes>, Problem> {
    respond(
        job,
        run,
        slot,
        Outcome::Skipped,
        [("reason".to_owned(), json!(reason))].into_iter().collect(),
    )
}

/// The answer when the database could not be asked for a run.
///
/// # Errors
/// 500 if it cannot be written.
pub fn unclaimed(job: Job, run: Uuid, error: &RpcError) -> Result<Response<Bytes>, Problem> {
    tracing::error!(job = job.name, %run, %error, "a run cannot be claimed");
    let reason = json!("the database cannot be reached");
    respond(
        job,
        run,
        None,
        Outcome::Failed,
        [("reason".to_owned(), reason)].into_iter().collect(),
    )
}

fn respond(
    job: Job,
    run: Uuid,
    slot: Option<Timestamp>,
    outcome: Outcome,
    details: Map<String, Value>,
) -> Result<Response<Bytes>, Problem> {
    let mut body = json!({ "job": job.name, "run": run, "slot": slot, "outcome": outcome });
    if let Some(body) = body.as_object_mut() {
        body.extend(details);
    }
    app::json(outcome.status(), &body)
}
