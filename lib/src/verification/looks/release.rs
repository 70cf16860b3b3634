//! Whether it is of the release that looks at it.

use super::OPS;
use crate::{
    VERSION,
    verification::{
        judgement::Judgement,
        look::Look,
        report::Importance,
        seen::Seen,
        subject::{Group, Release},
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
    match (seen.release().as_deref(), seen.subject.release) {
        (Some(found), Release::Any) => Judgement::passed(found),
        (Some(found), Release::OfThisBuild) if found == VERSION => Judgement::passed(found),
        (Some(found), Release::OfThisBuild) => {
            Judgement::failed(format!("{found} answers, and this is {VERSION}"))
        }
        (None, _) => Judgement::failed("it does not say which"),
    }
}
