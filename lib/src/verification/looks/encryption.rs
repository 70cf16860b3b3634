//! Whether the address is encrypted, so that proofs may be sent to it.

use super::BOTH;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "encryption",
    group: Group::Transport,
    importance: Importance::Critical,
    of: BOTH,
    mend: "use the https address; over plain http every proof can be read on its way",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    if seen.subject.url.scheme() == "https" {
        Judgement::passed("the address is https")
    } else if seen.subject.is_secure() {
        Judgement::passed("plain http to this machine itself")
    } else {
        Judgement::failed(format!(
            "the address is {} and not this machine's",
            seen.subject.url.scheme()
        ))
    }
}
