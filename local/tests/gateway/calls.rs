//! Calling functions.

use serde_json::{Value, json};

use crate::harness::{Project, get, head, post, put};

#[tokio::test]
async fn results_have_the_form_of_the_return_type() {
    let project = Project::start().await;
    let check = async |path: &str, body: Value, expected: Value| {
        project.check(post(path, &body), 200, expected).await;
    };
    check("/rpc/add", json!({"a": 1, "b": 2}), json!(3)).await;
    check("/rpc/add", json!({"a": 1}), json!(11)).await;
    check("/rpc/add", json!({"a": 1, "b": null}), Value::Null).await;
    check("/rpc/add", json!([{"a": 1}, {"a": 2}]), json!(11)).await;
    check("/rpc/echo", json!({"value": "a \"b\""}), json!("a \"b\"")).await;
    check("/rpc/evens", json!({"up_to": 6}), json!([2, 4, 6])).await;
    check("/rpc/evens", json!({"up_to": 1}), json!([])).await;
    check("/rpc/stats", json!({}), json!({"low": 1, "high": 2})).await;
    check(
        "/rpc/one_item?select=id,name",
        json!({"item": 2}),
        json!({"id": 2, "name": "banana"}),
    )
    .await;
    check("/rpc/total", json!({"numbers": [1, 2, 3]}), json!(6)).await;
    check("/rpc/whole", json!({"x": [1]}), json!({"x": [1]})).await;
    check("/rpc/whole", json!([1, 2]), json!([1, 2])).await;
    check(
        "/rpc/find_items?select=id&order=id.desc&id=lt.4",
        json!({"part": "a"}),
        json!([{"id": 2}, {"id": 1}]),
    )
    .await;
    let reply = project
        .check(post("/rpc/nothing", ""), 204, Value::Null)
        .await;
    assert_eq!(reply.header("content-type"), "");
    assert_eq!(
        project
            .ask(post("/rpc/echo", &json!({"value": null})))
            .await
            .body,
        "null"
    );
}

#[tokio::test]
async fn arguments_come_from_the_query_string_too() {
    let project = Project::start().await;
    project.check(get("/rpc/add?a=1&b=5"), 200, json!(6)).await;
    project.check(get("/rpc/add?a=1&a=2"), 200, json!(12)).await;
    project
        .check(get("/rpc/total?numbers=1&numbers=2"), 200, json!(3))
        .await;
    project
        .check(
            get("/rpc/find_items?part=app&id=eq.4&select=id"),
            200,
            json!([{"id": 4}]),
        )
        .await;
    let call =
        post("/rpc/add", "a=3&b=4").header("content-type", "application/x-www-form-urlencoded");
    project.check(call, 200, json!(7)).await;
    let reply = project
        .ask(head("/rpc/evens?up_to=6").prefer("count=exact"))
        .await;
    assert_eq!(
        (reply.status, reply.range(), reply.body.as_str()),
        (200, "0-2/3", "")
    );
}

#[tokio::test]
async fn results_are_counted_and_cut_like_tables() {
    let project = Project::start().await;
    let reply = project
        .ask(post("/rpc/listed?limit=2&order=id.desc", "").prefer("count=exact"))
        .await;
    assert_eq!((reply.status, reply.range()), (206, "0-1/3"));
    assert_eq!(
        reply.json(),
        json!([{"id": 3, "label": null}, {"id": 2, "label": "b"}])
    );
    let reply = project
        .ask(get("/rpc/evens?up_to=8").header("range", "1-2"))
        .await;
    assert_eq!((reply.json(), reply.range()), (json!([4, 6]), "1-2/*"));
    let reply = project
        .ask(post("/rpc/evens", &json!({"up_to": 8})).header("range", "1-2"))
        .await;
    assert_eq!(reply.range(), "0-3/*");
    let reply = project
        .ask(post("/rpc/add", &json!({"a": 1})).prefer("count=exact"))
        .await;
    assert_eq!((reply.status, reply.range()), (200, "0-0/1"));
    project
        .check(
            get("/rpc/listed?id=eq.1").object(),
            200,
            json!({"id": 1, "label": "a"}),
        )
        .await;
    project
        .check_error(
            get("/rpc/listed").object(),
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
        )
        .await;
}

