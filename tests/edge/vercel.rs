//! Vercel's runtime protocol.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::{
    binary,
    harness::{
        http::{ask, request},
        sentry::Sentry,
        vercel::Vercel,
    },
};

#[tokio::test]
async fn every_function_starts_answers_and_ends_the_invocation() {
    for (binary, path) in [
        (binary::HEALTH, "/api/health"),
        (binary::DASHBOARD, "/api/monitoring/dashboard"),
        (binary::MONITOR, "/api/cron/monitor"),
        (binary::DISPATCH, "/api/alerts/dispatch"),
        (binary::BACKUP, "/api/cron/backup"),
    ] {
        let mut function = Vercel::start(binary, &[]).await;
        let answer = function.ask(request("GET", path)).await;
        assert_eq!(answer.status, 503, "{path} has nothing to work with");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let ended = function.stop().await;
        assert!(ended.status.success(), "{path}: {}", ended.status);
        assert!(ended.messages.is_empty(), "{path}: {:?}", ended.messages);
    }
}

#[tokio::test]
async fn health_without_configuration_is_unhealthy_and_says_everything_it_knows() {
    let mut function = Vercel::start(binary::HEALTH, &[]).await;
    let answer = function.ask(request("GET", "/api/health")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.header("content-type"),
        "application/json",
        "an answer, not a problem"
    );
    let body = answer.json();
    assert_eq!(body["status"], "unhealthy");
    assert_eq!(body["configuration"]["valid"], false);
    assert_eq!(body["environment"], "development");
    for service in ["database", "ai", "imageProcessing", "email", "storage"] {
        assert_eq!(
            body["services"][service]["status"], "unconfigured",
            "{service}"
        );
    }
    assert!(body["memory"]["rssBytes"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn head_has_the_status_and_headers_of_get_and_no_body() {
    let mut function = Vercel::start(binary::HEALTH, &[]).await;
    let get = function.ask(request("GET", "/api/health")).await;
    let head = function.ask(request("HEAD", "/api/health")).await;
    assert_eq!(head.status, get.status);
    assert!(head.body.is_empty());
    assert_eq!(
        head.header("content-length"),
        "",
        "the length of a body that is not made is not known"
    );
    let names = |answer: &crate::harness::http::Answer| {
        let names = answer.headers.keys().map(ToString::to_string);
        names
            .filter(|name| name != "content-length")
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&head), names(&get));
}

#[tokio::test]
async fn a_rewritten_request_keeps_the_outside_path_and_is_answered() {
    let mut function = Vercel::start(binary::HEALTH, &[]).await;
    let answer = function.ask(request("GET", "/health?from=outside")).await;
    assert_eq!(answer.json()["status"], "unhealthy");
}

#[tokio::test]
async fn a_ping_is_answered_by_the_runtime_and_ends_nothing() {
    let mut function = Vercel::start(binary::HEALTH, &[]).await;
    let answer = ask(function.address, request("GET", "/_vercel/ping")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (200, &b"OK"[..])
    );
    let (_, first) = function.send(request("GET", "/api/health")).await;
    function.end_of(first).await;
}

#[tokio::test]
async fn requests_at_once_end_once_each() {
    let function = Vercel::start(binary::HEALTH, &[]).await;
    let requests = (0..20).map(|_| function.send(request("HEAD", "/api/health")));
    let answers = join_all(requests).await;
    assert!(answers.iter().all(|(answer, _)| answer.status == 503));
    let ids: BTreeSet<u64> = answers.into_iter().map(|(_, id)| id).collect();
    let ended = function.stop().await;
    let ends = ended
        .messages
        .iter()
        .map(|end| end["payload"]["context"]["requestId"].as_u64().unwrap());
    assert_eq!(ended.messages.len(), 20);
    assert_eq!(ends.collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn a_terminated_function_first_ends_what_it_has_begun() {
    let mut sentry = Sentry::hung().await;
    let variables = [("SENTRY_DSN", sentry.dsn())];
    let mut function = Vercel::start(binary::MONITOR, &variables).await;
    let (answer, id) = function.send(request("GET", "/api/cron/monitor")).await;
    assert_eq!(answer.status, 503);
    sentry.envelope().await;
    assert_eq!(
        function.try_message(),
        None,
        "the report is still on its way"
    );
    let ended = function.stop().await;
    assert!(ended.status.success(), "{}", ended.status);
    assert_eq!(ended.messages.len(), 1);
    assert_eq!(ended.messages[0]["payload"]["context"]["requestId"], id);
}
