//! Whether strangers are kept from the dashboard.

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "dashboard_closed",
    group: Group::Access,
    importance: Importance::Critical,
    of: OPS,
    mend: "take the deployment away from the public at once: the dashboard shows addresses and \
           errors of people",
    judge,
};

fn judge(seen: &Seen<'_>) -> Judgement {
    match &seen.open_dashboard {
        Err(failure) => Judgement::failed(failure.to_string()),
        Ok(answer) => match answer.status {
            401 | 403 => Judgement::passed(format!("strangers get {}", answer.status)),
            503 => Judgement::failed("it is closed to everybody: MONITORING_API_KEY is missing"),
            status if (200..300).contains(&status) => {
                Judgement::failed("strangers can read the dashboard")
            }
            status => Judgement::failed(format!("strangers get {status} instead of a refusal")),
        },
    }
}
