//! The same binaries under AWS Lambda.

use serde_json::json;

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

#[tokio::test]
async fn an_event_that_no_function_url_sent_is_a_schedulers_or_an_error() {
    let scheduled = json!({"clock": "aws", "slot": "2026-11-24T12:00:00Z"});
    let secret = [("CRON_SECRET", "cron-secret-of-the-tests")];
    for (binary, variables, event, said) in [
        (
            binary::MONITOR,
            &secret[..],
            json!({"Records": []}),
            "neither a request nor a scheduler's",
        ),
        (
            binary::HEALTH,
            &secret[..],
            scheduled.clone(),
            "by schedule",
        ),
        (
            binary::MONITOR,
            &[][..],
            scheduled.clone(),
            "CRON_SECRET is not set",
        ),
        // Nothing is there to work with, and the scheduler learns of it.
        (
            binary::DISPATCH,
            &secret[..],
            scheduled,
            "answered with 500",
        ),
    ] {
        let mut function = Lambda::start(binary, variables).await;
        let error = function.invoke(event).await.unwrap_err();
        assert!(error.contains(said), "{error}");
        assert!(!error.contains("cron-secret-of"), "{error}");
        assert_eq!(
            function
                .ask(request("GET", "/nowhere"))
                .await
                .header("cache-control"),
            "no-store"
        );
    }
}
