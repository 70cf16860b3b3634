//! Whether the database answers the deployment.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "database",
    group: Group::Health,
    importance: Importance::Critical,
    of: OPS,
    mend: "look at the project's own status and at the two variables of Supabase",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let health = seen.best_health();
    let database = &health["services"]["database"];
    let time = database["responseTime"].as_f64().unwrap_or_default();
    match database["status"].as_str() {
        Some("healthy") => Judgement::passed(format!("it answers in {time:.0} ms")),
        Some(status) => {
            let reason = database["message"]
                .as_str()
                .unwrap_or("it does not say why");
            Judgement::failed(format!("{status}: {reason}"))
        }
        None => Judgement::failed("health says nothing of the database"),
    }
}
