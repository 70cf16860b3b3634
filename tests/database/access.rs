//! Who may do what: each role, allowed and denied.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    migrations::APP_TABLES,
    support::{World, call},
};

const ANNA: &str = "00000000-0000-4000-8000-00000000000a";
const BERT: &str = "00000000-0000-4000-8000-00000000000b";

/// A session as PostgREST has it for a request with those claims.
async fn caller(world: &World, role: &str, claims: Value) -> Client {
    let client = world.session().await;
    let sql = format!(
        "set session authorization authenticator; set role {role};
         select set_config('request.jwt.claims', '{claims}', false)"
    );
    client.batch_execute(&sql).await.unwrap();
    client
}

async fn count(client: &Client, table: &str) -> Result<i64, String> {
    client
        .query_one(&format!("select count(*) from public.{table}"), &[])
        .await
        .map(|row| row.get(0))
        .map_err(|error| code(&error))
}

fn code(error: &tokio_postgres::Error) -> String {
    error.code().expect("the server's word").code().to_owned()
}

/// The application's database, migrated: one row of Anna's and one of nobody's.
async fn world() -> World {
    let world = World::of_the_app().await;
    world.migrate().await;
    world
}

#[tokio::test]
async fn a_stranger_reads_and_writes_nothing() {
    let world = world().await;
    let anon = caller(&world, "anon", json!({"role": "anon"})).await;
    for table in APP_TABLES {
        assert_eq!(count(&anon, table).await, Err("42501".into()), "{table}");
    }
    let inserted = anon
        .batch_execute("insert into public.error_logs (message, severity) values ('x', 'low')")
        .await;
    assert_eq!(code(&inserted.unwrap_err()), "42501");
}

#[tokio::test]
async fn a_user_reads_own_rows_and_writes_none() {
    let world = world().await;
    let claims = json!({"role": "authenticated", "sub": ANNA});
    let anna = caller(&world, "authenticated", claims).await;
    // Of two events one belongs to nobody.
    assert_eq!(count(&anna, "analytics_events").await, Ok(1));
    assert_eq!(count(&anna, "error_logs").await, Ok(1));
    assert_eq!(count(&anna, "user_sessions").await, Ok(1));
    for table in [
        "alerts",
        "system_health",
        "api_usage_metrics",
        "business_metrics",
    ] {
        assert_eq!(count(&anna, table).await, Ok(0), "{table}");
    }
    for insert in [
        "insert into public.analytics_events (event_name) values ('x')",
        "insert into public.error_logs (message, severity) values ('x', 'low')",
        "insert into public.alerts (type, severity, message) values ('error', 'info', 'x')",
        "insert into public.api_usage_metrics (endpoint, method, status_code, response_time) values ('/', 'GET', 200, 1)",
        // The application had a policy for this one: the server alone writes all the same.
        "insert into public.user_sessions (user_id) values ('00000000-0000-4000-8000-00000000000a')",
    ] {
        let refused = anna.batch_execute(insert).await.expect_err(insert);
        assert_eq!(code(&refused), "42501", "{insert}");
    }
}

#[tokio::test]
async fn only_app_metadata_makes_an_admin() {
    let world = world().await;
    let named = json!({"role": "authenticated", "sub": ANNA, "app_metadata": {"role": "admin"}});
    let admin = caller(&world, "authenticated", named).await;
    assert_eq!(count(&admin, "analytics_events").await, Ok(2));
    for table in APP_TABLES {
        assert_eq!(
            count(&admin, table).await,
            Ok(world
                .value(&format!("(select count(*) from public.{table})"))
                .await
                .as_i64()
                .unwrap()),
            "{table}",
        );
    }

    // Bert says so himself, in his preferences and in what he may write of his token.
    let claimed = json!({"role": "authenticated", "sub": BERT, "user_metadata": {"role": "admin"}});
    let bert = caller(&world, "authenticated", claimed).await;
    for table in APP_TABLES {
        assert_eq!(count(&bert, table).await, Ok(0), "{table}");
    }
}

#[tokio::test]
async fn only_the_servers_key_calls_our_functions() {
    let world = World::migrated().await;
    let ping = world.call("ops_ping", json!({})).await;
    assert!(
        ping["version"].is_string() && ping["now"].is_string(),
        "{ping}"
    );
    for (role, claims) in [
        ("anon", json!({"role": "anon"})),
        (
            "authenticated",
            json!({"role": "authenticated", "sub": ANNA, "app_metadata": {"role": "admin"}}),
        ),
    ] {
        let client = caller(&world, role, claims).await;
        for function in ["ops_ping", "ops_list_settings"] {
            let refused = call(&client, function, json!({})).await.expect_err(role);
            assert_eq!(code(&refused), "42501", "{role} {function}");
        }
        for statement in [
            "select from ops.settings",
            "select ops.read_settings()",
            "select from ops.figures",
            "select from ops.pending_figures",
            "select from ops.people",
            "select ops.count_items('{}')",
        ] {
            let refused = client.batch_execute(statement).await.expect_err(statement);
            assert_eq!(code(&refused), "42501", "{role}: {statement}");
        }
    }
}
