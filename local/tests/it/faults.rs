//! How the stack's services break and heal.

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request};
use local_supabase::{
    capture::{Channel, KeyKind, Scripted},
    fault::{Fault, Mode, Service},
};
use serde_json::{Value, json};

use crate::{
    client::{Outcome, send},
    running::{LONG, Running, SOON},
};

#[tokio::test]
async fn every_service_breaks_in_every_mode_and_heals() {
    let running = Running::start(KeyKind::Full).await;
    let services = Service::ALL.map(|service| breaks_and_heals(&running, service));
    join_all(services).await;
}

async fn breaks_and_heals(running: &Running, service: Service) {
    let stack = &running.stack;
    let healthy = running.ask(service, LONG).await;
    let well = healthy.status();
    assert!((200..300).contains(&well), "{service:?}: {healthy:?}");

    stack.set_fault(service, Mode::Refuse).await.unwrap();
    let refused = running.ask(service, LONG).await;
    match service {
        Service::Database | Service::Storage => assert!(matches!(refused, Outcome::Cut)),
        _ => assert!(
            matches!(refused, Outcome::Refused),
            "{service:?}: {refused:?}"
        ),
    }

    let fault = Fault {
        mode: Mode::Status,
        status: Some(503),
        delay_ms: None,
    };
    stack.set_fault(service, fault).await.unwrap();
    assert_eq!(
        running.ask(service, LONG).await.status(),
        503,
        "{service:?}"
    );
    stack.set_fault(service, Mode::Status).await.unwrap();
    assert_eq!(
        running.ask(service, LONG).await.status(),
        500,
        "{service:?}"
    );

    let fault = Fault {
        mode: Mode::Slow,
        status: None,
        delay_ms: Some(400),
    };
    stack.set_fault(service, fault).await.unwrap();
    assert!(
        matches!(running.ask(service, SOON).await, Outcome::Silent),
        "{service:?}"
    );
    assert_eq!(
        running.ask(service, LONG).await.status(),
        well,
        "{service:?}"
    );

    stack.set_fault(service, Mode::Hang).await.unwrap();
    let hanging = running.ask(service, LONG);
    let healing = async {
        assert!(matches!(running.ask(service, SOON).await, Outcome::Silent));
        stack.set_fault(service, Mode::Ok).await.unwrap();
    };
    let (dropped, ()) = tokio::join!(hanging, healing);
    assert!(matches!(dropped, Outcome::Cut), "{service:?}: {dropped:?}");
    assert_eq!(
        running.ask(service, LONG).await.status(),
        well,
        "{service:?}"
    );
}

#[tokio::test]
async fn a_broken_database_leaves_auth_and_storage_alone() {
    let running = Running::start(KeyKind::Full).await;
    running
        .stack
        .set_fault(Service::Database, Mode::Refuse)
        .await
        .unwrap();
    assert!(matches!(
        running.ask(Service::Database, LONG).await,
        Outcome::Cut
    ));
    assert_eq!(running.ask(Service::Storage, LONG).await.status(), 200);
    let url = format!(
        "{}/auth/v1/.well-known/jwks.json",
        running.var("SUPABASE_URL")
    );
    assert_eq!(send(Method::GET, &url, &[], "").await.status(), 200);
}

