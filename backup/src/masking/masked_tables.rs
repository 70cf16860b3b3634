//! The masks of a backup's tables: held against what the tables are and what refers to what,
//! and applied to their rows before anybody else has them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use ring::hmac;

use super::{ColumnName, MaskFile, MaskKind, PersonalColumn, personal_columns};
use crate::{
    catalogue::ReadError,
    checksum::RowSums,
    format::{Checksum, Manifest, RowHash, ScriptObject, Snapshot, TableData},
    keys::Identities,
    opened_backup::OpenedBackup,
    schema::Name,
    script_text,
    selection::{Chosen, Selection, UnknownName},
    store::Store,
    stored_rows,
};

/// Of how many rows of each table the values are looked at.
const SAMPLE: usize = 200;

/// What is to be masked.
#[derive(Debug, Clone, Copy)]
pub struct Masking<'a> {
    /// The masks.
    pub file: &'a MaskFile,
    /// Whether columns that look personal may come as they are without being named.
    pub unnamed: bool,
}

/// Why rows cannot be masked.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// The backup cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A table is named that the backup does not have.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// A column is named that the table does not have.
    #[error("the backup has no column {0}, or its values are computed")]
    NoColumn(ColumnName),
    /// A mask does not fit.
    #[error("{column}: {why}")]
    Unfit {
        /// Which column.
        column: ColumnName,
        /// Why.
        why: String,
    },
    /// Two sides of a foreign key would not be the same any more.
    #[error("{0}")]
    Apart(Box<Apart>),
    /// Nobody can say which columns a foreign key has.
    #[error("{0}: it cannot be read which columns refer, so that none of its table can be masked")]
    Unread(String),
    /// Columns look personal, and nobody has decided what becomes of them.
    #[error("{} columns look personal and are not named: {}", .0.len(), told(.0))]
    Unnamed(Vec<PersonalColumn>),
    /// Rows come into a table whose masks nobody has looked at.
    #[error("{0} has no masks that were held against it")]
    Unplanned(Name),
}

/// A foreign key whose two sides have masks that part what refers from what it refers to.
#[derive(Debug)]
pub struct Apart {
    /// The foreign key.
    key: String,
    /// The column that refers, and its mask.
    referring: (ColumnName, MaskKind),
    /// The column that it refers to, and that one's.
    referred: (ColumnName, MaskKind),
}

/// For people.
impl fmt::Display for Apart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            referring: (column, one),
            referred: (other_column, other),
        } = self;
        write!(
            formatter,
            "{key}: both sides must have the same mask, one of keep, hash, email and phone; \
             {column} has {one}, {other_column} has {other}"
        )
    }
}

fn told(columns: &[PersonalColumn]) -> String {
    let told = columns
        .iter()
        .map(|found| format!("{} ({})", found.column, found.why));
    told.collect::<Vec<_>>().join(", ")
}

