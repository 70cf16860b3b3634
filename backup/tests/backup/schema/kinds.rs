//! Kinds of objects that are made in a way of their own, each held against `pg_dump`.

use backup::schema::{Object, Schema, Scope, Stage};
use local_supabase::postgres::TestDatabase;

use super::{
    ROLES, assert_objects_eq, assert_same, cluster, describe, dump, major_version, restore, run,
};

/// A database that the team makes with one text and a superuser with another, and
/// what describes it.
async fn made(by_team: &str, by_admin: &str) -> (TestDatabase, Schema) {
    let source = TestDatabase::empty().await.unwrap();
    let cluster = cluster().await;
    let admin = cluster.connect_admin(source.name()).await.unwrap();
    let team = cluster.connect_postgres(source.name()).await.unwrap();
    run(&admin, ROLES).await;
    run(&admin, by_admin).await;
    run(&team, by_team).await;
    let described = describe(&source).await.unwrap();
    (source, described)
}

/// Makes a database again, and compares the two.
async fn comes_back(by_team: &str) -> Schema {
    let (source, described) = made(by_team, "").await;
    assert_eq!(described.gaps, [], "{by_team}");
    let target = TestDatabase::empty().await.unwrap();
    restore(&described, &target, &[Scope::App, Scope::Attached]).await;
    assert_same(&dump(&source).await, &dump(&target).await);
    described
}

fn stage(described: &Schema, kind: &str, name: &str) -> Stage {
    let is_it = |object: &&Object| object.kind == kind && object.name == name;
    let object = described.objects.iter().find(is_it).expect(name);
    object.stage
}

#[tokio::test]
async fn comments_find_what_they_are_about() {
    comes_back(
        "create schema k; comment on schema k is 'schema';
         create function k.more(bigint) returns bigint language sql immutable as 'select $1 + 1';
         create aggregate k.how_many(*) (sfunc = k.more, stype = bigint, initcond = '0');
         comment on aggregate k.how_many(*) is 'aggregate of everything';
         create aggregate k.total(integer) (sfunc = int4pl, stype = integer);
         comment on aggregate k.total(integer) is 'aggregate';
         create function k.step(float8[], float8) returns float8[] language sql immutable as 'select $1';
         create function k.done(float8[], float8) returns float8 language sql immutable as 'select $2';
         create aggregate k.nth(float8 order by float8) (sfunc = k.step, stype = float8[], finalfunc = k.done);
         comment on aggregate k.nth(float8 order by float8) is 'ordered-set aggregate';
         create procedure k.run(a integer, out b integer) language plpgsql as 'begin b := 1; end';
         comment on procedure k.run(integer) is 'procedure';
         create function k.same(integer, integer) returns boolean language sql immutable as 'select $1 = $2';
         create operator k.=== (leftarg = integer, rightarg = integer, function = k.same);
         comment on operator k.=== (integer, integer) is 'operator';
         create operator k.!!! (rightarg = integer, function = pg_catalog.int4um);
         comment on operator k.!!! (none, integer) is 'prefix operator';
         create type k.mood as enum ('a');
         create function k.number(k.mood) returns integer language sql immutable as 'select 1';
         create cast (k.mood as integer) with function k.number(k.mood);
         comment on cast (k.mood as integer) is 'cast';
         create type k.pair as (a integer); comment on type k.pair is 'type'; comment on column k.pair.a is 'attribute';
         create type k.span as range (subtype = float8); comment on type k.span is 'range';
         create domain k.small as integer constraint less check (value < 100);
         comment on domain k.small is 'domain'; comment on constraint less on domain k.small is 'domain constraint';
         create collation k.plain from \"C\"; comment on collation k.plain is 'collation';
         create text search dictionary k.words (template = simple);
         comment on text search dictionary k.words is 'dictionary';
         create text search configuration k.search (copy = simple);
         comment on text search configuration k.search is 'configuration';
         create sequence k.numbers; comment on sequence k.numbers is 'sequence';
         create table k.t (id integer primary key, b integer);
         comment on column k.t.b is 'column'; comment on constraint t_pkey on k.t is 'constraint';
         create index by_b on k.t (b); comment on index k.by_b is 'index';
         create statistics k.both on id, b from k.t; comment on statistics k.both is 'statistics';
         create rule also as on insert to k.t do also select 1; comment on rule also on k.t is 'rule';
         create function k.touch() returns trigger language plpgsql as 'begin return new; end';
         create trigger touch before insert on k.t for each row execute function k.touch();
         comment on trigger touch on k.t is 'trigger';
         create policy all_of_it on k.t using (true); comment on policy all_of_it on k.t is 'policy';
         create view k.seen as select 1 as one; comment on view k.seen is 'view';
         comment on column k.seen.one is 'column of a view';
         create materialized view k.kept as select 1 as one; comment on materialized view k.kept is 'kept';
         comment on column k.kept.one is 'column of a materialized view';
         create publication commented; comment on publication commented is 'publication'",
    )
    .await;
}

