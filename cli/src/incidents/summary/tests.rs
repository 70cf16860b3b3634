use serde_json::{Value, json};

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

#[test]
fn what_others_wrote_does_not_steer_a_terminal() {
    let hostile = incident(&json!({"title": "a\u{1b}[2Jb\r\nc\u{202e}"}));
    assert_eq!(name(&hostile), "a [2Jb c");
}

#[test]
fn what_is_not_known_is_called_so() {
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
fn a_length_is_written_in_its_two_largest_units() {
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
