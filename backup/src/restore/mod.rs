//! From a backup to a database that is equal to its source.
//!
//! The target is an empty database, as a fresh project has it. What it refuses
//! takes nothing along: an object is tried again at the end, and what is missing
//! all the same is told with its statement and the server's words. A session or a
//! backup that fails leaves a part, and says so: a part is dropped and never used.
//! The last word is the comparison: every table that was loaded is counted and
//! hashed by the target's server, and held against what the backup had read.
//!
//! - `restore_plan`: what of the backup is restored, and what may run together
//! - `preview`: the same, only looked at
//! - `target_sessions`: sessions, and what has to be true before anything is
//!   changed
//! - `firing`, `foreign_keys`: what acts on rows that come into tables that are there
//! - `object_statements`, `row_loading`, `managed_tables`: making them
//! - `refusals`, `domain_checks`: what the target does not take, tried again and told
//! - `table_comparison`, `likeness`: the proof, of rows and of objects
//! - `unfinished`: the mark that a target bears until its restore has ended
//! - `lost_rows`: rows back into a database that lives

mod domain_checks;
mod firing;
mod foreign_keys;
mod likeness;
mod lost_rows;
mod managed_tables;
mod object_statements;
mod preview;
mod refusals;
mod restore_error;
mod restore_plan;
mod row_loading;
mod table_comparison;
mod target_sessions;
mod unfinished;

use std::{collections::HashSet, fmt, time::Duration};

use outside::clock;
use secrecy::SecretString;
use serde_json::Value;

use super::{
    format::{Computed, ComputedKind, Snapshot, TableData},
    keys::Identities,
    masking::{MaskedTables, Masking},
    opened_backup::OpenedBackup,
    schema::{Name, Scope, Stage},
    selection::{Chosen, LeftOut, Parts, Selection},
    store::Store,
};

use firing::Fires;
pub use foreign_keys::Orphans;
pub use lost_rows::{Along, BroughtBack, LostRows, TableRows, bring_back};
use object_statements::Statements;
pub use preview::{Preview, preview};
pub use refusals::Missing;
use refusals::Refusal;
pub use restore_error::{Cause, DomainCheck, RestoreError};
use restore_plan::Plan;
use row_loading::{Late, Left, Rows, Tables};
use table_comparison::Expected;
use target_sessions::Sessions;
pub use unfinished::{Unfinished, unfinished};

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
    /// What of it.
    pub selection: &'a Selection,
    /// How many sessions work at once; at least one does.
    pub jobs: usize,
    /// Whether the first object or row that the target refuses ends the restore.
    pub strict: bool,
    /// What becomes of rows before the target sees them, if they do not come as they are.
    pub masking: Option<Masking<'a>>,
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
    /// A part of something chosen needs what was not.
    LeftOut(LeftOut),
    /// A table was made because something chosen needs it; its rows were not chosen.
    Unfilled(Name),
    /// The target's objects cannot be described, so that they were not compared.
    NotDescribed,
    /// Rows were loaded one table after the other, with the app's triggers off and its
    /// foreign keys on: the role may not turn both off for a session.
    OneByOne,
    /// The planner has no statistics of a table yet: something of the app's that the
    /// server calls for them fails.
    NotAnalyzed {
        /// Which table.
        table: Name,
        /// The server's own words.
        reason: String,
    },
    /// Rows of a partition came into others, because it does not take them any more.
    Routed {
        /// Which partition.
        table: Name,
        /// Whether all partitions were compared as a whole; their columns stand in
        /// different orders otherwise.
        compared: bool,
    },
    /// The target computes something else than the source did: what computes it has
    /// changed, or a view was not refreshed since its tables changed.
    Differs(String),
    /// Something that is computed and that nobody could compare.
    Unproven(String),
    /// Rows were masked, and what the target computes of them was not compared.
    Masked {
        /// How many columns.
        columns: usize,
        /// Those whose values the target writes in its own way, which were not compared either.
        uncompared: Vec<String>,
    },
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
            Self::LeftOut(LeftOut { what, why }) => {
                write!(formatter, "{what} was left out: {why}")
            }
            Self::Unfilled(table) => write!(
                formatter,
                "{table} was made without rows: something that was chosen needs it"
            ),
            Self::NotDescribed => write!(
                formatter,
                "the target's objects were not compared with the source's: something in it \
                 cannot be described"
            ),
            Self::OneByOne => write!(
                formatter,
                "the role may not set session_replication_role: triggers were turned off \
                 table by table, and foreign keys decided the order"
            ),
            Self::NotAnalyzed { table, reason } => {
                write!(formatter, "{table} has no statistics yet: {reason}")
            }
            Self::Routed { table, compared } => write!(
                formatter,
                "rows of {table} came into other partitions, because it does not take them any more{}",
                if *compared {
                    ""
                } else {
                    "; these were not compared"
                }
            ),
            Self::Differs(what) => write!(
                formatter,
                "{what}: not equal to the source, whose values were computed by something that has changed, or of rows that have"
            ),
            Self::Unproven(what) => write!(
                formatter,
                "{what}: not compared, because reading it runs code of the app"
            ),
            Self::Masked {
                columns,
                uncompared,
            } => {
                write!(
                    formatter,
                    "{columns} columns were masked; every row was counted and hashed as it was sent"
                )?;
                if !uncompared.is_empty() {
                    write!(formatter, ", but for {}", uncompared.join(", "))?;
                }
                formatter.write_str("; what the server computes of them was not compared")
            }
            Self::NotAttached { object, reason } => {
                write!(formatter, "{object} was not made: {reason}")
            }
        }
    }
}

