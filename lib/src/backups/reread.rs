//! A share of all that backups rest on is read again in the time that a backup has left, and the
//! project is told how far that came, what is damaged and what no longer is.

use std::{collections::BTreeMap, time::Duration};

use backup::{
    catalogue::ReadError,
    reread::{self, Report, Round, Share, Stretch},
    store::{OpenError, Store},
};
use jiff::Timestamp;
use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::backup_setup::{BackupSetup, SetupError};
use crate::{
    app::App,
    monitoring::document,
    rpc::{Call, Retry, RpcError},
};

/// How long the database may take to say what the share is read by.
const ASKING: Duration = Duration::from_secs(5);

/// Less than this is not worth beginning.
const LEAST: Duration = Duration::from_secs(10);

/// Kept back from reading, for telling the project.
const TELLING: Duration = Duration::from_secs(5);

/// How many damaged objects are named to the project; of more the next run tells.
const NAMED: usize = 200;

/// Asks what a share is read by.
#[derive(Debug, Serialize)]
pub struct PlanReread {}

/// What a share is read by.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Within how many days everything is read; 0 reads nothing.
    pub days: u32,
    bytes: u64,
    seconds: u64,
    round: Option<KnownRound>,
    first_at: Option<Timestamp>,
    damaged: Vec<String>,
    unread: Vec<Unread>,
    stretches: Vec<KnownStretch>,
}

/// How far a round has come.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownRound {
    began_at: Timestamp,
    upto: u64,
}

/// What was read when.
#[derive(Debug, Clone, Copy, Deserialize)]
struct KnownStretch {
    at: Timestamp,
    from: u64,
    upto: u64,
}

/// What the store did not give.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unread {
    what: String,
    #[serde(default)]
    why: Option<String>,
    since: Timestamp,
}

impl Call for PlanReread {
    const NAME: &'static str = "ops_plan_reread";
    const RETRY: Retry = Retry::Read;
    type Output = Plan;
}

/// Tells the project what came of a share.
#[derive(Debug, Serialize)]
pub struct RecordReread {
    p_reread: Receipt,
}

/// What came of a share. Sent again, it counts once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    id: Uuid,
    started_at: Timestamp,
    finished_at: Timestamp,
    began_at: Timestamp,
    from: u64,
    upto: u64,
    objects: u64,
    bytes: u64,
    objects_there: u64,
    bytes_there: u64,
    objects_old: u64,
    objects_old_read: u64,
    oldest_at: Option<Timestamp>,
    unread: Vec<Unread>,
    damaged: Vec<Damaged>,
    whole: Vec<String>,
    copied: Vec<String>,
    gone: Vec<String>,
}

/// An object that is not what it should be.
#[derive(Debug, Serialize)]
struct Damaged {
    what: String,
    why: String,
    snapshot: String,
    backups: u64,
    length: Option<u64>,
    sha256: Option<String>,
}

impl Call for RecordReread {
    const NAME: &'static str = "ops_record_reread";
    const RETRY: Retry = Retry::Idempotent;
    type Output = document::Reread;
}

impl RecordReread {
    fn of(plan: &Plan, report: &Report, started_at: Timestamp) -> Self {
        let finished_at = clock::now();
        let since = |path: &str| {
            let known = plan.unread.iter().find(|one| one.what == path);
            known.map_or(started_at, |one| one.since)
        };
        let unread = report.unread.iter().map(|(path, why)| Unread {
            what: path.clone(),
            why: Some(why.clone()),
            since: since(path),
        });
        let damaged = report.damages.iter().take(NAMED).map(|damage| Damaged {
            what: damage.path.clone(),
            why: damage.what.clone(),
            snapshot: damage.snapshot.to_string(),
            backups: damage.backups,
            length: damage.stored.as_ref().map(|stored| stored.len),
            sha256: damage.stored.as_ref().map(|stored| stored.sha256.clone()),
        });
        let copied = report.damages.iter().filter(|damage| damage.is_healed);
        let coverage = report.coverage;
        Self {
            p_reread: Receipt {
                id: Uuid::new_v4(),
                started_at,
                finished_at: finished_at.max(started_at),
                began_at: report.round.began_at,
                from: report.from,
                upto: report.round.upto,
                objects: report.objects,
                bytes: report.bytes,
                objects_there: coverage.objects,
                bytes_there: coverage.bytes,
                objects_old: coverage.old,
                objects_old_read: coverage.old_read,
                oldest_at: coverage.oldest_at,
                unread: unread.collect(),
                damaged: damaged.collect(),
                whole: report.whole.clone(),
                copied: copied.map(|damage| damage.path.clone()).collect(),
                gone: report.gone.clone(),
            },
        }
    }
}

