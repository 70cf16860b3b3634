//! What the tick reads by itself: jobs that have to report, and events that have
//! to go on happening.

use serde_json::{Value, json};

use crate::support::{World, app, at, minutes, transitions, verdict};

/// A heartbeat of a minute's period and grace, and its token's hash.
async fn heartbeat(world: &World) -> String {
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 600});
    let arguments = json!({"p_name": "import", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
    token(world).await
}

async fn token(world: &World) -> String {
    let arguments = json!({"p_name": "import", "p_by": "anna"});
    let issued = world.call("ops_issue_heartbeat_token", arguments).await;
    let token = issued["token"].as_str().unwrap();
    assert_eq!(token.len(), 64);
    world
        .value(&format!("encode(sha256('{token}'), 'hex')"))
        .await
        .as_str()
        .unwrap()
        .to_owned()
}

async fn beat(world: &World, hash: &str, event: &str, now: &str) -> Value {
    let arguments = json!({"p_token_hash": hash, "p_event": event, "p_now": at(now)});
    world.call("ops_beat", arguments).await
}

/// Ticks of these tests are rare, and that is no blindness.
async fn sees_all_the_time(world: &World) {
    world
        .execute(
            "create function public.unnoted() returns trigger language plpgsql as 'begin return null; end';
             create trigger unnoted before insert on ops.blind_spans
                 for each row execute function public.unnoted()",
        )
        .await;
}

#[tokio::test]
async fn a_heartbeat_by_what_it_reported_and_when() {
    let world = World::migrated().await;
    let cases = [
        (
            "nothing yet",
            json!({}),
            "12:00",
            "unknown",
            Some("not_set_up"),
        ),
        (
            "in time",
            json!({"first_at": "10:00", "succeeded_at": "11:00"}),
            "12:10",
            "up",
            None,
        ),
        (
            "late",
            json!({"first_at": "10:00", "succeeded_at": "11:00"}),
            "12:11",
            "down",
            Some("late"),
        ),
        (
            "started only, in time",
            json!({"first_at": "12:00", "started_at": "12:00"}),
            "12:10",
            "up",
            None,
        ),
        (
            "started only, never ended",
            json!({"first_at": "12:00", "started_at": "12:00"}),
            "12:11",
            "down",
            Some("stuck"),
        ),
        (
            "started again, not ended",
            json!({"first_at": "10:00", "succeeded_at": "11:00", "started_at": "11:30"}),
            "11:41",
            "down",
            Some("stuck"),
        ),
        (
            "started again, ended",
            json!({"first_at": "10:00", "succeeded_at": "11:32", "started_at": "11:30"}),
            "11:41",
            "up",
            None,
        ),
        (
            "failed",
            json!({"first_at": "10:00", "succeeded_at": "11:00", "failed_at": "11:30"}),
            "11:31",
            "down",
            Some("failed"),
        ),
        (
            "failed, then tried again",
            json!({"first_at": "10:00", "failed_at": "11:30", "started_at": "11:35"}),
            "11:36",
            "down",
            Some("failed"),
        ),
        (
            "failed, then succeeded",
            json!({"first_at": "10:00", "failed_at": "11:30", "succeeded_at": "11:40"}),
            "11:41",
            "up",
            None,
        ),
    ];
    for (name, mut seen, now, status, reason) in cases {
        for time in seen.as_object_mut().unwrap().values_mut() {
            *time = json!(at(&format!("{}:00", time.as_str().unwrap())));
        }
        let query = format!(
            "select s.status, s.reason from ops.heartbeat_status(
                 jsonb_populate_record(null::ops.heartbeats, '{seen}'),
                 '{{\"periodSeconds\": 3600, \"graceSeconds\": 600}}', '{}') as s",
            at(&format!("{now}:00")),
        );
        let found = world.rows(&query).await[0].clone();
        assert_eq!(
            (&found["status"], &found["reason"]),
            (&json!(status), &json!(reason)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_job_that_falls_silent_alerts_and_its_return_resolves() {
    let world = World::migrated().await;
    sees_all_the_time(&world).await;
    let hash = heartbeat(&world).await;
    let quiet = world.tick("09:59:05", &[app("up")]).await;
    assert_eq!(
        verdict(&quiet, "check_failing", "import")["verdict"],
        "insufficient"
    );

    assert_eq!(
        beat(&world, &hash, "success", "10:00:00").await["heartbeat"],
        "import"
    );
    for now in minutes("11:08:05", 2) {
        assert!(transitions(&world.tick(&now, &[app("up")]).await).is_empty());
    }
    let mut seen = Vec::new();
    for now in minutes("11:10:05", 3) {
        seen.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(seen, ["opened check_failing import"]);
    beat(&world, &hash, "success", "11:13:00").await;
    for now in minutes("11:13:05", 2) {
        seen.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(seen.last().unwrap(), "resolved check_failing import");
    let statuses = world
        .rows("select status, count(*) as ticks from ops.samples where check_name = 'check:import' group by 1 order by 1")
        .await;
    assert_eq!(
        statuses,
        json!([{"status": "down", "ticks": 3}, {"status": "unknown", "ticks": 1}, {"status": "up", "ticks": 4}])
    );
}

#[tokio::test]
async fn only_the_newest_token_reports_and_a_late_report_undoes_nothing() {
    let world = World::migrated().await;
    let old = heartbeat(&world).await;
    let new = token(&world).await;
    assert_eq!(
        beat(&world, &old, "success", "10:00:00").await["heartbeat"],
        Value::Null
    );
    beat(&world, &new, "success", "11:00:00").await;
    beat(&world, &new, "success", "10:30:00").await;
    let kept = world
        .rows("select first_at, succeeded_at from ops.heartbeats")
        .await;
    assert_eq!(kept[0]["succeeded_at"], "2026-11-24T11:00:00+00:00");
    let arguments = json!({"p_token_hash": new, "p_event": "ended"});
    let [code, ..] = world.refusal("ops_beat", arguments).await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn an_event_that_stops_happening_alerts_and_its_return_resolves() {
    let world = World::migrated().await;
    sees_all_the_time(&world).await;
    let check = json!({"kind": "rule", "event": "user_registered", "windowMinutes": 60, "minimum": 2,
                       "severity": "medium"});
    let arguments = json!({"p_name": "sign-ups", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
    let happen = async |at: &str, count: u32, environment: &str| {
        world
            .execute(&format!(
                "insert into public.analytics_events (event_name, \"timestamp\", environment)
                 select 'user_registered', '2026-11-24T{at}Z', '{environment}' from generate_series(1, {count})"
            ))
            .await;
    };
    let mut seen = Vec::new();
    let mut tick = async |now: &str| {
        let committed = world.tick(now, &[app("up")]).await;
        seen.extend(transitions(&committed));
        verdict(&committed, "check_failing", "sign-ups")["verdict"].clone()
    };
    // Until it was met once there is nothing that could stop.
    assert_eq!(tick("09:00:05").await, "insufficient");
    happen("09:00:30", 1, "production").await;
    happen("09:00:30", 5, "preview").await;
    assert_eq!(tick("09:01:05").await, "insufficient");
    happen("09:01:30", 1, "production").await;
    assert_eq!(tick("09:02:05").await, Value::Null, "good");
    assert_eq!(
        tick("10:00:05").await,
        Value::Null,
        "both are within the hour"
    );
    for now in ["10:01:05", "10:02:05", "10:03:05"] {
        assert_eq!(tick(now).await, "bad", "{now}");
    }
    happen("10:03:30", 2, "production").await;
    for now in ["10:04:05", "10:05:05"] {
        assert_eq!(tick(now).await, Value::Null, "{now}");
    }
    assert_eq!(
        seen,
        [
            "opened check_failing sign-ups",
            "resolved check_failing sign-ups"
        ]
    );
}
