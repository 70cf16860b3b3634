//! `pourtrait backup store-test`: what the store does, tried with an object of its own.

use anyhow::Context;
use backup::store::{
    Store,
    trial::{self, Trial},
};
use serde_json::json;

use super::repository;
use crate::environment::Environment;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(super) async fn run(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let store = repository::store(environment, Store::make)?;
    output::note(&format!("trying {}", store.place()));
    let tried = trial::run(&store).await;
    let trial = tried.with_context(|| format!("{} cannot hold backups", store.place()))?;
    output.result(
        &json!({ "store": store.place(), "trial": trial }),
        &text(&trial),
    );
    Ok(if trial.is_good() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

fn text(trial: &Trial) -> String {
    let rows: Vec<_> = trial
        .tried
        .iter()
        .map(|tried| {
            [
                tried.what.promise().to_owned(),
                tried.outcome.as_str().to_owned(),
                tried.seen.clone(),
            ]
        })
        .collect();
    let mut lines = vec![output::table(["the store", "", "seen"], &rows)];
    lines.extend(
        trial
            .left
            .as_ref()
            .map(|path| format!("{path} is left there, because it cannot be deleted")),
    );
    lines.push(
        if trial.is_good() {
            "backups can be kept there"
        } else {
            "backups are NOT safe there"
        }
        .to_owned(),
    );
    lines.join("\n")
}
