//! The roles, schemas and grants of a Supabase project.

use local_supabase::postgres::{Cluster, ClusterOptions, TestDatabase};
use tokio_postgres::Client;

async fn text(client: &Client, query: &str) -> String {
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// Runs statements as a role that the API may take, and returns the SQLSTATE
/// that they end with.
async fn outcome(client: &Client, role: &str, statements: &str) -> String {
    let script = format!("begin; set local role {role}; {statements}; rollback");
    match client.batch_execute(&script).await {
        Ok(()) => "ok".to_owned(),
        Err(error) => {
            client.batch_execute("rollback").await.unwrap();
            error.code().unwrap().code().to_owned()
        }
    }
}

#[tokio::test]
async fn postgres_is_powerful_and_no_superuser() {
    // On a server of its own: on the shared one, other tests make roles.
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let client = cluster.connect_postgres("postgres").await.unwrap();
    let attributes = "select concat_ws(' ',
            case when rolsuper then 'superuser' end,
            case when rolcreatedb then 'createdb' end,
            case when rolcreaterole then 'createrole' end,
            case when rolreplication then 'replication' end,
            case when rolbypassrls then 'bypassrls' end)
        from pg_roles where rolname = current_user";
    assert_eq!(
        text(&client, attributes).await,
        "createdb createrole replication bypassrls"
    );
    let granted = "select string_agg(roleid::regrole::text, ' ' order by roleid::regrole::text)
        from pg_auth_members where member = current_user::regrole";
    assert_eq!(
        text(&client, granted).await,
        "anon authenticated authenticator pg_monitor pg_read_all_data pg_signal_backend service_role"
    );
    assert_eq!(
        outcome(&client, "supabase_admin", "select 1").await,
        "42501"
    );
}

#[tokio::test]
async fn the_api_s_roles_are_limited_as_on_supabase() {
    let cluster = Cluster::shared().await.unwrap();
    let client = cluster.connect_postgres("postgres").await.unwrap();
    for (role, settings) in [
        ("anon", "{statement_timeout=3s}"),
        ("authenticated", "{statement_timeout=8s}"),
        ("authenticator", "{statement_timeout=8s,lock_timeout=8s}"),
    ] {
        let query = format!("select rolconfig::text from pg_roles where rolname = '{role}'");
        assert_eq!(text(&client, &query).await, settings, "{role}");
    }
    let bypassing = "select string_agg(rolname, ' ' order by rolname) from pg_roles
        where rolbypassrls and not rolsuper";
    assert_eq!(text(&client, bypassing).await, "postgres service_role");
    let login = cluster.authenticator_config("postgres");
    let (client, connection) = login.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(text(&client, "show statement_timeout").await, "8s");
    assert_eq!(outcome(&client, "service_role", "select 1").await, "ok");
    assert_eq!(outcome(&client, "postgres", "select 1").await, "42501");
}

#[tokio::test]
async fn schemas_are_as_closed_as_on_supabase() {
    let database = TestDatabase::empty().await.unwrap();
    let cluster = Cluster::shared().await.unwrap();
    let client = cluster.connect_postgres(database.name()).await.unwrap();
    client
        .batch_execute(
            "create table notes (id integer primary key);
            create table private_notes (id integer primary key);
            alter table private_notes enable row level security;
            create function ping() returns integer language sql as 'select 1'",
        )
        .await
        .unwrap();
    for (role, statements, expected) in [
        // Default privileges reach everything that postgres makes in public.
        ("anon", "select * from public.notes", "ok"),
        ("anon", "insert into public.notes values (1)", "ok"),
        ("anon", "select public.ping()", "ok"),
        (
            "authenticated",
            "delete from public.notes where id = 1",
            "ok",
        ),
        (
            "anon",
            "insert into public.private_notes values (1)",
            "42501",
        ),
        (
            "service_role",
            "insert into public.private_notes values (1)",
            "ok",
        ),
        ("anon", "create table public.mine (n integer)", "42501"),
        // Auth belongs to Auth.
        ("anon", "select * from auth.users", "42501"),
        ("authenticated", "select * from auth.users", "42501"),
        ("service_role", "select * from auth.users", "42501"),
        (
            "authenticated",
            "select auth.uid(), auth.role(), auth.email(), auth.jwt()",
            "ok",
        ),
        ("postgres", "select * from auth.users", "ok"),
        ("postgres", "create table auth.mine (n integer)", "42501"),
        (
            "postgres",
            "alter table auth.users add column mine integer",
            "42501",
        ),
        ("postgres", "create table storage.mine (n integer)", "42501"),
        (
            "postgres",
            "create table public.mine (id uuid references auth.users)",
            "ok",
        ),
        // Storage shows what row-level security lets through.
        ("anon", "select * from storage.buckets", "ok"),
        (
            "anon",
            "insert into storage.buckets (id, name) values ('a', 'a')",
            "42501",
        ),
        (
            "service_role",
            "insert into storage.buckets (id, name) values ('a', 'a')",
            "ok",
        ),
        ("postgres", "copy notes to program 'true'", "42501"),
    ] {
        let role = if role == "postgres" { "none" } else { role };
        let got = outcome(&client, role, statements).await;
        assert_eq!(got, expected, "{role}: {statements}");
    }
}

#[tokio::test]
async fn auth_s_helpers_read_the_request_s_claims() {
    let cluster = Cluster::shared().await.unwrap();
    let client = cluster.connect_postgres("postgres").await.unwrap();
    let id = "6c1b0b8a-7b1f-4d0e-9a59-5d6f2f1c9a10";
    let claims = format!(
        r#"{{"sub":"{id}","role":"authenticated","email":"a@b.test","app_metadata":{{"role":"admin"}}}}"#
    );
    client
        .execute(
            "select set_config('request.jwt.claims', $1, false)",
            &[&claims],
        )
        .await
        .unwrap();
    for (query, expected) in [
        ("select auth.uid()::text", id),
        ("select auth.role()", "authenticated"),
        ("select auth.email()", "a@b.test"),
        ("select auth.jwt() -> 'app_metadata' ->> 'role'", "admin"),
    ] {
        assert_eq!(text(&client, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn owners_are_supabase_s() {
    let cluster = Cluster::shared().await.unwrap();
    let client = cluster.connect_postgres("postgres").await.unwrap();
    for (query, expected) in [
        (
            "select datdba::regrole::text from pg_database where datname = 'postgres'",
            "postgres",
        ),
        (
            "select string_agg(distinct relowner::regrole::text, ' ') from pg_class
            where relnamespace = 'auth'::regnamespace",
            "supabase_auth_admin",
        ),
        (
            "select string_agg(distinct relowner::regrole::text, ' ') from pg_class
            where relnamespace = 'storage'::regnamespace",
            "supabase_storage_admin",
        ),
        (
            "select string_agg(nspowner::regrole::text, ' ' order by nspname) from pg_namespace
            where nspname in ('auth', 'storage', 'extensions')",
            "supabase_admin postgres supabase_admin",
        ),
        ("show wal_level", "logical"),
        ("show extra_float_digits", "0"),
        ("show search_path", "\"$user\", public, extensions"),
    ] {
        assert_eq!(text(&client, query).await, expected, "{query}");
    }
}
