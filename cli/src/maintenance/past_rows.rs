//! What is older than it is kept: shown, and deleted as the maintenance job does it.

use std::time::Duration;

use jiff::Timestamp;
use ops::{
    app::App,
    auth::Starter,
    endpoint::Job,
    jobs::{self, Ended, Order, Outcome, Patience, Report, Run},
    messages::{plain_text, quantities::quantity},
    monitoring::retention,
    rpc::{Call, Retry},
};
use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{answered::Answered, environment::Environment, project::Project, times::to_the_minute};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

/// For how long one run deletes: less than its lease lasts, so that nobody else begins meanwhile.
const TIME: Duration = Duration::from_secs(240);

#[derive(Debug, Serialize)]
struct PlanRetention {}

impl Call for PlanRetention {
    const NAME: &'static str = "ops_plan_retention";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Plan>;
}

/// What would be deleted.
#[derive(Debug, Deserialize)]
struct Plan {
    evidence: Option<Evidence>,
    tables: Vec<Past>,
}

/// The incident that keeps what was recorded during it.
#[derive(Debug, Deserialize)]
struct Evidence {
    incident: u64,
    from: Timestamp,
}

/// What of a table is past.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Past {
    name: String,
    setting: String,
    days: u64,
    kept_from: Timestamp,
    held: bool,
    hindrance: Option<String>,
    note: Option<String>,
    past: u64,
    /// Whether there are more than were counted.
    more: bool,
}

/// Shows what would be deleted now.
pub(super) async fn plan(project: &Project, output: Output) -> anyhow::Result<Verdict> {
    let plan = project.call(&PlanRetention {}).await?;
    output.result(plan.document(), &plan.describe(Plan::describe));
    Ok(Verdict::Good)
}

/// Deletes it.
pub(super) async fn delete(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let app = App::new(environment.config());
    let order = Order {
        job: Job::MAINTENANCE,
        starter: Starter::Operator,
        patience: Patience::Once,
    };
    let deadline = Deadline::after(TIME);
    let work = async |run: &Run| {
        let ended = delete_past(&app, run, deadline).await;
        jobs::record(&app, run, ended, deadline).await
    };
    let report = jobs::run(&app, order, deadline, work).await;
    let report = report.map_err(|unclaimed| anyhow::anyhow!(unclaimed.error))?;
    output.result(&json!(report), &described(&report));
    Ok(match report.outcome {
        Outcome::Done => Verdict::Good,
        Outcome::Skipped | Outcome::Partial | Outcome::Failed => Verdict::Bad,
    })
}

async fn delete_past(app: &App, run: &Run, deadline: Deadline) -> Ended {
    let mut details = Map::new();
    let outcome = match retention::forget(app, run, deadline).await {
        Ok(report) => {
            let is_done = report.is_done();
            details.insert("retention".to_owned(), json!(report));
            if is_done {
                Outcome::Done
            } else {
                Outcome::Partial
            }
        }
        Err(error) => {
            details.insert("reason".to_owned(), json!(error.to_string()));
            Outcome::Failed
        }
    };
    Ended { outcome, details }
}

