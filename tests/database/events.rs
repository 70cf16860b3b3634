//! Alerts about events: critical errors and alerts that the application raises.

use serde_json::{Value, json};

use crate::support::{World, array, at, minutes, transitions};

async fn critical_error(world: &World, time: &str, message: &str) {
    world
        .execute(&format!(
            "insert into public.error_logs (message, severity, timestamp) values ('{message}', 'critical', '{}')",
            at(time),
        ))
        .await;
}

async fn app_alert(world: &World, time: &str, kind: &str, severity: &str, message: &str) {
    world
        .execute(&format!(
            "insert into public.alerts (type, severity, message, timestamp)
             values ('{kind}', '{severity}', '{message}', '{}')",
            at(time),
        ))
        .await;
}

async fn open_alerts(world: &World) -> Value {
    world
        .rows(
            "select rule, subject, severity, status, occurrences, last_facts ->> 'message' as message
             from ops.alerts where status <> 'resolved' order by opened_at, fingerprint",
        )
        .await
}

#[tokio::test]
async fn a_critical_error_alerts_at_once() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    critical_error(&world, "12:00:30", "Payment 17 failed").await;
    critical_error(&world, "12:00:31", "Payment 18 failed").await;
    critical_error(&world, "11:50:00", "Long before").await;
    world
        .execute(
            "insert into public.error_logs (message, severity, environment, resolved, timestamp) values
             ('elsewhere', 'critical', 'preview', false, '2026-11-24T12:00:30Z'),
             ('done with', 'critical', 'production', true, '2026-11-24T12:00:30Z'),
             ('lesser', 'high', 'production', false, '2026-11-24T12:00:30Z')",
        )
        .await;
    let tick = world.tick("12:01:00", &[]).await;
    assert_eq!(array(&tick["transitions"]).len(), 1, "{tick}");
    let alert = &open_alerts(&world).await[0];
    assert_eq!(alert["rule"], "critical_error");
    assert_eq!(alert["message"], "Payment 18 failed");
    assert_eq!(alert["occurrences"], 2);
    let fingerprint = world.value("(select fingerprint from ops.alerts)").await;
    assert!(
        !fingerprint
            .as_str()
            .unwrap()
            .to_lowercase()
            .contains("payment"),
        "{fingerprint}"
    );
    assert_eq!(
        world.value("(select first_bad_at from ops.alerts)").await,
        "2026-11-24T12:00:30+00:00",
    );

    // The same kind again is the same alert.
    critical_error(&world, "12:01:30", "Payment 19 failed").await;
    assert!(transitions(&world.tick("12:02:00", &[]).await).is_empty());
    assert_eq!(open_alerts(&world).await[0]["occurrences"], 3);
}

#[tokio::test]
async fn what_happened_during_a_gap_is_not_lost() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    critical_error(&world, "12:05:00", "boom").await;
    app_alert(&world, "12:06:00", "security", "error", "Many logins").await;
    let tick = world.tick("13:00:00", &[]).await;
    assert_eq!(array(&tick["transitions"]).len(), 2, "{tick}");
}

/// Rows of both tables with times at which nothing can have happened, as the app's own
/// tables take them.
const TIMELESS: [&str; 7] = [
    "null",
    "'infinity'",
    "'-infinity'",
    "'4713-01-01 BC'",
    "'1970-01-01T00:00:00Z'",
    "'1999-12-31T23:59:59.999999Z'",
    "'10000-01-01T00:00:00Z'",
];

async fn timeless_rows(world: &World, columns: &str, values: &str) {
    for table in ["error_logs", "alerts"] {
        let drop = format!("alter table public.{table} alter \"timestamp\" drop not null");
        world.execute(&drop).await;
    }
    for time in TIMELESS {
        let row = format!("insert into public.{columns} values ({values}, {time})");
        world.execute(&row).await;
    }
}

#[tokio::test]
async fn an_event_without_a_time_of_its_own_happens_when_it_is_noticed_and_once() {
    for (columns, values, opened) in [
        (
            "error_logs (message, severity, \"timestamp\")",
            "'boom', 'critical'",
            "critical_error",
        ),
        (
            "alerts (message, severity, type, \"timestamp\")",
            "'boom', 'error', 'system'",
            "app_alert",
        ),
    ] {
        let world = World::migrated().await;
        world.tick("2026-11-24T12:00:00Z", &[]).await;
        timeless_rows(&world, columns, values).await;
        let tick = world.tick("2026-11-24T12:01:00Z", &[]).await;
        assert!(
            transitions(&tick)[0].starts_with(&format!("opened {opened}")),
            "{tick}"
        );
        world.tick("2026-11-24T12:02:00Z", &[]).await;
        let alert = world
            .rows("select occurrences, to_char(first_bad_at, 'HH24:MI') as since from ops.alerts")
            .await;
        assert_eq!(
            alert,
            json!([{"occurrences": TIMELESS.len(), "since": "12:01"}])
        );
        // It is over like any other, and no later tick takes it for new.
        for now in ["2026-11-24T13:10:00Z", "2026-11-24T13:11:00Z"] {
            world.tick(now, &[]).await;
        }
        assert_eq!(open_alerts(&world).await, json!([]));
        for day in 25..=29 {
            let tick = world.tick(&format!("2026-11-{day}T12:00:00Z"), &[]).await;
            assert!(transitions(&tick).is_empty(), "{tick}");
        }
        // Once the row is gone nothing is kept of it.
        let table = columns.split(' ').next().unwrap();
        world.execute(&format!("delete from public.{table}")).await;
        world.tick("2026-11-29T12:01:00Z", &[]).await;
        let noticed = "(select count(*) from ops.noticed_events)";
        assert_eq!(world.value(noticed).await, 0);
    }
}

