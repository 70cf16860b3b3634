//! Whole runs: what they leave in the store, and what they leave alone.

use std::{cell::Cell, time::Duration};

use backup::run::{self, Request, RunError};
use local_supabase::postgres::TestDatabase;
use outside::clock::{self, Deadline};
use tokio_postgres::Client;

use crate::{
    proxy::{End, Proxy},
    support::{self, until},
    vault::{Vault, public},
};

/// A database with a table of some segments and a small one.
pub(crate) async fn prepared() -> (TestDatabase, Client) {
    let database = support::migrated().await;
    let client = support::session(&database).await;
    client
        .batch_execute(
            "create table public.t (id bigint generated always as identity primary key, words text);
             insert into public.t (words)
             select repeat(md5(n::text), 10) from generate_series(1, 20000) as n;
             create table public.small (id int primary key);
             insert into public.small values (1)",
        )
        .await
        .unwrap();
    (database, client)
}

/// Sessions of others in this database.
const NO_OTHER_SESSION: &str = "select count(*) = 0 from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend'";

#[tokio::test]
async fn a_backup_holds_its_tables_and_a_second_one_stores_nothing_again() {
    let (database, client) = prepared().await;
    let vault = Vault::new();
    let first = vault.back_up(&database).await.unwrap();
    let figures = first.figures;
    assert!(figures.segments > 5, "{figures:?}");
    assert_eq!(figures.segments_stored, figures.segments, "{figures:?}");
    assert!(figures.reading.bytes_read > 6_000_000, "{figures:?}");
    assert!(
        figures.requests.put > figures.segments_stored,
        "{figures:?}"
    );
    assert_eq!(first.record.totals.rows, figures.rows);
    assert!(!first.excluded.is_empty());

    let manifest = vault.manifest(&first.record).await;
    let ours = manifest
        .migrations
        .iter()
        .filter(|migration| migration.sha256.len() == 64);
    assert_eq!(ours.count(), ops::migrate::Schema::embedded().tables.len());
    let t = manifest
        .tables
        .iter()
        .find(|table| table.table == public("t"))
        .unwrap();
    assert_eq!((t.rows, t.order.join(",")), (20_000, "id".to_owned()));
    assert!(t.pieces.len() > 3);
    assert_eq!(t.pieces[0].first_key, "1");
    assert_eq!(t.pieces.last().unwrap().last_key, "20000");
    let nonce: String = client
        .query_one("select nonce from ops.backup_canary", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(manifest.canary, nonce);

    let second = vault.back_up(&database).await.unwrap();
    let rows_of_t = t.pieces.iter().map(|piece| piece.raw_len).sum::<u64>();
    assert!(
        second.figures.reading.bytes_taken_over >= rows_of_t,
        "{:?}",
        second.figures
    );
    // The canary is another, and what one row shares a segment with.
    assert!(second.figures.segments_stored <= 2, "{:?}", second.figures);
    until(&client, NO_OTHER_SESSION).await;
}

#[tokio::test]
async fn the_time_of_a_backup_is_the_database_s() {
    let (database, client) = prepared().await;
    let now =
        "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let before: String = client.query_one(now, &[]).await.unwrap().get(0);
    let backup = Vault::new().back_up(&database).await.unwrap();
    let after: String = client.query_one(now, &[]).await.unwrap().get(0);
    let taken = backup.record.taken_at;
    assert!(before.parse::<jiff::Timestamp>().unwrap() <= taken);
    assert!(taken <= after.parse().unwrap());
}

#[tokio::test]
async fn a_run_without_the_lease_reads_nothing_and_one_that_loses_it_seals_nothing() {
    let (database, client) = prepared().await;
    let vault = Vault::new();
    let lost = vault.back_up_while(&database, async || false).await;
    assert!(matches!(lost, Err(RunError::Superseded)), "{lost:?}");
    let asked = Cell::new(0);
    let lost = vault
        .back_up_while(&database, async || asked.replace(asked.get() + 1) == 0)
        .await;
    assert!(matches!(lost, Err(RunError::Superseded)), "{lost:?}");
    assert_eq!(asked.get(), 2);
    assert!(vault.snapshots().await.is_empty());
    until(&client, NO_OTHER_SESSION).await;

    let next = vault.back_up(&database).await.unwrap();
    let taken_over = next.figures.reading.bytes_taken_over;
    assert!(taken_over > 6_000_000, "{:?}", next.figures);
}

#[tokio::test]
async fn of_two_runs_at_once_only_the_one_with_the_lease_seals() {
    let (database, _client) = prepared().await;
    let vault = Vault::founded().await;
    let (url, ca) = support::direct(&database).await;
    let older = Request {
        fence: 7,
        ..vault.request(&url, &ca)
    };
    let newer = Request {
        fence: 8,
        ..vault.request(&url, &ca)
    };
    // The older run had the lease when it began, and no longer at its end.
    let asked = Cell::new(0);
    let (older, newer) = tokio::join!(
        run::run(older, async || asked.replace(asked.get() + 1) == 0),
        run::run(newer, async || true),
    );
    assert!(matches!(older, Err(RunError::Superseded)), "{older:?}");
    let newer = newer.unwrap();
    let sealed = vault.snapshots().await;
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0], newer.record);
    assert!(newer.record.snapshot.as_str().contains("-8-"));
    assert_eq!(vault.rows(&newer.record).await[&public("small")], b"1\n");
}

