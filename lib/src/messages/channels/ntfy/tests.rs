use http::StatusCode;
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
};

const TAKEN: &str = r#"{"id":"hwQ2YpKdmg","time":1764,"event":"message","topic":"t"}"#;
const LINK: &str = "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n";

fn ntfy(server: &Server, token: Option<&str>) -> Ntfy {
    let url = server.url("/a-secret_Topic");
    let mut variables = vec![("NTFY_URL", url.as_str())];
    variables.extend(token.map(|token| ("NTFY_TOKEN", token)));
    fake_server::opened(&variables, Ntfy::read)
}

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

fn content(over: &Value) -> Content {
    let base = "https://ops.wine.example/".parse().unwrap();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    let mut message = Message::new(&facts(over), places);
    if message.kind.is_open() {
        let link = Link {
            label: message_links::ACKNOWLEDGE,
            url: LINK.to_owned(),
        };
        message.links.insert(0, link);
    }
    Content::Message(message)
}

#[test]
fn a_phone_shows_what_happened_and_can_acknowledge() {
    insta::assert_json_snapshot!(body(&content(&json!({}))), @r#"
    {
      "title": "Critical: https://wine.example/ is down",
      "message": "Since: 2026-11-24 03:12 UTC\nFound: answered 503\nAffects: everybody who opens this page",
      "priority": 5,
      "tags": [
        "red_circle",
        "critical"
      ],
      "click": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007",
      "actions": [
        {
          "action": "http",
          "label": "Acknowledge",
          "url": "https://ops.wine.example/api/alerts/acknowledge",
          "method": "POST",
          "headers": {
            "Content-Type": "application/x-www-form-urlencoded"
          },
          "body": "token=t0k3n",
          "clear": true
        },
        {
          "action": "view",
          "label": "Open alert",
          "url": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007"
        },
        {
          "action": "view",
          "label": "Runbook",
          "url": "https://ops.wine.example/runbook.html#app_down"
        }
      ]
    }
    "#);
}

#[test]
fn what_is_over_is_no_alarm_and_has_nothing_to_acknowledge() {
    for (over, priority, sign) in [
        (json!({"severity": "high"}), 4, "orange_circle"),
        (json!({"severity": "medium"}), 3, "yellow_circle"),
        (json!({"severity": "low"}), 2, "large_blue_circle"),
        (json!({"kind": "resolved"}), 3, "white_check_mark"),
        (json!({"kind": "notice"}), 3, "information_source"),
    ] {
        let body = body(&content(&over));
        assert_eq!(body["priority"], priority, "{over}");
        assert_eq!(body["tags"][0], sign, "{over}");
        let open = over["kind"].is_null();
        assert_eq!(body["actions"][0]["action"] == "http", open, "{over}");
    }
}

#[test]
fn a_digest_waits_quietly_and_a_group_is_as_loud_as_its_worst() {
    let items = [facts(&json!({})), facts(&json!({"kind": "resolved"}))];
    let daily = Content::Digest(Digest::new(&items, Places::default()));
    insta::assert_json_snapshot!(body(&daily), @r#"
    {
      "title": "Daily digest: 1 alert, 1 resolved",
      "message": "Critical: https://wine.example/ is down\nResolved: https://wine.example/ is up again",
      "priority": 2,
      "tags": [
        "newspaper"
      ]
    }
    "#);
    let group = Content::Digest(Digest::group(&items[..1], 30, Places::default()));
    assert_eq!(body(&group)["priority"], 5);
    assert_eq!(body(&group)["tags"], json!(["red_circle"]));
}

#[test]
fn a_text_is_cut_by_its_bytes_and_the_whole_by_what_ntfy_reads() {
    for letter in ["é", "🍷", "x", "\"", "a\\\"\n"] {
        let long = json!({
            "rule": "external", "title": letter.repeat(300), "message": letter.repeat(4_000),
            "detail": {"data": {"a": letter.repeat(900), "b": letter.repeat(900), "c": letter.repeat(900)}},
        });
        let body = body(&content(&long));
        let text = body["message"].as_str().unwrap();
        assert!((2_000..=4_096).contains(&text.len()), "{}", text.len());
        assert!(text.ends_with('…'), "{text}");
        assert!(body.to_string().len() <= 8_192 - 64, "{letter}");
    }
}

async fn check(reply: Reply, expected: Delivery) {
    let deadline = Deadline::after(reply.patience());
    let server = Server::start([reply]).await;
    let ntfy = ntfy(&server, Some("tk_1"));
    let content = content(&json!({}));
    let outgoing = Outgoing {
        content: &content,
        key: "m",
        place: &Place::Anew,
    };
    let delivery = ntfy.send(outgoing, &Outbound::default(), deadline).await;
    assert_eq!(delivery, expected);
    let request = &server.requests()[0];
    assert!(request.head.starts_with("POST / "), "{}", request.head);
    assert_eq!(request.header("authorization"), Some("Bearer tk_1"));
    assert_eq!(request.json()["topic"], "a-secret_Topic");
}

#[tokio::test]
async fn what_ntfy_names_is_sent() {
    let sent = Delivery::Sent {
        provider_id: Some("hwQ2YpKdmg".into()),
    };
    check(Reply::new(200, TAKEN), sent).await;
    for body in ["", "{}", "<html>", r#"{"id":"x","event":"open"}"#] {
        let other = Delivery::Retry {
            after: None,
            status: Some(200),
            error: "something else than ntfy answered",
        };
        check(Reply::new(200, body), other).await;
    }
}

#[tokio::test]
async fn what_may_work_later_is_told_apart_from_what_never_will() {
    let refused = |status, after: Option<u64>, error| Delivery::Refused {
        after: after.map(Duration::from_secs),
        status: Some(status),
        error,
    };
    let limit = r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#;
    check(Reply::new(429, limit), refused(429, None, "rate limited")).await;
    let waiting = Reply::new(429, limit).header("retry-after: 9");
    check(waiting, refused(429, Some(9), "rate limited")).await;
    for status in [401, 403] {
        let error = "ntfy forbids to write to the topic: it needs a token";
        let body = r#"{"code":40301,"http":403,"error":"forbidden"}"#;
        check(Reply::new(status, body), refused(status, None, error)).await;
    }
    for status in [400, 413] {
        let dead = Delivery::Dead {
            status: Some(status),
            error: "ntfy does not accept the message",
        };
        check(Reply::new(status, "{}"), dead).await;
    }
    for status in [500, 503, 507] {
        let retry = Delivery::Retry {
            after: None,
            status: Some(status),
            error: "ntfy fails",
        };
        check(Reply::new(status, ""), retry).await;
    }
    check(Reply::Hang, Delivery::unanswered("timeout")).await;
    check(Reply::Reset, Delivery::unanswered("reset")).await;
}

#[test]
fn every_status_has_a_verdict_and_only_200_is_sent() {
    for status in 100..=599 {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: TAKEN.into(),
        };
        assert_eq!(judge(&answer).is_sent(), status == 200, "{status}");
    }
}

#[test]
fn an_address_names_one_topic_and_hides_it() {
    let (server, topic) = server_and_topic("https://ntfy.example:8443/Wine-1_x/").unwrap();
    assert_eq!(server.as_str(), "https://ntfy.example:8443/");
    assert_eq!(topic.expose_secret(), "Wine-1_x");
    assert!(!format!("{topic:?}").contains("Wine"));
    let long = format!("https://ntfy.sh/{}", "x".repeat(65));
    for text in [
        "https://ntfy.sh",
        "https://ntfy.sh/a/b",
        "https://ntfy.sh/wine?auth=x",
        "https://ntfy.sh/wine#x",
        "https://anna:secret@ntfy.sh/wine",
        "https://ntfy.sh/w%20ine",
        "http://ntfy.sh/wine",
        "wine",
        &long,
    ] {
        assert!(server_and_topic(text).is_err(), "{text}");
    }
}

#[test]
fn a_token_that_cannot_be_sent_closes_the_channel() {
    let lookup = |name: &str| {
        let value = match name {
            "NTFY_URL" => "https://ntfy.sh/wine",
            "NTFY_TOKEN" => "tk 1",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let mut read = Reader::new(&lookup);
    assert!(Ntfy::read(&mut read).is_none());
    assert_eq!(read.faults.len(), 1);
}
