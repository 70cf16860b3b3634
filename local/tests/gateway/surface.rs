//! What HTTP shows beside the results: CORS, methods, schemas, limits.

use serde_json::json;

use crate::harness::{Project, get, options, post, put};

#[tokio::test]
async fn browsers_of_any_origin_may_ask() {
    let project = Project::start().await;
    let reply = project
        .ask(
            options("/items")
                .nobody()
                .header("origin", "https://app.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "apikey, prefer"),
        )
        .await;
    assert_eq!(
        (reply.status, reply.header("access-control-allow-origin")),
        (200, "*")
    );
    assert_eq!(
        reply.header("access-control-allow-headers"),
        "Authorization, apikey, prefer"
    );
    assert_eq!(
        reply.header("access-control-allow-methods"),
        "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"
    );
    assert_eq!(reply.header("access-control-max-age"), "86400");

    for path in ["/items", "/unknown"] {
        let reply = project
            .ask(get(path).header("origin", "https://app.example"))
            .await;
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
        assert!(
            reply
                .header("access-control-expose-headers")
                .contains("Content-Range")
        );
    }
    let reply = project.ask(get("/items")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn options_and_unknown_methods_tell_what_is_allowed() {
    let project = Project::start().await;
    let allow = async |path: &str| project.ask(options(path)).await.header("allow").to_owned();
    assert_eq!(allow("/items").await, "OPTIONS,GET,HEAD,POST,PATCH,DELETE");
    assert_eq!(allow("/rpc/add").await, "OPTIONS,GET,HEAD,POST");
    assert_eq!(allow("/rpc/add_number").await, "OPTIONS,POST");
    assert_eq!(project.ask(options("/unknown")).await.status, 404);
    assert_eq!(project.ask(options("/rpc/unknown")).await.status, 404);
    project
        .check_error(
            put("/items?id=eq.1"),
            405,
            "PGRST117",
            "Unsupported HTTP method: PUT",
        )
        .await;
}

#[tokio::test]
async fn a_profile_picks_one_of_the_exposed_schemas() {
    let project = Project::start_with(|config| config.schemas.push("private".to_owned())).await;
    let call = get("/things").header("accept-profile", "private");
    let reply = project.check(call, 200, json!([{"id": 1}])).await;
    assert_eq!(reply.header("content-profile"), "private");
    let call = post("/things", r#"{"id":2}"#).header("content-profile", "private");
    assert_eq!(project.ask(call).await.status, 201);
    assert_eq!(project.ask(get("/things")).await.status, 404);
    assert_eq!(
        project.ask(get("/items")).await.header("content-profile"),
        "public"
    );
    let call = get("/items").header("accept-profile", "auth");
    let reply = project
        .check_error(call, 406, "PGRST106", "Invalid schema: auth")
        .await;
    assert_eq!(
        reply.json()["hint"],
        "Only the following schemas are exposed: public, private"
    );
}

#[tokio::test]
async fn an_unknown_form_of_result_is_refused() {
    let project = Project::start().await;
    project
        .check_error(
            get("/items").header("accept", "text/csv"),
            406,
            "PGRST107",
            "None of these media types are available: text/csv",
        )
        .await;
}

#[tokio::test]
async fn long_urls_work_up_to_a_limit_and_large_bodies_do() {
    let project = Project::start().await;
    let list = vec!["1"; 8000].join(",");
    assert_eq!(list.len(), 15_999);
    let path = format!("/items?select=id&id=in.({list})");
    project.check(get(&path), 200, json!([{"id": 1}])).await;
    assert_eq!(
        project
            .ask(get(&format!("{path}&x=eq.{list}")))
            .await
            .status,
        414
    );
    let text = "x".repeat(5 * 1024 * 1024);
    let reply = project
        .ask(post("/rpc/echo", &json!({"value": text})))
        .await;
    assert_eq!((reply.status, reply.body.len()), (200, text.len() + 2));
}

#[tokio::test]
async fn a_migration_shows_at_once() {
    let project = Project::start().await;
    let owner = project.owner().await;
    assert_eq!(project.ask(get("/fresh")).await.status, 404);
    owner
        .batch_execute("create table public.fresh (id integer)")
        .await
        .unwrap();
    project
        .check(
            post("/fresh", r#"{"id":1}"#).representation(),
            201,
            json!([{"id": 1}]),
        )
        .await;
    owner
        .batch_execute("alter table public.fresh add column more text")
        .await
        .unwrap();
    project
        .check(
            post("/fresh", r#"{"more":"x"}"#).representation(),
            201,
            json!([{"id": null, "more": "x"}]),
        )
        .await;
    owner
        .batch_execute("drop function public.add; create function public.add(x text) returns text language sql as 'select x'")
        .await
        .unwrap();
    project
        .check(post("/rpc/add", &json!({"x": "y"})), 200, json!("y"))
        .await;
}
