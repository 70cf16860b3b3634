use serde_json::json;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn firing(rule: &str, severity: &str, opened: &str, resolved: Option<&str>) -> Answered<Firing> {
    let firing = json!({
        "rule": rule, "subject": "s", "severity": severity, "firstBadAt": opened,
        "openedAt": opened, "resolvedAt": resolved,
    });
    Answered::read(firing)
}

/// A replay over two days.
fn report() -> Report {
    let rules = json!([
        {"rule": "app_down", "severity": "critical", "manner": "judged"},
        {"rule": "external", "severity": null, "manner": "happened"},
        {"rule": "critical_error", "severity": "low", "manner": "happened"},
        {"rule": "slow_queries", "severity": "medium", "manner": "recorded"},
        {"rule": "monitoring_gap", "severity": "high", "manner": "none"},
    ]);
    Report::new(
        time("2026-11-22T00:00:00Z"),
        time("2026-11-24T00:00:00Z"),
        serde_json::from_value(rules).unwrap(),
        vec!["digest.hour_utc".to_owned()],
    )
}

#[test]
fn pages_are_what_opens_in_the_period_and_is_critical_or_high() {
    let mut report = report();
    report.add(
        2_880,
        vec![
            firing(
                "app_down",
                "critical",
                "2026-11-21T23:00:00Z",
                Some("2026-11-22T01:30:00Z"),
            ),
            firing(
                "app_down",
                "critical",
                "2026-11-22T12:00:00Z",
                Some("2026-11-22T12:10:00Z"),
            ),
            firing(
                "app_down",
                "high",
                "2026-11-23T12:00:00Z",
                Some("2026-11-23T12:20:00Z"),
            ),
            firing(
                "app_slow",
                "medium",
                "2026-11-23T12:00:00Z",
                Some("2026-11-23T13:05:00Z"),
            ),
        ],
    );
    let open = json!({"rule": "app_down", "subject": "s", "severity": "critical", "state": {}, "openings": [],
        "firstBadAt": "2026-11-23T22:58:00Z", "openedAt": "2026-11-23T23:00:00Z", "resolvedAt": null});
    let pending = json!({"rule": "app_down", "subject": "t", "severity": null, "openedAt": null});
    report.finish(vec![Answered::read(open), Answered::read(pending)]);
    assert_eq!(report.busiest_day(), 2);
    let sums = report.sums(&report.firings);
    let down = &sums[&("app_down", "s")];
    assert_eq!((down.openings, down.pages), (3, 3));
    // From the beginning of the period and up to its end.
    assert_eq!(
        (down.seconds, down.longest),
        (60 * (90 + 10 + 20 + 60), 5_400)
    );
    assert_eq!(report.pages.total, 3);
    assert!((report.pages.per_day - 1.5).abs() < 1e-9);
}

#[test]
fn what_this_build_cannot_read_is_left_out_and_counted() {
    let mut report = report();
    let opened = "2026-11-22T12:00:00Z";
    report.add(
        1,
        vec![
            firing("app_down", "apocalyptic", opened, None),
            firing("app_down", "high", opened, None),
        ],
    );
    report.finish(Vec::new());
    assert_eq!((report.left_out(), report.pages.total), (1, 1));
}

#[test]
fn what_others_raise_would_have_been_raised_all_the_same() {
    let mut report = report();
    report.add_happened(vec![
        firing(
            "external",
            "high",
            "2026-11-22T12:00:00Z",
            Some("2026-11-22T12:10:00Z"),
        ),
        firing("critical_error", "critical", "2026-11-22T13:00:00Z", None),
        firing(
            "app_down",
            "critical",
            "2026-11-22T14:00:00Z",
            Some("2026-11-22T14:10:00Z"),
        ),
    ]);
    report.finish(Vec::new());
    let replayed: Vec<_> = report
        .firings
        .iter()
        .map(|one| (one.rule.as_str(), one.severity))
        .collect();
    assert_eq!(
        replayed,
        [
            ("external", Severity::High),
            ("critical_error", Severity::Low)
        ]
    );
    assert_eq!((report.pages.total, report.pages_really.total), (1, 3));
}

#[test]
fn the_text_sets_what_would_have_been_beside_what_was() {
    let mut report = report();
    report.add(
        2_880,
        vec![firing(
            "app_down",
            "critical",
            "2026-11-22T12:00:00Z",
            Some("2026-11-22T13:10:00Z"),
        )],
    );
    report.add_happened(vec![
        firing(
            "app_down",
            "critical",
            "2026-11-22T12:00:00Z",
            Some("2026-11-22T12:30:00Z"),
        ),
        firing(
            "app_down",
            "critical",
            "2026-11-22T12:40:00Z",
            Some("2026-11-22T13:10:00Z"),
        ),
        firing(
            "slow_queries",
            "medium",
            "2026-11-22T12:00:00Z",
            Some("2026-11-24T15:00:00Z"),
        ),
    ]);
    report.finish(Vec::new());
    assert_eq!(
        report.text(),
        "2880 ticks from 2026-11-22T00:00:00Z to 2026-11-24T00:00:00Z\n\
         RULE          SUBJECT  OPENED  TOTAL   LONGEST  PAGES/DAY  REALLY  REAL TOTAL\n\
         app_down      s        1       1h 10m  1h 10m   0.5        2       1h 0m\n\
         slow_queries  s        0       0m      0m       0.0        1       1d 12h\n\
         \n\
         pages a day: 0.5, most on 2026-11-22: 1\n\
         really:      1.0, most on 2026-11-22: 2\n\
         digest.hour_utc: not tried, the past cannot tell\n\
         external, critical_error: as it happened, others raise it\n\
         slow_queries: by the verdicts of that time, what they measure is not kept\n\
         monitoring_gap: left out, it sends a notice and opens nothing"
    );
}