/// What a run says of its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reread {
    /// How many objects were read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many were found damaged.
    pub damaged: usize,
    /// How many of those are whole again, from the copy.
    pub healed: usize,
    /// Why nothing was read, or nobody knows of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why nothing is known of a share.
#[derive(Debug, thiserror::Error)]
enum RereadError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Database(#[from] RpcError),
    #[error("the store does not say what there is: {0}")]
    Store(#[from] ReadError),
    #[error("what there is cannot be listed in the time that is left")]
    Late,
}

/// Reads the share of this run; nothing where nothing is to be read, or there is no time.
pub(super) async fn read(app: &App, deadline: Deadline) -> Option<Reread> {
    if deadline.remaining() <= LEAST {
        return None;
    }
    match share(app, deadline).await {
        Ok(read) => read,
        // Nobody could look, which says nothing about what lies there.
        Err(error) => {
            tracing::warn!(%error, "nothing of what backups rest on is read again");
            Some(Reread {
                objects: 0,
                bytes: 0,
                damaged: 0,
                healed: 0,
                reason: Some(error.to_string()),
            })
        }
    }
}

async fn share(app: &App, deadline: Deadline) -> Result<Option<Reread>, RereadError> {
    let plan = app.call(&PlanReread {}, deadline.within(ASKING)).await?;
    if plan.days == 0 {
        return Ok(None);
    }
    let store = BackupSetup::of(&app.config)?.store(&app.outbound)?;
    let copy = app.config.replica.as_ref();
    let copy = copy.and_then(|place| {
        let opened = place.open(&app.outbound);
        opened
            .inspect_err(|error| tracing::warn!(%error, "the copy of the backups is away"))
            .ok()
    });
    let started_at = clock::now();
    let time = deadline.reserving(TELLING);
    let report = look(&plan, &store, copy.as_ref(), started_at, time).await?;
    for damage in &report.damages {
        tracing::error!(
            path = damage.path,
            what = damage.what,
            healed = damage.is_healed,
            "what a backup rests on is damaged"
        );
    }
    let record = RecordReread::of(&plan, &report, started_at);
    app.call(&record, deadline.or_at_least(TELLING)).await?;
    Ok(Some(Reread {
        objects: report.objects,
        bytes: report.bytes,
        damaged: report.damages.len(),
        healed: record.p_reread.copied.len(),
        reason: None,
    }))
}

async fn look(
    plan: &Plan,
    store: &Store,
    copy: Option<&Store>,
    now: Timestamp,
    time: Deadline,
) -> Result<Report, RereadError> {
    let round = plan.round.map(|round| Round {
        began_at: round.began_at,
        upto: round.upto,
    });
    let damaged = plan.damaged.iter().map(|path| (path.clone(), None));
    let unread = plan.unread.iter();
    let unread = unread.map(|one| (one.what.clone(), Some(one.since)));
    let again: BTreeMap<_, _> = unread.chain(damaged).collect();
    let stretches: Vec<_> = plan
        .stretches
        .iter()
        .map(|known| Stretch {
            at: known.at,
            from: known.from,
            upto: known.upto,
        })
        .collect();
    let share = Share {
        round: Round::due(round, now, plan.days),
        again: &again,
        stretches: &stretches,
        first_at: plan.first_at,
        days: plan.days,
        bytes: plan.bytes,
        deadline: time.within(Duration::from_secs(plan.seconds)),
        copy,
    };
    let reading = Box::pin(reread::read(store, &share, now));
    let read = tokio::time::timeout(time.remaining(), reading).await;
    Ok(read.map_err(|_| RereadError::Late)??)
}
