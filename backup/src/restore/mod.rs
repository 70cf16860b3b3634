//! From a backup to a database that is equal to its source.
//!
//! The target is an empty database, as a fresh project has it. Whatever fails
//! once it has been changed leaves a part there, and says so: a part is dropped
//! and never used. The last word is the comparison: every table that was loaded
//! is counted and hashed by the target's server, and held against what the
//! source's server had counted and hashed.
//!
//! - `restore_plan`: what of the backup is restored, and what may run together
//! - `target_sessions`: sessions, and what has to be true before anything is
//!   changed
//! - `object_statements`, `row_loading`, `managed_tables`: making them
//! - `table_comparison`: the proof

mod managed_tables;
mod object_statements;
mod restore_error;
mod restore_plan;
mod row_loading;
mod table_comparison;
mod target_sessions;

use std::{fmt, time::Duration};

use outside::clock;
use secrecy::SecretString;
use serde_json::Value;

use super::{
    format::Snapshot,
    keys::Identities,
    opened_backup::OpenedBackup,
    schema::{Name, Scope, Stage},
    store::Store,
};

use object_statements::Statements;
pub use restore_error::{Cause, RestoreError};
use restore_plan::Plan;
use table_comparison::Expected;
use target_sessions::Sessions;

/// What to restore, and where to.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where the backup lies.
    pub store: &'a Store,
    /// Which backup.
    pub snapshot: &'a Snapshot,
    /// What opens it.
    pub identities: &'a Identities,
    /// The empty database, as its `DATABASE_URL`.
    pub into: &'a SecretString,
    /// What that server's certificate is verified with, besides public roots.
    pub ca: Option<&'a str>,
    /// Whose rows.
    pub tables: Selection,
    /// How many sessions work at once; at least one does.
    pub jobs: usize,
}

/// The tables whose rows are restored. The schema is always restored whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    All,
    /// These, and no others.
    Only(Vec<Name>),
}

/// A part of the work, with a measure of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Schemas, types, functions, tables; measured in objects.
    Objects,
    /// Rows; measured in bytes of COPY text.
    Rows,
    /// Keys, indexes, constraints, triggers, policies; measured in objects.
    Constraints,
    /// Statistics for the planner; measured in tables.
    Statistics,
    /// The proof that everything is equal; measured in tables.
    Comparison,
}

/// What is told while it happens.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// A step begins, and has this much to do.
    Begun(Step, u64),
    /// This much more of the step is done.
    Advanced(u64),
}

/// Takes what is told.
pub type Listener<'a> = &'a (dyn Fn(Event) + Sync);

/// Something that a person has to know about a restore that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A role was missing. It was made without login and without a password.
    RoleMade(String),
    /// A schema of the platform was missing and was made.
    SchemaMade(String),
    /// The target's managed table lacks these columns, or computes them.
    ColumnsLeft(Name, Vec<String>),
    /// A foreign key refers to a table whose rows were not chosen.
    ForeignKeyLeft(String),
    /// The target does not let us attach this to a table of the platform.
    NotAttached {
        /// What.
        object: String,
        /// The server's own words.
        reason: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoleMade(role) => {
                write!(formatter, "role {role} was made without login and password")
            }
            Self::SchemaMade(schema) => {
                write!(formatter, "schema {schema} was missing and was made")
            }
            Self::ColumnsLeft(table, columns) => write!(
                formatter,
                "columns of {table} that the target does not take: {}",
                columns.join(", ")
            ),
            Self::ForeignKeyLeft(name) => write!(
                formatter,
                "{name} was left out: it refers to rows that were not chosen"
            ),
            Self::NotAttached { object, reason } => {
                write!(formatter, "{object} was not made: {reason}")
            }
        }
    }
}

/// A restore that was compared with its source and is equal.
#[derive(Debug)]
pub struct Restored {
    /// Tables whose rows were loaded.
    pub tables: usize,
    /// Their rows.
    pub rows: u64,
    /// The length of their COPY text.
    pub bytes: u64,
    /// From the first request to the last.
    pub took: Duration,
    /// What a person has to know.
    pub notes: Vec<Note>,
    /// What `ops.after_restore` answered, where it exists.
    pub after_restore: Option<Value>,
}

