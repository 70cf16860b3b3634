//! What came of a change of traffic, said by what serves and not by what was asked.

use ops::platforms::{api::ApiError, vercel::AliasRequest};
use serde_json::{Value, json};

use super::{
    Pin, Scene, Serving,
    wanted::{Kind, Wanted},
};

/// What was asked for, and what serves.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) wanted: Wanted,
    /// What the last look before asking showed.
    pub(crate) before: Option<Scene>,
    pub(crate) asked: Asked,
    /// Whether nothing of what was asked can come any more.
    pub(crate) is_settled: bool,
    /// What the last look showed.
    pub(crate) after: Result<Scene, ApiError>,
}

/// Whether the change was asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It was not, and why.
    Not(Objection),
    /// It was, and the answer is no.
    Refused(ApiError),
    /// It was, and the answer is yes.
    Accepted,
    /// It was, and there is no answer that tells.
    Uncertain(ApiError),
}

/// Why a change was not asked for.
#[derive(Debug)]
pub(crate) enum Objection {
    /// What serves could not be read.
    Unseen,
    /// Another change is under way.
    Busy(AliasRequest),
    /// It is no longer as it was when this was chosen.
    Moved,
}

/// What serves, against what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was wanted.
    Done,
    /// What served before.
    Unchanged,
    /// Not the same everywhere.
    Split,
    /// Something else.
    Elsewhere,
    /// That could not be read.
    Unknown,
}

impl Report {
    pub(super) fn not_asked(
        wanted: Wanted,
        objection: Objection,
        after: Result<Scene, ApiError>,
    ) -> Self {
        Self {
            wanted,
            before: None,
            asked: Asked::Not(objection),
            is_settled: true,
            after,
        }
    }

    /// What serves, against what was wanted.
    pub(crate) fn outcome(&self) -> Outcome {
        let Ok(after) = &self.after else {
            return Outcome::Unknown;
        };
        let before = self.before.as_ref().map(Scene::serving);
        match after.serving() {
            Serving::One(one) if one == self.wanted.deployment => match self.wanted.kind {
                Kind::Promote | Kind::Rollback => Outcome::Done,
                Kind::Release if after.pin() == Pin::Free => Outcome::Done,
                Kind::Release => Outcome::Unchanged,
            },
            serving if before.is_none_or(|before| before == serving) => Outcome::Unchanged,
            Serving::Several => Outcome::Split,
            Serving::One(_) | Serving::Nobody => Outcome::Elsewhere,
        }
    }

    /// What was asked, what came of it, what serves.
    pub(crate) fn words(&self) -> String {
        let mut sentences = vec![self.asked_words()];
        match &self.after {
            Ok(after) => sentences.push(format!("{} now.", after.words())),
            Err(error) => sentences.push(format!("What serves now cannot be read: {error}.")),
        }
        match self.outcome() {
            Outcome::Done => sentences.extend(self.pin_words()),
            Outcome::Split => sentences.push("Not every domain was moved.".to_owned()),
            Outcome::Elsewhere => sentences.push("Somebody else changed that.".to_owned()),
            Outcome::Unchanged if self.was_taken() && self.is_settled => {
                sentences.push("Vercel says that it is over, and nothing was moved.".to_owned());
            }
            Outcome::Unchanged | Outcome::Unknown => {}
        }
        if self.outcome() != Outcome::Done && !self.is_settled {
            let more = "What was asked may come yet, and is not asked again.";
            sentences.push(more.to_owned());
        }
        if self.outcome() != Outcome::Done {
            sentences.push("Look with `pourtrait status`.".to_owned());
        }
        sentences.join(" ")
    }

    /// Whether it may be that Vercel took what was asked.
    fn was_taken(&self) -> bool {
        match self.asked {
            Asked::Accepted | Asked::Uncertain(_) => true,
            Asked::Not(_) | Asked::Refused(_) => false,
        }
    }

