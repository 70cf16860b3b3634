//! What is in a backup: every value as it was, and nothing stored twice.

use std::collections::BTreeSet;

use backup::{
    checksum,
    format::{Manifest, RowHash, TableData},
    pinned_session::PinnedSession,
    run::Figures,
    schema::{Name, quoted},
    segments,
};
use futures_util::TryStreamExt;
use local_supabase::postgres::TestDatabase;

use crate::{
    support,
    vault::{Vault, public},
};

/// A database with every value and shape that has to survive.
async fn awkward() -> TestDatabase {
    let database = support::migrated().await;
    support::session(&database)
        .await
        .batch_execute(include_str!("fixtures/values.sql"))
        .await
        .unwrap();
    database
}

async fn pinned(database: &TestDatabase) -> PinnedSession {
    let (url, ca) = support::direct(database).await;
    PinnedSession::open(&url, Some(&ca)).await.unwrap()
}

fn table<'a>(manifest: &'a Manifest, name: &Name) -> &'a TableData {
    let found = manifest.tables.iter().find(|table| table.table == *name);
    found.unwrap_or_else(|| panic!("{name} is not in the backup"))
}

/// The lines of a table's COPY text, sorted, straight from the server.
async fn lines(session: &PinnedSession, table: &TableData) -> Vec<Vec<u8>> {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(column)).collect();
    let copy = format!(
        "copy (select {} from only {}) to stdout",
        columns.join(", "),
        table.table
    );
    let stream = session.client().copy_out(&copy).await.unwrap();
    let rows: Vec<bytes::Bytes> = Box::pin(stream).try_collect().await.unwrap();
    sorted(&rows.concat())
}

fn sorted(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = text
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn every_row_of_every_table_is_in_the_backup_as_the_server_writes_it() {
    let database = awkward().await;
    let vault = Vault::new();
    let backup = vault.back_up(&database).await.unwrap();
    let manifest = vault.manifest(&backup.record).await;
    let session = pinned(&database).await;
    // What the run itself writes is another by now; nothing else has changed.
    for table in &manifest.tables {
        let text = vault.text(&manifest, table).await;
        let name = &table.table;
        let rows = sorted(&text);
        assert_eq!(rows.len() as u64, table.rows, "{name}");
        assert_eq!(rows, lines(&session, table).await, "{name}");
        let pieces: u64 = table.pieces.iter().map(|piece| piece.rows).sum();
        assert_eq!(pieces, table.rows, "{name}");
        let (count, sums) = checksum::read(session.client(), name, &table.columns, RowHash::Mixed)
            .await
            .unwrap();
        assert_eq!((count, &sums), (table.rows, &table.checksum), "{name}");
    }
}

#[tokio::test]
async fn every_table_that_holds_rows_is_in_the_backup_or_named_as_left_out() {
    let database = awkward().await;
    let vault = Vault::new();
    let backup = vault.back_up(&database).await.unwrap();
    let manifest = vault.manifest(&backup.record).await;
    let backed_up: BTreeSet<&Name> = manifest.tables.iter().map(|table| &table.table).collect();
    let client = support::session(&database).await;
    let rows = client
        .query(
            // A partitioned table holds no rows itself.
            "select nspname::text, relname::text, relkind = 'r'
             from pg_class
             join pg_namespace on pg_namespace.oid = relnamespace
             where relkind in ('r', 'p') and nspname not in ('pg_catalog', 'information_schema')",
            &[],
        )
        .await
        .unwrap();
    for row in rows {
        let name = Name {
            schema: row.get(0),
            name: row.get(1),
        };
        let plain = format!("{}.{}", name.schema, name.name);
        let is_named = backup
            .excluded
            .iter()
            .any(|excluded| excluded.what.contains(&plain));
        let holds_rows: bool = row.get(2);
        assert_eq!(
            backed_up.contains(&name),
            holds_rows && !is_named,
            "{name}: {:?}",
            backup.excluded
        );
    }
}

#[tokio::test]
async fn awkward_tables_are_in_the_backup_row_by_row() {
    let database = awkward().await;
    let vault = Vault::new();
    let backup = vault.back_up(&database).await.unwrap();
    let manifest = vault.manifest(&backup.record).await;
    for (name, rows) in [
        ("no_rows", ""),
        ("no_columns", "\n\n\n"),
        ("only_generated", "\n\n"),
        ("twice", "1\tx\n1\tx\n1\t\\N\n1\t\\N\n\\N\t\\N\n\\N\t\\N\n"),
        ("parent", "1\t10\n2\t20\n"),
        ("child", "10\t1\n20\t2\n"),
        ("tree", "1\t3\n2\t1\n3\t2\n"),
        ("Quoted \"table\"", "1\tx\ty\n"),
        ("measured_2025", "2025-06-01\t1\n"),
        ("measured_rest", "1999-01-01\t3\n2026-06-01\t2\n"),
        ("base", "1\tbase\n"),
        ("derived", "2\tderived\tx\n"),
    ] {
        let table = table(&manifest, &public(name));
        let text = vault.text(&manifest, table).await;
        assert_eq!(String::from_utf8(text).unwrap(), rows, "{name}");
        assert_eq!(table.pieces.is_empty(), rows.is_empty(), "{name}");
    }
    let schema = "Schéma.mit Punkt".to_owned();
    let name = "select".to_owned();
    let accented = table(&manifest, &Name { schema, name });
    let text = vault.text(&manifest, accented).await;
    assert_eq!(text, "Z\t3\na\t2\nb\t1\nä\t4\n".as_bytes());
}

#[tokio::test]
async fn a_value_larger_than_a_segment_stands_in_several() {
    let database = awkward().await;
    let vault = Vault::new();
    let backup = vault.back_up(&database).await.unwrap();
    let manifest = vault.manifest(&backup.record).await;
    let large = table(&manifest, &public("large"));
    let rows: Vec<u64> = large.pieces.iter().map(|piece| piece.rows).collect();
    let lengths: Vec<u64> = rows
        .iter()
        .zip(&large.pieces)
        .filter_map(|(rows, piece)| (*rows == 0).then_some(piece.raw_len))
        .collect();
    assert_eq!((rows.iter().sum::<u64>(), rows.last()), (3, Some(&1)));
    assert_eq!(lengths.len(), 7, "{rows:?}");
    assert!(lengths.iter().all(|length| *length == segments::MAX as u64));
    vault.assert_whole(&backup.record).await;
}

#[tokio::test]
async fn sequences_are_read_after_the_rows_and_stand_past_them() {
    let database = awkward().await;
    let client = support::session(&database).await;
    let insert = async || {
        let sql = "insert into public.ahead (t) values ('after the snapshot')";
        client.batch_execute(sql).await.is_ok()
    };
    let vault = Vault::new();
    let backup = vault.back_up_while(&database, insert).await.unwrap();
    let manifest = vault.manifest(&backup.record).await;
    let sequence = manifest
        .sequences
        .iter()
        .find(|state| state.sequence == public("ahead_id_seq"))
        .unwrap();
    assert_eq!((sequence.last_value, sequence.is_called), (2, true));
    let ahead = vault
        .text(&manifest, table(&manifest, &public("ahead")))
        .await;
    assert_eq!(ahead, b"1\tfrom the sequence\n1000\tabove the sequence\n");
}

#[tokio::test]
async fn appended_rows_store_little_again_where_keys_grow() {
    let figures = appended(
        "create table public.t (
             id bigint generated always as identity primary key, words text)",
        "insert into public.t (words)
         select repeat(md5(random()::text), 6) from generate_series(1, $)",
    )
    .await;
    assert_little_again(&figures);
}

