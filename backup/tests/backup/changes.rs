//! Runs while the database changes: what they hold is of one instant and of one
//! shape, or there is no backup.

use std::cell::Cell;

use backup::{
    run::{Backup, RunError},
    source::SourceError,
};
use tokio::sync::oneshot;

use crate::{
    run::prepared,
    support::{self, until},
    vault::{Vault, public},
};

#[tokio::test]
async fn a_table_that_stays_locked_is_waited_for_only_so_long() {
    let (database, client) = prepared().await;
    client
        .batch_execute("begin; lock table public.t in access exclusive mode")
        .await
        .unwrap();
    let vault = Vault::new();
    let busy = vault.back_up(&database).await;
    assert!(
        matches!(busy, Err(RunError::Source(SourceError::Busy(_)))),
        "{busy:?}"
    );
    assert!(vault.snapshots().await.is_empty());
}

/// Runs a backup while `change` is being made in a transaction that has locked
/// `public.t` before the snapshot is taken, and commits once the run waits.
async fn back_up_across(change: &str) -> (Vault, Backup) {
    let (database, changing) = prepared().await;
    let watching = support::session(&database).await;
    changing
        .batch_execute(&format!(
            "begin; lock table public.t in access exclusive mode; {change}"
        ))
        .await
        .unwrap();
    let vault = Vault::new();
    let commit = async {
        until(
            &watching,
            "select exists (select from pg_locks where not granted)",
        )
        .await;
        changing.batch_execute("commit").await.unwrap();
    };
    let (backup, ()) = tokio::join!(vault.back_up(&database), commit);
    (vault, backup.unwrap())
}

#[tokio::test]
async fn a_table_emptied_while_the_backup_began_is_read_as_it_is_after() {
    let change = "truncate public.t; insert into public.t (words) values ('after')";
    let (vault, backup) = back_up_across(change).await;
    assert_eq!(
        vault.rows(&backup.record).await[&public("t")],
        b"20001\tafter\n"
    );
}

#[tokio::test]
async fn a_table_altered_while_the_backup_began_is_read_in_its_new_shape() {
    let change =
        "alter table public.t alter column words type int using id, add column more int default 5";
    let (vault, backup) = back_up_across(change).await;
    let text = &vault.rows(&backup.record).await[&public("t")];
    assert!(text.starts_with(b"1\t1\t5\n2\t2\t5\n"));
}

#[tokio::test]
async fn a_table_dropped_while_the_backup_began_is_not_in_it() {
    let (vault, backup) = back_up_across("drop table public.t").await;
    assert!(!vault.rows(&backup.record).await.contains_key(&public("t")));
}

#[tokio::test]
async fn a_table_created_while_the_backup_began_is_in_it() {
    let change = "create table public.fresh as select 1 as one";
    let (vault, backup) = back_up_across(change).await;
    assert_eq!(vault.rows(&backup.record).await[&public("fresh")], b"1\n");
}

#[tokio::test]
async fn a_change_that_comes_while_rows_are_read_goes_first() {
    for change in [
        "alter table public.small add column more int",
        "truncate public.small",
        "drop table public.small",
    ] {
        let (database, changing) = prepared().await;
        let watching = support::session(&database).await;
        let vault = Vault::new();
        // The locks are held when the lease is asked for the first time.
        let (begun, locked) = oneshot::channel();
        let begun = Cell::new(Some(begun));
        let lease = async || {
            begun.take().unwrap().send(()).unwrap();
            let waits = "select exists (select from pg_locks
                where relation = 'public.small'::regclass and not granted)";
            until(&watching, waits).await;
            true
        };
        let change = async {
            locked.await.unwrap();
            changing.batch_execute(change).await.unwrap();
        };
        let (busy, ()) = tokio::join!(vault.back_up_while(&database, lease), change);
        assert!(
            matches!(busy, Err(RunError::Source(SourceError::Busy(_)))),
            "{busy:?}"
        );
        assert!(vault.snapshots().await.is_empty());
    }
}

#[tokio::test]
async fn a_table_created_while_rows_are_read_is_not_in_the_backup() {
    let (database, client) = prepared().await;
    let create = async || {
        let sql = "create table if not exists public.fresh (id int)";
        client.batch_execute(sql).await.is_ok()
    };
    let vault = Vault::new();
    let backup = vault.back_up_while(&database, create).await.unwrap();
    assert!(
        !vault
            .rows(&backup.record)
            .await
            .contains_key(&public("fresh"))
    );
}

#[tokio::test]
async fn a_backup_under_heavy_writes_is_of_one_instant() {
    let (database, client) = prepared().await;
    client
        .batch_execute(
            "create table public.debits (id int primary key, amount int);
             create table public.credits (id int primary key, amount int)",
        )
        .await
        .unwrap();
    let vault = Vault::new();
    let writing = async {
        for id in 0.. {
            let sql = format!(
                "insert into public.debits values ({id}, 1);
                 insert into public.credits values ({id}, 1);
                 update public.t set words = words || 'x' where id = {id};
                 delete from public.t where id = {id} + 10000"
            );
            client.batch_execute(&sql).await.unwrap();
        }
    };
    let backup = tokio::select! {
        backup = vault.back_up(&database) => backup.unwrap(),
        () = writing => panic!("the writes ended first"),
    };
    let rows = vault.rows(&backup.record).await;
    let lines = |name: &str| {
        rows[&public(name)]
            .split_inclusive(|byte| *byte == b'\n')
            .count()
    };
    assert!(lines("debits") > 0, "the writes had not begun");
    assert_eq!(rows[&public("debits")], rows[&public("credits")]);
    assert_eq!(lines("t"), 20_000 - lines("debits"));
}
