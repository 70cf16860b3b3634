use serde_json::json;

use super::*;

/// A notification as Alertmanager documents it, with those alerts.
fn notification(alerts: &Value) -> Value {
    json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"HighRequestLatency\"}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "pourtrait",
        "groupLabels": {"alertname": "HighRequestLatency"},
        "commonLabels": {"alertname": "HighRequestLatency", "job": "api"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": alerts,
    })
}

fn latency(status: &str) -> Value {
    json!({
        "status": status,
        "labels": {
            "alertname": "HighRequestLatency", "instance": "api-1:9090", "job": "api", "severity": "page",
        },
        "annotations": {
            "summary": "High request latency", "description": "p99 is 3 s\nfor 10 minutes",
            "runbook_url": "https://runbooks.example/latency",
        },
        "startsAt": "2026-11-24T11:52:30.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=x",
        "fingerprint": "c8c5d1a1f3b0e7d2",
    })
}

fn alerts(body: Value) -> Vec<NewAlert> {
    assert!(is_notification(body.as_object().unwrap()));
    Notification::parse(body).unwrap().into_alerts("production")
}

#[test]
fn an_alert_keeps_its_identity_its_beginning_and_its_words() {
    for status in ["firing", "resolved"] {
        let found = alerts(notification(&json!([latency(status)])));
        assert_eq!(
            json!(found),
            json!([{
                "status": status, "source": "alertmanager", "type": "HighRequestLatency",
                "severity": "critical", "title": "High request latency",
                "message": "p99 is 3 s\nfor 10 minutes", "subject": "api-1:9090",
                "fingerprint": "c8c5d1a1f3b0e7d2", "since": "2026-11-24T11:52:30.123456789Z",
                "environment": "production",
                "data": {
                    "labels": {"alertname": "HighRequestLatency", "instance": "api-1:9090", "job": "api",
                               "severity": "page"},
                    "generatorURL": "http://prometheus.example:9090/graph?g0.expr=x",
                    "runbookURL": "https://runbooks.example/latency",
                },
            }]),
        );
    }
}

#[test]
fn what_an_alert_lacks_is_taken_from_what_it_has() {
    let mut bare = latency("firing");
    bare["labels"] = json!({"alertname": "Watchdog", "job": "prometheus"});
    bare["annotations"] = json!({"message": "still alive"});
    let found = &alerts(notification(&json!([bare])))[0];
    assert_eq!(found.title.as_deref(), Some("Watchdog"));
    assert_eq!(found.message.as_deref(), Some("still alive"));
    assert_eq!(found.subject.as_deref(), Some("prometheus"));
    assert_eq!(found.severity, Some(Severity::Medium));

    bare = latency("firing");
    bare["labels"] = json!({});
    let found = &alerts(notification(&json!([bare])))[0];
    assert_eq!(
        (found.kind.as_str(), found.subject.as_deref()),
        ("alert", None)
    );
}

#[test]
fn severities_in_many_words_are_four() {
    for (label, expected) in [
        (Some("critical"), Severity::Critical),
        (Some("Page"), Severity::Critical),
        (Some("emergency"), Severity::Critical),
        (Some("error"), Severity::High),
        (Some("high"), Severity::High),
        (Some("warning"), Severity::Medium),
        (Some("medium"), Severity::Medium),
        (Some("info"), Severity::Low),
        (Some("low"), Severity::Low),
        (Some("none"), Severity::Low),
        (Some("sev7"), Severity::Medium),
        (None, Severity::Medium),
    ] {
        assert_eq!(severity(label), expected, "{label:?}");
    }
}

#[test]
fn what_is_long_or_invisible_is_cut() {
    let mut wide = latency("firing");
    for index in 0..40 {
        wide["labels"][format!("l{index:02}")] = json!("x".repeat(1_000));
    }
    wide["annotations"] = json!({"summary": format!("a\u{0}b\n{}", "ü".repeat(900))});
    let found = &alerts(notification(&json!([wide])))[0];
    let title = found.title.as_deref().unwrap();
    assert!(
        title.starts_with("a b ü") && title.chars().count() == 200,
        "{title}"
    );
    let data = found.data.as_ref().unwrap();
    assert_eq!(data["labels"].as_object().unwrap().len(), LABELS_LIMIT);
    assert_eq!(data["labelsLeftOut"], 14);
    assert!(json!(data).to_string().len() < 8 * 1_024);
}

#[test]
fn what_is_no_notification_of_version_4_is_refused() {
    let with = |key: &str, value: Value| {
        let mut body = notification(&json!([latency("firing")]));
        body[key] = value;
        body
    };
    let alert = |key: &str, value: Value| {
        let mut alert = latency("firing");
        alert[key] = value;
        with("alerts", json!([alert]))
    };
    for body in [
        with("version", json!("3")),
        with("version", json!(4)),
        with("groupKey", json!(null)),
        with("alerts", json!({})),
        with("alerts", json!([])),
        with("alerts", json!(vec![latency("firing"); ALERTS_LIMIT + 1])),
        with("truncatedAlerts", json!(-1)),
        alert("status", json!("pending")),
        alert("labels", json!(null)),
        alert("labels", json!({"n": 1})),
        alert("startsAt", json!("yesterday")),
        alert("fingerprint", json!("")),
        alert("fingerprint", json!("a b")),
        alert("fingerprint", json!(null)),
    ] {
        assert!(is_notification(body.as_object().unwrap()));
        Notification::parse(body.clone()).expect_err(&body.to_string());
    }
}