/// A file of masks with a proposal for each column of a backup that looks personal.
///
/// # Errors
/// If the backup cannot be read.
pub async fn template(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
) -> Result<String, ReadError> {
    let source = OpenedBackup::open(store, snapshot, identities).await?;
    let mut lines = vec![
        format!(
            "# Masks for `pourtrait backup restore --mask`, proposed for {}.",
            snapshot.snapshot
        ),
        "# Behind each column stands what becomes of its values: keep, null, fixed:VALUE, hash,"
            .to_owned(),
        "# email, name, phone, text or date. Add what nobody can know by a name: free text, say."
            .to_owned(),
    ];
    let mut proposals = BTreeMap::new();
    for data in &source.manifest.tables {
        for found in personal(&source, data).await? {
            proposals.insert(found.column, (found.proposal, found.why));
        }
    }
    join(&mut proposals, &foreign_keys(&source).await?);
    for (column, (kind, why)) in proposals {
        let word = serde_json::Value::String(kind.to_string());
        lines.push(format!("{column} = {word} # {why}"));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// Proposes for what refers to a masked column the same mask, or for both that they stay where
/// the mask is none that keeps them together.
fn join(
    proposals: &mut BTreeMap<ColumnName, (MaskKind, &'static str)>,
    keys: &[(ScriptObject, String)],
) {
    const REFERS: &str = "a foreign key joins it with another column";
    let pairs = keys.iter().flat_map(|(object, sql)| {
        let tables = object.table.clone().zip(object.refers_to.clone());
        let columns = tables.zip(script_text::foreign_key(sql));
        let columns = columns
            .into_iter()
            .flat_map(|((table, other), (from, to))| {
                let named = |table: &Name, column| ColumnName {
                    table: table.clone(),
                    column,
                };
                let pairs = from.into_iter().zip(to);
                pairs
                    .map(|(from, to)| (named(&table, from), named(&other, to)))
                    .collect::<Vec<_>>()
            });
        columns.collect::<Vec<_>>()
    });
    for (from, to) in pairs {
        let kinds = [&from, &to].map(|column| proposals.get(column).map(|(kind, _)| kind.clone()));
        let kind = match kinds {
            [None, None] => continue,
            [_, Some(kind)] | [Some(kind), None] if kind.keeps_apart() => kind,
            _ => MaskKind::Keep,
        };
        for column in [from, to] {
            let proposal = proposals.entry(column).or_insert((kind.clone(), REFERS));
            proposal.0 = kind.clone();
        }
    }
}

/// The columns of a table that look personal.
async fn personal(
    source: &OpenedBackup<'_>,
    data: &TableData,
) -> Result<Vec<PersonalColumn>, ReadError> {
    let text = match stored_rows::groups(data).next() {
        Some(pieces) => source.rows(pieces).await?,
        None => bytes::Bytes::new(),
    };
    let rows: Vec<Vec<&[u8]>> = stored_rows::rows(&text)
        .take(SAMPLE)
        .map(|row| stored_rows::fields(row).collect())
        .collect();
    let columns = data.columns.iter().zip(&data.types).enumerate();
    let found = columns.filter_map(|(place, (column, sql))| {
        let values: Vec<String> = rows
            .iter()
            .filter_map(|row| stored_rows::value(row.get(place)?))
            .collect();
        let name = ColumnName {
            table: data.table.clone(),
            column: column.clone(),
        };
        personal_columns::look(&name, sql, values.iter().map(String::as_str))
    });
    Ok(found.collect())
}

/// The masks of every table whose rows are restored.
#[derive(Debug)]
pub(crate) struct MaskedTables(HashMap<Name, Arc<MaskedTable>>);

/// The masks of one table, and what became of its rows.
#[derive(Debug)]
pub(crate) struct MaskedTable {
    table: Name,
    columns: Vec<String>,
    types: Vec<String>,
    masks: BTreeMap<usize, MaskKind>,
    /// Where the columns stand that tell a row from others; all where nothing does.
    row_key: Vec<usize>,
    /// Where the columns stand whose texts the server has as they are sent.
    compared: Vec<usize>,
    /// How their rows are summed.
    hash: RowHash,
    key: hmac::Key,
    sent: Mutex<RowSums>,
}

/// Rows that were masked.
#[derive(Debug)]
pub(crate) struct MaskedRows {
    pub(crate) text: Vec<u8>,
    pub(crate) sums: RowSums,
}

/// The masks of a backup, by table and by where the column stands.
type Masks<'a> = BTreeMap<&'a Name, BTreeMap<usize, MaskKind>>;

impl MaskedTables {
    /// Holds masks against a backup.
    ///
    /// # Errors
    /// See [`MaskError`].
    pub(crate) async fn of(
        source: &OpenedBackup<'_>,
        tables: impl Iterator<Item = &TableData>,
        masking: Masking<'_>,
    ) -> Result<Self, MaskError> {
        let manifest = &source.manifest;
        let masks = placed(manifest, masking.file)?;
        for (object, sql) in foreign_keys(source).await? {
            hold(manifest, &masks, &object, &sql)?;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, manifest.dedupe_key.as_bytes());
        let key = hmac::sign(&key, b"pourtrait mask 1");
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        let (mut all, mut unnamed) = (HashMap::new(), Vec::new());
        for data in tables {
            let masks = masks.get(&data.table).cloned().unwrap_or_default();
            for found in personal(source, data).await? {
                let place = place(data, &found.column.column);
                if !place.is_some_and(|place| masks.contains_key(&place)) {
                    unnamed.push(found);
                }
            }
            let masked = MaskedTable::of(data, masks, key.clone(), manifest.row_hash);
            all.insert(data.table.clone(), Arc::new(masked));
        }
        if !masking.unnamed && !unnamed.is_empty() {
            return Err(MaskError::Unnamed(unnamed));
        }
        Ok(Self(all))
    }

    /// The masks of a table, which may be none.
    ///
    /// # Errors
    /// [`MaskError::Unplanned`]: rows of a table that nobody has looked at go nowhere.
    pub(crate) fn table(&self, table: &Name) -> Result<&Arc<MaskedTable>, MaskError> {
        let masked = self.0.get(table);
        masked.ok_or_else(|| MaskError::Unplanned(table.clone()))
    }

    /// The columns that are masked, and those of them that nobody can compare.
    pub(crate) fn columns(&self) -> (usize, Vec<String>) {
        let (mut masked, mut uncompared) = (0, Vec::new());
        for table in self.0.values() {
            let changed = table.masks.values().filter(|kind| **kind != MaskKind::Keep);
            masked += changed.count();
            let places = 0..table.columns.len();
            let left = places.filter(|place| !table.compared.contains(place));
            uncompared.extend(left.map(|place| table.column(place).to_string()));
        }
        uncompared.sort();
        (masked, uncompared)
    }
}

fn place(data: &TableData, column: &str) -> Option<usize> {
    data.columns.iter().position(|name| name == column)
}

/// The tables of a name: itself, or its partitions.
fn parts<'a>(manifest: &'a Manifest, table: &Name) -> Result<Vec<&'a TableData>, UnknownName> {
    let selection = Selection {
        tables: vec![table.clone()],
        ..Selection::default()
    };
    Ok(Chosen::of(manifest, &selection)?.tables)
}

/// Where the masks of a file stand.
fn placed<'a>(manifest: &'a Manifest, file: &MaskFile) -> Result<Masks<'a>, MaskError> {
    let mut masks = Masks::new();
    for (column, kind) in &file.columns {
        let parts = parts(manifest, &column.table)?;
        if parts.is_empty() {
            return Err(MaskError::NoColumn(column.clone()));
        }
        for data in parts {
            let place = place(data, &column.column);
            let place = place.ok_or_else(|| MaskError::NoColumn(column.clone()))?;
            if let Some(why) = kind.refuses(&data.types[place]) {
                let column = column.clone();
                return Err(MaskError::Unfit { column, why });
            }
            let masks = masks.entry(&data.table).or_default();
            masks.insert(place, kind.clone());
        }
    }
    Ok(masks)
}

