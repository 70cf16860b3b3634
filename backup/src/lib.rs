//! The backup engine: backups that can be restored.
//!
//! One consistent snapshot of the database is read as COPY text, cut into
//! row-aligned segments, compressed, encrypted to public keys and stored under
//! keyed hashes of its content. A backup exists only once its commit record,
//! written last, does.
//!
//! The engine knows databases, stores and keys. It knows no endpoint and no
//! variable of the environment: whoever calls it says where to read, where to
//! write and for whom, and answers whether the lease is still held. In reading
//! order:
//!
//! - [`format`](mod@format): what lies in the store, and how it is written
//! - [`keys`], [`seal`], [`store`]: secrets and recipients, one object sealed and
//!   opened, where objects lie
//! - [`schema`]: the SQL that makes the database's objects again
//! - [`pinned_session`], [`preflight`]: sessions that can be relied on, and what
//!   has to hold before a backup may be believed
//! - [`row_order`], [`checksum`], [`source`]: tables read in one snapshot, in an
//!   order that lets what was stored be found again
//! - [`segments`], [`script_text`]: rows and objects as the pieces that are stored
//! - [`repository`], [`run`]: one backup, from the first session to the commit record
//! - [`selection`]: what of a backup is wanted back
//! - [`retention`], [`pins`]: which backups are kept, and what keeps one beyond that
//! - [`trash`], [`collection`]: how the others go, and what no backup needs any more
//! - [`replication`]: a copy in another place, and either healed from the other
//! - [`reread`]: all that backups rest on, read again a share at a time
//! - [`application`]: what an application consists of beside its database
//! - [`files`]: the files of Storage beside the rows that name them, and the way back
//! - [`audit_anchors`]: where the audit log stood, outside the database
//! - [`row_history`], [`differences`]: what a row was in each backup, and what two backups
//!   differ in
//! - [`masking`]: rows for people who may not see whose they are
//! - [`evidence`]: a signed receipt of everything that was done with backups
//! - [`catalogue`], [`verify`], [`restore`], [`export`], [`tools`]: the way back, which
//!   a [`drill`] tries

pub mod application;
pub mod audit_anchors;
pub mod catalogue;
pub mod checksum;
pub mod collection;
pub mod differences;
pub mod drill;
pub mod erasures;
pub mod evidence;
pub mod export;
pub mod files;
pub mod format;
mod hex;
pub mod keys;
pub mod masking;
mod opened_backup;
pub mod pinned_session;
pub mod pins;
pub mod preflight;
pub mod replication;
pub mod repository;
pub mod reread;
pub mod restore;
mod restore_sql;
pub mod retention;
pub mod row_history;
pub mod row_order;
pub mod run;
pub mod schema;
pub mod script_text;
pub mod seal;
pub mod sealed_object;
pub mod segments;
pub mod selection;
pub mod source;
pub mod store;
mod stored_rows;
mod tombstones;
pub mod tools;
pub mod trash;
pub mod verify;
