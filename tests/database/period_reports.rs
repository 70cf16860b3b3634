//! Reports of days, weeks and months: each line's figure against rows that were counted by
//! hand, with rows beside them that must not count.

use ops::messages::report::{ALL, Report, Verdict};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;

use crate::support::{World, array, at};

const ROWS: &str = include_str!("../sql/report.sql");

/// The report of that kind as it is made at that time.
async fn report(world: &World, kind: &str, now: &str) -> Value {
    let arguments = json!({"p_kind": kind, "p_now": at(now)});
    world.call("ops_report", arguments).await
}

/// `errors 2 [1,null,null,null]`: what is known of each line, besides how it stands today.
fn known(report: &Value) -> Vec<String> {
    array(&report["lines"])
        .iter()
        .filter(|line| {
            let four = array(&line["before"]).iter();
            !line["value"].is_null() || four.clone().any(|value| !value.is_null())
        })
        .map(|line| {
            let name = line["line"].as_str().unwrap();
            let subject = line["subject"]
                .as_str()
                .map(|subject| format!(" {subject}"));
            let value = if name == "connections" {
                &json!("some")
            } else {
                &line["value"]
            };
            format!(
                "{name}{} {value} {}",
                subject.unwrap_or_default(),
                line["before"]
            )
        })
        .collect()
}

#[tokio::test]
async fn every_figure_of_a_day_is_exact() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    let report = report(&world, "daily", "12:00:00").await;
    assert_eq!(
        known(&report),
        [
            "alert_acknowledge 300 [null,null,null,null]",
            "alert_resolve 3600 [600,null,null,null]",
            "alerts 2 [1,0,0,null]",
            "alerts_open 1 [null,null,null,null]",
            "alerts_severe 1 [1,0,0,null]",
            "backup_age 1800.0 [1382400.0,777600.0,172800.0,null]",
            "backup_bytes 1000 [0,0,0,null]",
            "backups 1 [0,0,0,null]",
            "backups_failed 1 [0,0,0,null]",
            "backups_missed 0 [0,0,0,null]",
            "certificate_days 12 [null,null,null,null]",
            r#"connections "some" [null,null,null,null]"#,
            "conversion 50.0 [null,null,null,null]",
            "coverage app 33.3333 [null,null,null,null]",
            "database_growth 500 [null,null,null,null]",
            "database_size 1500 [700,null,null,null]",
            "deployments 1 [0,0,0,null]",
            "deployments_failed 1 [0,0,0,null]",
            "drill_age 43200.0 [null,null,null,null]",
            "drill_time 60 [null,null,null,null]",
            "drills 1 [0,0,0,null]",
            "drills_bad 0 [0,0,0,null]",
            "error_rate 9.7561 [0.0,null,null,null]",
            "errors 2 [1,null,null,null]",
            "errors_critical 1 [0,null,null,null]",
            "event wine_added 2 [1,null,null,null]",
            "event user_registered 2 [0,null,null,null]",
            "event taste_profile_completed 1 [0,null,null,null]",
            "event wine_consumed 0 [1,null,null,null]",
            "feedback 1 [1,null,null,null]",
            "incident_acknowledge 300 [null,null,null,null]",
            "incident_resolve 3600 [null,null,null,null]",
            "incidents 1 [0,0,0,null]",
            "issues_new 2 [0,0,0,null]",
            "issues_regressed 1 [0,0,0,null]",
            "jobs_failed 1 [0,0,0,null]",
            "jobs_missed 2 [0,0,0,null]",
            "messages_lost 1 [0,0,0,null]",
            "month_cost 0.0 [null,null,null,null]",
            "outdated npm 1 [1,null,null,null]",
            "people 3 [1,null,null,null]",
            "people_new 2 [1,null,null,null]",
            "requests 41 [20,null,null,null]",
            "response_average 100.0 [200.0,null,null,null]",
            "response_p95 100.0 [200.0,null,null,null]",
            "reviews 0 [0,0,0,null]",
            "rollbacks 1 [0,0,0,null]",
            "rpo_largest 1800.0 [null,null,null,null]",
            "rpo_median 902.5 [null,null,null,null]",
            "rto_largest 60 [null,null,null,null]",
            "unanswered 1 [0,0,0,null]",
            "uptime app 75.0 [null,null,null,null]",
            "verified_age 43200.0 [null,null,null,null]",
            "visits 2 [1,null,null,null]",
            "web_vital LCP 2000.0 [null,null,null,null]",
        ]
    );
    // What is rolled up by then is the same.
    world
        .execute("select ops.roll_up_figures(100000, '2026-11-24T12:00:00Z')")
        .await;
    let again = self::report(&world, "daily", "12:00:00").await;
    assert_eq!(known(&again), known(&report));

    let read = Report::read(&report).unwrap();
    let verdict = |id: &str| {
        read.lines
            .iter()
            .find(|line| line.id == id)
            .unwrap()
            .verdict()
    };
    assert_eq!(verdict("error_rate"), Verdict::BeyondBound);
    assert_eq!(verdict("uptime"), Verdict::BeyondBound);
    assert_eq!(verdict("certificate_days"), Verdict::BeyondBound);
    assert_eq!(verdict("messages_lost"), Verdict::AsUsual);
    assert_eq!(verdict("jobs_missed"), Verdict::Worse);
    assert_eq!(verdict("errors"), Verdict::TooLittle);
}

