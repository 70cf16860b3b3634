//! What Supabase's advisor looks for, of what is ours: nothing is found. Its own queries are
//! named beside ours, which ask for the same and are our own.

use ops::access::tables::APP_TABLES;
use serde_json::json;

use crate::support::World;

/// The tables whose objects are ours where the application has none of its own.
fn ours() -> String {
    let app = APP_TABLES.map(|table| format!("'public.{table}'"));
    format!(
        "(cls.relnamespace = 'ops'::regnamespace or cls.oid = any (array[{}]::regclass[]))",
        app.join(", ")
    )
}

/// A lint by the advisor's name, and what it would complain about.
type Lint = (&'static str, String);

fn lints() -> Vec<Lint> {
    let ours = ours();
    [
        about_tables(&ours),
        about_policies(&ours),
        about_code(&ours),
    ]
    .concat()
}

/// Of tables, their keys and indexes.
fn about_tables(ours: &str) -> Vec<Lint> {
    vec![
        (
            "0001_unindexed_foreign_keys",
            format!(
                "select key.conname
                 from pg_constraint as key
                 join pg_class as cls on cls.oid = key.conrelid
                 where key.contype = 'f' and {ours} and not exists (
                     select from pg_index as held
                     where held.indrelid = cls.oid and held.indisvalid
                         and (held.indkey::int2[])[0:cardinality(key.conkey) - 1] = key.conkey
                 )"
            ),
        ),
        (
            "0004_no_primary_key",
            format!(
                "select cls.relname from pg_class as cls
                 where cls.relkind = 'r' and {ours} and not exists (
                     select from pg_index as held where held.indrelid = cls.oid and held.indisprimary
                 )"
            ),
        ),
        (
            "0009_duplicate_index",
            format!(
                "select cls.relname, array_agg(index.relname)
                 from pg_index as held
                 join pg_class as cls on cls.oid = held.indrelid
                 join pg_class as index on index.oid = held.indexrelid
                 where {ours}
                 group by cls.relname, replace(pg_get_indexdef(held.indexrelid), index.relname, '')
                 having count(*) > 1"
            ),
        ),
        (
            "0013_rls_disabled_in_public",
            format!(
                "select cls.relname from pg_class as cls
                 where {ours} and cls.relkind in ('r', 'p') and not cls.relrowsecurity"
            ),
        ),
        (
            "0026_pg_graphql_anon_table_exposed",
            format!(
                "select cls.relname from pg_class as cls
                 where {ours} and cls.relkind in ('r', 'p')
                     and has_any_column_privilege('anon', cls.oid, 'select')"
            ),
        ),
    ]
}

/// Of policies.
fn about_policies(ours: &str) -> Vec<Lint> {
    vec![
        (
            "0003_auth_rls_initplan",
            format!(
                "select cls.relname, pol.polname
                 from pg_policy as pol
                 join pg_class as cls on cls.oid = pol.polrelid
                 where {ours} and pol.polname like 'ops\\_%'
                     and regexp_replace(
                         concat(pg_get_expr(pol.polqual, cls.oid), ' ', pg_get_expr(pol.polwithcheck, cls.oid)),
                         'SELECT (auth\\.)?\\w+\\(', '', 'g'
                     ) ~ '\\m(uid|jwt|role|email|current_setting)\\('"
            ),
        ),
        (
            "0006_multiple_permissive_policies",
            format!(
                "select cls.relname, who.rolname, what.command, array_agg(pol.polname)
                 from pg_policy as pol
                 join pg_class as cls on cls.oid = pol.polrelid
                 join pg_roles as who on 0 = any (pol.polroles) or who.oid = any (pol.polroles)
                 join unnest('{{r,a,w,d}}'::text[]) as what (command) on pol.polcmd::text in (what.command, '*')
                 where {ours} and pol.polpermissive and not who.rolbypassrls
                 group by cls.relname, who.rolname, what.command
                 having count(*) > 1"
            ),
        ),
        (
            "0007_policy_exists_rls_disabled",
            format!(
                "select cls.relname from pg_policy as pol
                 join pg_class as cls on cls.oid = pol.polrelid
                 where {ours} and not cls.relrowsecurity"
            ),
        ),
        (
            "0008_rls_enabled_no_policy",
            format!(
                "select cls.relname from pg_class as cls
                 where {ours} and cls.relkind in ('r', 'p') and cls.relrowsecurity
                     and not exists (select from pg_policy as pol where pol.polrelid = cls.oid)"
            ),
        ),
        (
            "0015_rls_references_user_metadata",
            format!(
                "select cls.relname, pol.polname from pg_policy as pol
                 join pg_class as cls on cls.oid = pol.polrelid
                 where {ours} and concat(
                     pg_get_expr(pol.polqual, cls.oid), pg_get_expr(pol.polwithcheck, cls.oid)
                 ) like '%user_metadata%'"
            ),
        ),
        (
            "0024_rls_policy_always_true",
            format!(
                "select cls.relname, pol.polname from pg_policy as pol
                 join pg_class as cls on cls.oid = pol.polrelid
                 where {ours} and pol.polpermissive
                     and pol.polroles && (
                         select array_agg(oid) || 0::oid from pg_roles where rolname in ('anon', 'authenticated')
                     )
                     and 'true' in (
                         pg_get_expr(pol.polqual, cls.oid), pg_get_expr(pol.polwithcheck, cls.oid)
                     )"
            ),
        ),
    ]
}

/// Of functions and views.
fn about_code(ours: &str) -> Vec<Lint> {
    vec![
        (
            "0010_security_definer_view",
            format!(
                "select cls.relname from pg_class as cls
                 where cls.relkind in ('v', 'm')
                     and ({ours} or cls.relnamespace = 'public'::regnamespace and cls.relname like 'ops\\_%')"
            ),
        ),
        (
            "0011_function_search_path_mutable",
            "select known.proname from pg_proc as known
             where (known.pronamespace = 'ops'::regnamespace
                 or known.pronamespace = 'public'::regnamespace and known.proname like 'ops\\_%')
                 and not exists (
                     select from unnest(known.proconfig) as setting where setting like 'search_path=%'
                 )"
            .to_owned(),
        ),
        (
            "0028_anon_security_definer_function_executable",
            "select known.proname, who
             from pg_proc as known, unnest('{anon,authenticated}'::name[]) as who
             where known.prosecdef
                 and (known.pronamespace = 'ops'::regnamespace
                     or known.pronamespace = 'public'::regnamespace and known.proname like 'ops\\_%')
                 and has_function_privilege(who, known.oid, 'execute')"
                .to_owned(),
        ),
    ]
}

/// Lints whose findings may be the application's own.
const OF_THE_APP: [&str; 4] = [
    "0001_unindexed_foreign_keys",
    "0004_no_primary_key",
    "0009_duplicate_index",
    "0024_rls_policy_always_true",
];

#[tokio::test]
async fn the_advisor_has_nothing_to_say_about_what_is_ours() {
    let fresh = World::migrated().await;
    fresh.execute("select ops.open_item_days(now())").await;
    for (lint, offenders) in lints() {
        assert_eq!(fresh.rows(&offenders).await, json!([]), "{lint}");
    }
    let of_the_app = World::of_the_app().await;
    of_the_app.migrate().await;
    for (lint, offenders) in lints() {
        if !OF_THE_APP.contains(&lint) {
            assert_eq!(
                of_the_app.rows(&offenders).await,
                json!([]),
                "{lint}, on the app"
            );
        }
    }
}

/// Each of these queries finds what it is for.
#[tokio::test]
async fn each_lint_finds_its_fault() {
    let world = World::migrated().await;
    world
        .execute("create table ops.faulty (a uuid, b uuid)")
        .await;
    for (lint, fault) in [
        (
            "0001_unindexed_foreign_keys",
            "alter table ops.faulty add foreign key (a) references auth.users (id)",
        ),
        (
            "0003_auth_rls_initplan",
            "create policy ops_slow on ops.faulty for select to authenticated using (a = auth.uid())",
        ),
        ("0004_no_primary_key", "select 1"),
        (
            "0006_multiple_permissive_policies",
            "create policy ops_second on ops.faulty for select to authenticated using (b = (select auth.uid()))",
        ),
        ("0007_policy_exists_rls_disabled", "select 1"),
        ("0013_rls_disabled_in_public", "select 1"),
        (
            "0008_rls_enabled_no_policy",
            "create table ops.silent (a uuid); alter table ops.silent enable row level security",
        ),
        (
            "0009_duplicate_index",
            "create index one on ops.faulty (a); create index other on ops.faulty (a)",
        ),
        (
            "0010_security_definer_view",
            "create view public.ops_view as select a from ops.faulty",
        ),
        (
            "0011_function_search_path_mutable",
            "create function ops.loose() returns integer language sql as 'select 1'",
        ),
        (
            "0015_rls_references_user_metadata",
            "create policy ops_said on ops.faulty for delete to authenticated
                 using ((select auth.jwt()) -> 'user_metadata' ->> 'role' = 'admin')",
        ),
        (
            "0024_rls_policy_always_true",
            "create policy ops_open on ops.faulty for insert to anon with check (true)",
        ),
        (
            "0026_pg_graphql_anon_table_exposed",
            "grant select (a) on ops.faulty to anon",
        ),
        (
            "0028_anon_security_definer_function_executable",
            "create function ops.risky() returns integer language sql security definer set search_path = '' as 'select 1';
             grant execute on function ops.risky() to anon",
        ),
    ] {
        world.execute(fault).await;
        let all = lints();
        let (_, offenders) = all.iter().find(|(name, _)| *name == lint).unwrap();
        assert_ne!(world.rows(offenders).await, json!([]), "{lint}");
    }
    assert_eq!(lints().len(), 14, "a lint without its fault above");
}
