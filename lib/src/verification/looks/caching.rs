//! Whether health is asked each time, and not kept on its way.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "caching",
    group: Group::Health,
    importance: Importance::Important,
    of: OPS,
    mend: "take away whatever keeps /api/health: a health that is kept is of another time",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let Ok(answer) = &seen.health else {
        return Judgement::skipped("nothing answers");
    };
    let control = answer.header("cache-control").unwrap_or("nothing");
    let age: u64 = answer
        .header("age")
        .and_then(|age| age.parse().ok())
        .unwrap_or(0);
    if age > 0 {
        return Judgement::failed(format!("the answer was {age} s old"));
    }
    if control.contains("no-store") {
        Judgement::passed("health is not kept by anybody")
    } else {
        Judgement::failed(format!("cache-control of health says {control}"))
    }
}