#[tokio::test]
async fn a_call_that_no_overload_takes_is_not_found() {
    let project = Project::start().await;
    let check = async |path: &str, body: Value, message: &str, details: &str| {
        let message = format!("Could not find the function {message} in the schema cache");
        let reply = project
            .check_error(post(path, &body), 404, "PGRST202", &message)
            .await;
        let details = format!(
            "Searched for the function {details} or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache."
        );
        assert_eq!(reply.json()["details"], details);
    };
    check(
        "/rpc/add",
        json!({"c": 1, "a": 1}),
        "public.add(a, c)",
        "public.add with parameters a, c",
    )
    .await;
    check(
        "/rpc/add",
        json!({"b": 1}),
        "public.add(b)",
        "public.add with parameter b",
    )
    .await;
    check(
        "/rpc/gone",
        json!({}),
        "public.gone without parameters",
        "public.gone without parameters",
    )
    .await;
    let reply = project.ask(get("/rpc/add")).await;
    assert_eq!(
        reply.json()["details"],
        "Searched for the function public.add without parameters, but no matches were found in the schema cache."
    );
    project
        .check_error(
            post("/rpc/twice", &json!({"value": 1})),
            300,
            "PGRST203",
            "Could not choose the best candidate function between: public.twice(value => integer), public.twice(value => text)",
        )
        .await;
    project
        .check_error(
            put("/rpc/add"),
            405,
            "PGRST101",
            "Cannot use the PUT method on RPC",
        )
        .await;
    let strict = post("/rpc/add", &json!({"a": 1})).prefer("handling=strict, max-affected=1");
    assert_eq!(project.ask(strict).await.json()["code"], "PGRST128");
    let strict = post("/rpc/evens", &json!({"up_to": 4})).prefer("handling=strict, max-affected=1");
    assert_eq!(project.ask(strict).await.json()["code"], "PGRST124");
}

#[tokio::test]
async fn only_a_volatile_function_called_by_post_may_write() {
    let project = Project::start().await;
    project
        .check(
            post("/rpc/add_number", &json!({"n": 2000})),
            200,
            json!(2000),
        )
        .await;
    project
        .check_error(
            get("/rpc/add_number?n=2001"),
            405,
            "25006",
            "cannot execute INSERT in a read-only transaction",
        )
        .await;
    let setting = async |call| project.ask(call).await.json()["transaction_read_only"].clone();
    assert_eq!(setting(post("/rpc/settings", "")).await, "on");
    project
        .check(get("/numbers?n=eq.2001"), 200, json!([]))
        .await;
}

#[tokio::test]
async fn functions_see_the_request() {
    let project = Project::start().await;
    let call = post("/rpc/settings?select=role", "")
        .header("x-thing", "a")
        .header("cookie", "one=1; two=2")
        .prefer("timezone=Europe/Berlin")
        .stranger();
    let reply = project.ask(call).await;
    let settings = reply.json();
    let parsed =
        |name: &str| -> Value { serde_json::from_str(settings[name].as_str().unwrap()).unwrap() };
    assert_eq!(settings["role"], "anon");
    assert_eq!(
        settings["search_path"],
        r#""public", "public", "extensions""#
    );
    assert_eq!(settings["request.method"], "POST");
    assert_eq!(settings["request.path"], "/rpc/settings");
    assert_eq!(settings["timezone"], "Europe/Berlin");
    assert_eq!(settings["transaction_isolation"], "read committed");
    assert_eq!(parsed("request.jwt.claims")["role"], "anon");
    assert_eq!(parsed("request.headers")["x-thing"], "a");
    assert_eq!(parsed("request.headers")["cookie"], Value::Null);
    assert_eq!(parsed("request.cookies"), json!({"one": "1", "two": "2"}));
    assert_eq!(reply.header("preference-applied"), "timezone=Europe/Berlin");
    let reply = project
        .ask(post("/rpc/settings", "").prefer("timezone=Nowhere"))
        .await;
    assert_eq!(
        (
            reply.header("preference-applied"),
            &reply.json()["timezone"]
        ),
        ("", &json!("UTC"))
    );
}

#[tokio::test]
async fn functions_may_write_status_and_headers() {
    let project = Project::start().await;
    let reply = project.ask(post("/rpc/teapot", "")).await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (418, "\"short and stout\"")
    );
    assert_eq!(
        (reply.header("x-one"), reply.header("content-type")),
        ("1", "text/plain")
    );
    let reply = project.ask(post("/rpc/bad_headers", "")).await;
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (500, &json!("PGRST111"))
    );
    // Nothing of it stays with the connection.
    assert_eq!(
        project
            .ask(post("/rpc/echo", &json!({"value": "x"})))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn functions_may_raise_any_answer() {
    let project = Project::start().await;
    let fail = |state: &str, message: &str, extra: Option<&str>| {
        let extra = extra.unwrap_or_default();
        post(
            "/rpc/fail",
            &json!({"state": state, "message": message, "extra": extra}),
        )
    };
    let reply = project
        .check_error(fail("P0001", "no", Some("why")), 400, "P0001", "no")
        .await;
    assert_eq!(
        (&reply.json()["details"], &reply.json()["hint"]),
        (&json!("why"), &json!("a hint"))
    );
    project
        .check_error(fail("PT402", "pay", None), 402, "PT402", "pay")
        .await;
    project
        .check_error(fail("42501", "no", None).stranger(), 401, "42501", "no")
        .await;
    project
        .check_error(fail("53300", "full", None), 503, "53300", "full")
        .await;
    let body = json!({"code": "123", "message": "m", "details": "d", "hint": "h"}).to_string();
    let head = json!({"status": 332, "headers": {"X-Header": "str"}}).to_string();
    let reply = project
        .check_error(fail("PGRST", &body, Some(&head)), 332, "123", "m")
        .await;
    assert_eq!(reply.header("x-header"), "str");
    let reply = project.ask(fail("PGRST", "no json", Some(&head))).await;
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (500, &json!("PGRST121"))
    );
}
