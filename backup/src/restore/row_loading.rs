//! Rows of the app's tables, as COPY text.

use std::{collections::BTreeMap, pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream::FuturesOrdered};
use tokio::task;
use tokio_postgres::{Client, CopyInSink, Row};

use super::{
    Cause, Event, Listener, domain_checks,
    firing::{Fires, Firing},
    foreign_keys,
    refusals::{Missing, Refusal},
    restore_error::{DomainCheck, refused, refused_rows},
    target_sessions::Sessions,
};
use crate::{
    catalogue::ReadError,
    checksum::RowSums,
    format::{Piece, TableData},
    masking::MaskedTable,
    opened_backup::OpenedBackup,
    restore_sql,
    schema::Name,
    stored_rows,
};

/// Pieces of one table that are fetched and opened while another is sent.
const LOOK_AHEAD: usize = 3;

/// A table that takes no rows.
pub(super) struct Left {
    pub(super) table: Name,
    /// How many it would have taken.
    pub(super) rows: u64,
    reason: String,
    check: Option<Box<DomainCheck>>,
}

impl Left {
    /// In the words of a restore that ends at it.
    pub(super) fn cause(&self) -> Cause {
        Cause::RefusedRows {
            table: self.table.clone(),
            reason: self.reason.clone(),
            check: self.check.clone(),
        }
    }
}

impl From<Left> for Missing {
    fn from(left: Left) -> Self {
        Self {
            what: format!("rows of {}", left.table),
            reason: left.reason,
            statement: String::new(),
        }
    }
}

/// What came of rows when everything else was there.
pub(super) enum Late {
    Loaded,
    /// They came into others of these tables: a partitioned one, and all its parts.
    Routed(Vec<Name>),
    Left(Left),
}

/// The tables that rows come into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    /// Made by this restore, with nothing on them that acts.
    New,
    /// Somebody else's, on which triggers and rules fire in sessions like these.
    There(Fires),
}

/// Some rows of a table.
pub(super) struct SomeRows<'a> {
    /// The pieces that may hold them.
    pub(super) groups: Vec<&'a [Piece]>,
    /// Whether one is among them.
    pub(super) is_wanted: &'a (dyn Fn(&[u8]) -> bool + Sync),
}

/// How rows are loaded.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) source: &'a OpenedBackup<'a>,
    pub(super) tables: Tables,
    pub(super) tell: Listener<'a>,
}

