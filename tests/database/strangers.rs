//! Policies and grants that let strangers at the application's tables: none of them
//! outlives the migration, and one that is made again is named.

use ops::migrate::{self, OpenBy};
use serde_json::json;
use tokio_postgres::Client;

use crate::{migrations::APP_TABLES, support::World};

/// Somebody who has signed up, and says in every place that people write themselves
/// that he is an admin.
const STRANGER: &str = "00000000-0000-4000-8000-00000000000c";

const READ: &str = "select 1 / count(*) from public.error_logs";
const PAGE: &str =
    "insert into public.error_logs (message, severity) values ('wake up', 'critical')";
const RAISE: &str = "insert into public.alerts (type, severity, message) values ('security', 'critical', 'wake up')";

/// Policies that somebody may have made, each with what a stranger can do by it.
const POLICIES: [(&str, &str); 20] = [
    (
        "on error_logs for insert with check (severity is not null)",
        PAGE,
    ),
    (
        "on error_logs for insert to authenticated with check (message <> '')",
        PAGE,
    ),
    (
        "on error_logs for insert with check (timestamp > now() - interval '1 hour')",
        PAGE,
    ),
    (
        "on error_logs for insert to authenticated with check ((auth.jwt() ->> 'email') is not null)",
        PAGE,
    ),
    (
        "on alerts for insert with check (severity in ('info', 'critical'))",
        RAISE,
    ),
    (
        "on alerts for all to authenticated using (auth.uid() is not null)",
        RAISE,
    ),
    ("on alerts for insert with check (not acknowledged)", RAISE),
    (
        "on error_logs for select using (environment = 'production')",
        READ,
    ),
    (
        "on error_logs for select using ((auth.jwt() -> 'user_metadata' ->> 'role') = 'admin')",
        READ,
    ),
    (
        "on error_logs for select using (((select auth.jwt()) #>> '{user_metadata,role}') = 'admin')",
        READ,
    ),
    (
        "on error_logs for select using (coalesce(user_id = auth.uid(), false) or severity <> 'low')",
        READ,
    ),
    (
        "on error_logs for select using (user_id = auth.uid() or not resolved)",
        READ,
    ),
    ("on error_logs for select using (id is not null)", READ),
    (
        "on error_logs for select to anon, authenticated using (length(message) > 3)",
        READ,
    ),
    (
        "on error_logs for select using (created_at > '2020-01-01')",
        READ,
    ),
    (
        "on error_logs for select using (context ->> 'category' = 'database')",
        READ,
    ),
    (
        "on error_logs for select using (exists (select from public.user_profiles))",
        READ,
    ),
    ("on error_logs for select using (public.is_member())", READ),
    ("on error_logs for select to members using (true)", READ),
    (
        "on error_logs for select using (auth.role() = 'authenticated')",
        READ,
    ),
];

/// What the policies above rest on: they were possible only with it.
const SETTING: &str = "
    create role members;
    grant members to authenticated;
    create function public.is_member() returns boolean language sql stable security definer
        as $$ select auth.uid() is not null $$;
    grant select on public.user_profiles to authenticated;
    insert into public.user_profiles (id) values ('00000000-0000-4000-8000-00000000000a') on conflict do nothing;
    insert into public.error_logs (message, severity, context)
    values ('Could not load', 'high', '{\"category\": \"database\"}');
    do $$
    declare
        v_policy record;
    begin
        for v_policy in select tablename, policyname from pg_policies where schemaname = 'public' loop
            execute format('drop policy %I on public.%I', v_policy.policyname, v_policy.tablename);
        end loop;
    end
    $$;
    grant all on all tables in schema public to anon, authenticated;
    grant insert (message, severity) on public.error_logs to authenticated;";

/// Whether a stranger can do something, which is undone.
async fn can(admin: &Client, role: &str, statement: &str) -> bool {
    let claims = json!({
        "role": role, "sub": STRANGER, "email": "eve@example.org",
        "user_metadata": {"role": "admin"}, "app_metadata": {"provider": "email"},
    });
    let become_stranger = format!(
        "begin; select set_config('request.jwt.claims', '{claims}', true); set local role {role}"
    );
    admin.batch_execute(&become_stranger).await.unwrap();
    let done = admin.batch_execute(statement).await;
    admin.batch_execute("rollback").await.unwrap();
    done.is_ok()
}

