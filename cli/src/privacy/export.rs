//! `pourtrait privacy export`: everything that is held of somebody, in one file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use ops::privacy::{
    Person,
    export::{self, Exported},
    proof::ProofKeys,
    requests::Kind,
    ways::Ways,
};
use outside::clock;
use serde_json::json;
use tokio_postgres::Client;

use super::{arguments::Export, find, requests::note_done, session};
use crate::{backup::refuse_shared, environment::Environment, project::author};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
    private_file,
};

pub(super) async fn run(
    options: &Export,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let path = &options.output;
    refuse_shared(path, "what is held of somebody")?;
    let (mut client, _) = session(environment).await?;
    let person = find(&client, &options.person).await?;
    let exported = write(path, &person, &mut client).await?;
    let keys = environment.config().monitoring_api_key;
    let keys = keys.as_ref().and_then(ProofKeys::new);
    let subject = keys.map(|keys| keys.subject(person.id));
    export::note(&client, subject.as_deref(), &author()).await?;
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

/// Writes beside the file, which is there once it is whole: half of it would pass for all.
async fn write(path: &Path, person: &Person, client: &mut Client) -> anyhow::Result<Exported> {
    if path.exists() {
        return Err(Misuse(format!("{} is there already", path.display())).into());
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    if partial.exists() {
        fs::remove_file(&partial)?;
    }
    let written = || format!("cannot write {}", partial.display());
    let file = private_file::create(&partial).with_context(written)?;
    let ways = Ways::find(client, &[]).await?;
    let exported = export::export(client, person, &ways, clock::now(), file).await;
    match &exported {
        Ok(_) => fs::rename(&partial, path)?,
        Err(_) => fs::remove_file(&partial)?,
    }
    Ok(exported?)
}
