use serde_json::json;

use super::*;

/// What a body says, and what had to be changed about it.
fn read(body: &Value) -> (Vec<Option<NewAlert>>, Option<String>) {
    let mut notes = DoorNotes::default();
    let alerts = parse(body, "production", &mut notes).expect("a list of alerts");
    (alerts, notes.text())
}

/// An alert that lacks nothing, with one field replaced.
fn with(field: &str, value: &Value) -> (NewAlert, String) {
    let mut alert = json!({"source": "ci", "severity": "high", "title": "t", "subject": "s"});
    alert[field] = value.clone();
    let (alerts, notes) = read(&alert);
    let alert = alerts.into_iter().next().flatten();
    (alert.expect("it is raised"), notes.unwrap_or_default())
}

#[test]
fn one_alert_an_array_and_an_envelope_say_the_same() {
    let alert = json!({"source": "ci", "severity": "high", "title": "Deploy failed"});
    let expected = NewAlert {
        status: Status::Firing,
        source: "ci".into(),
        kind: "external".into(),
        severity: Some(Severity::High),
        title: Some("Deploy failed".into()),
        message: None,
        subject: None,
        fingerprint: None,
        data: None,
        since: None,
        environment: "production",
    };
    for body in [alert.clone(), json!([alert]), json!({ "alerts": [alert] })] {
        assert_eq!(read(&body), (vec![Some(expected.clone())], None), "{body}");
    }
}

#[test]
fn the_database_gets_every_field_under_its_own_name() {
    let body = json!({
        "status": "resolved", "source": "ci.main", "type": "business", "severity": "low", "title": "t",
        "message": "a\n b", "subject": "s", "fingerprint": "f", "data": {"n": 1.5, "deep": {"list": [null]}},
    });
    let (alerts, notes) = read(&body);
    let mut expected = body;
    expected["environment"] = json!("production");
    assert_eq!((json!(alerts), notes), (json!([expected]), None));
}

#[test]
fn null_is_the_same_as_nothing() {
    for field in [
        "status",
        "type",
        "message",
        "subject",
        "fingerprint",
        "data",
    ] {
        let (alert, notes) = with(field, &Value::Null);
        assert_eq!(
            (alert.title.as_deref(), notes.as_str()),
            (Some("t"), ""),
            "{field}"
        );
    }
}

#[test]
fn what_is_no_list_of_alerts_is_refused() {
    let refused = |body: &Value| parse(body, "production", &mut DoorNotes::default()).unwrap_err();
    let expected = "expected an alert, or an array of alerts, or {\"alerts\": […]}";
    for body in [json!(null), json!(1), json!("alert"), json!(true)] {
        assert_eq!(refused(&body), expected, "{body}");
    }
    assert_eq!(refused(&json!([])), "alerts: expected at least one");
    assert_eq!(refused(&json!({"alerts": {}})), "alerts: expected an array");
}

#[test]
fn a_detail_is_cut_or_replaced_and_told_and_the_alert_is_raised() {
    let name = "expected 1 to 50 of a-z, 0-9, '.', '_' and '-', made to fit";
    let severity = "expected critical, high, medium or low, taken as medium";
    for (field, value, note) in [
        (
            "source",
            json!(""),
            format!("{name}; source: missing, taken as `unknown`"),
        ),
        ("source", json!("x".repeat(51)), name.into()),
        ("type", json!("a b"), name.into()),
        ("type", json!(["a"]), name.into()),
        (
            "status",
            json!("open"),
            "expected firing or resolved, taken as firing".into(),
        ),
        (
            "status",
            json!(1),
            "expected firing or resolved, taken as firing".into(),
        ),
        ("severity", json!("apocalyptic"), severity.into()),
        ("severity", json!(3), severity.into()),
        ("title", json!(["t"]), "expected text, taken as JSON".into()),
        (
            "title",
            json!("é".repeat(201)),
            "cut to 200 characters".into(),
        ),
        ("title", json!("a\nb"), "line breaks taken as blanks".into()),
        (
            "title",
            json!("a\u{200b}b\u{0}"),
            "invisible characters removed".into(),
        ),
        (
            "message",
            json!("a\u{0}b"),
            "invisible characters removed".into(),
        ),
        (
            "message",
            json!("é".repeat(4_001)),
            "cut to 4000 characters".into(),
        ),
        ("subject", json!("\u{85}"), "shows nothing, left out".into()),
        (
            "fingerprint",
            json!("a\u{7f}"),
            "invisible characters removed".into(),
        ),
        (
            "data",
            json!([1]),
            "expected an object, kept as its `value`".into(),
        ),
        (
            "data",
            json!({"a": "x".repeat(8_200)}),
            "cut to 8192 bytes of JSON".into(),
        ),
        (
            "data",
            json!({"a": "x".repeat(5_000), "b": "x".repeat(5_000)}),
            "cut to 8192 bytes of JSON".into(),
        ),
        (
            "data",
            json!({"a": [{"b\u{0}": 1}]}),
            "U+0000 removed".into(),
        ),
        ("data", json!({"a": ["\u{0}"]}), "U+0000 removed".into()),
        ("colour", json!("red"), "unknown field, left out".into()),
    ] {
        let (alert, notes) = with(field, &value);
        assert_eq!(notes, format!("{field}: {note}"), "{value}");
        let mark = &alert.data.expect("a mark")[MARK];
        assert_eq!(mark, &json!(notes), "{value}");
    }
}

