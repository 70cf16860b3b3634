//! Whether operators can read the dashboard.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "dashboard",
    group: Group::Health,
    importance: Importance::Important,
    of: OPS,
    mend: "run `pourtrait migrate status`: a dashboard that fails alone mostly lacks a function",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    match &seen.dashboard {
        Err(reason) => Judgement::skipped(*reason),
        Ok(Err(failure)) => Judgement::failed(failure.to_string()),
        Ok(Ok(answer)) => {
            let document = answer.json();
            match (answer.status, document["data"]["jobs"].is_array()) {
                (200, true) => Judgement::passed(format!(
                    "an operator reads it in {} ms",
                    answer.took.as_millis()
                )),
                (200, false) => Judgement::failed("it answers 200 and no document"),
                (401 | 403, _) => Judgement::failed(format!(
                    "it answers {} to MONITORING_API_KEY: the deployment knows another one",
                    answer.status
                )),
                (status, _) => Judgement::failed(format!("it answers {status}")),
            }
        }
    }
}
