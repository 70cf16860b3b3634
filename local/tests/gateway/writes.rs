//! Insert and upsert.

use serde_json::{Value, json};

use crate::harness::{Project, Reply, get, post};

#[tokio::test]
async fn an_insert_answers_with_as_much_as_is_preferred() {
    let project = Project::start().await;
    let reply = project
        .check(post("/items", r#"{"name":"fig"}"#), 201, Value::Null)
        .await;
    assert_eq!(reply.header("content-type"), "");
    assert_eq!(reply.header("content-length"), "0");
    assert_eq!(reply.range(), "*/*");

    let call = post("/items?select=id,name", r#"{"id":200,"name":"kiwi"}"#);
    let reply = project
        .check(
            call.representation().prefer("count=exact"),
            201,
            json!([{"id": 200, "name": "kiwi"}]),
        )
        .await;
    assert_eq!(reply.range(), "*/1");
    assert_eq!(
        reply.header("preference-applied"),
        "return=representation, count=exact"
    );

    let call = post("/items", r#"{"id":201,"name":"lime"}"#).prefer("return=headers-only");
    let reply = project.check(call, 201, Value::Null).await;
    assert_eq!(reply.header("location"), "/items?id=eq.201");
    let call = post("/pairs", r#"{"a":1,"b":"x y"}"#).prefer("return=headers-only");
    assert_eq!(
        project.ask(call).await.header("location"),
        "/pairs?a=eq.1&b=eq.x%20y"
    );

    let call = post("/items?select=id", r#"{"id":202,"name":"nut"}"#);
    project
        .check(call.representation().object(), 201, json!({"id": 202}))
        .await;
}

#[tokio::test]
async fn values_take_the_types_of_their_columns() {
    let project = Project::start().await;
    let row = json!({
        "name": "typed", "price": "12345678901234.56789", "big": "9007199254740993",
        "tags": ["a,b", null], "data": {"k": [1]}, "raw": null, "span": "[1,3)",
        "at": "2026-05-01T00:00:00+02:00",
    });
    let call = post("/items?select=price,big,tags,data,raw,span,at", &row).representation();
    let reply = project.ask(call).await;
    assert_eq!(
        reply.body,
        r#"[{"price":12345678901234.56789,"big":9007199254740993,"tags":["a,b",null],"data":{"k": [1]},"raw":null,"span":"[1,3)","at":"2026-04-30T22:00:00+00:00"}]"#
    );
    let call = post(
        "/items?select=price,tags",
        r#"{"name":"n","price":0.10000,"tags":"{1,2}"}"#,
    );
    assert_eq!(
        project.ask(call.representation()).await.body,
        r#"[{"price":0.10000,"tags":["1","2"]}]"#
    );
    let row = json!({"id": 1, "colour": "green", "size": 3, "colours": ["red", "green"]});
    project
        .check(post("/typed", &row).representation(), 201, json!([row]))
        .await;
    let call = get("/typed?select=id&colour=eq.green&colours=cs.{red}&size=lt.4");
    project.check(call, 200, json!([{"id": 1}])).await;
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    let project = Project::start().await;
    let count = async || {
        project
            .ask(get("/pairs?select=a").prefer("count=exact"))
            .await
    };
    let rows: Vec<Value> = (0..5000).map(|a| json!({"a": a, "b": "x"})).collect();
    let reply = project
        .ask(post("/pairs", &Value::from(rows)).prefer("count=exact"))
        .await;
    assert_eq!((reply.status, reply.range()), (201, "*/5000"));
    let bad = json!([{"a": 9000, "b": "x"}, {"a": 1, "b": "x"}]);
    project
        .check_error(
            post("/pairs", &bad),
            409,
            "23505",
            "duplicate key value violates unique constraint \"pairs_pkey\"",
        )
        .await;
    assert_eq!(count().await.range(), "0-999/5000");
    project
        .check(post("/pairs", "[]").representation(), 201, json!([]))
        .await;
    assert_eq!(count().await.range(), "0-999/5000");
}

#[tokio::test]
async fn columns_and_missing_values_are_as_the_client_says() {
    let project = Project::start().await;
    let check = async |query: &str, prefer: &str, body: Value, expected: Value| {
        let call = post(&format!("/pairs?select=a,b,value&{query}"), &body);
        project
            .check(call.representation().prefer(prefer), 201, expected)
            .await;
    };
    let row = |a: i64, value: Value| json!({"a": a, "b": "x", "value": value});
    check(
        "",
        "",
        json!([{"a": 1, "b": "x"}]),
        json!([row(1, json!(7))]),
    )
    .await;
    check(
        "columns=\"a\",b,value",
        "",
        json!([{"a": 2, "b": "x", "junk": 1}, {"a": 3, "b": "x", "value": 3}]),
        json!([row(2, Value::Null), row(3, json!(3))]),
    )
    .await;
    check(
        "columns=a,b,value",
        "missing=default",
        json!([{"a": 4, "b": "x"}, {"a": 5, "b": "x", "value": null}, {"a": 6, "b": "x", "value": 1}]),
        json!([row(4, json!(7)), row(5, Value::Null), row(6, json!(1))]),
    )
    .await;
    let call = post(
        "/items?columns=id,name&select=id",
        &json!([{"name": "x"}, {"name": "y"}]),
    );
    let reply = project
        .ask(call.representation().prefer("missing=default"))
        .await;
    assert_eq!(reply.json(), json!([{"id": 101}, {"id": 102}]));
    assert_eq!(
        reply.header("preference-applied"),
        "missing=default, return=representation"
    );
    project
        .check(
            post("/keyless", &json!([{}, {}])).representation(),
            201,
            json!([{"value": null}, {"value": null}]),
        )
        .await;
}

#[tokio::test]
async fn malformed_bodies_are_refused_before_the_table_is_looked_up() {
    let project = Project::start().await;
    let check = async |path: &str, body: &str, status: u16, code: &str, message: &str| {
        project
            .check_error(post(path, &body), status, code, message)
            .await;
    };
    check("/unknown", "{", 400, "PGRST102", "Empty or invalid json").await;
    check("/items", "", 400, "PGRST102", "Empty or invalid json").await;
    check(
        "/items",
        r#"[{"id":1},{"name":"x"}]"#,
        400,
        "PGRST102",
        "All object keys must match",
    )
    .await;
    check(
        "/items?columns=",
        "{}",
        400,
        "PGRST100",
        "\"failed to parse columns parameter ()\" (line 1, column 1)",
    )
    .await;
    let message = "Could not find the 'nope' column of 'items' in the schema cache";
    check("/items", r#"{"nope":1}"#, 400, "PGRST204", message).await;
    check("/items?columns=nope", "[]", 400, "PGRST204", message).await;
    let message = "Could not find the table 'public.unknown' in the schema cache";
    check("/unknown", r#"{"nope":1}"#, 404, "PGRST205", message).await;
    let call = post("/items", "a,b").header("content-type", "text/csv");
    project
        .check_error(
            call,
            400,
            "PGRST102",
            "Content-Type not acceptable: text/csv",
        )
        .await;
    let call = post("/parents", "code=form&label=a+b")
        .header("content-type", "application/x-www-form-urlencoded");
    project
        .check(
            call.representation(),
            201,
            json!([{"code": "form", "label": "a b"}]),
        )
        .await;
}

#[tokio::test]
async fn constraints_are_told_with_their_status() {
    let project = Project::start().await;
    let check = async |path: &str, body: &str, status: u16, code: &str| {
        let reply = project.ask(post(path, &body)).await;
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (status, &json!(code)),
            "{path} {body}"
        );
    };
    check("/items", r#"{"id":1,"name":"again"}"#, 409, "23505").await;
    check("/children", r#"{"id":9,"parent":"nobody"}"#, 409, "23503").await;
    check("/items", r#"{"name":null}"#, 400, "23502").await;
    check("/items", r#"{"name":""}"#, 400, "23514").await;
    check("/items", r#"{"id":"x","name":"y"}"#, 400, "22P02").await;
    check("/items", r#"{"name":"y","words":"w"}"#, 400, "428C9").await;
}

#[tokio::test]
async fn a_commit_that_fails_is_no_success() {
    let project = Project::start().await;
    let call = post("/checked_late", r#"{"id":1,"parent":"nobody"}"#);
    project
        .check_error(
            call,
            409,
            "23503",
            "insert or update on table \"checked_late\" violates foreign key constraint \"checked_late_parent_fkey\"",
        )
        .await;
    project.check(get("/checked_late"), 200, json!([])).await;
}

#[tokio::test]
async fn an_upsert_merges_or_ignores_what_exists() {
    let project = Project::start().await;
    let check = async |path: &str, prefer: &str, body: Value, status: u16, expected: Value| {
        let call = post(path, &body).prefer(prefer).representation();
        project.check(call, status, expected).await
    };
    let merge = "resolution=merge-duplicates";
    let ignore = "resolution=ignore-duplicates";
    let p = |label: &str| json!([{"code": "p", "label": label}]);
    let reply = check(
        "/parents",
        merge,
        json!({"code": "p", "label": "second"}),
        200,
        p("second"),
    )
    .await;
    assert_eq!(
        reply.header("preference-applied"),
        "resolution=merge-duplicates, return=representation"
    );
    let both = json!([{"code": "p", "label": "third"}, {"code": "q", "label": "new"}]);
    check("/parents", merge, both.clone(), 201, both).await;
    check(
        "/parents",
        ignore,
        json!({"code": "p", "label": "no"}),
        201,
        json!([]),
    )
    .await;
    check(
        "/parents?code=eq.p",
        ignore,
        json!({"code": "r", "label": "r"}),
        201,
        json!([{"code": "r", "label": "r"}]),
    )
    .await;
    let calm = json!({"id": 5, "parent": "p", "mood": "calm"});
    check(
        "/children?on_conflict=mood",
        merge,
        calm.clone(),
        200,
        json!([calm]),
    )
    .await;
    check(
        "/keyless",
        merge,
        json!({"value": 1}),
        201,
        json!([{"value": 1}]),
    )
    .await;

    let refused = async |path: &str, body: Value, status: u16, code: &str| {
        let reply: Reply = project.ask(post(path, &body).prefer(merge)).await;
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (status, &json!(code)),
            "{path}"
        );
    };
    refused(
        "/parents?on_conflict=label",
        json!({"code": "z"}),
        400,
        "42P10",
    )
    .await;
    refused(
        "/parents",
        json!([{"code": "z"}, {"code": "z"}]),
        500,
        "21000",
    )
    .await;
}
