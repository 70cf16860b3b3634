//! Alerts from Alertmanager and from the database's own webhooks, as they send
//! them.

use http::{Method, StatusCode};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::support::{Answer, Bundle, call};

const PATH: &str = "/api/alerts/dispatch";

async fn post(bundle: &Bundle, app: &Function, body: &Value) -> Answer {
    call(app, Method::POST, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
}

/// What became of each alert of a notification.
async fn outcomes(bundle: &Bundle, app: &Function, body: &Value) -> Vec<String> {
    let answer = post(bundle, app, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    let results = answer.json()["results"].as_array().unwrap().clone();
    let outcome = |result: &Value| result["outcome"].as_str().unwrap().to_owned();
    results.iter().map(outcome).collect()
}

fn told(bundle: &Bundle) -> usize {
    bundle.stack.inbox().messages().len()
}

/// A notification of a group of two alerts, as Alertmanager documents it.
fn notification(status: &str, statuses: [&str; 2]) -> Value {
    let alert = |instance: &str, fingerprint: &str, status: &str| {
        json!({
            "status": status,
            "labels": {"alertname": "InstanceDown", "instance": instance, "job": "node", "severity": "warning"},
            "annotations": {"summary": format!("{instance} is down"), "description": "no scrape for 5 minutes"},
            "startsAt": "2026-11-24T11:52:30.123Z",
            "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-11-24T12:10:00Z" },
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0",
            "fingerprint": fingerprint,
        })
    };
    json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"InstanceDown\"}",
        "truncatedAlerts": 3,
        "status": status,
        "receiver": "pourtrait",
        "groupLabels": {"alertname": "InstanceDown"},
        "commonLabels": {"alertname": "InstanceDown", "job": "node", "severity": "warning"},
        "commonAnnotations": {"description": "no scrape for 5 minutes"},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [
            alert("web-1:9100", "a1b2c3d4e5f60718", statuses[0]),
            alert("web-2:9100", "b1b2c3d4e5f60718", statuses[1]),
        ],
    })
}

#[tokio::test]
async fn alertmanager_opens_once_and_resolves_what_it_opened() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let firing = notification("firing", ["firing", "firing"]);
    assert_eq!(outcomes(&bundle, &app, &firing).await, ["opened", "opened"]);
    let first = told(&bundle);
    assert!(first > 0);
    // It repeats itself, and tries again what it got no answer to.
    assert_eq!(
        outcomes(&bundle, &app, &firing).await,
        ["updated", "updated"]
    );
    assert_eq!(told(&bundle), first);

    let rows = bundle
        .admin()
        .await
        .query(
            "select fingerprint, subject, severity, facts ->> 'title' from ops.alerts order by 1",
            &[],
        )
        .await
        .unwrap();
    let row: Vec<String> = (0..4).map(|column| rows[0].get(column)).collect();
    let expected = [
        "external:alertmanager:a1b2c3d4e5f60718",
        "web-1:9100",
        "medium",
        "web-1:9100 is down",
    ];
    assert_eq!(row, expected);

    let one = notification("firing", ["resolved", "firing"]);
    assert_eq!(outcomes(&bundle, &app, &one).await, ["resolved", "updated"]);
    let over = notification("resolved", ["resolved", "resolved"]);
    assert_eq!(
        outcomes(&bundle, &app, &over).await,
        ["ignored", "resolved"]
    );
}

#[tokio::test]
async fn grafana_opens_once_and_resolves_what_it_opened() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let grafana = |status: &str| {
        let mut body = notification(status, [status, status]);
        for (key, value) in [
            ("version", json!("1")),
            ("orgId", json!(1)),
            ("state", json!("alerting")),
            ("title", json!("[FIRING:2] InstanceDown")),
            ("message", json!("**Firing**")),
        ] {
            body[key] = value;
        }
        body
    };
    assert_eq!(
        outcomes(&bundle, &app, &grafana("firing")).await,
        ["opened", "opened"]
    );
    let first = told(&bundle);
    assert_eq!(
        outcomes(&bundle, &app, &grafana("firing")).await,
        ["updated", "updated"]
    );
    assert_eq!(told(&bundle), first);
    assert_eq!(
        outcomes(&bundle, &app, &grafana("resolved")).await,
        ["resolved", "resolved"]
    );
}

