//! Receipts of what was done with backups, in the store beside them: written after each backup from
//! what the database has and the store has no receipt of, so that none is lost while the store is
//! away, or while nobody who has its key is there.

use std::time::Duration;

use backup::{
    evidence::{
        Fact, SigningError, SigningKey, reading,
        writing::{self, Known, Report, WritingError, Written},
    },
    keys::{KeyError, Secret},
    repository::{Repository, RepositoryError},
    store::{OpenError, Store},
};
use jiff::Timestamp;
use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use uuid::Uuid;

use super::{
    backup_setup::{BackupSetup, SetupError},
    known_receipts::{Plan, PlanReceipts},
    receipt_proof::{self, Fault, RecordReceiptCheck},
};
use crate::{
    app::App,
    rpc::{Call, Retry, RpcError},
};

/// Less than this is not worth beginning.
const LEAST: Duration = Duration::from_secs(5);

/// How long writing may take in the function: the next run goes on.
const LONGEST: Duration = Duration::from_secs(30);

/// How long reading all of them may take, once a day.
const VERIFYING: Duration = Duration::from_secs(60);

/// Kept back from writing, for having it noted.
const NOTING: Duration = Duration::from_secs(5);

/// How many facts get their receipts at once; there are some three in a run.
const MOST: u32 = 100;

/// Has it noted which receipts lie in the store.
#[derive(Debug, Serialize)]
struct NoteReceipts<'a> {
    p_receipts: Vec<Noted<'a>>,
}

#[derive(Debug, Serialize)]
struct Noted<'a> {
    path: &'a str,
    sha256: &'a str,
    kind: &'a str,
    fact: &'a str,
    at: Timestamp,
    previous: &'a [String],
}

impl Call for NoteReceipts<'_> {
    const NAME: &'static str = "ops_note_receipts";
    const RETRY: Retry = Retry::Idempotent;
    type Output = IgnoredAny;
}

/// What a run says of receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipted {
    /// How many lie in the store since, and those of others that were found.
    pub written: usize,
    /// How many facts wait for theirs.
    pub waiting: usize,
    /// Why they do, or what is wrong with those that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Why no receipt is written.
#[derive(Debug, thiserror::Error)]
enum NotWritten {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Database(#[from] RpcError),
    #[error(transparent)]
    Writing(#[from] WritingError),
    #[error("its time ended, the next run goes on")]
    Late,
    #[error(
        "the time was too short to read all receipts: `pourtrait backup evidence --verify` has no limit"
    )]
    Unread,
}

/// Writes the receipts that are due; nothing where there is no time.
pub async fn write_due(app: &App, deadline: Deadline) -> Option<Receipted> {
    if deadline.remaining() <= LEAST {
        return None;
    }
    let mut receipted = Receipted {
        written: 0,
        waiting: 0,
        trouble: None,
    };
    if let Err(error) = write(app, deadline, &mut receipted).await {
        receipted.trouble = Some(error.to_string());
    }
    if let Some(trouble) = &receipted.trouble {
        tracing::error!(trouble, "receipts of backups are not as they should be");
    }
    Some(receipted)
}

async fn write(app: &App, deadline: Deadline, receipted: &mut Receipted) -> Result<(), NotWritten> {
    let plan = app.call(&PlanReceipts { p_limit: MOST }, deadline).await?;
    let facts: Vec<Fact> = plan.facts.iter().filter_map(readable).collect();
    receipted.waiting = plan.facts.len();
    let setup = BackupSetup::of(&app.config)?;
    let store = setup.store(&app.outbound)?;
    let repo = Repository::name_in(&store).await?;
    let key = SigningKey::of(&Secret::parse(&setup.backup.secret)?, repo)?;
    let known = Known {
        heads: plan.heads.clone(),
        paths: plan.paths.clone(),
        since: plan.since,
    };
    let time = deadline.within(LONGEST).reserving(NOTING);
    let work = Box::pin(writing::write(&store, (repo, &key), &facts, &known, time));
    // One request may outlast the time. What it wrote is found by the next run.
    let (report, ended) = tokio::time::timeout(time.remaining(), work)
        .await
        .map_err(|_| NotWritten::Late)?;
    note(app, &report, deadline, receipted).await?;
    ended?;
    if plan.is_check_due && report.missing.is_empty() {
        let place = (&store, repo, &key);
        Box::pin(verify(app, place, &plan, deadline, receipted)).await?;
    }
    Ok(())
}

/// Has noted what lies in the store, and tells of what is missing there.
async fn note(
    app: &App,
    report: &Report,
    deadline: Deadline,
    receipted: &mut Receipted,
) -> Result<(), NotWritten> {
    let deadline = deadline.or_at_least(NOTING);
    receipted.written = report.written.len();
    receipted.trouble.clone_from(&report.trouble);
    if !report.written.is_empty() {
        let p_receipts = report.written.iter().map(Noted::of).collect();
        app.call(&NoteReceipts { p_receipts }, deadline).await?;
        receipted.waiting = receipted.waiting.saturating_sub(receipted.written);
    }
    if let Some(first) = report.missing.first() {
        receipted.trouble = Some(format!("{first} is missing"));
        let faults: Vec<_> = report
            .missing
            .iter()
            .map(|path| Fault::missing(path))
            .collect();
        let check = RecordReceiptCheck::found(report.written.len(), &[], &faults);
        app.call(&check, deadline).await?;
    }
    Ok(())
}

/// Reads the whole chain, once a day, and has it noted what that found.
async fn verify(
    app: &App,
    (store, repo, key): (&Store, Uuid, &SigningKey),
    known: &Plan,
    deadline: Deadline,
    receipted: &mut Receipted,
) -> Result<(), NotWritten> {
    let time = deadline.within(VERIFYING);
    let mut keys = reading::keys(store).await.map_err(WritingError::from)?;
    keys.push(key.public().clone());
    let mut watch = |_: usize| {};
    let now = clock::now();
    let work = receipt_proof::prove(store, repo, &keys, Some(known), now, &mut watch);
    let proven = tokio::time::timeout(time.remaining(), Box::pin(work))
        .await
        .map_err(|_| NotWritten::Unread)?;
    let proven = proven.map_err(WritingError::from)?;
    app.call(
        &RecordReceiptCheck::of(&proven),
        deadline.or_at_least(NOTING),
    )
    .await?;
    if let Some(Fault { what, why }) = proven.faults.first() {
        receipted.trouble = Some(format!("{what}: {why}"));
    }
    Ok(())
}

impl<'a> Noted<'a> {
    fn of(written: &'a Written) -> Self {
        Self {
            path: &written.path,
            sha256: &written.sha256,
            kind: &written.fact.kind,
            fact: &written.fact.id,
            at: written.fact.at,
            previous: &written.previous,
        }
    }
}

fn readable(fact: &Value) -> Option<Fact> {
    let read = Fact::deserialize(fact);
    if let Err(error) = &read {
        tracing::error!(%error, "a fact about backups gets no receipt, because it cannot be read");
    }
    read.ok()
}
