use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{
    fake_server::{self, Reply, Server},
    hexadecimal::hexadecimal,
    messages::{
        channels::{
            Place,
            callback::{About, Does, ProviderAnswer},
        },
        message::{Content, Message},
        message_facts::Facts,
        message_links::Places,
    },
};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "webhook-secret";
const ALERT: Uuid = Uuid::from_u128(7);
const TAKEN: &str = r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#;

fn pagerduty(server: &Server) -> PagerDuty {
    let url = server.url("");
    let variables = [
        ("PAGERDUTY_ROUTING_KEY", KEY),
        ("PAGERDUTY_WEBHOOK_SECRET", SECRET),
        ("PAGERDUTY_EVENTS_URL", url.as_str()),
    ];
    fake_server::opened(&variables, PagerDuty::read)
}

fn content(kind: &str, over: &Value) -> Content {
    let mut row = json!({
        "alert": ALERT, "rule": "app_down", "subject": "https://wine.example/", "kind": kind,
        "severity": "critical", "since": "2026-11-24T03:12:07Z", "service": "app",
        "reason": "http_status", "detail": {"url": "https://wine.example/", "statusCode": 503},
    });
    for (key, value) in over.as_object().unwrap() {
        row[key] = value.clone();
    }
    let base = "https://ops.wine.example/".parse().unwrap();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    Content::Message(Message::new(&Facts::read(&row), places))
}

/// What is sent for a message in that place.
fn sent(kind: &str, place: &Place, over: &Value) -> Event {
    event::of(Outgoing {
        content: &content(kind, over),
        key: "m",
        place,
    })
}

#[test]
fn a_beginning_triggers_and_an_end_resolves_the_incident_of_the_alert() {
    let event = sent("firing", &Place::Anew, &json!({}));
    assert_eq!(event.path, "/v2/enqueue");
    assert_eq!(event.dedup_key, Some(ALERT.to_string()));
    insta::assert_json_snapshot!(event.body, @r#"
    {
      "event_action": "trigger",
      "dedup_key": "00000000-0000-0000-0000-000000000007",
      "payload": {
        "summary": "Critical: https://wine.example/ is down",
        "source": "app",
        "severity": "critical",
        "component": "https://wine.example/",
        "class": "app_down",
        "custom_details": {
          "Since": "2026-11-24 03:12 UTC",
          "Found": "answered 503",
          "Affects": "everybody who opens this page"
        },
        "timestamp": "2026-11-24T03:12:07Z"
      },
      "client": "pourtrait-ops",
      "links": [
        {
          "href": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007",
          "text": "Open alert"
        },
        {
          "href": "https://ops.wine.example/runbook.html#app_down",
          "text": "Runbook"
        }
      ]
    }
    "#);
    let end = sent("resolved", &Place::Anew, &json!({}));
    assert_eq!(
        end.body,
        json!({"event_action": "resolve", "dedup_key": ALERT})
    );
}

#[test]
fn an_alert_that_somebody_has_is_acknowledged_there_too() {
    let place = Place::Instead(ALERT.to_string());
    let until: Timestamp = "2026-11-24T04:12:07Z".parse().unwrap();
    let acknowledged = json!({"acknowledgement": {"by": "Anna", "until": until}});
    for (kind, place, over, action) in [
        ("firing", &place, &acknowledged, "acknowledge"),
        ("firing", &place, &json!({}), "trigger"),
        ("resolved", &place, &acknowledged, "resolve"),
        ("escalation", &Place::Anew, &json!({}), "trigger"),
    ] {
        assert_eq!(
            sent(kind, place, over).body["event_action"],
            action,
            "{kind}"
        );
    }
}

#[test]
fn a_notice_pages_nobody() {
    let event = sent("notice", &Place::Anew, &json!({"title": "Test of alerts"}));
    assert_eq!(event.path, "/v2/change/enqueue");
    assert_eq!(event.dedup_key, None);
}

async fn check(reply: Reply, expected: Delivery) {
    let deadline = Deadline::after(reply.patience());
    let server = Server::start([reply]).await;
    let event = sent("firing", &Place::Anew, &json!({}));
    let delivery = pagerduty(&server)
        .enqueue(event, &Outbound::default(), deadline)
        .await;
    assert_eq!(delivery, expected);
    let request = &server.requests()[0];
    assert!(request.head.starts_with("POST /v2/enqueue "));
    assert_eq!(request.json()["routing_key"], KEY);
}

#[tokio::test]
async fn what_pagerduty_processed_is_known_by_its_key() {
    let sent = Delivery::Sent {
        provider_id: Some(ALERT.to_string()),
    };
    check(Reply::new(202, TAKEN), sent).await;
    for body in ["", "{}", "<html>", r#"{"status":"invalid event"}"#] {
        let other = Delivery::Retry {
            after: None,
            status: Some(202),
            error: "something else than pagerduty answered",
        };
        check(Reply::new(202, body), other).await;
    }
}

#[tokio::test]
async fn what_may_work_later_is_told_apart_from_what_never_will() {
    let refused = |status, after: Option<u64>, error| Delivery::Refused {
        after: after.map(Duration::from_secs),
        status: Some(status),
        error,
    };
    let key = r#"{"status":"invalid event","errors":["'routing_key' is invalid"]}"#;
    let unknown = refused(400, None, "pagerduty does not know the routing key");
    check(Reply::new(400, key), unknown).await;
    let limited = Reply::new(429, "").header("retry-after: 30");
    check(limited, refused(429, Some(30), "rate limited")).await;
    check(
        Reply::new(429, "Too many requests"),
        refused(429, None, "rate limited"),
    )
    .await;
    let invalid = r#"{"status":"invalid event","errors":["'payload.summary' is missing"]}"#;
    let dead = Delivery::Dead {
        status: Some(400),
        error: "pagerduty does not accept the event",
    };
    check(Reply::new(400, invalid), dead).await;
    check(Reply::Hang, Delivery::unanswered("timeout")).await;
    check(Reply::Reset, Delivery::unanswered("reset")).await;
}

#[test]
fn every_status_has_a_verdict_and_only_success_is_sent() {
    for status in 100..=599 {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: TAKEN.into(),
        };
        let sent = judge(&answer, None).is_sent();
        assert_eq!(sent, (200..=299).contains(&status), "{status}");
    }
}

