//! Select, filters, order, paging, counts.

use serde_json::{Value, json};

use crate::harness::{Project, get, head};

/// The ids of the items that a query string finds, in order.
async fn check_ids(project: &Project, query: &str, expected: &[i64]) {
    let reply = project.ask(get(&format!("/items?select=id&{query}"))).await;
    let found: Vec<i64> = match reply.json() {
        Value::Array(rows) => rows.iter().map(|row| row["id"].as_i64().unwrap()).collect(),
        other => panic!("{query}: {other}"),
    };
    assert_eq!(found, expected, "{query}");
}

#[tokio::test]
async fn filters_find_the_rows_that_they_name() {
    let project = Project::start().await;
    let cases: &[(&str, &[i64])] = &[
        ("id=eq.1", &[1]),
        ("id=neq.1", &[2, 3, 4]),
        ("id=gt.2&id=lte.3", &[3]),
        ("id=not.lt.3", &[3, 4]),
        ("price=neq.2", &[1, 2]),
        ("price=not.eq.2", &[1, 2]),
        ("name=like.apple*", &[1, 4]),
        ("name=like.appl_s", &[4]),
        ("name=ilike.*PIE", &[1]),
        ("name=like(any).{banana,*pie}", &[1, 2]),
        ("name=like(all).{a*,*s}", &[4]),
        ("name=match.^a.*s$", &[4]),
        ("name=imatch.^APP", &[1, 4]),
        ("id=eq(any).{1,4}", &[1, 4]),
        ("id=in.(1,3)", &[1, 3]),
        (r#"name=in.(banana,"cherry, \"red\" (sour)")"#, &[2, 3]),
        ("id=in.()", &[]),
        ("id=not.in.()", &[1, 2, 3, 4]),
        ("price=is.null", &[3]),
        ("price=is.not_null", &[1, 2, 4]),
        ("price=not.is.null", &[1, 2, 4]),
        ("price=isdistinct.2", &[1, 2, 3]),
        ("tags=cs.{red}", &[1]),
        ("tags=cd.{yellow,green}", &[2, 4]),
        ("tags=ov.{red,yellow}", &[1, 2]),
        ("data=cs.{\"n\":9}", &[2]),
        ("span=ov.[4,6)", &[1, 2]),
        ("span=sl.[5,6)", &[1]),
        ("span=sr.[2,5)", &[2, 4]),
        ("span=adj.[5,9)", &[1, 4]),
        ("span=nxr.[2,9)", &[1, 2]),
        ("span=nxl.[5,6)", &[2, 4]),
        ("words=fts.apple", &[1, 4]),
        ("words=fts(english).apples%26pie", &[1]),
        ("name=plfts(english).sour cherries", &[3]),
        ("name=phfts(english).apple pie", &[1]),
        ("name=wfts(english).apple -pie", &[4]),
        ("data->a->b->>0=eq.1", &[1]),
        ("data->n=gt.9", &[1]),
        ("data->>n=eq.9", &[2]),
        ("tags->>0=eq.red", &[1]),
        ("or=(id.eq.1,name.like.*nana)", &[1, 2]),
        ("not.or=(id.eq.1,id.eq.2)", &[3, 4]),
        ("and=(id.gt.1,or(id.eq.2,not.and(price.is.null)))", &[2, 4]),
        (
            r#"or=(name.eq."cherry, \"red\" (sour)",tags.cs.{yellow})"#,
            &[2, 3],
        ),
        ("or=(id.in.(1,2),id.eq.4)&id=neq.1", &[2, 4]),
        ("odd+name=eq.odd&id=eq.1", &[1]),
        ("name=eq.x'; drop table items; --", &[]),
    ];
    for (query, expected) in cases {
        check_ids(&project, &format!("{query}&order=id"), expected).await;
    }
}

#[tokio::test]
async fn order_limit_and_offset_cut_the_rows() {
    let project = Project::start().await;
    check_ids(&project, "order=id.desc&limit=2&offset=1", &[3, 2]).await;
    check_ids(&project, "order=price.desc", &[3, 4, 1, 2]).await;
    check_ids(&project, "order=price.asc", &[2, 1, 4, 3]).await;
    check_ids(&project, "order=price.desc.nullslast,id", &[4, 1, 2, 3]).await;
    check_ids(&project, "order=price.nullsfirst", &[3, 2, 1, 4]).await;
    check_ids(
        &project,
        "order=data->n.desc.nullslast&id=neq.3",
        &[1, 2, 4],
    )
    .await;
    check_ids(&project, "order=id&limit=0", &[]).await;
    check_ids(&project, "order=id&limit=x&offset=-5", &[1, 2, 3, 4]).await;
}

#[tokio::test]
async fn select_shapes_each_row() {
    let project = Project::start().await;
    let check = async |select: &str, expected: Value| {
        project
            .check(
                get(&format!("/items?id=eq.1&select={select}")),
                200,
                json!([expected]),
            )
            .await;
    };
    check("id,fruit:name", json!({"id": 1, "fruit": "apple pie"})).await;
    check("id::text, name ", json!({"id": "1", "name": "apple pie"})).await;
    check("data->a->b", json!({"b": [1, 2]})).await;
    check("data->a->b->0", json!({"b": 1})).await;
    check("x:data->>n::integer", json!({"x": 10})).await;
    check("tags->1", json!({"tags": "round"})).await;
    check("\"odd name\"", json!({"odd name": "odd"})).await;
    check(
        "span,at",
        json!({"span": "[1,5)", "at": "2026-01-02T03:04:05+00:00"}),
    )
    .await;
}

#[tokio::test]
async fn numbers_come_back_with_all_their_digits() {
    let project = Project::start().await;
    let reply = project
        .ask(get("/items?id=eq.1&select=price,big,raw"))
        .await;
    assert_eq!(
        reply.body,
        r#"[{"price":1.50000,"big":9007199254740993,"raw":{"k":  1.0}}]"#
    );
    let reply = project.ask(get("/rpc/document")).await;
    assert_eq!(reply.body, r#"{"n": 12345678901234567890.10}"#);
}

#[tokio::test]
async fn ranges_and_counts_are_told_in_content_range() {
    let project = Project::start().await;
    let check = async |query: &str, headers: &[(&str, &str)], status: u16, range: &str| {
        let mut call = get(&format!("/items?select=id&order=id{query}"));
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let reply = project.ask(call).await;
        assert_eq!(
            (reply.status, reply.range()),
            (status, range),
            "{query} {headers:?}"
        );
    };
    let exact = ("prefer", "count=exact");
    check("", &[], 200, "0-3/*").await;
    check("&id=eq.9", &[], 200, "*/*").await;
    check("", &[exact], 200, "0-3/4").await;
    check("&id=eq.9", &[exact], 200, "*/0").await;
    check("&limit=2", &[exact], 206, "0-1/4").await;
    check("&limit=2&offset=3", &[exact], 206, "3-3/4").await;
    check("&offset=4", &[exact], 206, "*/4").await;
    check("&offset=5", &[exact], 416, "*/4").await;
    check("&limit=0", &[exact], 206, "*/4").await;
    check("", &[("range", "1-2")], 200, "1-2/*").await;
    check("", &[("range", "items=2-")], 200, "2-3/*").await;
    check("&limit=2", &[("range", "1-9"), exact], 206, "1-1/4").await;
    check("", &[("range", "2-1")], 416, "").await;
    check("&limit=-1", &[], 416, "").await;
}

#[tokio::test]
async fn the_planner_counts_where_that_is_preferred() {
    let project = Project::start().await;
    let total = async |query: &str, prefer: &str| {
        let reply = project
            .ask(get(&format!("/numbers?{query}")).prefer(prefer))
            .await;
        let total = reply.range().rsplit('/').next().unwrap().to_owned();
        assert_eq!(reply.header("preference-applied"), prefer, "{query}");
        total
    };
    assert_eq!(total("", "count=planned").await, "1500");
    assert_eq!(total("n=lte.10", "count=estimated").await, "10");
    assert_eq!(total("", "count=estimated").await, "1500");
    assert_eq!(total("", "count=exact").await, "1500");
}

#[tokio::test]
async fn a_read_returns_at_most_a_thousand_rows() {
    let project = Project::start().await;
    let rows = |reply: &crate::harness::Reply| reply.json().as_array().unwrap().len();
    let reply = project.ask(get("/numbers").prefer("count=exact")).await;
    assert_eq!(
        (rows(&reply), reply.range(), reply.status),
        (1000, "0-999/1500", 206)
    );
    let reply = project.ask(get("/numbers?limit=1200&offset=1499")).await;
    assert_eq!((rows(&reply), reply.range()), (1, "1499-1499/*"));
    let reply = project.ask(get("/rpc/evens?up_to=4000")).await;
    assert_eq!((rows(&reply), reply.range()), (1000, "0-999/*"));
}

#[tokio::test]
async fn head_has_everything_but_the_body() {
    let project = Project::start().await;
    let call = "/items?select=id&order=id&limit=2";
    let full = project.ask(get(call).prefer("count=exact")).await;
    let bare = project.ask(head(call).prefer("count=exact")).await;
    assert_eq!((bare.status, bare.body.as_str()), (206, ""));
    assert_eq!(bare.headers, full.headers);
    assert_eq!(bare.range(), "0-1/4");
    let refused = project.ask(head("/unknown")).await;
    assert_eq!((refused.status, refused.body.as_str()), (404, ""));
}

#[tokio::test]
async fn a_single_object_must_be_single() {
    let project = Project::start().await;
    let reply = project
        .check(
            get("/items?select=id&id=eq.2").object(),
            200,
            json!({"id": 2}),
        )
        .await;
    assert_eq!(
        reply.header("content-type"),
        "application/vnd.pgrst.object+json; charset=utf-8"
    );
    let message = "Cannot coerce the result to a single JSON object";
    for (query, details) in [
        ("id=gt.2", "The result contains 2 rows"),
        ("id=gt.9", "The result contains 0 rows"),
    ] {
        let reply = project
            .check_error(
                get(&format!("/items?{query}")).object(),
                406,
                "PGRST116",
                message,
            )
            .await;
        assert_eq!(reply.json()["details"], details);
    }
}

#[tokio::test]
async fn answers_name_where_and_what_they_are() {
    let project = Project::start().await;
    let reply = project.ask(get("/items?select=id&id=eq.1&order=id")).await;
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    assert_eq!(
        reply.header("content-location"),
        "/items?id=eq.1&order=id&select=id"
    );
    assert_eq!(
        project.ask(get("/cheap")).await.header("content-location"),
        "/cheap"
    );
    project
        .check(
            get("/cheap?select=name&order=id"),
            200,
            json!([{"name": "apple pie"}, {"name": "banana"}]),
        )
        .await;
}

#[tokio::test]
async fn what_the_database_refuses_is_told_as_it_is() {
    let project = Project::start().await;
    let check = async |path: &str, status: u16, code: &str, message: &str| {
        project.check_error(get(path), status, code, message).await;
    };
    check(
        "/items?nope=eq.1",
        400,
        "42703",
        "column items.nope does not exist",
    )
    .await;
    check(
        "/items?select=nope",
        400,
        "42703",
        "column items.nope does not exist",
    )
    .await;
    check(
        "/items?order=nope",
        400,
        "42703",
        "column items.nope does not exist",
    )
    .await;
    check(
        "/items?id=eq.abc",
        400,
        "22P02",
        "invalid input syntax for type integer: \"abc\"",
    )
    .await;
    check(
        "/items?select=id::nope",
        400,
        "42704",
        "type \"nope\" does not exist",
    )
    .await;
    check(
        "/unknown",
        404,
        "PGRST205",
        "Could not find the table 'public.unknown' in the schema cache",
    )
    .await;
    check(
        "/private.things",
        404,
        "PGRST205",
        "Could not find the table 'public.private.things' in the schema cache",
    )
    .await;
    check(
        "/items/1",
        404,
        "PGRST125",
        "Invalid path specified in request URL",
    )
    .await;
}
