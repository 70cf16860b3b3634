//! What each rule says, as a reader of plain text sees it.

use insta::assert_snapshot;
use serde_json::json;

use super::{down, facts, text};
use crate::messages::{message::Message, message_links::Places, rules::Rule};

/// What an alert of that rule may be about.
fn subject(rule: Rule) -> &'static str {
    match rule {
        Rule::AppDown | Rule::AppSlow => "https://wine.example/",
        Rule::ServiceDegraded => "imageProcessing",
        Rule::CertificateUrgent | Rule::CertificateExpiring => "wine.example",
        Rule::EndpointSlow => "GET /api/wines",
        Rule::CheckFailing | Rule::CheckSlow => "search-api",
        Rule::JobOverdue | Rule::JobFailing | Rule::JobMissed | Rule::JobSlow => "dispatch",
        Rule::ChannelFailing => "slack",
        Rule::DeliveryUnproven => "email",
        Rule::SignInAttempts => "address 192.0.2.1",
        Rule::AppAlert => "system",
        Rule::WebVitalPoor => "INP",
        Rule::ResourceHigh | Rule::ResourceFull => "database_disk",
        Rule::BackupGap => "operator class public.odd",
        Rule::OncallHole | Rule::OncallCalendarUnread => "Primary",
        Rule::ErrorNew | Rule::ErrorRegressed | Rule::ErrorSpike => "3f2a91c0",
        _ => "app",
    }
}