/// A restore whose tables were compared with their source and are equal.
#[derive(Debug)]
pub struct Restored {
    /// What the target did not take; everything else is there.
    pub missing: Vec<Missing>,
    /// Tables whose rows were loaded.
    pub tables: usize,
    /// Which ones.
    pub loaded: Vec<Name>,
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
    /// What was compared beside rows.
    pub compared: Compared,
}

/// What of a target was held against its source, beside rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Objects, such as tables, constraints and policies, by their descriptions.
    pub objects: u64,
    /// Sequences, by where they stand.
    pub sequences: u64,
}

impl Restored {
    /// Whether nothing is missing, all rows are where they were, and all that the target
    /// computed is what the source had.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        let is_doubt = |note: &Note| {
            matches!(
                note,
                Note::Differs(_) | Note::Unproven(_) | Note::Routed { .. }
            )
        };
        self.missing.is_empty() && !self.notes.iter().any(is_doubt)
    }
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
    let chosen = Chosen::of(&source.manifest, request.selection);
    let plan = Plan::of(chosen.map_err(|unknown| untouched(unknown.into()))?);
    if let Some(masking) = request.masking {
        let masks = MaskedTables::of(&source, plan.tables(), masking).await;
        source.mask(masks.map_err(|error| untouched(error.into()))?);
    }
    let sessions = Sessions::open(request.into, request.ca, request.jobs).await;
    let sessions = sessions.map_err(untouched)?;
    let parts = request.selection.parts;
    let absent = target_sessions::check(sessions.main(), &plan, parts)
        .await
        .map_err(untouched)?;

    let major = target_sessions::major_version(sessions.main()).await;
    let work = Work {
        source: &source,
        plan: &plan,
        sessions: &sessions,
        absent,
        parts,
        major: major.map_err(untouched)?,
        strict: request.strict,
        tell,
    };
    let name = &source.manifest.snapshot;
    let marked = unfinished::mark(sessions.main(), name).await;
    marked.map_err(untouched)?;
    let Made {
        notes,
        missing,
        left,
        compared,
    } = work
        .make_and_compare()
        .await
        .map_err(RestoreError::Partial)?;
    let loaded = || plan.tables().filter(|data| !left.contains(&data.table));
    let took = clock::instant().saturating_duration_since(start);
    let after_restore = if plan.tables().any(|data| data.table.schema == "ops") {
        let settled = target_sessions::after_restore(sessions.main(), &source.manifest, took);
        settled.await.map_err(RestoreError::Partial)?
    } else {
        None
    };
    let whole = unfinished::unmark(sessions.main()).await;
    whole.map_err(RestoreError::Partial)?;
    sessions.close().await.map_err(RestoreError::Partial)?;
    Ok(Restored {
        missing,
        tables: loaded().count(),
        loaded: loaded().map(|data| data.table.clone()).collect(),
        rows: loaded().map(|data| data.rows).sum(),
        bytes: loaded().map(restore_plan::length).sum(),
        took,
        notes,
        after_restore,
        compared,
    })
}