#[tokio::test]
async fn a_policy_that_admits_a_stranger_to_any_row_does_not_outlive_the_migration() {
    let world = World::of_the_app().await;
    // Roles are the whole server's, so one of its own name in each run.
    let members = format!("members_{}", uuid::Uuid::new_v4().simple());
    world.execute(&SETTING.replace("members", &members)).await;
    for table in APP_TABLES {
        let guard = format!("alter table public.{table} enable row level security");
        world.execute(&guard).await;
    }
    let named = |index: usize, rule: &str| {
        format!(
            "create policy p{index} {}",
            rule.replace("members", &members)
        )
        .replace(" on ", " on public.")
    };
    for (index, (rule, statement)) in POLICIES.iter().enumerate() {
        assert!(
            !can(&world.admin, "authenticated", statement).await,
            "before {rule}"
        );
        world.execute(&named(index, rule)).await;
        assert!(
            can(&world.admin, "authenticated", statement).await,
            "by {rule}"
        );
        let table = if rule.starts_with("on alerts") {
            "alerts"
        } else {
            "error_logs"
        };
        world
            .execute(&format!("drop policy p{index} on public.{table}"))
            .await;
    }
    for (index, (rule, _)) in POLICIES.iter().enumerate() {
        world.execute(&named(index, rule)).await;
    }

    world.migrate().await;
    for (index, (rule, statement)) in POLICIES.iter().enumerate() {
        let left = format!("(select count(*) from pg_policies where policyname = 'p{index}')");
        assert_eq!(world.value(&left).await, 0, "{rule}");
        for role in ["anon", "authenticated"] {
            assert!(!can(&world.admin, role, statement).await, "{role}: {rule}");
        }
    }
    assert_eq!(migrate::openings(&world.admin).await.unwrap(), vec![]);
    let forget = format!("drop owned by {members}; drop role {members}");
    world.execute(&forget).await;
}

#[tokio::test]
async fn nobody_but_the_server_writes_to_the_apps_tables_whatever_a_policy_says() {
    let world = World::of_the_app().await;
    world
        .execute("grant all on all tables in schema public to anon, authenticated, public")
        .await;
    world
        .execute("grant insert (message, severity), update (resolved) on public.error_logs to authenticated")
        .await;
    world.migrate().await;
    for table in APP_TABLES {
        let open = format!("create policy anew on public.{table} using (true) with check (true)");
        world.execute(&open).await;
        for role in ["anon", "authenticated"] {
            for statement in [
                format!("insert into public.{table} default values"),
                format!("delete from public.{table}"),
                format!("truncate public.{table}"),
            ] {
                let session = world.session().await;
                session
                    .batch_execute(&format!("set role {role}"))
                    .await
                    .unwrap();
                let refused = session
                    .batch_execute(&statement)
                    .await
                    .expect_err(&statement);
                let code = refused.code().expect("the server's word").code();
                assert_eq!(code, "42501", "{role}: {statement}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_opens_a_table_afterwards_is_named() {
    let world = World::of_the_app().await;
    world.migrate().await;
    let said = async |world: &World| {
        let openings = migrate::openings(&world.admin).await.unwrap();
        let texts = openings
            .iter()
            .map(|opening| (opening.by.may_admit_strangers(), opening.to_string()));
        texts.collect::<Vec<_>>()
    };
    // What the application had and may keep.
    let kept = said(&world).await;
    assert!(kept.iter().all(|(admits, _)| !admits), "{kept:?}");
    let openings = migrate::openings(&world.admin).await.unwrap();
    let spared = openings
        .iter()
        .filter(|opening| matches!(opening.by, OpenBy::SparedPolicy(_)));
    assert_eq!((spared.count(), kept.len()), (2, 2), "{kept:?}");

    for (sql, expected, undo) in [
        (
            "create policy anew on public.error_logs for select using (severity is not null)",
            "policy \"anew\" on error_logs is not ours: select using (severity IS NOT NULL) to public",
            "drop policy anew on public.error_logs",
        ),
        (
            "alter policy ops_reads on public.error_logs using (true)",
            "policy \"ops_reads\" on error_logs is not ours: select using true to authenticated",
            "alter policy ops_reads on public.error_logs using (user_id = (select auth.uid())
                 or ((select auth.jwt()) -> 'app_metadata' ->> 'role') = 'admin')",
        ),
        (
            "grant update on public.alerts to anon, authenticated",
            "anon and authenticated may UPDATE on alerts",
            "revoke update on public.alerts from anon, authenticated",
        ),
        (
            "grant insert (message) on public.alerts to authenticated",
            "authenticated may INSERT on alerts",
            "revoke insert (message) on public.alerts from authenticated",
        ),
        (
            "alter table public.user_sessions disable row level security",
            "row-level security of user_sessions is off",
            "alter table public.user_sessions enable row level security",
        ),
        (
            "create view public.recent_errors as select message from public.error_logs;
             grant select on public.recent_errors to anon",
            "view public.recent_errors shows error_logs past its policies: make it security_invoker",
            "alter view public.recent_errors set (security_invoker = true)",
        ),
    ] {
        world.execute(sql).await;
        let now = said(&world).await;
        assert!(now.contains(&(true, expected.to_owned())), "{sql}: {now:?}");
        assert_eq!(now.len(), kept.len() + 1, "{sql}: {now:?}");
        world.execute(undo).await;
        assert_eq!(said(&world).await, kept, "{undo}");
    }
}