#[tokio::test]
async fn what_needs_itself_is_made_in_two_steps() {
    comes_back(
        "create view public.seen as select 1 as one, 'a'::varchar(7) collate \"C\" as two;
         create function public.seen_by() returns setof public.seen language sql as $$ select 1, 'a' $$;
         create or replace view public.seen with (security_barrier) as select * from public.seen_by();
         create view public.waiting as select * from public.seen;
         comment on view public.seen is 'a circle'; grant select (one) on public.seen to anon",
    )
    .await;
    let (_, described) = made(
        "create view public.left as select 1 as one; create view public.right as select one from public.left;
         create or replace view public.left as select one from public.right;
         create view public.\"left of it\" as select * from public.left",
        "",
    )
    .await;
    let target = TestDatabase::empty().await.unwrap();
    restore(&described, &target, &[Scope::App, Scope::Attached]).await;
    assert_objects_eq(&described, &describe(&target).await.unwrap());
    comes_back(
        "create table public.t (id int primary key);
         create function public.odd(a int, out b int, out c text) language plpgsql as 'begin end';
         create materialized view public.of_it as select * from public.odd(1);
         create or replace function public.odd(a int, out b int, out c text)
             begin atomic select b, c from public.of_it; end",
    )
    .await;
}

#[tokio::test]
async fn what_rows_may_break_follows_them() {
    let described = comes_back(
        "create domain public.amount as integer;
         create table public.t (id integer primary key, a public.amount);
         insert into public.t values (1, -5);
         alter domain public.amount add constraint positive check (value > 0) not valid;
         comment on constraint positive on domain public.amount is 'from now on';
         create domain public.percent as integer constraint less check (value < 100)",
    )
    .await;
    let of_domain = |kind, name| stage(&described, kind, name);
    assert_eq!(
        of_domain("constraint", "public.amount positive"),
        Stage::After
    );
    assert_eq!(
        of_domain("domain constraint", "public.percent less"),
        Stage::Before
    );
}

#[tokio::test]
async fn views_come_before_rows_that_may_name_them() {
    let view = "create view public.seen as select 1 as one;";
    for (table, expected) in [
        (
            "create table public.t (id integer, of regclass)",
            Stage::Before,
        ),
        (
            "create table public.t (id integer, of regclass[])",
            Stage::Before,
        ),
        ("create table public.t (id integer, of text)", Stage::After),
    ] {
        let described = comes_back(&format!("{view} {table}")).await;
        assert_eq!(
            stage(&described, "view", "public.seen"),
            expected,
            "{table}"
        );
    }
}

#[tokio::test]
async fn tables_of_a_type_and_children_with_expressions_of_their_own_come_back() {
    comes_back(
        "create type public.kind as (a integer, b text);
         create table public.typed of public.kind (a primary key, b with options default 'x' not null);
         create table public.p (id integer, total integer);
         create table public.computed (id integer, twice integer generated always as (id * 2) stored);
         create table public.heir (more text) inherits (public.computed)",
    )
    .await;
}

#[tokio::test]
async fn a_childs_valid_check_stands_before_the_parents_that_is_not() {
    for (parent, child) in [("a", "b"), ("b", "a")] {
        comes_back(&format!(
            "create table public.{parent} (x integer);
             create table public.{child} () inherits (public.{parent});
             alter table public.{child} add constraint k check (x > 0);
             alter table public.{parent} add constraint k check (x > 0) not valid"
        ))
        .await;
    }
}

#[tokio::test]
async fn an_owner_who_may_make_nothing_is_let_for_a_moment() {
    comes_back(
        "create schema shop; grant create, usage on schema shop to shop_clerk;
         create table shop.t (id integer); alter table shop.t owner to shop_clerk;
         create view shop.v as select 1 as one; alter view shop.v owner to shop_clerk;
         create type shop.mood as enum ('a'); alter type shop.mood owner to shop_clerk;
         create function shop.f() returns integer language sql as 'select 1';
         alter function shop.f() owner to shop_clerk;
         revoke create on schema shop from shop_clerk;
         do $$ begin
             execute format('grant create on database %I to shop_clerk', current_database());
             execute 'create schema \"o''hara %I\" authorization shop_clerk';
             execute format('revoke create on database %I from shop_clerk', current_database());
         end $$",
    )
    .await;
}

