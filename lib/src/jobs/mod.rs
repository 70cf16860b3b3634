//! Runs of scheduled work.
//!
//! A run is claimed, once per job and slot, before anything is done; a second
//! caller is skipped and does nothing. The claim is a lease with a fencing
//! token: a run that was killed is taken over when its lease ends, and one that
//! wakes up late finds its token refused. All of it is decided in the database.

mod claim;
mod lease;
mod record;

use http::StatusCode;
use jiff::Timestamp;
use sentry::protocol::MonitorCheckInStatus;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use claim::{Claim, Holder, Order, Patience, Skip, claim};
pub use lease::{Lease, extend, hold, while_held};
pub use record::{Recorded, record};

use crate::{
    app::App,
    auth::Starter,
    config::Environment,
    endpoint::Job,
    handler::{self, Answer},
    rpc::RpcError,
    telemetry,
};
use outside::clock::Deadline;

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
    /// The checks that are due, each as the database tells it; the monitor's alone.
    pub checks: Vec<Value>,
}

/// What a run tells beside how it ended.
pub trait Details: Serialize {
    /// What a run tells that did nothing, for that reason.
    fn of_reason(reason: String) -> Self;
}

impl Details for Map<String, Value> {
    fn of_reason(reason: String) -> Self {
        [("reason".to_owned(), json!(reason))].into_iter().collect()
    }
}

/// How the work of a run ended.
#[derive(Debug)]
pub struct Ended<D = Map<String, Value>> {
    /// How it ended.
    pub outcome: Outcome,
    /// Counts and names; no secrets, for they are kept and shown.
    pub details: D,
}

/// What came of asking for a run, as it is answered.
#[derive(Debug, Serialize)]
pub struct Report<D = Map<String, Value>> {
    /// The job's name.
    pub job: &'static str,
    /// The run, or the id under which none was given.
    pub run: Uuid,
    /// Its slot; `None` for a run that an operator asked for.
    pub slot: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// What else there is to tell.
    #[serde(flatten)]
    pub details: D,
}

impl<D: Details> Report<D> {
    /// The answer that tells it.
    ///
    /// # Errors
    /// 500 if it cannot be written.
    pub fn answer(&self) -> Answer {
        handler::json(self.outcome.status(), self)
    }
}

/// The database could not be asked for a run.
#[derive(Debug)]
pub struct Unclaimed {
    job: Job,
    run: Uuid,
    /// Why.
    pub error: RpcError,
}

impl Unclaimed {
    /// The report of a run that never began.
    #[must_use]
    pub fn report<D: Details>(self) -> Report<D> {
        Report {
            job: self.job.name,
            run: self.run,
            slot: None,
            outcome: Outcome::Failed,
            details: D::of_reason("the database cannot be reached".to_owned()),
        }
    }
}

/// Claims a run and only then does the work, which also records how it ended.
/// The outside watcher gets a check-in when a scheduled run begins and when it ends.
///
/// # Errors
/// When the database cannot be asked for a run.
pub async fn run<D: Details>(
    app: &App,
    order: Order,
    deadline: Deadline,
    work: impl AsyncFnOnce(&Run) -> Ended<D>,
) -> Result<Report<D>, Unclaimed> {
    let (job, id) = (order.job, Uuid::new_v4());
    if is_preview(app, &order) {
        return Ok(Report {
            job: job.name,
            run: id,
            slot: None,
            outcome: Outcome::Skipped,
            details: D::of_reason("a preview does nothing by schedule".to_owned()),
        });
    }
    let claimed = claim(app, order, id, deadline).await;
    let claimed = claimed.map_err(|error| {
        tracing::error!(job = job.name, run = %id, %error, "a run cannot be claimed");
        Unclaimed {
            job,
            run: id,
            error,
        }
    })?;
    let run = match claimed {
        Claim::Claimed(run) => run,
        Claim::Skipped { slot, reason } => {
            return Ok(Report {
                job: job.name,
                run: id,
                slot,
                outcome: Outcome::Skipped,
                details: D::of_reason(reason.to_string()),
            });
        }
    };
    check_in(app, &run, MonitorCheckInStatus::InProgress);
    let Ended { outcome, details } = work(&run).await;
    check_in(
        app,
        &run,
        match outcome {
            Outcome::Failed => MonitorCheckInStatus::Error,
            Outcome::Done | Outcome::Skipped | Outcome::Partial => MonitorCheckInStatus::Ok,
        },
    );
    Ok(Report {
        job: job.name,
        run: run.id,
        slot: run.slot,
        outcome,
        details,
    })
}

/// Whether a clock calls a preview. Vercel's crons call production alone, but its schedules
/// call every environment, and a preview that shares the project's database would take slots
/// from production with functions that nobody released.
fn is_preview(app: &App, order: &Order) -> bool {
    match order.starter {
        Starter::Scheduler(_) => app.config.deployment.environment == Environment::Preview,
        Starter::Operator => false,
    }
}

/// Checks a run in with the outside watcher, which expects scheduled runs alone.
fn check_in(app: &App, run: &Run, status: MonitorCheckInStatus) {
    if run.slot.is_some() {
        let environment = app.config.deployment.environment;
        telemetry::check_in(environment, &run.job, run.id, status);
    }
}
