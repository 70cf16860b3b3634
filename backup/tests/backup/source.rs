//! Reading: the snapshot and its guard, rows.

use backup::{
    pinned_session::{PinnedSession, SessionError},
    schema::{Column, Name, Scope, Table},
    segments::Cutter,
    source::{Access, DatabaseSnapshot, SegmentedRows, SnapshotReader, SourceError},
};
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use local_supabase::postgres::TestDatabase;
use tokio_postgres::Client;

use crate::support::{self, until};

async fn open(database: &TestDatabase) -> PinnedSession {
    let (url, ca) = support::direct(database).await;
    PinnedSession::open(&url, Some(&ca)).await.unwrap()
}

/// A table as the catalogs describe it, without a key.
async fn table(client: &Client, name: &str) -> Table {
    let rows = client
        .query(
            "select attname::text, format_type(atttypid, atttypmod), attrelid
             from pg_attribute
             where attrelid = ('public.' || quote_ident($1))::regclass and attnum > 0
             order by attnum",
            &[&name],
        )
        .await
        .unwrap();
    Table {
        name: Name {
            schema: "public".into(),
            name: name.into(),
        },
        oid: rows[0].get(2),
        scope: Scope::App,
        columns: rows
            .iter()
            .map(|row| Column {
                name: row.get(0),
                type_sql: row.get(1),
                generated: false,
                default_sql: None,
                not_null: false,
            })
            .collect(),
        primary_key: Vec::new(),
    }
}

/// Reads a recorded stream to its end: the rows, or why not.
async fn replay(
    chunks: Vec<Result<Bytes, SessionError>>,
    rows: u64,
) -> Result<Vec<u8>, SourceError> {
    let name = Name {
        schema: "public".into(),
        name: "t".into(),
    };
    let mut rows = SegmentedRows::new(
        stream::iter(chunks),
        name,
        Cutter::new(Some(vec![0])),
        Some(rows),
    );
    let mut text = Vec::new();
    while let Some(segment) = rows.next().await? {
        text.extend(segment.bytes);
    }
    Ok(text)
}

/// What a server sends for a small table, message by message.
async fn recorded() -> Vec<Bytes> {
    let database = TestDatabase::empty().await.unwrap();
    let session = open(&database).await;
    let copy = r"copy (select n, repeat('é', n % 7), e'a\nb\tc\\d\r' from generate_series(1, 40) as n) to stdout";
    let stream = session.client().copy_out(copy).await.unwrap();
    Box::pin(stream).try_collect().await.unwrap()
}

fn cut(chunks: &[Bytes], mut at: usize) -> Vec<Result<Bytes, SessionError>> {
    let mut kept = Vec::new();
    for chunk in chunks {
        let length = chunk.len().min(at);
        if length > 0 {
            kept.push(Ok(chunk.slice(..length)));
        }
        at -= length;
    }
    kept
}

#[tokio::test]
async fn a_stream_cut_at_any_byte_is_never_taken_for_a_whole_one() {
    let chunks = recorded().await;
    let whole = chunks.concat();
    assert_eq!(replay(cut(&chunks, whole.len()), 40).await.unwrap(), whole);
    for at in 0..whole.len() {
        // The stream just ends: as if the server had finished.
        let error = replay(cut(&chunks, at), 40).await.unwrap_err();
        assert!(
            matches!(error, SourceError::Torn { .. }),
            "at {at}: {error}"
        );
        // The stream breaks.
        let mut broken = cut(&chunks, at);
        broken.push(Err(SessionError::Failed("connection closed".into())));
        let error = replay(broken, 40).await.unwrap_err();
        assert!(matches!(error, SourceError::Session(_)), "at {at}: {error}");
    }
    // Even at the last byte an error counts.
    let mut broken = cut(&chunks, whole.len());
    broken.push(Err(SessionError::Failed("connection closed".into())));
    assert!(replay(broken, 40).await.is_err());
}

#[tokio::test]
async fn rows_are_the_same_however_the_stream_is_split() {
    let whole = Bytes::from(recorded().await.concat());
    for size in [1, 2, 3, 7, 64, whole.len()] {
        let chunks = (0..whole.len())
            .step_by(size)
            .map(|at| Ok(whole.slice(at..whole.len().min(at + size))))
            .collect();
        assert_eq!(replay(chunks, 40).await.unwrap(), whole, "by {size}");
    }
}

#[tokio::test]
async fn more_rows_than_were_counted_are_refused() {
    let chunks = recorded().await;
    let length = chunks.concat().len();
    let error = replay(cut(&chunks, length), 39).await.unwrap_err();
    assert!(error.to_string().contains("40 of 39 rows"), "{error}");
}

async fn prepared() -> (TestDatabase, Client) {
    let database = TestDatabase::empty().await.unwrap();
    let client = support::session(&database).await;
    client
        .batch_execute(
            "create table public.t (a int, b text);
             insert into public.t select n, 'row ' || n from generate_series(1, 100) as n;
             create table public.u (a int)",
        )
        .await
        .unwrap();
    (database, client)
}

