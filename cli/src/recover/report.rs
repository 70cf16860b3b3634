//! How a recovery went: its steps with their times, all of it against the time that was promised,
//! what is left to a person, and the receipt.

use anyhow::Context;
use jiff::Timestamp;
use ops::{
    backups::recovery_receipts::{Outcome, Receipt, RecordRecovery, TimedStep},
    rpc::Call,
};
use outside::{clock, database};
use serde_json::{Value, json};
use terminal::output;

use super::{
    course::Course,
    plan::{Planned, State, Step},
};
use crate::{
    backup::known_drills::known_soon,
    project::{PATIENCE, Project},
};

/// What a restore may take where nobody can be asked what was promised, in minutes.
const USUAL_RTO: f64 = 240.0;

/// A recovery that has ended for now.
pub(super) struct Report {
    receipt: Receipt,
    by_hand: Vec<(Step, String)>,
    failure: Option<anyhow::Error>,
    /// How many minutes a restore may take.
    promised: f64,
    recovered: String,
}

impl Report {
    /// Ends a recovery, and tells the project how it went.
    pub(super) async fn of(course: &Course<'_>, failure: Option<anyhow::Error>) -> Self {
        let steps = course
            .plan()
            .iter()
            .map(|planned| timed(course, planned))
            .collect();
        let journal = &course.journal;
        let receipt = Receipt {
            id: journal.id,
            kind: journal.kind,
            is_drill: journal.is_drill,
            snapshot: journal.snapshot.clone(),
            started_at: journal.started_at,
            finished_at: clock::now(),
            steps,
            outcome: if failure.is_none() {
                Outcome::Done
            } else {
                Outcome::Failed
            },
        };
        let known = known_soon(course.source).await.ok().flatten();
        let report = Self {
            promised: known.map_or(USUAL_RTO, |known| known.rto_seconds / 60.0),
            by_hand: course.by_hand.clone(),
            failure,
            recovered: journal.variables_path().display().to_string(),
            receipt,
        };
        if let Err(error) = report.record(course).await {
            output::note(&format!("the receipt was not recorded: {error:#}"));
        }
        report
    }

    /// A drill is told to the project that goes on, a recovery to the database that was made.
    async fn record(&self, course: &Course<'_>) -> anyhow::Result<()> {
        let record = RecordRecovery {
            p_recovery: self.receipt.clone(),
        };
        let is_made = course.journal.done.contains_key(&Step::Restore);
        if self.receipt.is_drill || !is_made {
            let project = Project::of(course.source)?;
            return project.call_within(PATIENCE, &record).await.map(drop);
        }
        let url = course
            .variables
            .get("DATABASE_URL")
            .context("no database was made")?;
        let ca = course.variables.get("DATABASE_CA").map(String::as_str);
        let session = database::connect(&url.clone().into(), ca).await?;
        let text = serde_json::to_string(&record.p_recovery)?;
        let call = format!(
            "select public.{}($1::text::jsonb)::text",
            RecordRecovery::NAME
        );
        session.query_one(&call, &[&text]).await?;
        Ok(())
    }

    /// Whether every step was taken that a program can take, in the time that was promised.
    pub(super) fn is_good(&self) -> bool {
        self.failure.is_none() && self.minutes() <= self.promised
    }

    fn minutes(&self) -> f64 {
        minutes_between(self.receipt.started_at, self.receipt.finished_at)
    }

    pub(super) fn document(&self) -> Value {
        let by_hand: Vec<_> = self
            .by_hand
            .iter()
            .map(|(step, how)| json!({ "step": step, "how": how }))
            .collect();
        json!({
            "recovery": self.receipt,
            "minutes": (self.minutes() * 10.0).round() / 10.0,
            "promisedMinutes": self.promised,
            "byHand": by_hand,
            "failure": self.failure.as_ref().map(|error| format!("{error:#}")),
            "recovered": self.recovered,
        })
    }

    pub(super) fn text(&self) -> String {
        let rows: Vec<_> = self
            .receipt
            .steps
            .iter()
            .map(|one| {
                let seconds = one.seconds.map(|seconds| format!("{seconds:.1} s"));
                [
                    one.step.clone(),
                    one.state.clone(),
                    seconds.unwrap_or_default(),
                ]
            })
            .collect();
        let mut lines = vec![
            output::table(["step", "state", "took"], &rows)
                .trim_end()
                .to_owned(),
        ];
        let within = if self.minutes() <= self.promised {
            "within"
        } else {
            "MORE THAN"
        };
        lines.push(format!(
            "\n{:.1} min since it began, {within} the {:.0} min that were promised",
            self.minutes(),
            self.promised
        ));
        if !self.by_hand.is_empty() {
            lines.push("\nWhat only a person can do:".to_owned());
            let by_hand = self.by_hand.iter();
            lines.extend(by_hand.map(|(step, how)| format!("- {}: {how}", step.title())));
        }
        lines.push(match (&self.failure, self.receipt.is_drill) {
            (Some(error), _) => format!("\nFAILED: {error:#}\nThe same call goes on from here."),
            (None, true) => "\nThe drill is done; what it made is gone.".to_owned(),
            (None, false) => format!(
                "\nDone. Other commands speak to what was made with --env-file {}",
                self.recovered
            ),
        });
        lines.join("\n")
    }
}

fn timed(course: &Course<'_>, planned: &Planned) -> TimedStep {
    let is_left = course.by_hand.iter().any(|(step, _)| *step == planned.step);
    let (state, seconds) = match &planned.state {
        State::Done(seconds) => ("done", Some(*seconds)),
        State::Todo if is_left => ("by hand", None),
        State::Todo => ("todo", None),
        State::ByHand(_) => ("by hand", None),
    };
    TimedStep {
        step: planned.step.title().to_owned(),
        state: state.to_owned(),
        seconds,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a recovery takes no millennia")]
fn minutes_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_millis() as f64 / 60_000.0
}

/// A plan for programs.
pub(super) fn plan_document(plan: &[Planned]) -> Value {
    let steps: Vec<_> = plan
        .iter()
        .map(|planned| {
            let (state, how) = stands(&planned.state);
            json!({ "step": planned.step, "title": planned.step.title(), "state": state, "how": how })
        })
        .collect();
    json!({ "plan": steps })
}

/// A plan for people.
pub(super) fn plan_text(plan: &[Planned]) -> String {
    let rows: Vec<_> = plan
        .iter()
        .map(|planned| {
            [
                planned.step.title().to_owned(),
                stands(&planned.state).0.to_owned(),
            ]
        })
        .collect();
    let by_hand = plan.iter().filter_map(|planned| {
        let how = stands(&planned.state).1?;
        Some(format!("- {}: {how}", planned.step.title()))
    });
    let mut lines = vec![
        output::table(["step", "state"], &rows)
            .trim_end()
            .to_owned(),
    ];
    lines.extend(by_hand);
    lines.join("\n")
}

fn stands(state: &State) -> (&'static str, Option<&str>) {
    match state {
        State::Done(_) => ("done", None),
        State::Todo => ("todo", None),
        State::ByHand(how) => ("by hand", Some(how)),
    }
}