#[tokio::test]
async fn an_index_that_is_left_out_is_not_attached() {
    let by_team = "create table public.whole (id integer, v text) partition by range (id);
         create table public.part partition of public.whole for values from (0) to (10);
         create index whole_v on only public.whole (v);
         create index part_v on public.part (v);
         alter index public.whole_v attach partition public.part_v";
    let (source, _) = made(by_team, "").await;
    let admin = cluster().await.connect_admin(source.name()).await.unwrap();
    run(
        &admin,
        "update pg_index set indisvalid = false where indexrelid = 'public.part_v'::regclass",
    )
    .await;
    let described = describe(&source).await.unwrap();
    let named = |kind: &str| {
        let mut objects = described.objects.iter();
        objects.any(|object| object.kind == kind && object.name == "public.part_v")
    };
    assert!(!named("index") && !named("index partition"));
    let target = TestDatabase::empty().await.unwrap();
    restore(&described, &target, &[Scope::App]).await;
}

#[tokio::test]
async fn large_objects_come_back_with_their_bytes() {
    let (source, described) = made(
        "select lo_from_bytea(70001, '\\x00ff5c27'); select lo_create(70002);
         comment on large object 70001 is 'a large object';
         grant select on large object 70001 to anon",
        "select lo_from_bytea(70003, '\\x02')",
    )
    .await;
    let gaps: Vec<_> = described.gaps.iter().map(|gap| &*gap.what).collect();
    assert_eq!(gaps, ["large object 70003"]);
    let target = TestDatabase::empty().await.unwrap();
    restore(&described, &target, &[Scope::App]).await;
    let state = "select string_agg(concat_ws(' ', oid, lomowner::regrole, coalesce(lomacl, acldefault('L', lomowner)), lo_get(oid),
                     obj_description(oid, 'pg_largeobject')), ', ' order by oid)
                 from pg_largeobject_metadata where oid < 70003";
    let mut states = Vec::new();
    for database in [&source, &target] {
        let admin = cluster()
            .await
            .connect_admin(database.name())
            .await
            .unwrap();
        let row = admin.query_one(state, &[]).await.unwrap();
        states.push(row.get::<_, String>(0));
    }
    assert!(
        states[0].contains("\\x00ff5c27 a large object"),
        "{states:?}"
    );
    assert_eq!(states[0], states[1]);
}

#[tokio::test]
async fn foreign_tables_come_back_without_what_may_be_secret() {
    let wrapper =
        "create foreign data wrapper away; grant usage on foreign data wrapper away to postgres";
    let (source, described) = made(
        "create server far type 't' version '1''2' foreign data wrapper away
             options (host 'far.example', password 'first secret');
         create user mapping for public server far options (username 'u', password 'second secret');
         create user mapping for anon server far;
         grant usage on foreign server far to anon;
         comment on server far is 'a server';
         create schema ft;
         create foreign table ft.x (id integer options (column_name 'y') not null default 3, t text)
             server far options (table_name 'q');
         comment on foreign table ft.x is 'a foreign table'; comment on column ft.x.id is 'its column';
         alter foreign table ft.x add constraint positive check (id > 0);
         grant select on ft.x to anon;
         create view ft.seen as select * from ft.x;
         create table public.whole (id integer) partition by range (id);
         create foreign table public.part partition of public.whole for values from (1) to (2) server far",
        wrapper,
    )
    .await;
    let target = TestDatabase::empty().await.unwrap();
    let admin = cluster().await.connect_admin(target.name()).await.unwrap();
    run(&admin, wrapper).await;
    let mut known = described.clone();
    known
        .objects
        .retain(|object| !object.name.ends_with("away"));
    restore(&known, &target, &[Scope::App, Scope::Attached]).await;
    let (before, after) = (dump(&source).await, dump(&target).await);
    let without = before
        .replace(",\n    password 'first secret'", "")
        .replace("    password 'second secret',\n", "");
    assert!(!without.contains("secret'"), "{before}");
    assert_same(&without, &after);
    let gaps: Vec<_> = described.gaps.iter().map(|gap| &*gap.what).collect();
    assert_eq!(
        gaps,
        [
            "option password of server far",
            "option password of user mapping for public on far"
        ]
    );
    let excluded = |what: &str| described.excluded.iter().any(|it| it.what == what);
    assert!(excluded("rows of ft.x") && excluded("rows of public.part"));
    let texts = described.objects.iter().map(|object| &object.sql);
    assert!(!texts.into_iter().any(|sql| sql.contains("secret'")));
}

