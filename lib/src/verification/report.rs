//! What came of looking at a deployment.

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::subject::{Group, Project};

/// Everything that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where.
    pub url: Url,
    /// Whose deployment it is.
    pub project: Project,
    /// When.
    pub at: Timestamp,
    /// One by one, in the order in which to read them.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Its name.
    pub look: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// What it means if it is bad.
    pub importance: Importance,
    /// What came of it.
    pub outcome: Outcome,
    /// What was seen, or why nobody looked.
    pub text: String,
    /// What to do, where it is bad.
    pub mend: Option<String>,
}

/// What it means that a look finds something bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Importance {
    /// The deployment must not serve.
    Critical,
    /// It must be mended before one goes on.
    Important,
    /// It is worth knowing.
    Optional,
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// Nobody could look.
    Skipped,
}

impl Report {
    /// Whether nothing critical or important is bad.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.findings.iter().any(Finding::counts)
    }

    /// How many came out so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.outcome == outcome)
            .count()
    }

    /// What is bad and counts, in one line of at most that many characters.
    #[must_use]
    pub fn summary(&self, length: usize) -> String {
        let bad: Vec<_> = self
            .findings
            .iter()
            .filter(|finding| finding.counts())
            .map(|finding| format!("{}: {}", finding.look, finding.text))
            .collect();
        let said = if bad.is_empty() {
            format!(
                "{} looks passed, {} were skipped",
                self.count(Outcome::Passed),
                self.count(Outcome::Skipped)
            )
        } else {
            bad.join("; ")
        };
        said.chars().take(length).collect()
    }
}

impl Finding {
    /// Whether it makes the whole bad.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.outcome == Outcome::Failed && self.importance <= Importance::Important
    }
}

impl Importance {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Important => "important",
            Self::Optional => "optional",
        }
    }
}

impl Outcome {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}
