//! Time limits, the pool's limit, and a database that is gone.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Project, USER_ONE, get, post};
use local_supabase::postgres::{Cluster, ClusterOptions};

#[tokio::test]
async fn the_time_limit_is_the_roles_the_logins_or_the_functions() {
    let project = Project::start_with(|config| {
        config.statement_timeout = Duration::from_secs(6);
    })
    .await;
    let limit = async |call| project.ask(call).await.json()["statement_timeout"].clone();
    assert_eq!(limit(get("/rpc/settings").stranger()).await, "3s");
    assert_eq!(limit(get("/rpc/settings").user(USER_ONE)).await, "8s");
    assert_eq!(limit(get("/rpc/settings")).await, "6s");
    project.check(get("/rpc/patient"), 200, json!("77s")).await;
    project
        .check(post("/rpc/serial", ""), 200, json!("serializable"))
        .await;
    assert_eq!(limit(get("/rpc/settings")).await, "6s");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled() {
    let project = Project::start_with(|config| {
        config.statement_timeout = Duration::from_millis(100);
    })
    .await;
    project
        .check_error(
            post("/rpc/sleep", &json!({"seconds": 60})),
            500,
            "57014",
            "canceling statement due to statement timeout",
        )
        .await;
}

#[tokio::test]
async fn a_full_pool_answers_504() {
    let project = Project::start_with(|config| {
        config.pool_size = 1;
        config.pool_timeout = Duration::from_millis(300);
    })
    .await;
    // The first connection is open before it is held.
    project.check(get("/rpc/add?a=1"), 200, json!(11)).await;
    let held = project.ask(post("/rpc/sleep", &json!({"seconds": 2})));
    let refused = project.check_error(
        get("/rpc/add?a=1"),
        504,
        "PGRST003",
        "Timed out acquiring connection from connection pool.",
    );
    let (held, _refused) = tokio::join!(held, refused);
    assert_eq!(held.status, 204);
}

#[tokio::test]
async fn a_dropped_request_leaves_nothing_behind() {
    let project = Project::start_with(|config| config.pool_size = 1).await;
    project.check(get("/rpc/add?a=1"), 200, json!(11)).await;
    let abandoned = project.ask(post("/rpc/sleep", &json!({"seconds": 0.5})));
    assert!(
        tokio::time::timeout(Duration::from_millis(100), abandoned)
            .await
            .is_err()
    );
    let settings = project.ask(get("/rpc/settings").stranger()).await.json();
    assert_eq!(
        (&settings["role"], &settings["request.path"]),
        (&json!("anon"), &json!("/rpc/settings"))
    );
}

#[tokio::test]
async fn a_database_that_is_gone_answers_503_until_it_is_back() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let project = Project::start_with(|config| {
        config.database = cluster.authenticator_config("postgres");
    })
    .await;
    // The table is unknown there, which only a database can tell.
    assert_eq!(project.ask(get("/items")).await.status, 404);
    cluster.stop().await.unwrap();
    let reply = project.ask(get("/items")).await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, "1"),
        "{}",
        reply.body
    );
    assert!(
        reply.json()["code"]
            .as_str()
            .unwrap()
            .starts_with("PGRST00"),
        "{}",
        reply.body
    );
    cluster.restart().await.unwrap();
    assert_eq!(project.ask(get("/items")).await.status, 404);
}
