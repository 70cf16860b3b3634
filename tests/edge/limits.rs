//! Methods and sizes that an endpoint does not take, on both platforms.

use bytes::Bytes;
use http::Request;

use crate::{
    binary,
    harness::{
        aws::Lambda,
        http::{Answer, request},
        vercel::Vercel,
    },
};

#[track_caller]
fn assert_not_allowed(answer: &Answer, allowed: &str) {
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), allowed);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_are_allowed() {
    for (binary, path, allowed, refused) in [
        (binary::HEALTH, "/api/health", "GET, HEAD", "POST"),
        (
            binary::DASHBOARD,
            "/api/monitoring/dashboard",
            "GET, HEAD",
            "DELETE",
        ),
        (binary::MONITOR, "/api/cron/monitor", "GET", "POST"),
        (binary::BACKUP, "/api/cron/backup", "GET", "POST"),
        (
            binary::DISPATCH,
            "/api/alerts/dispatch",
            "GET, POST",
            "PATCH",
        ),
    ] {
        let mut function = Vercel::start(binary, &[]).await;
        for method in [refused, "PUT", "OPTIONS", "PROPFIND"] {
            assert_not_allowed(&function.ask(request(method, path)).await, allowed);
        }
        let mut function = Lambda::start(binary, &[]).await;
        assert_not_allowed(&function.ask(request(refused, path)).await, allowed);
    }
}

fn post(bytes: usize) -> Request<Bytes> {
    let mut request = request("POST", "/api/alerts/dispatch");
    *request.body_mut() = vec![b' '; bytes].into();
    request
}

const LIMIT: usize = 256 * 1024;

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whoever_sends_it() {
    let mut function = Vercel::start(binary::DISPATCH, &[]).await;
    for bytes in [LIMIT + 1, 4 * 1024 * 1024] {
        let answer = function.ask(post(bytes)).await;
        assert_eq!(answer.status, 413, "{bytes} bytes");
        assert_eq!(
            answer.json()["detail"],
            "the body may have at most 262144 bytes"
        );
    }
    let answer = function.ask(post(LIMIT)).await;
    assert_eq!(answer.status, 503, "the limit itself is within the limit");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_on_lambda() {
    let mut function = Lambda::start(binary::DISPATCH, &[]).await;
    assert_eq!(function.ask(post(LIMIT + 1)).await.status, 413);
    assert_eq!(function.ask(post(LIMIT)).await.status, 503);
}

#[tokio::test]
async fn a_body_where_none_belongs_is_not_read() {
    let mut function = Vercel::start(binary::HEALTH, &[]).await;
    let mut request = request("GET", "/api/health");
    *request.body_mut() = vec![b' '; 1024 * 1024].into();
    assert_eq!(function.ask(request).await.status, 503);
}
