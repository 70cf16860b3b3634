//! Why something is not in the store, or cannot be read from it.

/// Why something is not in the store, or cannot be read from it. Addresses are
/// never repeated: they may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing lies there.
    #[error("{path} is missing")]
    Missing {
        /// Where.
        path: String,
    },
    /// Something else lies there, and stays.
    #[error("{path} is taken by something else")]
    Taken {
        /// Where.
        path: String,
    },
    /// No space is left.
    #[error("{path} cannot be written: the disk or the quota is full")]
    Full {
        /// Where.
        path: String,
    },
    /// The store will not, however often it is asked.
    #[error("{path}: the store refuses: {reason}")]
    Refused {
        /// Where.
        path: String,
        /// In what words.
        reason: String,
    },
    /// The store could not, as often as it was asked.
    #[error("{path}: the store fails: {reason}")]
    Failing {
        /// Where.
        path: String,
        /// How, the last time.
        reason: String,
    },
    /// The store replaces what it was told to create only.
    #[error(
        "the store overwrites what it is told to create only, so that it cannot hold backups safely"
    )]
    Overwrites,
    /// The store does not know how to create an object only if it is not there.
    #[error(
        "the store does not implement create-only writes (If-None-Match: *), so that it cannot hold backups safely"
    )]
    CannotCreate,
}

impl StoreError {
    /// Whether it tells what lies there, and not what became of asking.
    #[must_use]
    pub fn is_about_the_object(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Taken { .. } => true,
            Self::Full { .. }
            | Self::Refused { .. }
            | Self::Failing { .. }
            | Self::Overwrites
            | Self::CannotCreate => false,
        }
    }

    /// What is wrong, for where the path is said already.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Missing { .. } => "it is missing".into(),
            Self::Taken { .. } => "it is taken by something else".into(),
            Self::Full { .. } => "the disk or the quota is full".into(),
            Self::Refused { reason, .. } => format!("the store refuses: {reason}"),
            Self::Failing { reason, .. } => format!("the store fails: {reason}"),
            Self::Overwrites | Self::CannotCreate => self.to_string(),
        }
    }
}
