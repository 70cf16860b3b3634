//! Receipts of drills: what the project knows of earlier ones, and what it is told.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use ops::{
    monitoring::document::Drill,
    rpc::{Call, Retry},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    answered::{Answered, known},
    environment::Environment,
    project::Project,
};

/// How long whoever can do without them waits for the drills.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks for all drills, and for what counts in the next one.
#[derive(Debug, Serialize)]
pub(crate) struct ListDrills {}

/// What is known of drills.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Known {
    /// `not_set_up`, `ok`, `overdue` or `failed`.
    pub(crate) status: String,
    /// How often one is due, in days.
    pub(crate) every_days: f64,
    /// How long a restore may take.
    pub(crate) rto_seconds: f64,
    /// How old the newest backup may be.
    pub(crate) rpo_seconds: f64,
    /// What an operator has accepted, by its name.
    pub(crate) accepted: Vec<String>,
    /// When the rows of each table were last restored and compared.
    pub(crate) last_drilled: BTreeMap<String, Timestamp>,
    /// The newest ones, the newest first.
    pub(crate) drills: Vec<Answered<Drill>>,
}

impl Call for ListDrills {
    const NAME: &'static str = "ops_list_drills";
    const RETRY: Retry = Retry::Read;
    type Output = Known;
}

impl Known {
    /// The bytes of COPY text that drills have restored in a second.
    pub(super) fn bytes_per_second(&self) -> Option<f64> {
        let measured = known(&self.drills).filter_map(|drill| Some((drill.bytes?, drill.seconds?)));
        let (bytes, seconds) = measured.fold((0_u64, 0.0), |(bytes, seconds), (more, longer)| {
            (bytes.saturating_add(more), seconds + longer)
        });
        #[expect(clippy::cast_precision_loss, reason = "a rate is never exact")]
        let rate = bytes as f64 / seconds;
        (bytes > 0 && seconds > 0.0).then_some(rate)
    }

    /// The newest drill of a backup.
    pub(super) fn of(&self, snapshot: &str) -> Option<&Drill> {
        known(&self.drills).find(|drill| drill.snapshot == snapshot)
    }
}

/// What a drill found. Sent again, it counts once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) id: Uuid,
    pub(super) snapshot: String,
    pub(super) taken_at: Timestamp,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Timestamp,
    /// Why the restore did not come to its end.
    pub(super) reason: Option<String>,
    /// What it lacked at its end.
    pub(super) missing: Vec<Value>,
    /// Whose rows were restored and compared.
    pub(super) tables: Vec<String>,
    pub(super) seconds: Option<f64>,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) tables_in_backup: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct RecordDrill {
    pub(super) p_drill: Receipt,
}

impl Call for RecordDrill {
    const NAME: &'static str = "ops_record_drill";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Drill;
}

/// What the project knows, for whoever goes on without it: nothing where none is
/// named, an error where it does not answer soon.
pub(crate) async fn known_soon(environment: &Environment) -> anyhow::Result<Option<Known>> {
    let Ok(project) = Project::of(environment) else {
        return Ok(None);
    };
    let listed = project.call_within(PATIENCE, &ListDrills {}).await;
    listed.map(Some)
}
