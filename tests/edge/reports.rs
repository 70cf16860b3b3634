//! Reports to Sentry: only with a DSN, from a process that may be frozen after
//! its answer (Lambda) or after the end of the invocation (Vercel).

use std::time::Duration;

use crate::{
    binary,
    harness::{
        aws::Lambda,
        http::request,
        sentry::{Sentry, event},
        vercel::Vercel,
    },
};

/// A request that is logged as an error: the endpoint has no secrets.
fn failing() -> http::Request<bytes::Bytes> {
    request("GET", "/api/cron/monitor")
}

fn variables(sentry: &Sentry) -> [(&str, &str); 3] {
    [
        ("SENTRY_DSN", sentry.dsn()),
        ("VERCEL_ENV", "preview"),
        (
            "VERCEL_GIT_COMMIT_SHA",
            "0123456789abcdef0123456789abcdef01234567",
        ),
    ]
}

/// Sentry's own thread, which only a started client has.
fn has_reporter(threads: &[String]) -> bool {
    threads.iter().any(|thread| thread.starts_with("sentry"))
}

#[tokio::test]
async fn without_a_dsn_nothing_of_sentry_is_started() {
    let mut function = Vercel::start(binary::MONITOR, &[]).await;
    function.ask(failing()).await;
    assert!(
        !has_reporter(&function.process.threads()),
        "{:?}",
        function.process.threads()
    );

    let sentry = Sentry::start().await;
    let mut function = Vercel::start(binary::MONITOR, &variables(&sentry)).await;
    function.ask(failing()).await;
    assert!(
        has_reporter(&function.process.threads()),
        "{:?}",
        function.process.threads()
    );
}

#[tokio::test]
async fn an_error_is_reported_with_release_environment_and_request() {
    let mut sentry = Sentry::start().await;
    let mut function = Vercel::start(binary::MONITOR, &variables(&sentry)).await;
    let answer = function.ask(failing()).await;
    let envelope = sentry.envelope().await;
    let event = event(&envelope);
    assert_eq!(event.get("level"), None, "an error, Sentry's default");
    assert!(
        event["message"].as_str().unwrap().contains("no proof"),
        "{event}"
    );
    assert_eq!(event["release"], "0123456789abcdef0123456789abcdef01234567");
    assert_eq!(event["environment"], "preview");
    assert_eq!(event["server_name"], "cron_monitor");
    assert_eq!(event["tags"]["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn a_request_without_an_error_reports_nothing() {
    let mut sentry = Sentry::start().await;
    let mut function = Vercel::start(binary::HEALTH, &variables(&sentry)).await;
    function.ask(request("GET", "/api/health")).await;
    assert!(function.stop().await.status.success());
    assert_eq!(sentry.try_envelope(), None);
}

#[tokio::test]
async fn reports_of_one_request_carry_nothing_of_another() {
    let mut sentry = Sentry::start().await;
    let mut function = Vercel::start(binary::MONITOR, &variables(&sentry)).await;
    let mut last = String::new();
    for _ in 0..3 {
        last = function
            .ask(failing())
            .await
            .header("x-request-id")
            .to_owned();
    }
    let (_, _, third) = (
        sentry.envelope().await,
        sentry.envelope().await,
        sentry.envelope().await,
    );
    let event = event(&third);
    assert_eq!(event["tags"]["request_id"], last.as_str());
    let crumbs = event["breadcrumbs"]["values"]
        .as_array()
        .map_or(0, Vec::len);
    assert_eq!(
        crumbs, 0,
        "breadcrumbs of earlier requests: {}",
        event["breadcrumbs"]
    );
}

#[tokio::test]
async fn on_vercel_the_answer_does_not_wait_for_reports_and_the_end_does() {
    let mut sentry = Sentry::hung().await;
    let mut function = Vercel::start(binary::MONITOR, &variables(&sentry)).await;
    let (answer, id) = function.send(failing()).await;
    assert_eq!(answer.status, 503);
    event(&sentry.envelope().await);
    assert_eq!(
        function.try_message(),
        None,
        "the platform may freeze the instance once it has the end"
    );
    sentry.release();
    function.end_of(id).await;
}

#[tokio::test]
async fn on_vercel_a_hung_sentry_holds_up_the_end_for_two_seconds() {
    let sentry = Sentry::hung().await;
    let mut function = Vercel::start(binary::MONITOR, &variables(&sentry)).await;
    let (_, id) = function.send(failing()).await;
    let answered = outside::clock::instant();
    function.end_of(id).await;
    let waited = outside::clock::instant().duration_since(answered);
    assert!(waited < Duration::from_secs(4), "{waited:?}");
}

#[tokio::test]
async fn on_lambda_reports_leave_before_the_answer() {
    let mut sentry = Sentry::start().await;
    let mut function = Lambda::start(binary::MONITOR, &variables(&sentry)).await;
    function.ask(failing()).await;
    // Lambda freezes the instance with the answer: whatever had not arrived by
    // then might never arrive.
    let envelope = sentry
        .try_envelope()
        .expect("the report was there before the answer");
    assert_eq!(event(&envelope)["environment"], "preview");
}

#[tokio::test]
async fn on_lambda_a_hung_sentry_delays_an_answer_by_half_a_second() {
    let mut sentry = Sentry::hung().await;
    let mut function = Lambda::start(binary::MONITOR, &variables(&sentry)).await;
    for _ in 0..2 {
        let asked = outside::clock::instant();
        let answer = function.ask(failing()).await;
        let waited = outside::clock::instant().duration_since(asked);
        assert_eq!(answer.status, 503);
        assert!(waited < Duration::from_millis(1_500), "{waited:?}");
    }
    sentry.envelope().await;
}