/// Restores a backup into an empty database and compares the two.
///
/// # Errors
/// [`RestoreError::Untouched`] if nothing was changed, [`RestoreError::Partial`]
/// if the target holds a part, which is to be dropped.
pub async fn restore(request: Request<'_>, tell: Listener<'_>) -> Result<Restored, RestoreError> {
    let start = clock::instant();
    let untouched = RestoreError::Untouched;
    let source = OpenedBackup::open(request.store, request.snapshot, request.identities).await;
    let source = source.map_err(|error| untouched(error.into()))?;
    let plan = Plan::of(&source.manifest, &request.tables).map_err(untouched)?;
    let sessions = Sessions::open(request.into, request.ca, request.jobs).await;
    let sessions = sessions.map_err(untouched)?;
    let absent = target_sessions::check(sessions.main(), &plan)
        .await
        .map_err(untouched)?;

    let work = Work {
        source: &source,
        plan: &plan,
        sessions: &sessions,
        absent,
        tell,
    };
    let notes = work
        .make_and_compare()
        .await
        .map_err(RestoreError::Partial)?;
    let took = clock::instant().saturating_duration_since(start);
    let settled = target_sessions::after_restore(sessions.main(), &source.manifest, took).await;
    let after_restore = settled.map_err(RestoreError::Partial)?;
    sessions.close().await.map_err(RestoreError::Partial)?;
    Ok(Restored {
        tables: plan.tables().count(),
        rows: plan.tables().map(|data| data.rows).sum(),
        bytes: plan.bytes(),
        took,
        notes,
        after_restore,
    })
}

/// A restore under way.
struct Work<'a> {
    source: &'a OpenedBackup<'a>,
    plan: &'a Plan<'a>,
    sessions: &'a Sessions,
    /// Schemas of the platform that the target lacks.
    absent: Vec<String>,
    tell: Listener<'a>,
}

impl Work<'_> {
    async fn make_and_compare(&self) -> Result<Vec<Note>, Cause> {
        let mut notes = self.make_objects().await?;
        let (expected, left) = self.load_rows().await?;
        notes.extend(left);
        notes.extend(self.make_constraints().await?);
        let tables: Vec<_> = self.plan.tables().map(|data| &data.table).collect();
        (self.tell)(Event::Begun(Step::Statistics, tables.len() as u64));
        target_sessions::analyze(self.sessions, &tables, self.tell).await?;
        (self.tell)(Event::Begun(Step::Comparison, expected.len() as u64));
        table_comparison::all(self.sessions, &expected, self.tell).await?;
        Ok(notes)
    }

    async fn make_objects(&self) -> Result<Vec<Note>, Cause> {
        let main = self.sessions.main();
        let statements = self.scripts(Stage::Before).await?;
        (self.tell)(Event::Begun(Step::Objects, statements.len()));
        let roles = target_sessions::missing_roles(main, self.plan.manifest).await?;
        statements.make_in_order(main, self.tell).await?;
        let schemas = self.absent.iter().cloned().map(Note::SchemaMade);
        Ok(roles
            .into_iter()
            .map(Note::RoleMade)
            .chain(schemas)
            .collect())
    }

    async fn load_rows(&self) -> Result<(Vec<Expected>, Vec<Note>), Cause> {
        (self.tell)(Event::Begun(Step::Rows, self.plan.bytes()));
        let (mut expected, mut notes) = (Vec::new(), Vec::new());
        for data in self.plan.managed.iter().filter(|data| data.rows > 0) {
            let loaded =
                managed_tables::load(self.source, self.sessions.main(), data, self.tell).await?;
            notes.extend(loaded.note());
            expected.push(loaded.expected);
        }
        row_loading::load(self.source, self.sessions, &self.plan.app, self.tell).await?;
        expected.extend(self.plan.app.iter().map(|data| Expected::of(data)));
        target_sessions::set_sequences(self.sessions.main(), &self.plan.manifest.sequences).await?;
        Ok((expected, notes))
    }

    async fn make_constraints(&self) -> Result<Vec<Note>, Cause> {
        let statements = self.scripts(Stage::After).await?;
        (self.tell)(Event::Begun(Step::Constraints, statements.len()));
        let left = statements
            .make_together(self.sessions, self.plan, self.tell)
            .await?;
        let refused = object_statements::attach(self.source, self.sessions.main()).await?;
        let left = left.into_iter().map(Note::ForeignKeyLeft);
        Ok(left.chain(refused).collect())
    }

    /// The texts of a stage that this target needs, the platform's first.
    async fn scripts(&self, stage: Stage) -> Result<Statements<'_>, Cause> {
        let wanted = |scope: &Scope| match scope {
            Scope::Managed(schema) => self.absent.contains(schema),
            Scope::App => true,
            Scope::Attached => false,
        };
        let scripts = &self.source.manifest.scripts;
        let chosen = scripts
            .iter()
            .filter(|script| script.stage == stage && wanted(&script.scope));
        Statements::read(self.source, chosen).await
    }
}
