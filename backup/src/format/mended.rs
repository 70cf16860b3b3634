//! What belongs where a damaged object was written anew.
//!
//! Everything that a backup rests on is written once, and its inventory tells the hash of what was
//! sealed. Nobody can seal the same rows to the same bytes again. So a run that still has the rows
//! of an object that is missing, or proven damaged, puts them back where it was, the only time that
//! anything is written over, and leaves a note of the new bytes. The run's own backup rests on
//! another object, so that a copy which still has the first bytes serves both. The path of a note
//! is made of the hash of the object's path and of that of the bytes. What reads an object that has
//! another hash than the inventory says looks for a note of what it read, and nobody else does.
//!
//! A note vouches for bytes as an inventory does, without a key. That they hold what the damaged
//! ones did is proven by whoever opens them: the name of a piece is a keyed hash of what is in it.

use serde::{Deserialize, Serialize};

use super::{FormatError, Stored, VERSION, checksummed_json};

/// What was put where a missing or damaged object was: the same sealed once more, so that its hash
/// is another than that in the inventories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mended {
    /// The format's version.
    pub format: u32,
    /// Where it lies.
    pub path: String,
    /// Its length.
    pub len: u64,
    /// SHA-256 of it.
    pub sha256: String,
}

impl Mended {
    /// Tells of that object.
    #[must_use]
    pub fn new(stored: &Stored) -> Self {
        Self {
            format: VERSION,
            path: stored.path.clone(),
            len: stored.len,
            sha256: stored.sha256.clone(),
        }
    }

    /// The note as it lies in the store.
    ///
    /// # Errors
    /// [`FormatError::Json`], which does not happen.
    pub fn render(&self) -> Result<Vec<u8>, FormatError> {
        checksummed_json::render(self)
    }

    /// Reads a note.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        checksummed_json::parse(bytes)
    }
}
