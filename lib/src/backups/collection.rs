//! What is no longer kept of backups goes, once a day, with what a backup leaves of the function's
//! time, or when an operator asks for it.
//!
//! It is a run of the backups' own job: whoever holds its lease writes backups or lets them go, and
//! never both at once. The backup before it is sealed and recorded by then, so that nothing that
//! happens here can undo it. What was decided of each backup, and what came of it, is recorded.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use backup::{
    collection::{self, CollectionError, Counted, End, Report, Terms},
    retention::{self, Fate, Ladder, Reason},
    store::OpenError,
};
use jiff::{SignedDuration, Timestamp};
use outside::clock::{self, Deadline};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::backup_setup::{BackupSetup, SetupError};
use crate::{
    app::App,
    auth::Starter,
    endpoint::Job,
    jobs::{self, Claim, Lease, Order, Patience, Recorded, Run},
    monitoring::document::{CollectionFigures, Heap},
    rpc::{Call, Retry, RpcError},
};

/// How long the database may take to say what a collection goes by.
const ASKING: Duration = Duration::from_secs(5);

/// How long one may take in the function: what is left of its time is for a drill.
const LONGEST: Duration = Duration::from_secs(90);

/// What a backup has to leave of the function's time.
const LEAST: Duration = Duration::from_secs(30);

/// Kept back from a collection, for recording it.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How many days there may be between the end of a backup by the ladder and the deletion of the
/// last object that it alone rests on, beside those in the trash: a day until the next collection,
/// another until the one that empties the trash, three in which an object is too young, one on the
/// list, and four in each of which a quarter of all objects may go.
const DELETION_DAYS: i64 = 10;

/// Asks what a collection goes by.
#[derive(Debug, Serialize)]
pub struct PlanCollection {}

/// What a collection goes by.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Whether one has to be made now.
    pub due: bool,
    /// Whether backups are deleted at all.
    pub enabled: bool,
    hourly: u32,
    daily: u32,
    weekly: u32,
    monthly: u32,
    yearly: u32,
    /// How long a backup that is no longer kept can be put back.
    pub trash_days: u32,
    lock_days: u32,
    /// Whether it is due to prove that the store's lock holds.
    prove_lock: bool,
    drill_days: u32,
    drilled: BTreeSet<String>,
    newest: Option<String>,
}

impl Call for PlanCollection {
    const NAME: &'static str = "ops_plan_collection";
    const RETRY: Retry = Retry::Read;
    type Output = Known;
}

impl Known {
    /// The ladder.
    #[must_use]
    pub fn ladder(&self) -> Ladder {
        Ladder {
            hourly: self.hourly,
            daily: self.daily,
            weekly: self.weekly,
            monthly: self.monthly,
            yearly: self.yearly,
        }
    }

    /// The terms of a collection.
    #[must_use]
    pub fn terms(&self, is_forced: bool) -> Terms {
        Terms {
            ladder: self.ladder(),
            trash_days: self.trash_days,
            lock_days: self.lock_days,
            proves_lock: self.prove_lock,
            drilled: self.drilled.clone(),
            newest: self.newest.clone(),
            is_forced,
        }
    }

    /// When nothing is left at the latest of any backup of a snapshot of that time that nobody has
    /// pinned, while backups and collections are made every day; `None` where none is deleted.
    #[must_use]
    pub fn gone_by(&self, taken_at: Timestamp) -> Option<Timestamp> {
        let end = retention::latest_end(taken_at, &self.ladder(), self.drill_days);
        let days = i64::from(self.trash_days) + DELETION_DAYS;
        let gone = end.checked_add(SignedDuration::from_hours(24 * days)).ok();
        gone.filter(|_| self.enabled)
    }
}

/// A collection that was made and recorded.
#[derive(Debug)]
pub struct Collected {
    /// How it ended, as the database has it.
    pub outcome: Outcome,
    /// Why it did not come to its end.
    pub reason: Option<String>,
    /// What it found and did; `None` if it could not look at everything.
    pub report: Option<Report>,
}

/// How a collection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything that was due is done.
    Done,
    /// Its time ended, and the next one goes on.
    Partial,
    /// Nothing may go for now.
    Frozen,
    /// The store keeps what was to go.
    Refused,
    /// Something could not be read.
    Failed,
}

/// Why none was made, or none that anybody will know of.
#[derive(Debug, thiserror::Error)]
pub enum NotCollected {
    /// Backups are not set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] RpcError),
    /// A backup is being made, or another collection.
    #[error("{0}")]
    Busy(String),
    /// Backups are kept for ever.
    #[error("the setting backup.retention is false: nothing is deleted")]
    Off,
    /// Somebody else has taken over.
    #[error("another run took over before this one ended; what it has done is done, and harmless")]
    Superseded,
    /// There was not enough time.
    #[error("the backup left {0} s of the function's time, a collection needs {least}", least = LEAST.as_secs())]
    Late(u64),
}

