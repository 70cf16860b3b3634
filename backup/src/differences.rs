//! What is different between two backups: objects, columns, rows.
//!
//! Pieces that both have are equal and are not read. Of the rows of all others 32 bytes each are
//! held, whatever their length: hashes of the primary key and of the row. Tables without a
//! primary key are compared as what they are, rows of which none is known from another.

use std::collections::{BTreeMap, HashMap};

use ring::digest;

use super::{
    catalogue::ReadError,
    format::{Manifest, Piece, ScriptObject, Snapshot, TableData},
    keys::Identities,
    opened_backup::OpenedBackup,
    row_history::{Values, changed_columns},
    schema::Name,
    script_text,
    selection::{Chosen, Selection, UnknownName},
    store::Store,
    stored_rows,
};

/// Two backups, the earlier one first.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where they lie.
    pub store: &'a Store,
    /// The two.
    pub snapshots: [&'a Snapshot; 2],
    /// What opens them.
    pub identities: &'a Identities,
    /// These tables alone, with their partitions; all if none is named.
    pub tables: &'a [Name],
    /// How many rows of each table are named.
    pub limit: usize,
}

/// Why two backups could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DifferencesError {
    /// One of them cannot be read.
    #[error("{snapshot}: {source}")]
    Backup {
        /// Which.
        snapshot: String,
        /// Why.
        source: ReadError,
    },
    /// Neither has a table of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
}

/// What is different.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Objects, by kind and name.
    pub objects: Vec<(String, Became)>,
    /// Tables that are not as they were, in the order of their names.
    pub tables: Vec<TableDifference>,
    /// Tables that are equal.
    pub equal: u64,
    /// Pieces that were read.
    pub pieces_read: u64,
    /// What they hold, in bytes.
    pub bytes_read: u64,
}

/// What became of something between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Only the second has it.
    Added,
    /// Both have it, and not alike.
    Changed,
    /// Only the first has it.
    Removed,
}

/// A table that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub struct TableDifference {
    /// Which.
    pub table: Name,
    /// What became of the table itself.
    pub became: Became,
    /// Its rows in the first and in the second.
    pub rows: [u64; 2],
    /// Columns that came, went, or have another type.
    pub columns: Vec<(String, Became)>,
    /// The columns that tell its rows apart; empty where nothing does.
    pub key: Vec<String>,
    /// Rows that only the second has.
    pub added: u64,
    /// Rows that both have, and that differ in columns which both have.
    pub changed: u64,
    /// Rows that only the first has.
    pub removed: u64,
    /// Some of these rows, as many as were asked for.
    pub named: Vec<RowDifference>,
}

/// A row that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub struct RowDifference {
    /// The values of its key; nothing for null.
    pub key: Vec<Option<String>>,
    /// What became of it.
    pub became: Became,
    /// The columns that have other values.
    pub columns: Vec<String>,
}

/// Compares two backups.
///
/// # Errors
/// See [`DifferencesError`].
pub async fn between(
    request: Request<'_>,
    mut compared: impl FnMut(),
) -> Result<Differences, DifferencesError> {
    let open = async |snapshot: &Snapshot| {
        let opened = OpenedBackup::open(request.store, snapshot, request.identities).await;
        opened.map_err(|source| failed(snapshot.snapshot.as_str(), source))
    };
    let [first, second] = request.snapshots;
    let (first, second) = (open(first).await?, open(second).await?);
    let [before, after] = chosen(&first.manifest, &second.manifest, request.tables)?;
    let scripts = [scripts(&first).await?, scripts(&second).await?];
    let mut differences = Differences {
        objects: objects(&scripts, request.tables, &[&before, &after]),
        ..Differences::default()
    };
    let mut names: Vec<&Name> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let pair = (before.get(name).copied(), after.get(name).copied());
        let difference = match pair {
            (Some(one), Some(other)) => {
                let keys = [
                    primary_key(&scripts[0], one),
                    primary_key(&scripts[1], other),
                ];
                let halves = Halves::of([(&first, one), (&second, other)], keys);
                halves.compare(request.limit, &mut differences).await?
            }
            (Some(one), None) => Some(whole(one, Became::Removed)),
            (None, Some(other)) => Some(whole(other, Became::Added)),
            (None, None) => None,
        };
        match difference {
            Some(difference) => differences.tables.push(difference),
            None => differences.equal += 1,
        }
        compared();
    }
    Ok(differences)
}

