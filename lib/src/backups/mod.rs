//! `/api/cron/backup`: one backup, under a lease that is renewed while it works.
//!
//! What counts happens twice as carefully: the database is asked for the lease
//! once more right before the commit record is written, and how the run ended is
//! kept in the database, where its age is watched. How a backup is made is the
//! engine's: crate `backup`. What is left of the function's time is for reading a share of the
//! store again, for the copy, for a collection that is due, for receipts, and, where the function
//! has a key for it, for a drill.

pub mod application;
pub mod backup_setup;
pub mod collection;
pub mod drill_dispatch;
pub mod drill_receipts;
mod due_drill;
pub mod evidence;
pub mod known_receipts;
pub mod pin_notes;
pub mod receipt_proof;
pub mod receipts;
pub mod recovery_receipts;
pub mod replication;
pub mod reread;
pub mod storage_files;
pub mod verification_receipts;

use std::time::Duration;

use backup::{
    format::TableRead,
    keys::{KeyError, Recipients, Secret},
    run::{self, Backup, Figures, RunError},
    schema::{Exclusion, Name},
    store::OpenError,
    tools,
};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use outside::clock::Deadline;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::Starter,
    endpoint::{Job, Route},
    handler::{Answer, Handler, Routes},
    jobs::{self, Ended, Lease, Order, Outcome, Patience, Recorded, Run, Unclaimed},
    problem::Problem,
    rpc::{Call, Retry},
};
use application::DueArchive;
use backup_setup::{BackupSetup, SetupError};
use collection::DueCollection;
pub use due_drill::DueDrill;
use receipts::Receipted;

/// Kept back from the work, for recording how it ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How many sessions read the database at once, beside the one that keeps the
/// snapshot: few enough for the smallest project's connections.
const WORKERS: usize = 3;

/// What came of a run, as it is answered.
pub type Report = jobs::Report<Details>;

/// What a run tells beside how it ended.
#[derive(Debug, Serialize)]
pub struct Details {
    /// The backup, where one was sealed.
    pub backup: Option<Sealed>,
    /// Why none was sealed, or why it does not count as done.
    pub reason: Option<String>,
    /// The drill that was due after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drill: Option<DueDrill>,
    /// The archive of the application that was due after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<DueArchive>,
    /// What was read again after it of all that backups rest on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reread: Option<reread::Reread>,
    /// What was copied to the other place after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied: Option<replication::Copied>,
    /// The collection of what is no longer kept that was due after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<DueCollection>,
    /// The receipts that were due after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<Receipted>,
}

impl jobs::Details for Details {
    fn of_reason(reason: String) -> Self {
        Self {
            backup: None,
            reason: Some(reason),
            drill: None,
            application: None,
            reread: None,
            copied: None,
            collection: None,
            receipts: None,
        }
    }
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
    /// SHA-256 of that record as it lies in the store.
    pub record_sha256: Option<String>,
    /// Why it may not hold what it should.
    pub suspect: Option<String>,
    /// What of the app's it cannot hold, and why.
    pub gaps: Vec<Exclusion>,
    /// What it leaves out because it comes from elsewhere.
    pub not_covered: Vec<Exclusion>,
    /// What it took.
    #[serde(flatten)]
    pub figures: Figures,
    /// How each table was read, and why so.
    pub reads: Vec<Read>,
}

/// How one table was read.
#[derive(Debug, Serialize)]
pub struct Read {
    /// Which table, with its schema.
    pub table: String,
    /// How, and why.
    #[serde(flatten)]
    pub read: TableRead,
}

impl Read {
    fn of((table, read): (Name, TableRead)) -> Self {
        Self {
            table: table.plain(),
            read,
        }
    }
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
    record_sha256: Option<&'a str>,
    figures: Option<&'a Figures>,
    suspect: Option<&'a str>,
    reason: Option<&'a str>,
    gaps: &'a [Exclusion],
    not_covered: &'a [Exclusion],
}

impl Call for FinishBackup<'_> {
    const NAME: &'static str = "ops_finish_backup";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Recorded;
}

/// What answers `/api/cron/backup`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::BACKUP, BacksUp)
}

/// Makes one backup. Answers 503 where backups are not set up.
#[derive(Debug)]
struct BacksUp;

impl Handler<Starter> for BacksUp {
    async fn handle(
        &self,
        app: &App,
        starter: Starter,
        _: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let mut report = perform(app, starter, false, deadline)
            .await
            .map_err(|error| {
                tracing::warn!(%error, "no backup is made");
                Problem::Unavailable(match error {
                    SetupError::Absent => "backups are not set up",
                    SetupError::Incomplete => "backups are not configured as they should be",
                })
            })?;
        // A run that failed has a receipt as well, and so have the facts that wait for theirs.
        if report.outcome == Outcome::Done {
            // These take seconds, but for a first copy; a drill takes what is left.
            report.details.application = application::take_if_due(app, deadline).await;
            report.details.reread = Box::pin(reread::read(app, deadline)).await;
            report.details.copied = Box::pin(replication::copy(app, deadline)).await;
            report.details.collection = Box::pin(collection::make_if_due(app, deadline)).await;
            report.details.receipts = Box::pin(receipts::write_due(app, deadline)).await;
            report.details.drill = due_drill::make_if_due(app, deadline).await;
        } else if report.outcome != Outcome::Skipped {
            report.details.receipts = Box::pin(receipts::write_due(app, deadline)).await;
        }
        report.answer()
    }
}

