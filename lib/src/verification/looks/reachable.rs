//! Whether something answers there itself.

use super::BOTH;
use crate::verification::{
    judgement::Judgement,
    look::Look,
    report::Importance,
    seen::Seen,
    subject::{Group, Project},
};

pub(super) const LOOK: Look = Look {
    name: "reachable",
    group: Group::Transport,
    importance: Importance::Critical,
    of: BOTH,
    mend: "name the address that answers itself: a probe that is sent elsewhere looks at \
           something else",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let answer = match &seen.health {
        Err(failure) => return Judgement::failed(format!("{}: {failure}", seen.subject.url)),
        Ok(answer) => answer,
    };
    let status = answer.status;
    match answer.sends_to() {
        None => Judgement::passed(format!("it answers {status}")),
        Some(place) if seen.subject.project == Project::App => of_a_page(seen, status, place),
        Some(place) => Judgement::failed(format!(
            "it answers {status} and sends everybody to {place}"
        )),
    }
}

/// A page sends strangers to sign in, and a deployment's own address often to its domain.
fn of_a_page(seen: &Seen<'_>, status: u16, place: &str) -> Judgement {
    let url = &seen.subject.url;
    let is_here = url
        .join(place)
        .is_ok_and(|place| place.host() == url.host());
    if is_here {
        Judgement::passed(format!(
            "it answers {status} and sends strangers to {place}"
        ))
    } else {
        Judgement::skipped(format!(
            "it answers {status} and sends everybody to {place}"
        ))
    }
}
