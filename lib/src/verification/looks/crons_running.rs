//! Whether jobs truly run, slot by slot.
//!
//! A cron that is declared and never fires looks well everywhere but here.

use serde_json::Value;

use super::OPS;
use crate::verification::{
    judgement::Judgement, look::Look, report::Importance, seen::Seen, subject::Group,
};

pub(super) const LOOK: Look = Look {
    name: "crons_running",
    group: Group::Jobs,
    importance: Importance::Critical,
    of: OPS,
    mend: "look at the platform's log of the job, and let the database call as well: \
           `pourtrait schedule install`",
    judge,
};

/// How many slots of the last day may have been missed, in percent.
const MISSED: u64 = 10;

fn judge(seen: &Seen<'_>) -> Judgement {
    seen.with_dashboard(|data| {
        let jobs = data["jobs"].as_array().map_or(&[][..], Vec::as_slice);
        if jobs.is_empty() {
            return Judgement::failed("the dashboard knows no jobs");
        }
        let bad: Vec<_> = jobs.iter().filter_map(fault).collect();
        Judgement::unless(&bad, format!("all {} jobs claim their slots", jobs.len()))
    })
}

fn fault(job: &Value) -> Option<String> {
    let name = job["job"].as_str().unwrap_or("a job");
    let every = job["everySeconds"].as_u64().unwrap_or(60).max(1);
    let missed = job["missed24h"].as_u64().unwrap_or_default();
    match job["status"].as_str() {
        Some("not set up") => Some(format!("{name} never ran by its schedule")),
        Some("overdue") => Some(format!(
            "{name} is overdue: its last slot was {}",
            job["lastSlot"].as_str().unwrap_or("never")
        )),
        Some("ok") if job["lastOutcome"] == "failed" => {
            Some(format!("the last run of {name} failed"))
        }
        Some("ok") if missed * every * 100 > 86_400 * MISSED => {
            Some(format!("{name} missed {missed} slots in a day"))
        }
        Some("ok") => None,
        other => Some(format!("{name} is {}", other.unwrap_or("unknown"))),
    }
}