/// Makes one backup right now, whatever the schedule, and writes the receipts that are due;
/// `whole` has it read everything.
///
/// # Errors
/// See [`SetupError`]; what goes wrong later is the report's outcome.
pub async fn now(app: &App, whole: bool, deadline: Deadline) -> Result<Report, SetupError> {
    let mut report = perform(app, Starter::Operator, whole, deadline).await?;
    if report.outcome != Outcome::Skipped {
        report.details.receipts = Box::pin(receipts::write_due(app, deadline)).await;
    }
    Ok(report)
}

async fn perform(
    app: &App,
    starter: Starter,
    whole: bool,
    deadline: Deadline,
) -> Result<Report, SetupError> {
    let setup = BackupSetup::of(&app.config)?;
    let order = Order {
        job: Job::BACKUP,
        starter,
        patience: Patience::Once,
    };
    let report = jobs::run(app, order, deadline, async |run: &Run| {
        let ended = back_up(app, run, setup, whole, deadline.reserving(LAST_WORDS)).await;
        record(app, run, ended, deadline.or_at_least(LAST_WORDS)).await
    });
    Ok(report.await.unwrap_or_else(Unclaimed::report))
}

/// The work, and how it ended.
async fn back_up(
    app: &App,
    run: &Run,
    setup: BackupSetup<'_>,
    whole: bool,
    deadline: Deadline,
) -> Ended<Details> {
    let work = Box::pin(work(app, run, setup, whole, deadline));
    let sealed = jobs::while_held(app, run, work).await;
    let sealed = sealed.unwrap_or(Err(WorkError::Run(RunError::Superseded)));
    match sealed {
        Ok(backup) => sealed_backup(backup),
        Err(error) => {
            tracing::warn!(job = run.job.name, run = %run.id, %error, "no backup was sealed");
            Ended {
                outcome: error.outcome(),
                details: jobs::Details::of_reason(error.to_string()),
            }
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
                | RunError::Memory { .. }
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
    setup: BackupSetup<'_>,
    whole: bool,
    deadline: Deadline,
) -> Result<Backup, WorkError> {
    let BackupSetup { database, backup } = setup;
    let secret = Secret::parse(&backup.secret)?;
    let files = storage_files::source(app, deadline).await;
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
        files: files.as_ref(),
        whole,
    };
    let still_ours = || async { matches!(jobs::extend(app, run, deadline).await, Ok(Lease::Held)) };
    Ok(run::run(request, still_ours).await?)
}

fn sealed_backup(
    Backup {
        record,
        figures,
        excluded,
        gaps,
        reads,
    }: Backup,
) -> Ended<Details> {
    let sealed = Sealed {
        snapshot: record.snapshot.to_string(),
        taken_at: record.taken_at,
        sealed_at: record.sealed_at,
        record_sha256: record.sha256(),
        suspect: record.suspect,
        gaps,
        not_covered: excluded,
        figures,
        reads: reads.into_iter().map(Read::of).collect(),
    };
    Ended {
        outcome: Outcome::Done,
        details: Details {
            backup: Some(sealed),
            reason: None,
            drill: None,
            application: None,
            reread: None,
            copied: None,
            collection: None,
            receipts: None,
        },
    }
}

/// A backup that the database does not know of is no success.
fn unrecorded(Ended { outcome, details }: Ended<Details>, why: &str) -> Ended<Details> {
    Ended {
        outcome: outcome.or_partial(),
        details: Details {
            reason: details.reason.or_else(|| Some(why.to_owned())),
            ..details
        },
    }
}

/// Keeps how the run ended. The database has the last word: a run that lost its
/// lease was in vain, and what is sealed and not recorded is a backup that
/// nobody here knows of.
async fn record(app: &App, run: &Run, ended: Ended<Details>, deadline: Deadline) -> Ended<Details> {
    let call = FinishBackup {
        p_run: run.id,
        p_fence: run.fence,
        p_outcome: ended.outcome,
        p_backup: Record::of(&ended.details),
    };
    match app.call(&call, deadline).await {
        Ok(Recorded::Finished) => ended,
        Ok(Recorded::Superseded) => {
            tracing::warn!(job = run.job.name, run = %run.id, "another run took over before this one ended");
            match ended.details.backup {
                None => Ended {
                    outcome: Outcome::Skipped,
                    ..ended
                },
                Some(_) => unrecorded(ended, "it is sealed, but another run has taken over"),
            }
        }
        Err(error) => {
            tracing::error!(job = run.job.name, run = %run.id, %error, "a run's end cannot be recorded");
            unrecorded(ended, "it is sealed, but the database cannot be told")
        }
    }
}

impl<'a> Record<'a> {
    fn of(details: &'a Details) -> Self {
        let sealed = details.backup.as_ref();
        Self {
            snapshot: sealed.map(|backup| backup.snapshot.as_str()),
            taken_at: sealed.map(|backup| backup.taken_at),
            sealed_at: sealed.map(|backup| backup.sealed_at),
            record_sha256: sealed.and_then(|backup| backup.record_sha256.as_deref()),
            figures: sealed.map(|backup| &backup.figures),
            suspect: sealed.and_then(|backup| backup.suspect.as_deref()),
            reason: details.reason.as_deref(),
            gaps: sealed.map_or(&[], |backup| &backup.gaps),
            not_covered: sealed.map_or(&[], |backup| &backup.not_covered),
        }
    }
}
