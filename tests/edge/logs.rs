//! One line of JSON per request, and nothing secret in any line.

use serde_json::Value;

use crate::{
    binary,
    harness::{
        aws::Lambda,
        http::{ask, request},
        process,
        vercel::{Ended, Vercel},
    },
};

/// Lines about answered requests.
fn answered(ended: &Ended) -> Vec<Value> {
    let lines = ended
        .lines
        .iter()
        .map(|line| process::json(line).unwrap_or_else(|| panic!("not JSON: {line}")));
    lines.filter(|line| line["message"] == "answered").collect()
}

#[tokio::test]
async fn a_request_is_logged_once_with_what_identifies_it() {
    let mut function = Vercel::start(binary::HEALTH, &[]).await;
    let mut named = request("GET", "/api/health?token=in-the-query");
    named.headers_mut().insert(
        "x-vercel-id",
        "fra1::iad1-1763950000000-abc".parse().unwrap(),
    );
    let answer = function.ask(named).await;
    assert_eq!(
        answer.header("x-request-id"),
        "fra1::iad1-1763950000000-abc"
    );
    let unnamed = function.ask(request("HEAD", "/health")).await;
    let own_id = unnamed.header("x-request-id").to_owned();
    assert!(uuid::Uuid::parse_str(&own_id).is_ok(), "{own_id}");

    let ended = function.stop().await;
    let lines = answered(&ended);
    assert_eq!(lines.len(), 2, "{:?}", ended.lines);
    for (line, id, method) in [
        (&lines[0], "fra1::iad1-1763950000000-abc", "GET"),
        (&lines[1], own_id.as_str(), "HEAD"),
    ] {
        assert_eq!(line["request_id"], id);
        assert_eq!(line["endpoint"], "health");
        assert_eq!(line["method"], method);
        assert_eq!(line["status"], 503);
        assert!(line["duration_ms"].as_f64().unwrap() >= 0.0);
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }
}

#[tokio::test]
async fn a_refused_request_is_logged_like_any_other() {
    let mut function = Vercel::start(binary::DISPATCH, &[]).await;
    assert_eq!(
        function
            .ask(request("PUT", "/api/alerts/dispatch"))
            .await
            .status,
        405
    );
    let ended = function.stop().await;
    let lines = answered(&ended);
    assert_eq!((lines.len(), &lines[0]["status"]), (1, &405.into()));
    assert_eq!(lines[0]["endpoint"], "alerts_dispatch");
}

#[tokio::test]
async fn a_ping_is_not_a_request() {
    let function = Vercel::start(binary::HEALTH, &[]).await;
    ask(function.address, request("GET", "/_vercel/ping")).await;
    assert!(answered(&function.stop().await).is_empty());
}

#[tokio::test]
async fn lambda_logs_its_own_request_id() {
    let mut function = Lambda::start(binary::HEALTH, &[]).await;
    let answer = function.ask(request("GET", "/api/health")).await;
    let id = answer.header("x-request-id").to_owned();
    let line = function
        .process
        .logged(|line| line["message"] == "answered")
        .await;
    assert_eq!(line["request_id"], id.as_str());
    assert_eq!(line["status"], 503);
}

#[tokio::test]
async fn no_line_holds_a_secret_a_path_a_body_or_an_address() {
    const SECRETS: [(&str, &str); 6] = [
        ("CRON_SECRET", "kept-cron-secret-9f1c"),
        ("MONITORING_API_KEY", "kept-monitoring-key-77aa"),
        ("SUPABASE_SECRET_KEY", "sb_secret_kept_5e2d"),
        ("OPENAI_API_KEY", "kept-openai-key-10bb"),
        ("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/kept-webhook-42cc"),
        ("RESEND_API_KEY", "re_kept_resend_key_8d"),
    ];
    let variables = [
        &SECRETS[..],
        &[
            ("SUPABASE_URL", "http://127.0.0.1:1"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:1"),
        ],
    ];
    for binary in [binary::HEALTH, binary::DISPATCH] {
        let mut function = Vercel::start(binary, &variables.concat()).await;
        for proof in ["kept-monitoring-key-77aa", "presented-and-wrong-3f"] {
            let mut request = request("POST", "/api/alerts/dispatch?token=kept-query");
            *request.method_mut() = if binary == binary::HEALTH {
                http::Method::GET
            } else {
                http::Method::POST
            };
            let headers = request.headers_mut();
            headers.insert("authorization", format!("Bearer {proof}").parse().unwrap());
            headers.insert("content-type", "application/json".parse().unwrap());
            headers.insert("x-vercel-forwarded-for", "192.0.2.77".parse().unwrap());
            if binary == binary::DISPATCH {
                *request.body_mut() = r#"{"note":"kept-body"}"#.into();
            }
            function.ask(request).await;
        }
        let output = function.stop().await.lines.join("\n");
        assert!(output.contains("answered"));
        for kept in ["kept", "presented-and-wrong", "192.0.2.77"] {
            assert!(!output.contains(kept), "`{kept}` is in the log:\n{output}");
        }
    }
}