/// What the beginning and the end of an alert of each rule say.
fn sentences() -> String {
    let said = |rule: Rule, kind: &str| {
        let over = json!({"subject": subject(rule), "title": null, "message": "Cellar full"});
        let facts = facts(rule.as_str(), kind, &over);
        let message = Message::new(&facts, Places::default());
        format!("{}: {}", message.label(), message.headline)
    };
    let rules = Rule::ALL.into_iter();
    let lines: Vec<_> = rules
        .flat_map(|rule| ["firing", "resolved"].map(|kind| said(rule, kind)))
        .collect();
    lines.join("\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "each is a sentence")]
fn every_rule_has_a_sentence_for_its_beginning_and_its_end() {
    assert_snapshot!(sentences(), @r"
    High: https://wine.example/ is down
    Resolved: https://wine.example/ is up again
    High: The database is failing
    Resolved: The database works again
    High: No page of the app is watched
    Resolved: Pages of the app are watched again
    High: The app logged an error: Cellar full
    Resolved: No longer seen: Cellar full
    High: Monitoring is blind
    Resolved: Monitoring sees again
    High: Clocks have stopped calling
    Resolved: One clock at most calls nothing any more
    High: The newest backup is too old
    Resolved: The newest backup is recent enough again
    High: Monitoring was interrupted
    Resolved: Monitoring goes on
    High: A backup failed
    Resolved: Backups succeed again
    High: A backup is overdue
    Resolved: Backups are made in time again
    High: The newest backup is suspect
    Resolved: The newest backup is as it should be
    High: A backup was not restored as it should be in a drill
    Resolved: The last drill of the backups is good
    High: A backup is damaged in its store
    Resolved: Backups are whole in their store again
    High: The copy of the backups is behind them
    Resolved: The copy of the backups is up to them again
    High: A receipt of the backups is missing or altered
    Resolved: Receipts of the backups are whole, or what is wrong is accepted
    High: The store of the backups does not lock them
    Resolved: Nothing that the backups' store should lock is open
    High: The provider's own backups are not as they should be
    Resolved: The provider's own backups are as they should be again
    High: Somebody waits for what they asked of their data
    Resolved: Nobody waits for long for what they asked of their data
    High: The release app is worse than the day before it
    Resolved: The release app is no longer worse
    High: The API's error rate is high
    Resolved: The API's error rate is back to normal
    High: The error budget burns fast
    Resolved: The error budget no longer burns fast
    High: https://wine.example/ answers slowly
    Resolved: https://wine.example/ answers in time again
    High: The API is slow
    Resolved: The API is no longer slow
    High: A drill of the backups is overdue
    Resolved: Backups are drilled in time again
    High: Backups are not opened and read in time
    Resolved: Backups are opened and read in time again
    High: A drill of the whole way back is overdue
    Resolved: The whole way back is tried in time again
    High: Restores will soon take longer than they may
    Resolved: Restores will not take longer than they may
    High: What backups rest on is not read again in time
    Resolved: What backups rest on is read again in time
    High: The newest backup leaves out operator class public.odd
    Resolved: The newest backup no longer leaves out operator class public.odd
    High: An archive of the application is overdue
    Resolved: The application is archived in time again
    High: Old backups are not deleted
    Resolved: Old backups are deleted in time again
    High: Backups lack files of Storage
    Resolved: Backups have all files of Storage again
    High: Rows in Storage name files that are not there
    Resolved: Every row in Storage has its file again
    High: Production of the app is pinned
    Resolved: Production of the app is free again
    High: Image processing (Google Vision) is degraded
    Resolved: Image processing (Google Vision) works again
    High: The API is slow on average
    Resolved: The API's average is back to normal
    High: Pages load slowly
    Resolved: Pages load in time again
    High: Interaction to Next Paint (INP) is poor
    Resolved: Interaction to Next Paint (INP) is good again
    High: The certificate of wine.example ends soon
    Resolved: The earlier warning about the certificate of wine.example is over
    High: GET /api/wines is slow
    Resolved: GET /api/wines is no longer slow
    High: The error budget burns too fast to last
    Resolved: The error budget lasts again
    High: The certificate of wine.example ends soon
    Resolved: The earlier warning about the certificate of wine.example is over
    High: The check search-api fails
    Resolved: The check search-api succeeds again
    High: The check search-api is slow
    Resolved: The check search-api is quick enough again
    High: The database is running out of connections
    Resolved: The database has connections to spare again
    High: Nearly used up: the database's disk
    Resolved: No longer nearly used up: the database's disk
    High: Little is left of the database's disk
    Resolved: There is enough of the database's disk again
    High: Slow statements are called often
    Resolved: Slow statements are rare again
    High: Messages are not being delivered
    Resolved: Messages are delivered again
    High: The job dispatch is overdue
    Resolved: The job dispatch runs again
    High: The job dispatch fails
    Resolved: The job dispatch succeeds again
    High: The job dispatch is not always called
    Resolved: The job dispatch is called as it should be again
    High: The clock app does not call as it used to
    Resolved: The clock app calls as it used to again
    High: The job dispatch takes too long
    Resolved: The job dispatch is quick enough again
    High: Alerts do not arrive by Slack
    Resolved: Alerts arrive by Slack again
    High: Alerts by email are unproven
    Resolved: Alerts by email are proven again
    High: The app meets a new error: Cellar full
    Resolved: No longer seen: Cellar full
    High: An error is back: Cellar full
    Resolved: No longer seen: Cellar full
    High: An error happens often: Cellar full
    Resolved: No more often than before: Cellar full
    High: Nobody is on call for Primary at some time to come
    Resolved: Somebody is on call for Primary in all the days to come
    High: The calendar of Primary cannot be read
    Resolved: The calendar of Primary is read again
    High: The month is going to cost more than it may
    Resolved: The month is not going to cost more than it may
    High: Many attempts to sign in: address 192.0.2.1
    Resolved: No more attempts to sign in: address 192.0.2.1
    High: Somebody was made an admin
    Resolved: No further admin was made
    High: Many requests are refused
    Resolved: Requests are answered as usual again
    High: Access to the data changed without a migration
    Resolved: Access to the data has not changed further
    High: The app reports: Cellar full
    Resolved: Cellar full
    High: Cellar full
    Resolved: Cellar full
    ");
}

#[test]
fn a_backup_that_is_missing_says_how_old_the_last_one_is() {
    let age = json!({"value": 61.5, "threshold": 60, "unit": "min", "samples": null, "subject": "backup"});
    assert_snapshot!(text("backup_rpo_breached", "firing", &age), @r"
    [HIGH] The newest backup is too old
    High: The newest backup is too old

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: age of the newest backup 1 h 1 min, threshold 1 h
    Affects: nobody yet; if the database were lost now, more would be lost than was agreed
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#backup_rpo_breached
    ");
    let refused = json!({"reason": "the store refuses to be written to", "subject": "backup",
                         "value": null, "threshold": null, "unit": null, "samples": null});
    assert_snapshot!(text("backup_failed", "firing", &refused), @r"
    [HIGH] A backup failed
    High: A backup failed

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: the store refuses to be written to
    Affects: nobody yet; earlier backups are whole, the next run tries again
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#backup_failed
    ");
}

#[test]
fn a_figure_comes_with_its_threshold_and_with_what_it_rests_on() {
    let rate = json!({"value": 12.4, "threshold": 5, "unit": "%", "samples": 1240});
    assert_snapshot!(text("error_rate_high", "firing", &rate), @r"
    [HIGH] The API's error rate is high
    High: The API's error rate is high

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: error rate 12.4 %, threshold 5 %, 1,240 measurements
    Affects: users of the API: their requests end in a server error
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#error_rate_high
    ");
    let over = json!({"value": 0.4, "threshold": 5, "unit": "%", "samples": 1310});
    assert_snapshot!(text("error_rate_high", "resolved", &over), @r"
    [Resolved] The API's error rate is back to normal
    Resolved: The API's error rate is back to normal

    Since: 2026-11-24 03:12 UTC
    Resolved: 2026-11-24 03:16 UTC, after 4 min 11 s
    Now: error rate 0.4 %, threshold 5 %, 1,310 measurements
    Affected: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#error_rate_high
    ");
}

#[test]
fn an_endpoint_that_nobody_calls_any_more_is_not_called_fast() {
    let silent = json!({
        "subject": "GET /api/wines", "severity": "low", "value": 3120.5, "threshold": 2000,
        "unit": "ms", "samples": 0,
    });
    assert_snapshot!(text("endpoint_slow", "resolved", &silent), @r"
    [Resolved] GET /api/wines is no longer slow
    Resolved: GET /api/wines is no longer slow

    Since: 2026-11-24 03:12 UTC
    Resolved: 2026-11-24 03:16 UTC, after 4 min 11 s
    Was: 95th percentile 3.12 s, threshold 2 s
    Affected: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#endpoint_slow
    ");
}

#[test]
fn a_service_says_what_suffers_and_what_to_check() {
    let over = json!({
        "subject": "ai", "severity": "medium", "reason": "auth", "affects": ["ai"], "incident": null,
    });
    assert_snapshot!(text("service_degraded", "firing", &over), @r"
    [MEDIUM] The AI service (OpenAI) is degraded
    Medium: The AI service (OpenAI) is degraded

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: the key was refused: check the variable that holds it
    Affects: recommendations and everything else that asks the model
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#service_degraded
    ");
}

#[test]
fn a_certificate_counts_its_days() {
    let ends =
        |days: i32| json!({"subject": "wine.example", "value": days, "threshold": 7, "unit": "d"});
    assert_snapshot!(text("certificate_urgent", "firing", &ends(1)), @r"
    [HIGH] The certificate of wine.example ends in 1 day
    High: The certificate of wine.example ends in 1 day

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: 1 day left, threshold 7 days
    Affects: nobody yet; browsers refuse the app once the certificate has ended
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#certificate_urgent
    ");
    assert_snapshot!(text("certificate_urgent", "firing", &ends(-3)), @r"
    [HIGH] The certificate of wine.example has ended
    High: The certificate of wine.example has ended

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: ended 3 days ago, threshold 7 days
    Affects: everybody: browsers refuse the app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#certificate_urgent
    ");
}

#[test]
fn a_critical_error_shows_its_message_whole() {
    let message = format!("Cannot read cellar\n    at {}", "store.ts ".repeat(30));
    let over = json!({
        "subject": "error:9b2f", "severity": "critical", "message": message, "occurrences": 14,
    });
    assert_snapshot!(text("critical_error", "firing", &over), @r"
    [CRITICAL] The app logged an error: Cannot read cellar
    Critical: The app logged an error: Cannot read cellar

    Cannot read cellar
        at store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts store.ts

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Affects: users whose request meets this error
    Seen: 14 times
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#critical_error
    ");
}

#[test]
fn what_the_app_or_somebody_else_raises_keeps_its_words() {
    let app = json!({"subject": "performance", "message": "Slow query on wines", "occurrences": 1});
    assert_snapshot!(text("app_alert", "firing", &app), @r"
    [HIGH] The app reports: Slow query on wines
    High: The app reports: Slow query on wines

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Affects: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#app_alert
    ");
    let outside = json!({
        "subject": "deploy", "source": "external", "title": "Deploy failed", "message": "exit 1\nsee the log",
        "environment": "production", "deployment": null, "commit": null, "affects": [],
        "detail": {"source": "ci", "type": "system", "data": {"run": 17, "branch": "main", "nested": {}}},
    });
    assert_snapshot!(text("external", "firing", &outside), @r"
    [HIGH] Deploy failed
    High: Deploy failed

    exit 1
    see the log

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Seen: 3 times
    Data: run: 17; branch: main
    Incident: #12
    Raised by: ci
    Running: production

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#external
    ");
    assert_snapshot!(text("external", "resolved", &outside), @r"
    [Resolved] Deploy failed
    Resolved: Deploy failed

    exit 1
    see the log

    Since: 2026-11-24 03:12 UTC
    Resolved: 2026-11-24 03:16 UTC, after 4 min 11 s
    Seen: 3 times
    Data: run: 17; branch: main
    Incident: #12
    Raised by: ci
    Running: production

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#external
    ");
}

#[test]
fn a_silence_is_noticed_and_a_blindness_names_what_is_missing() {
    let gap = json!({"from": "2026-11-24T03:00:00Z", "to": "2026-11-24T03:12:30Z", "seconds": 750});
    let notice = json!({
        "subject": "monitor", "value": 750, "unit": "s", "since": gap["from"], "resolvedAt": gap["to"],
        "detail": gap, "incident": null,
    });
    assert_snapshot!(text("monitoring_gap", "notice", &notice), @r"
    [Notice] Monitoring was interrupted for 12 min 30 s
    Notice: Monitoring was interrupted for 12 min 30 s

    Not observed: 2026-11-24 03:00 UTC to 2026-11-24 03:12 UTC (12 min 30 s)
    Affects: what happened in that time is unknown; it counts neither as up nor as down
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#monitoring_gap
    ");
    let blind = json!({
        "subject": "database", "severity": "critical", "reason": "the database's API does not answer",
        "detail": {"gap": gap},
    });
    assert_snapshot!(text("monitoring_blind", "resolved", &blind), @r"
    [Resolved] Monitoring sees again
    Resolved: Monitoring sees again

    Since: 2026-11-24 03:12 UTC
    Resolved: 2026-11-24 03:16 UTC, after 4 min 11 s
    Not observed: 2026-11-24 03:00 UTC to 2026-11-24 03:12 UTC (12 min 30 s)
    Was: the database's API does not answer
    Affected: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#monitoring_blind
    ");
}

#[test]
fn a_rule_that_this_release_does_not_know_is_told_all_the_same() {
    let over = json!({"subject": "cellar", "value": 19.5, "threshold": 16, "unit": "°C"});
    assert_snapshot!(text("cellar_warm", "firing", &over), @r"
    [HIGH] cellar_warm: cellar
    High: cellar_warm: cellar

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: measured 19.5 °C, threshold 16 °C
    Affects: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#cellar_warm
    ");
}

#[test]
fn an_end_that_nobody_saw_does_not_say_that_all_is_well() {
    let mut facts = down();
    facts["ended"] = json!({"how": "closed", "by": "Anna", "note": "works on my side"});
    assert_snapshot!(text("app_down", "resolved", &facts), @r"
    [Closed] “https://wine.example/ is down” was closed by Anna
    Closed: “https://wine.example/ is down” was closed by Anna

    Since: 2026-11-24 03:12 UTC
    Ended: 2026-11-24 03:16 UTC, after 4 min 11 s
    How it ended: closed by Anna; nobody observed that it is over; works on my side
    Was: answered 503
    Affected: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#app_down
    ");
    for rule in ["app_down", "check_failing", "channel_failing", "app_slow"] {
        facts["ended"] = json!({"how": "unwatched", "by": null});
        let text = text(rule, "resolved", &facts);
        assert!(text.starts_with("[Not watched] “"), "{text}");
        assert!(text.contains("” is no longer watched\n"), "{text}");
        assert!(!text.contains("again"), "{text}");
    }
}

#[test]
fn an_incident_is_told_without_asking_anybody() {
    let facts = json!({
        "alert": null, "rule": null, "subject": null, "title": "Checkout is slow", "openedAt": "2026-11-24T03:30:00Z",
        "environment": null, "deployment": null, "commit": null, "occurrences": null,
        "incidentChange": {"what": "updated", "state": "monitoring", "by": "Anna", "text": "A fix is in place."},
        "recipients": {"usual": false, "people": [{"name": "Stella", "role": "stakeholder", "email": "s@wine.example"}]},
    });
    assert_snapshot!(text("", "notice", &facts), @r"
    [Incident] Incident #12 is watched after a fix: Checkout is slow
    Incident: Incident #12 is watched after a fix: Checkout is slow

    A fix is in place.

    Since: 2026-11-24 03:12 UTC
    Severity: high
    Affects: app
    Incident: #12

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    ");
}

#[test]
fn whoever_may_have_heard_that_monitoring_is_blind_hears_that_it_sees() {
    let gap =
        json!({"from": "2026-11-24T03:00:00Z", "to": "2026-11-24T03:12:30Z", "unreachable": true});
    let text = text("monitoring_gap", "notice", &json!({"detail": gap}));
    let expected = "[Notice] Monitoring sees again, after 12 min 30 s in which it was blind\n";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_message_that_could_not_be_read_says_what_it_is_about_and_where_to_look() {
    let text = text("app_down", "firing", &json!({"subject": "x", "bare": true}));
    assert!(text.starts_with("[HIGH] x is down\n"), "{text}");
    assert!(text.contains("could not be read"), "{text}");
    assert!(text.contains("pourtrait alerts messages --dead"), "{text}");
}

#[test]
fn a_hole_in_the_calendar_says_from_when_to_when_and_how_often() {
    let hole = json!({
        "subject": "Primary", "severity": "medium", "value": 660, "threshold": null, "unit": "min", "samples": null,
        "detail": {"hole": {"from": "2026-12-08T13:00:00Z", "to": "2026-12-09T00:00:00Z"}, "holes": 2},
    });
    assert_snapshot!(text("oncall_hole", "firing", &hole), @r"
    [MEDIUM] Nobody is on call for Primary from 2026-12-08 13:00 UTC to 2026-12-09 00:00 UTC, and 1 more time
    Medium: Nobody is on call for Primary from 2026-12-08 13:00 UTC to 2026-12-09 00:00 UTC, and 1 more time

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: nobody for 11 h
    Affects: nobody yet; an alert in that time asks others, or everybody
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#oncall_hole
    ");
}
