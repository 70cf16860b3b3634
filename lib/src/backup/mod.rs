//! Backups that can be restored.
//!
//! One consistent snapshot of the database is read as COPY text, cut into
//! row-aligned segments, compressed, encrypted to public keys and stored under
//! keyed hashes of its content. A backup exists only once its commit record,
//! written last, does. In reading order:
//!
//! - [`format`](mod@format): what lies in the store, and how it is written
//! - [`keys`], [`seal`], [`store`]: secrets and recipients, one object sealed and
//!   opened, where objects lie
//! - [`schema`]: the SQL that makes the database's objects again
//! - [`session`], [`preflight`]: sessions that can be relied on, and what has to
//!   hold before a backup may be believed
//! - [`order`], [`checksum`], [`source`]: tables read in one snapshot, in an order
//!   that lets what was stored be found again
//! - [`segments`], [`script`], [`run`]: one backup, from the first session to the
//!   commit record
//! - [`setup`], [`cron`]: the same for the configuration at hand, under a lease
//! - [`catalogue`], [`verify`], [`restore`], [`export`], [`tools`]: the way back

pub mod catalogue;
pub mod checksum;
mod contents;
pub mod cron;
pub mod export;
pub mod format;
mod hex;
pub mod keys;
pub mod order;
pub mod preflight;
pub mod repository;
pub mod restore;
pub mod run;
pub mod schema;
pub mod script;
pub mod seal;
pub mod segments;
pub mod session;
pub mod setup;
pub mod source;
pub mod store;
pub mod tools;
pub mod verify;

pub use cron::handle;
