//! Whether everybody can read how things are, fresh and in public words.

use jiff::{SignedDuration, Timestamp};

use super::OPS;
use crate::verification::{
    judgement::Judgement,
    look::Look,
    report::Importance,
    seen::{Answered, Seen},
    subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "status_page",
    group: Group::Page,
    importance: Importance::Important,
    of: OPS,
    mend: "ask the database for ops_status and look at what the page may show (docs/status-page.md)",
    judge,
};

/// How old the page's document may be.
const OLDEST: SignedDuration = SignedDuration::from_mins(5);

/// What only our own people know or have.
const PRIVATE: [&str; 6] = [
    "sb_secret_",
    "service_role",
    "postgresql://",
    "hooks.slack.com",
    "monitoring_blind",
    "outbox_stuck",
];

fn judge(seen: &Seen<'_>) -> Judgement {
    let (page, document) = match (&seen.status_page, &seen.status_document) {
        (Ok(page), Ok(document)) => (page, document),
        (Err(failure), _) | (_, Err(failure)) => return Judgement::failed(failure.to_string()),
    };
    if page.status == 404 && document.status == 404 {
        return Judgement::skipped("there is no public page");
    }
    if page.status != 200 || document.status != 200 {
        return Judgement::failed(format!(
            "the page answers {} and its document {}",
            page.status, document.status
        ));
    }
    if let Some(word) = private(page).or_else(|| private(document)) {
        return Judgement::failed(format!("it shows {word}, which is nobody else's business"));
    }
    let generated = document.json()["generatedAt"]
        .as_str()
        .and_then(|at| at.parse::<Timestamp>().ok());
    match generated {
        None => Judgement::failed("it does not say of when it is"),
        Some(at) if seen.now.duration_since(at) > OLDEST => {
            Judgement::failed(format!("it is of {at}"))
        }
        Some(at) => Judgement::passed(format!("it is of {at}")),
    }
}

fn private(answer: &Answered) -> Option<&'static str> {
    let text = answer.text();
    PRIVATE.into_iter().find(|word| text.contains(word))
}
