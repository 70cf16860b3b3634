//! `/api/cron/backup`: one backup, under a lease that is renewed while it works.
//!
//! What counts happens twice as carefully: the database is asked for the lease
//! once more right before the commit record is written, and how the run ended is
//! kept in the database, where its age is watched.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    keys::{KeyError, Recipients, Secret},
    run::{self, Backup, Figures, RunError},
    setup::{Setup, SetupError},
    store::OpenError,
    tools,
};
use crate::{
    app::{self, Answer, App},
    auth::{self, Caller, ClientAddress, Proof},
    clock::Deadline,
    endpoint::{Endpoint, Job},
    jobs::{self, Claim, Lease, Outcome, Run},
    problem::Problem,
    rpc::{Call, Retry},
};

/// Kept back from the work, for recording how it ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How many sessions read the database at once, beside the one that keeps the
/// snapshot: few enough for the smallest project's connections.
const WORKERS: usize = 3;

/// What came of a run, as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The job's name.
    pub job: &'static str,
    /// The run.
    pub run: Uuid,
    /// Its slot; `None` for a run that an operator asked for.
    pub slot: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// The backup, where one was sealed.
    pub backup: Option<Sealed>,
    /// Why none was sealed, or why it does not count as done.
    pub reason: Option<String>,
}

/// A sealed backup.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sealed {
    /// Its name in the store.
    pub snapshot: String,
    /// The time of its snapshot, by the database's clock.
    pub taken_at: Timestamp,
    /// When its commit record was written.
    pub sealed_at: Timestamp,
    /// Why it may not hold what it should.
    pub suspect: Option<String>,
    /// What it took.
    #[serde(flatten)]
    pub figures: Figures,
}

#[derive(Debug, Serialize)]
struct FinishBackup<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_outcome: Outcome,
    p_backup: Record<'a>,
}

/// How a run ended, as the database keeps it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    snapshot: Option<&'a str>,
    taken_at: Option<Timestamp>,
    sealed_at: Option<Timestamp>,
    figures: Option<&'a Figures>,
    suspect: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct FinishedBackup {
    outcome: String,
}

impl Call for FinishBackup<'_> {
    const NAME: &'static str = "ops_finish_backup";
    const RETRY: Retry = Retry::Idempotent;
    type Output = FinishedBackup;
}

/// Makes one backup, for the scheduler or an operator.
///
/// # Errors
/// 401, 403 or 429 for other callers, 503 where backups are not set up.
pub fn handle(app: &App, request: Request<Bytes>, deadline: Deadline) -> Answer<'_> {
    Box::pin(respond(app, request, deadline))
}

async fn respond(
    app: &App,
    request: Request<Bytes>,
    deadline: Deadline,
) -> Result<Response<Bytes>, Problem> {
    let client = request.extensions().get::<ClientAddress>();
    let proofs = [Proof::CronSecret, Proof::ApiKey];
    let caller = auth::require(app, request.headers(), client, &proofs, deadline).await?;
    let report = perform(app, &caller, deadline).await.map_err(|error| {
        tracing::warn!(%error, "no backup is made");
        Problem::Unavailable(match error {
            SetupError::Absent => "backups are not set up",
            SetupError::Incomplete => "backups are not configured as they should be",
        })
    })?;
    app::json(report.outcome.status(), &report)
}

/// Makes one backup right now, whatever the schedule.
///
/// # Errors
/// See [`SetupError`]; what goes wrong later is the report's outcome.
pub async fn now(app: &App, deadline: Deadline) -> Result<Report, SetupError> {
    perform(app, &Caller::Operator, deadline).await
}

async fn perform(app: &App, caller: &Caller, deadline: Deadline) -> Result<Report, SetupError> {
    let setup = Setup::of(&app.config)?;
    let Some(job) = Endpoint::Backup.spec().job else {
        return Err(SetupError::Absent);
    };
    let id = Uuid::new_v4();
    let run = match jobs::claim(app, job, caller, id, deadline).await {
        Ok(Claim::Claimed(run)) => run,
        Ok(Claim::Skipped { run, slot, reason }) => {
            return Ok(Report::without_backup(
                job,
                run,
                slot,
                Outcome::Skipped,
                reason,
            ));
        }
        Err(error) => {
            tracing::error!(job = job.name, run = %id, %error, "a run cannot be claimed");
            let reason = "the database cannot be reached".to_owned();
            return Ok(Report::without_backup(
                job,
                id,
                None,
                Outcome::Failed,
                reason,
            ));
        }
    };
    jobs::started(app, &run);
    let report = back_up(app, &run, setup, deadline.reserving(LAST_WORDS)).await;
    let report = record(app, &run, report, deadline.or_at_least(LAST_WORDS)).await;
    jobs::ended(app, &run, report.outcome);
    Ok(report)
}

