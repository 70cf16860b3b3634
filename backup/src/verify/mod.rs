//! Whether a backup is what it was, found out by reading it.
//!
//! [`objects`] needs no key: every object is there, as long as it was and with
//! the hash it had. [`contents`] needs an identity: every piece can be opened, is
//! the one that the manifest names, and holds as many rows as it should, each of
//! them COPY text of the table's columns; and each table's rows have the checksum of
//! those that the run read.

mod copy_text;
mod file_contents;

pub use file_contents::{FilesTried, sample as sample_files};

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{sync::Mutex, task};

use super::{
    catalogue::{self, ReadError},
    checksum::RowSums,
    format::{Inventory, Manifest, Piece, RowHash, Snapshot, Stored, object_path},
    keys::{DedupeKey, Identities},
    store::Store,
    tools,
};

/// How many objects are read at once.
const READS: usize = 8;

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many objects were read, or tried to be.
    pub checked: u64,
    /// How many there are to read in all, as far as is known.
    pub expected: u64,
    /// Bytes read, as they lie in the store.
    pub bytes: u64,
    /// Everything that is not as it should be; empty if the backup is whole.
    pub faults: Vec<Fault>,
}

/// Something that is not as it should be, or that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The object.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
    /// Whether that is damage. That nobody could look says nothing about what lies there.
    pub is_damage: bool,
}

impl Fault {
    /// Something that was read and is wrong.
    fn damage(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            what: what.into(),
            is_damage: true,
        }
    }

    /// Something that was not given.
    fn unread(path: impl Into<String>, error: &ReadError) -> Self {
        Self {
            path: path.into(),
            what: error.what(),
            is_damage: error.is_damage(),
        }
    }
}

impl Report {
    /// Whether the backup can be relied on.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }

    /// What was found to be wrong, without what could not be looked at.
    pub fn damages(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.is_damage)
    }

    fn fault(&mut self, path: &str, what: impl Into<String>) {
        self.faults.push(Fault::damage(path, what));
    }

    fn unread(&mut self, path: &str, error: &ReadError) {
        self.faults.push(Fault::unread(path, error));
    }
}

/// Level 1: the inventory and every object in it, by length and hash, and what restores
/// without this program. `watch` is
/// told after each.
pub async fn objects(store: &Store, snapshot: &Snapshot, watch: &mut dyn FnMut(&Report)) -> Report {
    let mut report = Report::default();
    look_at_tools(store, snapshot, &mut report).await;
    let Some(inventory) = read_inventory(store, snapshot, &mut report).await else {
        return report;
    };
    report.expected += inventory.objects.len() as u64;
    let mut reads = stream::iter(&inventory.objects)
        .map(async |stored| (stored, catalogue::exactly(store, stored).await))
        .buffer_unordered(READS);
    while let Some((stored, read)) = reads.next().await {
        report.checked += 1;
        match read {
            Ok(bytes) => report.bytes += bytes.len() as u64,
            Err(error) => report.unread(&stored.path, &error),
        }
        watch(&report);
    }
    report
}