#[tokio::test]
async fn the_database_knows_no_line_that_rust_does_not() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    for kind in ["daily", "weekly", "monthly"] {
        for line in array(&report(&world, kind, "12:00:00").await["lines"]) {
            let known = ALL.iter().any(|known| line["line"] == known.id);
            assert!(known, "{kind}: {line}");
        }
    }
}

#[tokio::test]
async fn of_an_empty_project_nothing_is_known() {
    let world = World::migrated().await;
    for kind in ["daily", "weekly", "monthly"] {
        let report = report(&world, kind, "12:00:00").await;
        assert_eq!(known(&report), Vec::<String>::new(), "{kind}");
        let read = Report::read(&report).unwrap();
        let told = read
            .lines
            .iter()
            .filter(|line| line.verdict() != Verdict::NoData);
        assert_eq!(told.count(), 0, "{kind}");
    }
}

#[tokio::test]
async fn a_period_is_whole_in_utc_whatever_the_month_and_the_clocks_of_people() {
    let world = World::migrated().await;
    // In Berlin the clocks change on 29 March 2026 and on 25 October 2026.
    for zone in ["UTC", "Europe/Berlin", "Pacific/Auckland"] {
        world.execute(&format!("set timezone = '{zone}'")).await;
        for (kind, now, back, from, hours) in [
            ("daily", "2026-03-30T00:00:00Z", 0, "2026-03-29", 24),
            ("daily", "2026-03-29T23:59:59Z", 0, "2026-03-28", 24),
            ("daily", "2026-11-01T12:00:00Z", 1, "2026-10-24", 24),
            ("weekly", "2026-03-30T00:00:00Z", 0, "2026-03-23", 168),
            ("weekly", "2026-11-01T12:00:00Z", 0, "2026-10-19", 168),
            ("weekly", "2026-11-01T12:00:00Z", 4, "2026-09-21", 168),
            ("monthly", "2026-03-01T00:00:00Z", 0, "2026-02-01", 28 * 24),
            ("monthly", "2028-03-31T12:00:00Z", 0, "2028-02-01", 29 * 24),
            ("monthly", "2026-05-31T12:00:00Z", 0, "2026-04-01", 30 * 24),
            ("monthly", "2026-05-31T12:00:00Z", 1, "2026-03-01", 31 * 24),
            ("monthly", "2026-05-31T12:00:00Z", 4, "2025-12-01", 31 * 24),
        ] {
            let period = world
                .rows(&format!(
                    "select starts_at at time zone 'UTC' as from, extract(epoch from ends_at - starts_at) / 3600 as hours
                     from ops.report_period('{kind}', '{now}', {back})"
                ))
                .await;
            let case = format!("{kind} at {now}, {back} back, in {zone}");
            assert_eq!(period[0]["from"], format!("{from}T00:00:00"), "{case}");
            assert_eq!(
                period[0]["hours"].as_f64(),
                Some(f64::from(hours)),
                "{case}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_has_to_be_a_report_of_the_past() {
    let world = World::migrated().await;
    for (arguments, expected) in [
        (
            json!({"p_kind": "hourly"}),
            "kind must be daily, weekly or monthly, got hourly",
        ),
        (
            json!({"p_kind": "daily", "p_environment": "moon"}),
            "environment must be production, preview or development, got moon",
        ),
    ] {
        let [code, message, _] = world.refusal("ops_report", arguments).await;
        assert_eq!((code.as_str(), message.as_str()), ("22023", expected));
    }
    let arguments = json!({"p_kind": "daily", "p_at": at("12:00:01"), "p_now": at("12:00:00")});
    let [code, message, _] = world.refusal("ops_report", arguments).await;
    assert_eq!(code, "22023");
    assert!(
        message.starts_with("at must be a time that is not to come"),
        "{message}"
    );
}

/// A run of the maintenance that is under way.
async fn run(world: &World, now: &str) -> Value {
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 55, "p_manual": true, "p_now": at(now),
    });
    world.call("ops_claim_run", arguments).await
}

/// How many reports a run of the maintenance queues.
async fn queue(world: &World, now: &str) -> u32 {
    let run = run(world, now).await;
    for queued in 0..10 {
        let arguments = json!({"p_run": run["run"], "p_fence": run["fence"], "p_now": at(now)});
        let answer = world.call("ops_queue_reports", arguments).await;
        if answer["outcome"] != "more" {
            assert_eq!(answer["outcome"], "done");
            return queued;
        }
    }
    panic!("there is always another");
}

async fn set(world: &World, key: &str, value: Value) {
    let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

/// `daily email pending`: the messages that are reports.
async fn messages(world: &World) -> Value {
    world
        .value(
            "(select coalesce(jsonb_agg(concat_ws(' ', facts #>> '{report,kind}', channel, status, last_error)
                                        order by created_at, facts #>> '{report,kind}', channel), '[]')
              from ops.outbox where facts ? 'report')",
        )
        .await
}

#[tokio::test]
async fn each_report_is_queued_once_at_its_hour_for_the_channels_of_its_setting() {
    let world = World::migrated().await;
    world
        .execute("select ops.note_channels('{email}', '2026-11-24T06:55:00Z')")
        .await;
    assert_eq!(
        queue(&world, "2026-11-23T07:00:00Z").await,
        0,
        "no setting names a channel"
    );
    set(&world, "report.daily", json!(["slack", "email"])).await;
    assert_eq!(queue(&world, "06:58:59").await, 0);
    assert_eq!(queue(&world, "07:00:00").await, 1);
    let told = json!([
        "daily email pending",
        "daily slack dead the channel is not configured"
    ]);
    assert_eq!(messages(&world).await, told);
    assert_eq!(queue(&world, "07:10:00").await, 0);
    assert_eq!(messages(&world).await, told);

    // The next day's is another; that of a day whose hour is a day ago is no news.
    set(&world, "report.daily", json!(["email"])).await;
    assert_eq!(queue(&world, "2026-11-25T07:00:00Z").await, 1);
    assert_eq!(queue(&world, "2026-11-27T06:59:00Z").await, 0);
    // A week ends on Monday, a month with it.
    set(&world, "report.weekly", json!(["email"])).await;
    set(&world, "report.monthly", json!(["email"])).await;
    set(&world, "report.daily", json!([])).await;
    assert_eq!(queue(&world, "2026-11-27T07:00:00Z").await, 0, "Friday");
    assert_eq!(
        queue(&world, "2026-12-01T07:00:00Z").await,
        2,
        "a Tuesday and the first"
    );
    assert_eq!(
        world.value("(select jsonb_agg(concat_ws(' ', kind, to_char(starts_at at time zone 'UTC', 'MM-DD')) order by kind, starts_at) from ops.reports)").await,
        json!(["daily 11-23", "daily 11-24", "monthly 11-01", "weekly 11-23"])
    );
}

#[tokio::test]
async fn a_report_goes_out_and_is_delivered_like_any_other_message() {
    let world = World::migrated().await;
    world
        .execute("select ops.note_channels('{email}', '2026-11-24T06:55:00Z')")
        .await;
    set(&world, "report.daily", json!(["email"])).await;
    assert_eq!(queue(&world, "07:00:00").await, 1);
    let claimed = world.claim_messages("07:00:00").await;
    let message = &claimed["messages"][0];
    assert_eq!(
        (&message["kind"], &message["facts"]["report"]["kind"]),
        (&json!("notice"), &json!("daily"))
    );
    assert!(Report::read(&message["facts"]["report"]).is_some());
    let arguments = json!({
        "p_claim": message["lease"], "p_now": at("07:00:01"),
        "p_results": [{"id": message["id"], "outcome": "retry", "error": "resend fails"}],
    });
    world.call("ops_settle_messages", arguments).await;
    assert_eq!(
        messages(&world).await,
        json!(["daily email pending resend fails"])
    );
    assert_eq!(world.deliver("08:00:00").await, 1);
    assert_eq!(queue(&world, "08:00:00").await, 0);
}

#[tokio::test]
async fn two_runs_at_once_queue_a_report_once() {
    let world = World::migrated().await;
    world
        .execute("select ops.note_channels('{email}', '2026-11-24T06:55:00Z')")
        .await;
    set(&world, "report.daily", json!(["email"])).await;
    // The first holds its transaction open; the second takes over its run and waits for the row.
    let run = run(&world, "07:00:00").await;
    let call = format!(
        "select public.ops_queue_reports('{}', {}, '2026-11-24T07:00:00Z')",
        run["run"].as_str().unwrap(),
        run["fence"]
    );
    let first = world.session().await;
    first
        .batch_execute(&format!("begin; {call}"))
        .await
        .unwrap();
    let second = world.session().await;
    second
        .batch_execute("set lock_timeout = '100ms'")
        .await
        .unwrap();
    let refused = second.batch_execute(&call).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::LOCK_NOT_AVAILABLE));
    first.batch_execute("commit").await.unwrap();
    second.batch_execute(&call).await.unwrap();
    assert_eq!(messages(&world).await, json!(["daily email pending"]));

    // One that is rolled back, as by a kill, leaves nothing behind.
    let tomorrow = call.replace("11-24T07", "11-25T07");
    first
        .batch_execute(&format!("begin; {tomorrow}; rollback"))
        .await
        .unwrap();
    assert_eq!(messages(&world).await, json!(["daily email pending"]));
    second.batch_execute(&tomorrow).await.unwrap();
    assert_eq!(
        messages(&world).await,
        json!(["daily email pending", "daily email pending"])
    );
}

