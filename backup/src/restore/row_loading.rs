//! Rows of the app's tables, as COPY text.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use tokio_postgres::{Client, CopyInSink};

use super::{Cause, Event, Listener, restore_error::refused_rows, target_sessions::Sessions};
use crate::{format::TableData, opened_backup::OpenedBackup, restore_sql};

/// Pieces of one table that are fetched and opened while another is sent.
const LOOK_AHEAD: usize = 3;

/// Loads tables, as many at once as there are sessions.
pub(super) async fn load(
    source: &OpenedBackup<'_>,
    sessions: &Sessions,
    tables: &[&TableData],
    tell: Listener<'_>,
) -> Result<(), Cause> {
    let load = async |session, data: &&TableData| load_table(source, session, data, tell).await;
    sessions.each(tables, load).await.map(drop)
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
    tell: Listener<'_>,
) -> Result<(), Cause> {
    if data.pieces.is_empty() {
        return Ok(());
    }
    let table = &data.table;
    let begin = format!("begin; truncate only {table}");
    let frozen = session.batch_execute(&begin).await.is_ok();
    if !frozen {
        // Whoever does not own a table may still fill it.
        let again = session.batch_execute("rollback; begin").await;
        again.map_err(refused_rows(table))?;
    }
    let copy = restore_sql::copy(table, &data.columns, frozen);
    send(source, session, &copy, data, tell).await?;
    let commit = session.batch_execute("commit").await;
    commit.map_err(refused_rows(table))
}