/// What came of a collection that was due, as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DueCollection {
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it did not come to its end, or was not begun.
    pub reason: Option<String>,
    /// Backups that went into the trash.
    pub trashed: u64,
    /// Objects that were deleted.
    pub deleted: u64,
}

#[derive(Debug, Serialize)]
struct RecordCollection<'a> {
    p_run: Uuid,
    p_fence: i64,
    p_collection: Record<'a>,
    p_by: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    outcome: Outcome,
    reason: Option<&'a str>,
    started_at: Timestamp,
    forced: bool,
    figures: Figures,
    decisions: Vec<Decided>,
}

/// An object without members where there is nothing to tell.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Figures {
    Known(Box<CollectionFigures>),
    Unknown {},
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Decided {
    snapshot: String,
    taken_at: Timestamp,
    fate: String,
}

impl Call for RecordCollection<'_> {
    const NAME: &'static str = "ops_record_collection";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Recorded;
}

/// Makes a collection where one is due; nothing where none is. It takes nothing from the backup
/// that was made before it, whatever comes of it.
pub(super) async fn make_if_due(app: &App, deadline: Deadline) -> Option<DueCollection> {
    let known = match app.call(&PlanCollection {}, deadline.within(ASKING)).await {
        Ok(known) if known.due => known,
        Ok(_) => return None,
        Err(error) => {
            tracing::warn!(%error, "whether a collection of backups is due is not known");
            return Some(DueCollection::not_begun(&error.into()));
        }
    };
    let left = deadline.remaining();
    let made = if left < LEAST {
        Err(NotCollected::Late(left.as_secs()))
    } else {
        collect(app, &known, None, false, deadline.within(LONGEST)).await
    };
    Some(match made {
        Ok(collected) => DueCollection::of(&collected),
        Err(error) => {
            tracing::warn!(%error, "a collection of backups that is due came to nothing");
            DueCollection::not_begun(&error)
        }
    })
}

/// Makes a collection right now, because somebody asks for it.
///
/// # Errors
/// See [`NotCollected`].
pub async fn now(
    app: &App,
    by: &str,
    is_forced: bool,
    deadline: Deadline,
) -> Result<Collected, NotCollected> {
    let known = app
        .call(&PlanCollection {}, deadline.within(ASKING))
        .await?;
    collect(app, &known, Some(by), is_forced, deadline).await
}

async fn collect(
    app: &App,
    known: &Known,
    by: Option<&str>,
    is_forced: bool,
    deadline: Deadline,
) -> Result<Collected, NotCollected> {
    if !known.enabled {
        return Err(NotCollected::Off);
    }
    let store = BackupSetup::of(&app.config)?.store(&app.outbound)?;
    let order = Order {
        job: Job::BACKUP,
        starter: Starter::Operator,
        patience: Patience::Once,
    };
    let run = match jobs::claim(app, order, Uuid::new_v4(), deadline).await? {
        Claim::Claimed(run) => run,
        Claim::Skipped { reason, .. } => return Err(NotCollected::Busy(reason.to_string())),
    };
    let (terms, started_at) = (known.terms(is_forced), clock::now());
    let time = deadline.reserving(LAST_WORDS);
    let still_ours = || async { matches!(jobs::extend(app, &run, time).await, Ok(Lease::Held)) };
    let fence = run.fence.unsigned_abs();
    let work = collection::collect(&store, &terms, started_at, fence, time, still_ours);
    // One request may outlast the time.
    let work = tokio::time::timeout(time.remaining(), Box::pin(work));
    let collected = match jobs::while_held(app, &run, work).await {
        None | Some(Ok(Err(CollectionError::LeaseLost))) => return Err(NotCollected::Superseded),
        Some(Ok(made)) => Collected::of(made),
        Some(Err(_)) => Collected::late(),
    };
    let record = collected.record(started_at, is_forced);
    recorded(app, &run, record, by, deadline).await?;
    Ok(collected)
}

async fn recorded(
    app: &App,
    run: &Run,
    record: Record<'_>,
    by: Option<&str>,
    deadline: Deadline,
) -> Result<(), NotCollected> {
    let call = RecordCollection {
        p_run: run.id,
        p_fence: run.fence,
        p_collection: record,
        p_by: by,
    };
    match app.call(&call, deadline.or_at_least(LAST_WORDS)).await? {
        Recorded::Finished => Ok(()),
        Recorded::Superseded => Err(NotCollected::Superseded),
    }
}

