use serde_json::json;

use super::*;

pub(crate) fn incident(over: &Value) -> Incident {
    let mut document = json!({
        "id": "00000000-0000-4000-8000-000000000007", "number": 7, "title": null, "severity": "critical",
        "status": "resolved", "startedAt": "2026-11-24T12:00:00Z", "detectedAt": "2026-11-24T12:02:00Z",
        "acknowledgedAt": "2026-11-24T12:03:30Z", "resolvedAt": "2026-11-24T12:06:00Z",
        "durationSeconds": 360.0, "timeToAcknowledgeSeconds": 90.0, "timeToResolveSeconds": 240.0,
        "openedBy": null, "resolvedBy": null, "rule": "app_down", "subject": "https://app.example/",
        "affects": ["app"], "alerts": 1,
        "cause": {"side": "ours", "by": null, "evidence": [
            {"kind": "bad", "service": "app", "status": "down", "reason": "http_status", "statusCode": 500},
            {"kind": "up", "service": "database"},
            {"kind": "unknown", "service": "storage"},
            {"kind": "deployment", "deployment": "dpl_2", "commit": "abc",
             "firstSeenAt": "2026-11-24T11:50:00Z", "secondsBefore": 600.0},
        ]},
        "beganAfter": {"deployment": "dpl_2", "commit": "abc", "firstSeenAt": "2026-11-24T11:50:00Z",
                       "secondsBefore": 600.0},
        "impact": {"users": 12, "failedRequests": null, "minutesDown": 4.0, "reports": 3, "reporters": 2},
    });
    let over = over.as_object().cloned().unwrap_or_default();
    document.as_object_mut().unwrap().extend(over);
    serde_json::from_value(document).unwrap()
}

pub(crate) fn entry(
    source: &str,
    kind: &str,
    actor: Option<&str>,
    note: Option<&str>,
    detail: &Value,
) -> Happening {
    let alert = (source != "incident" || kind == "alert_joined").then_some(());
    serde_json::from_value(json!({
        "at": "2026-11-24T12:02:00Z", "source": source, "kind": kind, "actor": actor, "note": note,
        "alert": alert.map(|()| "00000000-0000-4000-8000-000000000001"),
        "rule": alert.map(|()| "app_down"), "subject": alert.map(|()| "https://app.example/"),
        "detail": detail,
    }))
    .unwrap()
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
        assert_eq!(happening(&entry(source, kind, None, note, detail)), words);
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
        let entry = entry("incident", kind, None, Some("x"), detail);
        assert_eq!(happening(&entry), words);
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
        assert_eq!(
            happening(&entry("message", kind, None, note, detail)),
            words
        );
    }
}

#[test]
fn what_others_wrote_does_not_steer_a_terminal() {
    let hostile = incident(&json!({"title": "a\u{1b}[2Jb\r\nc\u{202e}"}));
    assert_eq!(name(&hostile), "a [2Jb c");
}

#[test]
fn what_is_not_known_is_said_not_to_be() {
    let nothing = json!({"users": null, "failedRequests": 0, "minutesDown": null, "reports": 1, "reporters": null});
    let incident = incident(
        &json!({"impact": nothing, "timeToAcknowledgeSeconds": null, "acknowledgedAt": null}),
    );
    assert_eq!(
        impact(&incident.impact).map(|(_, value)| value),
        ["not known", "0", "not known", "1"]
    );
    let times = times(&incident);
    assert_eq!(times[2], ("acknowledged", "by nobody".to_owned()));
    assert_eq!(times[4], ("time to acknowledge", "not known".to_owned()));
}

#[test]
fn a_length_is_told_in_its_two_largest_units() {
    for (seconds, words) in [
        (0.0, "0 s"),
        (59.4, "59 s"),
        (60.0, "1 min 0 s"),
        (3_599.0, "59 min 59 s"),
        (3_600.0, "1 h 0 min"),
        (90_000.0, "1 d 1 h"),
        (-1.0, "0 s"),
    ] {
        assert_eq!(length(seconds), words, "{seconds}");
    }
}

#[test]
fn a_story_is_read_from_top_to_bottom() {
    let told = IncidentStory {
        incident: incident(&json!({})),
        timeline: vec![entry(
            "alert",
            "acknowledged",
            Some("Anna"),
            None,
            &json!({}),
        )],
        timeline_left_out: 3,
        open_alerts: Vec::new(),
    };
    assert_eq!(
        story(&told),
        "\
incident 7, critical, resolved: app_down https://app.example/

began               2026-11-24 12:00:00 UTC
detected            2026-11-24 12:02:00 UTC
acknowledged        2026-11-24 12:03:30 UTC
resolved            2026-11-24 12:06:00 UTC
time to acknowledge 1 min 30 s
time to resolve     4 min 0 s
affects             app
cause               ours, probably
                    - app was down (http_status, status 500)
                    - database was up
                    - nothing was known of storage
                    - deployment dpl_2 (abc) was seen first 10 min 0 s before
users hit           12
failed requests     not known
minutes down        4
reports             3 by 2 users

2026-11-24 12:02:00 UTC  app_down https://app.example/ acknowledged (Anna)
and 3 more"
    );
}
