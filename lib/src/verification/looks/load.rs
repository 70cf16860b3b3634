//! How fast it answers a handful of clients at once.

use std::time::Duration;

use super::BOTH;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "load",
    group: Group::Speed,
    importance: Importance::Important,
    of: BOTH,
    mend: "look at the region of the functions beside the database's, and at cold starts in the \
           platform's log",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let asked = seen.load.len();
    let failed = seen
        .load
        .iter()
        .filter(|reply| reply.as_ref().map_or(true, |answer| answer.status >= 500))
        .count();
    if failed > 0 {
        return Judgement::failed(format!("{failed} of {asked} requests failed"));
    }
    let mut times: Vec<Duration> = seen.load.iter().flatten().map(|one| one.took).collect();
    times.sort_unstable();
    // The slowest but one of twenty.
    let Some(slow) = times.len().checked_sub(1 + times.len() / 20) else {
        return Judgement::skipped("nothing was asked");
    };
    let (slow, bound) = (times[slow], seen.subject.slowest);
    let said = format!(
        "19 of 20 answers within {} ms, and {} ms are allowed",
        slow.as_millis(),
        bound.as_millis()
    );
    if slow > bound {
        Judgement::Failed(said)
    } else {
        Judgement::Passed(said)
    }
}
