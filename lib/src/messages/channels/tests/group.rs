//! Many alerts in one message, and reminders.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{base, content, down, email, facts, slack, text};
use crate::messages::{
    message::{Content, Digest},
    message_links::Places,
};

/// A group of that many alerts, of which so many are shown in full.
fn group(kind: &str, shown: usize, total: usize) -> Content {
    let base = base();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    let people = json!({"usual": true, "people": [
        {"name": "Anna", "role": "on_call_primary", "email": "anna@wine.example", "slack": "U0ABC"},
    ]});
    let items: Vec<_> = (0..shown)
        .map(|n| {
            let check =
                json!({"subject": format!("c{n:02}"), "reason": "timeout", "recipients": people});
            facts("check_failing", kind, &check)
        })
        .collect();
    Content::Digest(Digest::group(&items, total, places))
}

fn sections(content: &Content) -> Vec<String> {
    let payload = slack::payload(content);
    payload["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|block| block["text"]["text"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_group_calls_its_people_once_and_shows_the_worst() {
    let group = group("firing", 12, 49);
    let sections = sections(&group);
    assert_eq!(sections[..2], ["<@U0ABC>", "*🟠 49 more alerts*"]);
    assert_snapshot!(sections[2], @r"
    *🟠 High: The check c00 fails*
    Since: 2026-11-24 03:12 UTC, 2 min before this alert · Found: no answer in time · <https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c|Open incident>
    ");
    assert_eq!(sections.len(), 2 + 10 + 2, "ten, and how many more");
    assert_eq!(sections[12], "… and 39 more");
    assert_eq!(slack::payload(&group)["text"], "49 more alerts");
    let letter = email::letter(&group);
    assert_eq!(letter.subject, "[HIGH] 49 more alerts");
    assert!(letter.text.contains("… and 39 more"), "{}", letter.text);
    assert_eq!(
        letter.recipients.addresses(&["ops@wine.example".into()]),
        ["ops@wine.example", "anna@wine.example"]
    );
}

#[test]
fn the_end_of_a_group_calls_nobody() {
    let group = group("resolved", 12, 12);
    let sections = sections(&group);
    assert_eq!(sections[0], "*✅ 12 alerts resolved*");
    assert_eq!(
        email::letter(&group).subject,
        "[Resolved] 12 alerts resolved"
    );
}

/// Facts of a reminder that the app is down.
fn reminder(told: &Value) -> Value {
    let mut facts = down();
    facts["escalation"] = json!({
        "at": "2026-11-24T07:24:08Z", "level": null, "passed": [], "told": told,
        "acknowledgedBy": null, "acknowledgedAt": null,
    });
    facts
}

#[test]
fn a_reminder_says_for_how_long_and_who_was_told() {
    let told = json!([
        {"name": "Anna", "role": "on_call_primary", "level": 1, "at": "2026-11-24T03:14:08Z"},
    ]);
    assert_snapshot!(text("app_down", "reminder", &reminder(&told)), @r"
    [CRITICAL] Still firing, for 4 h 12 min: https://wine.example/ is down
    Critical: Still firing, for 4 h 12 min: https://wine.example/ is down

    Since: 2026-11-24 03:12 UTC
    Told before: Anna (level 1, 2026-11-24 03:14 UTC)
    Found: answered 503
    Affects: everybody who opens this page
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#app_down
    ");
    let payload = slack::payload(&content("app_down", "reminder", &reminder(&json!([]))));
    assert_eq!(
        payload["text"],
        "Critical: Still firing, for 4 h 12 min: https://wine.example/ is down"
    );
}