/// The foreign keys of a backup with their statements.
async fn foreign_keys(source: &OpenedBackup<'_>) -> Result<Vec<(ScriptObject, String)>, ReadError> {
    let mut keys = Vec::new();
    for script in &source.manifest.scripts {
        let is_key = |object: &&ScriptObject| object.kind == "foreign key";
        if !script.objects.iter().any(|object| is_key(&object)) {
            continue;
        }
        let text = source.piece(&script.piece).await?;
        for object in script.objects.iter().filter(is_key) {
            let sql = object.within(&text).unwrap_or_default();
            keys.push((object.clone(), String::from_utf8_lossy(sql).into_owned()));
        }
    }
    Ok(keys)
}

/// Refuses masks that would part rows from those that they refer to.
fn hold(
    manifest: &Manifest,
    masks: &Masks<'_>,
    object: &ScriptObject,
    sql: &str,
) -> Result<(), MaskError> {
    let (Some(table), Some(other)) = (&object.table, &object.refers_to) else {
        return Ok(());
    };
    // Without rows there is nothing that could be parted.
    let parts = |table| parts(manifest, table).unwrap_or_default();
    let (referring, referred) = (parts(table), parts(other));
    let Some((columns, keys)) = script_text::foreign_key(sql) else {
        let is_masked = |data: &&TableData| masks.contains_key(&data.table);
        let mut all = referring.iter().chain(&referred);
        return match all.find(|data| is_masked(data)) {
            Some(_) => Err(MaskError::Unread(object.described())),
            None => Ok(()),
        };
    };
    let kind = |data: &TableData, column: &String| {
        let mask = masks.get(&data.table);
        let mask = mask.and_then(|masks| masks.get(&place(data, column)?));
        mask.cloned().unwrap_or(MaskKind::Keep)
    };
    for (column, key) in columns.iter().zip(&keys) {
        for from in &referring {
            for to in &referred {
                let (one, other) = (kind(from, column), kind(to, key));
                if one != other || !one.keeps_apart() {
                    let named = |data: &TableData, column: &String| ColumnName {
                        table: data.table.clone(),
                        column: column.clone(),
                    };
                    return Err(MaskError::Apart(Box::new(Apart {
                        key: object.described(),
                        referring: (named(from, column), one),
                        referred: (named(to, key), other),
                    })));
                }
            }
        }
    }
    Ok(())
}