#[test]
fn what_fits_is_taken_as_it_is() {
    for (field, value) in [
        ("title", json!("é".repeat(200))),
        ("source", json!("CI")),
        ("severity", json!("CRITICAL")),
        ("severity", json!("page")),
        ("status", json!("Firing")),
        ("message", json!("a\n\n  b\tc\r\n")),
        ("data", json!({"a": "x".repeat(8_100)})),
    ] {
        let (_, notes) = with(field, &value);
        assert_eq!(notes, "", "{field} {value}");
    }
    assert_eq!(with("source", &json!("CI")).0.source, "ci");
    assert_eq!(
        with("severity", &json!("Page")).0.severity,
        Some(Severity::Critical)
    );
    let (alert, _) = with(
        "title",
        &json!(format!("{}\n{}", "a".repeat(150), "b".repeat(100))),
    );
    let title = alert.title.unwrap();
    assert!(
        title.ends_with("b…") && title.chars().count() == 200,
        "{title}"
    );
    let (alert, _) = with(
        "data",
        &json!({"a": "x".repeat(8_000), "b": "y".repeat(8_000), "c": 1}),
    );
    let kept = alert.data.unwrap();
    assert!(
        kept.contains_key("c") && kept.len() == 3,
        "one of two, c, and the mark"
    );
}

#[test]
fn a_cut_never_makes_two_alerts_one() {
    let long = |end: &str| format!("{}{end}", "x".repeat(300));
    for field in ["source", "type", "subject", "fingerprint"] {
        let identity = |end: &str| {
            let (alert, notes) = with(field, &json!(long(end)));
            assert!(!notes.is_empty(), "{field}");
            (alert.source, alert.kind, alert.fingerprint)
        };
        assert_ne!(identity("a"), identity("b"), "{field}");
        assert_eq!(identity("a"), identity("a"), "{field}");
    }
    let titled = |end: &str| {
        let (alerts, _) = read(&json!({"source": "ci", "severity": "low", "title": long(end)}));
        alerts[0].as_ref().unwrap().fingerprint.clone()
    };
    assert_ne!(titled("a"), titled("b"));
    assert_ne!(
        with("source", &json!("каса")).0.source,
        with("source", &json!("бассейн")).0.source
    );
}

#[test]
fn a_title_that_shows_nothing_is_taken_from_what_does() {
    for title in [
        json!(null),
        json!(""),
        json!(" \u{200b}\u{200d}\u{3164}\u{2060}"),
    ] {
        let alert = |message: Option<&str>, subject: Option<&str>| {
            let (alerts, notes) = read(&json!({
                "source": "ci", "severity": "high", "title": title, "message": message, "subject": subject,
            }));
            assert!(notes.unwrap().contains("title: "), "{title}");
            alerts[0].as_ref().and_then(|alert| alert.title.clone())
        };
        assert_eq!(
            alert(Some("one\ntwo"), Some("s")).as_deref(),
            Some("one two")
        );
        assert_eq!(alert(None, Some("s")).as_deref(), Some("s"));
        assert_eq!(alert(None, None), None);
    }
    let (alerts, _) = read(&json!({"source": "ci", "fingerprint": "f", "severity": "low"}));
    assert_eq!(
        alerts[0].as_ref().unwrap().title.as_deref(),
        Some("external")
    );
}

#[test]
fn what_says_nothing_is_refused_alone() {
    let body = json!({"alerts": [
        {"source": "ci", "severity": "high", "title": "fine"},
        7,
        {},
        {"source": "ci", "status": "resolved"},
        {"source": "ci", "status": "resolved", "subject": "deploy"},
    ], "extra\u{7}": 1});
    let (alerts, notes) = read(&body);
    let raised: Vec<bool> = alerts.iter().map(Option::is_some).collect();
    assert_eq!(raised, [true, false, false, false, true]);
    assert_eq!(
        notes.unwrap(),
        "extra: unknown field, left out; alerts[1]: refused: expected an object; \
         alerts[2].source: missing, taken as `unknown`; \
         alerts[2].severity: missing, taken as medium; \
         alerts[2].title: refused: an alert needs one, or at least a message; \
         alerts[3].fingerprint: refused: a resolved alert needs the fingerprint, subject or title \
         that it was raised with",
    );
}

#[test]
fn a_huge_request_gets_a_short_answer() {
    let (alerts, notes) = read(&json!(vec![json!({"title": "t"}); ALERTS_LIMIT + 1]));
    assert_eq!(alerts.iter().flatten().count(), ALERTS_LIMIT);
    let notes = notes.unwrap();
    assert!(
        notes.starts_with("alerts: 500 were read, 1 left out"),
        "{notes}"
    );
    assert!(
        notes.ends_with("; and 981 more") && notes.len() < 2_000,
        "{notes}"
    );
    let key = "k".repeat(100_000);
    let (_, notes) = read(&json!({ key: 1, "title": "t" }));
    assert!(notes.unwrap().len() < 300);
}

#[test]
fn only_what_users_report_needs_no_severity() {
    let (alerts, notes) = read(&json!({"source": "user-report", "title": "I cannot sign in"}));
    assert_eq!((alerts[0].as_ref().unwrap().severity, notes), (None, None));
    let (alerts, notes) = read(&json!({"source": "user-reports", "title": "t"}));
    assert_eq!(alerts[0].as_ref().unwrap().severity, Some(Severity::Medium));
    assert_eq!(notes.as_deref(), Some("severity: missing, taken as medium"));
}
