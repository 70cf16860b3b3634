//! The script for psql: what the server refuses takes nothing along, and nothing in a name,
//! a body or a row is taken for a command.

use std::process::Output;

use backup::{
    export::Conduct,
    format::{Manifest, RowHash},
    schema::Stage,
    selection::{Parts, Selection},
};
use local_supabase::postgres::TestDatabase;

use crate::{
    handmade::{self, name},
    refusals::backup_of,
    restore::{assert_equal, restore},
    schema::dump,
    scratch::{Folder, assert_whole},
    support::session,
    taken::Taken,
    tools::{psql_at, psql_in, restore_sh_with, text_of},
};

/// The script, which stock tools write as the program does.
async fn script(backup: &Taken, conduct: Conduct) -> Vec<u8> {
    let exported = backup.script(&Selection::default(), conduct).await;
    let strict: &[&str] = match conduct {
        Conduct::Lenient => &[],
        Conduct::Strict => &["--strict"],
    };
    let stock = restore_sh_with(strict, &backup.bucket(), &backup.identity);
    assert!(stock.status.success(), "{}", text_of(&stock.stderr));
    let (ours, stock) = (text_of(&exported), text_of(&stock.stdout));
    let mut lines = ours.lines().zip(stock.lines());
    assert_eq!(lines.find(|(ours, stock)| ours != stock), None);
    assert_eq!(ours.len(), stock.len());
    exported
}

/// What became of a script, and where.
struct Run {
    target: TestDatabase,
    output: Output,
    folder: Folder,
}

impl Run {
    async fn of(backup: &Taken, conduct: Conduct) -> Self {
        Self::of_script(&script(backup, conduct).await).await
    }

    async fn of_script(script: &[u8]) -> Self {
        let (target, folder) = (TestDatabase::empty().await.unwrap(), Folder::new());
        let output = psql_in(folder.path(), &target, script, &["-1"]).await;
        Self {
            target,
            output,
            folder,
        }
    }

    /// What it says is missing, without the server's words.
    fn missing(&self) -> Vec<String> {
        let said = text_of(&self.output.stdout);
        let missing = said
            .lines()
            .filter_map(|line| line.strip_prefix("missing: "));
        missing
            .map(|line| line.split(": ").next().unwrap().to_owned())
            .collect()
    }

    async fn count(&self, query: &str) -> i64 {
        let session = session(&self.target).await;
        session.query_one(query, &[]).await.unwrap().get(0)
    }
}

