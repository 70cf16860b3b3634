//! What messages say of delivery itself.

use serde_json::{Value, json};

use super::{down, text};

/// The line of a message that begins so.
fn line(rule: &str, kind: &str, over: &Value, label: &str) -> String {
    let text = text(rule, kind, over);
    text.lines()
        .find_map(|line| line.strip_prefix(&format!("{label}: ")))
        .unwrap_or_else(|| panic!("no {label} in {text}"))
        .to_owned()
}

#[test]
fn a_copy_says_in_whose_place_it_came() {
    let mut copy = down();
    copy["standsInFor"] = json!(["slack"]);
    assert_eq!(
        line("app_down", "firing", &copy, "In place of"),
        "Slack, where it does not arrive"
    );
    copy["standsInFor"] = json!(["slack", "email"]);
    assert_eq!(
        line("app_down", "resolved", &copy, "In place of"),
        "Slack and email, where it does not arrive"
    );
    assert!(!text("app_down", "firing", &down()).contains("In place of"));
}

#[test]
fn a_failing_channel_comes_with_its_error_and_an_unproven_one_with_its_reason() {
    let failing = json!({"subject": "slack", "value": 6.5, "threshold": 5, "unit": "min",
                         "samples": null, "reason": "the channel is archived"});
    assert_eq!(
        line("channel_failing", "firing", &failing, "Found"),
        "the channel is archived, failing for 6 min 30 s, threshold 5 min"
    );
    let unproven = |reason: Value, days: f64| {
        json!({"subject": "slack", "value": days, "threshold": 35, "unit": "days",
               "samples": null, "reason": reason})
    };
    for (kind, facts, label, expected) in [
        (
            "firing",
            unproven(Value::Null, 35.2),
            "Found",
            "since the last message 35.2 days, threshold 35 days",
        ),
        (
            "firing",
            unproven(json!("untested"), 32.0),
            "Found",
            "the month's test was not sent within a day, since the last message 32 days, threshold 35 days",
        ),
        (
            "resolved",
            unproven(json!("proven"), 0.0),
            "Now",
            "something was sent, since the last message 0 days, threshold 35 days",
        ),
    ] {
        assert_eq!(line("delivery_unproven", kind, &facts, label), expected);
    }
}

#[test]
fn a_job_says_how_it_fails() {
    for (rule, value, threshold, unit, expected) in [
        ("job_failing", 3.0, 3.0, None, "failed runs 3, threshold 3"),
        (
            "job_missed",
            33.3,
            20.0,
            Some("%"),
            "missed slots 33.3 %, threshold 20 %",
        ),
        (
            "job_slow",
            95.0,
            80.0,
            Some("%"),
            "share of its interval 95 %, threshold 80 %",
        ),
    ] {
        let facts = json!({"subject": "dispatch", "value": value, "threshold": threshold,
                           "unit": unit, "samples": null});
        assert_eq!(line(rule, "firing", &facts, "Found"), expected, "{rule}");
    }
}
