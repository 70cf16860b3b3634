//! Whether jobs truly run, slot by slot.
//!
//! A cron that is declared and never fires looks well everywhere but here.

use jiff::Timestamp;
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
const MISSED: i64 = 10;

/// How many slots a job may be behind.
const BEHIND: i64 = 3;

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

/// What the slots of a job say, whatever the dashboard makes of them. The newest slot tells the
/// database's time, so that no clock of ours matters.
fn fault(job: &Value) -> Option<String> {
    let name = job["job"].as_str().unwrap_or("a job");
    let every = job["everySeconds"].as_i64().unwrap_or(60).max(1);
    let Some(last) = time(&job["lastSlot"]) else {
        return Some(format!("{name} never ran by its schedule"));
    };
    let outcomes = job["slots"]["outcomes"].as_array().map_or(0, Vec::len);
    let slots = i64::try_from(outcomes).unwrap_or(i64::MAX) - 1;
    let Some(first) = time(&job["slots"]["from"]).filter(|_| slots >= 0) else {
        return Some(format!("the dashboard tells no slots of {name}"));
    };
    let behind = (first.duration_since(last).as_secs() + slots * every) / every;
    let missed = job["missed24h"].as_i64().unwrap_or_default();
    if behind > BEHIND {
        Some(format!(
            "{name} is {behind} slots behind: its last was {last}"
        ))
    } else if job["lastOutcome"] == "failed" {
        Some(format!("the last run of {name} failed"))
    } else if missed * every * 100 > 86_400 * MISSED {
        Some(format!("{name} missed {missed} slots in a day"))
    } else {
        None
    }
}

fn time(said: &Value) -> Option<Timestamp> {
    said.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slots_are_counted_and_no_word_is_believed() {
        let job = |last: Value, more: &Value| {
            let mut job = json!({
                "job": "monitor", "everySeconds": 60, "lastSlot": last, "lastOutcome": "done",
                "missed24h": 0, "status": "ok",
                "slots": {"from": "2026-11-24T11:01:00Z", "outcomes": vec![Value::Null; 60]},
            });
            for (name, value) in more.as_object().unwrap() {
                job[name] = value.clone();
            }
            job
        };
        let at = |time: &str| json!(format!("2026-11-24T{time}Z"));
        for (job, expected) in [
            (job(at("12:00:00"), &json!({})), None),
            (job(at("11:57:00"), &json!({"status": "overdue"})), None),
            (
                job(at("11:56:00"), &json!({})),
                Some("monitor is 4 slots behind: its last was 2026-11-24T11:56:00Z"),
            ),
            (
                job(Value::Null, &json!({})),
                Some("monitor never ran by its schedule"),
            ),
            (
                job(at("12:00:00"), &json!({"slots": null})),
                Some("the dashboard tells no slots of monitor"),
            ),
            (
                job(at("12:00:00"), &json!({"missed24h": 145})),
                Some("monitor missed 145 slots in a day"),
            ),
            (job(at("12:00:00"), &json!({"missed24h": 144})), None),
        ] {
            assert_eq!(fault(&job).as_deref(), expected, "{job}");
        }
    }
}
