//! `pourtrait privacy export`: everything that is held of somebody, in one file.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use backup::files::StorageApi;
use ops::privacy::{
    Person,
    export::{self, Exported},
    prepared_export::{Maker, Prepared},
    proof::ProofKeys,
    requests::Kind,
    ways::Ways,
};
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use serde_json::json;
use tokio_postgres::Client;

use super::{arguments::Export, find, requests::note_done, session, storage};
use crate::{backup::refuse_shared, environment::Environment, project::author};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
    private_file,
};

/// How long making an export behind a link may take.
const MAKING: Duration = Duration::from_secs(600);

pub(super) async fn run(
    options: &Export,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    match &options.to.output {
        Some(path) => into_file(path, &options.person, environment, output).await,
        None => behind_link(&options.person, environment, output).await,
    }
}

async fn into_file(
    path: &Path,
    person: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    refuse_shared(path, "what is held of somebody")?;
    let (mut client, _) = session(environment).await?;
    let person = find(&client, person).await?;
    let config = environment.config();
    let storage = storage(&config);
    let exported = write(path, &person, storage.as_ref(), &mut client).await?;
    note(&client, &person, environment).await?;
    let document = json!({ "file": path, "export": exported });
    let text = format!(
        "{} are in {}{}",
        counted(&exported),
        path.display(),
        files_text(&exported)
    );
    output.result(&document, &text);
    Ok(whole(&exported))
}

fn whole(exported: &Exported) -> Verdict {
    if exported.files.iter().all(|file| file.path.is_some()) {
        Verdict::Good
    } else {
        Verdict::Bad
    }
}

/// What became of their files, in words.
fn files_text(exported: &Exported) -> String {
    let (within, without): (Vec<_>, Vec<_>) =
        exported.files.iter().partition(|file| file.path.is_some());
    let without = without.iter().map(|file| {
        let reason = file.reason.as_deref().unwrap_or_default();
        format!("\nnot in it: {}/{}: {reason}", file.bucket, file.name)
    });
    format!(
        "\n{} files in Storage are in it{}",
        within.len(),
        without.collect::<Vec<_>>().concat()
    )
}

async fn behind_link(
    person: &str,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let config = environment.config();
    let base = config.base_url.context(Misuse(
        "a link needs the address of this bundle: set BASE_URL".to_owned(),
    ))?;
    let supabase = config.supabase.context(Misuse(
        "a link needs the project: set SUPABASE_URL and SUPABASE_SECRET_KEY".to_owned(),
    ))?;
    let (mut client, _) = session(environment).await?;
    let person = find(&client, person).await?;
    let outbound = Arc::new(Outbound::default());
    let maker = Maker::of(&supabase, &outbound);
    let prepared = maker
        .prepare(&mut client, &person, Deadline::after(MAKING))
        .await?;
    note(&client, &person, environment).await?;
    let link = prepared.token.link(&base);
    let Prepared {
        expires_at,
        exported,
        ..
    } = prepared;
    let document = json!({ "link": link, "expiresAt": expires_at, "export": exported });
    let text = format!(
        "{} are behind this link, which works once, until {expires_at:.0}:\n{link}{}",
        counted(&exported),
        files_text(&exported)
    );
    output.result(&document, &text);
    Ok(whole(&exported))
}

fn counted(exported: &Exported) -> String {
    let rows: u64 = exported.tables.values().sum();
    let tables = exported.tables.values().filter(|rows| **rows > 0).count();
    format!("{rows} rows of {tables} tables")
}

/// In the audit log, and off the list of those who wait.
async fn note(client: &Client, person: &Person, environment: &Environment) -> anyhow::Result<()> {
    let keys = environment.config().monitoring_api_key;
    let keys = keys.as_ref().and_then(ProofKeys::new);
    let subject = keys.map(|keys| keys.subject(person.id));
    export::note(client, subject.as_deref(), &author()).await?;
    note_done(&person.id.to_string(), Kind::Export, environment).await;
    Ok(())
}

/// Writes beside the file, which is there once it is whole: half of it would pass for all.
async fn write(
    path: &Path,
    person: &Person,
    storage: Option<&StorageApi>,
    client: &mut Client,
) -> anyhow::Result<Exported> {
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
    let exported = export::export(client, person, &ways, storage, clock::now(), file).await;
    match exported {
        Ok((exported, file)) => {
            file.sync_all()?;
            fs::rename(&partial, path)?;
            Ok(exported)
        }
        Err(error) => {
            fs::remove_file(&partial)?;
            Err(error.into())
        }
    }
}
