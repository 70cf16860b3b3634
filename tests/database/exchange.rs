//! One set of functions is put in the place of another: whole, over what stands
//! there, and while calls go on.

use std::sync::atomic::{AtomicBool, Ordering};

use ops::migrate::{MigrateError, Schema};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    support::{World, array, page},
    toy,
};

/// The lock that calls hold shared.
const HOLD: &str = "8101823389103252852";

/// A fresh project with that schema.
async fn world_of(schema: &Schema) -> World {
    let world = World::empty().await;
    migrate(&world, schema).await;
    world
}

async fn migrate(world: &World, schema: &Schema) {
    try_migrate(world, schema)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

async fn try_migrate(world: &World, schema: &Schema) -> Result<(), MigrateError> {
    let mut owner = world.owner().await;
    schema.apply(&mut owner, &mut |_| {}).await.map(drop)
}

/// The signatures of a function, of all its overloads.
async fn signatures(world: &World, name: &str) -> Value {
    world
        .value(&format!(
            "(select coalesce(jsonb_agg(pg_get_function_arguments(oid) || ' -> ' || pg_get_function_result(oid)), '[]')
              from pg_proc where pronamespace = 'ops'::regnamespace and proname = '{name}')"
        ))
        .await
}

#[tokio::test]
async fn whatever_of_a_signature_changes_there_is_one_function_afterwards() {
    let plain = toy::schema("a");
    let define = |arguments: &str, result: &str| {
        format!(
            "create or replace function ops.shaped({arguments}) returns {result} language plpgsql as $$ begin return null; end $$;"
        )
    };
    for (what, before, after) in [
        ("renamed", ("p_a text", "text"), ("p_b text", "text")),
        ("retyped", ("p_a text", "text"), ("p_a integer", "text")),
        (
            "added",
            ("p_a text", "text"),
            ("p_a text, p_b text", "text"),
        ),
        (
            "added with a default",
            ("p_a text", "text"),
            ("p_a text, p_b text DEFAULT NULL::text", "text"),
        ),
        (
            "given a default",
            ("p_a text", "text"),
            ("p_a text DEFAULT NULL::text", "text"),
        ),
        (
            "robbed of a default",
            ("p_a text DEFAULT NULL::text", "text"),
            ("p_a text", "text"),
        ),
        (
            "removed",
            ("p_a text, p_b text", "text"),
            ("p_a text", "text"),
        ),
        (
            "moved",
            ("p_a text, p_b integer", "text"),
            ("p_b integer, p_a text", "text"),
        ),
        (
            "another result",
            ("p_a text", "text"),
            ("p_a text", "integer"),
        ),
        (
            "a set as a result",
            ("p_a text", "text"),
            ("p_a text", "SETOF text"),
        ),
        (
            "the type made anew",
            ("p_a ops.pair", "ops.pair"),
            ("p_a ops.pair, p_b text", "ops.pair"),
        ),
    ] {
        let [before, after] = [before, after].map(|(arguments, result)| {
            let sql = define(arguments, result).replace(
                "SETOF text language plpgsql as $$ begin return null;",
                "SETOF text language plpgsql as $$ begin return;",
            );
            (toy::with(&plain, &sql), format!("{arguments} -> {result}"))
        });
        let world = world_of(&before.0).await;
        for (schema, expected) in [&after, &before, &after] {
            migrate(&world, schema).await;
            assert_eq!(
                signatures(&world, "shaped").await,
                json!([expected]),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_function_whose_signature_stays_keeps_all_that_rests_on_it() {
    let world = world_of(&toy::schema("a")).await;
    world
        .execute(
            "create table public.lines (
                 id integer generated always as identity,
                 word text default ops.inlined_word() check (word = ops.inlined_word() or word <> ''),
                 derived text generated always as (ops.inlined_word()) stored
             );
             alter table public.lines enable row level security;
             create index by_word on public.lines ((ops.inlined_word() || word));
             create policy theirs on public.lines using (word = ops.word());
             create view public.words as select ops.word() as word;
             create role reader_of_words;
             grant execute on function ops.word() to reader_of_words;",
        )
        .await;
    let oid = world.value("'ops.word()'::regprocedure::oid::text").await;
    migrate(&world, &toy::schema("b")).await;
    assert_eq!(
        world.value("'ops.word()'::regprocedure::oid::text").await,
        oid
    );
    assert_eq!(world.value("(select word from public.words)").await, "b");
    let granted = "has_function_privilege('reader_of_words', 'ops.word()', 'execute')";
    assert_eq!(world.value(granted).await, true);
    world
        .execute("drop owned by reader_of_words; drop role reader_of_words")
        .await;
}

#[tokio::test]
async fn what_others_built_on_a_function_that_goes_is_named_and_nothing_changes() {
    let schema = toy::schema("a");
    let more = toy::with(
        &schema,
        "create or replace function ops.extra() returns text language sql as $$ select 'x' $$;",
    );
    let world = world_of(&more).await;
    world
        .execute("create view public.theirs as select ops.extra() as word")
        .await;
    let error = try_migrate(&world, &toy::schema("b")).await.unwrap_err();
    let MigrateError::Failed { message, code, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(code, "2BP01", "{error}");
    assert!(message.contains("view public.theirs"), "{error}");
    assert_eq!(world.value("ops.word()").await, "a");
    world.execute("drop view public.theirs").await;
    migrate(&world, &toy::schema("b")).await;
    assert_eq!(signatures(&world, "extra").await, json!([]));
}

#[tokio::test]
async fn a_changed_type_is_made_anew_with_all_that_use_it() {
    let users = "create or replace function ops.one_of(p_pair ops.pair) returns text language sql as $$ select p_pair.one $$;
create or replace function ops.pairs(p_pairs ops.pair[]) returns setof ops.pair language sql as $$ select * from unnest(p_pairs) $$;
";
    let before = toy::with(&toy::schema("a"), users);
    let mut after = before.clone();
    after.set.types = vec![toy::file(
        "types.sql",
        "create type ops.inner_pair as (deep integer);
         create type ops.pair as (one text, other text, third ops.inner_pair);",
    )];
    let columns = "(select jsonb_agg(attname order by attnum) from pg_attribute where attrelid = 'ops.pair'::regclass)";
    let world = world_of(&before).await;
    for _ in 0..2 {
        migrate(&world, &after).await;
        assert_eq!(world.value(columns).await, json!(["one", "other", "third"]));
        assert_eq!(
            world.call("ops_say", json!({"p_id": 1})).await,
            json!(["a", "a", "a", "a", "a"])
        );
        world.execute("delete from ops.notes where id = 1").await;
        migrate(&world, &before).await;
        assert_eq!(world.value(columns).await, json!(["one", "other"]));
        assert_eq!(
            world.value("to_regtype('ops.inner_pair')").await,
            Value::Null
        );
    }
    // A set of the same types leaves them as they are.
    let oid = world.value("'ops.pair'::regtype::oid::text").await;
    migrate(&world, &toy::with(&toy::schema("b"), users)).await;
    assert_eq!(world.value("'ops.pair'::regtype::oid::text").await, oid);
}

#[tokio::test]
async fn triggers_and_functions_that_a_set_lacks_are_gone() {
    let before = toy::schema("a");
    let mut after = before.clone();
    after.set.triggers = vec![toy::file(
        "triggers.sql",
        "create or replace trigger see_again before update on ops.notes
         for each row execute function ops.see_note();",
    )];
    let mut bare = before.clone();
    bare.set.triggers[0].sql.clear();
    bare.set
        .functions
        .retain(|file| !file.path.contains("notes"));
    bare.set.grants[0].sql.clear();
    let triggers = "(select jsonb_agg(tgname order by tgname) from pg_trigger where tgrelid = 'ops.notes'::regclass and not tgisinternal)";
    let world = world_of(&before).await;
    // A trigger of the operator's own on our table stays.
    world
        .execute(
            "create function public.theirs() returns trigger language plpgsql as 'begin return new; end';
             create trigger theirs before delete on ops.notes for each row execute function public.theirs()",
        )
        .await;
    for (schema, expected) in [
        (&after, json!(["see_again", "theirs"])),
        (&bare, json!(["theirs"])),
        (&before, json!(["see_note", "theirs"])),
    ] {
        migrate(&world, schema).await;
        assert_eq!(world.value(triggers).await, expected);
    }
    migrate(&world, &bare).await;
    assert_eq!(signatures(&world, "see_note").await, json!([]));
    assert_eq!(
        world.value("to_regproc('public.ops_say')").await,
        Value::Null
    );
}

#[tokio::test]
async fn seeds_leave_what_an_operator_wrote() {
    let world = world_of(&toy::schema("a")).await;
    world
        .execute("update ops.notes set body = 'mine' where id = 0")
        .await;
    migrate(&world, &toy::schema("b")).await;
    let body = "(select body from ops.notes where id = 0)";
    assert_eq!(world.value(body).await, "mine");
}

#[tokio::test]
async fn a_fault_in_a_set_is_named_by_file_and_line_and_undone() {
    let good = toy::schema("a");
    let world = world_of(&good).await;
    let mut bad = toy::schema("b");
    bad.set.functions[1].sql.push_str(
        "\n-- No result.\ncreate or replace function ops.odd() returnz text language sql as '';\n",
    );
    let error = try_migrate(&world, &bad).await.unwrap_err();
    let lines = bad.set.functions[1].sql.lines().count();
    let MigrateError::Failed { file, line, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        (file.as_str(), *line),
        ("functions/words.sql", Some(lines)),
        "{error}"
    );

    let mut late = toy::schema("b");
    late.set.seeds[0]
        .sql
        .push_str("\ninsert into ops.nowhere values (1);");
    let error = try_migrate(&world, &late).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("seeds/notes.sql, line 2, failed"),
        "{error}"
    );
    assert_eq!(
        world.call("ops_say", json!({"p_id": 1})).await,
        json!(["a", "a", "a", "a", "a"])
    );
}

#[tokio::test]
async fn whoever_keeps_the_functions_in_use_is_named() {
    let world = world_of(&toy::schema("a")).await;
    let holder = world.owner().await;
    holder
        .batch_execute(&format!(
            "set application_name = 'a long call'; begin; select pg_advisory_xact_lock_shared({HOLD})"
        ))
        .await
        .unwrap();
    let error = try_migrate(&world, &toy::schema("b")).await.unwrap_err();
    let MigrateError::InUse { holders } = &error else {
        panic!("{error}");
    };
    let backend = holder
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap();
    let pid: i32 = backend.get(0);
    for expected in [
        format!("process {pid}"),
        "application a long call".to_owned(),
        "user postgres".to_owned(),
        "idle in transaction since 2".to_owned(),
        "select pg_advisory_xact_lock_shared".to_owned(),
    ] {
        assert!(holders.contains(&expected), "{holders}");
    }
    assert_eq!(world.value("ops.word()").await, "a");
    holder.batch_execute("commit").await.unwrap();
    migrate(&world, &toy::schema("b")).await;
    assert_eq!(world.value("ops.word()").await, "b");
}

#[tokio::test]
async fn a_call_that_waited_for_an_exchange_is_refused_and_then_runs_anew() {
    let world = world_of(&toy::schema("a")).await;
    // Its session has the old body at hand.
    world.call("ops_say", json!({"p_id": 1})).await;
    let exchanging = world.owner().await;
    exchanging
        .batch_execute(&format!("begin; select pg_advisory_xact_lock({HOLD})"))
        .await
        .unwrap();
    let exchange = async {
        wait_for_a_waiting_call(&world).await;
        exchanging
            .batch_execute(
                "create or replace function ops.word() returns text language sql immutable
                 set search_path = '' as $$ select 'b' $$;
                 insert into ops.function_sets (release, sha256, types, functions, sources)
                 values ('0.2.0', 'b', '{}', '{}', '{}');
                 commit",
            )
            .await
            .unwrap();
    };
    let (refusal, ()) = tokio::join!(world.refusal("ops_say", json!({"p_id": 2})), exchange);
    assert_eq!(refusal[0], "PT503", "{refusal:?}");
    assert_eq!(
        world
            .value("(select count(*) from ops.notes where id = 2)")
            .await,
        0
    );
}

async fn wait_for_a_waiting_call(world: &World) {
    let waiting = "(select count(*) from pg_locks where locktype = 'advisory' and not granted and mode = 'ShareLock'
                    and database = (select oid from pg_database where datname = current_database()))";
    while world.value(waiting).await != 1 {
        tokio::task::yield_now().await;
    }
}

/// Calls until told to stop; says what each call ran in.
async fn say_until(caller: &Client, first: i32, stop: &AtomicBool) -> (Vec<Value>, usize) {
    let (mut said, mut refused) = (Vec::new(), 0);
    for id in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        loop {
            let outcome = caller
                .query_one("select public.ops_say($1)::text", &[&id])
                .await;
            match outcome {
                Ok(row) => {
                    said.push(serde_json::from_str(row.get(0)).unwrap());
                    break;
                }
                Err(error) if error.code().is_some_and(|code| code.code() == "PT503") => {
                    refused += 1;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    (said, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_runs_half_in_one_set_and_half_in_the_other() {
    let mut sets = ["a", "b"].map(toy::schema);
    // The other way round it is another type as well.
    sets[1].set.types[0].sql = "create type ops.pair as (other text, one text);".to_owned();
    let world = world_of(&sets[0]).await;
    let stop = AtomicBool::new(false);
    let callers = [world.session().await, world.session().await];
    let exchange = async {
        for turn in 0..20 {
            migrate(&world, &sets[(turn + 1) % 2]).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (one, other, ()) = tokio::join!(
        say_until(&callers[0], 1_000, &stop),
        say_until(&callers[1], 1_000_000, &stop),
        exchange
    );
    for (said, _) in [&one, &other] {
        for words in said {
            let words = array(words);
            assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
        }
        for word in ["a", "b"] {
            assert!(said.iter().any(|words| words[0] == word), "none in {word}");
        }
    }
}

/// PostgreSQL looks at the types that a body declares as it loads the body, before the lock
/// is held: one that an exchange has just dropped would be an error of the server.
#[tokio::test]
async fn no_public_function_that_writes_declares_a_type_of_the_set() {
    let world = World::migrated().await;
    let declared = "(select coalesce(jsonb_agg(p.proname || ' ' || t.typname), '[]')
        from pg_proc as p
        join pg_type as t on t.typnamespace = 'ops'::regnamespace and t.typtype = 'c'
        join pg_class as c on c.oid = t.typrelid and c.relkind = 'c'
        where p.pronamespace = 'public'::regnamespace and p.proname like 'ops\\_%' and p.provolatile = 'v'
            and p.prosrc ~ ('\\mops\\.' || t.typname || '(;|\\[| )'))";
    assert_eq!(world.value(declared).await, json!([]));
}

#[tokio::test]
async fn every_public_function_that_writes_holds_its_set_before_anything_else() {
    let world = World::migrated().await;
    let hash = Schema::embedded().set.sha256();
    let others = format!(
        "(select coalesce(jsonb_agg(proname), '[]') from pg_proc
          where pronamespace = 'public'::regnamespace and proname like 'ops\\_%' and provolatile = 'v'
          and prosrc !~ '\\mbegin\\s+perform ops\\.hold_functions\\(''{hash}''\\);')"
    );
    assert_eq!(world.value(&others).await, json!([]));
}

/// The real schema with every function another and every type made anew.
fn disguised() -> Schema {
    let mut schema = Schema::embedded();
    "0.2.0".clone_into(&mut schema.release);
    for file in &mut schema.set.functions {
        file.sql = file.sql.replace("as $$\n", "as $$\n-- Of another set.\n");
    }
    for file in &mut schema.set.types {
        file.sql
            .push_str("\ncomment on type ops.observation is 'Of another set.';\n");
    }
    schema
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tick_fails_while_sets_are_put_in_place_and_back() {
    let world = World::migrated().await;
    let sets = [disguised(), Schema::embedded()];
    let stop = AtomicBool::new(false);
    let exchange = async {
        for turn in 0..6 {
            migrate(&world, &sets[turn % 2]).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let ticks = async {
        let mut committed = 0;
        let start: jiff::Timestamp = "2026-11-24T00:00:05Z".parse().unwrap();
        while !stop.load(Ordering::Relaxed) {
            let now = (start + jiff::SignedDuration::from_mins(committed)).to_string();
            tick(&world, &now).await;
            committed += 1;
        }
        committed
    };
    let ((), committed) = tokio::join!(exchange, ticks);
    assert!(committed > 6, "{committed}");
    let runs = "(select count(*) from ops.runs where job = 'monitor' and summary ->> 'outcome' = 'committed')";
    assert_eq!(world.value(runs).await, committed);
    let status = Schema::embedded()
        .status(&world.owner().await)
        .await
        .unwrap();
    assert!(
        status.is_current() && status.hand_edits.is_empty(),
        "{status:?}"
    );
}

#[tokio::test]
async fn what_was_written_under_a_set_that_counts_nothing_is_told() {
    let world = World::migrated().await;
    // A build of before the figures: it knows neither their tables nor their functions.
    let mut older = Schema::embedded();
    "0.0.9".clone_into(&mut older.release);
    older.tables.retain(|file| file.version.as_str() < "0026");
    older.set.triggers.clear();
    older
        .set
        .functions
        .retain(|file| !file.path.contains("/figures/"));
    older.set.seeds.retain(|file| {
        !(file.path.contains("counted_tables") || file.path.contains("figure_blocks"))
    });
    let write =
        "insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
                 values ('/', 'GET', 200, 1)";
    world.execute(write).await;

    migrate(&world, &older).await;
    world.execute(write).await;
    for _ in 0..2 {
        migrate(&world, &Schema::embedded()).await;
        world.execute(write).await;
    }
    let counted = "(select sum(n) from ops.read_figures('requests', '', '1999-12-27Z', now() + interval '1 minute'))";
    assert_eq!(world.value(counted).await, 3, "of four, one met no trigger");
    let told = world
        .rows(
            "select table_name, split_part(reason, ' from ', 1) as reason from ops.uncounted_rows order by 1",
        )
        .await;
    let expected: Vec<Value> = [
        "analytics_events",
        "api_usage_metrics",
        "business_metrics",
        "error_logs",
        "feature_usage",
        "performance_metrics",
        "user_sessions",
    ]
    .map(|table| json!({"table_name": table, "reason": "the functions of release 0.0.9 were in force"}))
    .into();
    assert_eq!(told, json!(expected), "once");
}

/// A tick as the monitor makes it: a call that met an exchange is made again.
async fn tick(world: &World, now: &str) {
    let run = uuid::Uuid::new_v4();
    let claim = again(
        world,
        "ops_claim_run",
        json!({
            "p_run": run, "p_job": "monitor", "p_every_seconds": 60,
            "p_lease_seconds": 55, "p_manual": false, "p_now": now,
        }),
    )
    .await;
    let committed = again(
        world,
        "ops_commit_tick",
        json!({
            "p_run": run, "p_fence": claim["fence"], "p_now": now,
            "p_tick": {
                "environment": "production", "deployment": null, "everySeconds": 60,
                "checks": [page("https://app.example/", "up", Some(120))],
                "channels": ["slack", "email"], "emergency": null,
            },
        }),
    )
    .await;
    assert_eq!(committed["outcome"], "committed", "{committed}");
}

async fn again(world: &World, function: &str, arguments: Value) -> Value {
    for _ in 0..3 {
        match world.try_call(function, arguments.clone()).await {
            Ok(answer) => return answer,
            Err(error) if error.code().is_some_and(|code| code.code() == "PT503") => {}
            Err(error) => panic!("{function}: {error:?}"),
        }
    }
    panic!("{function} was refused three times");
}