impl Rows<'_> {
    /// Loads tables, as many at once as there are sessions. Answers with those that take
    /// no rows.
    pub(super) async fn together(
        self,
        sessions: &Sessions,
        tables: &[&TableData],
    ) -> Result<Vec<Left>, Cause> {
        let left = sessions.each(tables, |session, data| self.load_or_leave(session, data));
        Ok(left.await?.into_iter().flatten().collect())
    }

    /// Loads tables one after the other, each after those that its rows refer to.
    pub(super) async fn one_by_one(
        self,
        session: &Client,
        tables: &[&TableData],
    ) -> Result<Vec<Left>, Cause> {
        let names = tables.iter().map(|data| data.table.clone()).collect();
        let mut left = Vec::new();
        for name in foreign_keys::order(session, names).await? {
            for data in tables.iter().filter(|data| data.table == name) {
                left.extend(self.load_or_leave(session, data).await?);
            }
        }
        Ok(left)
    }

    /// What computes a column may find its names only where the source's own sessions
    /// do, so rows that are refused are tried once more there.
    async fn load_or_leave(
        self,
        session: &Client,
        data: &TableData,
    ) -> Result<Option<Left>, Cause> {
        if data.pieces.is_empty() {
            return find(session, data).await;
        }
        let first = self.load_table(session, data, "").await;
        if !matches!(first, Err(Cause::RefusedRows { .. })) {
            return first.map(|()| None);
        }
        roll_back(session, &data.table).await?;
        let again = Self {
            tell: &|_| {},
            ..self
        };
        let source_path = &self.source.manifest.server.search_path;
        match again.load_table(session, data, source_path).await {
            Err(Cause::RefusedRows {
                table,
                reason,
                check,
            }) => {
                roll_back(session, &table).await?;
                Ok(Some(Left {
                    table,
                    rows: data.rows,
                    reason,
                    check,
                }))
            }
            done => done.map(|()| None),
        }
    }

    /// Takes the checks of domains off that rows of these tables break, and loads the
    /// tables without them. Answers with those that take no rows all the same, and with
    /// what makes the checks again.
    pub(super) async fn without_checks(
        self,
        session: &Client,
        tables: &[&TableData],
        mut left: Vec<Left>,
    ) -> Result<(Vec<Left>, Vec<Refusal>), Cause> {
        let mut without_rows = Vec::new();
        let mut lifted: BTreeMap<DomainCheck, Refusal> = BTreeMap::new();
        while let Some(refused) = left.pop() {
            if let Some(check) = &refused.check
                && !lifted.contains_key(check)
                && let Some(off) = domain_checks::lift(session, check, &refused.reason).await?
            {
                lifted.insert((**check).clone(), off);
            }
            let is_free = refused
                .check
                .as_ref()
                .is_some_and(|check| lifted.contains_key(check));
            match tables.iter().find(|data| data.table == refused.table) {
                Some(data) if is_free => left.extend(self.load_or_leave(session, data).await?),
                _ => without_rows.push(refused),
            }
        }
        Ok((without_rows, lifted.into_values().collect()))
    }

    /// Loads a table once more when everything else is there, which its rows may need.
    /// Those of a partition that it does not take any more are loaded through the whole
    /// table.
    pub(super) async fn late(self, session: &Client, data: &TableData) -> Result<Late, Cause> {
        let there = Self {
            tables: Tables::There(Fires::Ordinarily),
            tell: &|_| {},
            ..self
        };
        let Some(left) = there.load_or_leave(session, data).await? else {
            return Ok(Late::Loaded);
        };
        if self.source.masks().is_some() {
            // The masks are those of this partition.
            return Ok(Late::Left(left));
        }
        let parts = partitions_beside(session, &data.table).await?;
        let Some(whole) = parts.first().filter(|whole| **whole != data.table) else {
            return Ok(Late::Left(left));
        };
        let through_whole = TableData {
            table: whole.clone(),
            ..data.clone()
        };
        match there.load_or_leave(session, &through_whole).await? {
            None => Ok(Late::Routed(parts)),
            Some(_) => Ok(Late::Left(left)),
        }
    }

    async fn load_table(self, session: &Client, data: &TableData, path: &str) -> Result<(), Cause> {
        let table = &data.table;
        let begin = format!(
            "begin; select set_config('search_path', {}, true)",
            restore_sql::literal(path)
        );
        let frozen = match self.tables {
            Tables::New => begin_emptied(session, table, &begin).await?,
            Tables::There(_) => {
                let started = session.batch_execute(&begin).await;
                started.map_err(refused_rows(table))?;
                false
            }
        };
        may_begin(session, data).await?;
        let firing = self.tables.firing(session, table).await?;
        let off = session.batch_execute(&firing.off).await;
        off.map_err(refused_rows(table))?;
        let copy = restore_sql::copy(table, &data.columns, frozen);
        send(self.source, session, &copy, data, self.tell).await?;
        let commit = if firing.is_none() {
            "commit".to_owned()
        } else {
            // A trigger cannot be turned on while a deferred constraint waits.
            format!("set constraints all immediate; {} commit", firing.on)
        };
        let commit = session.batch_execute(&commit).await;
        commit.map_err(refused_rows(table))
    }
}

impl Tables {
    /// What has to be turned off on one of them.
    pub(super) async fn firing(self, session: &Client, table: &Name) -> Result<Firing, Cause> {
        match self {
            Self::New => Ok(Firing::default()),
            Self::There(fires) => Firing::of(session, table, fires).await,
        }
    }
}

/// Begins with a table that was emptied in the same transaction, which takes rows that
/// need no second visit: frozen, and on a server without replicas not even logged.
/// Answers whether that is so: whoever does not own a table may still fill it.
async fn begin_emptied(session: &Client, table: &Name, begin: &str) -> Result<bool, Cause> {
    let truncate = format!("{begin}; truncate only {table}");
    if session.batch_execute(&truncate).await.is_ok() {
        return Ok(true);
    }
    let again = session.batch_execute(&format!("rollback; {begin}")).await;
    again.map_err(refused_rows(table))?;
    Ok(false)
}

/// Makes sure that a COPY into a table begins. A session in which one was refused at once
/// answers each later question with what belongs to the one before.
async fn may_begin(session: &Client, data: &TableData) -> Result<(), Cause> {
    const MAY: &str = "\
select to_regclass($1) is not null,
       (select coalesce(bool_and(has_column_privilege(to_regclass($1), name, 'insert')), true)
        from unnest($2::text[]) as name)";
    let table = &data.table;
    let row = session
        .query_one(MAY, &[&table.to_string(), &data.columns])
        .await;
    let row = row.map_err(refused_rows(table))?;
    let reason = match (row.get(0), row.get(1)) {
        (false, _) => "there is no such table",
        (true, Some(false)) => "the role may not insert rows there",
        (true, Some(true) | None) => return Ok(()),
    };
    Err(Cause::RefusedRows {
        table: table.clone(),
        reason: reason.to_owned(),
        check: None,
    })
}

/// Asks for a table that has no rows to load.
async fn find(session: &Client, data: &TableData) -> Result<Option<Left>, Cause> {
    let table = &data.table;
    let found = session
        .batch_execute(&format!("select from only {table} limit 0"))
        .await;
    match found.map_err(refused_rows(table)) {
        Err(Cause::RefusedRows {
            table,
            reason,
            check,
        }) => Ok(Some(Left {
            table,
            rows: 0,
            reason,
            check,
        })),
        done => done.map(|()| None),
    }
}

