//! What lies in the store.
//!
//! Everything is below `v1/` and is written once:
//!
//! | path | what |
//! | --- | --- |
//! | `repo.json` | format version, id, how rows are cut, key epochs |
//! | `seg/<epoch>/<aa>/<name>.zst.age` | rows of one table, or a script: sealed |
//! | `man/<epoch>/<name>.zst.age` | the manifest: everything a restore needs, sealed |
//! | `inv/<name>.zst` | every object a backup rests on, with size and hash, readable without a key |
//! | `snap/<yyyy>/<mm>/<dd>/<snapshot>.json` | the commit record: the backup exists if and only if this does |
//! | `runs/<snapshot>/<n>.zst` | what an unfinished run has stored, for the next one; never read by a restore |
//! | `known/<epoch>.zst.sealed` | what the last run knows of rows, for the next one to read only what changed; written over, never read by a restore |
//! | `audit/<row>-<hash>-<time>.json` | where the audit log stood |
//! | `files/index/<name>.zst` | which versions of files of Storage a backup has, by keyed hash |
//! | `files/record/<snapshot>.zst` | what a backup has of the files of Storage, and in which parts that is told |
//! | `tools/` | a script that restores with `age`, `zstd` and `psql` alone |
//! | `pin/<snapshot>.json` | keeps a backup, whatever the ladder says |
//! | `trash/<snapshot>.json` | the commit record of a backup that is no longer kept, for some days |
//! | `mended/<path's hash>/<hash>.json` | which bytes are now where a missing or damaged object was |
//! | `gc/tombstones/<time>-<fence>.zst` | objects that no backup needs, at least a day before they are deleted |
//! | `rcpt/<yyyy>/<mm>/<time>-<kind>-<digits>.json` | a signed receipt of something that was done with backups |
//! | `keys/<id>.pem` | a public key that verifies receipts |
//!
//! `<name>` is the keyed hash of the plaintext and `<aa>` its first two digits; for an
//! inventory, which needs no key, it is the plain SHA-256. `-` and a number of the object's own
//! bytes follow, so that what is sealed once more has another name; or the fence of the run,
//! where something that nobody vouches for lies there. Older releases left the number out.
//!
//! [`manifest_text`] lists the lines of a manifest, [`Inventory`] those of an
//! inventory; the parts of an unfinished run are written like the latter.

mod checksummed_json;
mod commit_record;
pub mod field_lines;
mod file_listing;
mod format_error;
mod inventory;
mod known_rows;
mod manifest;
mod manifest_parse;
pub mod manifest_text;
mod mended;
pub mod object_path;
mod pin;
mod repo_record;
mod script_object;
mod table_read;
mod tombstones;

pub use commit_record::{Files, Previous, Snapshot, SnapshotName, Totals};
pub use file_listing::{
    Beginning, Bucket, Content, ContentPiece, Coverage, FileIndex, FilePart, FileRecord, FileRow,
    FileState, Likeness, Listing,
};
pub use format_error::FormatError;
pub use inventory::{Inventory, Stored};
pub use known_rows::{KnownPiece, KnownRows, KnownTable};
pub use manifest::{
    Checksum, Computed, ComputedKind, Ledger, Manifest, Piece, RowHash, Script, ScriptObject,
    SequenceState, ServerFacts, TableData,
};
pub use mended::Mended;
pub use pin::Pin;
pub use repo_record::{Cut, Epoch, Repo};
pub use table_read::{How, TableRead, Why};
pub use tombstones::{Tombstone, Tombstones};

/// The version of everything described here. A reader refuses any other.
pub const VERSION: u32 = 2;

#[cfg(test)]
mod tests;