fn failed(snapshot: &str, source: ReadError) -> DifferencesError {
    DifferencesError::Backup {
        snapshot: snapshot.to_owned(),
        source,
    }
}

type Tables<'a> = BTreeMap<&'a Name, &'a TableData>;

/// The tables of each that are looked at. A table that only one of them has is a difference.
fn chosen<'a>(
    first: &'a Manifest,
    second: &'a Manifest,
    names: &[Name],
) -> Result<[Tables<'a>; 2], UnknownName> {
    let all = |manifest: &'a Manifest| manifest.tables.iter().map(|data| (&data.table, data));
    if names.is_empty() {
        return Ok([all(first).collect(), all(second).collect()]);
    }
    let mut tables = [Tables::new(), Tables::new()];
    for name in names {
        let selection = Selection {
            tables: vec![name.clone()],
            ..Selection::default()
        };
        let found = [first, second].map(|manifest| Chosen::of(manifest, &selection));
        let is_known = found.iter().any(Result::is_ok);
        for (tables, found) in tables.iter_mut().zip(found) {
            match found {
                Ok(chosen) => tables.extend(chosen.tables.iter().map(|data| (&data.table, *data))),
                Err(_) if is_known => {}
                Err(unknown) => return Err(unknown),
            }
        }
    }
    Ok(tables)
}

/// The statements of each object.
type Scripts<'a> = Vec<(&'a ScriptObject, String)>;

async fn scripts<'a>(backup: &'a OpenedBackup<'_>) -> Result<Scripts<'a>, DifferencesError> {
    let mut scripts = Vec::new();
    for script in &backup.manifest.scripts {
        let text = backup.piece(&script.piece).await;
        let text = text.map_err(|source| failed(&backup.manifest.snapshot, source))?;
        for object in &script.objects {
            let sql = object.within(&text).unwrap_or_default();
            scripts.push((object, String::from_utf8_lossy(sql).into_owned()));
        }
    }
    Ok(scripts)
}

fn objects(
    scripts: &[Scripts<'_>; 2],
    only: &[Name],
    tables: &[&Tables<'_>; 2],
) -> Vec<(String, Became)> {
    let is_of = |object: &ScriptObject| {
        let is_chosen = |table| tables.iter().any(|tables| tables.contains_key(table));
        only.is_empty() || object.table.as_ref().is_some_and(is_chosen)
    };
    let [before, after] = scripts.each_ref().map(|scripts| {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for (object, text) in scripts.iter().filter(|(object, _)| is_of(object)) {
            texts.entry(object.described()).or_default().push_str(text);
        }
        texts
    });
    let mut objects: Vec<_> = after
        .iter()
        .filter_map(|(what, text)| match before.get(what) {
            None => Some((what.clone(), Became::Added)),
            Some(former) if former != text => Some((what.clone(), Became::Changed)),
            Some(_) => None,
        })
        .collect();
    let gone = before.keys().filter(|what| !after.contains_key(*what));
    objects.extend(gone.map(|what| (what.clone(), Became::Removed)));
    objects.sort_by(|(one, _), (other, _)| one.cmp(other));
    objects
}

/// A table that only one of the two has.
fn whole(data: &TableData, became: Became) -> TableDifference {
    let (rows, added, removed) = if became == Became::Removed {
        ([data.rows, 0], 0, data.rows)
    } else {
        ([0, data.rows], data.rows, 0)
    };
    TableDifference {
        table: data.table.clone(),
        became,
        rows,
        columns: Vec::new(),
        key: Vec::new(),
        added,
        changed: 0,
        removed,
        named: Vec::new(),
    }
}

/// The columns of a table's primary key. Where no script has it, the order of the rows tells.
fn primary_key(scripts: &Scripts<'_>, data: &TableData) -> Vec<String> {
    let of_table = scripts
        .iter()
        .filter(|(object, _)| object.table.as_ref() == Some(&data.table));
    let mut keys = of_table.filter_map(|(_, text)| script_text::primary_key(text));
    keys.next().unwrap_or_else(|| data.order.clone())
}

/// 128 bits of SHA-256.
type Mark = [u8; 16];

/// A table in one of the two.
struct Half<'a> {
    backup: &'a OpenedBackup<'a>,
    data: &'a TableData,
    /// What the other one does not have.
    groups: Vec<&'a [Piece]>,
    /// Where the key stands.
    key: Vec<usize>,
    /// Where the columns stand that both have, in one order for both.
    shared: Vec<usize>,
}

/// A table in both.
struct Halves<'a> {
    before: Half<'a>,
    after: Half<'a>,
    /// The columns of the key, if both have the same.
    key: Vec<String>,
}

