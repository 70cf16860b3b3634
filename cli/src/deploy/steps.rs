//! The steps of a deployment, each shown with its time as it begins and as it ends.

use anyhow::Context;
use outside::clock;
use serde_json::{Value, json};
use terminal::output;

use crate::times;

/// The steps that were taken.
#[derive(Debug, Default)]
pub(super) struct Steps {
    taken: Vec<Value>,
}

impl Steps {
    /// Takes a step.
    pub(super) async fn take<T>(
        &mut self,
        step: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let began = clock::instant();
        output::note(&format!("{}  {step}", times::to_the_second(clock::now())));
        let outcome = work.await;
        let seconds = clock::instant().duration_since(began).as_secs_f64();
        let is_done = outcome.is_ok();
        let ending = if is_done { "done" } else { "failed" };
        output::note(&format!(
            "{}  {step}: {ending} in {seconds:.1} s",
            times::to_the_second(clock::now())
        ));
        let seconds = (seconds * 1_000.0).round() / 1_000.0;
        self.taken
            .push(json!({"step": step, "seconds": seconds, "done": is_done}));
        outcome.with_context(|| format!("{step} failed"))
    }

    /// For scripts.
    pub(super) fn document(&self) -> Value {
        Value::from(self.taken.clone())
    }
}