#[tokio::test]
async fn many_events_without_a_time_are_told_part_by_part_and_take_no_other_along() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    world
        .execute(
            "insert into public.error_logs (message, severity, \"timestamp\")
             select 'boom', 'critical', '-infinity' from generate_series(1, 1500)",
        )
        .await;
    critical_error(&world, "12:00:30", "Payment failed").await;
    for (now, occurrences) in [("12:01:00", 1000), ("12:02:00", 1500), ("12:03:00", 1500)] {
        world.tick(now, &[]).await;
        let counted = world
            .rows("select last_facts ->> 'message' as message, occurrences from ops.alerts order by 1")
            .await;
        assert_eq!(
            counted,
            json!([{"message": "Payment failed", "occurrences": 1}, {"message": "boom", "occurrences": occurrences}]),
            "{now}"
        );
    }
}

#[tokio::test]
async fn an_event_resolves_after_enough_silence() {
    let world = World::migrated().await;
    critical_error(&world, "12:00:00", "boom").await;
    assert_eq!(transitions(&world.tick("12:00:30", &[]).await).len(), 1);
    // The row stays in sight for five minutes, then an hour of silence begins.
    for now in minutes("12:01:30", 4) {
        assert!(transitions(&world.tick(&now, &[]).await).is_empty());
    }
    assert!(transitions(&world.tick("13:04:29", &[]).await).is_empty());
    assert_eq!(transitions(&world.tick("13:05:30", &[]).await).len(), 1);
    assert_eq!(open_alerts(&world).await, json!([]));
}

#[tokio::test]
async fn the_apps_alerts_alert_by_type_and_kind_of_message() {
    let world = World::migrated().await;
    app_alert(
        &world,
        "11:59:00",
        "performance",
        "warning",
        "Query took 900 ms",
    )
    .await;
    app_alert(
        &world,
        "11:59:10",
        "performance",
        "critical",
        "Query took 9000 ms",
    )
    .await;
    app_alert(&world, "11:59:20", "error", "warning", "Query took 900 ms").await;
    app_alert(&world, "11:59:30", "business", "info", "No sales today").await;
    world
        .execute(
            "insert into public.alerts (type, severity, message, acknowledged, resolved, timestamp) values
             ('system', 'error', 'seen', true, false, '2026-11-24T11:59:00Z'),
             ('system', 'error', 'done', false, true, '2026-11-24T11:59:00Z')",
        )
        .await;
    world.tick("12:00:00", &[]).await;
    assert_eq!(
        world
            .rows(
                "select subject, severity, source, occurrences, last_facts ->> 'message' as message
                 from ops.alerts order by subject",
            )
            .await,
        json!([
            {"subject": "business", "severity": "low", "source": "app", "occurrences": 1, "message": "No sales today"},
            {"subject": "error", "severity": "medium", "source": "app", "occurrences": 1, "message": "Query took 900 ms"},
            {"subject": "performance", "severity": "critical", "source": "app", "occurrences": 2,
             "message": "Query took 9000 ms"},
        ]),
    );
    let fingerprints = world.rows("select fingerprint as f from ops.alerts").await;
    for row in array(&fingerprints) {
        let fingerprint = row["f"].as_str().unwrap();
        assert!(
            fingerprint.starts_with("app:") && !fingerprint.contains("query"),
            "{fingerprint}"
        );
    }
    assert_eq!(
        world
            .value("(select count(*) from public.alerts where not resolved and not acknowledged)")
            .await,
        4,
        "we never write there",
    );
}

#[tokio::test]
async fn an_alert_of_the_app_resolves_when_all_its_rows_are_resolved() {
    let world = World::migrated().await;
    app_alert(&world, "11:59:00", "error", "error", "Queue 1 stuck").await;
    app_alert(&world, "11:59:30", "error", "error", "Queue 2 stuck").await;
    assert_eq!(
        transitions(&world.tick("12:00:00", &[]).await),
        ["opened app_alert error"]
    );
    world
        .execute("update public.alerts set resolved = true where message = 'Queue 1 stuck'")
        .await;
    for now in minutes("12:01:00", 9) {
        assert!(transitions(&world.tick(&now, &[]).await).is_empty());
    }
    world
        .execute("update public.alerts set resolved = true where message = 'Queue 2 stuck'")
        .await;
    assert_eq!(
        transitions(&world.tick("12:10:00", &[]).await),
        ["resolved app_alert error"]
    );
}

#[tokio::test]
async fn a_worse_occurrence_raises_the_severity_and_tells_more_people() {
    let world = World::migrated().await;
    app_alert(&world, "11:59:00", "error", "info", "Queue 1 stuck").await;
    world.tick("12:00:00", &[]).await;
    let told = "select kind, channel, digest, severity, status from ops.outbox order by digest desc, channel";
    assert_eq!(
        world.rows(told).await,
        json!([{"kind": "firing", "channel": "slack", "digest": true, "severity": "low", "status": "pending"}]),
    );
    app_alert(&world, "12:00:30", "error", "critical", "Queue 2 stuck").await;
    world.tick("12:01:00", &[]).await;
    assert_eq!(
        world.rows(told).await,
        json!([
            {"kind": "firing", "channel": "slack", "digest": true, "severity": "low", "status": "superseded"},
            {"kind": "firing", "channel": "email", "digest": false, "severity": "critical", "status": "pending"},
            {"kind": "firing", "channel": "slack", "digest": false, "severity": "critical", "status": "pending"},
        ]),
    );
    assert_eq!(
        world.value("(select severity from ops.incidents)").await,
        "critical"
    );
}
