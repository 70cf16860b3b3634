//! `pourtrait alerts replay`: what rules would have opened in the past.
//!
//! The database judges and decides, as it does at every tick. Here the past is
//! walked in parts that the database can answer in time, and what it found is
//! counted ([`report`]) beside what really happened.

mod proposed_rules;
mod report;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ops::rpc::{Call, Retry, RpcError};
use outside::clock;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::arguments::Replay;
use crate::{answered::Answered, project::Project};
use report::{Firing, Remembered, Report, Tried};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// The first part, and the shortest and longest that are asked for.
const PART: SignedDuration = SignedDuration::from_hours(1);
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// How long the database should take for a part: well below what it allows.
const PACE: Duration = Duration::from_secs(2);

/// The SQLSTATE of a statement that took too long.
const CANCELED: &str = "57014";

#[derive(Debug, Serialize)]
struct PlanReplay<'a> {
    p_since: Timestamp,
    p_rules: &'a Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Plan {
    from: Timestamp,
    to: Timestamp,
    states: Vec<Answered<Remembered>>,
    open: Vec<Answered<Firing>>,
    rules: Vec<Answered<Tried>>,
    untried: Vec<String>,
}

impl Call for PlanReplay<'_> {
    const NAME: &'static str = "ops_plan_replay";
    const RETRY: Retry = Retry::Read;
    type Output = Plan;
}

#[derive(Debug, Serialize)]
struct ReplayPart<'a> {
    p_from: Timestamp,
    p_to: Timestamp,
    p_rules: &'a Map<String, Value>,
    p_states: &'a [Answered<Remembered>],
}

#[derive(Debug, Deserialize)]
struct Part {
    ticks: u64,
    firings: Vec<Answered<Firing>>,
    states: Vec<Answered<Remembered>>,
    happened: Vec<Answered<Firing>>,
}

impl Call for ReplayPart<'_> {
    const NAME: &'static str = "ops_replay";
    const RETRY: Retry = Retry::Read;
    type Output = Part;
}

pub(super) async fn run(
    what: &Replay,
    project: &Project,
    output: Output,
) -> anyhow::Result<Verdict> {
    let rules = what
        .rules
        .as_deref()
        .map(proposed_rules::read)
        .transpose()?;
    let rules = rules.unwrap_or_default();
    let since = clock::now().checked_sub(what.since)?;
    let plan = PlanReplay {
        p_since: since,
        p_rules: &rules,
    };
    let plan = project.call(&plan).await?;
    output::note(&format!("replaying {} to {}", plan.from, plan.to));
    let report = walk(plan, &rules, project).await?;
    output.result(&json!(report), &report.text());
    if report.left_out() > 0 {
        output::note(&format!(
            "note: {} documents are left out, which this build cannot read",
            report.left_out()
        ));
    }
    Ok(match what.max_pages_per_day {
        Some(most) if report.busiest_day() > most => {
            output::note(&format!("more than {most} pages on a day"));
            Verdict::Bad
        }
        _ => Verdict::Good,
    })
}

/// Replays part after part, each from what the one before remembers.
async fn walk(plan: Plan, rules: &Map<String, Value>, project: &Project) -> anyhow::Result<Report> {
    let Plan { from, to, .. } = plan;
    let mut report = Report::new(from, to, plan.rules, plan.untried);
    report.add_happened(plan.open);
    let mut states = plan.states;
    let mut length = PART;
    let mut at = from;
    while at < to {
        let until = at.checked_add(length)?.min(to);
        let call = ReplayPart {
            p_from: at,
            p_to: until,
            p_rules: rules,
            p_states: &states,
        };
        let begun = clock::instant();
        match project.call(&call).await {
            Ok(part) => {
                report.add(part.ticks, part.firings);
                report.add_happened(part.happened);
                states = part.states;
                at = until;
                length = paced(length, begun.elapsed());
            }
            Err(error) if took_too_long(&error) && length > SHORTEST => {
                length = (length / 4).max(SHORTEST);
            }
            Err(error) => return Err(error),
        }
    }
    report.finish(states);
    Ok(report)
}

/// A part that should take the pace, going by one that took so long; never much
/// longer at once, for the past is not evenly busy.
fn paced(length: SignedDuration, took: Duration) -> SignedDuration {
    let factor = PACE.as_secs_f64() / took.as_secs_f64().max(0.001);
    let minutes = length.as_secs_f64() / 60.0 * factor.clamp(0.25, 2.0);
    SignedDuration::try_from_secs_f64(minutes.floor() * 60.0)
        .unwrap_or(SHORTEST)
        .clamp(SHORTEST, LONGEST)
}

fn took_too_long(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<RpcError>()
        .is_some_and(|error| match error {
            RpcError::Refused { code, .. } => code == CANCELED,
            RpcError::Unreachable(_) => true,
            RpcError::Unconfigured | RpcError::Garbage { .. } => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_as_long_as_the_database_is_quick() {
        for (minutes, took_ms, expected) in [
            (60, 2_000, 60),
            (60, 10, 120),
            (60, 1_500, 80),
            (60, 4_000, 30),
            (60, 60_000, 15),
            (6, 8_000, 5),
            (1_440, 10, 1_440),
        ] {
            let next = paced(
                SignedDuration::from_mins(minutes),
                Duration::from_millis(took_ms),
            );
            assert_eq!(
                next,
                SignedDuration::from_mins(expected),
                "{minutes} min in {took_ms} ms"
            );
        }
    }
}
