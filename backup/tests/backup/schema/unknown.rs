//! What a backup cannot make again is a gap with a name.

use backup::schema::{self, Object, Schema};
use local_supabase::postgres::TestDatabase;

use super::{cluster, run};
use crate::{
    restore::restore,
    support::{migrated, session},
    taken::Taken,
};

#[tokio::test]
async fn what_cannot_be_made_again_is_a_gap_of_that_name() {
    let database = TestDatabase::empty().await.unwrap();
    let client = cluster()
        .await
        .connect_admin(database.name())
        .await
        .unwrap();
    for (sql, name) in UNKNOWN {
        run(&client, "begin; set local search_path = ''").await;
        run(&client, sql).await;
        assert_gap(&schema::describe(&client).await.expect(sql), name);
        run(&client, "rollback").await;
    }
}

#[tokio::test]
async fn a_gap_takes_nothing_else_along() {
    let database = TestDatabase::empty().await.unwrap();
    let client = cluster()
        .await
        .connect_admin(database.name())
        .await
        .unwrap();
    run(&client, "begin; set local search_path = ''").await;
    run(
        &client,
        "create table public.neighbour (id integer); alter table public.neighbour owner to postgres",
    )
    .await;
    for (sql, _) in UNKNOWN {
        run(&client, sql).await;
    }
    let described = schema::describe(&client).await.unwrap();
    for (_, name) in UNKNOWN {
        assert_gap(&described, name);
    }
    let mut tables = described.tables.iter();
    assert!(tables.any(|table| table.name.name == "neighbour"));
    let odd = |object: &Object| object.name.contains(char::is_control);
    assert!(!described.objects.iter().any(odd));
}

#[tokio::test]
async fn gaps_of_one_name_are_accepted_one_by_one() {
    let database = TestDatabase::empty().await.unwrap();
    let client = cluster()
        .await
        .connect_admin(database.name())
        .await
        .unwrap();
    run(
        &client,
        "begin; set local search_path = '';
         create function public.size(text) returns integer language internal as 'textlen';
         create function public.size(of bytea) returns integer language internal as 'byteaoctetlen';
         create operator class public.ops for type integer using btree as function 1 btint4cmp(integer, integer);
         create operator class public.ops for type integer using hash as function 1 hashint4(integer)",
    )
    .await;
    let described = schema::describe(&client).await.unwrap();
    let mut names: Vec<_> = described.gaps.iter().map(|gap| gap.what.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "function in language internal public.size(of bytea)",
            "function in language internal public.size(text)",
            "operator class public.ops using btree",
            "operator class public.ops using hash",
            "operator family public.ops using btree",
            "operator family public.ops using hash",
        ]
    );
}

/// What makes rows of the team that no statement makes a place for, and the gap's name.
const WITH_ROWS: [(&str, &str); 6] = [
    (
        "create table public.\"line\nbreak\" as select 1 as id",
        "table with a control character in its name public.line\\nbreak",
    ),
    (
        "create table public.fine as select 1 as \"tab\there\"",
        "column with a control character in its name public.fine.tab\\there",
    ),
    (
        "create materialized view public.\"line\nview\" as select 1 as id",
        "materialized view with a control character in its name public.line\\nview",
    ),
    (
        "create schema \"line\nschema\"; create table \"line\nschema\".t as select 1 as id",
        "schema with a control character in its name line\\nschema.line\\nschema",
    ),
    (
        "create table public.\"line\nroot\" (id int) partition by list (id);
         create table public.leaf partition of public.\"line\nroot\" for values in (1);
         insert into public.leaf values (1)",
        "table with a control character in its name public.line\\nroot",
    ),
    (
        "reset role; create access method other type table handler heap_tableam_handler;
         create table public.odd using other as select 1 as id;
         alter table public.odd owner to postgres",
        "access method other of public.odd",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_a_gap_are_told_and_refuse_no_backup() {
    let database = migrated().await;
    let client = cluster()
        .await
        .connect_admin(database.name())
        .await
        .unwrap();
    run(
        &client,
        "set role postgres; create table public.neighbour as select 1 as id",
    )
    .await;
    for (sql, _) in WITH_ROWS {
        run(&client, sql).await;
    }
    let backup = Taken::of(database).await;
    for (_, name) in WITH_ROWS {
        let named = backup.manifest.gaps.iter().any(|gap| gap.what == name);
        assert!(named, "{name}: {:?}", backup.manifest.gaps);
    }
    let target = TestDatabase::empty().await.unwrap();
    restore(&backup, &target).await.unwrap();
    let rows = "select neighbour.id + leaf.id from public.neighbour, public.leaf";
    let row = session(&target).await.query_one(rows, &[]).await;
    assert_eq!(row.unwrap().get::<_, i32>(0), 2);
}

fn assert_gap(described: &Schema, name: &str) {
    let named = described.gaps.iter().any(|gap| gap.what == name);
    assert!(named, "{name}: {:?}", described.gaps);
}

/// What makes something unknown, and how it is called.
const UNKNOWN: [(&str, &str); 13] = [
    (
        "create type public.shell",
        "pseudo-type or shell type public.shell",
    ),
    (
        "create type public.raw; create function public.raw_in(cstring) returns public.raw
             language internal as 'byteain';
         create function public.raw_out(public.raw) returns cstring language internal as 'byteaout';
         create type public.raw (input = public.raw_in, output = public.raw_out)",
        "base type public.raw",
    ),
    (
        "create function public.pid() returns integer language internal as 'pg_backend_pid'",
        "function in language internal public.pid()",
    ),
    (
        "create operator class public.ops for type integer using btree as
             operator 1 <, operator 3 =, function 1 btint4cmp(integer, integer)",
        "operator class public.ops using btree",
    ),
    (
        "create operator family public.family using hash",
        "operator family public.family using hash",
    ),
    (
        "create conversion public.conv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
        "conversion public.conv",
    ),
    (
        "create table public.\"line\nbreak\" (id integer)",
        "table with a control character in its name public.line\\nbreak",
    ),
    (
        "create table public.fine (\"tab\there\" integer)",
        "column with a control character in its name public.fine.tab\\there",
    ),
    (
        "create access method other type table handler heap_tableam_handler;
         create table public.odd (id integer) using other",
        "access method other of public.odd",
    ),
    (
        "create text search template public.tmpl (lexize = dsimple_lexize)",
        "text search template public.tmpl",
    ),
    (
        "create text search parser public.prs (start = prsd_start, gettoken = prsd_nexttoken,
             end = prsd_end, lextypes = prsd_lextype)",
        "text search parser public.prs",
    ),
    (
        "create function public.plpgsql_call() returns language_handler language c
             as '$libdir/plpgsql', 'plpgsql_call_handler';
         create language plother handler public.plpgsql_call;
         update pg_catalog.pg_language set lanowner = 'postgres'::regrole where lanname = 'plother'",
        "language plother",
    ),
    (
        "create subscription sub connection 'dbname=none' publication p with (connect = false);
         update pg_catalog.pg_subscription set subowner = 'postgres'::regrole",
        "subscription sub",
    ),
];
