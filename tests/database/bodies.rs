//! Functions as `plpgsql_check` reads them: it finds a table, a column or a cast
//! that a body names and that is not there, before a call does.

use local_supabase::machine::{self, SHARED, Tool};
use serde_json::json;

use crate::support::World;

/// What it says of a statement that a function of ours makes a part of.
const CONSTANTS: &str = "text type variable is not sanitized";

/// What it says that is meant, by function and the beginning of its words.
const MEANT: [(&str, &str); 9] = [
    // The next state is one of two results, as its callers read it.
    (
        "ops.step",
        "composite OUT variable \"state\" is not single argument",
    ),
    (
        "ops.collection_age",
        "composite OUT variable \"newest\" is not single argument",
    ),
    // What a cursor gives is known as it is fetched.
    ("ops.count_all", "record \"v_row\" is not assigned yet"),
    // The statement is made of the constants of `ops.past_rows` and `ops.row_time`.
    ("ops.count_past", CONSTANTS),
    ("ops.forget_archived", CONSTANTS),
    ("ops.forget_past_rows", CONSTANTS),
    ("ops.oldest_kept", CONSTANTS),
    ("ops.read_past_rows", CONSTANTS),
    ("ops.shorten_part", CONSTANTS),
];

/// Debian packages it for its PostgreSQL, and it is brought for that one; the servers of
/// the package registries come without it.
async fn is_offered(world: &World) -> bool {
    let debians =
        format!("(select setting like '{SHARED}/%' from pg_config where name = 'SHAREDIR')");
    if world.value(&debians).await == json!(true) {
        let major = "current_setting('server_version_num')::integer / 10000";
        let major = u32::try_from(world.value(major).await.as_u64().unwrap()).unwrap();
        // Where it cannot be brought, what follows says so.
        let _ = machine::bring(&[Tool::PlpgsqlCheck { major }]);
    }
    let offered = "exists (select from pg_available_extensions where name = 'plpgsql_check')";
    world.value(offered).await == json!(true)
}

#[tokio::test]
async fn every_body_names_what_is_there() {
    let world = World::migrated().await;
    if !is_offered(&world).await {
        eprintln!("skipped: this server does not offer plpgsql_check");
        return;
    }
    // What the second scheduler calls is looked up when it runs.
    world
        .execute(include_str!("../sql/scheduler_stand_ins.sql"))
        .await;
    world.execute("create extension plpgsql_check").await;
    let found = world
        .rows(
            "select p.oid::regprocedure::text as function, c.level, c.message, c.detail, c.lineno as line
             from pg_proc as p
             join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
             left join pg_trigger as t on t.tgfoid = p.oid
             cross join lateral public.plpgsql_check_function_tb(
                 p.oid, coalesce(t.tgrelid, 0), extra_warnings => true,
                 performance_warnings => false, security_warnings => true,
                 oldtable => t.tgoldtable, newtable => t.tgnewtable
             ) as c
             where p.pronamespace = 'ops'::regnamespace
                or p.pronamespace = 'public'::regnamespace and p.proname like 'ops\\_%'
             order by 1, 5",
        )
        .await;
    let unmeant: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            !MEANT.iter().any(|(function, words)| {
                text("function").starts_with(&format!("{function}("))
                    && text("message").starts_with(words)
            })
        })
        .collect();
    assert!(unmeant.is_empty(), "{unmeant:#?}");
}

#[tokio::test]
async fn every_sql_body_compiles() {
    let world = World::migrated().await;
    // A set is put in place without reading bodies, because they name each other.
    world
        .execute(
            "do $$
             declare
                 v_function record;
             begin
                 set local check_function_bodies = on;
                 for v_function in
                     select p.oid, p.oid::regprocedure as name
                     from pg_proc as p
                     join pg_language as l on l.oid = p.prolang and l.lanname = 'sql'
                     where p.pronamespace = 'ops'::regnamespace
                         or p.pronamespace = 'public'::regnamespace and p.proname like 'ops\\_%'
                 loop
                     begin
                         execute pg_get_functiondef(v_function.oid);
                     exception
                         when others then
                             raise exception '%: %', v_function.name, sqlerrm;
                     end;
                 end loop;
             end
             $$",
        )
        .await;
}
