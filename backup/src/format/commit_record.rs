//! The commit record: a backup exists if and only if its record does.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::hex;

use super::{Coverage, FormatError, Stored, checksummed_json};

/// A backup's name: `<utc YYYYMMDDTHHMMSSZ>-<fence>-<8 hexadecimal digits>`. Names
/// of one repository sort by time as long as years have four digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotName(String);

impl SnapshotName {
    /// The name of a backup whose snapshot was taken at `taken_at`, by the run
    /// that holds `fence`. `run` tells it from all others.
    #[must_use]
    pub fn new(taken_at: Timestamp, fence: u64, run: Uuid) -> Self {
        let time = taken_at.strftime("%Y%m%dT%H%M%SZ");
        let run = run.simple().to_string();
        Self(format!("{time}-{fence}-{}", &run[..8]))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Year, month and day, as the record's path has them.
    pub(super) fn date(&self) -> [&str; 3] {
        [&self.0[..4], &self.0[4..6], &self.0[6..8]]
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for SnapshotName {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let is_time = |part: &str| {
            part.len() == 16
                && part.is_ascii()
                && digits(&part[..8])
                && &part[8..9] == "T"
                && digits(&part[9..15])
                && &part[15..] == "Z"
        };
        let is_run = |part: &str| {
            part.len() == 8 && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let parts: Vec<&str> = text.split('-').collect();
        match parts[..] {
            [time, fence, run] if is_time(time) && digits(fence) && is_run(run) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(FormatError::Json(format!(
                "{text:?} is not a backup's name"
            ))),
        }
    }
}

impl TryFrom<String> for SnapshotName {
    type Error = FormatError;

    fn try_from(text: String) -> Result<Self, FormatError> {
        text.parse()
    }
}

impl From<SnapshotName> for String {
    fn from(name: SnapshotName) -> Self {
        name.0
    }
}

/// A commit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// The format's version.
    pub format: u32,
    /// The backup's name.
    pub snapshot: SnapshotName,
    /// The time of the snapshot, by the database's clock.
    pub taken_at: Timestamp,
    /// When everything was stored.
    pub sealed_at: Timestamp,
    /// The repository.
    pub repo: Uuid,
    /// The key epoch.
    pub epoch: u32,
    /// The sealed manifest.
    pub manifest: Stored,
    /// The inventory, which names the manifest and every piece.
    pub inventory: Stored,
    /// What restores it without this program. A later backup may have replaced it by
    /// what it names itself.
    pub tools: Vec<Stored>,
    /// What the backup holds, and what it took.
    pub totals: Totals,
    /// The backup before; `None` for the first.
    pub previous: Option<Previous>,
    /// Why the backup, whole as it is, may not hold what it should.
    pub suspect: Option<String>,
    /// Reserved: empty.
    pub signature: String,
    /// What the backup has of the files of Storage; absent where it was taken without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

/// What a backup has of the files of Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Files {
    /// The record that tells where they lie.
    pub record: Stored,
    /// How much of all of them it has.
    pub coverage: Coverage,
}

/// What a backup holds, and what it took to store it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Totals {
    /// Tables, empty ones included.
    pub tables: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Objects in the inventory.
    pub objects: u64,
    /// Plaintext of all pieces in bytes.
    pub raw_bytes: u64,
    /// All objects in the inventory as they lie in the store, in bytes.
    pub stored_bytes: u64,
    /// Objects that this run stored.
    pub new_objects: u64,
    /// Those in bytes, as they lie in the store.
    pub new_bytes: u64,
    /// Plaintext of the pieces that were found in the store, in bytes.
    pub reused_raw_bytes: u64,
}

/// The backup before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its name.
    pub snapshot: SnapshotName,
    /// SHA-256 of its record as it lies in the store.
    pub sha256: String,
}

impl Snapshot {
    /// The record as it lies in the store.
    ///
    /// # Errors
    /// [`FormatError::Json`], which does not happen.
    pub fn render(&self) -> Result<Vec<u8>, FormatError> {
        checksummed_json::render(self)
    }

    /// SHA-256 of the record as it lies in the store; `None` where it cannot be rendered, which
    /// does not happen.
    #[must_use]
    pub fn sha256(&self) -> Option<String> {
        Some(hex::sha256(&self.render().ok()?))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        checksummed_json::parse(bytes)
    }
}
