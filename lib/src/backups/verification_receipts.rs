//! Receipts of verifications: that the objects of a backup were read in its store, and what was
//! wrong with them.

use backup::{format::Snapshot, verify::Report};
use jiff::Timestamp;
use outside::clock;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    monitoring::document::Verification,
    rpc::{Call, Retry},
};

/// How many faults a receipt tells; of more it tells how many.
const FAULTS: usize = 20;

/// Tells the project what a verification found.
#[derive(Debug, Serialize)]
pub struct RecordVerification {
    p_verification: Receipt,
}

/// What a verification found. Sent again, it counts once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    id: Uuid,
    snapshot: String,
    taken_at: Timestamp,
    level: u8,
    started_at: Timestamp,
    finished_at: Timestamp,
    objects: u64,
    bytes: u64,
    fault_count: usize,
    faults: Vec<Value>,
}

impl RecordVerification {
    /// Of a verification that ends now. One that could not look at everything and found nothing
    /// wrong in the rest says nothing, and leaves no receipt.
    #[must_use]
    pub fn of(
        snapshot: &Snapshot,
        level: u8,
        started_at: Timestamp,
        report: &Report,
    ) -> Option<Self> {
        let damages: Vec<_> = report.damages().collect();
        if damages.is_empty() && !report.is_whole() {
            return None;
        }
        Some(Self {
            p_verification: Receipt {
                id: Uuid::new_v4(),
                snapshot: snapshot.snapshot.to_string(),
                taken_at: snapshot.taken_at,
                level,
                started_at,
                finished_at: clock::now(),
                objects: report.checked,
                bytes: report.bytes,
                fault_count: damages.len(),
                faults: damages
                    .iter()
                    .take(FAULTS)
                    .map(|fault| json!({ "what": fault.path, "why": fault.what }))
                    .collect(),
            },
        })
    }
}

impl Call for RecordVerification {
    const NAME: &'static str = "ops_record_verification";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Verification;
}
