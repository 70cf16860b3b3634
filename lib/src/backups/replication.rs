//! The copy of the backups is brought up to them in the time that a backup has left, and the
//! project is told how far that came.

use std::time::Duration;

use backup::replication::{self, ReplicationError, Report};
use jiff::Timestamp;
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::backup_setup::BackupSetup;
use crate::{
    app::App,
    config::StorePlace,
    monitoring::document::Replica,
    rpc::{Call, Retry},
};

/// Less than this is not worth beginning.
const LEAST: Duration = Duration::from_secs(10);

/// How long copying may take in the function: the next run goes on.
const LONGEST: Duration = Duration::from_secs(120);

/// Kept back from copying, for telling the project.
const TELLING: Duration = Duration::from_secs(5);

/// How many that cannot be copied are named.
const NAMED: usize = 3;

/// Tells the project what came of copying.
#[derive(Debug, Serialize)]
pub struct RecordReplication {
    p_replication: Receipt,
}

/// What came of copying. Sent again, it counts once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    id: Uuid,
    place: String,
    newest_here: Option<Timestamp>,
    newest_there: Option<Timestamp>,
    copied: usize,
    objects: u64,
    bytes: u64,
    backups_left: usize,
    trouble: Option<String>,
}

impl Call for RecordReplication {
    const NAME: &'static str = "ops_record_replication";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Replica;
}

impl RecordReplication {
    /// Of a copying to that place.
    #[must_use]
    pub fn of(place: &str, copied: &Result<Report, ReplicationError>) -> Self {
        let nothing = Report::default();
        let report = copied.as_ref().unwrap_or(&nothing);
        let (here, there) = report.newest;
        Self {
            p_replication: Receipt {
                id: Uuid::new_v4(),
                place: place.to_owned(),
                newest_here: here,
                newest_there: there,
                copied: report.copied.len(),
                objects: report.objects,
                bytes: report.bytes,
                backups_left: report.left.len() + report.hindered.len(),
                trouble: trouble(copied),
            },
        }
    }
}

/// Why something could not be copied, in one line.
fn trouble(copied: &Result<Report, ReplicationError>) -> Option<String> {
    let report = match copied {
        Ok(report) => report,
        Err(error) => return Some(error.to_string()),
    };
    let reasons: Vec<_> = report
        .hindered
        .iter()
        .take(NAMED)
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What a run says of the copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    /// How many backups are in the copy since.
    pub backups: usize,
    /// How many are not yet, or cannot be.
    pub left: usize,
    /// How many bytes were copied.
    pub bytes: u64,
    /// Why something could not be copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Copies what is not in the copy yet, as far as the time goes; nothing where there is to be
/// none, or no time.
pub(super) async fn copy(app: &App, deadline: Deadline) -> Option<Copied> {
    let place = app.config.replica.as_ref()?;
    if deadline.remaining() <= LEAST {
        return None;
    }
    let time = deadline.within(LONGEST).reserving(TELLING);
    let copied = bring_up(app, place, time).await;
    let record = RecordReplication::of(place.name(), &copied);
    if let Err(error) = app.call(&record, deadline.or_at_least(TELLING)).await {
        tracing::error!(%error, "how far the copy of the backups has come is not noted");
    }
    let Receipt {
        copied,
        backups_left,
        bytes,
        trouble,
        ..
    } = record.p_replication;
    if let Some(trouble) = &trouble {
        tracing::error!(trouble, "backups are not copied to the other place");
    }
    Some(Copied {
        backups: copied,
        left: backups_left,
        bytes,
        trouble,
    })
}

async fn bring_up(
    app: &App,
    place: &StorePlace,
    deadline: Deadline,
) -> Result<Report, ReplicationError> {
    let from = BackupSetup::of(&app.config).map_err(|_| ReplicationError::Unset)?;
    let from = from.store(&app.outbound).map_err(ReplicationError::Open)?;
    let to = place.open(&app.outbound).map_err(ReplicationError::Open)?;
    replication::replicate(&from, &to, deadline, &mut |_| {}).await
}
