//! What a look is: one thing to judge, and what to do where it is bad.

use super::{
    judgement::Judgement,
    report::{Finding, Importance, Outcome},
    seen::Seen,
    subject::{Group, Project},
};

/// One thing to look at.
#[derive(Debug)]
pub(super) struct Look {
    /// Its name, which is also its chapter's in the documentation.
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) importance: Importance,
    /// Whose deployments it is about.
    pub(super) of: &'static [Project],
    /// What to do where it finds something bad.
    pub(super) mend: &'static str,
    pub(super) judge: fn(&Seen<'_>) -> Judgement,
}

impl Look {
    /// What it finds in what was answered.
    pub(super) fn finding(&self, seen: &Seen<'_>) -> Finding {
        let (outcome, text) = match (self.judge)(seen) {
            Judgement::Passed(text) => (Outcome::Passed, text),
            Judgement::Failed(text) => (Outcome::Failed, text),
            Judgement::Skipped(text) => (Outcome::Skipped, text),
        };
        let mend = || format!("{} (docs/verify.md#{})", self.mend, self.name);
        Finding {
            look: self.name,
            group: self.group,
            importance: self.importance,
            mend: (outcome == Outcome::Failed).then(mend),
            outcome,
            text,
        }
    }
}
