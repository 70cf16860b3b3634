//! Ticks: what opens, what resolves, and what a late or repeated commit does.

use serde_json::{Value, json};

use crate::support::{
    World, app, array, at, certificate, dependency, minutes, page, transitions, verdict,
};

const DOWN: &str = "app_down https://app.example/";

#[tokio::test]
async fn an_alert_opens_after_three_bad_ticks_and_only_once() {
    let world = World::migrated().await;
    let mut opened = Vec::new();
    for now in minutes("12:00:05", 8) {
        opened.push(transitions(&world.tick(&now, &[app("down")]).await));
    }
    let expected: Vec<Vec<String>> = (0..8)
        .map(|tick| {
            if tick == 2 {
                vec![format!("opened {DOWN}")]
            } else {
                vec![]
            }
        })
        .collect();
    assert_eq!(opened, expected);

    let alerts = world
        .rows(
            "select status, severity, source, first_bad_at, opened_at, occurrences from ops.alerts",
        )
        .await;
    assert_eq!(
        alerts,
        json!([{
            "status": "firing", "severity": "critical", "source": "monitor",
            "first_bad_at": "2026-11-24T12:00:05+00:00", "opened_at": "2026-11-24T12:02:05+00:00",
            "occurrences": 8,
        }]),
    );
    let messages = world
        .rows("select kind, channel from ops.outbox order by channel")
        .await;
    assert_eq!(
        messages,
        json!([{"kind": "firing", "channel": "email"}, {"kind": "firing", "channel": "slack"}]),
    );
}

#[tokio::test]
async fn of_what_opens_at_once_the_worst_comes_first() {
    let world = World::migrated().await;
    let checks = [
        page("https://app.example/", "up", Some(60_000)),
        dependency("database", "down"),
    ];
    let mut opened = Vec::new();
    for now in minutes("12:00:05", 3) {
        opened = transitions(&world.tick(&now, &checks).await);
    }
    assert_eq!(
        opened,
        [
            "opened database_failing database",
            "opened app_slow https://app.example/"
        ]
    );
}

#[tokio::test]
async fn it_resolves_after_two_good_ticks_and_is_then_forgotten() {
    let world = World::migrated().await;
    for now in minutes("12:00:05", 3) {
        world.tick(&now, &[app("down")]).await;
    }
    assert_eq!(world.deliver("12:02:06").await, 2);
    assert!(transitions(&world.tick("12:03:05", &[app("up")]).await).is_empty());
    let resolving = world.tick("12:04:05", &[app("up")]).await;
    assert_eq!(transitions(&resolving), [format!("resolved {DOWN}")]);
    assert_eq!(resolving["openAlerts"], 0);
    assert_eq!(resolving["queued"], 2);
    assert_eq!(
        world.rows("select fingerprint from ops.alert_states").await,
        json!([])
    );

    assert_eq!(world.deliver("12:04:06").await, 2);
    for now in minutes("12:05:05", 3) {
        assert!(transitions(&world.tick(&now, &[app("up")]).await).is_empty());
        assert_eq!(world.deliver(&now).await, 0);
    }
    let resolved = world
        .rows("select facts from ops.outbox where kind = 'resolved' and channel = 'slack'")
        .await;
    let facts = &resolved[0]["facts"];
    assert_eq!(facts["since"], "2026-11-24T12:00:05+00:00");
    assert_eq!(facts["resolvedAt"], "2026-11-24T12:04:05+00:00");
    assert_eq!(facts["reason"], "timeout");
    assert_eq!(facts["incident"], 1);
}

#[tokio::test]
async fn thresholds_are_settings() {
    let world = World::migrated().await;
    for (key, value) in [("alert.bad_after", 1), ("alert.good_after", 1)] {
        let arguments = json!({"p_key": key, "p_value": value, "p_by": "test"});
        world.call("ops_set_setting", arguments).await;
    }
    let opening = world.tick("12:00:05", &[app("down")]).await;
    assert_eq!(transitions(&opening), [format!("opened {DOWN}")]);
    let resolving = world.tick("12:01:05", &[app("up")]).await;
    assert_eq!(transitions(&resolving), [format!("resolved {DOWN}")]);
}

