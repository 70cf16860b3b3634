//! What came of a look, in words.

/// Whether something is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is; what was seen.
    Passed(String),
    /// It is not; what was seen.
    Failed(String),
    /// Nobody could look; why.
    Skipped(String),
}

impl Judgement {
    pub(super) fn passed(text: impl Into<String>) -> Self {
        Self::Passed(text.into())
    }

    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    pub(super) fn skipped(text: impl Into<String>) -> Self {
        Self::Skipped(text.into())
    }

    /// Bad if there is something to list.
    pub(super) fn unless(bad: &[String], good: impl Into<String>) -> Self {
        if bad.is_empty() {
            Self::Passed(good.into())
        } else {
            Self::Failed(bad.join("; "))
        }
    }
}
