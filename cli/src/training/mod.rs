//! `pourtrait training`: exercises of the people on call. Each is done on a local stack, where
//! its times are noted in a file; the project is told afterwards, and knows what is overdue.

pub(crate) mod arguments;
mod receipt;
pub(crate) mod standing;

use ops::rpc::{Call, Retry};
use outside::clock;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    environment::Environment,
    project::{Project, author},
};
use arguments::{Exercise, Place, Training};
use receipt::Receipt;
use standing::ListExercises;
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// The receipt of an exercise that was finished.
#[derive(Debug, Serialize)]
struct RecordExercise {
    p_exercise: Value,
    p_by: String,
}

impl Call for RecordExercise {
    const NAME: &'static str = "ops_record_exercise";
    // The receipt has an id of its own.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

/// Runs what needs a project; the rest needs none, and works on the file alone.
pub(crate) async fn run(
    action: Training,
    project: impl FnOnce() -> anyhow::Result<Environment>,
    output: Output,
) -> anyhow::Result<Verdict> {
    match action {
        Training::List => list(&project()?, output).await,
        Training::Record { place } => record(&place, &project()?, output).await,
        Training::Start { exercise, place } => start(exercise, &place, output),
        Training::Step { step, place } => {
            let receipt = Receipt::read(&place.receipt)?;
            note(&receipt.with_step(step, clock::now())?, &place, output)
        }
        Training::Finish { place } => {
            let receipt = Receipt::read(&place.receipt)?;
            note(&receipt.finished(clock::now())?, &place, output)
        }
    }
}

async fn list(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let listed = Project::of(environment)?.call(&ListExercises {}).await?;
    output.result(&json!(listed), &listed.table());
    Ok(if listed.due().is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

fn start(exercise: Exercise, place: &Place, output: Output) -> anyhow::Result<Verdict> {
    let receipt = Receipt::begin(exercise, clock::now());
    receipt.create(&place.receipt)?;
    let text = format!(
        "begun; times are noted in {}\nwhat to do is in docs/training of the repository",
        place.receipt.display()
    );
    output.result(&json!(receipt), &text);
    Ok(Verdict::Good)
}

fn note(receipt: &Receipt, place: &Place, output: Output) -> anyhow::Result<Verdict> {
    receipt.write(&place.receipt)?;
    output.result(&json!(receipt), &receipt.table());
    Ok(Verdict::Good)
}

async fn record(
    place: &Place,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let receipt = Receipt::read(&place.receipt)?;
    if receipt.finished_at.is_none() {
        let text = "this exercise is not finished: `pourtrait training finish` ends it";
        return Err(Misuse(text.to_owned()).into());
    }
    let project = Project::of(environment)?;
    project.show(environment);
    let call = RecordExercise {
        p_exercise: json!(receipt),
        p_by: author(),
    };
    let recorded = project.call(&call).await?;
    let text = format!("recorded as done by {}\n{}", author(), receipt.table());
    output.result(&recorded, &text);
    Ok(Verdict::Good)
}
