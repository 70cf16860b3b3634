//! What a backup cannot make again is a gap with a name.

use backup::schema::{self, Object, Schema};
use local_supabase::postgres::TestDatabase;

use super::{cluster, run};

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
        "function in language internal public.pid",
    ),
    (
        "create operator class public.ops for type integer using btree as
             operator 1 <, operator 3 =, function 1 btint4cmp(integer, integer)",
        "operator class public.ops",
    ),
    (
        "create operator family public.family using hash",
        "operator family public.family",
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
