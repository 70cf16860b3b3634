//! `pourtrait backup diff`: what is different between two backups.

use anyhow::Context;
use backup::differences::{
    self, Became, Differences, DifferencesError, Request, RowDifference, TableDifference,
};
use serde_json::{Value, json};

use super::{
    arguments::Diff,
    choice::names,
    progress, quantities,
    repository::{Repository, identities},
    shown_rows,
};
use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: &Diff,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let tables = names("--table", &options.tables)?;
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let first = repository.find(&options.first).await?;
    let second = repository.find(&options.second).await?;
    if first.taken_at > second.taken_at {
        return Err(Misuse(format!(
            "the earlier backup comes first: {} is later than {}",
            first.snapshot, second.snapshot
        ))
        .into());
    }
    for snapshot in [&first, &second] {
        output::note(&super::restore::taken(snapshot));
    }
    let most = first.totals.tables.max(second.totals.tables);
    let bar = progress::bar("comparing tables", most, progress::COUNTED);
    let request = Request {
        store: &repository.store,
        snapshots: [&first, &second],
        identities: &identities,
        tables: &tables,
        limit: if options.rows { options.limit } else { 0 },
    };
    let found = differences::between(request, || bar.inc(1)).await;
    bar.finish();
    let found = found.map_err(|error| match error {
        DifferencesError::Unknown(unknown) => Misuse(unknown.to_string()).into(),
        error @ DifferencesError::Backup { .. } => anyhow::Error::new(error),
    });
    let found = found.context("the two cannot be compared")?;
    if options.rows {
        let rows = format!(
            "rows that differ in backups {} and {}",
            first.snapshot, second.snapshot
        );
        shown_rows::record(environment, &rows).await;
    }
    let mut document = document(&found);
    document["first"] = json!(first.snapshot);
    document["second"] = json!(second.snapshot);
    output.result(&document, &text(&found));
    Ok(Verdict::Good)
}

fn word(became: Became) -> &'static str {
    match became {
        Became::Added => "added",
        Became::Changed => "changed",
        Became::Removed => "removed",
    }
}

fn document(found: &Differences) -> Value {
    let objects = found.objects.iter();
    let objects: Vec<_> = objects
        .map(|(what, became)| json!({ "object": what, "became": word(*became) }))
        .collect();
    let tables: Vec<_> = found.tables.iter().map(table_document).collect();
    json!({
        "objects": objects,
        "tables": tables,
        "equalTables": found.equal,
        "piecesRead": found.pieces_read,
        "bytesRead": found.bytes_read,
    })
}

fn table_document(table: &TableDifference) -> Value {
    let columns = table.columns.iter();
    let columns: Vec<_> = columns
        .map(|(column, became)| json!({ "column": column, "became": word(*became) }))
        .collect();
    let named = table.named.iter().map(|row| {
        json!({
            "key": row.key,
            "became": word(row.became),
            "columns": row.columns,
        })
    });
    json!({
        "table": table.table.to_string(),
        "became": word(table.became),
        "rowsBefore": table.rows[0],
        "rowsAfter": table.rows[1],
        "columns": columns,
        "key": table.key,
        "added": table.added,
        "changed": table.changed,
        "removed": table.removed,
        "rows": named.collect::<Vec<_>>(),
    })
}

fn text(found: &Differences) -> String {
    let mut lines: Vec<_> = found
        .objects
        .iter()
        .map(|(what, became)| format!("{} {what}", word(*became)))
        .collect();
    lines.extend(found.tables.iter().flat_map(table_text));
    lines.push(format!(
        "{} tables are equal; {} pieces were read, {}",
        quantities::count(found.equal),
        quantities::count(found.pieces_read),
        quantities::bytes(found.bytes_read)
    ));
    lines.join("\n")
}

fn table_text(table: &TableDifference) -> Vec<String> {
    let name = format!("{}.{}", table.table.schema, table.table.name);
    let counts: Vec<_> = [
        (table.added, Became::Added),
        (table.changed, Became::Changed),
        (table.removed, Became::Removed),
    ]
    .into_iter()
    .filter(|(rows, _)| *rows > 0)
    .map(|(rows, became)| format!("{} {}", quantities::count(rows), word(became)))
    .collect();
    let counts = match counts[..] {
        [] => "no row differs".to_owned(),
        _ => counts.join(", "),
    };
    let mut lines = vec![format!(
        "rows of {name}: {counts}; {} before, {} after",
        quantities::count(table.rows[0]),
        quantities::count(table.rows[1])
    )];
    let columns = table.columns.iter();
    lines.extend(columns.map(|(column, became)| match became {
        Became::Changed => format!("  column {column} has another type"),
        Became::Added | Became::Removed => format!("  column {column} was {}", word(*became)),
    }));
    lines.extend(table.named.iter().map(|row| row_text(&table.key, row)));
    let named = table.named.len() as u64;
    let all = table.added + table.changed + table.removed;
    if named > 0 && named < all {
        let more = quantities::count(all - named);
        lines.push(format!("  and {more} more: --limit names them"));
    }
    lines
}

/// A row by its key, whose values must not act on a terminal.
fn row_text(columns: &[String], row: &RowDifference) -> String {
    let key: Vec<_> = columns
        .iter()
        .zip(&row.key)
        .map(|(column, value)| match value {
            Some(value) => format!("{column}={value:?}"),
            None => format!("{column} is null"),
        })
        .collect();
    let changed = match row.columns[..] {
        [] => String::new(),
        _ => format!(": {}", row.columns.join(", ")),
    };
    format!("  {} {}{changed}", word(row.became), key.join(" "))
}
