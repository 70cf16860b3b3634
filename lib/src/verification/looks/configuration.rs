//! Whether the running binary has the variables that it needs.
//!
//! What a build was given says nothing: a deployment can be made with variables that are
//! gone when it runs. Only the binary itself knows what it sees.

use serde_json::Value;

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "configuration",
    group: Group::Configuration,
    importance: Importance::Critical,
    of: OPS,
    mend: "set the variable on the platform and deploy anew: a deployment keeps the variables \
           of its build",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    let health = seen.best_health();
    let configuration = &health["configuration"];
    let Some(valid) = configuration["valid"].as_bool() else {
        return Judgement::failed("health says nothing of its configuration");
    };
    if !configuration["missing"].is_array() {
        return if valid {
            Judgement::passed("it says that it is valid; which variables, operators see")
        } else {
            Judgement::failed("it says that it is not valid; which variables, operators see")
        };
    }
    let words = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .map(described)
            .collect::<Vec<_>>()
    };
    let mut bad = Vec::new();
    bad.extend(
        words(&configuration["missing"])
            .iter()
            .map(|name| format!("{name} is missing")),
    );
    bad.extend(words(&configuration["invalid"]));
    Judgement::unless(&bad, "the binary sees all that it needs")
}

fn described(entry: &Value) -> String {
    match (entry["variable"].as_str(), entry["reason"].as_str()) {
        (Some(variable), Some(reason)) => format!("{variable}: {reason}"),
        _ => entry.as_str().unwrap_or("something").to_owned(),
    }
}