/// A restore under way.
struct Work<'a> {
    source: &'a OpenedBackup<'a>,
    plan: &'a Plan<'a>,
    sessions: &'a Sessions,
    /// Schemas of the platform that the target lacks.
    absent: Vec<String>,
    parts: Parts,
    /// The major version of the target's server.
    major: u32,
    strict: bool,
    tell: Listener<'a>,
}

/// What was made, and what was not.
struct Made {
    notes: Vec<Note>,
    missing: Vec<Missing>,
    /// The tables that took no rows.
    left: HashSet<Name>,
    compared: Compared,
}

/// The rows that were loaded.
struct Loaded {
    expected: Vec<Expected>,
    notes: Vec<Note>,
    /// The app's tables that took none.
    left: Vec<Left>,
    /// Checks of domains that were taken off for some.
    lifted: Vec<Refusal>,
    /// Sequences that are not there, and foreign keys that rows break.
    missing: Vec<Missing>,
}

impl Work<'_> {
    async fn make_and_compare(&self) -> Result<Made, Cause> {
        let (mut notes, mut refusals) = self.make_objects().await?;
        refusals = self.try_again(refusals).await?;
        let mut rows = match self.parts {
            Parts::All | Parts::Schema => self.load_rows(Tables::New).await?,
            Parts::Data => self.fill().await?,
        };
        let (constraints, views) = self.after().await?;
        let to_make = constraints.len() + views.len();
        (self.tell)(Event::Begun(Step::Constraints, to_make));
        refusals.extend(self.make(constraints).await?);
        refusals = self.try_again(refusals).await?;
        self.load_late(&mut rows).await?;
        refusals.extend(self.make(views).await?);
        notes.extend(rows.notes);
        notes.extend(self.attach().await?);
        refusals.extend(rows.lifted);

        let refusals = self.try_again(refusals).await?;
        let source_path = &self.source.manifest.server.search_path;
        let mut missing = refusals::settle(self.sessions.main(), source_path, refusals).await?;
        let left: HashSet<_> = rows.left.iter().map(|left| left.table.clone()).collect();
        let without_rows = rows.left.into_iter().filter(|left| left.rows > 0);
        missing.extend(without_rows.map(Missing::from));
        missing.extend(rows.missing);
        notes.extend(self.prove(&rows.expected).await?);
        let main = self.sessions.main();
        let sequences = &self.plan.chosen.sequences;
        missing.extend(target_sessions::moved_sequences(main, sequences, &missing).await?);
        let mut compared = Compared {
            objects: 0,
            sequences: sequences.len() as u64,
        };
        if self.parts != Parts::Data {
            match self.unlike(&missing).await? {
                Some((objects, unlike)) => {
                    compared.objects = objects;
                    missing.extend(unlike);
                }
                None => notes.push(Note::NotDescribed),
            }
        }
        Ok(Made {
            notes,
            missing,
            left,
            compared,
        })
    }

    async fn prove(&self, expected: &[Expected]) -> Result<Vec<Note>, Cause> {
        let tables: Vec<_> = expected.iter().flat_map(|one| &one.tables).collect();
        (self.tell)(Event::Begun(Step::Statistics, tables.len() as u64));
        let notes = target_sessions::analyze(self.sessions, &tables, self.tell).await?;
        (self.tell)(Event::Begun(Step::Comparison, expected.len() as u64));
        let hash = self.source.manifest.row_hash;
        table_comparison::all(self.sessions, expected, hash, self.tell).await?;
        if let Some(masks) = self.source.masks() {
            let (columns, uncompared) = masks.columns();
            let masked = Note::Masked {
                columns,
                uncompared,
            };
            return Ok([notes, vec![masked]].concat());
        }
        let computed = self.computed(&tables);
        let more = table_comparison::computed(self.sessions, &computed, hash).await?;
        Ok([notes, more].concat())
    }

    /// What the target has computed from these tables. A view may read any table, and is
    /// filled where it is made.
    fn computed(&self, tables: &[&Name]) -> Vec<&Computed> {
        let manifest = self.plan.chosen.manifest;
        let has_all_rows = self.plan.tables().count() == manifest.tables.len();
        let is_whole = has_all_rows && self.parts == Parts::All;
        let computed = manifest.computed.iter();
        computed
            .filter(|computed| match computed.kind {
                ComputedKind::Generated => tables.contains(&&computed.relation),
                ComputedKind::View => is_whole,
            })
            .collect()
    }

    async fn make_objects(&self) -> Result<(Vec<Note>, Vec<Refusal>), Cause> {
        let main = self.sessions.main();
        let statements = self.scripts(Stage::Before).await?;
        (self.tell)(Event::Begun(Step::Objects, statements.len()));
        let chosen = &self.plan.chosen;
        let roles = target_sessions::missing_roles(main, &chosen.roles()).await?;
        let refusals = statements.make_in_order(main, self.tell).await?;
        let schemas = self.absent.iter().cloned().map(Note::SchemaMade);
        let roles = roles.into_iter().map(Note::RoleMade);
        let left_out = chosen.left_out.iter().cloned().map(Note::LeftOut);
        let unfilled = chosen.unfilled.iter().cloned().map(Note::Unfilled);
        let chosen_apart = left_out
            .chain(unfilled)
            .filter(|_| self.parts != Parts::Data);
        let notes = roles.chain(schemas).chain(chosen_apart);
        Ok((notes.collect(), self.bear(refusals)?))
    }

    /// Rows alone, into tables that are there: what hangs on them is kept from acting,
    /// and their foreign keys are looked at afterwards.
    async fn fill(&self) -> Result<Loaded, Cause> {
        if self.sessions.play_replicas().await? {
            let mut loaded = self.load_rows(Tables::There(Fires::InReplica)).await?;
            loaded.missing.extend(self.orphans().await?);
            Ok(loaded)
        } else {
            let mut loaded = self.load_rows(Tables::There(Fires::Ordinarily)).await?;
            loaded.notes.push(Note::OneByOne);
            Ok(loaded)
        }
    }

    /// Rows that refer to none, by foreign keys that nobody has kept.
    async fn orphans(&self) -> Result<Vec<Missing>, Cause> {
        let main = self.sessions.main();
        let mut orphans = Vec::new();
        for data in &self.plan.app {
            for key in foreign_keys::of(main, &data.table).await? {
                let rows = format!("only {}", data.table);
                orphans.extend(key.orphans(main, &rows, &[]).await?);
            }
        }
        Ok(orphans.into_iter().map(Missing::from).collect())
    }

    async fn load_rows(&self, tables: Tables) -> Result<Loaded, Cause> {
        (self.tell)(Event::Begun(Step::Rows, self.plan.bytes()));
        let main = self.sessions.main();
        let (mut expected, mut notes) = (Vec::new(), Vec::new());
        for data in self.plan.managed.iter().filter(|data| data.rows > 0) {
            let loaded = managed_tables::load(self.source, main, data, tables, self.tell).await?;
            notes.extend(loaded.note());
            expected.push(loaded.expected);
        }
        let rows = Rows {
            source: self.source,
            tables,
            tell: self.tell,
        };
        let left = match tables {
            Tables::There(Fires::Ordinarily) => rows.one_by_one(main, &self.plan.app).await?,
            Tables::New | Tables::There(Fires::InReplica) => {
                rows.together(self.sessions, &self.plan.app).await?
            }
        };
        if let Some(left) = left.iter().find(|_| self.strict) {
            return Err(left.cause());
        }
        let (left, lifted) = rows.without_checks(main, &self.plan.app, left).await?;
        let is_left = |data: &&&TableData| left.iter().any(|left| left.table == data.table);
        for data in self.plan.app.iter().filter(|data| !is_left(data)) {
            expected.push(Expected::of(self.source, data)?);
        }
        let sequences = &self.plan.chosen.sequences;
        let missing = target_sessions::set_sequences(main, sequences).await?;
        if let Some(missing) = missing.iter().find(|_| self.strict) {
            return Err(missing.cause());
        }
        Ok(Loaded {
            expected,
            notes,
            left,
            lifted,
            missing,
        })
    }

    /// What comes after the rows: before rows that may need it are tried once more, and
    /// after them.
    async fn after(&self) -> Result<(Statements<'_>, Statements<'_>), Cause> {
        let statements = self.scripts(Stage::After).await?;
        Ok(statements.before("materialized view data"))
    }

    async fn make(&self, statements: Statements<'_>) -> Result<Vec<Refusal>, Cause> {
        let made = statements.make_together(self.sessions, self.plan, self.tell);
        self.bear(made.await?)
    }

    async fn attach(&self) -> Result<Vec<Note>, Cause> {
        let chosen = &self.plan.chosen;
        object_statements::attach(self.source, self.sessions.main(), chosen).await
    }

    /// Loads rows that were refused before everything else was there.
    async fn load_late(&self, loaded: &mut Loaded) -> Result<(), Cause> {
        let main = self.sessions.main();
        let rows = Rows {
            source: self.source,
            tables: Tables::New,
            tell: self.tell,
        };
        for left in std::mem::take(&mut loaded.left) {
            let is_left = |data: &&&TableData| data.table == left.table && data.rows > 0;
            let Some(data) = self.plan.app.iter().find(is_left) else {
                loaded.left.push(left);
                continue;
            };
            match rows.late(main, data).await? {
                Late::Loaded => loaded.expected.push(Expected::of(self.source, data)?),
                Late::Routed(parts) => {
                    loaded.expected.push(Expected::of(self.source, data)?);
                    let is_part = |one: &mut Expected| one.is_among(&parts);
                    let together: Vec<_> = loaded.expected.extract_if(.., is_part).collect();
                    let merged = table_comparison::merged(&together);
                    loaded.notes.push(Note::Routed {
                        table: left.table,
                        compared: merged.is_some(),
                    });
                    loaded.expected.extend(merged);
                }
                Late::Left(left) => loaded.left.push(left),
            }
        }
        Ok(())
    }

    /// Before rows come as well: they may need what was only refused too early.
    async fn try_again(&self, refusals: Vec<Refusal>) -> Result<Vec<Refusal>, Cause> {
        let source_path = &self.source.manifest.server.search_path;
        refusals::try_again(self.sessions.main(), source_path, refusals).await
    }

    /// What is refused is tried again later, unless nothing may be.
    fn bear(&self, mut refusals: Vec<Refusal>) -> Result<Vec<Refusal>, Cause> {
        if self.strict && !refusals.is_empty() {
            return Err(refusals.swap_remove(0).into_cause());
        }
        Ok(refusals)
    }

    /// The texts of a stage that this target needs, the platform's first.
    async fn scripts(&self, stage: Stage) -> Result<Statements<'_>, Cause> {
        let wanted = |scope: &Scope| match scope {
            Scope::Managed(schema) => self.absent.contains(schema),
            Scope::App => true,
            Scope::Attached => false,
        };
        let scripts = self.plan.chosen.scripts(stage);
        let wanted = scripts.filter(|chosen| wanted(&chosen.script.scope));
        Statements::read(self.source, wanted).await
    }
}
