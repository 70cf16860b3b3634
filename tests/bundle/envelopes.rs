//! Sentry's clients at the door: how they prove their key, and what they are answered.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    channels::query,
    door::{items, key, send},
    support::Bundle,
};

const ID: &str = "551197c37d03460abdd30626051ec21e";

fn envelope(header: &Value, parts: &[(&str, Value)]) -> Vec<u8> {
    let mut lines = vec![header.to_string()];
    for (kind, payload) in parts {
        lines.extend([json!({"type": kind}).to_string(), payload.to_string()]);
    }
    lines.join("\n").into_bytes()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn event(id: &str) -> (&'static str, Value) {
    (
        "event",
        json!({"event_id": id, "exception": [{"type": "Gone", "value": "x"}]}),
    )
}

#[tokio::test]
async fn a_client_proves_its_key_in_each_of_the_places_where_clients_put_it() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let header = json!({"event_id": ID});
    let named = json!({"event_id": ID, "dsn": format!("https://{key}@ops.example.com/1")});
    let auth = format!("Sentry sentry_version=7, sentry_key={key}, sentry_client=x/1");
    let by_query = format!("/api/1/envelope/?sentry_version=7&sentry_key={key}");
    for (target, headers, body, status) in [
        (
            by_query.as_str(),
            vec![],
            envelope(&header, &[event(ID)]),
            StatusCode::OK,
        ),
        (
            "/api/1/envelope/",
            vec![("x-sentry-auth", auth.as_str())],
            envelope(&header, &[event(ID)]),
            StatusCode::OK,
        ),
        (
            "/api/1/envelope",
            vec![],
            envelope(&named, &[event(ID)]),
            StatusCode::OK,
        ),
        (
            "/api/1/envelope/",
            vec![("content-encoding", "gzip")],
            gzip(&envelope(&named, &[event(ID)])),
            StatusCode::OK,
        ),
        (
            "/api/1/store/",
            vec![("x-sentry-auth", auth.as_str())],
            event(ID).1.to_string().into_bytes(),
            StatusCode::OK,
        ),
        (
            "/api/1/envelope/",
            vec![],
            envelope(&header, &[event(ID)]),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        let sent = send(&bundle, target, &headers, body).await;
        assert_eq!(sent.status, status, "{target} {:?}", sent.bytes);
        if status == StatusCode::OK {
            assert_eq!(sent.json(), json!({"id": ID}), "{target}");
        }
    }
    assert_eq!(items(&bundle).await, json!(["error Gone sentry"]));
}

#[tokio::test]
async fn what_is_no_envelope_is_refused_in_words() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    for (kind, body) in [
        ("envelope", "riddle\n{\"type\":\"event\"}\n{}"),
        ("envelope", ""),
        ("store", "{"),
    ] {
        let target = format!("/api/1/{kind}/?sentry_key={key}");
        let sent = send(&bundle, &target, &[], body).await;
        assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(sent.json()["detail"].is_string(), "{:?}", sent.bytes);
    }
}

#[tokio::test]
async fn over_quota_a_client_waits_and_its_jobs_are_still_heard() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    // The day's quota, because a minute may end meanwhile.
    let none = "update ops.door_keys set items_a_day = 1 where id = 1";
    bundle.admin().await.batch_execute(none).await.unwrap();
    let target = format!("/api/1/envelope/?sentry_key={key}");
    let other = ID.replace('5', "6");
    let check_in = json!({"check_in_id": ID, "monitor_slug": "nightly", "status": "ok"});
    let parts = [event(ID), event(&other), ("check_in", check_in)];
    let part = send(&bundle, &target, &[], envelope(&json!({}), &parts)).await;
    assert_eq!((part.status, part.json()), (StatusCode::OK, json!({})));
    let log = ("log", json!({"items": [{"body": "x"}]}));
    let failed = json!({"check_in_id": other, "monitor_slug": "nightly", "status": "error"});
    let parts = [log, ("check_in", failed)];
    let sent = send(&bundle, &target, &[], envelope(&json!({}), &parts)).await;
    assert_eq!(sent.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds = sent.header("retry-after").unwrap();
    let limits = format!("{seconds}:log_item:key");
    assert_eq!(sent.header("x-sentry-rate-limits"), Some(limits.as_str()));
    let exposed = sent.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("x-sentry-rate-limits"), "{exposed}");
    let heard = "select jsonb_agg(failed order by failed) from ops.heartbeat_runs where heartbeat = 'nightly'";
    assert_eq!(query(&bundle, heard).await, json!([false, true]));
    assert_eq!(items(&bundle).await, json!(["error Gone sentry"]));
}

#[tokio::test]
async fn what_is_not_kept_is_counted() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let parts = [
        ("riddle", json!({})),
        ("attachment", json!({})),
        (
            "client_report",
            json!({"discarded_events": [{"reason": "sample_rate", "category": "error", "quantity": 7}]}),
        ),
        ("event", json!({"message": "x".repeat(1024 * 1024)})),
    ];
    let target = format!("/api/1/envelope/?sentry_key={key}");
    let headers = [("content-encoding", "gzip")];
    let body = gzip(&envelope(&json!({"event_id": ID}), &parts));
    let sent = send(&bundle, &target, &headers, body).await;
    assert_eq!(
        (sent.status, sent.json()),
        (StatusCode::OK, json!({"id": ID}))
    );
    assert_eq!(
        items(&bundle).await,
        json!(["error event too large sentry"])
    );
    let drops = "select jsonb_object_agg(reason, items) from ops.door_drops";
    assert_eq!(
        query(&bundle, drops).await,
        json!({"unknown type": 1, "attachment, replay or profile": 1, "client: sample_rate": 7})
    );
}

#[tokio::test]
async fn what_nobody_can_read_for_its_size_is_noted() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let target = format!("/api/1/envelope/?sentry_key={key}");
    let body = gzip(&envelope(
        &json!({"event_id": ID}),
        &[("event", json!({"message": "x".repeat(5 * 1024 * 1024)}))],
    ));
    for _ in 0..2 {
        let headers = [("content-encoding", "gzip")];
        let sent = send(&bundle, &target, &headers, body.clone()).await;
        assert_eq!(sent.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(
        items(&bundle).await,
        json!(["error event too large sentry"])
    );
}
