//! Where the audit log stood when a backup was made, outside the database.
//!
//! Rows of the log name the hash of the row before them, so that whoever changes one has to
//! write all later ones anew; what lies here they cannot write anew. An anchor is an object
//! whose name says everything, so that a listing reads all of them, and which is written once.
//! Its content says the same, for people.

use bytes::Bytes;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    hex,
    store::{Store, StoreError},
};

/// The folder of anchors.
const FOLDER: &str = "v1/audit";

/// How a name writes a time.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// Where the log stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Anchor {
    /// The number of its newest row.
    pub seq: u64,
    /// The hash of that row, in hexadecimal.
    pub hash: String,
    /// When, by the database's clock, to the second.
    pub taken_at: Timestamp,
}

impl Anchor {
    /// That row at that time, which is cut to the second.
    #[must_use]
    pub fn new(seq: u64, hash: String, taken_at: Timestamp) -> Self {
        Self {
            seq,
            hash,
            taken_at: Timestamp::from_second(taken_at.as_second()).unwrap_or(taken_at),
        }
    }

    fn path(&self) -> String {
        let Self {
            seq,
            hash,
            taken_at,
        } = self;
        format!("{FOLDER}/{seq:020}-{hash}-{}.json", taken_at.strftime(TIME))
    }

    /// What the path of an anchor says; nothing if it is none's.
    fn of_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
        let name = name.strip_suffix(".json")?;
        let (seq, rest) = name.split_once('-')?;
        let (hash, time) = rest.split_once('-')?;
        let time = DateTime::strptime(TIME, time).ok()?;
        let taken_at = TimeZone::UTC.to_timestamp(time).ok()?;
        let anchor = Self::new(seq.parse().ok()?, hash.to_owned(), taken_at);
        (hex::is_hash(hash) && anchor.path() == path).then_some(anchor)
    }
}

/// Writes an anchor. The same one again is there already.
///
/// # Errors
/// Why it cannot be written.
pub async fn write(store: &Store, anchor: &Anchor) -> Result<(), StoreError> {
    let text = serde_json::to_vec(anchor).unwrap_or_default();
    let store = store.reading_back();
    store.put_new(&anchor.path(), Bytes::from(text)).await
}

/// Every anchor, in the order of rows.
///
/// # Errors
/// Why they cannot be listed.
pub async fn list(store: &Store) -> Result<Vec<Anchor>, StoreError> {
    let listed = store.list(FOLDER).await?;
    let mut anchors: Vec<_> = listed
        .iter()
        .filter_map(|object| Anchor::of_path(&object.path))
        .collect();
    anchors.sort_by_key(|anchor| (anchor.seq, anchor.taken_at));
    Ok(anchors)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::store::Arrival;

    fn anchor(seq: u64, digit: &str, taken_at: &str) -> Anchor {
        Anchor::new(seq, digit.repeat(64), taken_at.parse().unwrap())
    }

    #[tokio::test]
    async fn an_anchor_is_written_once_and_read_by_its_name() {
        let store = Store::new(Arc::new(InMemory::new()), "wine", Arrival::Unchecked);
        let later = anchor(12, "b", "2026-11-24T12:30:00.7Z");
        let first = anchor(3, "a", "2026-11-24T12:00:00.123456Z");
        for one in [&later, &first, &first] {
            write(&store, one).await.unwrap();
        }
        assert_eq!(list(&store).await.unwrap(), [first.clone(), later]);
        assert_eq!(
            first.path(),
            format!(
                "v1/audit/00000000000000000003-{}-20261124T120000Z.json",
                "a".repeat(64)
            )
        );
        let other = Bytes::from_static(b"{}");
        let taken = store.put_new(&first.path(), other).await;
        assert!(matches!(taken, Err(StoreError::Taken { .. })), "{taken:?}");
    }

    #[test]
    fn what_is_named_otherwise_is_no_anchor() {
        let path = anchor(3, "a", "2026-11-24T12:00:00Z").path();
        assert!(Anchor::of_path(&path).is_some());
        for other in [
            path.replace("v1/audit", "v1/snap"),
            path.replace(".json", ""),
            path.replace("00000000000000000003", "3"),
            path.replace("aaaa", "AAAA"),
            path.replace("aaaa-", "-"),
            path.replace("20261124", "20261324"),
        ] {
            assert_eq!(Anchor::of_path(&other), None, "{other}");
        }
    }
}
