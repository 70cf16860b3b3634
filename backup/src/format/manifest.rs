//! The manifest: everything that a restore needs, in the order in which it
//! needs it.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::TableRead;
use crate::schema::{Exclusion, Extension, Name, Scope, Stage};

/// Everything that a restore needs, but for the objects it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The backup's own name, as its commit record has it.
    pub snapshot: String,
    /// The repository it belongs to.
    pub repo: Uuid,
    /// The time of the snapshot, by the database's clock.
    pub taken_at: Timestamp,
    /// The server it was taken from.
    pub server: ServerFacts,
    /// The session's settings that COPY text and checksums depend on.
    pub settings: Vec<(String, String)>,
    /// The key epoch of every piece.
    pub epoch: u32,
    /// The epoch's dedupe key in hexadecimal, so that an identity alone can
    /// verify the names of pieces.
    pub dedupe_key: String,
    /// What the canary row held: proof that this is the database that was asked.
    pub canary: String,
    /// What every checksum of it sums.
    pub row_hash: RowHash,
    /// Extensions that have to be there.
    pub extensions: Vec<Extension>,
    /// Roles that grants and policies name; made without login where missing.
    pub roles: Vec<String>,
    /// The SQL that makes the objects, in the order in which it has to run.
    pub scripts: Vec<Script>,
    /// The rows.
    pub tables: Vec<TableData>,
    /// Where sequences stood, read last.
    pub sequences: Vec<SequenceState>,
    /// What the server computed, which no piece holds.
    pub computed: Vec<Computed>,
    /// The migrations that had been applied to the source.
    pub migrations: Vec<Ledger>,
    /// What is in the database and not in the backup, and why.
    pub excluded: Vec<Exclusion>,
    /// What of the app's the backup cannot hold, and why.
    pub gaps: Vec<Exclusion>,
}

/// The server that a backup was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// `server_version_num`.
    pub version_num: u32,
    /// `server_version`.
    pub version: String,
    /// The database's name.
    pub database: String,
    /// Write-ahead log position of the snapshot.
    pub wal_lsn: String,
    /// `pg_current_snapshot()`.
    pub snapshot: String,
    /// `search_path` as the source's own sessions begin with it, then the database's own.
    pub search_path: String,
}

/// One psql-ready text: the objects of one stage and scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Before or after the rows.
    pub stage: Stage,
    /// Whose objects they are.
    pub scope: Scope,
    /// Where the text lies.
    pub piece: Piece,
    /// The statements within it, in order and without gaps.
    pub objects: Vec<ScriptObject>,
}

/// One object's statements within a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptObject {
    /// What it is, in PostgreSQL's words: `table`, `index`, `foreign key`, …
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// The table it belongs to, if it does.
    pub table: Option<Name>,
    /// The other table it refers to: for a foreign key.
    pub refers_to: Option<Name>,
    /// The schema it lies in, if it lies in one.
    pub schema: Option<String>,
    /// The objects it needs, by their places among all objects of the backup; each
    /// comes before it. An owner or grants need the object that they are about, and
    /// roles.
    pub needs: Vec<usize>,
    /// Where its statements begin, in bytes.
    pub offset: u64,
    /// How long they are, in bytes.
    pub length: u64,
}

/// One sealed object that a backup rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The object's name in `seg/`: the keyed hash of its plaintext in hexadecimal, and a
    /// number that is another one for other bytes.
    pub name: String,
    /// Rows that end in it; 0 for a script, and for a part of a row that is longer than
    /// a piece.
    pub rows: u64,
    /// Length of the plaintext in bytes.
    pub raw_len: u64,
    /// SHA-256 of the plaintext in hexadecimal.
    pub raw_sha256: String,
    /// The key of its first row, as COPY text; empty where there is none.
    pub first_key: String,
    /// The key of its last row.
    pub last_key: String,
}

/// The rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableData {
    /// Which table.
    pub table: Name,
    /// Whose it is.
    pub scope: Scope,
    /// The columns that COPY text has, in its order: all but generated ones.
    pub columns: Vec<String>,
    /// Their types as SQL, for the temporary table that rows of a managed table
    /// pass through.
    pub types: Vec<String>,
    /// The columns by which the rows are ordered; empty where there is no key.
    pub order: Vec<String>,
    /// How many rows there are.
    pub rows: u64,
    /// Their checksum, which the client computed from what it read.
    pub checksum: Checksum,
    /// How the run read them; nothing in backups of releases that read all of everything.
    pub read: Option<TableRead>,
    /// The rows, in order.
    pub pieces: Vec<Piece>,
}

/// What a checksum sums of a row's two hashes, which are linear in the hashes of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowHash {
    /// Each as it is: backups of older releases. Rows that exchange the values of a column
    /// leave such a sum as it was.
    Plain,
    /// Each hashed again, with the other as its seed.
    Mixed,
}

impl RowHash {
    /// As manifests and scripts have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Mixed => "mixed",
        }
    }
}

/// A table's checksum, as [`checksum`](crate::checksum) defines it: sums of two
/// hashes of every row's texts, as decimal numbers. Equal tables have
/// equal sums in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// Sum of the first hash.
    pub first: String,
    /// Sum of the second.
    pub second: String,
}

/// What the server computes and COPY leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The table or the view.
    pub relation: Name,
    /// What of it.
    pub kind: ComputedKind,
    /// The columns whose rows are counted and summed.
    pub columns: Vec<String>,
    /// Rows and checksum by the source's server; nothing where they could not be read
    /// without running code of the app's.
    pub proof: Option<(u64, Checksum)>,
}

/// For people.
impl fmt::Display for Computed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = &self.relation;
        match self.kind {
            ComputedKind::Generated => write!(formatter, "generated columns of {relation}"),
            ComputedKind::View => write!(formatter, "materialized view {relation}"),
        }
    }
}

/// What the server computes of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComputedKind {
    /// A table's stored generated columns.
    Generated,
    /// All of a materialised view.
    View,
}

/// Where a sequence stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceState {
    /// Which sequence.
    pub sequence: Name,
    /// The table that has the column it numbers, if it was made for one.
    pub table: Option<Name>,
    /// Its last value.
    pub last_value: i64,
    /// Whether that value was handed out.
    pub is_called: bool,
}

/// A migration that had been applied to the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of its text in hexadecimal; empty where the ledger has none.
    pub sha256: String,
}
