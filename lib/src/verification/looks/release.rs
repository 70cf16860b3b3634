//! Whether it is of the release that looks at it.

use super::OPS;
use crate::{
    VERSION,
    verification::{
        judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
    },
};

pub(super) const LOOK: Look = Look {
    name: "release",
    group: Group::Configuration,
    importance: Importance::Important,
    of: OPS,
    mend: "promote the deployment of this release, or look with the command of the other one",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let health = seen.best_health();
    match health["version"].as_str() {
        Some(found) if found == VERSION => Judgement::passed(VERSION),
        Some(found) => Judgement::failed(format!("{found} answers, and this is {VERSION}")),
        None => Judgement::failed("it does not say which"),
    }
}
