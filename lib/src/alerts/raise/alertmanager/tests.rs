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

/// The alerts of a notification that says nothing odd.
fn alerts(body: &Value) -> Vec<NewAlert> {
    let (alerts, notes) = read(body);
    assert_eq!(notes, None);
    alerts.into_iter().flatten().collect()
}

/// What a notification says, and what had to be changed about it.
fn read(body: &Value) -> (Vec<Option<NewAlert>>, Option<String>) {
    let body = body.as_object().unwrap();
    assert!(is_notification(body));
    let mut notes = DoorNotes::default();
    let alerts = parse(body, "production", &mut notes).unwrap();
    (alerts, notes.text())
}

#[test]
fn an_alert_keeps_its_identity_its_beginning_and_its_words() {
    for status in ["firing", "resolved"] {
        let found = alerts(&notification(&json!([latency(status)])));
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
    let found = &alerts(&notification(&json!([bare])))[0];
    assert_eq!(found.title.as_deref(), Some("Watchdog"));
    assert_eq!(found.message.as_deref(), Some("still alive"));
    assert_eq!(found.subject.as_deref(), Some("prometheus"));
    assert_eq!(found.severity, Some(Severity::Medium));

    bare = latency("firing");
    bare["labels"] = json!({});
    let found = &alerts(&notification(&json!([bare])))[0];
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
        let mut alert = latency("firing");
        alert["labels"]["severity"] = json!(label);
        let found = &alerts(&notification(&json!([alert])))[0];
        assert_eq!(found.severity, Some(expected), "{label:?}");
    }
}

#[test]
fn what_is_long_or_invisible_is_cut() {
    let mut wide = latency("firing");
    for index in 0..40 {
        wide["labels"][format!("l{index:02}")] = json!("x".repeat(1_000));
    }
    wide["annotations"] = json!({"summary": format!("a\u{0}b\n{}", "ü".repeat(900))});
    let found = &alerts(&notification(&json!([wide])))[0];
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
fn grafana_sends_the_same_form_with_more() {
    let mut alert = latency("firing");
    for (field, value) in [
        ("valueString", "[ var='A' labels={} value=0.93 ]"),
        ("dashboardURL", "https://grafana.example/d/x"),
        ("silenceURL", "https://grafana.example/silence"),
        ("imageURL", "https://grafana.example/x.png"),
    ] {
        alert[field] = json!(value);
    }
    alert["values"] = json!({"A": 0.93});
    alert["orgId"] = json!(1);
    let mut body = notification(&json!([alert]));
    body["version"] = json!("1");
    body["orgId"] = json!(1);
    body["title"] = json!("[FIRING:1]");
    body["state"] = json!("alerting");
    let found = &alerts(&body)[0];
    assert_eq!(found.source, "grafana");
    let data = found.data.as_ref().unwrap();
    assert_eq!(data["values"], "[ var='A' labels={} value=0.93 ]");
    assert_eq!(data["dashboardURL"], "https://grafana.example/d/x");
    assert_eq!(data["silenceURL"], "https://grafana.example/silence");
}

#[test]
fn a_time_that_the_database_cannot_name_is_now_and_said_so() {
    for (time, is_kept) in [
        (json!("2026-11-24T11:52:30Z"), true),
        (json!("2026-11-24T11:52:30+14:00"), true),
        (json!("0001-01-01T00:00:00Z"), true),
        (json!("9999-12-30T22:00:00Z"), true),
        (json!("0000-12-31T23:59:59Z"), false),
        (json!("-000044-03-15T12:00:00Z"), false),
        (json!("10000-01-01T00:00:00Z"), false),
        (json!("2026-02-30T00:00:00Z"), false),
        (json!("yesterday"), false),
        (json!(""), false),
        (json!(1_764_000_000), false),
        (json!(null), false),
    ] {
        let mut alert = latency("firing");
        alert["startsAt"] = time.clone();
        let (found, notes) = read(&notification(&json!([alert])));
        let found = found[0].as_ref().expect("it is raised all the same");
        assert_eq!(found.since.is_some(), is_kept, "{time}");
        assert_eq!(notes.is_none(), is_kept, "{time}: {notes:?}");
        let shown = format!("got `{}`", as_text(&time));
        assert!(notes.is_none_or(|notes| notes.contains(&shown)), "{time}");
        let data = found.data.as_ref().unwrap();
        assert_eq!(data.contains_key("doorNotes"), !is_kept, "{time}");
    }
}

#[test]
fn what_is_odd_about_one_alert_is_made_to_fit_and_takes_no_other_along() {
    let alert = |key: &str, value: Value| {
        let mut alert = latency("firing");
        alert[key] = value;
        alert
    };
    for (odd, note) in [
        (
            alert("status", json!("pending")),
            "alerts[1].status: expected firing or resolved",
        ),
        (
            alert("labels", json!(null)),
            "alerts[1].labels: expected an object",
        ),
        (
            alert("fingerprint", json!("")),
            "alerts[1].fingerprint: expected 1 to 64",
        ),
        (alert("fingerprint", json!("a b")), "made of the labels"),
        (alert("fingerprint", json!(null)), "made of the labels"),
    ] {
        let (found, notes) = read(&notification(&json!([
            latency("firing"),
            odd,
            latency("resolved")
        ])));
        assert!(found.iter().all(Option::is_some), "{odd}");
        let notes = notes.expect("it is told");
        assert!(notes.contains(note), "{notes}");
    }
    let numbers = alert("labels", json!({"alertname": "A", "n": 1}));
    assert_eq!(alerts(&notification(&json!([numbers])))[0].kind, "A");
    let (found, notes) = read(&notification(&json!([latency("firing"), 7])));
    assert!(found[0].is_some() && found[1].is_none());
    assert_eq!(
        notes.as_deref(),
        Some("alerts[1].alert: refused: expected an object")
    );
}

#[test]
fn without_a_fingerprint_the_labels_are_the_identity() {
    let identity = |labels: Value| {
        let mut alert = latency("firing");
        alert["labels"] = labels;
        alert["fingerprint"] = json!(null);
        let (found, _) = read(&notification(&json!([alert])));
        found[0].as_ref().unwrap().fingerprint.clone().unwrap()
    };
    let one = identity(json!({"alertname": "A", "job": "b"}));
    assert_eq!(identity(json!({"job": "b", "alertname": "A"})), one);
    assert_ne!(identity(json!({"job": "c", "alertname": "A"})), one);
}

#[test]
fn what_is_odd_about_the_notification_loses_no_alert() {
    let with = |key: &str, value: Value| {
        let mut body = notification(&json!([latency("firing")]));
        body[key] = value;
        body
    };
    for (body, note) in [
        (with("version", json!("3")), Some("version: expected \"4\"")),
        (with("version", json!(4)), Some("version: expected \"4\"")),
        (with("groupKey", json!(null)), None),
        (with("truncatedAlerts", json!(-1)), None),
        (
            with("alerts", json!(vec![latency("firing"); 502])),
            Some("alerts: 500 were read, 2 left out"),
        ),
    ] {
        let (found, notes) = read(&body);
        assert!((1..=500).contains(&found.iter().flatten().count()));
        assert_eq!(notes.is_some(), note.is_some(), "{notes:?}");
        assert!(notes.unwrap_or_default().contains(note.unwrap_or_default()));
    }
    for body in [with("alerts", json!({})), with("alerts", json!([]))] {
        let refused = parse(
            body.as_object().unwrap(),
            "production",
            &mut DoorNotes::default(),
        );
        assert!(refused.is_err(), "{body}");
    }
}
