//! Rows of the app's tables, as COPY text.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use tokio_postgres::{Client, CopyInSink};

use super::{
    Cause, Event, Listener,
    refusals::{Missing, PROJECT_PATH},
    restore_error::refused_rows,
    target_sessions::Sessions,
};
use crate::{format::TableData, opened_backup::OpenedBackup, restore_sql, schema::Name};

/// Pieces of one table that are fetched and opened while another is sent.
const LOOK_AHEAD: usize = 3;

/// A table that takes no rows.
pub(super) struct Left {
    pub(super) table: Name,
    /// How many it would have taken.
    pub(super) rows: u64,
    reason: String,
}

impl Left {
    /// In the words of a restore that ends at it.
    pub(super) fn cause(&self) -> Cause {
        Cause::RefusedRows {
            table: self.table.clone(),
            reason: self.reason.clone(),
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

/// Loads tables, as many at once as there are sessions. Answers with those that take
/// no rows.
pub(super) async fn load(
    source: &OpenedBackup<'_>,
    sessions: &Sessions,
    tables: &[&TableData],
    tell: Listener<'_>,
) -> Result<Vec<Left>, Cause> {
    let load = async |session, data: &&TableData| load_or_leave(source, session, data, tell).await;
    let left = sessions.each(tables, load).await?;
    Ok(left.into_iter().flatten().collect())
}

/// What computes a column may find its names only where the project's own sessions
/// do, so rows that are refused are tried once more there.
async fn load_or_leave(
    source: &OpenedBackup<'_>,
    session: &Client,
    data: &TableData,
    tell: Listener<'_>,
) -> Result<Option<Left>, Cause> {
    if data.pieces.is_empty() {
        return find(session, data).await;
    }
    let first = load_table(source, session, data, "''", tell).await;
    if !matches!(first, Err(Cause::RefusedRows { .. })) {
        return first.map(|()| None);
    }
    roll_back(session, &data.table).await?;
    match load_table(source, session, data, PROJECT_PATH, &|_| {}).await {
        Err(Cause::RefusedRows { table, reason }) => {
            roll_back(session, &table).await?;
            Ok(Some(Left {
                table,
                rows: data.rows,
                reason,
            }))
        }
        done => done.map(|()| None),
    }
}

/// Looks whether a table that has no rows is there.
async fn find(session: &Client, data: &TableData) -> Result<Option<Left>, Cause> {
    let table = data.table.clone();
    let found = session
        .batch_execute(&format!("select from only {table} limit 0"))
        .await;
    match found.map_err(refused_rows(&table)) {
        Err(Cause::RefusedRows { table, reason }) => Ok(Some(Left {
            table,
            rows: 0,
            reason,
        })),
        done => done.map(|()| None),
    }
}

async fn roll_back(session: &Client, table: &Name) -> Result<(), Cause> {
    let done = session.batch_execute("rollback").await;
    done.map_err(refused_rows(table))
}

/// Sends one table's pieces to a COPY that waits for them.
pub(super) async fn send(
    source: &OpenedBackup<'_>,
    session: &Client,
    copy: &str,
    data: &TableData,
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let table = &data.table;
    let sink: CopyInSink<Bytes> = session.copy_in(copy).await.map_err(refused_rows(table))?;
    let mut sink = pin!(sink);
    let mut pieces = stream::iter(&data.pieces)
        .map(|piece| source.piece(piece))
        .buffered(LOOK_AHEAD);
    while let Some(text) = pieces.next().await {
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

/// A table that was emptied in the same transaction takes rows that need no
/// second visit: frozen, and on a server without replicas not even logged.
async fn load_table(
    source: &OpenedBackup<'_>,
    session: &Client,
    data: &TableData,
    path: &str,
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let table = &data.table;
    let begin = format!("begin; set local search_path to {path}");
    let truncate = format!("{begin}; truncate only {table}");
    let frozen = session.batch_execute(&truncate).await.is_ok();
    if !frozen {
        // Whoever does not own a table may still fill it.
        let again = format!("rollback; {begin}");
        let again = session.batch_execute(&again).await;
        again.map_err(refused_rows(table))?;
    }
    let copy = restore_sql::copy(table, &data.columns, frozen);
    send(source, session, &copy, data, tell).await?;
    let commit = session.batch_execute("commit").await;
    commit.map_err(refused_rows(table))
}
