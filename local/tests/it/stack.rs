//! The stack as a whole: its variables, its services, its inbox.

use std::os::unix::fs::PermissionsExt;

use http::Method;
use local_supabase::{
    capture::KeyKind,
    fault::Service,
    postgres::Cluster,
    stack::{Stack, StackOptions},
};
use serde_json::{Value, json};

use crate::{
    client::{Outcome, send},
    running::{LONG, Running},
};

#[tokio::test]
async fn the_variables_name_everything_once_and_on_loopback() {
    let running = Running::start(KeyKind::Full).await;
    for name in [
        "NEXT_PUBLIC_SUPABASE_URL",
        "SUPABASE_URL",
        "NEXT_PUBLIC_APP_URL",
        "OPENAI_BASE_URL",
        "GOOGLE_VISION_BASE_URL",
        "RESEND_BASE_URL",
        "SLACK_WEBHOOK_URL",
    ] {
        assert!(running.var(name).starts_with("http://127.0.0.1:"), "{name}");
    }
    assert!(running.var("SUPABASE_SECRET_KEY").starts_with("sb_secret_"));
    assert!(
        running
            .var("SUPABASE_PUBLISHABLE_KEY")
            .starts_with("sb_publishable_")
    );
    assert!(running.var("SUPABASE_SERVICE_ROLE_KEY").starts_with("eyJ"));
    assert!(
        running
            .var("NEXT_PUBLIC_SUPABASE_ANON_KEY")
            .starts_with("eyJ")
    );
    assert!(running.var("DATABASE_URL").ends_with("?sslmode=require"));
    let authority = std::fs::read_to_string(running.var("DATABASE_CA")).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
    for secret in ["CRON_SECRET", "MONITORING_API_KEY", "SUPABASE_JWT_SECRET"] {
        assert!(running.var(secret).len() >= 32, "{secret}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_everywhere() {
    let running = Running::start(KeyKind::Full).await;
    for (url, header, status) in [
        ("OPENAI_BASE_URL", ("authorization", "Bearer wrong"), 401),
        ("RESEND_BASE_URL", ("authorization", "Bearer wrong"), 401),
        ("GOOGLE_VISION_BASE_URL", ("x-goog-api-key", "wrong"), 400),
        ("GOOGLE_VISION_BASE_URL", ("accept", "*/*"), 403),
    ] {
        let path = match url {
            "OPENAI_BASE_URL" => "/v1/models",
            "RESEND_BASE_URL" => "/domains",
            _ => "/$discovery/rest?version=v1",
        };
        let url = format!("{}{path}", running.var(url));
        assert_eq!(
            send(Method::GET, &url, &[header], "").await.status(),
            status,
            "{url}"
        );
    }
    let webhook = running.var("SLACK_WEBHOOK_URL");
    let wrong = format!("{webhook}x");
    let answer = send(Method::POST, &wrong, &[], r#"{"text":"a"}"#).await;
    assert_eq!(
        (answer.status(), answer.text().as_str()),
        (404, "no_service")
    );
    assert!(running.stack.inbox().messages().is_empty());
    assert_eq!(running.stack.inbox().requests(Service::Slack).len(), 1);
}

#[tokio::test]
async fn the_inbox_shows_messages_until_it_is_emptied() {
    let running = Running::start(KeyKind::SendingOnly).await;
    running.ask(Service::Slack, LONG).await;
    let url = format!("{}/emails", running.var("RESEND_BASE_URL"));
    let bearer = format!("Bearer {}", running.var("RESEND_API_KEY"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("idempotency-key", "one"),
    ];
    let email = r#"{"from":"a@b.test","to":["c@d.test"],"subject":"down","text":"It is down."}"#;
    let first = send(Method::POST, &url, &headers, email).await.json();
    assert_eq!(
        send(Method::POST, &url, &headers, email).await.json(),
        first
    );

    let (status, inbox) = running
        .local(Method::GET, "/_local/inbox", Value::Null)
        .await;
    assert_eq!(status, 200);
    let channels: Vec<&Value> = inbox
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["channel"])
        .collect();
    assert_eq!(channels, ["slack", "email"]);
    assert_eq!(inbox[0]["text"], "hello");
    assert_eq!(inbox[0]["raw"], json!({ "text": "hello" }));
    assert_eq!(inbox[0]["subject"], Value::Null);
    assert_eq!(inbox[1]["to"], "c@d.test");
    assert_eq!(inbox[1]["subject"], "down");
    assert_eq!(inbox[1]["text"], "It is down.");
    assert!(inbox[1]["at"].as_str().unwrap().ends_with('Z'));

    let (status, _) = running
        .local(Method::DELETE, "/_local/inbox", Value::Null)
        .await;
    assert_eq!(status, 204);
    let (_, inbox) = running
        .local(Method::GET, "/_local/inbox", Value::Null)
        .await;
    assert_eq!(inbox, json!([]));
}

#[tokio::test]
async fn the_app_shows_its_name() {
    let running = Running::start(KeyKind::Full).await;
    let home = running.ask(Service::App, LONG).await;
    assert!(home.text().contains("Pourtrait"));
    for (path, status) in [("/api/ping", 200), ("/login", 200), ("/nowhere", 404)] {
        let url = format!("{}{path}", running.var("NEXT_PUBLIC_APP_URL"));
        assert_eq!(
            send(Method::GET, &url, &[], "").await.status(),
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn keys_and_secrets_outlive_a_stack_that_has_a_folder() {
    let folder = std::env::temp_dir().join(format!("stack-{}", uuid::Uuid::new_v4()));
    let cluster = Cluster::shared().await.unwrap();
    let options = StackOptions {
        data: Some(folder.clone()),
        ..StackOptions::default()
    };
    let first = Stack::start(cluster, options.clone()).await.unwrap().env();
    let second = Stack::start(cluster, options).await.unwrap().env();
    for (name, value) in &first {
        if name.ends_with("_URL") {
            continue;
        }
        assert_eq!(value, &second[name], "{name}");
    }
    for secret in ["keys.json", "secrets.json", "channels.json"] {
        let mode = std::fs::metadata(folder.join(secret))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_stopped_stack_has_closed_every_port() {
    let running = Running::start(KeyKind::Full).await;
    running.stack.stop().await;
    for service in Service::ALL {
        let outcome = running.ask(service, LONG).await;
        assert!(matches!(outcome, Outcome::Refused), "{service:?}");
    }
}
