//! `pourtrait backup restore --into-live`: rows that the living database has lost.

use backup::{
    format::Snapshot,
    restore::{self, Along, BroughtBack, Cause, LostRows, TableRows},
    row_history::RowName,
    schema::Name,
};
use outside::database;
use serde_json::{Value, json};

use super::{
    arguments::Restore,
    choice,
    progress::Progress,
    quantities,
    repository::{Repository, identities},
};
use crate::{environment::Environment, privacy::following, project::author};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: &Restore,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let origin = environment.origin();
    let unset = || Misuse(format!("DATABASE_URL is not set in {origin}"));
    let into = environment.get("DATABASE_URL").ok_or_else(unset)?.into();
    let host = database::host(&into).map_err(|error| Misuse(error.to_string()))?;
    let tables = options.choice.selection(true)?.tables;
    let whose = owners(&options.live.owners)?;
    if tables.is_empty() && whose.is_empty() {
        let rows = "--into-live needs --table NAME for rows of a table, or --where TABLE:COLUMN=VALUE for what belongs to one row";
        return Err(Misuse(rows.to_owned()).into());
    }
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let snapshot = options.moment.find(&repository, &options.snapshot).await?;
    output::note(&format!("target: {host}, which lives (from {origin})"));
    output::note(&intention(&snapshot, &tables, &whose));
    if !(options.yes || options.trial.dry_run) {
        let nothing = "nothing was done: say --dry-run to see which rows are missing, then --yes";
        return Err(Misuse(nothing.to_owned()).into());
    }
    let ca = options
        .ca
        .clone()
        .or_else(|| environment.get("DATABASE_CA"));
    let request = LostRows {
        store: &repository.store,
        snapshot: &snapshot,
        identities: &identities,
        into: &into,
        ca: ca.as_deref(),
        tables: &tables,
        whose: &whose,
        write: options.yes,
        by: &author(),
    };
    let progress = Progress::new();
    let brought = restore::bring_back(request, &|event| progress.show(event)).await;
    progress.finish();
    let brought = brought.map_err(|cause| match cause {
        misuse @ (Cause::Unknown(_) | Cause::NoColumn(..)) => Misuse(misuse.to_string()).into(),
        other => anyhow::Error::new(other).context("nothing was changed"),
    })?;
    let is_whole = !options.yes || {
        let store = &repository.store;
        following::is_followed(store, &snapshot, &identities, &into, ca.as_deref()).await
    };
    let document = document(&host, &snapshot, &brought);
    output.result(&document, &text(&snapshot, &tables, &brought));
    Ok(if is_whole {
        verdict(&brought)
    } else {
        Verdict::Bad
    })
}

/// Good if nothing is missing any more, or if nothing stands against bringing it back.
fn verdict(brought: &BroughtBack) -> Verdict {
    let taken = |rows: &TableRows| rows.inserted < rows.missing;
    if !brought.orphans.is_empty() || (brought.written && brought.tables.iter().any(taken)) {
        Verdict::Bad
    } else {
        Verdict::Good
    }
}

/// The rows that `--where` names.
fn owners(texts: &[String]) -> Result<Vec<RowName>, Misuse> {
    let owner = |text: &String| {
        let parts = text.split_once(':').ok_or_else(|| {
            Misuse(format!(
                "a row must be named as public.profiles:id=7, got --where {text}"
            ))
        })?;
        Ok(RowName {
            table: choice::named_table("--where", parts.0)?,
            key: vec![choice::column_and_value("--where", parts.1)?],
        })
    };
    texts.iter().map(owner).collect()
}

fn intention(snapshot: &Snapshot, tables: &[Name], whose: &[RowName]) -> String {
    let taken = super::restore::taken(snapshot);
    let names: Vec<_> = tables.iter().map(ToString::to_string).collect();
    let owners = whose.iter().map(|row| row.table.to_string());
    let owners: Vec<_> = owners.map(|table| format!("a row of {table}")).collect();
    if owners.is_empty() {
        format!("{taken}: rows of {} that are missing now", names.join(", "))
    } else {
        format!(
            "{taken}: what belongs to {} and is missing now",
            owners.join(", ")
        )
    }
}

