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
//! | `tools/` | a script that restores with `age`, `zstd` and `psql` alone |
//!
//! Receipts (`rcpt/`), pins (`pin/`) and garbage collection (`gc/`, `trash/`)
//! have their places reserved. `<name>` is the keyed hash of the plaintext and
//! `<aa>` its first two digits.

mod manifest;

pub use manifest::{
    Checksum, Exclusion, Extension, Ledger, Manifest, Piece, Script, ScriptObject, SequenceState,
    ServerFacts, TableData,
};

/// The version of everything described here. A reader refuses any other.
pub const VERSION: u32 = 1;