#[tokio::test]
async fn two_runs_that_both_finish_are_two_whole_backups() {
    let (database, _client) = prepared().await;
    let vault = Vault::new();
    let (one, other) = tokio::join!(vault.back_up(&database), vault.back_up(&database));
    let (one, other) = (one.unwrap().record, other.unwrap().record);
    assert_eq!(vault.snapshots().await.len(), 2);
    let t = public("t");
    assert_eq!(vault.rows(&one).await[&t], vault.rows(&other).await[&t]);
}

#[tokio::test]
async fn there_is_one_session_more_than_workers_and_none_is_left() {
    let (database, client) = prepared().await;
    let most = Cell::new(0);
    let count = async || {
        let row = client
            .query_one(
                "select count(*) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()
                     and backend_type = 'client backend'",
                &[],
            )
            .await
            .unwrap();
        most.set(most.get().max(row.get::<_, i64>(0)));
        true
    };
    Vault::new().back_up_while(&database, count).await.unwrap();
    assert_eq!(most.get(), 3);
    until(&client, NO_OTHER_SESSION).await;
}

#[tokio::test]
async fn a_run_whose_time_is_up_leaves_no_backup_and_the_next_one_goes_on() {
    let (database, client) = prepared().await;
    let measuring = Proxy::start(u64::MAX, End::Cut).await;
    let (url, ca) = measuring.direct(&database).await;
    let vault = Vault::founded().await;
    let began = clock::instant();
    run::run(vault.request(&url, &ca), async || true)
        .await
        .unwrap();
    let took = clock::instant().duration_since(began);

    let vault = Vault::founded().await;
    let silent = Proxy::start(measuring.passed() / 10 * 8, End::Silence).await;
    let (url, ca) = silent.direct(&database).await;
    let request = Request {
        // Time enough to come to the silence, and for the last words.
        deadline: Deadline::after(took * 3 + Duration::from_secs(5)),
        ..vault.request(&url, &ca)
    };
    let late = run::run(request, async || true).await;
    assert!(matches!(late, Err(RunError::Deadline)), "{late:?}");
    assert!(vault.snapshots().await.is_empty());
    drop(silent);
    until(&client, NO_OTHER_SESSION).await;

    let next = vault.back_up(&database).await.unwrap();
    assert!(next.figures.segments_reused > 2, "{:?}", next.figures);
    // What the first run had read need not even be read again.
    let taken_over = next.figures.reading.bytes_taken_over;
    assert!(taken_over > 2_000_000, "{:?}", next.figures);
    assert_eq!(vault.snapshots().await.len(), 1);
}

#[tokio::test]
async fn a_wire_that_is_cut_anywhere_never_leads_to_a_backup() {
    const CUTS: u64 = 25;
    let database = support::migrated().await;
    support::session(&database)
        .await
        .batch_execute(
            "create table public.t (id int primary key, words text);
             insert into public.t select n, md5(n::text) from generate_series(1, 10000) as n",
        )
        .await
        .unwrap();
    let measuring = Proxy::start(u64::MAX, End::Cut).await;
    let (url, ca) = measuring.direct(&database).await;
    let vault = Vault::founded().await;
    run::run(vault.request(&url, &ca), async || true)
        .await
        .unwrap();
    let whole = measuring.passed();
    for cut in 1..=CUTS {
        let vault = Vault::founded().await;
        let limit = whole * cut / (CUTS + 1);
        let proxy = Proxy::start(limit, End::Cut).await;
        let (url, ca) = proxy.direct(&database).await;
        let torn = run::run(vault.request(&url, &ca), async || true).await;
        assert!(proxy.passed() > limit, "cut {cut} was never reached");
        assert!(
            matches!(torn, Err(RunError::Source(_) | RunError::Schema(_))),
            "cut {cut}: {torn:?}"
        );
        assert!(vault.snapshots().await.is_empty(), "cut {cut}");
    }
}
