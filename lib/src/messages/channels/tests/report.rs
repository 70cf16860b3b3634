//! A report as mail and Slack show it: whatever subjects are called, and however many there
//! are.

use serde_json::{Value, json};

use crate::messages::{
    channels::{email, slack},
    message::{Content, Message},
    message_facts::Facts,
    message_links::Places,
};

fn content(lines: &Value) -> Content {
    let report = json!({
        "kind": "daily", "environment": "production", "from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z",
        "before": {"from": "2026-11-16T00:00:00Z"}, "lines": lines, "costUnknown": ["messages <email>"],
    });
    let facts = json!({"kind": "notice", "severity": "low", "title": "Report", "report": report});
    Content::Message(Message::new(&Facts::read(&facts), Places::default()))
}

fn hostile() -> Value {
    json!([
        {"line": "event", "subject": "</table><img src=x onerror=alert(1)> & <!channel> @here", "value": 3, "before": [3, 3, 3, 3]},
        {"line": "errors", "value": 40, "before": [10, 10, 10, 10]},
    ])
}

#[test]
fn a_letter_shows_every_line_and_what_others_wrote_is_text() {
    let letter = email::letter(&content(&hostile()));
    assert_eq!(
        letter.subject,
        "[Report] Daily report of 2026-11-23: 1 line calls for a look"
    );
    let html = &letter.html;
    assert!(
        !html.contains("<img") && html.contains("&lt;img src=x"),
        "{html}"
    );
    assert_eq!(
        html.matches("<table").count(),
        html.matches("</table>").count()
    );
    assert!(html.contains("Errors: 40, worse"), "the summary: {html}");
    for shown in [
        "Uptime",
        "no data yet",
        "never handed in",
        "pourtrait errors list",
        "messages &lt;email&gt;",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    // Each class has a dark colour.
    for class in html.split("class=\"").skip(1) {
        let class = class.split('"').next().unwrap();
        let known = class
            .split(' ')
            .all(|one| html.contains(&format!(".{one}{{")));
        assert!(known, "{class}");
    }
    assert!(
        letter
            .text
            .contains("  Errors: 40 (before 10, mean 10): worse | pourtrait errors list\n"),
        "{}",
        letter.text
    );
}

#[test]
fn slack_is_sent_no_more_than_it_takes_and_nobody_is_called() {
    let many: Vec<Value> = (0..300)
        .map(|nth| json!({"line": "event", "subject": format!("{nth} {}", "<&>".repeat(60)), "value": nth, "before": []}))
        .collect();
    for lines in [hostile(), json!(many), json!([])] {
        let payload = slack::payload(&content(&lines));
        let blocks = payload["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50, "{}", blocks.len());
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            assert!(text.encode_utf16().count() <= 3_000, "{text}");
        }
        let all = payload.to_string();
        assert!(
            !all.contains("<!channel>") && !all.contains("@here"),
            "{all}"
        );
    }
    let payload = slack::payload(&content(&json!(many))).to_string();
    assert!(payload.contains(" more\""), "{payload}");
}