impl Collected {
    fn of(made: Result<Report, CollectionError>) -> Self {
        let (outcome, reason, report) = match made {
            Ok(report) => {
                let (outcome, reason) = match &report.end {
                    End::Done => (Outcome::Done, None),
                    End::OutOfTime => {
                        return Self {
                            report: Some(report),
                            ..Self::late()
                        };
                    }
                    End::Frozen(why) => (Outcome::Frozen, Some(why.clone())),
                    End::Refused(why) => (Outcome::Refused, Some(why.clone())),
                };
                (outcome, reason, Some(report))
            }
            Err(error) => {
                tracing::warn!(%error, "a collection of backups failed");
                (Outcome::Failed, Some(error.to_string()), None)
            }
        };
        Self {
            outcome,
            reason,
            report,
        }
    }

    fn late() -> Self {
        Self {
            outcome: Outcome::Partial,
            reason: Some("its time ended, the next one goes on".to_owned()),
            report: None,
        }
    }

    fn record(&self, started_at: Timestamp, forced: bool) -> Record<'_> {
        let report = self.report.as_ref();
        let decisions = report.map_or(&[][..], |report| &report.plan.decisions[..]);
        Record {
            outcome: self.outcome,
            reason: self.reason.as_deref(),
            started_at,
            forced,
            figures: report.map_or(Figures::Unknown {}, |report| {
                Figures::Known(Box::new(figures(report)))
            }),
            decisions: decisions
                .iter()
                .map(|decision| Decided {
                    snapshot: decision.candidate.name.to_string(),
                    taken_at: decision.candidate.taken_at,
                    fate: decision.fate.to_string(),
                })
                .collect(),
        }
    }
}

impl DueCollection {
    fn of(collected: &Collected) -> Self {
        let report = collected.report.as_ref();
        Self {
            outcome: Some(collected.outcome),
            reason: collected.reason.clone(),
            trashed: report.map_or(0, |report| report.trashed.len() as u64),
            deleted: report.map_or(0, |report| report.deleted.objects),
        }
    }

    fn not_begun(error: &NotCollected) -> Self {
        Self {
            outcome: None,
            reason: Some(error.to_string()),
            trashed: 0,
            deleted: 0,
        }
    }
}

/// What a report comes to in numbers.
#[must_use]
pub fn figures(report: &Report) -> CollectionFigures {
    let mut rungs: BTreeMap<String, u64> = BTreeMap::new();
    let (mut kept, mut oldest) = (0, None);
    for decision in &report.plan.decisions {
        let Fate::Keep(reasons) = &decision.fate else {
            continue;
        };
        kept += 1;
        // The newest comes first.
        oldest = Some(decision.candidate.taken_at);
        for reason in reasons {
            *rungs.entry(reason.to_string()).or_default() += 1;
        }
    }
    let heap = |counted: Counted| Heap {
        objects: counted.objects,
        bytes: counted.bytes,
    };
    let known = |counted| report.is_counted.then(|| heap(counted));
    CollectionFigures {
        kept,
        pinned: rungs.remove(&Reason::Pinned.to_string()).unwrap_or(0),
        rungs,
        oldest_at: oldest,
        trashed: report.trashed.len() as u64,
        put_back: report.put_back.len() as u64,
        forgotten: report.forgotten.len() as u64,
        in_trash: report.in_trash.len() as u64,
        stored: known(report.stored),
        unneeded: known(report.unneeded),
        doomed: known(report.doomed),
        deleted: heap(report.deleted),
        held_back: report.held_back,
        renewed: Heap {
            objects: report.renewal.objects,
            bytes: report.renewal.bytes,
        },
        not_renewed: report.renewal.refused.clone(),
        lock: report.lock,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(changes: &serde_json::Value) -> Known {
        let mut document = json!({
            "due": true, "enabled": true, "hourly": 48, "daily": 30, "weekly": 12, "monthly": 12, "yearly": 7,
            "trashDays": 7, "lockDays": 0, "proveLock": false, "drillDays": 7, "drilled": ["a"], "newest": null,
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Known::deserialize(&document).unwrap()
    }

    #[test]
    fn a_person_is_gone_once_the_last_slot_is_over_and_the_trash_is_emptied() {
        let erased_at = "2026-11-30T12:00:00Z".parse().unwrap();
        let gone = |changes| {
            known(&changes)
                .gone_by(erased_at)
                .map(|time| time.to_string())
        };
        assert_eq!(gone(json!({})).unwrap(), "2033-01-18T00:00:00Z");
        assert_eq!(
            gone(json!({"yearly": 0, "monthly": 0, "weekly": 0, "trashDays": 1})).unwrap(),
            "2027-01-10T00:00:00Z"
        );
        assert_eq!(gone(json!({"enabled": false})), None);
    }
}
