//! Backups that can be restored.
//!
//! One consistent snapshot of the database is read as COPY text, cut into
//! row-aligned segments, compressed, encrypted to public keys and stored under
//! keyed hashes of its content. A backup exists only once its commit record,
//! written last, does. In reading order:
//!
//! - [`format`](mod@format): what lies in the store, and how it is written
//! - `keys`, `seal`, `store`: secrets and recipients, one object sealed and
//!   opened, where objects lie
//! - [`schema`]: the SQL that makes the database's objects again
//! - `segments`, `source`, `preflight`, `run`: one backup, from the snapshot to
//!   the commit record
//! - `verify`, `restore`, `export`: the way back

pub mod catalogue;
pub mod format;
mod hex;
pub mod keys;
pub mod repository;
pub mod schema;
pub mod seal;
pub mod segments;
pub mod store;
pub mod verify;
