//! Rows that a living database has lost, brought back from a backup into the tables that
//! they are missing from.
//!
//! What is there stays as it is: a row comes back only if none with its key is there. All
//! of it is one transaction, in which the app's triggers and rules do not act, and which
//! ends without a trace unless every row that comes back finds what it refers to.
//!
//! - `live_tables`: the tables as they are now, and by which key their rows are known
//! - `absent_rows`: the backup's rows that are not there
//! - `owned_rows`: the rows that belong to some, by foreign keys
//! - `deleted_along`: rows of other tables that went with them
//! - `insertion`: putting them back

mod absent_rows;
mod deleted_along;
mod insertion;
mod live_tables;
mod owned_rows;

use std::collections::BTreeMap;

use secrecy::SecretString;
use tokio_postgres::Client;

use super::{Cause, Event, Listener, Orphans, Step, foreign_keys, restore_error::refused};
use crate::{
    format::{Snapshot, TableData},
    keys::Identities,
    opened_backup::OpenedBackup,
    pinned_session::PinnedSession,
    row_history::RowName,
    schema::Name,
    selection::{Chosen, Parts, Selection},
    store::Store,
};

use absent_rows::Absent;
use live_tables::LiveTable;

/// Which rows to bring back, and where to.
#[derive(Debug)]
pub struct LostRows<'a> {
    /// Where the backup lies.
    pub store: &'a Store,
    /// Which backup.
    pub snapshot: &'a Snapshot,
    /// What opens it.
    pub identities: &'a Identities,
    /// The living database, as its `DATABASE_URL`.
    pub into: &'a SecretString,
    /// What that server's certificate is verified with, besides public roots.
    pub ca: Option<&'a str>,
    /// The tables; of all their rows, unless some are named.
    pub tables: &'a [Name],
    /// Rows with what belongs to them: all that refer to them, and to those in turn. Where
    /// some are named, tables are not.
    pub whose: &'a [RowName],
    /// Whether anything is written; without it is only looked.
    pub write: bool,
    /// Who does it, as the audit log of the bundle has it where there is one.
    pub by: &'a str,
}

/// What was found, and what was done.
#[derive(Debug, PartialEq, Eq)]
pub struct BroughtBack {
    /// Table by table, each after those that its rows refer to.
    pub tables: Vec<TableRows>,
    /// Rows of other tables that were deleted along, and are missing too.
    pub along: Vec<Along>,
    /// Rows that would refer to none. If there are any, nothing was written.
    pub orphans: Vec<Orphans>,
    /// Tables whose rows may belong to the named ones, and of which nothing tells one from
    /// another: theirs were not looked for.
    pub keyless: Vec<Name>,
    /// Sequences that stood behind the rows, and were raised.
    pub sequences: Vec<String>,
    /// Whether it was written.
    pub written: bool,
}

/// The rows of one table.
#[derive(Debug, PartialEq, Eq)]
pub struct TableRows {
    /// The table as it is now: of a partition the whole that it is a part of.
    pub table: Name,
    /// Rows in the backup.
    pub in_backup: u64,
    /// Rows of these whose key is not there.
    pub missing: u64,
    /// Rows that were written. Fewer than are missing where another row has taken what
    /// has to be unique.
    pub inserted: u64,
    /// Columns of the backup that the table does not take any more.
    pub left: Vec<String>,
    /// Columns that the backup does not have, which take their defaults.
    pub defaults: Vec<String>,
}

/// Rows that were deleted along with others.
#[derive(Debug, PartialEq, Eq)]
pub struct Along {
    /// Their table.
    pub table: Name,
    /// The table whose missing rows they refer to.
    pub with: Name,
    /// How many.
    pub rows: u64,
}

/// How long a lock is waited for: the app waits behind whoever waits.
const LOCK_TIMEOUT: &str = "5s";

/// Looks for rows that are missing, and brings them back if that is asked for.
///
/// # Errors
/// See [`Cause`]; nothing was changed then, unless the session ended in the very commit.
pub async fn bring_back(request: LostRows<'_>, tell: Listener<'_>) -> Result<BroughtBack, Cause> {
    let source = OpenedBackup::open(request.store, request.snapshot, request.identities).await?;
    let named = request.whose.iter().map(|row| row.table.clone());
    let selection = Selection {
        parts: Parts::Data,
        tables: named.chain(request.tables.iter().cloned()).collect(),
        ..Selection::default()
    };
    let chosen = Chosen::of(&source.manifest, &selection)?;
    let session = PinnedSession::open(request.into, request.ca).await?;
    session.prove().await?;
    let begin = format!("begin; set local lock_timeout to '{LOCK_TIMEOUT}'");
    execute(session.client(), &begin).await?;
    let work = Work {
        source: &source,
        session: session.client(),
        tell,
    };
    let found = if request.whose.is_empty() {
        work.find(&chosen).await?
    } else {
        work.find_owned(request.whose).await?
    };
    let brought = if request.write && found.orphans.is_empty() {
        let brought = work.write(found).await?;
        write_audit(session.client(), &request, &brought).await?;
        brought
    } else {
        found.only_looked()
    };
    let end = if brought.written {
        "commit"
    } else {
        "rollback"
    };
    execute(session.client(), end).await?;
    session.close().await?;
    Ok(brought)
}

