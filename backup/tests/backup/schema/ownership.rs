//! Whose an object is, and what that means for a restore.

use backup::schema::{self, Exclusion, Schema, Scope};
use local_supabase::postgres::TestDatabase;

use super::{cluster, run};

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    App,
    Managed,
    Attached,
    /// Named among what is left out.
    Excluded,
    /// Named among what cannot be held.
    Gap,
    /// Left out together with something that is named.
    Silent,
}

#[tokio::test]
async fn everything_is_the_apps_the_platforms_or_an_extensions() {
    let database = TestDatabase::empty().await.unwrap();
    let client = cluster()
        .await
        .connect_admin(database.name())
        .await
        .unwrap();
    for &(sql, name, fate) in FATES {
        run(&client, "begin; set local search_path = ''").await;
        run(&client, &sql.replace(":name", database.name())).await;
        let described = schema::describe(&client).await.expect(sql);
        assert_eq!(fate_of(&described, name), fate, "{name} after {sql}");
        run(&client, "rollback").await;
    }
}

fn fate_of(described: &Schema, name: &str) -> Fate {
    let made = described
        .objects
        .iter()
        .find(|object| format!("{} {}", object.kind, object.name) == name);
    if let Some(object) = made {
        return match object.scope {
            Scope::App => Fate::App,
            Scope::Managed(_) => Fate::Managed,
            Scope::Attached => Fate::Attached,
        };
    }
    let is_among = |list: &[Exclusion]| list.iter().any(|it| it.what == name);
    if is_among(&described.gaps) {
        Fate::Gap
    } else if is_among(&described.excluded) {
        Fate::Excluded
    } else {
        Fate::Silent
    }
}

