//! The snapshot and its keeper.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use jiff::Timestamp;
use outside::clock;
use tokio_postgres::Row;

use super::{SourceError, catalog_fingerprint::Fingerprint, lock_refused};
use crate::{
    format::ServerFacts,
    pinned_session::{PinnedSession, SessionError},
    schema::{Name, Table},
};

/// How long a lock may be waited for: ours, and those that the server takes to
/// tell how a view or a constraint is written.
const LOCK_TIMEOUT: &str = "5s";

/// How often is looked whether somebody waits for us, and how long they have
/// waited when we give way. Whoever reads the table waits behind them.
const LOOK: Duration = Duration::from_secs(1);
const PATIENCE: &str = "3s";

/// The control session, within the transaction that owns the snapshot. It ends
/// with it, and every reader's view with that.
#[derive(Debug)]
pub struct DatabaseSnapshot {
    control: PinnedSession,
    id: String,
    began: Began,
    catalog: Fingerprint,
    /// The server, as of the snapshot.
    pub server: ServerFacts,
    /// When the transaction began, by the database's clock: the snapshot holds
    /// everything that was committed by then.
    pub taken_at: Timestamp,
    /// The database's size in bytes.
    pub database_bytes: u64,
}

impl DatabaseSnapshot {
    /// Takes a snapshot.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn take(control: PinnedSession) -> Result<Self, SourceError> {
        let client = control.client();
        client
            .batch_execute(&format!(
                "begin isolation level repeatable read read only;
                 set local lock_timeout = '{LOCK_TIMEOUT}'"
            ))
            .await?;
        let row = client.query_one(FACTS, &[]).await?;
        let catalog = Fingerprint::read(client).await?;
        Ok(Self {
            id: row.get(0),
            began: Began::read(&control).await?,
            server: facts(&row),
            taken_at: taken_at(&row)?,
            database_bytes: row.get::<_, i64>(7).unsigned_abs(),
            catalog,
            control,
        })
    }

    /// The control session, which sees the snapshot.
    #[must_use]
    pub fn session(&self) -> &PinnedSession {
        &self.control
    }

    /// The name by which other sessions take it over.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Locks tables against everything that would change their shape, not their
    /// rows.
    ///
    /// # Errors
    /// [`SourceError::Busy`] if somebody is changing one, [`SourceError::Moved`]
    /// if one is gone.
    pub async fn lock(&self, tables: &[Table]) -> Result<(), SourceError> {
        if tables.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = tables
            .iter()
            .map(|table| format!("only {}", table.name))
            .collect();
        let sql = format!("lock table {} in access share mode", names.join(", "));
        let client = self.control.client();
        match client.batch_execute(&sql).await {
            Ok(()) => Ok(()),
            Err(error) => Err(lock_refused(&error, "a table")),
        }
    }

    /// Checks, once the schema has been read and its tables are locked, that
    /// both are still those of the snapshot. A table that was emptied by
    /// TRUNCATE or rewritten in between would look empty, or have rows of
    /// another shape. `outsider` is a session outside the snapshot.
    ///
    /// # Errors
    /// [`SourceError::Moved`] if anything changed.
    pub async fn guard(
        &self,
        outsider: &PinnedSession,
        tables: &[Table],
    ) -> Result<(), SourceError> {
        let rewritten = self.rewritten(tables).await?;
        if !rewritten.is_empty() {
            return Err(SourceError::Moved(listed(&rewritten)));
        }
        self.guard_catalog(outsider).await
    }

    /// The part of [`DatabaseSnapshot::guard`] that needs no tables.
    ///
    /// # Errors
    /// [`SourceError::Moved`] if anything changed.
    pub async fn guard_catalog(&self, outsider: &PinnedSession) -> Result<(), SourceError> {
        let now = Fingerprint::read(outsider.client()).await?;
        let differing = self.catalog.differing(&now);
        if differing.is_empty() {
            Ok(())
        } else {
            Err(SourceError::Moved(differing.join(", ")))
        }
    }

    /// Tables, the largest first.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn by_size<'a>(&self, tables: &'a [Table]) -> Result<Vec<&'a Table>, SourceError> {
        let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
        let rows = self
            .control
            .client()
            .query(
                "select position from unnest($1::oid[]) with ordinality as wanted (oid, position)
                 order by pg_table_size(oid) desc nulls last, position",
                &[&oids],
            )
            .await?;
        Ok(rows
            .iter()
            .filter_map(|row| usize::try_from(row.get::<_, i64>(0) - 1).ok())
            .filter_map(|index| tables.get(index))
            .collect())
    }

    /// Those of these relations of which the server may plan a query without running
    /// any of the app's code.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn plannable(&self, oids: &[u32]) -> Result<HashSet<u32>, SourceError> {
        let client = self.control.client();
        let rows = client
            .query(include_str!("sql/plannable.sql"), &[&oids])
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Returns when a change of one of our tables has waited too long for us.
    ///
    /// # Errors
    /// [`SourceError::Busy`], or that the session failed: it never returns
    /// otherwise.
    pub async fn give_way(&self) -> Result<Infallible, SourceError> {
        let held_up = held_up();
        loop {
            clock::wait(LOOK).await;
            let client = self.control.client();
            if let Some(row) = client.query_opt(&held_up, &[]).await? {
                return Err(SourceError::Busy(row.get(0)));
            }
        }
    }

    /// Checks that the transaction of the snapshot is still open.
    ///
    /// # Errors
    /// When it is not.
    pub async fn probe(&self) -> Result<(), SourceError> {
        self.began.probe(&self.control).await
    }

    /// Ends the transaction; the session is free for other things.
    ///
    /// # Errors
    /// When the session fails.
    pub async fn leave(self) -> Result<PinnedSession, SourceError> {
        self.control.client().batch_execute("rollback").await?;
        Ok(self.control)
    }

    /// Tables whose file is another than in the snapshot. The function answers
    /// by the catalogs of now, and with null for a table that is gone.
    async fn rewritten(&self, tables: &[Table]) -> Result<Vec<Name>, SourceError> {
        let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
        let rows = self
            .control
            .client()
            .query(
                "select position from unnest($1::oid[]) with ordinality as wanted (oid, position)
                 left join pg_catalog.pg_class as c on c.oid = wanted.oid
                 where c.relkind is distinct from 'p'
                     and (c.oid is null or c.relfilenode is distinct from pg_relation_filenode(c.oid))
                 order by position",
                &[&oids],
            )
            .await?;
        Ok(rows
            .iter()
            .filter_map(|row| usize::try_from(row.get::<_, i64>(0) - 1).ok())
            .filter_map(|index| tables.get(index))
            .map(|table| table.name.clone())
            .collect())
    }
}