/// Level 2: the manifest and every piece, opened and read to the last field.
/// `watch` is told after each.
pub async fn contents(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    watch: &mut dyn FnMut(&Report),
) -> Report {
    let mut report = Report::default();
    look_at_tools(store, snapshot, &mut report).await;
    let inventory = read_inventory(store, snapshot, &mut report).await;
    report.expected += 1;
    report.checked += 1;
    let manifest = match catalogue::manifest(store, snapshot, identities).await {
        Ok(manifest) => manifest,
        Err(error) => {
            report.unread(&snapshot.manifest.path, &error);
            return report;
        }
    };
    let Ok(key) = DedupeKey::from_hex(&manifest.dedupe_key) else {
        report.fault(&snapshot.manifest.path, "it holds no dedupe key");
        return report;
    };
    report.bytes += snapshot.manifest.len;
    compare(&manifest, snapshot, inventory.as_ref(), &mut report);
    let jobs = jobs(&manifest);
    report.expected += manifest.pieces().count() as u64;
    let pieces = Pieces {
        store,
        epoch: manifest.epoch,
        identities,
        key: &key,
        long: Mutex::new(()),
    };
    let mut reads = stream::iter(jobs)
        .map(async |job| (job.kind, job.pieces.len(), pieces.check(job).await))
        .buffer_unordered(READS);
    let mut found: Vec<_> = manifest
        .tables
        .iter()
        .map(|_| Some(RowSums::default()))
        .collect();
    while let Some((kind, count, checked)) = reads.next().await {
        report.checked += count as u64;
        let of_rows = match checked {
            Ok(Checked { bytes, sums }) => {
                report.bytes += bytes;
                Some(sums)
            }
            Err(fault) => {
                report.faults.push(fault);
                None
            }
        };
        if let Kind::Rows { table, .. } = kind {
            found[table] = found[table].zip(of_rows).map(|(sums, more)| sums + more);
        }
        watch(&report);
    }
    drop(reads);
    for (table, sums) in manifest.tables.iter().zip(found) {
        // A piece that cannot be read has been told.
        if sums.is_some_and(|sums| sums.checksum() != table.checksum) {
            let what = format!("the rows of {} are not those of its checksum", table.table);
            report.fault(&snapshot.manifest.path, what);
        }
    }
    file_contents::look(store, snapshot, identities, &mut report, watch).await;
    report
}

/// What restores without this program has to be there, as the newest backup or this
/// build has it: each run puts its own in place of an older one.
async fn look_at_tools(store: &Store, snapshot: &Snapshot, report: &mut Report) {
    let named = match catalogue::newest(store).await {
        Ok(newest) => newest.map_or_else(|| snapshot.tools.clone(), |newest| newest.snapshot.tools),
        Err(error) => {
            report.unread(object_path::SNAPSHOTS, &error.into());
            return;
        }
    };
    for stored in named {
        report.expected += 1;
        report.checked += 1;
        match catalogue::exactly(store, &stored).await {
            Ok(bytes) => report.bytes += bytes.len() as u64,
            Err(ReadError::Altered { .. }) if is_ours(store, &stored.path).await => {}
            Err(error) => report.unread(&stored.path, &error),
        }
    }
}

/// Whether an object is a tool as this build has it.
async fn is_ours(store: &Store, path: &str) -> bool {
    let ours = tools::FILES
        .iter()
        .find(|(name, _)| object_path::tool(name) == path);
    match (ours, store.get(path).await) {
        (Some((_, text)), Ok(there)) => there == *text,
        (None, _) | (_, Err(_)) => false,
    }
}

async fn read_inventory(
    store: &Store,
    snapshot: &Snapshot,
    report: &mut Report,
) -> Option<Inventory> {
    report.expected += 1;
    report.checked += 1;
    match catalogue::inventory(store, snapshot).await {
        Ok(inventory) => {
            report.bytes += snapshot.inventory.len;
            if !inventory.objects.contains(&snapshot.manifest) {
                report.fault(&snapshot.inventory.path, "it does not name the manifest");
            }
            let stored: u64 = inventory.objects.iter().map(|stored| stored.len).sum();
            let totals = snapshot.totals;
            if (totals.objects, totals.stored_bytes) != (inventory.objects.len() as u64, stored) {
                report.fault(
                    &snapshot.inventory.path,
                    "it adds up to other totals than the record's",
                );
            }
            Some(inventory)
        }
        Err(error) => {
            report.unread(&snapshot.inventory.path, &error);
            None
        }
    }
}

/// What manifest, inventory and record say of each other.
fn compare(
    manifest: &Manifest,
    snapshot: &Snapshot,
    inventory: Option<&Inventory>,
    report: &mut Report,
) {
    let totals = snapshot.totals;
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let raw: u64 = manifest.pieces().map(|piece| piece.raw_len).sum();
    if (totals.tables, totals.rows, totals.raw_bytes) != (manifest.tables.len() as u64, rows, raw) {
        report.fault(
            &snapshot.manifest.path,
            "it adds up to other totals than the record's",
        );
    }
    let Some(inventory) = inventory else {
        return;
    };
    let named: HashSet<&str> = inventory
        .objects
        .iter()
        .map(|Stored { path, .. }| path.as_str())
        .collect();
    for piece in manifest.pieces() {
        let path = object_path::segment(manifest.epoch, &piece.name);
        if !named.contains(path.as_str()) {
            report.fault(&path, "the manifest names it and the inventory does not");
        }
    }
}