#[tokio::test]
async fn faults_are_set_by_their_documented_words() {
    let running = Running::start(KeyKind::Full).await;
    let path = "/_local/faults";
    for (body, status) in [
        (
            json!({ "service": "openai", "mode": "status", "status": 429 }),
            200,
        ),
        (
            json!({ "service": "app", "mode": "slow", "delayMs": 50 }),
            200,
        ),
        (
            json!({ "service": "app", "mode": "slow", "delay": 50 }),
            400,
        ),
        (json!({ "service": "app", "mode": "broken" }), 400),
        (json!({ "service": "moon", "mode": "hang" }), 400),
        (json!({ "service": "app" }), 400),
        (
            json!({ "service": "app", "mode": "status", "status": 99 }),
            400,
        ),
        (json!([]), 400),
        (Value::Null, 400),
    ] {
        let (got, answer) = running.local(Method::POST, path, body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
    }
    let (_, faults) = running.local(Method::GET, path, Value::Null).await;
    assert_eq!(faults["openai"], json!({ "mode": "status", "status": 429 }));
    assert_eq!(faults["app"], json!({ "mode": "slow", "delayMs": 50 }));
    assert_eq!(running.ask(Service::Openai, LONG).await.status(), 429);
    assert_eq!(running.local(Method::PUT, path, Value::Null).await.0, 405);
    assert_eq!(
        running.local(Method::GET, "/_local/x", Value::Null).await.0,
        404
    );
    let outside = Request::get("/api/health")
        .body(bytes::Bytes::new())
        .unwrap();
    assert!(running.stack.local_routes(&outside).await.is_none());
}

#[tokio::test]
async fn scripted_answers_come_once_and_in_order() {
    let running = Running::start(KeyKind::Full).await;
    let inbox = running.stack.inbox();
    running.stack.slack().script([
        Scripted::too_many_requests(7),
        Scripted::status(http::StatusCode::BAD_GATEWAY),
        Scripted::Cut,
        Scripted::AcceptThenHang,
        Scripted::AcceptThenCut,
    ]);
    let limited = running.ask(Service::Slack, LONG).await;
    assert_eq!(
        (limited.status(), limited.header("retry-after")),
        (429, Some("7"))
    );
    assert_eq!(running.ask(Service::Slack, LONG).await.status(), 502);
    assert!(matches!(
        running.ask(Service::Slack, LONG).await,
        Outcome::Cut
    ));
    assert!(inbox.messages().is_empty());
    let silent = running.ask(Service::Slack, SOON).await;
    assert!(matches!(silent, Outcome::Silent));
    assert_eq!(inbox.wait_for(1, LONG).await.len(), 1);
    assert!(matches!(
        running.ask(Service::Slack, LONG).await,
        Outcome::Cut
    ));
    assert_eq!(running.ask(Service::Slack, LONG).await.status(), 200);
    let messages = inbox.messages();
    assert_eq!(messages.len(), 3);
    assert!(
        messages
            .iter()
            .all(|message| message.channel == Channel::Slack)
    );
    assert_eq!(inbox.requests(Service::Slack).len(), 6);
}

#[tokio::test]
async fn a_newcomer_breaks_and_heals_by_buttons() {
    let running = Running::start(KeyKind::Full).await;
    let ask = async |method: Method, path: &str, body: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        let response = running.stack.local_routes(&request).await.unwrap();
        let page = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), page)
    };
    let button = |mode: &str| format!("<button name=\"mode\" value=\"{mode}\" aria-label=\"");
    let (status, page) = ask(Method::GET, "/_local/", "").await;
    assert_eq!(status, 200);
    assert_eq!(page.matches(&button("refuse")).count(), Service::ALL.len());
    assert_eq!(page.matches(&button("ok")).count(), 0, "all work");

    let (status, _) = ask(Method::POST, "/_local/faults", "service=app&mode=refuse").await;
    assert_eq!(status, 303);
    assert!(matches!(
        running.ask(Service::App, LONG).await,
        Outcome::Refused
    ));
    let (_, page) = ask(Method::GET, "/_local/", "").await;
    assert_eq!(page.matches("turned off").count(), 1);
    assert_eq!(page.matches(&button("ok")).count(), 1);

    ask(Method::POST, "/_local/faults", "service=app&mode=ok").await;
    assert_eq!(running.ask(Service::App, LONG).await.status(), 200);
    let (status, _) = ask(Method::POST, "/_local/faults", "service=cellar&mode=ok").await;
    assert_eq!(status, 400);
}
