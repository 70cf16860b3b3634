//! What a target refuses takes nothing along: everything else comes back, and what is
//! missing is told.

use backup::{
    restore::{Cause, Missing, Note, RestoreError, Restored},
    schema::Name,
};
use local_supabase::postgres::{Cluster, TestDatabase};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{
    restore::{assert_equal, restore, restore_strictly},
    schema::dump,
    support::{admin, migrated, session},
    taken::Taken,
};

/// A backup of a database that these statements make.
pub(crate) async fn backup_of(sql: &str) -> Taken {
    let source = migrated().await;
    session(&source).await.batch_execute(sql).await.unwrap();
    Taken::of(source).await
}

/// What of it a fresh project does not take; all rows are compared.
async fn restored(backup: &Taken) -> (TestDatabase, Restored) {
    let target = TestDatabase::empty().await.unwrap();
    let restored = restore(backup, &target).await.unwrap();
    (target, restored)
}

async fn comes_back_whole(sql: &str) {
    comes_back_equal(&backup_of(sql).await, sql).await;
}

async fn comes_back_equal(backup: &Taken, sql: &str) {
    let (target, restored) = restored(backup).await;
    assert_eq!(restored.missing, [], "{sql}");
    assert_equal(backup, &target).await;
    let (before, after) = (dump(&backup.source).await, dump(&target).await);
    assert_eq!(before, after, "{sql}");
}

/// What is missing; every row that is there is compared.
async fn missing(backup: &Taken) -> Vec<Missing> {
    let (target, restored) = restored(backup).await;
    assert_equal(backup, &target).await;
    restored.missing
}

#[tokio::test]
async fn functions_that_find_names_in_the_sources_path_alone_come_back() {
    for sql in [
        // A constraint.
        "create table public.limits (max int);
         insert into public.limits values (10);
         create function public.ok(int) returns boolean language sql stable as
             $$ select $1 <= (select max from limits) $$;
         create table public.t (id int, v int constraint within check (public.ok(v)));
         insert into public.t values (1, 5)",
        // A generated column.
        "create function public.twice(int) returns int language sql immutable as $$ select $1 * 2 $$;
         create function public.doubled(int) returns int language plpgsql immutable as
             $$ begin return twice($1); end $$;
         create table public.t (id int, v int generated always as (public.doubled(id)) stored);
         insert into public.t values (1), (2)",
        // A policy, and a view beside it.
        "create table public.m (u uuid, team int);
         create table public.docs (id int primary key, team int);
         alter table public.docs enable row level security;
         create function public.my_teams() returns setof int language sql stable security definer as
             $$ select team from m where u = auth.uid() $$;
         create policy p on public.docs using (team in (select public.my_teams()));
         insert into public.docs values (1, 1)",
        // A path of the database's own.
        "create schema app;
         set search_path to app;
         create function app.norm(text) returns text language sql immutable as $$ select lower($1) $$;
         create function app.same(text) returns boolean language plpgsql immutable as
             $$ begin return norm($1) = $1; end $$;
         create table public.t (id int primary key, v text check (app.same(v)));
         insert into public.t values (1, 'a');
         do $$ begin
             execute format('alter database %I set search_path = app', current_database());
             -- Later servers make no index over such a function.
             if current_setting('server_version_num')::integer < 170000 then
                 create index on public.t (app.norm(v)) where app.same(v);
             end if;
         end $$",
    ] {
        comes_back_whole(sql).await;
    }
}

#[tokio::test]
async fn a_constraint_that_rows_break_is_there_and_not_valid() {
    let backup = backup_of(
        // True of the row as it came, and not any more.
        "create function public.in_time(int) returns boolean language sql as $$ select true $$;
         create table public.reminders (id int primary key, constraint \"In Time\" check (public.in_time(id)));
         comment on constraint \"In Time\" on public.reminders is 'said; and done';
         insert into public.reminders values (1);
         create or replace function public.in_time(int) returns boolean language sql as $$ select $1 > 1 $$;
         create table public.other (id int primary key);
         insert into public.other values (7)",
    )
    .await;
    assert_eq!(
        missing(&backup).await,
        [Missing {
            what: "validity of constraint public.reminders In Time".into(),
            reason: "check constraint \"In Time\" of relation \"reminders\" is violated by some row (23514)".into(),
            statement: "alter table \"public\".\"reminders\" validate constraint \"In Time\";\n".into(),
        }]
    );
}

#[tokio::test]
async fn a_domains_check_that_rows_break_leaves_none_of_them_behind() {
    let backup = backup_of(
        "create function public.is_small(int) returns boolean language sql immutable as $$ select true $$;
         create domain public.amount as int constraint small check (public.is_small(value));
         alter domain public.amount add constraint \"Not Odd\" check (value % 2 = 0 or not public.is_small(1));
         create table public.t (id int primary key, a public.amount, b public.amount[]);
         create table public.u (a public.amount);
         insert into public.t values (1, 20, '{40}'), (2, 2, null);
         insert into public.u values (30);
         create or replace function public.is_small(int) returns boolean language sql immutable as
             $$ select $1 < 10 $$",
    )
    .await;
    let (target, restored) = restored(&backup).await;
    assert_equal(&backup, &target).await;
    let what: Vec<_> = restored
        .missing
        .iter()
        .map(|missing| (missing.what.as_str(), missing.statement.as_str()))
        .collect();
    assert_eq!(
        what,
        [(
            "validity of domain constraint public.amount small",
            "alter domain \"public\".\"amount\" validate constraint \"small\";\n"
        )]
    );
    let rows = session(&target).await;
    let row = rows.query_one("select count(*) from public.t", &[]).await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 2);
}

