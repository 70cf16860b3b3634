//! The same binaries under AWS Lambda.

use crate::{
    binary,
    harness::{aws::Lambda, http::request},
};

#[tokio::test]
async fn every_function_answers_events() {
    for (binary, path) in [
        (binary::HEALTH, "/api/health"),
        (binary::DASHBOARD, "/api/monitoring/dashboard"),
        (binary::MONITOR, "/api/cron/monitor"),
        (binary::DISPATCH, "/api/alerts/dispatch"),
        (binary::BACKUP, "/api/cron/backup"),
    ] {
        let mut function = Lambda::start(binary, &[]).await;
        let answer = function.ask(request("GET", path)).await;
        assert_eq!(answer.status, 503, "{path} has nothing to work with");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn health_answers_get_and_head_as_it_does_on_vercel() {
    let mut function = Lambda::start(binary::HEALTH, &[]).await;
    let get = function.ask(request("GET", "/api/health")).await;
    assert_eq!(get.status, 503);
    assert_eq!(get.header("content-type"), "application/json");
    assert_eq!(get.json()["status"], "unhealthy");
    assert_eq!(get.json()["memory"]["limitBytes"], 512 * 1024 * 1024);
    let head = function.ask(request("HEAD", "/api/health")).await;
    assert_eq!(head.status, get.status);
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn one_instance_answers_event_after_event() {
    let mut function = Lambda::start(binary::HEALTH, &[]).await;
    for _ in 0..20 {
        assert_eq!(function.ask(request("HEAD", "/health")).await.status, 503);
    }
}

#[tokio::test]
async fn marks_of_vercel_count_before_those_of_the_lambda_underneath() {
    let function = crate::harness::vercel::Vercel::start(
        binary::HEALTH,
        &[("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"), ("VERCEL", "1")],
    );
    assert_eq!(
        function.await.ask(request("HEAD", "/health")).await.status,
        503
    );
}