const REFUSED: [&str; 5] = [
    // Found in the source's own path, as rows come and after them.
    "create table public.limits (max int);
     insert into public.limits values (10);
     create function public.ok(int) returns boolean language sql stable as
         $$ select $1 <= (select max from limits) $$;
     create table public.t (id int, v int constraint within check (public.ok(v)));
     insert into public.t values (1, 5);
     create function public.twice(int) returns int language sql immutable as $$ select $1 * 2 $$;
     create function public.doubled(int) returns int language plpgsql immutable as
         $$ begin return twice($1); end $$;
     create table public.g (id int, v int generated always as (public.doubled(id)) stored);
     insert into public.g values (1), (2)",
    // Broken by rows.
    "create function public.in_time(int) returns boolean language sql as $$ select true $$;
     create table public.reminders (id int primary key, constraint \"In Time\" check (public.in_time(id)));
     comment on constraint \"In Time\" on public.reminders is 'said; and done';
     insert into public.reminders values (1);
     create or replace function public.in_time(int) returns boolean language sql as $$ select $1 > 1 $$;
     create table public.other (id int primary key);
     insert into public.other values (7)",
    // Never again: rows, an index and a view of them.
    "create function public.f(int) returns int language plpgsql immutable as
         $$ begin if current_setting('app.off', true) = '1' then return 1; end if; raise 'never again'; end $$;
     set app.off = '1';
     create table public.t (id int primary key, v int generated always as (public.f(id)) stored);
     insert into public.t values (1);
     create table public.i (id int primary key);
     insert into public.i values (1);
     create index i_f on public.i (public.f(id));
     create materialized view public.m as select public.f(id) as v from public.i;
     create table public.other (id int primary key);
     insert into public.other values (7)",
    // Rows of nothing, and a table without columns.
    "create table public.nothing ();
     insert into public.nothing default values;
     insert into public.nothing default values;
     create table public.empty (id int)",
    "create schema etl;
     create table etl.orders (id int primary key, v text);
     insert into etl.orders values (1, 'precious')",
];

/// What the command does, the script does.
#[tokio::test(flavor = "multi_thread")]
async fn the_script_misses_what_the_command_misses() {
    for sql in REFUSED {
        let backup = backup_of(sql).await;
        let commanded = TestDatabase::empty().await.unwrap();
        let restored = restore(&backup, &commanded).await.unwrap();
        let mut expected: Vec<_> = restored
            .missing
            .iter()
            .map(|one| one.what.clone())
            .collect();
        expected.sort();
        let run = Run::of(&backup, Conduct::Lenient).await;
        let (mut missing, said) = (run.missing(), text_of(&run.output.stderr));
        missing.sort();
        assert_eq!(missing, expected, "{sql}\n{said}");
        assert_eq!(
            run.output.status.code(),
            Some(if expected.is_empty() { 0 } else { 3 }),
            "{said}"
        );
        assert_eq!(dump(&commanded).await, dump(&run.target).await, "{sql}");
        let written = std::fs::read_to_string(run.folder.path().join("restore-missing.sql"));
        let statements = written.unwrap_or_default();
        for missing in &restored.missing {
            assert!(statements.contains(&missing.statement), "{statements}");
        }
        if expected.is_empty() {
            assert_equal(&backup, &run.target).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_script_restores_nothing_when_anything_is_refused() {
    for sql in [REFUSED[1], REFUSED[2]] {
        let backup = backup_of(sql).await;
        let run = Run::of(&backup, Conduct::Strict).await;
        assert_eq!(run.output.status.code(), Some(3));
        assert_eq!(text_of(&run.output.stdout), "");
        let tables = "select count(*) from pg_tables where schemaname in ('public', 'ops')";
        assert_eq!(run.count(tables).await, 0);
    }
}

/// Text that psql would act on, if it were not where it is.
const HOSTILE: &str = r#"
    create schema "a'b\c";
    create table "a'b\c"."t;"":aim" ("q'\" int primary key, ":x" text, "\q" text default '\q');
    comment on table "a'b\c"."t;"":aim" is E'\\q\n\\if false\n\\endif\n:aim '' $$';
    insert into "a'b\c"."t;"":aim" values
        (1, E'\\.', E'\\q'), (2, E'\n\\.\n\\q\n', E'\\endif'), (3, E'\\if false', null),
        (4, '', E'\\\\'), (5, ':aim', 'drop table public.other;'), (6, E'a\tb\r\nc', '$$');
    create function public.body() returns text language plpgsql as $f$
begin
    -- it's "odd";
    /*
\if false
\q
    */
    return 'a;
' || E'\\.' || $x$:aim '' $x$;
end;
/*
\endif
*/
$f$;
    create table public.other (id int primary key, wide text);
    insert into public.other select n, repeat(md5(n::text), 10000) from generate_series(1, 30) as n;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_name_a_body_or_a_row_is_taken_for_a_command() {
    let backup = backup_of(HOSTILE).await;
    let run = Run::of(&backup, Conduct::Lenient).await;
    assert_eq!(run.missing(), Vec::<String>::new());
    assert!(
        run.output.status.success(),
        "{}",
        text_of(&run.output.stderr)
    );
    assert_equal(&backup, &run.target).await;
    assert_eq!(dump(&backup.source).await, dump(&run.target).await);
}

/// Its checksums sum otherwise, and prove as much of the rows that came.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_older_release_is_compared_as_it_was_summed() {
    let older = |parts: &mut handmade::Parts| parts.row_hash = RowHash::Plain;
    let backup = handmade::backup_with(older, |_| {}).await;
    let run = Run::of(&backup, Conduct::Lenient).await;
    let said = text_of(&run.output.stderr);
    assert!(run.output.status.success(), "{said}");
    let commanded = TestDatabase::empty().await.unwrap();
    restore(&backup, &commanded).await.unwrap();
    assert_whole(&backup.store, &backup.snapshot, &backup.identities).await;

    let odd = |manifest: &mut Manifest| manifest.row_hash = RowHash::Mixed;
    let backup = handmade::backup_with(older, odd).await;
    let run = Run::of(&backup, Conduct::Lenient).await;
    let said = text_of(&run.output.stderr);
    assert!(said.contains("is not equal to the backup"), "{said}");
    let commanded = TestDatabase::empty().await.unwrap();
    restore(&backup, &commanded).await.unwrap_err();
}

/// A table that cannot be made: its rows go nowhere, and nothing in them is a command.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_that_is_not_there_are_not_taken_for_commands() {
    let backup = handmade::backup_with(
        |parts| {
            for made in &mut parts.objects {
                if made.stage == Stage::Before && made.name == "public.people" {
                    made.sql = "create table public.people (id public.no_such_type);\n";
                }
            }
        },
        |_| {},
    )
    .await;
    let run = Run::of(&backup, Conduct::Lenient).await;
    let said = text_of(&run.output.stderr);
    assert_eq!(run.output.status.code(), Some(3), "{said}");
    assert_eq!(
        run.missing(),
        [
            "table public.people",
            "rows of \"public\".\"people\"",
            "state of sequence \"public\".\"people_id_seq\"",
            "constraint public.people people_pkey",
            "index public.people_name_idx",
            "foreign key public.people people_boss_fkey",
            "foreign key public.notes notes_person_fkey",
            "view side.bosses",
        ],
        "{said}"
    );
    assert_eq!(run.count("select count(*) from public.notes").await, 20_003);
    assert_eq!(run.count("select count(*) from auth.users").await, 2);
    for row in ["Ada", "ada@"] {
        assert!(!said.contains(row), "{said}");
    }
}

/// What the server has no room for is no refusal: it would refuse whatever comes next.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_runs_out_of_something_restores_nothing() {
    let backup = handmade::backup_with(
        |parts| {
            for made in &mut parts.objects {
                if made.name == "public.people_name_idx" {
                    made.sql = "do $$ begin raise exception 'out of room' using errcode = '53100'; end $$;\n";
                }
            }
        },
        |_| {},
    )
    .await;
    let run = Run::of(&backup, Conduct::Lenient).await;
    assert_eq!(run.output.status.code(), Some(3));
    let said = text_of(&run.output.stderr);
    assert!(
        said.contains("cannot make index public.people_name_idx: out of room"),
        "{said}"
    );
    let there = "select count(*) from pg_tables where schemaname in ('public', 'side')";
    assert_eq!(run.count(there).await, 0);
}

/// Nothing but what the server refuses is forgiven.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lacks_an_extension_or_is_older_is_refused() {
    let lacking = handmade::backup_with(
        |parts| {
            parts.objects[0].name = "no_such_extension";
            parts.objects[0].sql = "create extension no_such_extension;\n";
        },
        |_| {},
    )
    .await;
    let newer =
        handmade::backup_with(|_| {}, |manifest| manifest.server.version_num = 990_001).await;
    for (backup, told) in [
        (lacking, "not restorable here: extension no_such_extension"),
        (
            newer,
            "not restorable here: the backup is of PostgreSQL 99, and this is 1",
        ),
    ] {
        let run = Run::of(&backup, Conduct::Lenient).await;
        assert_eq!(run.output.status.code(), Some(3));
        let said = text_of(&run.output.stderr);
        assert!(said.contains(told), "{said}");
        let there = "select count(*) from pg_tables where schemaname in ('public', 'side')";
        assert_eq!(run.count(there).await, 0);
    }
}

/// What the server computes is made again: where that comes out otherwise, it is told.
#[tokio::test(flavor = "multi_thread")]
async fn computed_values_that_differ_are_told() {
    let backup = backup_of(
        "create function public.f(int) returns int language sql immutable as $$ select $1 $$;
         create table public.g (id int primary key, v int generated always as (public.f(id)) stored);
         create materialized view public.stale as select id from public.g;
         create materialized view public.fresh as select id from public.g where id < 2;
         insert into public.g values (1), (2);
         refresh materialized view public.fresh",
    )
    .await;
    let run = Run::of(&backup, Conduct::Lenient).await;
    let said = text_of(&run.output.stderr);
    assert!(run.output.status.success(), "{said}");
    assert!(
        said.contains("materialized view \"public\".\"stale\": not equal to the source"),
        "{said}"
    );
    assert!(!said.contains("fresh"), "{said}");
    let last_words = text_of(&run.output.stdout);
    assert!(
        last_words.ends_with(", but for the computed values that the warnings name\n"),
        "{last_words}"
    );
}

/// Of some tables, or without rows, or without owners: what was chosen is there, and the
/// rest is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_chosen_is_a_script_of_its_own() {
    let backup = backup_of(
        "create type public.mood as enum ('good', 'bad');
         create table public.customers (id int primary key);
         create table public.orders (
             id bigint generated by default as identity primary key,
             customer int references public.customers,
             mood public.mood
         );
         create index orders_mood on public.orders (mood);
         create view public.moods as select mood from public.orders;
         create view public.both as select mood from public.orders join public.customers using (id);
         insert into public.customers values (1);
         insert into public.orders (customer, mood) values (1, 'good'), (1, 'bad')",
    )
    .await;
    let orders = Selection {
        tables: vec![handmade::name("public", "orders")],
        ..Selection::default()
    };
    let without_rows = Selection {
        parts: Parts::Schema,
        without_owners: true,
        without_privileges: true,
        ..Selection::default()
    };
    for (selection, relations, rows) in [
        (orders, "orders, orders_id_seq, orders_mood, orders_pkey", 2),
        (
            without_rows,
            "both, customers, customers_pkey, moods, orders, orders_id_seq, orders_mood, orders_pkey",
            0,
        ),
    ] {
        let script = backup.script(&selection, Conduct::Lenient).await;
        let run = Run::of_script(&script).await;
        let said = format!(
            "restored what was chosen, and equal to the backup {}\n",
            backup.snapshot.snapshot
        );
        let errors = text_of(&run.output.stderr);
        assert_eq!(text_of(&run.output.stdout), said, "{errors}");
        assert!(run.output.status.success(), "{errors}");
        let session = session(&run.target).await;
        let found = session
            .query_one(
                "select string_agg(relname, ', ' order by relname collate \"C\") \
                 from pg_class where relnamespace = 'public'::regnamespace and relname ~ '^(both|customers|moods|orders)'",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(found.get::<_, &str>(0), relations);
        assert_eq!(run.count("select count(*) from public.orders").await, rows);
        let next = "select nextval('public.orders_id_seq')";
        assert_eq!(run.count(next).await, rows + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_alone_come_into_tables_that_are_there_and_nothing_acts_on_them() {
    let backup = backup_of(
        "create table public.owners (id int primary key);
         create table public.things (id serial primary key, owner int references public.owners,
             twice int generated always as (id * 2) stored);
         create function public.no() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
         insert into public.owners values (1); insert into public.things (owner) values (1), (1);
         create trigger no before insert on public.things for each row execute function public.no()",
    )
    .await;
    let choose = |parts| Selection {
        parts,
        tables: vec![name("public", "owners"), name("public", "things")],
        ..Selection::default()
    };
    let objects = backup
        .script(&choose(Parts::Schema), Conduct::Lenient)
        .await;
    let rows = backup.script(&choose(Parts::Data), Conduct::Lenient).await;
    let run = Run::of_script(&objects).await;
    assert_eq!(run.missing(), Vec::<String>::new());
    let folder = Folder::new();
    let refused = psql_in(folder.path(), &run.target, &rows, &["-1"]).await;
    assert!(
        text_of(&refused.stderr).contains("rows alone need a role"),
        "{refused:?}"
    );
    let fill = async |target: &TestDatabase| {
        psql_at(folder.path(), &admin_url(target).await, &rows, &["-1"]).await
    };
    let nowhere = TestDatabase::empty().await.unwrap();
    let absent = fill(&nowhere).await;
    let told = "the target has no table \"public\".\"owners\"";
    assert!(text_of(&absent.stderr).contains(told), "{absent:?}");
    let filled = fill(&run.target).await;
    assert!(filled.status.success(), "{filled:?}");
    let said = "restored what was chosen, and equal to the backup";
    assert!(text_of(&filled.stdout).starts_with(said), "{filled:?}");
    let state = "select count(*) filter (where twice = id * 2) + nextval('public.things_id_seq') from public.things";
    assert_eq!(run.count(state).await, 5);
    let again = fill(&run.target).await;
    assert!(
        text_of(&again.stderr).contains("it has rows in"),
        "{again:?}"
    );
}

/// A database's URL for a superuser.
async fn admin_url(database: &TestDatabase) -> String {
    let cluster = database.cluster().await.unwrap();
    let config = cluster.admin_config(database.name());
    let password = text_of(config.get_password().unwrap());
    let (port, name) = (cluster.port(), database.name());
    format!("postgresql://supabase_admin:{password}@127.0.0.1:{port}/{name}")
}