#[tokio::test]
async fn an_orphan_leaves_a_foreign_key_unproven() {
    let source = migrated().await;
    let tables = "create table public.p (id int primary key);
                  create table public.c (id int primary key, p int references public.p);
                  insert into public.p values (1), (2);
                  insert into public.c values (1, 1), (2, 2)";
    session(&source).await.batch_execute(tables).await.unwrap();
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.admin_config(source.name()).connect(NoTls).await;
    let (admin, connection) = admin.unwrap();
    tokio::spawn(connection);
    let orphan = "set session_replication_role = replica; delete from public.p where id = 2";
    admin.batch_execute(orphan).await.unwrap();

    let missing = missing(&Taken::of(source).await).await;
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(
        missing[0],
        Missing {
            what: "validity of foreign key public.c c_p_fkey".into(),
            reason: "insert or update on table \"c\" violates foreign key constraint \"c_p_fkey\" (23503)".into(),
            statement: "alter table \"public\".\"c\" validate constraint \"c_p_fkey\";\n".into(),
        }
    );
}

#[tokio::test]
async fn a_table_whose_rows_are_refused_leaves_the_others() {
    let backup = backup_of(
        "create function public.f(int) returns int language plpgsql immutable as
             $$ begin if current_setting('app.off', true) = '1' then return 1; end if; raise 'never again'; end $$;
         create table public.t (id int primary key, v int generated always as (public.f(id)) stored);
         set app.off = '1';
         insert into public.t values (1);
         create table public.other (id int primary key);
         insert into public.other values (7)",
    )
    .await;
    let (target, restored) = restored(&backup).await;
    let what: Vec<_> = restored
        .missing
        .iter()
        .map(|missing| missing.what.as_str())
        .collect();
    assert_eq!(what, ["rows of \"public\".\"t\""]);
    let rows = session(&target).await;
    let row = rows.query_one(
        "select (select count(*) from public.t), (select id from public.other)",
        &[],
    );
    let row = row.await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(1)), (0, 7));
}

#[tokio::test]
async fn a_table_that_cannot_be_made_leaves_the_others() {
    let source = migrated().await;
    let cluster = Cluster::shared().await.unwrap();
    let admin = cluster.connect_admin(source.name()).await.unwrap();
    // A type that no backup makes.
    let tables = "create type public.raw;
         create function public.raw_in(cstring) returns public.raw language internal immutable strict as 'int4in';
         create function public.raw_out(public.raw) returns cstring language internal immutable strict as 'int4out';
         create type public.raw (internallength = 4, input = public.raw_in, output = public.raw_out, passedbyvalue, alignment = int4);
         create table public.t (id public.raw); insert into public.t values ('1');
         create table public.other (id int); insert into public.other values (7);
         alter type public.raw owner to postgres; alter table public.t owner to postgres;
         alter table public.other owner to postgres";
    admin.batch_execute(tables).await.unwrap();
    let backup = Taken::of(source).await;
    let (target, restored) = restored(&backup).await;
    let missing = |what: &str| restored.missing.iter().find(|it| it.what == what);
    assert!(
        missing("table public.t").is_some(),
        "{:?}",
        restored.missing
    );
    let rows = missing("rows of \"public\".\"t\"").unwrap();
    assert_eq!(rows.reason, "there is no such table");
    let row = session(&target)
        .await
        .query_one("select id from public.other", &[])
        .await;
    assert_eq!(row.unwrap().get::<_, i32>(0), 7);
}