    fn asked_words(&self) -> String {
        let wanted = &self.wanted.deployment;
        match &self.asked {
            Asked::Not(Objection::Unseen) => "Nothing was asked for.".to_owned(),
            Asked::Not(Objection::Busy(request)) => format!(
                "Nothing was asked for: a change to {} is under way already.",
                request.to.as_deref().unwrap_or("another deployment")
            ),
            Asked::Not(Objection::Moved) => {
                "Nothing was asked for: production changed while this was prepared.".to_owned()
            }
            Asked::Refused(error) => format!("Vercel refused {wanted}: {error}."),
            Asked::Accepted => format!("Vercel was asked for {wanted}."),
            Asked::Uncertain(error) => format!(
                "Vercel was asked for {wanted} once, and its answer does not tell ({error})."
            ),
        }
    }

    fn pin_words(&self) -> Option<String> {
        let after = self.after.as_ref().ok()?;
        Some(match after.pin() {
            Pin::Free => return None,
            Pin::Pinned(_) => "Production is pinned: later releases serve nobody until \
                `pourtrait rollback --release`."
                .to_owned(),
            Pin::Unsaid => "Vercel does not say whether production is pinned.".to_owned(),
        })
    }

    /// The same for scripts.
    pub(crate) fn document(&self) -> Value {
        json!({
            "wanted": self.wanted.deployment,
            "asked": match self.asked {
                Asked::Not(_) => "not",
                Asked::Refused(_) => "refused",
                Asked::Accepted => "accepted",
                Asked::Uncertain(_) => "uncertain",
            },
            "settled": self.is_settled,
            "outcome": match self.outcome() {
                Outcome::Done => "done",
                Outcome::Unchanged => "unchanged",
                Outcome::Split => "split",
                Outcome::Elsewhere => "elsewhere",
                Outcome::Unknown => "unknown",
            },
            "serving": self.after.as_ref().ok().map(Scene::document),
        })
    }
}

#[cfg(test)]
mod tests {
    use outside::failure::Failure;

    use super::*;
    use crate::traffic::scene::tests::scene;

    fn lost() -> ApiError {
        ApiError::Unreached {
            failure: Failure::Timeout,
            sent: true,
        }
    }

    fn report(
        kind: Kind,
        asked: Asked,
        is_settled: bool,
        after: Result<Scene, ApiError>,
    ) -> Report {
        Report {
            wanted: Wanted {
                kind,
                deployment: "d1".to_owned(),
                reason: String::new(),
            },
            before: Some(scene(&[("a", Some("d2"))], Some(false))),
            asked,
            is_settled,
            after,
        }
    }

    #[test]
    fn what_serves_decides_and_not_what_was_answered() {
        let serves = |holder, pinned| Ok(scene(&[("a", Some(holder))], Some(pinned)));
        let split = Ok(scene(&[("a", Some("d1")), ("b", Some("d2"))], None));
        for (report, outcome) in [
            (
                report(
                    Kind::Rollback,
                    Asked::Uncertain(lost()),
                    true,
                    serves("d1", true),
                ),
                Outcome::Done,
            ),
            (
                report(Kind::Rollback, Asked::Accepted, false, serves("d2", false)),
                Outcome::Unchanged,
            ),
            (
                report(Kind::Rollback, Asked::Accepted, true, serves("d3", false)),
                Outcome::Elsewhere,
            ),
            (
                report(Kind::Promote, Asked::Accepted, true, split),
                Outcome::Split,
            ),
            (
                report(Kind::Promote, Asked::Accepted, true, Err(lost())),
                Outcome::Unknown,
            ),
            (
                report(Kind::Release, Asked::Accepted, true, serves("d1", true)),
                Outcome::Unchanged,
            ),
            (
                report(Kind::Release, Asked::Accepted, true, serves("d1", false)),
                Outcome::Done,
            ),
        ] {
            assert_eq!(report.outcome(), outcome, "{report:?}");
        }
    }

    #[test]
    fn an_uncertain_answer_is_told_with_what_serves() {
        let after = Ok(scene(&[("a", Some("d2"))], Some(false)));
        let words = report(Kind::Rollback, Asked::Uncertain(lost()), false, after).words();
        assert_eq!(
            words,
            "Vercel was asked for d1 once, and its answer does not tell (no answer in time). d2 \
             serves production now. What was asked may come yet, and is not asked again. Look with \
             `pourtrait status`."
        );
    }
}
