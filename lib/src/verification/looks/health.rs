//! Whether it says that it works.

use super::BOTH;
use crate::verification::{
    judgement::Judgement,
    look::Look,
    report::Importance,
    seen::Seen,
    subject::{Group, Project},
};

pub(super) const LOOK: Look = Look {
    name: "health",
    group: Group::Health,
    importance: Importance::Critical,
    of: BOTH,
    mend: "read /api/health with MONITORING_API_KEY: it names what fails and why",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let answer = match &seen.health {
        Err(failure) => return Judgement::failed(failure.to_string()),
        Ok(answer) => answer,
    };
    if seen.subject.project == Project::App {
        let said = format!("its front page answers {}", answer.status);
        // A page may send strangers to sign in.
        return if (200..400).contains(&answer.status) {
            Judgement::Passed(said)
        } else {
            Judgement::Failed(said)
        };
    }
    let document = answer.json();
    match (answer.status, document["status"].as_str()) {
        (200, Some(status @ ("healthy" | "degraded"))) => Judgement::passed(status),
        (status, Some(word)) => Judgement::failed(format!("it answers {status} and is {word}")),
        (status, None) => Judgement::failed(format!("it answers {status} and no health")),
    }
}
