//! Receipts of drills: what the project knows of earlier ones, and what it is told.

use std::collections::BTreeMap;

use backup::{
    drill::{Beside, Query},
    format::Snapshot,
    restore::{Missing, Restored},
};
use jiff::Timestamp;
use outside::clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    monitoring::document::{Compared, Drill},
    rpc::{Call, Retry},
};

/// Asks for all drills, and for what counts in the next one.
#[derive(Debug, Serialize)]
pub struct ListDrills {}

/// What is known of drills.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// `not_set_up`, `ok`, `overdue` or `failed`.
    pub status: String,
    /// Whether the function has to make one now, where it makes them.
    #[serde(default)]
    pub due: bool,
    /// The levels that are due wherever a private key is.
    #[serde(default)]
    pub due_levels: Vec<u8>,
    /// How often one is due, in days.
    pub every_days: f64,
    /// How long a restore may take.
    pub rto_seconds: f64,
    /// How old the newest backup may be.
    pub rpo_seconds: f64,
    /// What the application would ask, as an operator has named it.
    #[serde(default)]
    queries: Vec<NamedQuery>,
    /// What an operator has accepted, by its name.
    pub accepted: Vec<String>,
    /// When the rows of each table were last restored and compared.
    pub last_drilled: BTreeMap<String, Timestamp>,
    /// The newest ones, the newest first, as the database tells them.
    drills: Vec<Value>,
}

/// A query of the setting `backup.drill_queries`.
#[derive(Debug, Clone, Deserialize)]
struct NamedQuery {
    name: String,
    query: String,
}

impl Call for ListDrills {
    const NAME: &'static str = "ops_list_drills";
    const RETRY: Retry = Retry::Read;
    type Output = Known;
}

impl Known {
    /// The drills that this build can read, the newest first.
    pub fn drills(&self) -> impl Iterator<Item = Drill> {
        let read = |document| Drill::deserialize(document).ok();
        self.drills.iter().filter_map(read)
    }

    /// What a drill asks the scratch database.
    #[must_use]
    pub fn queries(&self) -> Vec<Query> {
        let queries = self.queries.iter().map(|named| Query {
            name: named.name.clone(),
            sql: named.query.clone(),
        });
        queries.collect()
    }

    /// The bytes of COPY text that drills have restored in a second.
    #[must_use]
    pub fn bytes_per_second(&self) -> Option<f64> {
        let measured = self
            .drills()
            .filter_map(|drill| Some((drill.bytes?, drill.seconds?)));
        let (bytes, seconds) = measured.fold((0_u64, 0.0), |(bytes, seconds), (more, longer)| {
            (bytes.saturating_add(more), seconds + longer)
        });
        #[expect(clippy::cast_precision_loss, reason = "a rate is never exact")]
        let rate = bytes as f64 / seconds;
        (bytes > 0 && seconds > 0.0).then_some(rate)
    }

    /// The newest drill of a backup.
    #[must_use]
    pub fn of(&self, snapshot: &str) -> Option<Drill> {
        self.drills().find(|drill| drill.snapshot == snapshot)
    }
}

/// What a drill found. Sent again, it counts once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    id: Uuid,
    /// The backup's name in the store.
    pub snapshot: String,
    taken_at: Timestamp,
    started_at: Timestamp,
    finished_at: Timestamp,
    /// Why the restore did not come to its end.
    pub reason: Option<String>,
    /// What it lacked at its end, a list of `{what, reason}`.
    pub missing: Vec<Value>,
    /// Whose rows were restored and compared.
    pub tables: Vec<String>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Rows that were restored and compared.
    pub rows: Option<u64>,
    /// The length of their COPY text.
    pub bytes: Option<u64>,
    /// The tables of the backup.
    pub tables_in_backup: u64,
    /// What was held against the backup, beside rows.
    pub compared: Option<Compared>,
}

impl Receipt {
    /// Of a drill that ends now, with what it restored or why it did not.
    #[must_use]
    pub fn of(
        snapshot: &Snapshot,
        started_at: Timestamp,
        restored: Result<&Restored, String>,
        beside: &Beside,
    ) -> Self {
        let done = restored.as_ref().ok();
        let missing = done.map_or(&[][..], |restored| &restored.missing[..]);
        let loaded = done.map_or(&[][..], |restored| &restored.loaded[..]);
        Self {
            id: Uuid::new_v4(),
            snapshot: snapshot.snapshot.to_string(),
            taken_at: snapshot.taken_at,
            started_at,
            finished_at: clock::now(),
            missing: missing.iter().map(named).collect(),
            tables: loaded.iter().map(backup::schema::Name::plain).collect(),
            seconds: done.map(|restored| restored.took.as_secs_f64()),
            rows: done.map(|restored| restored.rows),
            bytes: done.map(|restored| restored.bytes),
            tables_in_backup: snapshot.totals.tables,
            compared: done.map(|restored| Compared::of(restored, beside)),
            reason: restored.err(),
        }
    }
}

impl Compared {
    fn of(restored: &Restored, beside: &Beside) -> Self {
        let files = beside.files.as_ref();
        Self {
            objects: restored.compared.objects,
            sequences: restored.compared.sequences,
            queries: beside.queries as u64,
            files: files.map(|files| files.listed),
            files_opened: files.map(|files| files.opened),
            file_bytes: files.map(|files| files.bytes),
        }
    }
}

fn named(missing: &Missing) -> Value {
    json!({ "what": missing.what, "reason": missing.reason })
}

/// Tells the project what a drill found, and is told its verdict.
#[derive(Debug, Serialize)]
pub struct RecordDrill {
    /// What it found.
    pub p_drill: Receipt,
}

impl Call for RecordDrill {
    const NAME: &'static str = "ops_record_drill";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Drill;
}
