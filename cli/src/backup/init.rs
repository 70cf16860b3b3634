//! `pourtrait backup init`: a place where there are no backups yet.

use anyhow::Context;
use backup::{
    repository::{Making, Repository},
    store::Store,
};
use outside::clock;
use serde_json::json;

use super::repository;
use crate::environment::Environment;
use terminal::{failure::Verdict, output::Output};

pub(super) async fn run(environment: &Environment, output: Output) -> anyhow::Result<Verdict> {
    let store = repository::store(environment, Store::make)?;
    let place = store.place();
    let making = Repository::make(&store, clock::now()).await;
    let making = making.with_context(|| format!("cannot make a repository in {place}"))?;
    let text = match making {
        Making::Made => format!("made a repository in {place}: the first backup can go there"),
        Making::Kept => format!("there are backups in {place} already: nothing was done"),
    };
    let made = making == Making::Made;
    output.result(&json!({ "place": place, "made": made }), &text);
    Ok(Verdict::Good)
}