/// Rows that were told apart.
#[derive(Default)]
struct Told {
    added: u64,
    changed: u64,
    /// Rows of the first that were not found in the second.
    left: HashMap<Mark, Mark>,
    /// Rows to be named, by the mark of their key; their values in the second.
    named: Vec<(Mark, Option<Values>)>,
}

impl<'a> Halves<'a> {
    fn of(halves: [(&'a OpenedBackup<'a>, &'a TableData); 2], keys: [Vec<String>; 2]) -> Self {
        let [(_, one), (_, other)] = halves;
        let [key, other_key] = keys;
        let is_there =
            |column: &String| one.columns.contains(column) && other.columns.contains(column);
        let key = if key == other_key && key.iter().all(is_there) {
            key
        } else {
            Vec::new()
        };
        let is_same_shape = one.columns == other.columns;
        let contents = |data: &'a TableData| {
            let mut contents: HashMap<String, usize> = HashMap::new();
            for pieces in stored_rows::groups(data).filter(|_| is_same_shape) {
                *contents.entry(stored_rows::content(pieces)).or_default() += 1;
            }
            contents
        };
        let shared: Vec<&String> = one.columns.iter().filter(|name| is_there(name)).collect();
        let half = |(backup, data): (&'a OpenedBackup<'a>, &'a TableData),
                    others: &'a TableData| {
            let mut others = contents(others);
            let places = |names: &mut dyn Iterator<Item = &String>| -> Vec<usize> {
                let place = |name: &String| data.columns.iter().position(|column| column == name);
                names.filter_map(place).collect()
            };
            Half {
                backup,
                data,
                groups: stored_rows::groups(data)
                    .filter(
                        |pieces| match others.get_mut(&stored_rows::content(pieces)) {
                            Some(count) if *count > 0 => {
                                *count -= 1;
                                false
                            }
                            Some(_) | None => true,
                        },
                    )
                    .collect(),
                key: places(&mut key.iter()),
                shared: places(&mut shared.iter().copied()),
            }
        };
        Self {
            before: half(halves[0], other),
            after: half(halves[1], one),
            key,
        }
    }

    /// What is different; nothing if the table is as it was.
    async fn compare(
        &self,
        limit: usize,
        read: &mut Differences,
    ) -> Result<Option<TableDifference>, DifferencesError> {
        let columns = self.columns();
        let (before, after) = (self.before.data, self.after.data);
        let mut difference = TableDifference {
            table: before.table.clone(),
            became: Became::Changed,
            rows: [before.rows, after.rows],
            columns,
            key: self.key.clone(),
            added: 0,
            changed: 0,
            removed: 0,
            named: Vec::new(),
        };
        if self.key.is_empty() {
            self.count(&mut difference, read).await?;
        } else {
            self.tell(limit, &mut difference, read).await?;
        }
        let rows = difference.added + difference.changed + difference.removed;
        Ok((rows > 0 || !difference.columns.is_empty()).then_some(difference))
    }

    fn columns(&self) -> Vec<(String, Became)> {
        let typed = |data: &'a TableData| -> BTreeMap<&String, &String> {
            data.columns.iter().zip(&data.types).collect()
        };
        let (before, after) = (typed(self.before.data), typed(self.after.data));
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        let gone = gone.map(|name| ((*name).clone(), Became::Removed));
        let others = after
            .iter()
            .filter_map(|(name, sql)| match before.get(name) {
                None => Some(((*name).clone(), Became::Added)),
                Some(former) if former != sql => Some(((*name).clone(), Became::Changed)),
                Some(_) => None,
            });
        gone.chain(others).collect()
    }

