//! One row through all backups: what it was when, read from as few pieces as can hold it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    catalogue::ReadError,
    format::{Snapshot, TableData},
    keys::Identities,
    opened_backup::OpenedBackup,
    schema::Name,
    selection::{Chosen, Parts, Selection, UnknownName},
    store::Store,
    stored_rows::{self, WithKey},
};

/// Which row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// Its table, or the whole whose partitions it may be in.
    pub table: Name,
    /// Columns with their values as text, which no other row of the table has.
    pub key: Vec<(String, String)>,
}

/// The values of a row by their columns; nothing for null.
pub type Values = BTreeMap<String, Option<String>>;

/// What a backup has of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has no such table.
    NoTable,
    /// Its table has no column of this name.
    NoColumn(String),
    /// The row is not there.
    Absent,
    /// The row.
    Row(Values),
}

/// What a row was in consecutive backups.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The first backup that has it so.
    pub since: Snapshot,
    /// The last one.
    pub until: Snapshot,
    /// How.
    pub state: State,
}

/// A row through all backups.
#[derive(Debug, Default)]
pub struct History {
    /// What it was, the oldest first.
    pub versions: Vec<Version>,
    /// Backups that cannot be read, and why.
    pub unread: Vec<(Snapshot, ReadError)>,
    /// How many backups were looked into.
    pub backups: u64,
    /// Pieces that were read, each once however many backups share it.
    pub pieces_read: u64,
    /// What they hold as COPY text, in bytes.
    pub bytes_read: u64,
    /// Whether the key told where the row lies. If not, all of the table was read.
    pub by_range: bool,
}

/// Why nobody can say what a row was.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The key is that of several rows.
    #[error("{rows} rows of {table} have this key in {snapshot}: name more of their columns")]
    Several {
        /// How many.
        rows: usize,
        /// Of which table.
        table: Name,
        /// In which backup.
        snapshot: String,
    },
}

/// Follows a row through backups, given the oldest first. A backup that cannot be read takes
/// no other along.
///
/// # Errors
/// See [`HistoryError`].
pub async fn follow(
    store: &Store,
    snapshots: &[Snapshot],
    identities: &Identities,
    row: &RowName,
    mut looked: impl FnMut(),
) -> Result<History, HistoryError> {
    let mut following = Following {
        row,
        known: HashMap::new(),
        history: History {
            by_range: true,
            ..History::default()
        },
    };
    for snapshot in snapshots {
        let found = match OpenedBackup::open(store, snapshot, identities).await {
            Ok(backup) => following.look(&backup).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Found::State(state)) => following.add(snapshot, state),
            Ok(Found::Several(rows)) => {
                return Err(HistoryError::Several {
                    rows,
                    table: row.table.clone(),
                    snapshot: snapshot.snapshot.to_string(),
                });
            }
            Err(error) => following.history.unread.push((snapshot.clone(), error)),
        }
        looked();
    }
    Ok(following.history)
}

/// What one backup has.
enum Found {
    State(State),
    Several(usize),
}

/// A row that is followed.
struct Following<'a> {
    row: &'a RowName,
    /// What was found in pieces that were read, by their content.
    known: HashMap<(Vec<String>, String), Vec<Values>>,
    history: History,
}

impl Following<'_> {
    async fn look(&mut self, backup: &OpenedBackup<'_>) -> Result<Found, ReadError> {
        let tables = match tables(backup, &self.row.table) {
            Ok(tables) => tables,
            Err(_unknown) => return Ok(Found::State(State::NoTable)),
        };
        let mut found = Vec::new();
        for data in tables {
            match WithKey::of(data, &self.row.key) {
                Ok(wanted) => found.extend(self.rows(backup, data, &wanted).await?),
                Err(column) => return Ok(Found::State(State::NoColumn(column))),
            }
        }
        Ok(match found.len() {
            0 => Found::State(State::Absent),
            1 => Found::State(State::Row(found.swap_remove(0))),
            several => Found::Several(several),
        })
    }

    /// The rows of a table that have the key.
    async fn rows(
        &mut self,
        backup: &OpenedBackup<'_>,
        data: &TableData,
        wanted: &WithKey<'_>,
    ) -> Result<Vec<Values>, ReadError> {
        self.history.by_range &= wanted.is_ordered() || data.pieces.is_empty();
        let mut found = Vec::new();
        for pieces in wanted.groups() {
            let content = (data.columns.clone(), stored_rows::content(pieces));
            if let Some(known) = self.known.get(&content) {
                found.extend(known.iter().cloned());
                continue;
            }
            let text = backup.rows(pieces).await?;
            self.history.pieces_read += pieces.len() as u64;
            self.history.bytes_read += text.len() as u64;
            let rows = stored_rows::rows(&text).filter(|row| wanted.is_met_by(row));
            let here: Vec<Values> = rows.map(|row| values(data, row)).collect();
            found.extend(here.iter().cloned());
            self.known.insert(content, here);
        }
        Ok(found)
    }

    fn add(&mut self, snapshot: &Snapshot, state: State) {
        self.history.backups += 1;
        let versions = &mut self.history.versions;
        match versions.last_mut() {
            Some(last) if last.state == state => last.until = snapshot.clone(),
            _ => versions.push(Version {
                since: snapshot.clone(),
                until: snapshot.clone(),
                state,
            }),
        }
    }
}

/// The rows of a table, or of all its partitions.
fn tables<'a>(
    backup: &'a OpenedBackup<'_>,
    table: &Name,
) -> Result<Vec<&'a TableData>, UnknownName> {
    let selection = Selection {
        parts: Parts::Data,
        tables: vec![table.clone()],
        ..Selection::default()
    };
    Ok(Chosen::of(&backup.manifest, &selection)?.tables)
}

fn values(data: &TableData, row: &[u8]) -> Values {
    let fields = stored_rows::fields(row).map(stored_rows::value);
    data.columns.iter().cloned().zip(fields).collect()
}

/// What became of a row between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing is known of before.
    First,
    /// It came.
    Came,
    /// It went.
    Went,
    /// The table, or a column of the key, came or went.
    Shape,
    /// These columns have other values.
    Columns(Vec<ColumnChange>),
}

/// A column whose value is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// Its name.
    pub column: String,
    /// Before.
    pub old: Held,
    /// After.
    pub new: Held,
}

/// What a row holds in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// There is no such column.
    NoColumn,
    /// Null.
    Null,
    /// This, as text.
    Value(String),
}

impl Held {
    fn of(values: &Values, column: &str) -> Self {
        match values.get(column) {
            None => Self::NoColumn,
            Some(None) => Self::Null,
            Some(Some(value)) => Self::Value(value.clone()),
        }
    }
}

impl Version {
    /// What became of the row since the version before.
    #[must_use]
    pub fn change(&self, before: Option<&Self>) -> Change {
        match (before.map(|before| &before.state), &self.state) {
            (None, _) => Change::First,
            (Some(State::Absent), State::Row(_)) => Change::Came,
            (Some(State::Row(_)), State::Absent) => Change::Went,
            (Some(State::Row(before)), State::Row(after)) => {
                Change::Columns(changed_columns(before, after))
            }
            (Some(_), _) => Change::Shape,
        }
    }
}

/// The columns in which two rows differ, in the order of their names.
pub(crate) fn changed_columns(before: &Values, after: &Values) -> Vec<ColumnChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().map(|name| ColumnChange {
        column: name.clone(),
        old: Held::of(before, name),
        new: Held::of(after, name),
    });
    changes.filter(|change| change.old != change.new).collect()
}