/// Writes into the bundle's audit log that rows came back, with them. A database without the
/// log has none to write.
async fn write_audit(
    session: &Client,
    request: &LostRows<'_>,
    brought: &BroughtBack,
) -> Result<(), Cause> {
    const THERE: &str = "select to_regprocedure('ops.write_audit(text, text, text, jsonb)') is not null
        and exists (
            select from pg_constraint
            where contypid = to_regtype('ops.audit_action') and pg_get_constraintdef(oid) ~ 'rows\\.restored'
        )";
    const ACT: &str = "select set_config('session_replication_role', 'origin', true)
        where current_setting('session_replication_role') = 'replica'";
    const WRITE: &str = "select ops.write_audit('rows.restored', $1, $2, $3::text::jsonb)";
    let failed = || refused("cannot write the audit log");
    let there = session.query_one(THERE, &[]).await.map_err(failed())?;
    if !there.get::<_, bool>(0) {
        return Ok(());
    }
    // The trigger that chains the log has to act again.
    execute(session, ACT).await?;
    let rows = |rows: &TableRows| (rows.table.to_string(), rows.inserted);
    let details: BTreeMap<String, u64> = brought.tables.iter().map(rows).collect();
    let details = serde_json::json!({ "rows": details }).to_string();
    let snapshot = request.snapshot.snapshot.as_str();
    session
        .execute(WRITE, &[&request.by, &snapshot, &details])
        .await
        .map_err(failed())?;
    Ok(())
}

/// Rows on their way back.
struct Work<'a> {
    source: &'a OpenedBackup<'a>,
    session: &'a Client,
    tell: Listener<'a>,
}

/// What is missing.
struct Found<'a> {
    absent: Vec<Absent<'a>>,
    along: Vec<Along>,
    orphans: Vec<Orphans>,
    keyless: Vec<Name>,
}

impl<'a> Work<'a> {
    async fn find(&self, chosen: &Chosen<'a>) -> Result<Found<'a>, Cause> {
        let wanted = self.live_tables(&chosen.tables).await?;
        let bytes = wanted.iter().flat_map(|table| &table.parts);
        let bytes = bytes.map(|data| super::restore_plan::length(data)).sum();
        (self.tell)(Event::Begun(Step::Rows, bytes));
        let mut absent = Vec::new();
        for table in wanted {
            let number = absent.len();
            absent.push(self.absent_rows(table, number, None).await?);
        }
        Ok(Found {
            orphans: self.orphans(&absent).await?,
            along: self.deleted_along(&absent).await?,
            absent,
            keyless: Vec::new(),
        })
    }

    /// Rows that would refer neither to what is there nor to what comes back with them.
    async fn orphans(&self, absent: &[Absent<'_>]) -> Result<Vec<Orphans>, Cause> {
        let mut orphans = Vec::new();
        for rows in absent {
            for key in foreign_keys::of(self.session, &rows.table.name).await? {
                if !rows.table.takes(&key.columns) {
                    continue;
                }
                let coming = absent.iter().filter(|other| {
                    other.table.name == key.refers_to && other.table.takes(&key.keys)
                });
                let coming: Vec<_> = coming.map(|other| other.place.clone()).collect();
                orphans.extend(key.orphans(self.session, &rows.place, &coming).await?);
            }
        }
        Ok(orphans)
    }

    /// The tables that some of the backup's are now, in the order in which rows come
    /// back.
    async fn live_tables(&self, parts: &[&'a TableData]) -> Result<Vec<LiveTable<'a>>, Cause> {
        let wholes = live_tables::wholes(self.session, parts.iter().copied()).await?;
        let gone = parts
            .iter()
            .filter(|data| !wholes.contains_key(&data.table));
        let gone: Vec<_> = gone.map(|data| data.table.to_string()).collect();
        if !gone.is_empty() {
            return Err(Cause::NoTables(gone));
        }
        let names: std::collections::BTreeSet<_> = wholes.values().cloned().collect();
        let names = foreign_keys::order(self.session, names.into_iter().collect()).await?;
        let mut tables = Vec::new();
        for name in names {
            let of_whole = |data: &&&TableData| wholes.get(&data.table) == Some(&name);
            let parts: Vec<_> = parts.iter().filter(of_whole).copied().collect();
            tables.push(LiveTable::read(self.session, name.clone(), parts).await?);
        }
        match tables.iter().find(|table| table.key.is_none()) {
            Some(keyless) => Err(Cause::NoKey(keyless.name.clone())),
            None => Ok(tables),
        }
    }
}

impl Found<'_> {
    fn only_looked(self) -> BroughtBack {
        BroughtBack {
            tables: self.absent.iter().map(|absent| absent.told(0)).collect(),
            along: self.along,
            orphans: self.orphans,
            keyless: self.keyless,
            sequences: Vec::new(),
            written: false,
        }
    }
}

async fn execute(session: &Client, sql: &str) -> Result<(), Cause> {
    let done = session.batch_execute(sql).await;
    done.map_err(refused("cannot bring rows back"))
}
