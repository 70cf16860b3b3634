//! How a run read a table, and why so.

use std::fmt;

use serde::{Serialize, Serializer};

/// How a run read the rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableRead {
    /// All of it, and why, or what changed.
    #[serde(flatten)]
    pub how: How,
    /// COPY text that came over the wire.
    pub bytes_read: u64,
    /// COPY text that did not: the store had it, and the server vouched that it still stands.
    pub bytes_taken_over: u64,
    /// How long the server took to compute checksums of ranges, in milliseconds.
    pub checksum_ms: u64,
}

/// Whether a table was read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum How {
    /// Every row was read.
    Whole {
        /// Why.
        why: Why,
    },
    /// Ranges of rows that had changed were read, and no others.
    #[serde(rename_all = "camelCase")]
    Changes {
        /// How many ranges the server compared.
        ranges: u64,
        /// How many of them were read.
        ranges_read: u64,
    },
}

/// Why a table was read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Asked,
    /// No earlier run noted what it read of it.
    Unknown,
    /// There was no row in it to compare with.
    NothingBefore,
    /// The backup before is suspect, so that nothing of it is relied on.
    Suspect,
    /// A query of it would run code of the app's.
    RunsCode,
    /// It has no primary key.
    NoKey,
    /// The server does not tell ranges of its key apart.
    KeyType,
    /// Its columns, their types or its order are others than before.
    OtherShape,
    /// The server's version or its settings are others than before.
    OtherServer,
    /// Everything is read once a week.
    Weekly,
    /// Changes are spread over most of it.
    Spread,
    /// The server refused to compute its checksums.
    Refused,
    /// The rows that came were not those that the server had summed.
    Doubtful,
}

impl Why {
    /// All there are.
    pub const ALL: [Self; 13] = [
        Self::Asked,
        Self::Unknown,
        Self::NothingBefore,
        Self::Suspect,
        Self::RunsCode,
        Self::NoKey,
        Self::KeyType,
        Self::OtherShape,
        Self::OtherServer,
        Self::Weekly,
        Self::Spread,
        Self::Refused,
        Self::Doubtful,
    ];

    /// The word by which manifests and documents have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Unknown => "unknown",
            Self::NothingBefore => "nothing_before",
            Self::Suspect => "suspect",
            Self::RunsCode => "runs_code",
            Self::NoKey => "no_key",
            Self::KeyType => "key_type",
            Self::OtherShape => "other_shape",
            Self::OtherServer => "other_server",
            Self::Weekly => "weekly",
            Self::Spread => "spread",
            Self::Refused => "refused",
            Self::Doubtful => "doubtful",
        }
    }

    /// Whether what is read of a table is of use to the next run.
    #[must_use]
    pub fn lets_ranges_be_known(self) -> bool {
        !matches!(self, Self::RunsCode | Self::NoKey | Self::KeyType)
    }

    /// Whether nothing that was known of a table is of use any more.
    #[must_use]
    pub fn leaves_nothing_known(self) -> bool {
        match self {
            Self::Unknown
            | Self::NothingBefore
            | Self::Suspect
            | Self::OtherShape
            | Self::OtherServer => true,
            Self::Asked
            | Self::RunsCode
            | Self::NoKey
            | Self::KeyType
            | Self::Weekly
            | Self::Spread
            | Self::Refused
            | Self::Doubtful => false,
        }
    }

    /// The other way round.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.word() == word)
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// For people, behind "read whole: ".
impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Asked => "it was asked for",
            Self::Unknown => "no earlier run noted what is in it",
            Self::NothingBefore => "there was nothing in it to compare with",
            Self::Suspect => "the backup before is suspect",
            Self::RunsCode => "a query of it would run code of the app's",
            Self::NoKey => "it has no primary key",
            Self::KeyType => "its key is of a type whose ranges are not told apart",
            Self::OtherShape => "its columns or its order changed",
            Self::OtherServer => "the server's version or settings changed",
            Self::Weekly => "everything is read once a week",
            Self::Spread => "its changes are spread over most of it",
            Self::Refused => "the server refused its checksums",
            Self::Doubtful => "what came was not what the server had summed",
        })
    }
}

/// For people.
impl fmt::Display for TableRead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            How::Whole { why } => write!(formatter, "whole: {why}"),
            How::Changes { ranges_read: 0, .. } if self.bytes_read == 0 => {
                formatter.write_str("unchanged")
            }
            How::Changes {
                ranges,
                ranges_read,
            } => write!(formatter, "changes: {ranges_read} of {ranges} ranges"),
        }
    }
}
