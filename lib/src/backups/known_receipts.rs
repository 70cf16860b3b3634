//! What the project knows of signed receipts: which there are, and which facts have none yet.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rpc::{Call, Retry};

/// Asks which facts have no receipt yet, and which receipts are known.
#[derive(Debug, Serialize)]
pub struct PlanReceipts {
    /// How many facts at most.
    pub p_limit: u32,
}

/// What is known of receipts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub(super) since: Option<Timestamp>,
    /// The hashes of those that none follows.
    pub heads: Vec<String>,
    /// The paths of those of the last days.
    pub paths: BTreeSet<String>,
    /// Whether the chain has to be read.
    #[serde(default)]
    pub(super) is_check_due: bool,
    /// As the database tells them: one that this build cannot read keeps no other from its receipt.
    pub(super) facts: Vec<Value>,
}

impl Call for PlanReceipts {
    const NAME: &'static str = "ops_plan_receipts";
    const RETRY: Retry = Retry::Read;
    type Output = Plan;
}
