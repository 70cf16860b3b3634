use http::StatusCode;
use serde_json::json;

use super::*;
use crate::{
    fake_server::{self, Reply, Server},
    messages::{
        channels::Place,
        message::{Content, Digest, Message},
        message_facts::Facts,
        message_links::{Link, Places},
    },
};

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
    Content::Message(Message::new(&facts(over), places))
}

#[test]
fn a_card_says_what_happened_since_when_and_where_to_go_on() {
    insta::assert_json_snapshot!(body(&content(&json!({}))), @r#"
    {
      "type": "message",
      "attachments": [
        {
          "contentType": "application/vnd.microsoft.card.adaptive",
          "contentUrl": null,
          "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [
              {
                "type": "TextBlock",
                "text": "🔴 Critical: https://wine.example/ is down",
                "wrap": true,
                "weight": "Bolder",
                "size": "Medium",
                "color": "attention"
              },
              {
                "type": "FactSet",
                "facts": [
                  {
                    "title": "Since",
                    "value": "2026-11-24 03:12 UTC"
                  },
                  {
                    "title": "Found",
                    "value": "answered 503"
                  },
                  {
                    "title": "Affects",
                    "value": "everybody who opens this page"
                  }
                ]
              }
            ],
            "msteams": {
              "width": "Full"
            },
            "actions": [
              {
                "type": "Action.OpenUrl",
                "title": "Open alert",
                "url": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007"
              },
              {
                "type": "Action.OpenUrl",
                "title": "Runbook",
                "url": "https://ops.wine.example/runbook.html#app_down"
              }
            ]
          }
        }
      ]
    }
    "#);
}

fn card(content: &Content) -> Value {
    body(content)["attachments"][0]["content"].clone()
}

#[test]
fn a_colour_shows_how_bad_it_is_or_that_it_is_over() {
    for (over, colour) in [
        (json!({"severity": "high"}), "warning"),
        (json!({"severity": "medium"}), "warning"),
        (json!({"severity": "low"}), "accent"),
        (json!({"kind": "resolved"}), "good"),
        (
            json!({"kind": "resolved", "ended": {"how": "closed", "by": "Anna"}}),
            "default",
        ),
        (json!({"kind": "notice"}), "default"),
    ] {
        assert_eq!(card(&content(&over))["body"][0]["color"], colour, "{over}");
    }
}

#[test]
fn marks_are_escaped_and_urls_stay_whole() {
    for (text, expected) in [
        ("*bold* `code`", r"\*bold\* \`code\`"),
        ("_it_ snake_case", r"\_it_ snake_case"),
        ("[a](https://evil.example)", r"\[a\](https://evil.example)"),
        ("<at>Anna</at>", r"\<at>Anna\</at>"),
        (
            "{{DATE(2026-11-24T03:12:07Z)}}",
            r"\{\{DATE(2026-11-24T03:12:07Z)}}",
        ),
        ("# head - item 1) one", r"\# head \- item 1\) one"),
        (
            "https://wine.example/my_page?b=1#c",
            "https://wine.example/my_page?b=1#c",
        ),
        (r"a\*b", r"a\\\*b"),
    ] {
        let shown = card(&content(&json!({"rule": "external", "title": text})));
        let shown = shown["body"][0]["text"].as_str().unwrap();
        assert_eq!(shown, format!("🔴 Critical: {expected}"), "{text}");
    }
}

#[test]
fn no_more_actions_are_offered_than_shown() {
    let Content::Message(mut message) = content(&json!({})) else {
        panic!("a message");
    };
    let link = Link {
        label: "Vendor",
        url: "https://status.example".to_owned(),
    };
    message.links.extend(vec![link; 9]);
    let card = card(&Content::Message(message));
    assert_eq!(card["actions"].as_array().unwrap().len(), 6);
}