#[tokio::test]
async fn keys_of_partitions_keep_names_of_their_own() {
    comes_back(
        "create table public.whole (id int primary key);
         create table public.t (id int, w int, v int) partition by range (id);
         create table public.a partition of public.t for values from (0) to (5) partition by list (v);
         create table public.a_b partition of public.a for values in (1);
         create table public.c (id int, w int, v int,
             constraint \"It's\" foreign key (w) references public.whole on delete cascade);
         alter table public.t add constraint of_whole foreign key (w) references public.whole on delete cascade;
         alter table public.t attach partition public.c for values from (5) to (9);
         alter table public.a rename constraint of_whole to between;
         comment on constraint \"It's\" on public.c is 'its own';
         comment on constraint between on public.a is 'between';
         comment on constraint of_whole on public.a_b is 'the server''s'",
    )
    .await;
}

#[tokio::test]
async fn what_a_database_says_of_itself_comes_back() {
    let (source, _) = made("", "").await;
    let cluster = cluster().await;
    let (admin, target) = (
        cluster.connect_admin(source.name()).await.unwrap(),
        TestDatabase::empty().await.unwrap(),
    );
    let name = source.name();
    let said = format!(
        "comment on database {name} is E'100 % \\\\ it''s'; revoke all on database {name} from public;
         grant connect on database {name} to anon, shop_clerk;
         grant create on database {name} to \"Shop \"\"Owner\"\"\" with grant option"
    );
    run(&admin, &said).await;
    let described = describe(&source).await.unwrap();
    restore(&described, &target, &[Scope::App, Scope::Attached]).await;
    let of = async |database: &TestDatabase| {
        let itself = "select shobj_description(oid, 'pg_database'), (
                select string_agg(concat(grantee::regrole, privilege_type, is_grantable), ' '
                    order by grantee::regrole::text, privilege_type)
                from aclexplode(datacl))
            from pg_database where datname = $1";
        let row = admin.query_one(itself, &[&database.name()]).await.unwrap();
        (
            row.get::<_, Option<String>>(0),
            row.get::<_, Option<String>>(1),
        )
    };
    assert_eq!(of(&source).await, of(&target).await);
    let (comment, privileges) = of(&target).await;
    assert_eq!(comment.as_deref(), Some("100 % \\ it's"));
    assert!(privileges.unwrap().contains("shop_clerkCONNECTf"));
    let again = describe(&TestDatabase::empty().await.unwrap())
        .await
        .unwrap();
    let own = |object: &&Object| ["comment", "privileges"].contains(&object.kind);
    assert_eq!(again.objects.iter().find(own), None);
}

#[tokio::test]
async fn other_privileges_on_the_servers_own_are_told() {
    let (_, before) = made("", "").await;
    let (_, described) = made(
        "",
        "revoke select on pg_catalog.pg_user from public; grant select (rolname) on pg_catalog.pg_authid to shop_clerk;
         revoke execute on function pg_catalog.pg_sleep(double precision) from public;
         grant execute on function pg_catalog.lo_export(oid, text) to supabase_admin",
    )
    .await;
    let names = |schema: &Schema| -> Vec<String> {
        let excluded = schema.excluded.iter().map(|it| it.what.clone());
        excluded
            .filter(|what| what.starts_with("privileges of "))
            .collect()
    };
    let known = names(&before);
    let mut told = names(&described);
    told.retain(|what| !known.contains(what));
    assert_eq!(
        told,
        [
            "privileges of function pg_sleep(double precision)",
            "privileges of pg_authid (rolname)",
            "privileges of pg_user",
        ]
    );
}

#[tokio::test]
async fn what_may_not_be_null_is_called_as_it_was() {
    let cluster = cluster().await;
    let admin = cluster.connect_admin("postgres").await.unwrap();
    // Before version 18 it has no name.
    let late = if major_version(&admin).await < 18 {
        ""
    } else {
        "comment on constraint c_id_not_null on public.c is 'its own';
         create table public.p (id int, v int);
         create table public.child () inherits (public.p);
         create table public.local (id int) inherits (public.p);
         alter table public.p add constraint must not null id not valid;
         alter table public.p add constraint has not null v;
         comment on constraint must on public.p is 'not proven';
         alter table public.child validate constraint must;
         comment on constraint must on public.child is 'proven';
         create table public.sure (id int not null);
         create table public.both () inherits (public.p, public.sure);
         create table public.whole (id int) partition by list (id);
         alter table public.whole add constraint kept not null id not valid;
         create table public.part partition of public.whole for values in (1)"
    };
    comes_back(&format!(
        "create table public.c (id int not null);
         create table public.a (like public.c);
         create domain public.d as int not null; {late}"
    ))
    .await;
}