#[tokio::test]
async fn a_repeated_commit_returns_its_first_result() {
    let world = World::migrated().await;
    let claim = world.claim("12:00:05").await;
    let first = world
        .commit(&claim, "12:00:06", &[app("down")], json!({}))
        .await;
    let again = world
        .commit(&claim, "12:00:09", &[app("up")], json!({}))
        .await;
    assert_eq!(again, first);
    assert_eq!(world.value("(select count(*) from ops.samples)").await, 2);
    assert_eq!(
        world
            .value("(select bad_count from ops.alert_states)")
            .await,
        1
    );
}

#[tokio::test]
async fn a_late_commit_is_superseded_and_changes_nothing() {
    let world = World::migrated().await;
    let slow = world.claim("12:00:05").await;
    // Its lease of 55 s has run out; the next slot is taken by another run.
    let next = world.claim("12:01:05").await;
    assert_eq!(next["outcome"], "claimed");
    let late = world
        .commit(&slow, "12:01:06", &[app("down")], json!({}))
        .await;
    assert_eq!(
        late,
        json!({"outcome": "superseded", "now": "2026-11-24T12:01:06+00:00"})
    );
    assert_eq!(world.value("(select count(*) from ops.samples)").await, 0);
    let committed = world
        .commit(&next, "12:01:07", &[app("up")], json!({}))
        .await;
    assert_eq!(committed["outcome"], "committed");
    // After the newer one has committed as well.
    let later = world
        .commit(&slow, "12:01:08", &[app("down")], json!({}))
        .await;
    assert_eq!(later["outcome"], "superseded");
    assert_eq!(
        world.rows("select fingerprint from ops.alert_states").await,
        json!([])
    );
}

#[tokio::test]
async fn an_outlived_lease_counts_while_nobody_has_taken_over() {
    let world = World::migrated().await;
    let claim = world.claim("12:00:05").await;
    let committed = world
        .commit(&claim, "12:01:30", &[app("up")], json!({}))
        .await;
    assert_eq!(committed["outcome"], "committed");
}

#[tokio::test]
async fn what_is_not_known_changes_nothing() {
    let world = World::migrated().await;
    let times = minutes("12:00:05", 7);
    for (now, status) in times.iter().zip(["down", "unknown", "down", "unknown"]) {
        let tick = world.tick(now, &[app(status)]).await;
        assert!(transitions(&tick).is_empty(), "{now}");
    }
    let opening = world.tick(&times[4], &[app("down")]).await;
    assert_eq!(transitions(&opening), [format!("opened {DOWN}")]);
}

#[tokio::test]
async fn an_unconfigured_check_leaves_no_trace() {
    let world = World::migrated().await;
    let tick = world
        .tick("12:00:05", &[app("up"), dependency("ai", "unconfigured")])
        .await;
    assert_eq!(tick["samples"], 2);
    assert_eq!(verdict(&tick, "service_degraded", "ai"), &Value::Null);
    assert_eq!(
        world
            .value("(select count(*) from ops.checks where name = 'ai')")
            .await,
        0
    );
    assert_eq!(
        world
            .value("(select count(*) from public.system_health where service_name = 'ai')")
            .await,
        0,
    );
}

#[tokio::test]
async fn a_check_that_is_no_longer_made_resolves() {
    let world = World::migrated().await;
    let other = page("https://app.example/old", "down", None);
    for now in minutes("12:00:05", 3) {
        world.tick(&now, &[app("up"), other.clone()]).await;
    }
    assert!(transitions(&world.tick("12:03:05", &[app("up")]).await).is_empty());
    let resolving = world.tick("12:04:05", &[app("up")]).await;
    assert_eq!(
        transitions(&resolving),
        ["resolved app_down https://app.example/old"]
    );
}

