//! The endpoint as a caller sees it, with a database that answers as a test wants.

use http::{StatusCode, header};
use serde_json::json;

use super::*;
use crate::{
    fake_server::{self, Received, Reply, Server},
    function::Function,
};

const CRON: &str = "Bearer cron-secret-of-sixteen";
const KEY: &str = "Bearer monitoring-key-of-sixteen";

/// A database with one alert due on Slack once it has been raised.
fn database(request: &Received) -> Reply {
    let function = request.head.split([' ', '/']).nth(5).unwrap_or_default();
    let answer = match function {
        "ops_claim_run" => json!({
            "outcome": "claimed", "reason": null, "job": "dispatch", "run": request.json()["p_run"],
            "slot": "2026-11-24T03:14:00Z", "fence": 7, "settings": {}, "now": "2026-11-24T03:14:09Z",
        }),
        "ops_advance_ladder" => json!({"told": 0}),
        "ops_finish_run" => json!({"outcome": "finished"}),
        "ops_claim_messages" => json!({"messages": [], "digests": []}),
        "ops_claim_subscriber_messages" => json!({"name": "Wine", "messages": []}),
        "ops_raise_alerts" => json!({
            "results": [{"fingerprint": "external:ci:x", "alert": null, "outcome": "opened", "incident": null}],
        }),
        other => panic!("{other} was called"),
    };
    Reply::new(200, &answer.to_string())
}

async fn ask(
    database: &Server,
    request: http::request::Builder,
    body: &str,
) -> (StatusCode, Value) {
    let app = fake_server::app(&[
        ("SUPABASE_URL", &database.url("")),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
        ("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/hook"),
        ("CRON_SECRET", "cron-secret-of-sixteen"),
        ("MONITORING_API_KEY", "monitoring-key-of-sixteen"),
    ]);
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    let response = Function::new(app, routes()).handle(request).await;
    let body = serde_json::from_slice(response.body()).unwrap();
    (response.status(), body)
}

fn post(proof: &str) -> http::request::Builder {
    Request::post("/api/alerts/dispatch")
        .header(header::AUTHORIZATION, proof)
        .header(header::CONTENT_TYPE, "application/json")
}

fn get(proof: &str) -> http::request::Builder {
    Request::get("/api/alerts/dispatch").header(header::AUTHORIZATION, proof)
}

#[tokio::test]
async fn the_scheduler_and_operators_may_deliver() {
    for (proof, manual) in [(CRON, false), (KEY, true)] {
        let database = Server::answering(database).await;
        let (status, body) = ask(&database, get(proof), "").await;
        assert_eq!(status, StatusCode::OK);
        for (key, expected) in [
            ("job", json!("dispatch")),
            ("outcome", json!("done")),
            ("sent", json!(0)),
            ("dead", json!(0)),
        ] {
            assert_eq!(body[key], expected, "{key}");
        }
        assert_eq!(database.requests()[0].json()["p_manual"], manual);
        let last = database.requests().pop().unwrap();
        assert_eq!(last.json()["p_outcome"], "done");
    }
}

#[tokio::test]
async fn only_operators_may_raise() {
    let database = Server::answering(database).await;
    let alert = r#"{"source":"ci","severity":"high","title":"Deploy failed"}"#;
    let (status, _) = ask(&database, post(CRON), alert).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = ask(&database, Request::post("/"), alert).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(database.requests().is_empty());
}

#[tokio::test]
async fn what_is_raised_is_recorded_and_delivered_at_once() {
    let database = Server::answering(database).await;
    let alert = r#"{"source":"ci","severity":"high","title":"Deploy failed"}"#;
    let (status, body) = ask(&database, post(KEY), alert).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(
        body,
        json!({
            "results": [{"fingerprint": "external:ci:x", "alert": null, "outcome": "opened", "incident": null}],
            "delivery": {"sent": 0, "retried": 0, "dead": 0, "stale": 0, "complete": true},
        })
    );
    let requests = database.requests();
    let raised = requests[0].json();
    assert_eq!(raised["p_channels"], json!(["slack"]));
    assert_eq!(raised["p_alerts"][0]["environment"], "development");
    assert_eq!(raised["p_alerts"][0]["type"], "external");
    assert!(requests[1].head.contains("ops_claim_messages"));
}

#[tokio::test]
async fn what_is_no_alert_is_refused_in_its_place_and_the_answer_tells_what_was_changed() {
    let database = Server::answering(database).await;
    let alerts = r#"[7, {"source":"ci","severity":"high","title":"Deploy failed","colour":1}]"#;
    let (status, body) = ask(&database, post(KEY), alerts).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["results"][0]["outcome"], "refused");
    assert_eq!(body["results"][1]["outcome"], "opened");
    assert_eq!(
        body["notes"],
        json!([
            "alerts[0]: refused: expected an object",
            "alerts[1].colour: unknown field, left out"
        ])
    );
    let raised = database.requests()[0].json();
    assert_eq!(raised["p_alerts"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_delivery_that_fails_does_not_unraise() {
    let database = Server::answering(|request| {
        if request.head.contains("ops_raise_alerts") {
            database(request)
        } else {
            Reply::new(500, "")
        }
    })
    .await;
    let alert = r#"{"source":"ci","severity":"high","title":"Deploy failed"}"#;
    let (status, body) = ask(&database, post(KEY), alert).await;
    assert_eq!((status, &body["delivery"]), (StatusCode::OK, &Value::Null));
}

#[tokio::test]
async fn a_body_that_is_no_alert_never_reaches_the_database() {
    let database = Server::answering(database).await;
    let plain = Request::post("/")
        .header(header::AUTHORIZATION, KEY)
        .header(header::CONTENT_TYPE, "text/plain");
    let (status, _) = ask(&database, plain, "{}").await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, body) = ask(&database, post(KEY), r#"{"source":"ci","colour":1}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        body["detail"],
        "colour: unknown field, left out; severity: missing, taken as medium; \
         title: refused: an alert needs one, or at least a message"
    );
    let (status, _) = ask(&database, post(KEY), &" ".repeat(256 * 1024 + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(database.requests().is_empty());
}

#[tokio::test]
async fn a_caller_learns_that_nothing_was_recorded() {
    for (answer, expected) in [
        (Reply::new(503, ""), StatusCode::SERVICE_UNAVAILABLE),
        (Reply::Reset, StatusCode::SERVICE_UNAVAILABLE),
        (Reply::new(200, "<html>"), StatusCode::SERVICE_UNAVAILABLE),
        (
            Reply::new(400, r#"{"code":"22023"}"#),
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
    ] {
        let database = Server::answering(move |_| answer.clone()).await;
        let alert = r#"{"source":"ci","severity":"high","title":"Deploy failed"}"#;
        let (status, _) = ask(&database, post(KEY), alert).await;
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn an_outbox_that_cannot_be_read_is_a_failed_run() {
    let database = Server::answering(|request| {
        if request.head.contains("ops_claim_messages") {
            Reply::new(500, "")
        } else {
            database(request)
        }
    })
    .await;
    let (status, body) = ask(&database, get(CRON), "").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body["outcome"], "failed");
    let last = database.requests().pop().unwrap();
    assert_eq!(last.json()["p_outcome"], "failed");
}
