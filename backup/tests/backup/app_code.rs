//! A backup runs nothing of the app's: not where it plans, and not where it reads.

use backup::{pinned_session::PinnedSession, source::DatabaseSnapshot};
use local_supabase::postgres::TestDatabase;

use crate::{
    support::{self, until},
    vault::{Vault, public},
};

/// Everything that a server may call while it plans or reads, each in a table of its
/// own; `trap.f` still does nothing when these are made.
const CALLERS: &str = "
    create schema trap;
    create function trap.f(integer) returns integer language plpgsql immutable
        as $$ begin return $1; end $$;
    create function trap.lost(text) returns text language sql immutable
        as $$ select $1 $$;
    create type public.mood as enum ('a', 'b');
    create function trap.said(public.mood) returns text language plpgsql immutable
        as $$ begin return 'said'; end $$;
    create cast (public.mood as text) with function trap.said(public.mood) as assignment;
    create function trap.cmp(public.mood, public.mood) returns integer language plpgsql immutable
        as $$ begin return enum_cmp($1, $2); end $$;
    create domain public.small as integer check (value >= trap.f(0));

    create table public.indexed (id integer primary key);
    create index on public.indexed ((id + trap.f(0)));
    create table public.partial (id uuid primary key);
    create index on public.partial (id) where trap.f(1) = 1;
    create table public.written_out (name text primary key);
    create index on public.written_out (trap.lost(name));
    create table public.analysed (id integer primary key, v integer);
    create statistics public.of_analysed on (v + trap.f(0)), id from public.analysed;
    create table public.checked (id integer primary key check (id >= trap.f(0)));
    create table public.computed (
        id integer primary key, v integer generated always as (trap.f(id)) stored
    );
    create table public.cast_to_text (m public.mood, l integer);
    create table public.of_domain (id public.small primary key);
    create table public.defaulted (id integer default trap.f(0));
    create table public.parts (id integer) partition by list ((trap.f(id)));
    create table public.part partition of public.parts for values in (1);
    create table public.governed (id integer primary key);
    create policy p on public.governed using (trap.f(id) = 1);
    alter table public.governed enable row level security;
    alter table public.governed force row level security;
    create rule r as on insert to public.governed do also select trap.f(1);
    create table public.triggered (id integer primary key);
    create function trap.fired() returns trigger language plpgsql
        as $$ begin return new; end $$;
    create trigger t before insert on public.triggered for each row execute function trap.fired();
    create materialized view public.seen as select 1 as id;
    create index on public.seen ((id + trap.f(0)));
    create materialized view public.plain as select trap.f(1) as id;
    create table public.sorted (m public.mood primary key);
    create table public.lists (m public.mood[] primary key);
    create table public.harmless (m public.mood, id integer primary key);
    create index on public.harmless (id) where m = 'a';";

/// Only a superuser makes one.
const OPERATOR_CLASS: &str = "
    create operator class public.weird for type public.mood using btree as
        operator 1 <(anyenum, anyenum), operator 2 <=(anyenum, anyenum),
        operator 3 =(anyenum, anyenum), operator 4 >=(anyenum, anyenum),
        operator 5 >(anyenum, anyenum), function 1 trap.cmp(public.mood, public.mood)";

/// Three rows for each table.
const ROWS: &str = "
    insert into public.indexed values (1), (3), (2);
    insert into public.partial select gen_random_uuid() from generate_series(1, 3);
    insert into public.written_out values ('x'), ('y'), ('z');
    insert into public.analysed values (1, 1), (2, 2), (3, 3);
    insert into public.checked values (1), (3), (2);
    insert into public.computed values (1), (3), (2);
    insert into public.cast_to_text values ('a', 1), ('b', 2), (null, 3);
    insert into public.of_domain values (1), (3), (2);
    insert into public.defaulted values (default), (1), (2);
    insert into public.parts values (1), (1), (1);
    insert into public.governed values (1), (3), (2);
    insert into public.triggered values (1), (3), (2);
    insert into public.harmless values ('a', 1), ('b', 2), ('a', 3);
    insert into public.sorted values ('b'), ('a');
    insert into public.lists values ('{b}'), ('{a}'), ('{}')";

