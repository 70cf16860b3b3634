//! A pin: it keeps one backup until somebody takes it away.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FormatError, SnapshotName, VERSION, checksummed_json};

/// A pin. That there is one is told by its path alone, so that one that cannot be read keeps
/// its backup as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pin {
    /// The format's version.
    pub format: u32,
    /// The backup that it keeps.
    pub snapshot: SnapshotName,
    /// Who wanted that.
    pub by: String,
    /// Why, if they said so.
    pub reason: Option<String>,
    /// When.
    pub pinned_at: Timestamp,
}

impl Pin {
    /// A pin of that backup.
    #[must_use]
    pub fn new(
        snapshot: SnapshotName,
        by: String,
        reason: Option<String>,
        pinned_at: Timestamp,
    ) -> Self {
        Self {
            format: VERSION,
            snapshot,
            by,
            reason,
            pinned_at,
        }
    }

    /// The pin as it lies in the store.
    ///
    /// # Errors
    /// [`FormatError::Json`], which does not happen.
    pub fn render(&self) -> Result<Vec<u8>, FormatError> {
        checksummed_json::render(self)
    }

    /// Reads a pin.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        checksummed_json::parse(bytes)
    }
}
