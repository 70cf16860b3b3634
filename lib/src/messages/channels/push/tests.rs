use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    fake_server::{self, Reply, Server},
    messages::{
        channels::Place,
        message::{Content, Digest, Message},
        message_facts::Facts,
        message_links::{self, Link, Places},
    },
    web_push::{PLAIN_LIMIT, Urgency},
};

const LINK: &str = "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n";

fn facts(over: &Value) -> Facts {
    let mut row = json!({
        "alert": uuid::Uuid::from_u128(7), "rule": "app_down", "kind": "firing",
        "subject": "https://wine.example/", "severity": "critical",
        "since": "2026-11-24T03:12:07Z", "reason": "http_status",
        "detail": {"url": "https://wine.example/", "statusCode": 503},
    });
    for (key, value) in over.as_object().unwrap() {
        row[key] = value.clone();
    }
    Facts::read(&row)
}

fn content_at(base: &str, over: &Value) -> Content {
    let base = base.parse().unwrap();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    let mut message = Message::new(&facts(over), places);
    if message.kind.is_open() {
        for (nth, label) in [message_links::ACKNOWLEDGE, message_links::SNOOZE]
            .into_iter()
            .enumerate()
        {
            let url = format!("{LINK}{nth}");
            message.links.insert(nth, Link { label, url });
        }
    }
    Content::Message(message)
}

fn content(over: &Value) -> Content {
    content_at("https://ops.wine.example/", over)
}

fn shown(content: &Content) -> Value {
    serde_json::from_str(&body(content)).unwrap()
}