#[test]
fn a_card_is_cut_until_it_fits() {
    for letter in ["x", "é", "🍷", "*", "\\", "\u{4e00}"] {
        let long = letter.repeat(12_000);
        let over = json!({
            "rule": "external", "title": long, "message": long, "service": long,
            "detail": {"data": {"a": long, "b": long, "c": long}, "source": long},
            "environment": long, "deployment": long,
        });
        let length = body(&content(&over)).to_string().len();
        assert!((2_000..=28_000).contains(&length), "{letter}: {length}");
        let items = vec![facts(&over); 200];
        let digest = Content::Digest(Digest::new(&items, Places::default()));
        let body = body(&digest).to_string();
        assert!(body.len() <= 28_000, "{letter}: {}", body.len());
        assert!(body.contains("… and 1"), "{body}");
    }
}

async fn check(reply: Reply, expected: Delivery) {
    let deadline = Deadline::after(reply.patience());
    let server = Server::start([reply]).await;
    let url = server.url("/workflows/1/triggers/manual/paths/invoke?sig=secret");
    let teams = fake_server::opened(&[("TEAMS_WORKFLOW_URL", &url)], Teams::read);
    let content = content(&json!({}));
    let outgoing = Outgoing {
        content: &content,
        key: "m",
        place: &Place::Anew,
    };
    let delivery = teams.send(outgoing, &Outbound::default(), deadline).await;
    assert_eq!(delivery, expected);
    let request = &server.requests()[0];
    let start = "POST /workflows/1/triggers/manual/paths/invoke?sig=secret ";
    assert!(request.head.starts_with(start), "{}", request.head);
    let media_type = request.header("content-type");
    assert_eq!(media_type, Some("application/json; charset=utf-8"));
    assert_eq!(request.json(), body(&content));
}

#[tokio::test]
async fn what_the_workflow_takes_is_sent_and_has_no_name() {
    for status in [200, 202] {
        check(Reply::new(status, ""), Delivery::Sent { provider_id: None }).await;
    }
    for status in [201, 204] {
        let other = Delivery::Retry {
            after: None,
            status: Some(status),
            error: "something else than a workflow answered",
        };
        check(Reply::new(status, ""), other).await;
    }
}

#[tokio::test]
async fn what_may_work_later_is_told_apart_from_what_never_will() {
    let refused = |status, after: Option<u64>, error| Delivery::Refused {
        after: after.map(Duration::from_secs),
        status: Some(status),
        error,
    };
    let limit = Reply::new(429, "").header("retry-after: 12");
    check(limit, refused(429, Some(12), "rate limited")).await;
    let busy = Reply::new(503, "").header("retry-after: 12");
    let retry = Delivery::Retry {
        after: Some(Duration::from_secs(12)),
        status: Some(503),
        error: "teams fails",
    };
    check(busy, retry).await;
    let off = r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"state 'Deleted'"}}"#;
    let error = "the workflow is turned off or was deleted";
    check(Reply::new(400, off), refused(400, None, error)).await;
    for (status, error) in [
        (
            401,
            "the workflow refused its address: it has changed or expired",
        ),
        (
            403,
            "the workflow refused its address: it has changed or expired",
        ),
        (404, "the workflow is gone, or its owner is"),
    ] {
        check(Reply::new(status, ""), refused(status, None, error)).await;
    }
    for (status, body) in [
        (400, r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#),
        (413, ""),
    ] {
        let dead = Delivery::Dead {
            status: Some(status),
            error: "teams does not accept the message",
        };
        check(Reply::new(status, body), dead).await;
    }
    check(Reply::Hang, Delivery::unanswered("timeout")).await;
    check(Reply::Reset, Delivery::unanswered("reset")).await;
}

#[test]
fn every_status_has_a_verdict_and_only_two_are_sent() {
    for status in 100..=599 {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: "".into(),
        };
        let sent = judge(&answer).is_sent();
        assert_eq!(sent, matches!(status, 200 | 202), "{status}");
    }
}