    /// Rows of which none is known from another: how many more there are of each.
    async fn count(
        &self,
        difference: &mut TableDifference,
        read: &mut Differences,
    ) -> Result<(), DifferencesError> {
        let mut counts: HashMap<Mark, i64> = HashMap::new();
        for (half, by) in [(&self.before, -1), (&self.after, 1)] {
            half.each(read, |row| *counts.entry(half.row(row)).or_default() += by)
                .await?;
        }
        for count in counts.into_values() {
            let rows = count.unsigned_abs();
            if count > 0 {
                difference.added += rows;
            } else {
                difference.removed += rows;
            }
        }
        Ok(())
    }

    /// Rows that are known by their key.
    async fn tell(
        &self,
        limit: usize,
        difference: &mut TableDifference,
        read: &mut Differences,
    ) -> Result<(), DifferencesError> {
        let (before, after) = (&self.before, &self.after);
        let mut told = Told::default();
        before
            .each(read, |row| {
                told.left.insert(before.key(row), before.row(row));
            })
            .await?;
        after
            .each(read, |row| {
                let key = after.key(row);
                match told.left.remove(&key) {
                    Some(former) if former == after.row(row) => return,
                    Some(_) => told.changed += 1,
                    None => told.added += 1,
                }
                if told.named.len() < limit {
                    told.named.push((key, Some(after.values(row))));
                }
            })
            .await?;
        difference.added = told.added;
        difference.changed = told.changed;
        difference.removed = told.left.len() as u64;
        let more = limit.saturating_sub(told.named.len());
        told.named
            .extend(told.left.keys().take(more).map(|key| (*key, None)));
        if !told.named.is_empty() {
            difference.named = self.name(told.named, read).await?;
        }
        Ok(())
    }

    /// The rows to be named with what they were: the first of the two is read once more.
    async fn name(
        &self,
        rows: Vec<(Mark, Option<Values>)>,
        read: &mut Differences,
    ) -> Result<Vec<RowDifference>, DifferencesError> {
        let before = &self.before;
        let mut former: HashMap<Mark, Option<Values>> =
            rows.iter().map(|(key, _)| (*key, None)).collect();
        before
            .each(read, |row| {
                if let Some(values) = former.get_mut(&before.key(row)) {
                    *values = Some(before.values(row));
                }
            })
            .await?;
        let key = |values: &Values| {
            let value = |column| values.get(column).cloned().flatten();
            self.key.iter().map(value).collect()
        };
        let named = rows.iter().filter_map(|(mark, now)| {
            let was = former.get(mark).and_then(Option::as_ref);
            let (became, columns) = match (was, now) {
                (Some(was), Some(now)) => {
                    let changes = changed_columns(was, now);
                    let columns = changes.into_iter().map(|one| one.column);
                    (Became::Changed, columns.collect())
                }
                (None, Some(_)) => (Became::Added, Vec::new()),
                (Some(_), None) => (Became::Removed, Vec::new()),
                (None, None) => return None,
            };
            Some(RowDifference {
                key: now.as_ref().or(was).map(key)?,
                became,
                columns,
            })
        });
        Ok(named.collect())
    }
}

impl Half<'_> {
    /// Every row that stands in pieces which the other does not have.
    async fn each(
        &self,
        read: &mut Differences,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), DifferencesError> {
        let each = self.backup.each(&self.groups, |pieces, text| {
            read.pieces_read += pieces.len() as u64;
            read.bytes_read += text.len() as u64;
            stored_rows::rows(text).for_each(&mut take);
        });
        each.await
            .map_err(|source| failed(&self.backup.manifest.snapshot, source))
    }

    fn key(&self, row: &[u8]) -> Mark {
        mark(row, &self.key)
    }

    fn row(&self, row: &[u8]) -> Mark {
        mark(row, &self.shared)
    }

    /// The values of a row in the columns that both have.
    fn values(&self, row: &[u8]) -> Values {
        let fields: Vec<&[u8]> = stored_rows::fields(row).collect();
        let value = |place: &usize| {
            let field = fields.get(*place).copied().unwrap_or_default();
            (self.data.columns[*place].clone(), stored_rows::value(field))
        };
        self.shared.iter().map(value).collect()
    }
}

/// What tells some fields of a row from all others.
fn mark(row: &[u8], places: &[usize]) -> Mark {
    let fields: Vec<&[u8]> = stored_rows::fields(row).collect();
    let mut hash = digest::Context::new(&digest::SHA256);
    for place in places {
        hash.update(fields.get(*place).copied().unwrap_or_default());
        hash.update(b"\t");
    }
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.finish().as_ref()[..16]);
    mark
}