fn described(report: &Report) -> String {
    let done = report.details.get("retention").unwrap_or(&Value::Null);
    let Some(rows) = done["rows"].as_u64() else {
        let reason = report.details.get("reason").and_then(Value::as_str);
        return format!(
            "nothing was deleted: {}",
            plain_text::line(reason.unwrap_or("unknown"))
        );
    };
    let mut lines = vec![format!(
        "deleted {} in {}, of them {} whole",
        counted(rows, "row"),
        counted(done["parts"].as_u64().unwrap_or_default(), "part"),
        counted(done["partitions"].as_u64().unwrap_or_default(), "partition"),
    )];
    let hindered = done["hindered"].as_object().into_iter().flatten();
    lines.extend(hindered.map(|(table, reason)| {
        let reason = reason.as_str().unwrap_or("unknown");
        plain_text::line(&format!("{table}: {reason}"))
    }));
    let left: Vec<_> = done["left"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !left.is_empty() {
        lines.push(plain_text::line(&format!(
            "more is left of {}: run it again",
            left.join(", ")
        )));
    }
    lines.join("\n")
}

fn counted(count: u64, noun: &str) -> String {
    ops::messages::quantities::count(count, noun)
}

impl Plan {
    fn describe(&self) -> String {
        const HEADING: [&str; 5] = ["what", "kept", "from", "past", "why not"];
        let rows: Vec<_> = self.tables.iter().map(Past::row).collect();
        let mut lines = vec![output::table(HEADING, &rows)];
        lines.extend(self.tables.iter().filter_map(|table| {
            let note = table.note.as_deref()?;
            Some(plain_text::line(&format!("{}: {note}", table.name)))
        }));
        if let Some(evidence) = &self.evidence {
            lines.push(format!(
                "incident {} keeps everything from {} on",
                evidence.incident,
                to_the_minute(evidence.from)
            ));
        }
        lines.join("\n")
    }
}

impl Past {
    fn row(&self) -> [String; 5] {
        #[expect(clippy::cast_precision_loss, reason = "a count that is read by people")]
        let past = quantity(self.past as f64, None);
        let why = match &self.hindrance {
            Some(reason) => plain_text::line(reason),
            None if self.held => "an incident keeps it longer".to_owned(),
            None => String::new(),
        };
        [
            plain_text::line(&self.name),
            format!("{} d ({})", self.days, plain_text::line(&self.setting)),
            to_the_minute(self.kept_from),
            if self.more {
                format!("more than {past}")
            } else {
                past
            },
            why,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(name: &str, rows: u64, more: bool) -> Value {
        json!({"name": name, "setting": "retention.events_days", "days": 90, "keptFrom": "2026-08-26T12:00:00Z",
               "held": false, "hindrance": null, "note": null, "past": rows, "more": more})
    }

    #[test]
    fn a_plan_says_what_would_go_and_what_keeps_the_rest() {
        let mut held = past("error_logs", 0, false);
        held["held"] = json!(true);
        let mut hindered = past("items", 3, false);
        hindered["hindrance"] = json!("somebody else holds a lock\u{1b} on it");
        hindered["note"] = json!("items lie apart from their days in ops.items_rest");
        let plan: Plan = serde_json::from_value(json!({
            "evidence": {"incident": 7, "open": true, "from": "2026-10-20T08:00:00Z"},
            "tables": [past("analytics_events", 100_000, true), held, hindered],
        }))
        .unwrap();
        assert_eq!(
            plan.describe(),
            "WHAT              KEPT                          FROM                  PAST               WHY NOT\n\
             analytics_events  90 d (retention.events_days)  2026-08-26 12:00 UTC  more than 100,000\n\
             error_logs        90 d (retention.events_days)  2026-08-26 12:00 UTC  0                  an incident keeps it longer\n\
             items             90 d (retention.events_days)  2026-08-26 12:00 UTC  3                  somebody else holds a lock on it\n\
             items: items lie apart from their days in ops.items_rest\n\
             incident 7 keeps everything from 2026-10-20 08:00 UTC on"
        );
    }

    #[test]
    fn a_run_says_what_it_deleted_and_what_is_left() {
        let report = |details: Value| Report {
            job: "maintenance",
            run: uuid::Uuid::nil(),
            slot: None,
            outcome: Outcome::Partial,
            details: details.as_object().unwrap().clone(),
        };
        let done = report(
            json!({"retention": {"rows": 2_005, "parts": 4, "partitions": 1, "left": ["items"],
                                               "hindered": {"error_logs": "a trigger refuses"}}}),
        );
        assert_eq!(
            described(&done),
            "deleted 2,005 rows in 4 parts, of them 1 partition whole\n\
             error_logs: a trigger refuses\n\
             more is left of items: run it again"
        );
        let skipped = report(json!({"reason": "busy"}));
        assert_eq!(described(&skipped), "nothing was deleted: busy");
    }
}
