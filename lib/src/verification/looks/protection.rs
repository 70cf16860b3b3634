//! Whether the deployment answers, and not the platform's protection in its place.

use super::BOTH;
use crate::verification::{
    judgement::Judgement,
    look::Look,
    report::Importance,
    seen::{Answered, Seen},
    subject::{Group, Pass},
};

pub(super) const LOOK: Look = Look {
    name: "protection",
    group: Group::Transport,
    importance: Importance::Critical,
    of: BOTH,
    mend: "copy the project's current secret of Protection Bypass for Automation into \
           VERCEL_AUTOMATION_BYPASS_SECRET, or let the project trust the workflow (Trusted Sources)",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let Ok(answer) = &seen.health else {
        return Judgement::skipped("nothing answers");
    };
    if !is_protection(answer) {
        return Judgement::passed("the deployment itself answers");
    }
    Judgement::failed(match seen.subject.pass {
        Some(Pass::Secret(_)) => {
            "Vercel's protection answers: the bypass secret was rotated, or is another project's"
        }
        Some(Pass::Identity(_)) => {
            "Vercel's protection answers: the project does not trust this workflow"
        }
        None => "Vercel's protection answers, and VERCEL_AUTOMATION_BYPASS_SECRET is not set here",
    })
}

/// The platform asks who is there by its own page, or sends to where it does.
fn is_protection(answer: &Answered) -> bool {
    let sent = answer.sends_to().unwrap_or_default();
    let asks = answer.status == 401 && answer.text().contains("Authentication Required");
    asks || sent.contains("vercel.com/sso-api")
}