/// The backup and the beat of its lease side by side. Once the lease is lost the
/// work is dropped where it stands, as if the function had been killed.
async fn back_up(app: &App, run: &Run, setup: Setup<'_>, deadline: Deadline) -> Report {
    let ended = tokio::select! {
        ended = work(app, run, setup, deadline) => ended,
        () = jobs::hold(app, run) => Err(WorkError::Run(RunError::Superseded)),
    };
    match ended {
        Ok(backup) => Report::of(run, backup),
        Err(error) => {
            tracing::warn!(job = run.job.name, run = %run.id, %error, "no backup was sealed");
            let (outcome, reason) = (error.outcome(), error.to_string());
            Report::without_backup(run.job, run.id, run.slot, outcome, reason)
        }
    }
}

/// Why a claimed run sealed no backup.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Run(#[from] RunError),
}

impl WorkError {
    /// A lost lease is a failure as well, unless the database says that somebody
    /// else has the job.
    fn outcome(&self) -> Outcome {
        match self {
            Self::Run(RunError::Deadline) => Outcome::Partial,
            Self::Run(
                RunError::Superseded
                | RunError::Preflight(_)
                | RunError::Schema(_)
                | RunError::Source(_)
                | RunError::Repository(_)
                | RunError::Store(_),
            )
            | Self::Key(_)
            | Self::Open(_) => Outcome::Failed,
        }
    }
}

async fn work(
    app: &App,
    run: &Run,
    setup: Setup<'_>,
    deadline: Deadline,
) -> Result<Backup, WorkError> {
    let Setup { database, backup } = setup;
    let secret = Secret::parse(&backup.secret)?;
    let request = run::Request {
        url: &database.url,
        ca: database.ca.as_deref(),
        store: setup.store(&app.outbound)?,
        secret: &secret,
        recipients: Recipients::parse(&backup.recipients)?,
        fence: run.fence.unsigned_abs(),
        workers: WORKERS,
        deadline,
        tools: tools::FILES,
    };
    let still_ours = || async { matches!(jobs::extend(app, run, deadline).await, Ok(Lease::Held)) };
    Ok(run::run(request, still_ours).await?)
}

impl Report {
    fn of(
        run: &Run,
        Backup {
            record, figures, ..
        }: Backup,
    ) -> Self {
        Self {
            job: run.job.name,
            run: run.id,
            slot: run.slot,
            outcome: Outcome::Done,
            backup: Some(Sealed {
                snapshot: record.snapshot.to_string(),
                taken_at: record.taken_at,
                sealed_at: record.sealed_at,
                suspect: record.suspect,
                figures,
            }),
            reason: None,
        }
    }

    /// A backup that the database does not know of is no success.
    fn unrecorded(self, why: &str) -> Self {
        Self {
            outcome: self.outcome.or_partial(),
            reason: self.reason.or_else(|| Some(why.to_owned())),
            ..self
        }
    }

    fn without_backup(
        job: Job,
        run: Uuid,
        slot: Option<Timestamp>,
        outcome: Outcome,
        reason: String,
    ) -> Self {
        Self {
            job: job.name,
            run,
            slot,
            outcome,
            backup: None,
            reason: Some(reason),
        }
    }
}

/// Keeps how the run ended. The database has the last word: a run that lost its
/// lease was in vain, and what is sealed and not recorded is a backup that
/// nobody here knows of.
async fn record(app: &App, run: &Run, report: Report, deadline: Deadline) -> Report {
    let call = FinishBackup {
        p_run: run.id,
        p_fence: run.fence,
        p_outcome: report.outcome,
        p_backup: Record::of(&report),
    };
    match app.call(&call, deadline).await {
        Ok(finished) if finished.outcome == "superseded" => {
            tracing::warn!(job = run.job.name, run = %run.id, "another run took over before this one ended");
            match report.backup {
                None => Report {
                    outcome: Outcome::Skipped,
                    ..report
                },
                Some(_) => report.unrecorded("it is sealed, but another run has taken over"),
            }
        }
        Ok(_) => report,
        Err(error) => {
            tracing::error!(job = run.job.name, run = %run.id, %error, "a run's end cannot be recorded");
            report.unrecorded("it is sealed, but the database cannot be told")
        }
    }
}

impl<'a> Record<'a> {
    fn of(report: &'a Report) -> Self {
        let sealed = report.backup.as_ref();
        Self {
            snapshot: sealed.map(|backup| backup.snapshot.as_str()),
            taken_at: sealed.map(|backup| backup.taken_at),
            sealed_at: sealed.map(|backup| backup.sealed_at),
            figures: sealed.map(|backup| &backup.figures),
            suspect: sealed.and_then(|backup| backup.suspect.as_deref()),
            reason: report.reason.as_deref(),
        }
    }
}
