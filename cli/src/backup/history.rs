//! `pourtrait backup history`: one row through all backups.

use backup::{
    format::Snapshot,
    row_history::{self, Change, ColumnChange, Held, History as Found, RowName, State, Version},
};
use serde_json::{Map, Value, json};

use super::{
    arguments::History,
    choice::{column_and_value, named_table},
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
    options: &History,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let row = RowName {
        table: named_table("--table", &options.table)?,
        key: options
            .keys
            .iter()
            .map(|text| column_and_value("--key", text))
            .collect::<Result<_, _>>()?,
    };
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let (snapshots, unreadable) = within(&repository, options).await?;
    let bar = progress::bar(
        "looking into backups",
        snapshots.len() as u64,
        progress::COUNTED,
    );
    let store = &repository.store;
    let found = row_history::follow(store, &snapshots, &identities, &row, || bar.inc(1)).await;
    bar.finish();
    let found = found.map_err(|error| Misuse(error.to_string()))?;
    refuse_unknown(&row, &found)?;
    for (snapshot, error) in &found.unread {
        output::note(&format!("cannot be read: {}: {error}", snapshot.snapshot));
    }
    if options.values {
        shown_rows::record(environment, &shown_rows::row(&row.table, &row.key)).await;
    }
    output.result(
        &document(&row, &found, options.values),
        &text(&found, options.values),
    );
    let is_whole = found.unread.is_empty() && !unreadable;
    Ok(if is_whole {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

/// The backups of the time that was asked for, the oldest first, and whether the record of
/// any cannot be read.
async fn within(
    repository: &Repository,
    options: &History,
) -> anyhow::Result<(Vec<Snapshot>, bool)> {
    let listing = repository.all().await?;
    for error in &listing.unreadable {
        output::note(&format!("cannot be read: {error}"));
    }
    let mut snapshots = listing.snapshots;
    snapshots.reverse();
    snapshots.retain(|snapshot| {
        let time = snapshot.taken_at;
        options.from.is_none_or(|from| from <= time) && options.to.is_none_or(|to| time <= to)
    });
    if snapshots.is_empty() {
        let place = repository.store.place();
        return Err(Misuse(format!("there is no backup of that time in {place}")).into());
    }
    Ok((snapshots, !listing.unreadable.is_empty()))
}

/// A name that no backup knows is no history.
fn refuse_unknown(row: &RowName, found: &Found) -> Result<(), Misuse> {
    let mut states = found.versions.iter().map(|version| &version.state);
    let table = &row.table;
    match found.versions.first().map(|version| &version.state) {
        Some(State::NoTable) if states.all(|state| *state == State::NoTable) => {
            Err(Misuse(format!("no backup has a table {table}")))
        }
        Some(State::NoColumn(column))
            if states.all(|state| matches!(state, State::NoColumn(_))) =>
        {
            Err(Misuse(format!(
                "{table} has no column {column} in any backup"
            )))
        }
        Some(_) | None => Ok(()),
    }
}

/// Each version with what became of the row in it.
fn changes(found: &Found) -> impl Iterator<Item = (&Version, Change)> {
    let before = std::iter::once(None).chain(found.versions.iter().map(Some));
    let versions = found.versions.iter().zip(before);
    versions.map(|(version, before)| (version, version.change(before)))
}

fn text(found: &Found, with_values: bool) -> String {
    let mut lines = Vec::new();
    for (version, change) in changes(found) {
        lines.push(format!(
            "{:.0}  {}  {}",
            version.since.taken_at,
            version.since.snapshot,
            told(version, &change)
        ));
        if with_values {
            lines.extend(values(version, &change));
        }
    }
    if let Some(last) = found.versions.last() {
        lines.push(format!(
            "{:.0}  {}  the last one looked into",
            last.until.taken_at, last.until.snapshot
        ));
    }
    let how = if found.by_range {
        ""
    } else {
        ", because the key does not begin with the column that orders the table"
    };
    lines.push(format!(
        "{} backups, for which {} pieces were read, {}{how}",
        quantities::count(found.backups),
        quantities::count(found.pieces_read),
        quantities::bytes(found.bytes_read)
    ));
    lines.join("\n")
}

/// A version in words, without any value.
fn told(version: &Version, change: &Change) -> String {
    match (&version.state, change) {
        (State::NoTable, _) => "there is no such table".to_owned(),
        (State::NoColumn(column), _) => format!("the table has no column {column}"),
        (State::Absent, Change::Went) => "deleted".to_owned(),
        (State::Absent, _) => "not there".to_owned(),
        (State::Row(_), Change::Came) => "inserted".to_owned(),
        (State::Row(_), Change::Columns(columns)) => {
            let names: Vec<_> = columns.iter().map(|one| one.column.as_str()).collect();
            format!("changed: {}", names.join(", "))
        }
        (State::Row(_), Change::First | Change::Went | Change::Shape) => "there".to_owned(),
    }
}

/// The values that a version brought.
fn values(version: &Version, change: &Change) -> Vec<String> {
    match (&version.state, change) {
        (_, Change::Columns(columns)) => columns.iter().map(column_text).collect(),
        (State::Row(values), _) => {
            let value = |(column, value): (&String, &Option<String>)| {
                format!("    {column}: {}", shown(value.as_deref()))
            };
            values.iter().map(value).collect()
        }
        (State::NoTable | State::NoColumn(_) | State::Absent, _) => Vec::new(),
    }
}

/// A column's values before and after.
pub(super) fn column_text(change: &ColumnChange) -> String {
    let held = |held: &Held| match held {
        Held::NoColumn => "no such column".to_owned(),
        Held::Null => shown(None),
        Held::Value(value) => shown(Some(value)),
    };
    format!(
        "    {}: {} → {}",
        change.column,
        held(&change.old),
        held(&change.new)
    )
}

/// A value on one line, and told from null: what it holds must not act on a terminal.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| format!("{value:?}"))
}

fn document(row: &RowName, found: &Found, with_values: bool) -> Value {
    let versions: Vec<_> = changes(found)
        .map(|(version, change)| version_document(version, &change, with_values))
        .collect();
    let unread = found.unread.iter().map(
        |(snapshot, error)| json!({ "backup": snapshot.snapshot, "reason": error.to_string() }),
    );
    let columns: Vec<_> = row.key.iter().map(|(column, _)| column).collect();
    json!({
        "table": row.table.to_string(),
        "key": columns,
        "versions": versions,
        "unread": unread.collect::<Vec<_>>(),
        "backups": found.backups,
        "piecesRead": found.pieces_read,
        "bytesRead": found.bytes_read,
        "byRange": found.by_range,
    })
}

fn version_document(version: &Version, change: &Change, with_values: bool) -> Value {
    let backup =
        |snapshot: &Snapshot| json!({ "backup": snapshot.snapshot, "takenAt": snapshot.taken_at });
    let state = match &version.state {
        State::NoTable => "noTable",
        State::NoColumn(_) => "noColumn",
        State::Absent => "absent",
        State::Row(_) => "row",
    };
    let mut document = json!({
        "since": backup(&version.since),
        "until": backup(&version.until),
        "state": state,
    });
    if let Change::Columns(columns) = change {
        let names: Vec<_> = columns.iter().map(|one| &one.column).collect();
        document["changed"] = json!(names);
        if with_values {
            document["changes"] = columns.iter().map(column_document).collect();
        }
    }
    if let (State::Row(values), true) = (&version.state, with_values) {
        document["row"] = json!(values);
    }
    document
}

/// A column's values before and after; a side without the column is left out.
pub(super) fn column_document(change: &ColumnChange) -> Value {
    let mut document = Map::from_iter([("column".to_owned(), json!(change.column))]);
    for (name, held) in [("old", &change.old), ("new", &change.new)] {
        match held {
            Held::NoColumn => {}
            Held::Null => {
                document.insert(name.to_owned(), Value::Null);
            }
            Held::Value(value) => {
                document.insert(name.to_owned(), json!(value));
            }
        }
    }
    Value::Object(document)
}
