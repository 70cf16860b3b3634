//! Whether messages reach people.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "messages",
    group: Group::Services,
    importance: Importance::Optional,
    of: OPS,
    mend: "run `pourtrait alerts messages` and `pourtrait check --live`: a channel does not take \
           what is sent",
    judge,
};

/// How long a message may wait, in seconds.
const LONGEST: f64 = 300.0;

fn judge(seen: &Seen<'_>) -> Judgement {
    seen.with_dashboard(|data| {
        let outbox = &data["outbox"];
        let dead = outbox["dead"].as_array().map_or(0, Vec::len);
        let oldest = outbox["oldestPendingSeconds"].as_f64().unwrap_or_default();
        if dead > 0 {
            Judgement::failed(format!("{dead} messages were given up"))
        } else if oldest > LONGEST {
            Judgement::failed(format!("a message has waited {oldest:.0} s"))
        } else {
            Judgement::passed("none was given up and none waits")
        }
    })
}
