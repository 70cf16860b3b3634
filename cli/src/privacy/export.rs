//! `pourtrait privacy export`: everything that is held of somebody, in one file.

use std::fs;

use anyhow::Context;
use ops::privacy::{export, requests::Kind, ways::Ways};
use outside::clock;
use serde_json::json;

use super::{arguments::Export, find, requests::note_done, session};
use crate::{backup::refuse_shared, environment::Environment};
use terminal::{failure::Verdict, output::Output, private_file};

pub(super) async fn run(
    options: &Export,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let path = &options.output;
    refuse_shared(path, "what is held of somebody")?;
    let (mut client, _) = session(environment).await?;
    let person = find(&client, &options.person).await?;
    let ways = Ways::find(&client, &[]).await?;
    let file =
        private_file::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let exported = export::export(&mut client, &person, &ways, clock::now(), file).await;
    if exported.is_err() {
        // Half of it would pass for all.
        let _gone = fs::remove_file(path);
    }
    let exported = exported?;
    note_done(&person.id.to_string(), Kind::Export, environment).await;
    let rows: u64 = exported.tables.values().sum();
    let tables = exported.tables.values().filter(|rows| **rows > 0).count();
    let document = json!({ "file": path, "export": exported });
    let text = format!(
        "{rows} rows of {tables} tables are in {}\nfiles in Storage are not in it",
        path.display()
    );
    output.result(&document, &text);
    Ok(Verdict::Good)
}
