//! Why something in the store cannot be read.

use super::VERSION;

/// Why something in the store cannot be read as what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Written by another release.
    #[error("format version {0} is not one that this release reads ({VERSION})")]
    Version(String),
    /// A line of text that breaks the rules.
    #[error("line {number}: {reason}")]
    Line {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// JSON that breaks the rules.
    #[error("not valid: {0}")]
    Json(String),
    /// Its text is not the one that was written.
    #[error("its checksum does not match: it is damaged")]
    Damaged,
    /// Every part can be read, and together they make no sense.
    #[error("{0}")]
    Incoherent(String),
}
