//! The SQL that makes a database's objects again, read from its catalogs.
//!
//! It covers everything that it knows and names everything else as a gap: an
//! object that is silently left out of a backup is found at the restore, which
//! is too late. In reading order:
//!
//! - `catalog`, `grants`, `relations`, `large_objects`: what is read, by the queries in `sql/`, which
//!   let the server render whatever it can
//! - `supabase`, `ownership`: what is the platform's
//! - `assembly`, `privileges`, `settings`, `database`, `placeholder_roles`, `exclusions`:
//!   what is kept, and what with it
//! - `object_kind`, `dependency_order`, `arrange`: in which order it is made

mod arrange;
mod assembly;
mod catalog;
mod database;
mod dependency_order;
mod describe;
mod exclusions;
mod grants;
mod large_objects;
mod object_kind;
mod ownership;
mod placeholder_roles;
mod privileges;
mod relations;
mod settings;
mod supabase;

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

pub use describe::describe;
pub(crate) use relations::managed_place;

/// Why a database cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Objects that cannot be made again: each by what it is and its name.
    #[error("the database holds what a backup cannot make again: {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// Objects that need each other, so that none can be made first.
    #[error("these need each other in a circle: {}", .0.join(", "))]
    Circular(Vec<String>),
    /// A server whose catalogs are not known.
    #[error("PostgreSQL {0} is not known; 15 to 18 are")]
    Version(i32),
    /// The session ended, or the server refused a query.
    #[error("the catalogs cannot be read: {0}")]
    Session(#[from] tokio_postgres::Error),
}

/// A relation's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Its schema.
    pub schema: String,
    /// Its name there.
    pub name: String,
}

impl Name {
    /// Without quotes, as people and receipts of drills have it.
    #[must_use]
    pub fn plain(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// As SQL, quoted whatever its characters.
impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// An identifier as SQL, always quoted.
#[must_use]
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// When a statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Before the rows: schemas, types, functions, tables, sequences.
    Before,
    /// After the rows: constraints, indexes, triggers, policies, grants.
    After,
}

/// Whose an object is, which decides whether a restore makes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The app's, or ours: always made.
    App,
    /// The platform's schema of that name (`auth`, `storage`): made only where
    /// the schema is absent.
    Managed(String),
    /// The app's object on a managed table (a trigger, a policy): made last, and
    /// reported where the target does not allow it.
    Attached,
}

/// Everything a database is made of, but for its rows.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The objects, in the order in which they have to be made: before the rows
    /// roles and extensions, then what is managed, the app's, and what is
    /// attached, unless one needs another. The roles of every project are there
    /// as managed objects, for a server that lacks them.
    pub objects: Vec<Object>,
    /// The tables whose rows are backed up.
    pub tables: Vec<Table>,
    /// The sequences whose state is backed up.
    pub sequences: Vec<Sequence>,
    /// Extensions that have to be there first.
    pub extensions: Vec<Extension>,
    /// Roles that owners, grants and policies name.
    pub roles: Vec<String>,
    /// What is left out, and why.
    pub excluded: Vec<Exclusion>,
    /// What is the app's and cannot be held, and why.
    pub gaps: Vec<Exclusion>,
    /// The relations among the gaps, by their oids: no rows of theirs are read.
    pub relations_in_gaps: BTreeSet<u32>,
}

/// One object, with its comment and settings. Its owner and its grants are objects of
/// their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// When it is made.
    pub stage: Stage,
    /// Whose it is.
    pub scope: Scope,
    /// What it is, in PostgreSQL's words: `table`, `index`, `foreign key`, …
    pub kind: &'static str,
    /// What it is called, for people.
    pub name: String,
    /// The table it belongs to, if it does.
    pub table: Option<Name>,
    /// The other table it refers to: for a foreign key.
    pub refers_to: Option<Name>,
    /// The schema it lies in, if it lies in one.
    pub schema: Option<String>,
    /// The earlier objects that it needs, by their places in [`Schema::objects`]. An
    /// owner or grants need the object that they are about, and roles.
    pub needs: BTreeSet<usize>,
    /// Statements that psql and a simple query both take, each ended by `;` and
    /// a newline.
    pub sql: String,
}

/// A sequence whose state is backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name.
    pub name: Name,
    /// The table that has the column it numbers, if it was made for one.
    pub table: Option<Name>,
}

/// A table whose rows are backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// Its oid in the source.
    pub oid: u32,
    /// Whose it is.
    pub scope: Scope,
    /// Its columns, in order, without dropped ones.
    pub columns: Vec<Column>,
    /// The columns of its primary key, in the key's order; empty without one.
    pub primary_key: Vec<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as SQL.
    pub type_sql: String,
    /// Whether the server computes it, so that COPY must not write it.
    pub generated: bool,
    /// Its default, as SQL.
    pub default_sql: Option<String>,
    /// Whether it may not be null.
    pub not_null: bool,
}

/// An extension that has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The schema it was installed in.
    pub schema: String,
    /// The version the source had; a target may have another.
    pub version: String,
}

/// Something in the database that is not in the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// What: a schema, an object, rows of a table.
    pub what: String,
    /// Why it is not there, and where it comes from instead.
    pub why: String,
}
