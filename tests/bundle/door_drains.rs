//! What platforms send to the door: Vercel's drains and webhooks, OpenTelemetry, Supabase.

use http::StatusCode;
use ops::monitoring::document::{DeploymentMark, Document};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    channels::query,
    door::{items, key, send},
    support::{Answer, Bundle},
};

pub(crate) const SECRET: &str = "drain-secret";

/// A body's signature, as Vercel makes it.
pub(crate) fn signature(body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    let tag = hmac::sign(&key, body);
    let bytes = tag.as_ref().iter();
    bytes.fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

async fn signed(bundle: &Bundle, target: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let signature = signature(body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-vercel-signature", signature.as_str()),
        ("user-agent", "Vercel Drains"),
    ];
    send(bundle, target, &headers, body).await
}

/// What was left out, by source and reason.
async fn drops(bundle: &Bundle) -> Value {
    query(
        bundle,
        "select coalesce(jsonb_object_agg(source || ': ' || reason, items), '{}') from ops.door_drops",
    )
    .await
}

/// A request as a log drain tells of it, of now.
fn row(id: &str, more: &Value) -> Value {
    let now = outside::clock::now().as_millisecond();
    let mut row = json!({
        "id": id, "deploymentId": "dpl_1", "source": "lambda", "host": "wine.example", "timestamp": now,
        "projectId": "prj", "level": "info", "environment": "production", "requestId": "req-1",
        "path": "/wines/[id]", "statusCode": 200,
        "proxy": {"timestamp": now, "method": "GET", "host": "wine.example", "path": "/wines/7?x=1",
                  "userAgent": ["x"], "statusCode": 200, "clientIp": "203.0.113.9"},
    });
    let fields = row.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn a_drain_that_is_signed_brings_each_request_once() {
    let mut bundle = Bundle::start().await;
    bundle
        .env
        .insert("VERCEL_DRAIN_SECRET".into(), SECRET.into());
    bundle
        .env
        .insert("VERCEL_DRAIN_VERIFY".into(), "team_code".into());
    let key = key(&bundle, "{}").await;
    let target = format!("/api/drain/vercel?key={key}");
    let first = row("1", &json!({}));
    let printed = json!({"type": "stderr", "level": "error", "message": "TypeError: no wine"});
    let body = json!([
        first,
        row("2", &printed),
        row("3", &json!({"host": "ops.wine.example"}))
    ]);
    let sent = signed(&bundle, &target, &body).await;
    assert_eq!(sent.status, StatusCode::OK, "{:?}", sent.bytes);
    assert_eq!(sent.header("x-vercel-verify"), Some("team_code"));
    assert_eq!(
        sent.json(),
        json!({"taken": 2, "leftOut": 1, "overQuota": 0})
    );
    // What is delivered again, and further rows of the same request, change nothing.
    let mut later = first.clone();
    later["id"] = json!("4");
    let sent = signed(&bundle, &target, &json!([later])).await;
    assert_eq!(sent.json()["taken"], 0);
    assert_eq!(
        items(&bundle).await,
        json!(["error TypeError vercel", "request /wines/[id] vercel"])
    );
    assert_eq!(
        drops(&bundle).await,
        json!({"vercel: of this bundle itself": 1})
    );
    let people = "select to_jsonb(count(person)) from ops.items";
    assert_eq!(query(&bundle, people).await, 0, "nobody is the platform");
}

#[tokio::test]
async fn without_the_right_signature_a_drain_is_refused_where_the_secret_is_known() {
    let mut bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let body = json!([row("1", &json!({}))]).to_string();
    let right = signature(body.as_bytes());
    let other = signature(b"[]");
    let altered = format!("{}0{}", &right[..19], &right[20..]);
    let altered = if altered == right {
        other.clone()
    } else {
        altered
    };
    let target = |path: &str| format!("/api/drain/{path}?key={key}");
    let unsigned = send(&bundle, &target("vercel"), &[], body.clone()).await;
    assert_eq!(unsigned.status, StatusCode::OK, "the key alone proves");
    for name in ["VERCEL_DRAIN_SECRET", "VERCEL_WEBHOOK_SECRET"] {
        bundle.env.insert(name.into(), SECRET.into());
    }
    for path in ["vercel", "vercel-webhook", "vercel/"] {
        for presented in [None, Some(&other), Some(&altered)] {
            let headers: Vec<_> = presented
                .map(|presented| ("x-vercel-signature", presented.as_str()))
                .into_iter()
                .collect();
            let sent = send(&bundle, &target(path), &headers, body.clone()).await;
            assert_eq!(
                sent.status,
                StatusCode::UNAUTHORIZED,
                "{path} {presented:?}"
            );
        }
    }
    let headers = [("x-vercel-signature", right.as_str())];
    let sent = send(&bundle, &target("vercel"), &headers, body.clone()).await;
    assert_eq!(sent.status, StatusCode::OK);
    let without_key = send(&bundle, "/api/drain/vercel", &headers, body).await;
    assert_eq!(without_key.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn webhooks_mark_deployments_that_the_dashboard_lists() {
    let mut bundle = Bundle::start().await;
    bundle
        .env
        .insert("VERCEL_WEBHOOK_SECRET".into(), SECRET.into());
    let key = key(&bundle, "{}").await;
    let target = format!("/api/drain/vercel-webhook?key={key}");
    let now = outside::clock::now().as_millisecond();
    let event = |id: &str, kind: &str| {
        json!({"id": id, "type": kind, "createdAt": now, "payload": {
            "user": {"id": "usr_1"}, "target": "production", "project": {"id": "prj_1"},
            "deployment": {"id": "dpl_1", "meta": {"githubCommitSha": "c20a55c", "githubCommitRef": "main"}}}})
    };
    for (id, kind) in [
        ("1", "deployment.succeeded"),
        ("1", "deployment.succeeded"),
        ("2", "deployment.promoted"),
        ("3", "domain.created"),
    ] {
        let sent = signed(&bundle, &target, &event(id, kind)).await;
        assert_eq!(sent.status, StatusCode::OK, "{kind}: {:?}", sent.bytes);
    }
    let document = query(&bundle, "select public.ops_dashboard(3600, 'production')").await;
    let document: Document = serde_json::from_value(document).unwrap();
    let mut events: Vec<_> = document
        .deployments
        .iter()
        .map(|DeploymentMark { event, commit, .. }| json!([event, commit]))
        .collect();
    events.sort_by_key(Value::to_string);
    assert_eq!(
        events,
        [
            json!(["promoted", "c20a55c"]),
            json!(["succeeded", "c20a55c"])
        ]
    );
    let projects = "select jsonb_agg(distinct project) from ops.deployments";
    assert_eq!(query(&bundle, projects).await, json!(["prj_1"]));
    let preview = query(&bundle, "select public.ops_dashboard(3600, 'preview')").await;
    assert_eq!(preview["deployments"], json!([]));
    assert_eq!(
        drops(&bundle).await,
        json!({"vercel webhooks: kind of event that is not kept": 1})
    );
}

#[tokio::test]
async fn opentelemetrys_clients_are_answered_as_the_protocol_has_it() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let bearer = format!("Bearer {key}");
    let now = outside::clock::now().as_nanosecond().to_string();
    let span = |id: &str| {
        json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": id, "kind": 2, "name": "GET /wines",
               "startTimeUnixNano": now, "endTimeUnixNano": now})
    };
    let spans = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span("b7ad6b7169203331"), span("odd")]}]}]});
    let (by_json, by_protobuf) = ("application/json", "application/x-protobuf");
    for (path, kind, body, status, answer) in [
        (
            "traces",
            by_json,
            spans.to_string().into_bytes(),
            200,
            &br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"1 cannot be used"}}"#[..],
        ),
        ("traces", by_json, b"{}".to_vec(), 200, b"{}"),
        ("logs", by_protobuf, Vec::new(), 200, b""),
        ("metrics", by_protobuf, Vec::new(), 200, b""),
        ("logs", by_protobuf, b"{".to_vec(), 400, b"\x08\x03"),
        ("metrics", by_json, b"[".to_vec(), 400, br#"{"code":3"#),
    ] {
        let headers = [("content-type", kind), ("authorization", bearer.as_str())];
        let sent = send(&bundle, &format!("/v1/{path}"), &headers, body).await;
        assert_eq!(sent.status, status, "{path} {kind}: {:?}", sent.bytes);
        assert_eq!(sent.header("content-type"), Some(kind));
        assert!(
            sent.bytes.starts_with(answer),
            "{path} {kind}: {:?}",
            sent.bytes
        );
    }
    assert_eq!(items(&bundle).await, json!(["request /wines otlp traces"]));

    let few = "update ops.door_keys set items_a_minute = 1, items_a_day = 1 where id = 1";
    bundle.admin().await.batch_execute(few).await.unwrap();
    let headers = [
        ("content-type", by_json),
        ("authorization", bearer.as_str()),
    ];
    let other = spans
        .to_string()
        .replace("b7ad6b7169203331", "b7ad6b7169203332");
    let sent = send(&bundle, "/v1/traces", &headers, other.clone()).await;
    assert_eq!(
        sent.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{:?}",
        sent.bytes
    );
    assert_eq!(sent.json()["code"], 8);
    assert!(sent.header("retry-after").is_some());
    let refuse = local_supabase::fault::Mode::Refuse;
    bundle
        .fault(local_supabase::fault::Service::Database, refuse)
        .await;
    let sent = send(&bundle, "/v1/traces", &headers, other).await;
    assert_eq!(sent.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (sent.json()["code"].clone(), sent.header("retry-after")),
        (json!(14), Some("30"))
    );
}