#[tokio::test]
async fn whatever_changes_between_the_snapshot_and_the_locks_is_noticed() {
    for change in [
        "truncate public.t",
        "vacuum full public.t",
        "alter table public.t add column c int",
        "alter table public.t alter column a type bigint",
        "alter table public.t drop column b",
        "drop table public.t; create table public.t (a int, b text)",
        "create table public.later (a int)",
        "create view public.v as select 1 as one",
        "create function public.f() returns int language sql as 'select 1'",
        "drop table public.u",
        "grant select on public.u to anon",
        "comment on table public.u is 'x'",
    ] {
        let (database, client) = prepared().await;
        let tables = [table(&client, "t").await];
        let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
        client.batch_execute(change).await.unwrap();
        snapshot.lock(&tables).await.unwrap();
        let outsider = open(&database).await;
        let moved = snapshot.guard(&outsider, &tables).await;
        assert!(
            matches!(moved, Err(SourceError::Moved(_))),
            "{change}: {moved:?}"
        );
    }
}

#[tokio::test]
async fn a_table_that_is_gone_before_it_is_locked_is_a_change() {
    let (database, client) = prepared().await;
    let tables = [table(&client, "t").await];
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    client.batch_execute("drop table public.t").await.unwrap();
    let moved = snapshot.lock(&tables).await;
    assert!(matches!(moved, Err(SourceError::Moved(_))), "{moved:?}");
}

#[tokio::test]
async fn rows_temporary_tables_and_statistics_are_no_change() {
    let (database, client) = prepared().await;
    let tables = [table(&client, "t").await];
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    client
        .batch_execute(
            "insert into public.t values (101, 'late');
             delete from public.t where a < 10;
             create temporary table fleeting (id serial primary key, e text not null default 'x');
             create temporary view seen as select * from fleeting;
             analyze public.t",
        )
        .await
        .unwrap();
    client.batch_execute("vacuum public.t").await.unwrap();
    snapshot.lock(&tables).await.unwrap();
    let outsider = open(&database).await;
    snapshot.guard(&outsider, &tables).await.unwrap();

    let reader = SnapshotReader::join(open(&database).await, snapshot.id())
        .await
        .unwrap();
    let opened = reader.open(&tables[0], Access::Ordered).await.unwrap();
    let mut reading = reader.read(&opened).await.unwrap();
    assert_eq!(reading.count, Some(100));
    let segment = reading.rows.next().await.unwrap().unwrap();
    assert!(segment.bytes.starts_with(b"1\trow 1\n"));
    assert!(reading.rows.next().await.unwrap().is_none());
    reader.probe().await.unwrap();
    snapshot.probe().await.unwrap();
}

#[tokio::test]
async fn a_change_that_waits_for_our_lock_makes_the_next_reader_give_way() {
    let (database, client) = prepared().await;
    let tables = [table(&client, "t").await];
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    snapshot.lock(&tables).await.unwrap();
    let reader = SnapshotReader::join(open(&database).await, snapshot.id())
        .await
        .unwrap();
    let watcher = support::session(&database).await;
    let altering = tokio::spawn(async move {
        client
            .batch_execute("alter table public.t add column c int")
            .await
    });
    until(
        &watcher,
        "select exists (select from pg_locks
             where relation = 'public.t'::regclass and not granted)",
    )
    .await;
    let busy = reader
        .open(&tables[0], Access::Ordered)
        .await
        .err()
        .unwrap();
    assert!(matches!(busy, SourceError::Busy(_)), "{busy}");
    drop((reader, snapshot));
    altering.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_change_that_waits_while_a_table_is_read_is_given_way_to() {
    let (database, client) = prepared().await;
    let tables = [table(&client, "t").await];
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    snapshot.lock(&tables).await.unwrap();
    let reader = SnapshotReader::join(open(&database).await, snapshot.id())
        .await
        .unwrap();
    let opened = reader.open(&tables[0], Access::Ordered).await.unwrap();
    reader.read(&opened).await.unwrap();
    let altering = tokio::spawn(async move {
        // Not held up by a backup: it only waits for one that reads its table.
        client
            .batch_execute("alter table public.u add column c int")
            .await?;
        client
            .batch_execute("alter table public.t add column c int")
            .await
    });
    let busy = snapshot.give_way().await.unwrap_err();
    assert!(
        matches!(&busy, SourceError::Busy(table) if table == "public.t"),
        "{busy}"
    );
    assert!(!altering.is_finished());
    drop((reader, snapshot));
    altering.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lock_that_is_not_had_in_time_is_not_waited_for() {
    let (database, client) = prepared().await;
    let tables = [table(&client, "t").await];
    client
        .batch_execute("begin; lock table public.t in access exclusive mode")
        .await
        .unwrap();
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    let busy = snapshot.lock(&tables).await;
    assert!(matches!(busy, Err(SourceError::Busy(_))), "{busy:?}");
}

#[tokio::test]
async fn a_lost_transaction_is_noticed_by_the_probe() {
    let (database, _client) = prepared().await;
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    snapshot.probe().await.unwrap();
    snapshot
        .session()
        .client()
        .batch_execute("commit; begin isolation level repeatable read read only")
        .await
        .unwrap();
    assert!(snapshot.probe().await.is_err());
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    let failing = snapshot.session().client();
    failing.batch_execute("select 1 / 0").await.unwrap_err();
    assert!(snapshot.probe().await.is_err());
}

#[tokio::test]
async fn a_reader_cannot_join_a_snapshot_that_has_ended() {
    let (database, _client) = prepared().await;
    let snapshot = DatabaseSnapshot::take(open(&database).await).await.unwrap();
    let id = snapshot.id().to_owned();
    snapshot.leave().await.unwrap().close().await.unwrap();
    let error = SnapshotReader::join(open(&database).await, &id)
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Session(_)), "{error}");
}