#[tokio::test]
async fn a_notification_without_alerts_is_refused_with_why() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let mut empty = notification("firing", ["firing", "firing"]);
    empty["alerts"] = json!([]);
    let mut none = empty.clone();
    none["alerts"] = json!([null, 7]);
    for (body, problem) in [(empty, "alerts: "), (none, "alerts[1]")] {
        let answer = post(&bundle, &app, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(
            answer.json().to_string().contains(problem),
            "{:?}",
            answer.bytes
        );
    }
    assert_eq!(told(&bundle), 0);
}

/// The SQL block of the documentation that makes the triggers.
fn documented() -> &'static str {
    let text = include_str!("../../docs/alerting.md");
    let begin = text.find("select vault.create_secret").unwrap();
    text[begin..].split("```").next().unwrap()
}

/// What Supabase's extensions offer, as far as the triggers use it; requests are
/// written down instead of sent.
const EXTENSIONS: &str = "
    create schema vault;
    create table vault.decrypted_secrets (name text, decrypted_secret text);
    create function vault.create_secret(secret text, name text) returns void language sql
        as $$ insert into vault.decrypted_secrets values (name, secret) $$;
    create schema net;
    create table net.requests (id bigserial, url text, headers jsonb, body jsonb);
    create function net.http_post(
        url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
        timeout_milliseconds integer default 5000
    ) returns bigint language sql
        as $$ insert into net.requests (url, headers, body) values (url, headers, body) returning id $$;";

#[tokio::test]
async fn an_inserted_row_is_told_at_once_by_the_documented_trigger_and_counted_once() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let admin = bundle.admin().await;
    admin.batch_execute(EXTENSIONS).await.unwrap();
    admin.batch_execute(documented()).await.unwrap();
    let rows = "
        insert into public.error_logs (message, severity, environment) values
            ('Payment 17 failed', 'critical', 'production'),
            ('Slow', 'high', 'production');
        insert into public.alerts (type, severity, message) values ('security', 'error', 'Many logins')";
    let environment = app.app().config.deployment.environment.as_str();
    let rows = rows.replace("'production'", &format!("'{environment}'"));
    admin.batch_execute(&rows).await.unwrap();

    let requests = admin
        .query(
            "select headers::text, body::text from net.requests order by id",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(requests.len(), 2, "one a row that is an event");
    for request in &requests {
        let headers: String = request.get(0);
        assert!(
            headers.contains("Bearer the value of MONITORING_API_KEY"),
            "{headers}"
        );
        let body: String = request.get(1);
        assert!(
            !body.contains("ogins") && !body.contains("Payment"),
            "{body}"
        );
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(outcomes(&bundle, &app, &body).await, ["opened"]);
        assert_eq!(outcomes(&bundle, &app, &body).await, ["known"]);
    }
    let open = admin
        .query(
            "select rule, occurrences from ops.alerts order by rule",
            &[],
        )
        .await
        .unwrap();
    let open: Vec<(String, i64)> = open.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(
        open,
        [
            ("app_alert".to_owned(), 1),
            ("critical_error".to_owned(), 1)
        ]
    );
    assert!(told(&bundle) >= 2);
}

#[tokio::test]
async fn what_a_webhook_says_of_a_row_is_never_believed() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let payload = |kind: &str, table: &str| {
        json!({
            "type": kind, "schema": "public", "table": table, "old_record": null,
            "record": {"id": uuid::Uuid::new_v4(), "severity": "critical", "message": "made up"},
        })
    };
    // No such row.
    assert_eq!(
        outcomes(&bundle, &app, &payload("INSERT", "error_logs")).await,
        ["ignored"]
    );
    assert_eq!(
        outcomes(&bundle, &app, &payload("UPDATE", "alerts")).await,
        ["ignored"]
    );
    let refused = post(&bundle, &app, &payload("INSERT", "wines")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let stranger = call(&app, Method::POST, PATH)
        .header("content-type", "application/json")
        .body(payload("INSERT", "error_logs").to_string())
        .send()
        .await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    assert_eq!(told(&bundle), 0);
}