#[tokio::test]
async fn supabase_brings_errors_of_its_database_and_sign_ins_that_failed() {
    use std::io::Write;
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let now = outside::clock::now().as_microsecond();
    let body = json!([
        {"id": "1", "timestamp": now, "event_message": "relation \"wines\" does not exist", "metadata": [{"parsed": [
            {"error_severity": "ERROR", "sql_state_code": "42P01", "query": "select * from wines where id = 7"}]}]},
        {"id": "2", "timestamp": now, "event_message": "", "metadata": {"path": "/token", "status": 400,
            "grant_type": "password", "error_code": "invalid_credentials", "request_id": "r1"}},
        {"id": "3", "timestamp": now, "event_message": "", "metadata": {"path": "/token", "status": 400,
            "grant_type": "password", "msg": "400: Invalid login credentials", "request_id": "r1"}},
        {"id": "4", "timestamp": now, "event_message": "checkpoint starting", "metadata": [{"parsed": [
            {"error_severity": "LOG"}]}]},
    ]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.to_string().as_bytes()).unwrap();
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("x-door-key", key.as_str()),
    ];
    let sent = send(
        &bundle,
        "/api/drain/supabase",
        &headers,
        encoder.finish().unwrap(),
    )
    .await;
    assert_eq!(sent.status, StatusCode::OK, "{:?}", sent.bytes);
    assert_eq!(
        items(&bundle).await,
        json!([
            "error PostgreSQL 42P01 supabase",
            "event sign_in_failed supabase"
        ])
    );
    assert_eq!(
        drops(&bundle).await,
        json!({"supabase: row that is not kept": 1})
    );
}