fn document(host: &str, snapshot: &Snapshot, brought: &BroughtBack) -> Value {
    let tables: Vec<_> = brought.tables.iter().map(table_document).collect();
    let along = brought.along.iter().map(|along| {
        json!({
            "table": along.table.to_string(),
            "with": along.with.to_string(),
            "rows": along.rows,
        })
    });
    let orphans = brought.orphans.iter().map(|orphans| {
        json!({
            "table": orphans.table.to_string(),
            "constraint": orphans.constraint,
            "columns": orphans.columns,
            "refersTo": orphans.refers_to.to_string(),
            "rows": orphans.rows,
        })
    });
    json!({
        "host": host,
        "backup": snapshot.snapshot,
        "takenAt": snapshot.taken_at,
        "written": brought.written,
        "tables": tables,
        "deletedAlong": along.collect::<Vec<_>>(),
        "orphans": orphans.collect::<Vec<_>>(),
        "sequencesRaised": brought.sequences,
        "notLookedFor": brought.keyless.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn table_document(rows: &TableRows) -> Value {
    json!({
        "table": rows.table.to_string(),
        "inBackup": rows.in_backup,
        "missing": rows.missing,
        "inserted": rows.inserted,
        "columnsLeft": rows.left,
        "columnsWithDefaults": rows.defaults,
    })
}

fn text(snapshot: &Snapshot, asked: &[Name], brought: &BroughtBack) -> String {
    let mut lines: Vec<_> = brought
        .tables
        .iter()
        .flat_map(|rows| table_text(rows, brought.written))
        .collect();
    lines.extend(
        brought
            .sequences
            .iter()
            .map(|name| format!("raised sequence {name}")),
    );
    lines.extend(
        brought
            .orphans
            .iter()
            .map(|orphans| format!("orphans: {orphans}")),
    );
    lines.extend(brought.keyless.iter().map(|table| {
        format!("{table}: not looked for, because nothing tells one of its rows from another")
    }));
    lines.extend(brought.along.iter().map(along_text));
    if !brought.orphans.is_empty() {
        lines.push("nothing was written: bring back first what these rows refer to".to_owned());
    } else if !brought.written {
        lines.push("nothing was written: say --yes to bring them back".to_owned());
    }
    if !brought.along.is_empty() {
        lines.push(format!(
            "they come back with\n  {}",
            command(snapshot, asked, &brought.along)
        ));
    }
    lines.join("\n")
}

fn table_text(rows: &TableRows, written: bool) -> Vec<String> {
    let (table, missing) = (&rows.table, quantities::count(rows.missing));
    let mut lines = vec![format!(
        "{table}: {missing} of {} rows are missing{}",
        quantities::count(rows.in_backup),
        match (written, rows.missing) {
            (true, 1..) => format!(", {} brought back", quantities::count(rows.inserted)),
            _ => String::new(),
        }
    )];
    if written && rows.inserted < rows.missing {
        lines.push(format!(
            "{table}: {} stayed away, for other rows have taken what has to be unique",
            quantities::count(rows.missing - rows.inserted)
        ));
    }
    if !rows.left.is_empty() {
        let left = rows.left.join(", ");
        lines.push(format!(
            "{table}: the table does not take the backup's {left} any more"
        ));
    }
    if !rows.defaults.is_empty() {
        let defaults = rows.defaults.join(", ");
        lines.push(format!(
            "{table}: {defaults} came after the backup and take their defaults"
        ));
    }
    lines
}

fn along_text(along: &Along) -> String {
    format!(
        "{}: {} rows were deleted along with those of {} and are missing too",
        along.table,
        quantities::count(along.rows),
        along.with
    )
}

/// The command that brings everything back, with names as a shell takes them.
fn command(snapshot: &Snapshot, asked: &[Name], along: &[Along]) -> String {
    let tables = asked.iter().chain(along.iter().map(|along| &along.table));
    let tables: Vec<_> = tables
        .map(|table| format!(" --table '{}'", table.to_string().replace('\'', r"'\''")))
        .collect();
    format!(
        "pourtrait backup restore {} --into-live --missing-only{} --dry-run",
        snapshot.snapshot,
        tables.concat()
    )
}
