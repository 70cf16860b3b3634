//! Who may call what, by the secrets that are set.

use bytes::Bytes;
use http::{HeaderValue, Request};

use crate::{
    binary,
    harness::{aws::Lambda, http::request, vercel::Vercel},
};

const CRON: &str = "cron-secret-of-the-tests";
const KEY: &str = "monitoring-key-of-the-tests";

fn secrets() -> [(&'static str, &'static str); 2] {
    [("CRON_SECRET", CRON), ("MONITORING_API_KEY", KEY)]
}

fn called(method: &str, path: &str, authorization: &[u8], client: &str) -> Request<Bytes> {
    let mut request = request(method, path);
    let headers = request.headers_mut();
    headers.insert(
        "authorization",
        HeaderValue::from_bytes(authorization).unwrap(),
    );
    headers.insert("x-vercel-forwarded-for", client.parse().unwrap());
    request
}

fn with(path: &str, authorization: &[u8]) -> Request<Bytes> {
    called("GET", path, authorization, "192.0.2.1")
}

const GUARDED: [(&str, &str); 5] = [
    (binary::DASHBOARD, "/api/monitoring/dashboard"),
    (binary::MONITOR, "/api/cron/monitor"),
    (binary::DISPATCH, "/api/alerts/dispatch"),
    (binary::BACKUP, "/api/cron/backup"),
    (binary::MAINTENANCE, "/api/cron/maintenance"),
];

#[tokio::test]
async fn an_endpoint_without_its_secrets_is_closed_to_everybody() {
    for (binary, path) in GUARDED {
        let mut function = Vercel::start(binary, &[]).await;
        for authorization in [
            &b"Bearer "[..],
            b"Bearer undefined",
            b"Bearer cron-secret-of-the-tests",
        ] {
            let answer = function.ask(with(path, authorization)).await;
            assert_eq!(answer.status, 503, "{path}");
            assert_eq!(answer.json()["detail"], "this endpoint is not configured");
        }
    }
}

#[tokio::test]
async fn a_secret_too_short_to_be_one_opens_nothing() {
    let variables = [("CRON_SECRET", "short"), ("MONITORING_API_KEY", "short")];
    let mut function = Vercel::start(binary::MONITOR, &variables).await;
    assert_eq!(
        function
            .ask(with("/api/cron/monitor", b"Bearer short"))
            .await
            .status,
        503
    );
}

#[tokio::test]
async fn a_missing_malformed_or_wrong_proof_is_refused() {
    for (binary, path) in GUARDED {
        let mut function = Vercel::start(binary, &secrets()).await;
        let missing = function.ask(request("GET", path)).await;
        assert_eq!(
            (missing.status.as_u16(), missing.header("www-authenticate")),
            (401, "Bearer"),
            "{path}"
        );
        for authorization in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer wrong",
            b"Basic Y3Jvbi1zZWNyZXQtb2YtdGhlLXRlc3Rz",
            b"cron-secret-of-the-tests",
            b"Bearer cron-secret-of-the-test",
            b"Bearer cron-secret-of-the-testsX",
            b"Bearer CRON-SECRET-OF-THE-TESTS",
            b"Bearer \xff\xfe",
        ] {
            let answer = function.ask(with(path, authorization)).await;
            assert_eq!(
                answer.status,
                401,
                "{path} with {:?}",
                String::from_utf8_lossy(authorization)
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.json()["requestId"].as_str().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn the_schedulers_secret_does_not_open_the_dashboard() {
    let mut function = Vercel::start(binary::DASHBOARD, &secrets()).await;
    let path = "/api/monitoring/dashboard";
    assert_eq!(
        function
            .ask(with(path, b"Bearer cron-secret-of-the-tests"))
            .await
            .status,
        401
    );
    let proven = function
        .ask(with(path, b"Bearer monitoring-key-of-the-tests"))
        .await;
    assert_eq!(
        proven.status, 503,
        "the caller is proven, the database is missing"
    );
}

#[tokio::test]
async fn wrong_proofs_are_limited_by_the_address_that_the_platform_names() {
    let path = "/api/cron/monitor";
    let mut function = Vercel::start(binary::MONITOR, &secrets()).await;
    for _ in 0..30 {
        assert_eq!(function.ask(with(path, b"Bearer wrong")).await.status, 401);
    }
    let limited = function.ask(with(path, b"Bearer wrong")).await;
    assert_eq!(limited.status, 429);
    let wait: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait} s");

    let mut forged = with(path, b"Bearer wrong");
    forged
        .headers_mut()
        .insert("x-forwarded-for", HeaderValue::from_static("198.51.100.9"));
    assert_eq!(
        function.ask(forged).await.status,
        429,
        "a caller cannot choose its address"
    );
    let other = called("GET", path, b"Bearer wrong", "192.0.2.2");
    assert_eq!(
        function.ask(other).await.status,
        401,
        "another client is not limited"
    );
    assert_eq!(
        function.ask(request("GET", path)).await.status,
        401,
        "no proof does not count"
    );
}

#[tokio::test]
async fn a_right_proof_is_never_limited() {
    let path = "/api/monitoring/dashboard";
    let mut function = Vercel::start(binary::DASHBOARD, &secrets()).await;
    for _ in 0..40 {
        function.ask(with(path, b"Bearer wrong")).await;
    }
    assert_eq!(function.ask(with(path, b"Bearer wrong")).await.status, 429);
    assert_eq!(
        function
            .ask(with(path, b"Bearer monitoring-key-of-the-tests"))
            .await
            .status,
        503
    );
}

#[tokio::test]
async fn lambda_names_the_client_in_the_event() {
    let path = "/api/monitoring/dashboard";
    let mut function = Lambda::start(binary::DASHBOARD, &secrets()).await;
    for client in 0..30 {
        let forged = called("GET", path, b"Bearer wrong", &format!("192.0.2.{client}"));
        assert_eq!(function.ask(forged).await.status, 401);
    }
    assert_eq!(function.ask(with(path, b"Bearer wrong")).await.status, 429);
}

#[tokio::test]
async fn health_tells_strangers_less_than_operators() {
    let mut function = Vercel::start(binary::HEALTH, &secrets()).await;
    let stranger = function.ask(request("GET", "/api/health")).await.json();
    assert_eq!(
        stranger["configuration"],
        serde_json::json!({ "valid": false })
    );
    let operator = function
        .ask(with("/api/health", b"Bearer monitoring-key-of-the-tests"))
        .await
        .json();
    let missing = operator["configuration"]["missing"].as_array().unwrap();
    assert!(
        missing.contains(&"SUPABASE_SECRET_KEY".into()),
        "{missing:?}"
    );
    let wrong = function.ask(with("/api/health", b"Bearer wrong")).await;
    assert_eq!(
        wrong.status, 401,
        "whoever tries to prove something has to succeed"
    );
}