/// Pieces to be read together, and what they should hold: one piece, or all that one
/// long row stands in.
struct Job<'a> {
    pieces: &'a [Piece],
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Script,
    Rows {
        /// Which of the manifest's tables.
        table: usize,
        columns: usize,
        hash: RowHash,
    },
}

fn jobs(manifest: &Manifest) -> Vec<Job<'_>> {
    let scripts = manifest.scripts.iter().map(|script| Job {
        pieces: std::slice::from_ref(&script.piece),
        kind: Kind::Script,
    });
    let tables = manifest.tables.iter().enumerate();
    let tables = tables.flat_map(|(index, table)| {
        let ended = table.pieces.split_inclusive(|piece| piece.rows > 0);
        ended.map(move |pieces| Job {
            pieces,
            kind: Kind::Rows {
                table: index,
                columns: table.columns.len(),
                hash: manifest.row_hash,
            },
        })
    });
    scripts.chain(tables).collect()
}

/// Pieces that are what they should be.
struct Checked {
    /// Their length as they lie in the store.
    bytes: u64,
    /// The sums over their rows.
    sums: RowSums,
}

/// What is needed to read pieces.
struct Pieces<'a> {
    store: &'a Store,
    epoch: u32,
    identities: &'a Identities,
    key: &'a DedupeKey,
    /// Held while one long row is in memory.
    long: Mutex<()>,
}

impl Pieces<'_> {
    /// What was read, or which piece is wrong and how.
    async fn check(&self, Job { pieces, kind }: Job<'_>) -> Result<Checked, Fault> {
        let _turn = match pieces {
            [_] => None,
            _ => Some(self.long.lock().await),
        };
        let (mut bytes, mut text, mut path) = (0, Vec::<u8>::new(), String::new());
        for piece in pieces {
            path = object_path::segment(self.epoch, &piece.name);
            match self.read(&path, piece).await {
                Ok((sealed, plaintext)) => {
                    bytes += sealed;
                    text.extend(plaintext);
                }
                Err(error) => return Err(Fault::unread(path, &error)),
            }
        }
        let rows = pieces.iter().map(|piece| piece.rows).sum();
        let examined = task::spawn_blocking(move || examine(&text, kind, rows)).await;
        let examined = examined.unwrap_or_else(|_| Err("it could not be examined".to_owned()));
        match examined {
            Ok(sums) => Ok(Checked { bytes, sums }),
            Err(what) => Err(Fault::damage(path, what)),
        }
    }

    /// The length of the sealed piece, and what it holds.
    async fn read(&self, path: &str, piece: &Piece) -> Result<(u64, Vec<u8>), ReadError> {
        let sealed: Bytes = self.store.get(path).await?;
        let bytes = sealed.len() as u64;
        let (identities, key) = (self.identities, self.key);
        let plaintext = catalogue::opened(path.to_owned(), sealed, piece, identities, key).await?;
        Ok((bytes, plaintext))
    }
}

/// The sums over a piece's rows, or what is wrong with its text.
fn examine(plaintext: &[u8], kind: Kind, rows: u64) -> Result<RowSums, String> {
    let Kind::Rows { columns, hash, .. } = kind else {
        let text = std::str::from_utf8(plaintext);
        return match text {
            Ok(_) => Ok(RowSums::default()),
            Err(_) => Err("the script is not UTF-8".to_owned()),
        };
    };
    let found = copy_text::count(plaintext, columns).map_err(|fault| fault.to_string())?;
    if found != rows {
        return Err(format!("it holds {found} rows and should hold {rows}"));
    }
    Ok(RowSums::of(plaintext, columns, hash))
}