#[tokio::test]
async fn an_expiring_certificate_becomes_urgent_in_one_message() {
    let world = World::migrated().await;
    for now in minutes("12:00:05", 3) {
        world.tick(&now, &[certificate(Some(20))]).await;
    }
    let mut happened = Vec::new();
    for now in minutes("12:03:05", 4) {
        happened.extend(transitions(
            &world.tick(&now, &[certificate(Some(6))]).await,
        ));
    }
    assert_eq!(
        happened,
        [
            "resolved certificate_expiring app.example",
            "opened certificate_urgent app.example"
        ],
    );
}

#[tokio::test]
async fn the_app_as_a_whole_is_its_worst_page() {
    let world = World::migrated().await;
    let pages = |one: &str, two: &str| {
        [
            page("https://a.example/1", one, Some(10)),
            page("https://a.example/2", two, Some(30)),
        ]
    };
    let now = minutes("12:00:05", 4);
    for (now, (one, two, whole)) in now.iter().zip([
        ("up", "up", "up"),
        ("up", "degraded", "degraded"),
        ("degraded", "unknown", "unknown"),
        ("unknown", "down", "down"),
    ]) {
        world.tick(now, &pages(one, two)).await;
        let newest = "select status, latency_ms from ops.samples where check_name = 'app' order by at desc limit 1";
        assert_eq!(
            world.rows(newest).await,
            json!([{"status": whole, "latency_ms": 30}]),
            "{one} and {two}",
        );
    }
}

#[tokio::test]
async fn samples_carry_run_and_deployment() {
    let world = World::migrated().await;
    let deployment = json!({"deployment": {"id": "dpl_1", "commit": "abc", "region": "fra1"}});
    let claim = world.claim("12:00:05").await;
    world
        .commit(&claim, "12:00:06", &[app("up")], deployment)
        .await;
    let samples = world
        .rows(
            "select at, run, environment, deployment_id, commit_sha, region, valid_seconds
             from ops.samples where check_name = 'app'",
        )
        .await;
    assert_eq!(
        samples,
        json!([{
            "at": "2026-11-24T12:00:06+00:00", "run": claim["run"], "environment": "production",
            "deployment_id": "dpl_1", "commit_sha": "abc", "region": "fra1", "valid_seconds": 120,
        }]),
    );
}

#[tokio::test]
async fn the_old_readers_find_one_row_per_service_and_tick() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/', 'GET', case when n = 1 then 500 else 200 end, 10, '2026-11-24T12:00:30Z'
             from generate_series(1, 4) as n",
        )
        .await;
    world
        .tick("12:00:05", &[app("up"), dependency("ai", "down")])
        .await;
    let checks = [
        app("down"),
        dependency("ai", "degraded"),
        certificate(Some(1)),
        dependency("email", "unknown"),
    ];
    world.tick("12:01:05", &checks).await;
    let rows = world
        .rows(
            "select service_name, status, response_time, error_rate, uptime_percentage, environment
             from public.system_health where timestamp = '2026-11-24T12:01:05Z' order by 1",
        )
        .await;
    assert_eq!(
        rows,
        json!([
            {"service_name": "ai", "status": "degraded", "response_time": 20.0, "error_rate": null,
             "uptime_percentage": 0.0, "environment": "production"},
            {"service_name": "app", "status": "unhealthy", "response_time": 120.0, "error_rate": 25.0,
             "uptime_percentage": 100.0, "environment": "production"},
            {"service_name": "email", "status": "degraded", "response_time": 20.0, "error_rate": null,
             "uptime_percentage": null, "environment": "production"},
        ]),
    );
}

#[tokio::test]
async fn a_system_health_that_refuses_does_not_blind_the_monitor() {
    let world = World::migrated().await;
    world
        .execute("alter table public.system_health add check (service_name = 'nothing') not valid")
        .await;
    let tick = world.tick("12:00:05", &[app("down")]).await;
    assert_eq!(tick["outcome"], "committed");
    assert_eq!(array(&tick["warnings"]).len(), 1, "{tick}");
    assert_eq!(world.value("(select count(*) from ops.samples)").await, 2);
}