/// The table that a table is a part of in the end, or itself, and all its parts.
async fn partitions_beside(session: &Client, table: &Name) -> Result<Vec<Name>, Cause> {
    const TREE: &str = "\
select n.nspname::text, c.relname::text
from pg_class t
cross join lateral (
    select relid, level from pg_partition_tree(pg_partition_root(t.oid))
    union all
    select t.oid, 0 where pg_partition_root(t.oid) is null
) as tree
join pg_class c on c.oid = tree.relid
join pg_namespace n on n.oid = c.relnamespace
where t.oid = to_regclass($1)
order by tree.level";
    let rows = session.query(TREE, &[&table.to_string()]).await;
    let rows = rows.map_err(refused(format!("cannot look at {table}")))?;
    let name = |row: &Row| Name {
        schema: row.get(0),
        name: row.get(1),
    };
    Ok(rows.iter().map(name).collect())
}

async fn roll_back(session: &Client, table: &Name) -> Result<(), Cause> {
    let done = session.batch_execute("rollback").await;
    done.map_err(refused_rows(table))
}

/// Sends one table's rows to a COPY that waits for them, masked where that was asked for.
pub(super) async fn send(
    source: &OpenedBackup<'_>,
    session: &Client,
    copy: &str,
    data: &TableData,
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let table = &data.table;
    if let Some(masks) = source.masks() {
        let masked = masks.table(table)?;
        return send_masked(source, session, copy, data, masked, tell).await;
    }
    let sink: CopyInSink<Bytes> = session.copy_in(copy).await.map_err(refused_rows(table))?;
    let mut sink = pin!(sink);
    // No stream of closures: whether another thread may take one cannot be proven.
    let mut pieces = data.pieces.iter();
    let mut reading = FuturesOrdered::new();
    loop {
        while reading.len() < LOOK_AHEAD
            && let Some(piece) = pieces.next()
        {
            reading.push_back(source.piece(piece));
        }
        let Some(text) = reading.next().await else {
            break;
        };
        let text = text?;
        let length = text.len() as u64;
        sink.send(text).await.map_err(refused_rows(table))?;
        tell(Event::Advanced(length));
    }
    let rows = sink.finish().await.map_err(refused_rows(table))?;
    if rows != data.rows {
        return Err(Cause::Different(vec![table.clone()]));
    }
    Ok(())
}

/// The same for rows that are masked before they leave.
async fn send_masked(
    source: &OpenedBackup<'_>,
    session: &Client,
    copy: &str,
    data: &TableData,
    masked: &Arc<MaskedTable>,
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let table = &data.table;
    let sink: CopyInSink<Bytes> = session.copy_in(copy).await.map_err(refused_rows(table))?;
    let mut sink = pin!(sink);
    let mut sums = RowSums::default();
    for pieces in stored_rows::groups(data) {
        let text = source.rows(pieces).await?;
        let length = text.len() as u64;
        let masked = Arc::clone(masked);
        let applied = task::spawn_blocking(move || masked.apply(&text)).await;
        let rows = applied.map_err(|_| Cause::Backup(ReadError::Cancelled))?;
        sums += rows.sums;
        let sent = sink.send(rows.text.into()).await;
        sent.map_err(refused_rows(table))?;
        tell(Event::Advanced(length));
    }
    let rows = sink.finish().await.map_err(refused_rows(table))?;
    if rows != data.rows {
        return Err(Cause::Different(vec![table.clone()]));
    }
    masked.note_sent(sums);
    Ok(())
}

/// Sends some rows of a table to a COPY that waits for them, and answers with how many they are
/// and with their sums.
pub(super) async fn send_some(
    source: &OpenedBackup<'_>,
    session: &Client,
    copy: &str,
    data: &TableData,
    some: &SomeRows<'_>,
    tell: Listener<'_>,
) -> Result<(u64, RowSums), Cause> {
    let table = &data.table;
    let sink: CopyInSink<Bytes> = session.copy_in(copy).await.map_err(refused_rows(table))?;
    let mut sink = pin!(sink);
    let (mut count, mut sums) = (0, RowSums::default());
    for pieces in &some.groups {
        let text = source.rows(pieces).await?;
        let mut wanted = Vec::new();
        for row in stored_rows::rows(&text).filter(|row| (some.is_wanted)(row)) {
            wanted.extend_from_slice(row);
            wanted.push(b'\n');
            count += 1;
        }
        sums += RowSums::of(&wanted, data.columns.len(), source.manifest.row_hash);
        sink.send(wanted.into())
            .await
            .map_err(refused_rows(table))?;
        tell(Event::Advanced(text.len() as u64));
    }
    let rows = sink.finish().await.map_err(refused_rows(table))?;
    if rows != count {
        return Err(Cause::Different(vec![table.clone()]));
    }
    Ok((count, sums))
}
