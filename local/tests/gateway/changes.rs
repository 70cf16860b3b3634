//! Update and delete, and changes that are taken back.

use serde_json::{Value, json};

use crate::harness::{Project, delete, get, patch, post};

#[tokio::test]
async fn an_update_changes_the_filtered_rows_only() {
    let project = Project::start().await;
    let call = patch("/items?id=eq.1", r#"{"big":1}"#).prefer("count=exact");
    let reply = project.check(call, 204, Value::Null).await;
    assert_eq!(
        (reply.range(), reply.header("content-length")),
        ("0-0/1", "")
    );
    let call = patch(
        "/items?id=gte.3&select=id,b:big&order=id.desc",
        r#"{"big":5}"#,
    );
    let reply = project
        .check(
            call.representation(),
            200,
            json!([{"id": 4, "b": 5}, {"id": 3, "b": 5}]),
        )
        .await;
    assert_eq!(reply.range(), "0-1/*");
    let reply = project
        .check(patch("/items?id=eq.99", r#"{"big":1}"#), 204, Value::Null)
        .await;
    assert_eq!(reply.range(), "*/*");
    for body in ["{}", "[]"] {
        project
            .check(patch("/items", &body), 204, Value::Null)
            .await;
        project
            .check(patch("/items", &body).representation(), 200, json!([]))
            .await;
    }
    let call = patch(
        "/pairs?a=eq.0&columns=value",
        r#"{"b":"ignored","value":1}"#,
    );
    project.check(call.representation(), 200, json!([])).await;
    project
        .check_error(
            patch("/items", r#"{"big":0}"#),
            400,
            "21000",
            "UPDATE requires a WHERE clause",
        )
        .await;
    project
        .check(
            get("/items?select=big&order=id"),
            200,
            json!([{"big": 1}, {"big": 2}, {"big": 5}, {"big": 5}]),
        )
        .await;
}

#[tokio::test]
async fn a_delete_removes_the_filtered_rows_only() {
    let project = Project::start().await;
    let reply = project
        .check(
            delete("/items?id=eq.1").prefer("count=exact"),
            204,
            Value::Null,
        )
        .await;
    assert_eq!(reply.range(), "*/1");
    project
        .check(
            delete("/items?id=eq.2&select=id").representation(),
            200,
            json!([{"id": 2}]),
        )
        .await;
    project
        .check_error(
            delete("/items"),
            400,
            "21000",
            "DELETE requires a WHERE clause",
        )
        .await;
    project
        .check(
            get("/items?select=id&order=id"),
            200,
            json!([{"id": 3}, {"id": 4}]),
        )
        .await;
}

#[tokio::test]
async fn a_change_that_is_refused_afterwards_is_rolled_back() {
    let project = Project::start().await;
    let strict = "handling=strict, max-affected=1";
    let reply = project
        .check_error(
            delete("/items?id=gt.2").prefer(strict),
            400,
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
        )
        .await;
    assert_eq!(reply.json()["details"], "The query affects 2 rows");
    let call = patch("/items?id=gt.2", r#"{"big":0}"#)
        .representation()
        .object();
    project
        .check_error(
            call,
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
        )
        .await;
    project
        .check(get("/items?select=id&big=eq.0"), 200, json!([]))
        .await;
    let reply = project
        .check(delete("/items?id=gt.3").prefer(strict), 204, Value::Null)
        .await;
    assert_eq!(
        reply.header("preference-applied"),
        "handling=strict, max-affected=1"
    );
    let lenient = delete("/items?id=gt.1").prefer("max-affected=1");
    project.check(lenient, 204, Value::Null).await;
    project
        .check_error(
            post("/items", r#"{"name":"x"}"#).prefer("handling=strict, a=b"),
            400,
            "PGRST122",
            "Invalid preferences given with handling=strict",
        )
        .await;
}
