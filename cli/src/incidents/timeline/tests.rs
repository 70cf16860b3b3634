use serde_json::json;

use super::*;
use crate::answered::Answered;

pub(crate) fn entry(
    source: &str,
    kind: &str,
    actor: Option<&str>,
    note: Option<&str>,
    detail: &Value,
) -> Answered<Entry> {
    let alert = (source != "incident" || kind == "alert_joined").then_some(());
    Answered::read(json!({
        "at": "2026-11-24T12:02:00Z", "source": source, "kind": kind, "actor": actor, "note": note,
        "alert": alert.map(|()| "00000000-0000-4000-8000-000000000001"),
        "rule": alert.map(|()| "app_down"), "subject": alert.map(|()| "https://app.example/"),
        "detail": detail,
    }))
}

fn happening(source: &str, kind: &str, note: Option<&str>, detail: &Value) -> String {
    let entry = entry(source, kind, None, note, detail);
    entry.describe(Entry::happening)
}

#[test]
fn what_happened_to_alerts_has_words() {
    let people = json!({"level": 1, "people": [{"name": "Anna"}, {"name": "Bo"}]});
    let until = json!({"until": "2026-11-24T13:02:00+00:00"});
    let late = json!({"reason": "timeout"});
    for (source, kind, note, detail, words) in [
        (
            "sample",
            "first_bad",
            None,
            &late,
            "first bad sample of {} (timeout)",
        ),
        ("alert", "opened", None, &json!({}), "{} opened"),
        (
            "alert",
            "escalated",
            None,
            &people,
            "{} escalated to Anna, Bo",
        ),
        (
            "alert",
            "acknowledged",
            Some("on\nit"),
            &until,
            "{} acknowledged until 2026-11-24 13:02 UTC: on it",
        ),
    ] {
        let words = words.replace("{}", "app_down https://app.example/");
        assert_eq!(happening(source, kind, note, detail), words);
    }
}

#[test]
fn what_happened_to_the_incident_has_words() {
    let none = json!({});
    let change = json!({"from": "high", "to": "critical"});
    let cause = json!({"from": null, "to": "openai"});
    let action = json!({"owner": "Bo", "due": "2026-12-01"});
    let public = json!({"state": "identified"});
    for (kind, detail, words) in [
        ("opened", &none, "incident opened: x"),
        (
            "alert_joined",
            &none,
            "app_down https://app.example/ joined: x",
        ),
        (
            "severity_changed",
            &change,
            "severity changed from high to critical: x",
        ),
        (
            "cause_changed",
            &cause,
            "cause changed from nothing to openai: x",
        ),
        ("reported", &none, "a user reported: x"),
        ("action", &action, "to do by Bo until 2026-12-01: x"),
        ("public_update", &public, "public, identified: x"),
        ("lesson", &none, "lesson: x"),
    ] {
        assert_eq!(happening("incident", kind, Some("x"), detail), words);
    }
}

#[test]
fn what_became_of_messages_has_words() {
    let named =
        json!({"message": "firing", "channel": "email", "people": ["Anna"], "receipt": "re_1"});
    let silent = json!({"message": "resolved", "channel": "slack", "people": [], "receipt": null});
    for (kind, note, detail, words) in [
        (
            "sent",
            None,
            &named,
            "firing message of {} on email to Anna sent, receipt re_1",
        ),
        (
            "retry",
            Some("503"),
            &silent,
            "resolved message of {} on slack failed, tried again later: 503",
        ),
        (
            "dead",
            None,
            &silent,
            "resolved message of {} on slack given up",
        ),
        (
            "attempted",
            None,
            &silent,
            "resolved message of {} on slack tried, without an answer",
        ),
    ] {
        let words = words.replace("{}", "app_down https://app.example/");
        assert_eq!(happening("message", kind, note, detail), words);
    }
}
