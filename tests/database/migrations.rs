//! The table files apply to an empty project and on top of the application's own
//! tables, keep what is there, and change nothing the second time.

use serde_json::{Value, json};

use crate::support::{World, array};

/// The tables that the application writes.
pub(crate) use ops::access::tables::APP_TABLES;

/// Everything that the catalog says of the schemas public and ops.
const SHAPE: &str = "
    select 'column' as kind, c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || a.attnotnull || coalesce(pg_get_expr(d.adbin, d.adrelid), '') as body
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace in ('public'::regnamespace, 'ops'::regnamespace) and c.relkind = 'r'
    union all
    select 'index', indexdef from pg_indexes where schemaname in ('public', 'ops')
    union all
    select 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where connamespace in ('public'::regnamespace, 'ops'::regnamespace)
    union all
    select 'policy', p::text from pg_policies as p where schemaname in ('public', 'ops')
    union all
    select 'grants', c.relname || ' ' || coalesce(c.relacl::text, '') || c.relrowsecurity
           || coalesce(obj_description(c.oid, 'pg_class'), '')
    from pg_class c where c.relnamespace in ('public'::regnamespace, 'ops'::regnamespace)
    union all
    select 'function', p.oid::regprocedure || md5(p.prosrc)
           || coalesce((select string_agg(a::text, ',' order by a::text) from unnest(p.proacl) as a), '')
           || coalesce(obj_description(p.oid, 'pg_proc'), '')
    from pg_proc p where p.pronamespace in ('public'::regnamespace, 'ops'::regnamespace)
    union all
    select 'trigger', pg_get_triggerdef(t.oid)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace in ('public'::regnamespace, 'ops'::regnamespace) and not t.tgisinternal
    union all
    select 'type', c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'ops'::regnamespace and c.relkind = 'c'
    order by 1, 2";

/// The shape of a database that has schema ops.
pub(crate) async fn shape(world: &World) -> Value {
    world.rows(SHAPE).await
}

/// Every row of the application's tables, without columns that came later.
async fn rows_of_the_app(world: &World) -> Vec<Value> {
    let mut tables = Vec::new();
    for table in APP_TABLES {
        let query = format!(
            "select to_jsonb(t) - '{{environment}}'::text[] as row from public.{table} as t order by id"
        );
        tables.push(world.rows(&query).await);
    }
    tables
}

#[tokio::test]
async fn an_empty_project_is_migrated_and_the_app_can_write() {
    let world = World::migrated().await;
    world.execute("set role service_role").await;
    world.execute(include_str!("../sql/app_inserts.sql")).await;
    world.execute("reset role").await;
    for table in APP_TABLES {
        let count = world
            .value(&format!("(select count(*) from public.{table})"))
            .await;
        assert_eq!(count, 1, "{table}");
    }
}

#[tokio::test]
async fn on_top_of_the_app_every_row_is_kept_and_the_app_can_write() {
    let world = World::of_the_app().await;
    let before = rows_of_the_app(&world).await;
    world.migrate().await;
    assert_eq!(rows_of_the_app(&world).await, before);
    assert_eq!(
        world
            .rows("select environment from public.business_metrics")
            .await,
        json!([{"environment": "production"}]),
    );

    world.execute("set role service_role").await;
    world.execute(include_str!("../sql/app_inserts.sql")).await;
    world.execute("reset role").await;
    // The application's own trigger still works, and so does its index.
    assert_eq!(
        world
            .value("(select data from public.alerts where message = 'Slow query')")
            .await,
        json!({"ms": 900, "noted": true}),
    );
    assert_eq!(
        world
            .value("obj_description('public.error_logs'::regclass, 'pg_class')")
            .await,
        "The application's own words about its errors.",
    );
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    for world in [World::migrated().await, World::of_the_app().await] {
        world.migrate().await;
        let (shape_before, rows_before) = (shape(&world).await, rows_of_the_app(&world).await);
        world.migrate().await;
        // Even without a ledger the files about the application's tables are harmless.
        world.execute("begin; set local role postgres").await;
        for file in [
            include_str!("../../migrations/tables/0001_app_monitoring_tables.sql"),
            include_str!("../../migrations/tables/0053_one_policy_to_read.sql"),
        ] {
            world.execute(file).await;
        }
        world.execute("commit").await;
        assert_eq!(shape(&world).await, shape_before);
        assert_eq!(rows_of_the_app(&world).await, rows_before);
    }
}

#[tokio::test]
async fn policies_that_admit_strangers_go_and_the_others_stay() {
    let world = World::of_the_app().await;
    world.migrate().await;
    let left = world
        .rows(
            "select tablename || ': ' || policyname as policy from pg_policies
             where schemaname = 'public' and policyname not like 'ops\\_%' order by 1",
        )
        .await;
    let left: Vec<&str> = array(&left)
        .iter()
        .map(|row| row["policy"].as_str().unwrap())
        .collect();
    assert_eq!(
        left,
        [
            "analytics_events: never at night",
            "feature_usage: server writes",
            "user_sessions: own sessions",
        ],
    );
}

#[tokio::test]
async fn a_database_without_auth_is_refused_in_plain_words() {
    let world = World::of_the_app().await;
    world.execute("drop schema auth cascade").await;
    let error = world
        .admin
        .batch_execute(include_str!(
            "../../migrations/tables/0001_app_monitoring_tables.sql"
        ))
        .await
        .expect_err("a refusal");
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "55000");
    assert_eq!(
        error.message(),
        "schema auth with users, uid() and jwt() is missing: this is not a Supabase database",
    );
}
