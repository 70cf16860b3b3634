//! Whether it takes itself for what it is meant to be.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "environment",
    group: Group::Configuration,
    importance: Importance::Important,
    of: OPS,
    mend: "deploy with the environment that is meant: figures of another one are kept apart",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let expected = seen.subject.environment.as_str();
    let health = seen.best_health();
    match health["environment"].as_str() {
        Some(found) if found == expected => Judgement::passed(expected),
        Some(found) => Judgement::failed(format!("it is {found}, and {expected} is meant")),
        None => Judgement::failed("it does not say what it is"),
    }
}
