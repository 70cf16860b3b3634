//! Whether everything else that is configured works.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "services",
    group: Group::Services,
    importance: Importance::Important,
    of: OPS,
    mend: "look at the provider's status page and at its key, then at `pourtrait check --live`",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let health = seen.best_health();
    let Some(services) = health["services"].as_object() else {
        return Judgement::failed("health says nothing of services");
    };
    let bad: Vec<_> = services
        .iter()
        .filter(|(name, _)| *name != "database")
        .filter_map(|(name, service)| {
            let status = service["status"].as_str().unwrap_or("unknown");
            let reason = service["message"].as_str().unwrap_or("no reason given");
            (!["healthy", "unconfigured"].contains(&status))
                .then(|| format!("{name} is {status}: {reason}"))
        })
        .collect();
    Judgement::unless(&bad, "all that are configured answer")
}
