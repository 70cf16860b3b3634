use serde_json::json;

use super::*;

/// What a body says, from its bytes on.
fn parse(body: &[u8], environment: &'static str) -> Result<Vec<NewAlert>, String> {
    super::parse(&read(body)?, environment)
}

fn check(body: &str, expected: &str) {
    let problem = parse(body.as_bytes(), "production").expect_err(body);
    assert_eq!(problem, expected, "{body}");
}

fn refused(field: &str, value: &Value) -> String {
    let mut alert = json!({"source": "ci", "severity": "high", "title": "t"});
    alert[field] = value.clone();
    match parse(alert.to_string().as_bytes(), "production") {
        Ok(_) => "taken".into(),
        Err(problem) => problem,
    }
}

#[test]
fn one_alert_an_array_and_an_envelope_say_the_same() {
    let alert = json!({"source": "ci", "severity": "high", "title": "Deploy failed"});
    let expected = [NewAlert {
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
        environment: "preview",
    }];
    for body in [alert.clone(), json!([alert]), json!({ "alerts": [alert] })] {
        let parsed = parse(body.to_string().as_bytes(), "preview").unwrap();
        assert_eq!(parsed, expected, "{body}");
    }
}

#[test]
fn the_database_gets_every_field_under_its_own_name() {
    let body = json!({
        "status": "resolved", "source": "ci.main", "type": "business", "severity": "low", "title": "t",
        "message": "a\n\tb", "subject": "s", "fingerprint": "f", "data": {"n": 1.5, "deep": {"list": [null]}},
    });
    let alerts = parse(body.to_string().as_bytes(), "production").unwrap();
    let mut expected = body;
    expected["environment"] = json!("production");
    assert_eq!(json!(alerts), json!([expected]));
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
        assert_eq!(refused(field, &Value::Null), "taken", "{field}");
    }
}

#[test]
fn what_is_not_json_or_not_alerts_is_refused() {
    check(
        "",
        "the body is not JSON: EOF while parsing a value at line 1 column 0",
    );
    check(
        "{\"source\": NaN}",
        "the body is not JSON: expected value at line 1 column 12",
    );
    check("[1e999]", "alerts[0]: expected an object");
    let expected = "expected an alert, or an array of alerts, or {\"alerts\": […]}";
    for body in ["null", "1", "\"alert\"", "true"] {
        check(body, expected);
    }
    check("[]", "alerts: expected 1 to 100 alerts, got 0");
    check("{\"alerts\": {}}", "alerts: expected an array");
    check("[null]", "alerts[0]: expected an object");
    check("{}", "source: missing; severity: missing; title: missing");
}

#[test]
fn a_field_of_another_type_or_length_is_named() {
    let slug = "expected 1 to 50 of a-z, 0-9, '.', '_' and '-'";
    for (field, value, problem) in [
        ("source", json!("CI"), slug),
        ("source", json!(""), slug),
        ("source", json!("x".repeat(51)), slug),
        ("type", json!("a b"), slug),
        ("type", json!(1), slug),
        ("status", json!("open"), "expected firing or resolved"),
        (
            "severity",
            json!("fatal"),
            "expected critical, high, medium or low",
        ),
        (
            "severity",
            json!(3),
            "expected critical, high, medium or low",
        ),
        ("title", json!(["t"]), "expected text"),
        ("title", json!("  "), "expected 1 to 200 characters"),
        (
            "title",
            json!("é".repeat(201)),
            "expected 1 to 200 characters",
        ),
        ("title", json!("a\nb"), "contains control characters"),
        ("message", json!("a\u{0}b"), "contains control characters"),
        ("message", json!("a\rb"), "contains control characters"),
        (
            "message",
            json!("é".repeat(4_001)),
            "expected 1 to 4000 characters",
        ),
        ("subject", json!("\u{85}"), "expected 1 to 200 characters"),
        (
            "fingerprint",
            json!("a\u{7f}"),
            "contains control characters",
        ),
        ("data", json!([1]), "expected an object"),
        (
            "data",
            json!({"a": "x".repeat(8_200)}),
            "expected at most 8192 bytes of JSON",
        ),
        ("data", json!({"a": [{"b\u{0}": 1}]}), "contains U+0000"),
        ("data", json!({"a": ["\u{0}"]}), "contains U+0000"),
    ] {
        assert_eq!(
            refused(field, &value),
            format!("{field}: {problem}"),
            "{value}"
        );
    }
    assert_eq!(refused("title", &json!("é".repeat(200))), "taken");
}

#[test]
fn a_firing_alert_needs_more_than_a_resolved_one() {
    check("{\"source\": \"ci\"}", "severity: missing; title: missing");
    check(
        "{\"source\": \"ci\", \"status\": \"resolved\"}",
        "fingerprint: a resolved alert needs the fingerprint, subject or title that it was raised with",
    );
    let resolved = b"{\"source\": \"ci\", \"status\": \"resolved\", \"subject\": \"deploy\"}";
    assert!(parse(resolved, "production").is_ok());
}

#[test]
fn all_problems_of_all_alerts_come_together() {
    let body = json!({"alerts": [
        {"source": "ci", "severity": "high", "title": "fine"},
        {"source": "CI", "severity": "high", "title": "t", "colour": "red"},
        7,
        {"severity": "no", "title": "", "message": 1},
    ], "extra\u{7}": 1});
    check(
        &body.to_string(),
        "extra: unknown field; alerts[1].colour: unknown field; \
         alerts[1].source: expected 1 to 50 of a-z, 0-9, '.', '_' and '-'; \
         alerts[2]: expected an object; alerts[3].source: missing; \
         alerts[3].severity: expected critical, high, medium or low; \
         alerts[3].title: expected 1 to 200 characters; alerts[3].message: expected text",
    );
}

#[test]
fn a_huge_request_gets_a_short_answer() {
    let many = json!(vec![json!({}); 100]);
    let problem = parse(many.to_string().as_bytes(), "production").unwrap_err();
    assert!(problem.ends_with("; and 280 more"), "{problem}");
    assert!(problem.len() < 2_000);
    let more = json!(vec![json!({}); 101]);
    check(
        &more.to_string(),
        "alerts: expected 1 to 100 alerts, got 101",
    );
    let key = "k".repeat(100_000);
    let problem = parse(json!({ key: 1 }).to_string().as_bytes(), "production").unwrap_err();
    assert!(problem.len() < 200, "{problem}");
    let deep = "[".repeat(100_000);
    check(
        &deep,
        "the body is not JSON: recursion limit exceeded at line 1 column 128",
    );
}

#[test]
fn only_what_users_report_needs_no_severity() {
    let report = json!({"source": "user-report", "title": "I cannot sign in"});
    let parsed = parse(report.to_string().as_bytes(), "production").unwrap();
    assert_eq!(parsed[0].severity, None);
    check(
        r#"{"source": "user-reports", "title": "t"}"#,
        "severity: missing",
    );
}