/// The beginning of a transaction, by which it is told from any later one.
#[derive(Debug)]
pub(super) struct Began {
    at: String,
    snapshot: String,
}

impl Began {
    pub(super) async fn read(session: &PinnedSession) -> Result<Self, SourceError> {
        let row = session
            .client()
            .query_one("select now()::text, pg_current_snapshot()::text", &[])
            .await?;
        Ok(Self {
            at: row.get(0),
            snapshot: row.get(1),
        })
    }

    /// An error after the last row of a COPY shows in no stream, but the next
    /// statement of the session fails by it; and a session that lost its
    /// transaction has begun another.
    pub(super) async fn probe(&self, session: &PinnedSession) -> Result<(), SourceError> {
        session.prove().await?;
        let now = Self::read(session).await?;
        if now.at == self.at && now.snapshot == self.snapshot {
            Ok(())
        } else {
            let lost = "the session lost its transaction".to_owned();
            Err(SessionError::Failed(lost).into())
        }
    }
}

/// A table of ours that somebody waits for. The view of locks is of now, even
/// in a snapshot.
fn held_up() -> String {
    format!(
        "select format('%I.%I', n.nspname, c.relname)
         from pg_catalog.pg_locks as waiting
         join pg_catalog.pg_locks as ours on ours.relation = waiting.relation
             and ours.database = waiting.database and ours.pid = pg_backend_pid() and ours.granted
         join pg_catalog.pg_class as c on c.oid = waiting.relation
         join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
         where not waiting.granted and waiting.mode = 'AccessExclusiveLock'
             and waiting.waitstart < clock_timestamp() - interval '{PATIENCE}'
         limit 1"
    )
}

/// A role's own path hides the database's from its sessions, while those of the app's other
/// roles begin with that: both are told, one behind the other.
const FACTS: &str = "select pg_export_snapshot(),
    to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
    current_setting('server_version_num')::int, current_setting('server_version'),
    current_database()::text,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text,
    pg_current_snapshot()::text, pg_database_size(current_database()),
    concat_ws(', ', (select reset_val from pg_settings where name = 'search_path'),
        (select substr(setting, length('search_path=') + 1)
         from pg_db_role_setting s cross join unnest(s.setconfig) as setting
         join pg_database d on d.oid = s.setdatabase
         where s.setrole = 0 and d.datname = current_database()
             and starts_with(setting, 'search_path=')))";

fn facts(row: &Row) -> ServerFacts {
    ServerFacts {
        version_num: row.get::<_, i32>(2).unsigned_abs(),
        version: row.get(3),
        database: row.get(4),
        wal_lsn: row.get(5),
        snapshot: row.get(6),
        search_path: row.get(8),
    }
}

fn taken_at(row: &Row) -> Result<Timestamp, SourceError> {
    row.get::<_, &str>(1)
        .parse()
        .map_err(|_| SessionError::Failed("the server's clock is unreadable".to_owned()).into())
}

fn listed(names: &[Name]) -> String {
    let names: Vec<String> = names.iter().map(Name::to_string).collect();
    names.join(", ")
}