impl MaskedTable {
    fn of(
        data: &TableData,
        masks: BTreeMap<usize, MaskKind>,
        key: hmac::Key,
        hash: RowHash,
    ) -> Self {
        let row_key: Vec<usize> = data
            .order
            .iter()
            .filter_map(|column| place(data, column))
            .collect();
        let all = || (0..data.columns.len()).collect::<Vec<_>>();
        let is_compared = |place: &usize| {
            let kind = masks.get(place);
            kind.is_none_or(|kind| kind.is_canonical(&data.types[*place]))
        };
        Self {
            table: data.table.clone(),
            columns: data.columns.clone(),
            types: data.types.clone(),
            row_key: if row_key.is_empty() { all() } else { row_key },
            compared: all().into_iter().filter(is_compared).collect(),
            masks,
            hash,
            key,
            sent: Mutex::default(),
        }
    }

    fn column(&self, place: usize) -> ColumnName {
        ColumnName {
            table: self.table.clone(),
            column: self.columns[place].clone(),
        }
    }

    /// Masks rows of COPY text. Heavy: not for an async thread.
    pub(crate) fn apply(&self, text: &[u8]) -> MaskedRows {
        let mut masked = MaskedRows {
            text: Vec::with_capacity(text.len()),
            sums: RowSums::default(),
        };
        let mut compared = Vec::new();
        for row in stored_rows::rows(text) {
            let fields: Vec<&[u8]> = stored_rows::fields(row).collect();
            let own: Vec<&[u8]> = self
                .row_key
                .iter()
                .filter_map(|place| fields.get(*place).copied())
                .collect();
            let own = own.join(&b'\t');
            let mut changed: Vec<Vec<u8>> = fields.iter().map(|field| field.to_vec()).collect();
            for (place, kind) in &self.masks {
                let Some(value) = fields
                    .get(*place)
                    .and_then(|field| stored_rows::value(field))
                else {
                    continue;
                };
                let value = kind.apply(&self.key, &self.types[*place], &value, &own);
                changed[*place] = stored_rows::field(value.as_deref());
            }
            let some = self.compared.iter().filter_map(|place| changed.get(*place));
            let some: Vec<&[u8]> = some.map(Vec::as_slice).collect();
            compared.extend_from_slice(&some.join(&b'\t'));
            compared.push(b'\n');
            masked.text.extend_from_slice(&changed.join(&b'\t'));
            masked.text.push(b'\n');
        }
        masked.sums = RowSums::of(&compared, self.compared.len(), self.hash);
        masked
    }

    /// Notes what was sent of the table, all of it.
    pub(crate) fn note_sent(&self, sums: RowSums) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = sums;
    }

    /// The columns that the server is asked about, and what they have to come to.
    pub(crate) fn expected(&self) -> (Vec<String>, Checksum) {
        let columns = self
            .compared
            .iter()
            .map(|place| self.columns[*place].clone());
        let sent = *self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        (columns.collect(), sent.checksum())
    }
}
