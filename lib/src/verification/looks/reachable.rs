//! Whether something answers there itself.

use super::BOTH;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
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
    match &seen.health {
        Err(failure) => Judgement::failed(format!("{}: {failure}", seen.subject.url)),
        Ok(answer) => match answer.sends_to() {
            Some(place) => Judgement::failed(format!(
                "it answers {} and sends everybody to {place}",
                answer.status
            )),
            None => Judgement::passed(format!("it answers {}", answer.status)),
        },
    }
}