#[test]
fn a_device_shows_what_happened_and_a_press_leads_to_the_button() {
    insta::assert_json_snapshot!(shown(&content(&json!({}))), @r#"
    {
      "web_push": 8030,
      "notification": {
        "title": "Critical: https://wine.example/ is down",
        "body": "Since: 2026-11-24 03:12 UTC\nFound: answered 503\nAffects: everybody who opens this page",
        "navigate": "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n0",
        "lang": "en",
        "dir": "auto",
        "tag": "00000000000000000000000000000007",
        "renotify": true,
        "requireInteraction": true,
        "actions": [
          {
            "action": "snooze",
            "title": "Snooze",
            "navigate": "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n1"
          },
          {
            "action": "open",
            "title": "Open alert",
            "navigate": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007"
          }
        ]
      }
    }
    "#);
}

#[test]
fn what_is_over_takes_the_place_of_what_began_and_leads_to_the_page() {
    insta::assert_json_snapshot!(shown(&content(&json!({"kind": "resolved"}))), @r#"
    {
      "web_push": 8030,
      "notification": {
        "title": "Resolved: https://wine.example/ is up again",
        "body": "Since: 2026-11-24 03:12 UTC\nWas: answered 503",
        "navigate": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007",
        "lang": "en",
        "dir": "auto",
        "tag": "00000000000000000000000000000007",
        "renotify": true
      }
    }
    "#);
}

#[test]
fn several_at_once_are_one_and_as_loud_as_the_worst() {
    let items = [facts(&json!({})), facts(&json!({"severity": "low"}))];
    let group = Content::Digest(Digest::group(&items, 30, Places::default()));
    assert_eq!(notification::urgency(&group), Urgency::High);
    assert_eq!(notification::topic(&group), None);
    let group = shown(&group);
    assert_eq!(group["notification"]["title"], "30 more alerts");
    assert_eq!(group["notification"]["navigate"], "/dashboard");
    let daily = Content::Digest(Digest::new(&items, Places::default()));
    assert_eq!(notification::urgency(&daily), Urgency::Low);
}

#[test]
fn only_what_is_urgent_wakes_a_device_that_saves_power() {
    for (over, urgency) in [
        (json!({}), Urgency::High),
        (json!({"severity": "high"}), Urgency::High),
        (json!({"severity": "medium"}), Urgency::Normal),
        (json!({"severity": "low"}), Urgency::Low),
        (
            json!({"kind": "escalation", "severity": "high"}),
            Urgency::High,
        ),
        (json!({"kind": "resolved"}), Urgency::Normal),
        (json!({"kind": "notice"}), Urgency::Normal),
    ] {
        assert_eq!(notification::urgency(&content(&over)), urgency, "{over}");
        let stays = over["kind"].is_null() && over["severity"].is_null();
        let shown = shown(&content(&over));
        assert_eq!(
            shown["notification"]["requireInteraction"] == true,
            stays,
            "{over}"
        );
    }
}

#[test]
fn a_topic_is_what_services_take() {
    let topic = notification::topic(&content(&json!({}))).unwrap();
    assert!(topic.len() <= 32, "{topic}");
    assert!(topic.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

#[test]
fn whatever_it_says_it_fits_into_one_push() {
    let long_base = format!("https://ops.wine.example/{}", "b".repeat(700));
    for letter in ["é", "🍷", "x", "\"", "a\\\"\n", "\u{202e}x"] {
        for base in ["https://ops.wine.example/", &long_base] {
            let long = json!({
                "rule": "external", "title": letter.repeat(4_000), "message": letter.repeat(4_000),
                "detail": {"data": {"a": letter.repeat(900), "b": letter.repeat(900)}},
            });
            let body = body(&content_at(base, &long));
            assert!(body.len() <= PLAIN_LIMIT, "{letter}: {}", body.len());
            let shown: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(shown["web_push"], 8030);
            assert!(!shown["notification"]["title"].as_str().unwrap().is_empty());
        }
    }
}

const KEY: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

/// Content for a device at that server.
fn to_device(endpoint: &str) -> Content {
    let device = json!({"endpoint": endpoint, "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    }});
    let person = json!({"name": "Anna", "addresses": {"push": device.to_string()}});
    content(&json!({"recipients": {"usual": false, "people": [person]}}))
}

async fn sent(server: &Server, content: &Content, deadline: Deadline) -> Delivery {
    let url = server.url("");
    let variables = [
        ("VAPID_PRIVATE_KEY", KEY),
        ("PUSH_SERVICE_URL", url.as_str()),
        ("BASE_URL", "https://ops.wine.example"),
    ];
    let devices = fake_server::opened(&variables, |read| WebPush::open(read).map(Devices));
    let outgoing = Outgoing {
        content,
        key: "m",
        place: &Place::Anew,
    };
    devices.send(outgoing, &Outbound::default(), deadline).await
}

async fn check(reply: Reply, expected: Delivery) {
    let deadline = Deadline::after(reply.patience());
    let server = Server::start([reply]).await;
    let content = to_device(&server.url("/wpush/1"));
    assert_eq!(sent(&server, &content, deadline).await, expected);
}

#[tokio::test]
async fn what_becomes_of_a_push_is_told() {
    check(Reply::new(201, ""), Delivery::Sent { provider_id: None }).await;
    let limited = Delivery::Refused {
        after: Some(Duration::from_secs(9)),
        status: None,
        error: "rate limited",
    };
    check(Reply::new(429, "").header("retry-after: 9"), limited).await;
    let fails = Delivery::Retry {
        after: None,
        status: Some(503),
        error: "the push service fails",
    };
    check(Reply::new(503, ""), fails).await;
    for status in [404, 410] {
        let gone = Delivery::Gone {
            status: Some(status),
            error: GONE,
        };
        check(Reply::new(status, ""), gone).await;
    }
    check(Reply::Hang, Delivery::unanswered("timeout")).await;
    check(Reply::Reset, Delivery::unanswered("reset")).await;
}

#[tokio::test]
async fn nothing_is_posted_to_whatever_is_no_device() {
    let server = Server::start([]).await;
    let deadline = Deadline::after(Duration::from_secs(10));
    let named = json!({"name": "Anna", "addresses": {"push": "iPhone"}});
    let named = json!({"recipients": {"people": [named]}});
    for content in [content(&json!({})), content(&named)] {
        assert_eq!(sent(&server, &content, deadline).await, nobody());
    }
    for (content, error) in [
        (to_device("https://evil.example/x"), "push services"),
        (to_device("http://169.254.169.254/x"), "https"),
    ] {
        let delivery = sent(&server, &content, deadline).await;
        let Delivery::Dead {
            status: None,
            error: told,
        } = delivery
        else {
            panic!("{delivery:?}");
        };
        assert!(told.contains(error), "{told}");
    }
    assert!(server.requests().is_empty());
}
