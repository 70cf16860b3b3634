//! The receipt of an exercise: a file in which its times are noted, because the stack that it
//! is done on knows nothing of the project that is told.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::arguments::Exercise;
use crate::times::for_seconds;
use terminal::{failure::Misuse, output};

/// An exercise on its way, or finished.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    /// By which the project knows that it was told already.
    id: Uuid,
    pub(super) exercise: Exercise,
    started_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    steps: Vec<Step>,
}

/// Something that was done.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Step {
    step: String,
    at: Timestamp,
}

impl Receipt {
    /// Of an exercise that begins.
    pub(super) fn begin(exercise: Exercise, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            exercise,
            started_at: now,
            finished_at: None,
            steps: Vec::new(),
        }
    }

    /// With one step more.
    pub(super) fn with_step(mut self, step: String, now: Timestamp) -> Result<Self, Misuse> {
        self.must_be_open()?;
        self.steps.push(Step { step, at: now });
        Ok(self)
    }

    /// Of an exercise that ends.
    pub(super) fn finished(mut self, now: Timestamp) -> Result<Self, Misuse> {
        self.must_be_open()?;
        self.finished_at = Some(now);
        Ok(self)
    }

    fn must_be_open(&self) -> Result<(), Misuse> {
        match self.finished_at {
            None => Ok(()),
            Some(at) => Err(Misuse(format!(
                "this exercise was finished at {at}: `pourtrait training start` begins another"
            ))),
        }
    }

    /// Writes a file that is not there yet.
    pub(super) fn create(&self, path: &Path) -> anyhow::Result<()> {
        if path.exists() {
            let text = format!(
                "{} holds an exercise already: remove it, or name another file with --receipt",
                path.display()
            );
            return Err(Misuse(text).into());
        }
        self.write(path)
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn read(path: &Path) -> Result<Self, Misuse> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Misuse(format!(
                "cannot read {}: {error}; `pourtrait training start` begins an exercise",
                path.display()
            ))
        })?;
        serde_json::from_str(&text)
            .map_err(|error| Misuse(format!("{} is no receipt: {error}", path.display())))
    }

    /// Each step with how long it took, and all of them together.
    pub(super) fn table(&self) -> String {
        let ends = self.finished_at.map(|at| ("finished", at));
        let steps = self.steps.iter().map(|step| (step.step.as_str(), step.at));
        let mut before = self.started_at;
        let rows: Vec<_> = steps
            .chain(ends)
            .map(|(step, at)| {
                let took = between(before, at);
                before = at;
                [step.to_owned(), took, between(self.started_at, at)]
            })
            .collect();
        output::table(["step", "took", "since the start"], &rows)
    }
}

fn between(from: Timestamp, to: Timestamp) -> String {
    for_seconds(to.duration_since(from).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-30T{time}Z").parse().unwrap()
    }

    #[test]
    fn each_step_says_how_long_it_took() {
        let receipt = Receipt::begin(Exercise::Incident, at("12:00:00"))
            .with_step("alert seen".into(), at("12:03:00"))
            .and_then(|receipt| receipt.with_step("app works".into(), at("12:10:30")))
            .and_then(|receipt| receipt.finished(at("12:20:00")))
            .unwrap();
        assert_eq!(
            receipt.table(),
            "STEP        TOOK        SINCE THE START\n\
             alert seen  3 min       3 min\n\
             app works   7 min 30 s  10 min 30 s\n\
             finished    9 min 30 s  20 min"
        );
    }

    #[test]
    fn what_is_finished_takes_no_more_steps() {
        let finished = || {
            let receipt = Receipt::begin(Exercise::Alert, at("12:00:00"));
            receipt.finished(at("12:01:00")).unwrap()
        };
        assert!(finished().with_step("late".into(), at("12:02:00")).is_err());
        assert!(finished().finished(at("12:02:00")).is_err());
    }
}