#[tokio::test]
async fn a_gap_is_noticed_once() {
    let world = World::migrated().await;
    let first = world.tick("12:00:05", &[app("up")]).await;
    assert_eq!(
        first["gap"],
        Value::Null,
        "nothing came before the first tick"
    );
    let within = world.tick("12:03:05", &[app("up")]).await;
    assert_eq!(within["gap"], Value::Null, "three intervals are no gap");
    // Something else ran meanwhile, so the database was there.
    let run = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "dispatch", "p_every_seconds": 60,
        "p_lease_seconds": 55, "p_manual": false, "p_now": at("12:05:00"),
    });
    world.call("ops_claim_run", run).await;
    let after = world.tick("12:06:06", &[app("up")]).await;
    let gap = json!({
        "from": "2026-11-24T12:03:05+00:00", "to": "2026-11-24T12:06:06+00:00", "seconds": 181.0,
    });
    assert_eq!(after["gap"], gap);
    assert_eq!(after["queued"], 1);
    let next = world.tick("12:07:05", &[app("up")]).await;
    assert_eq!(next["gap"], Value::Null);

    let notices = world
        .rows(
            "select channel, severity, status, alert, facts from ops.outbox where kind = 'notice'",
        )
        .await;
    assert_eq!(array(&notices).len(), 1, "{notices}");
    assert_eq!(notices[0]["channel"], "slack");
    assert_eq!(notices[0]["severity"], "high");
    assert_eq!(notices[0]["facts"]["rule"], "monitoring_gap");
    assert_eq!(notices[0]["facts"]["value"], 181.0);
    let mut detail = gap.clone();
    detail["unreachable"] = json!(false);
    assert_eq!(notices[0]["facts"]["detail"], detail);
    // The silence is unknown in the uptime, and nothing else.
    let uptime = world
        .rows(&format!(
            "select * from ops.uptime('app', '{}', '{}')",
            at("12:03:05"),
            at("12:06:06")
        ))
        .await;
    assert_eq!(
        uptime,
        json!([{"up": 120.0, "degraded": 0, "down": 0, "unknown": 61.0, "maintenance": 0}]),
    );
}

#[tokio::test]
async fn what_is_not_a_tick_is_refused_and_changes_nothing() {
    let world = World::migrated().await;
    let claim = world.claim("12:00:05").await;
    let mut odd_kind = app("up");
    odd_kind["kind"] = json!("page");
    let mut odd_status = app("up");
    odd_status["status"] = json!("fine");
    let mut nameless = app("up");
    nameless["name"] = Value::Null;
    let tick = |checks: Value| json!({"environment": "production", "everySeconds": 60, "checks": checks, "channels": []});
    for bad in [
        json!({}),
        json!([]),
        tick(json!({})),
        tick(json!([odd_kind])),
        tick(json!([odd_status])),
        tick(json!([nameless])),
        json!({"environment": "test", "everySeconds": 60, "checks": [], "channels": []}),
        json!({"environment": "production", "everySeconds": 60, "checks": [], "channels": ["pager"]}),
    ] {
        let arguments = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_tick": bad, "p_now": at("12:00:06")});
        let [code, message, _] = world.refusal("ops_commit_tick", arguments).await;
        assert_eq!(code, "22023", "{message} for {bad}");
    }
    let unknown = json!({"p_run": uuid::Uuid::nil(), "p_fence": 1, "p_tick": tick(json!([]))});
    assert_eq!(world.refusal("ops_commit_tick", unknown).await[0], "22023");
    assert_eq!(world.value("(select count(*) from ops.samples)").await, 0);
    let committed = world
        .commit(&claim, "12:00:07", &[app("up")], json!({}))
        .await;
    assert_eq!(committed["outcome"], "committed");
}