fn event(kind: &str, agent: &Value, incident_key: &str) -> Value {
    json!({"event": {
        "id": "01D", "event_type": kind, "resource_type": "incident",
        "occurred_at": "2026-11-24T03:20:00Z", "agent": agent,
        "data": {"id": "PGR0VU2", "type": "incident", "incident_key": incident_key},
    }})
}

fn called_back(body: &[u8], signatures: &str) -> Result<Vec<ProviderAnswer>, Refused> {
    let mut headers = HeaderMap::new();
    headers.insert("x-pagerduty-signature", signatures.parse().unwrap());
    let call = Callback {
        url: "https://ops.wine.example/api/alerts/acknowledge?channel=pagerduty",
        headers: &headers,
        body,
    };
    webhook::read(SECRET, &call).map(|called| called.answers)
}

fn signed(body: &[u8], secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("v1={}", hexadecimal(hmac::sign(&key, body).as_ref()))
}

#[test]
fn what_a_person_does_there_is_read_and_nothing_else() {
    let anna = json!({"type": "user_reference", "summary": "Anna\u{202e} Lind", "id": "P1"});
    let ours = json!({"type": "inbound_integration_reference", "summary": "Ops"});
    let key = ALERT.to_string();
    for (kind, agent, key, does) in [
        (
            "incident.acknowledged",
            &anna,
            key.as_str(),
            Some(Does::Acknowledge),
        ),
        ("incident.resolved", &anna, &key, Some(Does::Resolve)),
        ("incident.resolved", &ours, &key, None),
        ("incident.triggered", &anna, &key, None),
        ("incident.acknowledged", &Value::Null, &key, None),
        (
            "incident.acknowledged",
            &anna,
            "a-key-of-somebody-else",
            None,
        ),
        ("pagey.ping", &anna, &key, None),
    ] {
        let body = event(kind, agent, key).to_string();
        let answers = called_back(body.as_bytes(), &signed(body.as_bytes(), SECRET)).unwrap();
        let expected = does.map(|does| ProviderAnswer {
            about: About::Alert(ALERT),
            does,
            by: Some("Anna Lind".into()),
            event: "01D".into(),
        });
        assert_eq!(answers, Vec::from_iter(expected), "{kind} {agent}");
    }
}

#[test]
fn a_call_is_proven_by_any_of_its_signatures_over_the_body_as_it_came() {
    let body = event("incident.resolved", &Value::Null, "x").to_string();
    let body = body.as_bytes();
    let right = signed(body, SECRET);
    let others = format!("{},{right}", signed(body, "the next secret"));
    for signatures in [&right, &others] {
        assert!(called_back(body, signatures).is_ok(), "{signatures}");
    }
    let mut changed = body.to_vec();
    changed.push(b' ');
    assert_eq!(called_back(&changed, &right), Err(Refused::Wrong));
    let bare = right.trim_start_matches("v1=");
    for signatures in ["", "v1=", "v1=zz", &signed(body, "another"), bare] {
        assert_eq!(
            called_back(body, signatures),
            Err(Refused::Wrong),
            "{signatures}"
        );
    }
    let rubbish = b"no json";
    let unreadable = called_back(rubbish, &signed(rubbish, SECRET));
    assert_eq!(unreadable, Err(Refused::Unreadable));
}
