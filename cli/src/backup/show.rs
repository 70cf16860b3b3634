//! `pourtrait backup show`: what a backup holds, and what it does not.

use backup::{
    catalogue::{self, ReadError},
    files::OpenedFiles,
    format::{FileRow, FileState, Files, Manifest, Snapshot, TableData},
    keys::Identities,
    store::Store,
};
use outside::clock;
use serde_json::{Value, json};

use super::{
    arguments::Show,
    left_out, quantities,
    repository::{Repository, optional_identities},
};
use crate::environment::Environment;
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(super) async fn run(
    options: &Show,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let repository = Repository::of(environment)?;
    let identities = optional_identities(&options.key, environment)?;
    let snapshot = options.moment.find(&repository, &options.snapshot).await?;
    let opened = match &identities {
        Some(identities) => Some(open(&repository.store, &snapshot, identities).await?),
        None => None,
    };
    let mut json = json!({ "backup": snapshot });
    let mut text = summary(&snapshot);
    match &opened {
        Some((manifest, lacking)) => {
            json["tables"] = manifest.tables.iter().map(table).collect();
            json["gaps"] = json!(manifest.gaps);
            json["notCovered"] = json!(manifest.excluded);
            json["files"] = lacking.clone();
            let accepted = left_out::accepted(environment, &manifest.gaps).await;
            text += &contents(manifest, &accepted);
        }
        None => text += "\nWith --identity FILE its tables are shown, and what it does not cover.",
    }
    output.result(&json, &text);
    Ok(Verdict::Good)
}

/// What it holds, and the files of Storage that it names and does not have.
async fn open(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
) -> Result<(Manifest, Value), ReadError> {
    let manifest = catalogue::manifest(store, snapshot, identities).await?;
    let Some(files) = OpenedFiles::open(store, snapshot, identities).await? else {
        return Ok((manifest, Value::Null));
    };
    let listing = files.listing().await?;
    let named = |file: &FileRow, state: &str| json!({ "bucket": file.bucket, "name": file.name, "state": state });
    let lacking = listing
        .files
        .iter()
        .filter(|(_, state)| !matches!(state, FileState::Kept(..)))
        .map(|(file, state)| named(file, state.word()));
    let lacking = json!({ "notInIt": lacking.collect::<Vec<_>>() });
    Ok((manifest, lacking))
}

fn summary(snapshot: &Snapshot) -> String {
    let totals = &snapshot.totals;
    let mut lines = vec![
        format!("backup    {}", snapshot.snapshot),
        format!(
            "taken     {:.0}, {} ago",
            snapshot.taken_at,
            quantities::age(clock::now(), snapshot.taken_at)
        ),
        format!("sealed    {:.0}", snapshot.sealed_at),
        format!(
            "holds     {} tables, {} rows, {}",
            quantities::count(totals.tables),
            quantities::count(totals.rows),
            quantities::bytes(totals.raw_bytes)
        ),
        format!(
            "stored    {} in {} objects, of them new {} in {}",
            quantities::bytes(totals.stored_bytes),
            quantities::count(totals.objects),
            quantities::bytes(totals.new_bytes),
            quantities::count(totals.new_objects)
        ),
    ];
    if let Some(Files { coverage, .. }) = &snapshot.files {
        lines.push(format!(
            "files     {} of {} of Storage, {}",
            quantities::count(coverage.kept),
            quantities::count(coverage.files),
            quantities::bytes(coverage.kept_bytes)
        ));
    }
    if let Some(previous) = &snapshot.previous {
        lines.push(format!("after     {}", previous.snapshot));
    }
    if let Some(reason) = &snapshot.suspect {
        lines.push(format!("SUSPECT   {reason}"));
    }
    lines.join("\n") + "\n"
}

fn contents(manifest: &Manifest, accepted: &[String]) -> String {
    let rows: Vec<_> = manifest
        .tables
        .iter()
        .map(|data| {
            [
                format!("{}.{}", data.table.schema, data.table.name),
                quantities::count(data.rows),
                quantities::bytes(length(data)),
                data.read
                    .map_or_else(|| "whole".to_owned(), |read| read.to_string()),
            ]
        })
        .collect();
    format!(
        "server    PostgreSQL {}, database {}\n\n{}\n{}",
        manifest.server.version,
        manifest.server.database,
        output::table(["table", "rows", "size", "read"], &rows),
        left_out::text(&manifest.gaps, &manifest.excluded, accepted)
    )
}

fn table(data: &TableData) -> Value {
    json!({
        "schema": data.table.schema,
        "name": data.table.name,
        "rows": data.rows,
        "bytes": length(data),
        "read": data.read,
    })
}

/// The length of a table's rows as COPY text.
fn length(data: &TableData) -> u64 {
    data.pieces.iter().map(|piece| piece.raw_len).sum()
}
