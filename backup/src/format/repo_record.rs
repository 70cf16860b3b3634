//! `repo.json`: what all backups of a repository have in common.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::segments;

use super::{FormatError, VERSION, checksummed_json};

/// A repository: the only object that is ever written anew, when its keys change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repo {
    /// The format's version.
    pub format: u32,
    /// The repository's own name, which its keys are derived with.
    pub repo: Uuid,
    /// When somebody asked for it; `None` if that is not known any more, because its
    /// description was lost.
    pub since: Option<Timestamp>,
    /// How rows are cut, for the record: other parameters cost dedupe, not data.
    pub cut: Cut,
    /// The key epochs, the current one last.
    pub epochs: Vec<Epoch>,
}

/// How rows are cut, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The least.
    pub min: usize,
    /// The average.
    pub target: usize,
    /// The most.
    pub max: usize,
}

/// The time during which the secret and the recipients stayed the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u32,
    /// When it began.
    pub since: Timestamp,
    /// What tells its recipients from others.
    pub recipients: Vec<String>,
    /// What tells its dedupe key from others.
    pub check: String,
}

impl Repo {
    /// A repository without epochs.
    #[must_use]
    pub fn new(repo: Uuid, since: Option<Timestamp>) -> Self {
        Self {
            format: VERSION,
            repo,
            since,
            cut: Cut {
                min: segments::MIN,
                target: segments::TARGET,
                max: segments::MAX,
            },
            epochs: Vec::new(),
        }
    }

    /// As `repo.json` holds it.
    ///
    /// # Errors
    /// [`FormatError::Json`], which does not happen.
    pub fn render(&self) -> Result<Vec<u8>, FormatError> {
        checksummed_json::render(self)
    }

    /// Reads `repo.json`.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        checksummed_json::parse(bytes)
    }
}
