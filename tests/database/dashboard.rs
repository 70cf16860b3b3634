//! The dashboard as a whole, and what it says of health, alerts and incidents:
//! every number from rows that were counted by hand.

use serde_json::{Value, json};

use crate::support::{World, app, array, at, certificate, dependency, minutes};

/// When the tests look.
const NOON: &str = "12:00:00";

/// A section of the dashboard over the hour before noon.
pub(crate) async fn section(world: &World, name: &str) -> Value {
    world.dashboard(3600, NOON).await[name].clone()
}

#[tokio::test]
async fn without_data_numbers_are_null_and_counts_are_zero() {
    let world = World::migrated().await;
    let mut empty = world.dashboard(86400, NOON).await;
    let database = empty.as_object_mut().unwrap().remove("database").unwrap();
    // What is drawn has a point for each time, tested by itself.
    let series = empty.as_object_mut().unwrap().remove("series").unwrap();
    assert_eq!(array(&series["requests"]["requests"]).len(), 144);
    // Its numbers are tested beside its rules.
    assert!(empty.as_object_mut().unwrap().remove("slo").is_some());
    assert!(database["sizeBytes"].is_number());
    let retention = empty.as_object_mut().unwrap().remove("retention").unwrap();
    assert_eq!(
        (&retention["evidence"], &retention["forgotten"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(array(&retention["tables"]).len(), 10);
    let nothing = |unknown: u32| {
        json!({"up": 0, "degraded": 0, "down": 0, "unknown": f64::from(unknown), "maintenance": 0,
               "percent": null, "lower": null, "upper": null, "coverage": 0.0})
    };
    assert_eq!(
        empty,
        json!({
            "systemHealth": {"overall": "unknown", "services": {}, "lastUpdated": null},
            "performance": {
                "averageResponseTime": null, "p50ResponseTime": null, "p95ResponseTime": null,
                "p99ResponseTime": null, "throughput": 0.0, "requests": 0, "activeUsers": 0,
                "memoryUsage": null, "cpuUsage": null, "endpoints": [],
            },
            "errors": {
                "totalErrors": 0, "criticalErrors": 0, "errorsByCategory": {}, "errorRate": null,
                "failedRequests": 0, "requests": 0, "recentErrors": [],
            },
            "business": {
                "dailyActiveUsers": 0, "winesAdded": 0, "recommendationsGenerated": 0,
                "aiQueriesProcessed": 0, "imageProcessingRequests": 0, "usersRegistered": 0,
                "tasteProfilesCompleted": 0, "winesConsumed": 0, "foodPairingsRequested": 0,
                "conversionRate": null, "events": {}, "metrics": {},
            },
            "people": {"active": 0, "new": 0, "returning": 0, "active24h": 0, "active7d": 0, "active30d": 0,
                       "activeADay": 0.0, "stickinessPercent": null, "visitors": 0},
            "sessions": {"visits": 0, "visitsPerPerson": null, "sessions": 0, "averageSeconds": null, "medianSeconds": null,
                         "pageViews": 0, "pagesPerSession": null, "events": 0, "devices": {}},
            "resources": [], "features": [], "funnels": [], "webVitals": {}, "metrics": {}, "pages": [], "dependencies": [], "releases": [],
            "issues": {"open": 0, "new": 0, "regressed": 0, "latest": []}, "reports": {},
            "door": {"taken": 0, "leftOut": {}, "sources": []},
            "alerts": {"activeAlerts": 0, "criticalAlerts": 0, "recentAlerts": []},
            "uptime": {
                "uptime24h": null, "uptime7d": null, "uptime30d": null, "uptime90d": null, "uptime1y": null,
                "windows": {"24h": nothing(86400), "7d": nothing(604_800), "30d": nothing(2_592_000),
                            "90d": nothing(7_776_000), "1y": nothing(31_536_000), "window": nothing(86400)},
                "checks": {}, "days": {"from": "2026-08-27", "services": {}}, "incidents": [],
            },
            "incidents": [],
            "deployments": [],
            "production": {"projects": [unwatched("app_project"), unwatched("own_project")],
                           "ownDeployments": [], "served": []},
            "feedback": {"open": 0, "unanswered": 0},
            "outbox": {"pending": 0, "oldestPendingSeconds": null, "dead": [], "sent24h": 0},
            "jobs": [never_run("backup", 1800), never_run("maintenance", 600), never_run("monitor", 60)],
            "clocks": [],
            "onCall": [],
            "backups": null,
            "providerBackups": {"state": "not watched", "newestAt": null, "ageSeconds": null, "pitr": null,
                                "readAt": null, "error": null, "backups": []},
            "security": {"windowMinutes": 15, "signInAttempts": null, "refusedPercent": null,
                         "admins": null, "accessChangedAt": null, "openAlerts": 0},
            "audit": {"clean": true, "findings": []},
            "auditLog": null,
            "dataQuality": {"leftOut": {"responseTimes": 0, "statusCodes": 0, "businessMetrics": 0,
                                        "webVitals": 0, "futureRows": 0},
                            "uncounted": {"rows": 0, "tablesInProgress": []}},
        }),
    );
}

/// A project of the platform's that there is no token for.
fn unwatched(source: &str) -> Value {
    json!({"source": source, "name": null, "state": "not watched", "pinnedSince": null, "live": null,
           "readAt": null, "error": null})
}

/// A job that is known and was never claimed, as of noon.
pub(crate) fn never_run(job: &str, every_seconds: u32) -> Value {
    let noon: jiff::Timestamp = at("12:00:00").parse().unwrap();
    let first = noon - jiff::SignedDuration::from_secs(59 * i64::from(every_seconds));
    let slots = json!({
        "from": first.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        "outcomes": vec![Value::Null; 60],
    });
    json!({"job": job, "everySeconds": every_seconds, "lastSlot": null, "lastOutcome": null,
           "lastStartedAt": null, "lastFinishedAt": null, "durationMs": null,
           "missed24h": 0, "status": "not set up", "slots": slots})
}

#[tokio::test]
async fn health_is_what_the_newest_tick_says_while_it_is_valid() {
    let world = World::migrated().await;
    world
        .tick(
            "11:57:00",
            &[
                app("down"),
                dependency("storage", "up"),
                dependency("ai", "up"),
            ],
        )
        .await;
    world
        .execute(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/', 'GET', status, 1, '2026-11-24T11:58:00Z' from unnest('{500,200,200,200}'::int[]) as status",
        )
        .await;
    let checks = [
        app("up"),
        dependency("database", "up"),
        dependency("ai", "down"),
        dependency("email", "unknown"),
        certificate(Some(3)),
    ];
    world.tick("11:58:30", &checks).await;
    let health = section(&world, "systemHealth").await;
    let mut service = json!({
        "status": "healthy", "responseTime": 120, "errorRate": 25.0, "uptime": 50.0,
        "lastCheck": "2026-11-24T11:58:30+00:00", "reason": null, "check": null,
    });
    assert_eq!(health["services"]["app"], service);
    service["responseTime"] = json!(20);
    service["errorRate"] = Value::Null;
    service["uptime"] = json!(100.0);
    assert_eq!(health["services"]["database"], service);
    service["status"] = json!("unhealthy");
    service["check"] = json!("ai");
    service["uptime"] = json!(50.0);
    assert_eq!(health["services"]["ai"], service);
    assert_eq!(health["services"]["email"]["status"], "unknown");
    assert_eq!(health["services"]["email"]["uptime"], Value::Null);
    assert_eq!(
        health["services"].as_object().unwrap().len(),
        4,
        "storage is no longer checked"
    );
    assert_eq!(health["overall"], "degraded");
    assert_eq!(health["lastUpdated"], "2026-11-24T11:58:30+00:00");

    let stale = world.dashboard(3600, "12:00:31").await["systemHealth"].clone();
    assert_eq!(stale["overall"], "unknown");
    assert_eq!(stale["services"]["app"]["status"], "unknown");
    assert_eq!(stale["services"]["app"]["responseTime"], Value::Null);
}

#[tokio::test]
async fn the_whole_is_as_its_services() {
    for (checks, overall) in [
        (
            vec![
                app("up"),
                dependency("database", "up"),
                dependency("ai", "up"),
            ],
            "healthy",
        ),
        (
            vec![
                app("up"),
                dependency("database", "up"),
                dependency("ai", "down"),
            ],
            "degraded",
        ),
        (
            vec![app("up"), dependency("database", "degraded")],
            "degraded",
        ),
        (vec![app("up"), dependency("database", "down")], "unhealthy"),
        (vec![app("down"), dependency("database", "up")], "unhealthy"),
        (
            vec![app("up"), dependency("database", "unknown")],
            "unknown",
        ),
    ] {
        let world = World::migrated().await;
        world.tick("11:59:30", &checks).await;
        assert_eq!(
            section(&world, "systemHealth").await["overall"],
            overall,
            "{checks:?}"
        );
    }
}

#[tokio::test]
async fn another_environment_knows_nothing_of_this_one() {
    let world = World::migrated().await;
    world.tick("11:59:30", &[app("up")]).await;
    let arguments = json!({"p_seconds": 3600, "p_environment": "preview", "p_now": at(NOON)});
    let preview = world.call("ops_dashboard", arguments).await;
    assert_eq!(preview["systemHealth"]["overall"], "unknown");
    assert_eq!(preview["uptime"]["uptime24h"], Value::Null);
    let production = world.dashboard(3600, NOON).await;
    assert_eq!(production["uptime"]["uptime24h"], 100.0);
}

/// One that is over and one that goes on, without their ids.
fn both_incidents() -> Value {
    json!([
        {"number": 2, "title": null, "severity": "critical", "status": "investigating",
         "startedAt": "2026-11-24T11:59:00+00:00", "detectedAt": "2026-11-24T11:59:00+00:00",
         "acknowledgedAt": null, "resolvedAt": null, "durationSeconds": 60.0,
         "timeToAcknowledgeSeconds": null, "timeToResolveSeconds": null,
         "openedBy": null, "resolvedBy": null, "rule": "external", "subject": "s",
         "affects": [], "alerts": 1, "beganAfter": null,
         "cause": {"side": "unknown", "by": null, "evidence": []},
         "impact": {"users": null, "failedRequests": null, "minutesDown": null, "reports": 0, "reporters": null}},
        {"number": 1, "title": null, "severity": "critical", "status": "resolved",
         "startedAt": "2026-11-24T11:50:00+00:00", "detectedAt": "2026-11-24T11:52:00+00:00",
         "acknowledgedAt": null, "resolvedAt": "2026-11-24T11:55:00+00:00", "durationSeconds": 300.0,
         "timeToAcknowledgeSeconds": null, "timeToResolveSeconds": 180.0,
         "openedBy": null, "resolvedBy": null, "rule": "app_down", "subject": "https://app.example/",
         "affects": ["app"], "alerts": 1, "beganAfter": null,
         "cause": {"side": "unknown", "by": null, "evidence": [
             {"kind": "bad", "service": "app", "status": "down", "reason": "timeout", "statusCode": null}]},
         "impact": {"users": null, "failedRequests": null, "minutesDown": 4.0, "reports": 0, "reporters": null}},
    ])
}

#[tokio::test]
async fn uptime_alerts_and_incidents() {
    let world = World::migrated().await;
    for now in minutes("11:50:00", 4) {
        world.tick(&now, &[app("down")]).await;
    }
    for now in minutes("11:54:00", 4) {
        world.tick(&now, &[app("up"), certificate(Some(20))]).await;
    }
    let raised = json!({"p_request": uuid::Uuid::new_v4(), "p_channels": [], "p_now": at("11:59:00"), "p_alerts": [
        {"status": "firing", "source": "ci", "type": "t", "severity": "critical", "title": "Title", "subject": "s"},
    ]});
    world.call("ops_raise_alerts", raised).await;
    let dashboard = world.dashboard(3600, NOON).await;

    // Down from 11:50 to 11:54; up to 11:59, two minutes after the last sample.
    let uptime = &dashboard["uptime"];
    assert_eq!(
        uptime["windows"]["window"],
        json!({"up": 300.0, "degraded": 0, "down": 240.0, "unknown": 3060.0, "maintenance": 0,
               "percent": 55.5556, "lower": 8.3333, "upper": 93.3333, "coverage": 15.0}),
    );
    assert_eq!(uptime["windows"]["24h"]["unknown"], 85860.0);
    assert_eq!(uptime["windows"]["7d"]["unknown"], 604_260.0);
    assert_eq!(uptime["windows"]["30d"]["unknown"], 2_591_460.0);
    assert_eq!(uptime["windows"]["90d"]["unknown"], 7_775_460.0);
    assert_eq!(uptime["windows"]["1y"]["unknown"], 31_535_460.0);
    let page = &uptime["checks"]["app:https://app.example/"];
    for key in [
        "uptime24h",
        "uptime7d",
        "uptime30d",
        "uptime90d",
        "uptime1y",
    ] {
        assert_eq!(
            (&uptime[key], &page[key]),
            (&json!(55.5556), &json!(55.5556)),
            "{key}"
        );
    }
    assert_eq!(
        uptime["incidents"],
        json!([
            {"date": "2026-11-24T11:59:00+00:00", "duration": 60.0, "impact": "critical"},
            {"date": "2026-11-24T11:50:00+00:00", "duration": 300.0, "impact": "critical"},
        ]),
    );

    let mut incidents = dashboard["incidents"].clone();
    for incident in incidents.as_array_mut().unwrap() {
        assert!(
            incident
                .as_object_mut()
                .unwrap()
                .remove("id")
                .unwrap()
                .is_string()
        );
    }
    assert_eq!(incidents, both_incidents());
    // Of an incident that ended before the range only the month still tells.
    let later = world.dashboard(3600, "12:55:01").await;
    assert_eq!(array(&later["incidents"]).len(), 1);
    assert_eq!(array(&later["uptime"]["incidents"]).len(), 2);

    let mut alerts = dashboard["alerts"].clone();
    for alert in alerts["recentAlerts"].as_array_mut().unwrap() {
        assert!(
            alert
                .as_object_mut()
                .unwrap()
                .remove("id")
                .unwrap()
                .is_string()
        );
    }
    assert_eq!(
        alerts,
        json!({
            "activeAlerts": 2, "criticalAlerts": 1,
            "recentAlerts": [
                {"type": "external", "severity": "critical", "status": "firing", "subject": "s",
                 "message": "Title", "timestamp": "2026-11-24T11:59:00+00:00", "resolvedAt": null, "incident": 2,
                 "heldBy": null, "ladder": {"reason": "no_contacts", "until": null, "rungs": []}},
                {"type": "certificate_expiring", "severity": "low", "status": "firing",
                 "subject": "app.example", "message": null, "timestamp": "2026-11-24T11:56:00+00:00",
                 "resolvedAt": null, "incident": null, "heldBy": null,
                 "ladder": {"reason": "no_ladder", "until": null, "rungs": []}},
                {"type": "app_down", "severity": "critical", "status": "resolved",
                 "subject": "https://app.example/", "message": null,
                 "timestamp": "2026-11-24T11:52:00+00:00", "resolvedAt": "2026-11-24T11:55:00+00:00",
                 "incident": 1, "heldBy": null, "ladder": null},
            ],
        }),
    );
}

#[tokio::test]
async fn nonsense_is_refused() {
    let world = World::migrated().await;
    for (seconds, environment) in [
        (json!(0), json!("production")),
        (json!(31_622_401), json!("production")),
        (Value::Null, json!("production")),
        (json!(3600), json!("test")),
        (json!(3600), Value::Null),
    ] {
        let arguments = json!({"p_seconds": seconds, "p_environment": environment});
        assert_eq!(world.refusal("ops_dashboard", arguments).await[0], "22023");
    }
    for seconds in [3600, 86_400, 604_800, 2_592_000, 7_776_000, 31_536_000] {
        let document = world.dashboard(seconds, NOON).await;
        assert_eq!(document.as_object().unwrap().len(), 37, "{seconds}");
    }
}
