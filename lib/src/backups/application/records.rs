//! What the database keeps of archives.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Taken,
    leaves::{Difference, Leaves},
};
use crate::rpc::{Call, Retry};

/// Asks how archives stand.
#[derive(Debug, Serialize)]
pub struct ListArchives {}

/// How archives stand.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownArchives {
    /// Whether one has to be taken now.
    pub due: bool,
    /// What the newest held, as hashes.
    pub leaves: Option<Leaves>,
    /// The newest ones, the newest first, as they were recorded.
    pub archives: Vec<Value>,
}

impl Call for ListArchives {
    const NAME: &'static str = "ops_list_archives";
    const RETRY: Retry = Retry::Read;
    type Output = KnownArchives;
}

/// Records that one was taken.
#[derive(Debug, Serialize)]
pub struct RecordArchive<'a> {
    p_archive: Recorded<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Recorded<'a> {
    name: &'a str,
    taken_at: Timestamp,
    bytes: u64,
    repository_bytes: Option<u64>,
    documents: &'a [String],
    absent: &'a BTreeMap<String, String>,
    differences: Option<&'a [Difference]>,
    leaves: &'a Leaves,
}

impl<'a> RecordArchive<'a> {
    pub(super) fn of(taken: &'a Taken, leaves: &'a Leaves) -> Self {
        Self {
            p_archive: Recorded {
                name: &taken.name,
                taken_at: taken.taken_at,
                bytes: taken.bytes,
                repository_bytes: taken.repository_bytes,
                documents: &taken.documents,
                absent: &taken.absent,
                differences: taken.differences.as_deref(),
                leaves,
            },
        }
    }
}

impl Call for RecordArchive<'_> {
    const NAME: &'static str = "ops_record_archive";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}