/// What is done to a fresh project, and what becomes of which object.
const FATES: &[(&str, &str, Fate)] = &[
        (
            // A webhook: on a server without the platform it cannot be made.
            "create schema supabase_functions;
             create function supabase_functions.http_request() returns trigger language plpgsql as 'begin end';
             create table public.t (); alter table public.t owner to postgres;
             create trigger hook after insert on public.t
                 for each row execute function supabase_functions.http_request()",
            "trigger public.t hook",
            Fate::Attached,
        ),
        (
            "create function auth.own() returns trigger language plpgsql as 'begin end';
             create trigger own after insert on auth.users for each row execute function auth.own()",
            "trigger auth.users own",
            Fate::Managed,
        ),
        (
            "create function public.of_team() returns trigger language plpgsql as 'begin end';
             create trigger team after insert on auth.users for each row execute function public.of_team()",
            "trigger auth.users team",
            Fate::Attached,
        ),
        (
            "create policy staff on storage.objects using (true)",
            "policy storage.objects staff",
            Fate::Attached,
        ),
        (
            "create index later on auth.users (phone)",
            "index auth.later",
            Fate::Managed,
        ),
        (
            "create function auth.is_admin() returns boolean language sql as 'select true';
             alter function auth.is_admin() owner to postgres",
            "function auth.is_admin()",
            Fate::Attached,
        ),
        (
            // Rows are not lost because a tool of the platform made the table.
            "create table public.by_studio (id integer)",
            "table public.by_studio",
            Fate::App,
        ),
        (
            "create table public.by_studio (id integer)",
            "owner supabase_admin of table public.by_studio",
            Fate::Excluded,
        ),
        (
            "create schema new_service; create table new_service.t (id integer)",
            "schema new_service",
            Fate::Excluded,
        ),
        (
            "create schema new_service; create table new_service.t (id integer)",
            "table new_service.t",
            Fate::Silent,
        ),
        (
            "create schema shared; create table shared.t (id integer);
             create table shared.own (id integer); alter table shared.own owner to postgres",
            "table shared.t",
            Fate::App,
        ),
        (
            "create schema _private authorization postgres",
            "schema _private",
            Fate::App,
        ),
        (
            "create table extensions.stray (id integer); alter table extensions.stray owner to postgres",
            "table extensions.stray",
            Fate::App,
        ),
        (
            // The project that is restored into has it already.
            "create table extensions.stray (id integer); alter table extensions.stray owner to postgres",
            "schema extensions",
            Fate::Managed,
        ),
        ("select", "schema extensions", Fate::Excluded),
        (
            "create schema etl authorization postgres; create table etl.orders (id integer);
             alter table etl.orders owner to postgres",
            "table etl.orders",
            Fate::App,
        ),
        (
            "create schema etl authorization postgres; create table etl.orders (id integer);
             alter table etl.orders owner to postgres",
            "schema etl",
            Fate::Managed,
        ),
        ("create schema cron authorization postgres", "schema cron", Fate::Managed),
        (
            "create role supabase_insights; create schema reports authorization supabase_insights;
             create table reports.sums (id integer); alter table reports.sums owner to supabase_insights",
            "table reports.sums",
            Fate::App,
        ),
        (
            "create role supabase_insights; create schema reports authorization supabase_insights",
            "role supabase_insights",
            Fate::App,
        ),
        (
            "create schema realtime; create table realtime.ours (id integer);
             alter table realtime.ours owner to postgres",
            "table realtime.ours",
            Fate::Gap,
        ),
        (
            "create schema realtime; create table realtime.ours (id integer primary key);
             alter table realtime.ours owner to postgres",
            "constraint realtime.ours ours_pkey",
            Fate::Silent,
        ),
        (
            "create table auth.of_the_team (id integer); alter table auth.of_the_team owner to postgres",
            "table auth.of_the_team",
            Fate::Gap,
        ),
        (
            "create schema vault; create function vault.seal() returns integer language sql as 'select 1';
             alter function vault.seal() owner to postgres",
            "function vault.seal()",
            Fate::Attached,
        ),
        ("create cast (integer as xid) with inout", "cast (integer as xid)", Fate::Attached),
        (
            "create extension citext schema public;
             revoke all on function public.texticregexeq(public.citext, public.citext) from public",
            "grants function public.texticregexeq(public.citext, public.citext)",
            Fate::Attached,
        ),
        (
            "create extension citext schema public;
             revoke all on function public.texticregexeq(public.citext, public.citext) from public",
            "privileges of function public.texticregexeq(public.citext, public.citext)",
            Fate::Excluded,
        ),
        (
            "create publication everything for all tables;
             update pg_publication set pubowner = 'postgres'::regrole where pubname = 'everything'",
            "publication everything",
            Fate::Attached,
        ),
        (
            "create table public.live (); alter table public.live owner to postgres;
             alter publication supabase_realtime add table public.live",
            "publication table public.supabase_realtime live",
            Fate::Attached,
        ),
        (
            "alter publication supabase_realtime add table storage.objects",
            "publication table storage.supabase_realtime objects",
            Fate::Attached,
        ),
        (
            "create function public.on_ddl() returns event_trigger language plpgsql as 'begin end';
             create event trigger watch on ddl_command_end execute function public.on_ddl()",
            "event trigger watch",
            Fate::Excluded,
        ),
        (
            "create schema cron; create extension btree_gist with schema cron",
            "extension btree_gist",
            Fate::App,
        ),
        ("select", "extension pg_stat_statements", Fate::Attached),
        (
        "create schema geo authorization postgres;
             create extension cube with schema geo; create extension earthdistance with schema geo",
        "domain constraint geo.earth not_3d",
        Fate::Silent,
    ),
    ("select", "function extensions.digest(text, text)", Fate::Silent),
        (
            "create table public.spied (); alter table public.spied owner to postgres;
             create view public.spies as select * from extensions.pg_stat_statements",
            "extension pg_stat_statements",
            Fate::App,
        ),
        ("select", "table auth.users", Fate::Managed),
        ("select", "type storage.buckettype", Fate::Managed),
        ("select", "rows of auth.refresh_tokens", Fate::Excluded),
        (
            "create table public.t (id integer); create index bad on public.t (id);
             update pg_index set indisvalid = false where indexrelid = 'public.bad'::regclass",
            "index public.bad",
            Fate::Excluded,
        ),
        (
            "alter database :name set app.secret = 'hidden'",
            "setting app.secret of the database",
            Fate::Attached,
        ),
        (
            "create role stranger; alter role stranger in database :name set work_mem = '1MB'",
            "role stranger",
            Fate::App,
        ),
        ("select", "setting lock_timeout of authenticator", Fate::Attached),
        ("select", "setting search_path of supabase_admin", Fate::Silent),
        (
            "create role stranger; grant select on auth.users to stranger",
            "role stranger",
            Fate::App,
        ),
];
