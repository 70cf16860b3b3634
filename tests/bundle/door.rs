//! The door from outside: keys, CORS, quotas, odd bodies.

use http::{Method, StatusCode};
use local_supabase::fault::{Mode, Service};
use ops::{auth::door_key::KeySigner, endpoint::Endpoint};
use serde_json::{Value, json};

use crate::{
    channels::query,
    support::{Answer, Bundle, call},
};

/// A project key, as clients have it.
pub(crate) async fn key(bundle: &Bundle, origins: &str) -> String {
    let added = query(
        bundle,
        &format!("select public.ops_add_door_key('web', '{origins}', 1000, 100000, 'test')"),
    )
    .await;
    let number = u32::try_from(added["id"].as_u64().unwrap()).unwrap();
    let secret = bundle.secret("MONITORING_API_KEY").into();
    KeySigner::new(&secret).sign(number)
}

pub(crate) async fn send(
    bundle: &Bundle,
    target: &str,
    headers: &[(&'static str, &str)],
    body: impl Into<bytes::Bytes>,
) -> Answer {
    let door = bundle.instance(Endpoint::Ingest);
    let request = call(&door, Method::POST, target).body(body);
    let headers = headers.iter();
    headers
        .fold(request, |request, (name, value)| {
            request.header(name, value)
        })
        .send()
        .await
}

/// What came in: kind, name and source of each item.
pub(crate) async fn items(bundle: &Bundle) -> Value {
    query(
        bundle,
        "select coalesce(jsonb_agg(kind || ' ' || name || ' ' || source order by kind, name), '[]') from ops.items",
    )
    .await
}

const EVENT: &str = r#"{"type":"event","name":"wine_added","properties":{"colour":"red"}}"#;

#[tokio::test]
async fn a_page_that_is_left_sends_text_and_everybody_may_read_the_answer() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let sent = send(
        &bundle,
        &format!("/api/ingest?key={key}"),
        &[
            ("content-type", "text/plain;charset=UTF-8"),
            ("origin", "https://wine.example"),
        ],
        EVENT,
    )
    .await;
    assert_eq!(sent.status, StatusCode::OK, "{:?}", sent.bytes);
    assert_eq!(
        sent.json(),
        json!({"taken": 1, "leftOut": 0, "overQuota": 0})
    );
    assert_eq!(sent.header("access-control-allow-origin"), Some("*"));
    assert_eq!(items(&bundle).await, json!(["event wine_added own"]));
}

#[tokio::test]
async fn without_a_right_key_nothing_comes_in_and_the_database_is_not_asked() {
    let bundle = Bundle::start().await;
    let right = key(&bundle, "{https://wine.example}").await;
    let forged = format!("{}0", &right[..31]);
    let forged = if forged == right {
        format!("{}1", &right[..31])
    } else {
        forged
    };
    bundle.fault(Service::Database, Mode::Refuse).await;
    for (target, status) in [
        ("/api/ingest".to_owned(), StatusCode::UNAUTHORIZED),
        (
            format!("/api/ingest?key={forged}"),
            StatusCode::UNAUTHORIZED,
        ),
        (
            format!("/api/ingest?key={right}"),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
    ] {
        let sent = send(&bundle, &target, &[], EVENT).await;
        assert_eq!(sent.status, status, "{target}");
        assert_eq!(sent.header("access-control-allow-origin"), Some("*"));
        let waits = (status == StatusCode::SERVICE_UNAVAILABLE).then_some("30");
        assert_eq!(sent.header("retry-after"), waits);
    }
    bundle.fault(Service::Database, Mode::Ok).await;
    let elsewhere = [("origin", "https://evil.example")];
    let target = format!("/api/ingest?key={right}");
    let sent = send(&bundle, &target, &elsewhere, EVENT).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    query(&bundle, "select public.ops_revoke_door_key(1)").await;
    let sent = send(&bundle, &target, &[], EVENT).await;
    assert_eq!(sent.status, StatusCode::UNAUTHORIZED);
    assert_eq!(items(&bundle).await, json!([]));
}

#[tokio::test]
async fn what_came_while_the_database_was_away_is_counted_once_it_is_back() {
    let bundle = Bundle::start().await;
    let target = format!("/api/ingest?key={}", key(&bundle, "{}").await);
    let door = bundle.instance(Endpoint::Ingest);
    let send = async || call(&door, Method::POST, &target).body(EVENT).send().await;
    bundle.fault(Service::Database, Mode::Refuse).await;
    for _ in 0..2 {
        assert_eq!(send().await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    bundle.fault(Service::Database, Mode::Ok).await;
    for _ in 0..2 {
        assert_eq!(send().await.status, StatusCode::OK);
    }
    let drops = query(
        &bundle,
        "select jsonb_object_agg(reason, items) from ops.door_drops",
    )
    .await;
    assert_eq!(drops, json!({"the database was away": 2}));
}

#[tokio::test]
async fn browsers_and_platforms_may_ask_and_learn_nothing_else() {
    let mut bundle = Bundle::start().await;
    bundle
        .env
        .insert("VERCEL_DRAIN_VERIFY".into(), "team_code".into());
    let door = bundle.instance(Endpoint::Ingest);
    let asked = call(&door, Method::OPTIONS, "/api/1/envelope/")
        .send()
        .await;
    assert_eq!(asked.status, StatusCode::NO_CONTENT);
    assert_eq!(
        asked.header("access-control-allow-methods"),
        Some("POST, OPTIONS")
    );
    let headers = asked.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("x-sentry-auth"), "{headers}");
    let probed = call(&door, Method::GET, "/api/drain/vercel").send().await;
    assert_eq!(probed.status, StatusCode::OK);
    assert_eq!(probed.header("x-vercel-verify"), Some("team_code"));
    assert!(probed.bytes.is_empty());
}

#[tokio::test]
async fn a_browser_reports_by_both_mechanisms() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let target = format!("/api/ingest?key={key}");
    for (kind, body) in [
        (
            "application/csp-report",
            json!({"csp-report": {"effective-directive": "img-src", "blocked-uri": "https://a.example/x"}}),
        ),
        (
            "application/reports+json",
            json!([{"type": "csp-violation", "age": 1, "url": "https://wine.example/",
                    "body": {"effectiveDirective": "img-src", "blockedURL": "https://b.example/x"}}]),
        ),
    ] {
        let sent = send(
            &bundle,
            &target,
            &[("content-type", kind)],
            body.to_string(),
        )
        .await;
        assert_eq!(sent.status, StatusCode::NO_CONTENT, "{:?}", sent.bytes);
    }
    let expected = "report csp-violation reports";
    assert_eq!(items(&bundle).await, json!([expected, expected]));
}

#[tokio::test]
async fn what_is_no_batch_is_refused_and_what_is_too_large_too() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let target = format!("/api/ingest?key={key}");
    let bomb = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 8 * 1024 * 1024]).unwrap();
        encoder.finish().unwrap()
    };
    for (headers, body, status) in [
        (vec![], b"{".to_vec(), StatusCode::BAD_REQUEST),
        (vec![], b"\xff\xfe".to_vec(), StatusCode::BAD_REQUEST),
        (
            vec![("content-encoding", "gzip")],
            EVENT.as_bytes().to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (
            vec![("content-encoding", "gzip")],
            bomb,
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            vec![],
            vec![b' '; 1024 * 1024 + 1],
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (vec![], b"[]".to_vec(), StatusCode::OK),
    ] {
        let sent = send(&bundle, &target, &headers, body).await;
        assert_eq!(sent.status, status, "{:?}", sent.bytes);
    }
    let lost = send(&bundle, &format!("/api/drain/moon?key={key}"), &[], EVENT).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert_eq!(items(&bundle).await, json!([]));
}

#[tokio::test]
async fn too_much_is_left_out_and_says_when_to_come_again() {
    let bundle = Bundle::start().await;
    let key = key(&bundle, "{}").await;
    let few = "update ops.door_keys set items_a_minute = 2 where id = 1";
    bundle.admin().await.batch_execute(few).await.unwrap();
    let target = format!("/api/ingest?key={key}");
    let events = |from: u32| {
        let events =
            (from..from + 3).map(|nth| json!({"type": "event", "name": format!("e{nth}")}));
        Value::Array(events.collect()).to_string()
    };
    let part = send(&bundle, &target, &[], events(0)).await;
    assert_eq!(part.status, StatusCode::OK);
    assert_eq!(part.json()["overQuota"], 1);
    assert!(part.header("retry-after").is_some());
    let none = send(&bundle, &target, &[], events(3)).await;
    // The minute may have ended meanwhile.
    let expected = [StatusCode::TOO_MANY_REQUESTS, StatusCode::OK];
    assert!(expected.contains(&none.status), "{}", none.status);
}
