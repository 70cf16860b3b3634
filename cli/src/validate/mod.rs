//! `pourtrait validate`: everything that a change of the repository has to pass before it is
//! deployed, as one command with one exit status. It changes nothing: the step about the
//! migration only plans it.

mod steps;

use std::path::Path;

use anyhow::Context;
use clap::Args;
use outside::clock;
use serde::Serialize;
use serde_json::json;

use crate::times::for_seconds;
use steps::{Step, Target};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

/// What the repository's folder holds, by which it is known.
const MARKS: [&str; 2] = ["Cargo.toml", "vercel.json"];

/// What to validate.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Runs this step and no others; can be repeated
    #[arg(long, value_name = "STEP", value_enum)]
    only: Vec<Step>,
    /// Leaves this step out, and says so; can be repeated
    #[arg(long, value_name = "STEP", value_enum, conflicts_with = "only")]
    skip: Vec<Step>,
}

/// How a step ended.
#[derive(Debug, Serialize)]
struct Ended {
    step: Step,
    outcome: Outcome,
    seconds: f64,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passed,
    Failed,
    LeftOut,
}

pub(crate) fn run(
    validate: &Validate,
    env_file: Option<&Path>,
    output: Output,
) -> anyhow::Result<Verdict> {
    if let Some(missing) = MARKS.iter().find(|mark| !Path::new(mark).exists()) {
        let text = format!("there is no {missing} here: validate runs in the repository's folder");
        return Err(Misuse(text).into());
    }
    let itself = std::env::current_exe().context("this program cannot be found again")?;
    let target = Target {
        itself: &itself,
        env_file,
    };
    let ended: Vec<_> = Step::ALL
        .into_iter()
        .map(|step| end(step, validate, &target))
        .collect();
    let bad = ended.iter().any(|ended| ended.outcome == Outcome::Failed);
    output.result(
        &json!({ "passed": !bad, "steps": ended }),
        &table(&ended, bad),
    );
    Ok(if bad { Verdict::Bad } else { Verdict::Good })
}

fn end(step: Step, validate: &Validate, target: &Target) -> Ended {
    let left_out = validate.skip.contains(&step)
        || !validate.only.is_empty() && !validate.only.contains(&step);
    if left_out {
        return Ended {
            step,
            outcome: Outcome::LeftOut,
            seconds: 0.0,
        };
    }
    output::note(&format!("\n==> {}: {}", step.name(), step.line(target)));
    let began = clock::instant();
    let outcome = match step.run(target) {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed,
        Err(error) => {
            output::note(&format!("it cannot be run: {error}"));
            Outcome::Failed
        }
    };
    Ended {
        step,
        outcome,
        seconds: (clock::instant() - began).as_secs_f64(),
    }
}

fn table(ended: &[Ended], bad: bool) -> String {
    let row = |ended: &Ended| {
        let (outcome, took) = match ended.outcome {
            Outcome::Passed => ("passed", for_seconds(ended.seconds)),
            Outcome::Failed => ("FAILED", for_seconds(ended.seconds)),
            Outcome::LeftOut => ("left out", String::new()),
        };
        [ended.step.name().to_owned(), outcome.to_owned(), took]
    };
    let rows: Vec<_> = ended.iter().map(row).collect();
    let table = output::table(["step", "outcome", "took"], &rows);
    let left_out = ended.iter().any(|ended| ended.outcome == Outcome::LeftOut);
    let end = match (bad, left_out) {
        (true, _) => "not to be deployed",
        (false, true) => "what was run has passed; the rest was left out",
        (false, false) => "all passed",
    };
    format!("{table}\n{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcomes: [Outcome; 2]) -> String {
        let [format, lint] = outcomes.map(|outcome| (outcome, 1.4));
        let ended =
            [(Step::Format, format), (Step::Lint, lint)].map(|(step, (outcome, seconds))| Ended {
                step,
                outcome,
                seconds,
            });
        let bad = outcomes.contains(&Outcome::Failed);
        table(&ended, bad)
    }

    #[test]
    fn what_was_left_out_is_never_said_to_have_passed() {
        assert_eq!(
            ended([Outcome::Passed, Outcome::LeftOut]),
            "STEP    OUTCOME   TOOK\n\
             format  passed    1 s\n\
             lint    left out\n\
             what was run has passed; the rest was left out"
        );
        assert!(ended([Outcome::Passed, Outcome::Failed]).ends_with("not to be deployed"));
        assert!(ended([Outcome::Passed, Outcome::Passed]).ends_with("all passed"));
    }
}