#[tokio::test]
async fn a_strict_restore_ends_at_the_first_refusal() {
    let backup = backup_of(
        "create function public.in_time(int) returns boolean language sql as $$ select true $$;
         create table public.t (id int, check (public.in_time(id)));
         insert into public.t values (1);
         create or replace function public.in_time(int) returns boolean language sql as $$ select $1 > 1 $$",
    )
    .await;
    let target = TestDatabase::empty().await.unwrap();
    let error = restore_strictly(&backup, &target).await.unwrap_err();
    assert!(
        matches!(&error, RestoreError::Partial(Cause::Refused { doing, .. }) if doing == "cannot make constraint public.t t_id_check"),
        "{error:?}"
    );
}

/// The check of a child that its parent hands down without being valid has to come first,
/// though the parent has more rows.
#[tokio::test]
async fn what_is_made_together_waits_for_what_it_needs() {
    comes_back_whole(
        "create table public.p (id int primary key, v int);
         create table public.c () inherits (public.p);
         insert into public.p select n, 0 from generate_series(1, 9) n;
         alter table public.c add constraint positive check (v > 0);
         alter table public.p add constraint positive check (v > 0) not valid",
    )
    .await;
}

#[tokio::test]
async fn rows_that_name_what_is_made_after_them_come_back() {
    comes_back_whole(
        "create table public.t (id int primary key, named regclass);
         create index of_it on public.t (named);
         create view public.seen as select id from public.t;
         insert into public.t values (1, 'of_it'), (2, 'seen'), (3, 't_pkey');
         create materialized view public.kept as select id from public.t;
         create table public.refers (t int references public.t);
         insert into public.refers values (1);
         create function public.no() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
         create trigger no before insert on public.t for each row execute function public.no()",
    )
    .await;
}

#[tokio::test]
async fn rows_that_their_partition_does_not_take_any_more_come_into_another() {
    let backup = backup_of(
        "create function public.side(int) returns text language sql immutable as
             $$ select case when $1 < 5 then 'left' else 'right' end $$;
         create table public.t (id int, v text) partition by list (public.side(id));
         create table public.lefts partition of public.t for values in ('left');
         create table public.rights partition of public.t for values in ('right');
         insert into public.t select n, 'v' from generate_series(1, 9) n;
         create or replace function public.side(int) returns text language sql immutable as
             $$ select case when $1 < 3 then 'left' else 'right' end $$",
    )
    .await;
    let (target, restored) = restored(&backup).await;
    assert_eq!(restored.missing, []);
    assert!(!restored.is_equal());
    let table = Name {
        schema: "public".into(),
        name: "lefts".into(),
    };
    let routed = Note::Routed {
        table,
        compared: true,
    };
    assert!(restored.notes.contains(&routed), "{:?}", restored.notes);
    let rows = "select string_agg(id::text, '' order by id) || ' ' || count(*) filter (where tableoid = 'public.lefts'::regclass)
        from public.t";
    let row = session(&target).await.query_one(rows, &[]).await;
    assert_eq!(row.unwrap().get::<_, &str>(0), "123456789 2");
}

#[tokio::test]
async fn an_index_that_rows_of_a_view_do_not_fit_leaves_the_rows() {
    let backup = backup_of(
        "create table public.t (id int primary key, v int);
         insert into public.t values (1, 1);
         create materialized view public.kept as select v from public.t;
         create unique index once on public.kept (v);
         insert into public.t values (2, 1)",
    )
    .await;
    let (target, restored) = restored(&backup).await;
    let what: Vec<_> = restored.missing.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(what, ["index public.once"]);
    let count = "select count(*) from public.kept";
    let row = session(&target).await.query_one(count, &[]).await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 2);
}

#[tokio::test]
async fn what_one_role_cannot_be_given_stays_taken_from_the_others() {
    // The platform has it in some projects, and no backup makes it.
    let role = "supabase_etl_admin";
    let backup = backup_of(&format!(
        "create role {role};
         create table public.secret (a int);
         revoke all on public.secret from anon, authenticated, service_role;
         grant select on public.secret to {role};
         grant select (a) on public.secret to authenticated"
    ))
    .await;
    admin(&backup.source)
        .await
        .batch_execute(&format!("drop owned by {role}; drop role {role}"))
        .await
        .unwrap();
    let (target, restored) = restored(&backup).await;
    let names: Vec<_> = restored
        .missing
        .iter()
        .map(|one| one.what.as_str())
        .collect();
    assert_eq!(names, ["grants table public.secret"]);
    assert!(
        restored.missing[0].statement.contains(role)
            && !restored.missing[0].statement.contains("revoke"),
        "{restored:?}"
    );
    let taken = session(&target).await;
    let may = "select has_table_privilege('anon', 'public.secret', 'select')
                   or has_table_privilege('service_role', 'public.secret', 'insert')";
    let open: bool = taken.query_one(may, &[]).await.unwrap().get(0);
    assert!(!open, "strangers may read what was closed to them");
}