/// What fails whatever calls it.
const TRAPS: &str = "
    create or replace function trap.f(integer) returns integer language plpgsql immutable
        as $$ begin raise exception 'sprung'; end $$;
    create or replace function trap.lost(text) returns text language plpgsql immutable
        as $$ begin raise exception 'sprung'; end $$;
    create or replace function trap.said(public.mood) returns text language plpgsql immutable
        as $$ begin raise exception 'sprung'; end $$;
    create or replace function trap.cmp(public.mood, public.mood) returns integer
        language plpgsql immutable as $$ begin raise exception 'sprung'; end $$;
    create or replace function trap.fired() returns trigger language plpgsql
        as $$ begin raise exception 'sprung'; end $$;";

async fn trapped() -> TestDatabase {
    let database = support::migrated().await;
    let client = support::session(&database).await;
    client.batch_execute(CALLERS).await.unwrap();
    let track = format!(
        "alter database {} set track_functions = 'all'",
        database.name()
    );
    let admin = support::admin(&database).await;
    admin.batch_execute(&track).await.unwrap();
    client.batch_execute(ROWS).await.unwrap();
    database
}

#[tokio::test]
async fn nothing_of_the_apps_runs_in_a_backup() {
    let database = trapped().await;
    let vault = Vault::new();
    vault.back_up(&database).await.unwrap();
    // Calls that do not fail are counted when their session ends; one of ours comes
    // after all others.
    let late = support::session(&database).await;
    let call = "select trap.cmp('a', 'a')";
    late.batch_execute(call).await.unwrap();
    drop(late);
    let client = support::session(&database).await;
    let counted = "select sum(calls) = 1 from pg_stat_user_functions where schemaname = 'trap'";
    until(&client, &format!("select coalesce(({counted}), false)")).await;

    client.batch_execute(TRAPS).await.unwrap();
    client.batch_execute(call).await.unwrap_err();
    let backup = vault.back_up(&database).await.unwrap();
    let manifest = vault.manifest(&backup.record).await;
    let data = |name: &str| {
        let mut tables = manifest.tables.iter();
        tables.find(|data| data.table == public(name)).unwrap()
    };
    for name in ["indexed", "partial", "written_out", "analysed", "part"] {
        assert_eq!((data(name).rows, data(name).order.len()), (3, 0), "{name}");
    }
    for name in [
        "checked",
        "computed",
        "of_domain",
        "governed",
        "triggered",
        "harmless",
    ] {
        assert_eq!((data(name).rows, data(name).order.len()), (3, 1), "{name}");
    }
    for name in ["cast_to_text", "defaulted"] {
        assert_eq!(data(name).rows, 3, "{name}");
    }
    for name in ["sorted", "lists"] {
        assert_eq!(data(name).order.len(), 1, "{name}");
    }
    let proven: Vec<_> = manifest
        .computed
        .iter()
        .map(|computed| (computed.relation.name.as_str(), computed.proof.is_some()))
        .filter(|(name, _)| ["computed", "plain", "seen"].contains(name))
        .collect();
    assert_eq!(
        proven,
        [("computed", true), ("plain", true), ("seen", false)]
    );
}

#[tokio::test]
async fn what_an_operator_class_of_the_apps_sorts_is_not_sorted() {
    let database = trapped().await;
    let admin = support::admin(&database).await;
    admin.batch_execute(OPERATOR_CLASS).await.unwrap();
    let (url, ca) = support::direct(&database).await;
    let session = PinnedSession::open(&url, Some(&ca)).await.unwrap();
    let snapshot = DatabaseSnapshot::take(session).await.unwrap();
    let tables = ["sorted", "lists", "harmless", "checked", "indexed"];
    let rows = admin
        .query(
            "select ('public.' || name)::regclass::oid from unnest($1::text[]) as name",
            &[&&tables[..]],
        )
        .await
        .unwrap();
    let oids: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
    let plannable = snapshot.plannable(&oids).await.unwrap();
    let found: Vec<_> = oids.iter().map(|oid| plannable.contains(oid)).collect();
    // The third has an index with a constant of the type.
    assert_eq!(found, [false, false, false, true, false]);
}
