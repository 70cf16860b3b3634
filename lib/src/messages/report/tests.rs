use serde_json::{Value, json};

use super::*;

fn report(kind: &str, from: &str, to: &str, lines: &Value) -> Report {
    Report::read(&json!({
        "kind": kind, "environment": "production", "from": from, "to": to,
        "before": {"from": "2026-11-16T00:00:00+00:00"}, "lines": lines,
        "outdatedHandedIn": {"npm": "2026-11-20T08:00:00+00:00", "cargo": null},
        "costUnknown": ["messages email"],
    }))
    .unwrap()
}

fn daily(lines: &Value) -> Report {
    report(
        "daily",
        "2026-11-23T00:00:00+00:00",
        "2026-11-24T00:00:00+00:00",
        lines,
    )
}

/// The verdict on a figure of that line beside those before.
fn check(
    line: &str,
    value: impl Into<Value>,
    before: [Option<f64>; 4],
    over: &Value,
    expected: Verdict,
) {
    let value = value.into();
    let mut row = json!({"line": line, "value": value, "before": before});
    row.as_object_mut()
        .unwrap()
        .extend(over.as_object().unwrap().clone());
    let read = daily(&json!([row]));
    let found = read.lines.iter().find(|found| found.id == line).unwrap();
    assert_eq!(
        found.verdict(),
        expected,
        "{line} {value} beside {before:?} with {over}"
    );
}

#[test]
fn a_figure_is_judged_by_its_bound_and_by_the_four_before_it() {
    let four = |value: f64| [Some(value); 4];
    let none = json!({});
    for (line, value, before, expected) in [
        ("errors", 10.0, four(10.0), Verdict::AsUsual),
        // The root of ten is chance.
        ("errors", 13.0, four(10.0), Verdict::AsUsual),
        ("errors", 14.0, four(10.0), Verdict::Worse),
        ("errors", 6.0, four(10.0), Verdict::Better),
        ("errors", 1.0, four(0.0), Verdict::AsUsual),
        ("errors", 2.0, four(0.0), Verdict::Worse),
        ("people", 6.0, four(10.0), Verdict::Worse),
        ("people", 14.0, four(10.0), Verdict::Better),
        ("requests", 140.0, four(100.0), Verdict::Higher),
        ("requests", 60.0, four(100.0), Verdict::Lower),
        // A tenth of the mean, beyond the least and the greatest.
        (
            "response_p95",
            550.0,
            [Some(400.0), Some(500.0), Some(450.0), None],
            Verdict::Worse,
        ),
        (
            "response_p95",
            544.0,
            [Some(400.0), Some(500.0), Some(450.0), None],
            Verdict::AsUsual,
        ),
        (
            "response_p95",
            354.0,
            [Some(400.0), Some(500.0), Some(450.0), None],
            Verdict::Better,
        ),
        (
            "errors",
            90.0,
            [Some(1.0), None, None, None],
            Verdict::TooLittle,
        ),
        ("errors", 90.0, [None; 4], Verdict::TooLittle),
    ] {
        check(line, value, before, &none, expected);
    }
    check("errors", Value::Null, four(3.0), &none, Verdict::NoData);
    for (line, value, over, expected) in [
        (
            "error_rate",
            9.0,
            json!({"samples": 29, "minimum": 30, "bound": 5}),
            Verdict::TooLittle,
        ),
        (
            "error_rate",
            9.0,
            json!({"samples": 30, "minimum": 30, "bound": 5}),
            Verdict::BeyondBound,
        ),
        (
            "error_rate",
            5.0,
            json!({"samples": 30, "minimum": 30, "bound": 5}),
            Verdict::AsUsual,
        ),
        (
            "error_rate",
            5.0,
            json!({"samples": null, "minimum": 30}),
            Verdict::TooLittle,
        ),
        ("uptime", 5.0, json!({"bound": 99.9}), Verdict::BeyondBound),
        (
            "certificate_days",
            5.0,
            json!({"bound": 30}),
            Verdict::BeyondBound,
        ),
        (
            "certificate_days",
            5.0,
            json!({"bound": 5}),
            Verdict::AsUsual,
        ),
    ] {
        check(line, value, four(5.0), &over, expected);
    }
}

#[test]
fn a_report_says_its_period_and_what_it_is_beside() {
    for (kind, from, to, headline, comparison) in [
        (
            "daily",
            "2026-11-23T00:00:00Z",
            "2026-11-24T00:00:00Z",
            "Daily report of 2026-11-23: ",
            "Beside 2026-11-16, and the mean of the four same days of the week before. Times are UTC.",
        ),
        (
            "weekly",
            "2026-11-16T00:00:00Z",
            "2026-11-23T00:00:00Z",
            "Weekly report of 2026-11-16 to 2026-11-22: ",
            "Beside the week from 2026-11-16, and the mean of the four weeks before. Times are UTC.",
        ),
        (
            "monthly",
            "2028-02-01T00:00:00Z",
            "2028-03-01T00:00:00Z",
            "Monthly report of February 2028: ",
            "Beside November 2026, and the mean of the four months before. Times are UTC.",
        ),
    ] {
        let report = report(kind, from, to, &json!([]));
        assert_eq!(
            report.headline(),
            format!("{headline}nothing calls for a look")
        );
        assert_eq!(report.comparison(), comparison);
    }
}