#[tokio::test]
async fn small_large_objects_have_their_comments_and_reasons_hold_no_value() {
    comes_back_whole(
        "select lo_create(2121);
         comment on large object 2121 is 'small'",
    )
    .await;
    let backup = backup_of(
        "create function public.parsed(text) returns int language plpgsql immutable as
             $$ begin return $1::int; end $$;
         create table public.t (v text);
         insert into public.t values ('secret value');
         create statistics public.s on (public.parsed(v)), v from public.t",
    )
    .await;
    let (_target, restored) = restored(&backup).await;
    let notes: Vec<String> = restored.notes.iter().map(Note::to_string).collect();
    let told = notes.join("; ");
    assert!(told.contains("has no statistics yet"), "{told}");
    assert!(!told.contains("secret value"), "{told}");
}

#[tokio::test]
async fn an_owner_in_a_schema_of_another_is_as_it_was() {
    let names = ["keeper", "maker"].map(|name| format!("{name}_{}", Uuid::new_v4().simple()));
    let [keeper, maker] = &names;
    let source = migrated().await;
    let (team, admin) = (session(&source).await, admin(&source).await);
    let run = async |session: &Client, sql: &str| session.batch_execute(sql).await.unwrap();
    let roles = format!(
        "create role {keeper}; grant {keeper} to postgres;
         create role {maker}; grant {maker} to postgres"
    );
    run(&team, &roles).await;
    run(&admin, &format!("grant {keeper} to {maker}")).await;
    let made = format!(
        "create schema s;
         create table s.t (a int); insert into s.t values (1);
         create table s.u (b int); insert into s.u values (2);
         alter schema s owner to {keeper};
         alter table s.u owner to {maker}"
    );
    run(&team, &made).await;
    // What roles are members of does not come along.
    run(&team, &format!("revoke {keeper} from postgres")).await;
    let backup = Taken::of(source).await;
    run(&admin, &format!("revoke {keeper} from {maker}")).await;
    comes_back_equal(&backup, &made).await;
}

#[tokio::test]
async fn an_heirs_constraint_is_as_valid_as_it_was_though_its_parents_is_not() {
    let backup = backup_of(
        "create table public.par (a int);
         alter table public.par add constraint positive check (a > 0) not valid;
         create table public.ch (b int) inherits (public.par);
         create table public.grandchild (c int) inherits (public.ch);
         alter table public.ch validate constraint positive",
    )
    .await;
    let (target, restored) = restored(&backup).await;
    assert_eq!(restored.missing, []);
    let validity = "select string_agg(conrelid::regclass::text || ' ' || convalidated, ', ' order by 1)
                    from (select * from pg_constraint where conname = 'positive' order by conrelid::regclass::text) as one";
    let mut found = Vec::new();
    for database in [&backup.source, &target] {
        let row = session(database).await.query_one(validity, &[]).await;
        found.push(row.unwrap().get::<_, String>(0));
    }
    assert_eq!(found[0], found[1]);
    assert!(
        found[0].contains("par false") && found[0].contains("ch true"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_foreign_key_beside_the_one_of_its_whole_is_told_where_the_two_become_one() {
    let backup = backup_of(
        "create table public.pk (a int primary key);
         create table public.mid (a int) partition by range (a);
         create table public.leaf partition of public.mid for values from (0) to (10);
         alter table public.mid add constraint z foreign key (a) references public.pk;
         alter table public.leaf add constraint a foreign key (a) references public.pk",
    )
    .await;
    let count = "select count(*) from pg_constraint where contype = 'f' and conrelid = 'public.leaf'::regclass";
    let (target, restored) = restored(&backup).await;
    let mut counts = Vec::new();
    for database in [&backup.source, &target] {
        let row = session(database).await.query_one(count, &[]).await;
        counts.push(row.unwrap().get::<_, i64>(0));
    }
    let told: Vec<_> = restored
        .missing
        .iter()
        .map(|one| one.what.as_str())
        .collect();
    assert!(
        counts[0] == counts[1] && told.is_empty()
            || told == ["likeness of foreign key public.leaf a"],
        "{counts:?} {told:?}"
    );
}