#[tokio::test]
async fn appended_rows_store_little_again_where_only_their_time_grows() {
    let figures = appended(
        "truncate public.analytics_events",
        // Keys and times that are the same in every run are cut in the same places.
        "insert into public.analytics_events
             (id, event_name, properties, session_id, \"timestamp\", created_at)
         select md5(at::text)::uuid, 'page_view',
             jsonb_build_object('path', md5(random()::text), 'ref', md5(n::text)),
             md5((n / 10)::text), at, at
         from generate_series(1, $) as n,
             (select count(*) as there from public.analytics_events) as before,
             lateral (select timestamptz '2026-01-01' + (there + n) * interval '1.234567 s' as at) as times",
    )
    .await;
    assert_little_again(&figures);
    let [full, next] = figures.map(|figures| figures.reading);
    assert!(next.bytes_read * 10 < full.bytes_read, "{full:?} {next:?}");
}

#[tokio::test]
async fn appended_rows_store_little_again_where_no_order_can_be_asked_for() {
    let figures = appended(
        "create function public.f(text) returns text language plpgsql immutable
             as $$ begin return $1; end $$;
         create table public.t (
             id bigint generated always as identity primary key, words text);
         create index on public.t (public.f(left(words, 8)))",
        // Rows that are the same in every run are cut in the same places.
        "insert into public.t (words)
         select repeat(md5((there + n)::text), 6)
         from generate_series(1, $) as n, (select count(*) as there from public.t) as before",
    )
    .await;
    assert_little_again(&figures);
    let [full, next] = figures.map(|figures| figures.reading);
    // All of it, but for other tables that did not change.
    assert!(
        next.bytes_read * 100 > full.bytes_read * 95,
        "{full:?} {next:?}"
    );
}

/// A backup of many rows, and one after a hundredth of them was appended.
async fn appended(create: &str, insert: &str) -> [Figures; 2] {
    const ROWS: usize = 150_000;
    let database = support::migrated().await;
    let client = support::session(&database).await;
    let insert = |rows: usize| insert.replace('$', &rows.to_string());
    client.batch_execute(create).await.unwrap();
    client.batch_execute(&insert(ROWS)).await.unwrap();
    let vault = Vault::new();
    let full = vault.back_up(&database).await.unwrap();
    client.batch_execute(&insert(ROWS / 100)).await.unwrap();
    let next = vault.back_up(&database).await.unwrap();
    [full.figures, next.figures]
}

fn assert_little_again([full, next]: &[Figures; 2]) {
    assert!(full.reading.bytes_read > 29_000_000, "{full:?}");
    assert!(
        next.bytes_stored * 100 <= full.bytes_stored * 5,
        "{full:?} {next:?}"
    );
}