#[test]
fn figures_are_said_in_their_units() {
    for (line, subject, value, expected) in [
        ("uptime", Some("app"), 99.954, "99.95 %"),
        ("response_p95", None, 1_250.0, "1.25 s"),
        ("web_vital", Some("CLS"), 0.12, "0.12"),
        ("web_vital", Some("LCP"), 2_400.0, "2.4 s"),
        ("backup_age", None, 5_400.0, "1 h 30 min"),
        ("drill_time", None, 12.3, "12.3 s"),
        ("drill_age", None, 604_800.0, "7 d"),
        ("database_size", None, 1_234_567_890.0, "1.23 GB"),
        ("database_growth", None, -300_000.0, "-300 kB"),
        ("certificate_days", None, 1.0, "1 day"),
        ("month_cost", None, 12.5, "$12.50"),
        ("requests", None, 12_345.0, "12,345"),
    ] {
        let report =
            daily(&json!([{"line": line, "subject": subject, "value": value, "before": []}]));
        let found = report.lines.iter().find(|found| found.id == line).unwrap();
        assert_eq!(found.figure(), expected, "{line}");
        assert_eq!((found.former().as_str(), found.mean().as_str()), ("-", "-"));
    }
}

#[test]
fn of_an_empty_project_every_line_says_that_there_is_no_data() {
    let report = daily(&json!([]));
    assert_eq!(report.lines.len(), ALL.len());
    for line in &report.lines {
        let expected = if line.id == "outdated" {
            "never handed in"
        } else {
            "no data yet"
        };
        assert_eq!(line.figure(), expected, "{}", line.id);
        assert_eq!(line.verdict(), Verdict::NoData, "{}", line.id);
    }
    assert_eq!(report.summary(), "");
}

#[test]
fn a_line_that_is_not_known_goes_by_its_id_and_an_odd_one_takes_none_along() {
    let report = daily(&json!([
        7, {"value": 1}, {"line": "moon_phase", "value": 0.5, "before": [0.5, 0.5]},
        {"line": "errors", "value": "many", "before": "none"},
    ]));
    let text = text(&report);
    assert!(
        text.contains("\nOther\n  moon_phase: 0.5 (before 0.5, mean 0.5): as usual | /dashboard\n"),
        "{text}"
    );
    assert!(
        text.contains("  Errors: no data yet | pourtrait errors list\n"),
        "{text}"
    );
}

#[test]
fn what_calls_for_a_look_is_said_first() {
    let report = daily(&json!([
        {"line": "errors", "value": 40, "before": [10, 10, 10, 10]},
        {"line": "backup_age", "value": 7200, "before": [], "bound": 3600},
        {"line": "outdated", "subject": "npm", "value": 3, "before": [3, 3, 3, 3]},
    ]));
    assert_eq!(
        report.headline(),
        "Daily report of 2026-11-23: 2 lines call for a look"
    );
    assert_eq!(
        report.summary(),
        "Errors: 40, worse\nAge of the newest backup: 2 h, beyond its bound of 1 h"
    );
    let text = text(&report);
    assert!(
        text.contains("  Errors: 40 (before 10, mean 10): worse | pourtrait errors list\n"),
        "{text}"
    );
    assert!(
        text.contains("  Outdated dependencies: npm: 3, as handed in on 2026-11-20 (before 3, mean 3): as usual"),
        "{text}"
    );
    assert!(
        text.ends_with("\nNo part of the cost, because nobody tells: messages email.\n"),
        "{text}"
    );
}

#[test]
fn what_is_no_report_is_none() {
    for value in [
        json!(null),
        json!({}),
        json!({"lines": {}}),
        json!({"lines": [], "kind": "daily"}),
    ] {
        assert_eq!(Report::read(&value), None, "{value}");
    }
}

/// The maintenance lists of the operation's plan, and docs/reports.md, which answers each line
/// by figures and commands.
#[test]
fn every_line_of_the_maintenance_lists_is_answered_by_a_figure_or_a_command() {
    const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reports.md"));
    const TASKS: [&str; 12] = [
        "Monitor application health and performance",
        "Review error logs and alert notifications",
        "Verify backup completion and integrity",
        "Check system resource utilization",
        "Review performance metrics and trends",
        "Update dependencies and security patches",
        "Analyze user behavior and feature usage",
        "Conduct backup restoration tests",
        "Perform disaster recovery drills",
        "Review and update documentation",
        "Conduct security audits and assessments",
        "Optimize database performance and cleanup",
    ];
    let mut named = Vec::new();
    for task in TASKS {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {task} |")))
            .unwrap_or_else(|| panic!("docs/reports.md does not answer `{task}`"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ids: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(
            !ids.is_empty() || cells[3].contains('`'),
            "{task} has neither"
        );
        named.extend(ids);
    }
    for id in named {
        assert!(
            Definition::of(id).is_some(),
            "docs/reports.md names `{id}`, which is no line"
        );
    }
    for known in &ALL {
        assert!(
            PAGE.contains(&format!("`{}`", known.id)),
            "docs/reports.md does not name `{}`",
            known.id
        );
    }
}