#[tokio::test]
async fn somebody_sends_a_report_once_for_each_request() {
    let world = World::migrated().await;
    let arguments = json!({
        "p_request": uuid::Uuid::new_v4(), "p_kind": "weekly", "p_at": null, "p_environment": "production",
        "p_by": "anna", "p_now": at("12:00:00"),
    });
    let [code, message, hint] = world.refusal("ops_send_report", arguments.clone()).await;
    assert_eq!(code, "22023");
    assert_eq!(message, "report.weekly must be a list of channels, got []");
    assert_eq!(hint, r#"pourtrait settings set report.weekly '["email"]'"#);

    world
        .execute("select ops.note_channels('{email}', '2026-11-24T11:55:00Z')")
        .await;
    set(&world, "report.weekly", json!(["email"])).await;
    let sent = world.call("ops_send_report", arguments.clone()).await;
    assert_eq!(sent["channels"], json!(["email"]));
    assert_eq!(world.call("ops_send_report", arguments).await, sent);
    assert_eq!(messages(&world).await, json!(["weekly email pending"]));
}

#[tokio::test]
async fn channels_of_reports_are_email_and_slack() {
    let world = World::migrated().await;
    for value in [
        json!(["telegram"]),
        json!("email"),
        json!(["email", "email"]),
        json!([1]),
        json!({}),
    ] {
        let arguments = json!({"p_key": "report.daily", "p_value": value, "p_by": "anna"});
        let [code, message, _] = world.refusal("ops_set_setting", arguments).await;
        assert_eq!(code, "22023");
        assert!(
            message.starts_with("setting report.daily must be an array of email and slack"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_list_of_what_is_outdated_is_kept_once_and_the_newest_of_each_tool_counts() {
    let world = World::migrated().await;
    let hand_in = |request: u128, tool: &str, names: &[&str], now: &str| {
        let packages: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "version": "1.0.0", "latest": "2.0.0", "kind": "Normal"}))
            .collect();
        json!({"p_request": uuid::Uuid::from_u128(request), "p_tool": tool, "p_packages": packages,
               "p_by": "ci", "p_now": at(now)})
    };
    let first = world
        .call(
            "ops_hand_in_outdated",
            hand_in(1, "npm", &["next", "react"], "10:00:00"),
        )
        .await;
    assert_eq!(first["outdated"], 2);
    let again = world
        .call("ops_hand_in_outdated", hand_in(1, "npm", &[], "10:01:00"))
        .await;
    assert_eq!(again, first);
    world
        .call(
            "ops_hand_in_outdated",
            hand_in(2, "npm", &["next"], "11:00:00"),
        )
        .await;
    world
        .call("ops_hand_in_outdated", hand_in(3, "cargo", &[], "11:00:00"))
        .await;
    let report = report(&world, "daily", "2026-11-25T12:00:00Z").await;
    let mut lines = known(&report);
    lines.sort();
    assert_eq!(
        lines,
        [
            "outdated cargo 0 [null,null,null,null]",
            "outdated npm 1 [null,null,null,null]"
        ]
    );
    assert_eq!(
        report["outdatedHandedIn"],
        json!({"npm": "2026-11-24T11:00:00+00:00", "cargo": "2026-11-24T11:00:00+00:00"})
    );

    for (packages, expected) in [
        (
            json!({}),
            "packages must be an array of at most 2000 objects",
        ),
        (
            json!([{"name": "a", "version": "1"}]),
            "packages[0] must be an object {name, version, latest}",
        ),
        (json!([7]), "packages[0] must be an object"),
    ] {
        let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_tool": "npm", "p_packages": packages, "p_by": "ci"});
        let [code, message, _] = world.refusal("ops_hand_in_outdated", arguments).await;
        assert_eq!(code, "22023");
        assert!(message.starts_with(expected), "{message}");
    }
}
