//! Jobs that report by the door: the heartbeats that they make and feed.

use serde_json::{Value, json};

use crate::support::{World, array, at};

async fn key(world: &World, name: &str, items_a_minute: u32) -> i64 {
    let arguments = json!({
        "p_name": name, "p_origins": [], "p_items_a_minute": items_a_minute, "p_items_a_day": 1000,
        "p_by": "anna", "p_now": at("09:00:00"),
    });
    let key = world.call("ops_add_door_key", arguments).await;
    key["id"].as_i64().unwrap()
}

fn check_in(slug: &str, event: &str, run: &str) -> Value {
    json!({"slug": slug, "event": event, "run": run, "config": null})
}

fn with_period(mut check_in: Value, seconds: u32) -> Value {
    check_in["config"] =
        json!({"periodSeconds": seconds, "graceSeconds": 60, "maxRunSeconds": 1800});
    check_in
}

async fn take(world: &World, key: i64, check_ins: &[Value], now: &str) -> Value {
    let arguments = json!({
        "p_key": key, "p_source": "sentry", "p_origin": null, "p_visitor": null, "p_items": [],
        "p_check_ins": check_ins, "p_now": at(now),
    });
    world.call("ops_take_items", arguments).await
}

/// Every heartbeat with its period and its last success and failure.
async fn heartbeats(world: &World) -> Value {
    world
        .rows(
            "select name, spec -> 'periodSeconds' as period, succeeded_at is not null as well, failed_at is not null as ill
             from ops.custom_checks join ops.heartbeats using (name) order by name",
        )
        .await
}

async fn drops(world: &World) -> Value {
    world
        .rows("select reason, items from ops.door_drops order by 1")
        .await
}

#[tokio::test]
async fn a_key_that_strangers_can_read_makes_no_job() {
    let world = World::migrated().await;
    let key = key(&world, "web", 100).await;
    world
        .execute("update ops.door_keys set origins = '{https://wine.example}'")
        .await;
    take(
        &world,
        key,
        &[check_in("nightly", "success", "r1")],
        "12:00:00",
    )
    .await;
    assert_eq!(heartbeats(&world).await, json!([]));
    let expected = json!([{"reason": "check-in by the key of a page", "items": 1}]);
    assert_eq!(drops(&world).await, expected);
}

#[tokio::test]
async fn a_job_that_checks_in_is_watched_from_then_on() {
    let world = World::migrated().await;
    let key = key(&world, "web", 100).await;
    let began = with_period(check_in("Nightly import!", "start", "r1"), 86_400);
    take(&world, key, &[began], "12:00:00").await;
    let running = world
        .rows("select heartbeat, run, ended_at from ops.heartbeat_runs")
        .await;
    assert_eq!(
        running,
        json!([{"heartbeat": "nightly-import", "run": "r1", "ended_at": null}])
    );
    take(
        &world,
        key,
        &[check_in("Nightly import!", "success", "r1")],
        "12:10:00",
    )
    .await;
    assert_eq!(
        heartbeats(&world).await,
        json!([{"name": "nightly-import", "period": 86_400, "well": true, "ill": false}])
    );
    let took = world
        .value("(select extract(epoch from ended_at - started_at) from ops.heartbeat_runs)")
        .await;
    assert_eq!(took.as_f64(), Some(600.0));
    let by = world
        .value("(select jsonb_agg(distinct changed_by) from ops.check_changes)")
        .await;
    assert_eq!(by, json!(["door key 1"]));
    take(
        &world,
        key,
        &[check_in("Nightly import!", "failure", "r2")],
        "13:00:00",
    )
    .await;
    let failed = world
        .rows("select status, reason from ops.derived_checks('{\"environment\": \"production\"}', '2026-11-24T13:01:00Z')")
        .await;
    assert_eq!(failed, json!([{"status": "down", "reason": "failed"}]));
}

#[tokio::test]
async fn an_end_that_comes_before_its_beginning_makes_one_run() {
    let world = World::migrated().await;
    let key = key(&world, "web", 100).await;
    take(&world, key, &[check_in("a", "success", "r1")], "12:00:00").await;
    let began = with_period(check_in("a", "start", "r1"), 3_600);
    let began = std::slice::from_ref(&began);
    take(&world, key, began, "12:00:01").await;
    take(&world, key, began, "12:00:02").await;
    let runs = world
        .rows("select run, ended_at is not null as ended from ops.heartbeat_runs")
        .await;
    assert_eq!(runs, json!([{"run": "r1", "ended": true}]));
    assert_eq!(heartbeats(&world).await[0]["period"], 3_600);
}

#[tokio::test]
async fn what_an_operator_changed_stays_until_the_client_says_something_else() {
    let world = World::migrated().await;
    let key = key(&world, "web", 100).await;
    let said = |period| with_period(check_in("a", "success", "r1"), period);
    take(&world, key, &[said(3_600)], "12:00:00").await;
    let edit = json!({"p_name": "a", "p_changes": {"periodSeconds": 7200, "tags": ["import"]}, "p_by": "anna"});
    world.call("ops_edit_check", edit).await;
    take(&world, key, &[said(3_600)], "12:01:00").await;
    assert_eq!(heartbeats(&world).await[0]["period"], 7_200);
    take(&world, key, &[said(900)], "12:02:00").await;
    assert_eq!(heartbeats(&world).await[0]["period"], 900);
    let spec = world.value("(select spec from ops.custom_checks)").await;
    assert_eq!(spec["tags"], json!(["import"]));
}

#[tokio::test]
async fn nobody_at_the_door_feeds_what_came_by_another_way() {
    let world = World::migrated().await;
    let (web, app) = (key(&world, "web", 100).await, key(&world, "app", 100).await);
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 600});
    let arguments = json!({"p_name": "backup", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
    for key in [web, app] {
        take(
            &world,
            key,
            &[check_in("backup", "success", "")],
            "12:00:00",
        )
        .await;
    }
    let fed = world
        .rows("select key, slug, heartbeat from ops.monitors order by key")
        .await;
    let fed = array(&fed);
    assert_eq!(fed.len(), 2);
    for monitor in fed {
        let name = monitor["heartbeat"].as_str().unwrap();
        assert!(name.starts_with("backup-") && name.len() == 15, "{name}");
    }
    assert_ne!(fed[0]["heartbeat"], fed[1]["heartbeat"]);
}

#[tokio::test]
async fn one_odd_check_in_takes_nothing_else_along() {
    let world = World::migrated().await;
    let key = key(&world, "web", 100).await;
    let mut odd_config = check_in("b", "success", "");
    odd_config["config"] = json!({"periodSeconds": 1});
    let item = json!({
        "id": uuid::Uuid::from_u128(1), "kind": "event", "environment": "production", "name": "x", "detail": {},
    });
    let arguments = json!({
        "p_key": key, "p_source": "sentry", "p_origin": null, "p_visitor": null, "p_items": [item],
        "p_check_ins": [
            check_in("a", "success", ""), odd_config, check_in("c", "riddle", ""), check_in("", "success", ""), 7,
            check_in("…", "success", ""), check_in(&"x".repeat(101), "success", ""), check_in("d", "failure", ""),
        ],
        "p_now": at("12:00:00"),
    });
    let taken = world.call("ops_take_items", arguments).await;
    assert_eq!(taken["taken"], 1);
    let names = heartbeats(&world).await;
    let names: Vec<_> = array(&names).iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["a", "d", "job"]);
    assert_eq!(
        drops(&world).await,
        json!([{"reason": "unusable check-in", "items": 5}])
    );
}

#[tokio::test]
async fn a_key_has_a_hundred_jobs_and_no_quota_for_their_reports() {
    let world = World::migrated().await;
    let key = key(&world, "web", 1).await;
    let jobs: Vec<_> = (0..103)
        .map(|nth| check_in(&format!("job-{nth}"), "success", ""))
        .collect();
    let taken = take(&world, key, &jobs, "12:00:00").await;
    assert_eq!(
        taken,
        json!({"taken": 0, "overQuota": 0, "retryAfterSeconds": null})
    );
    assert_eq!(array(&heartbeats(&world).await).len(), 100);
    let expected = json!([{"reason": "check-in of one job too many", "items": 3}]);
    assert_eq!(drops(&world).await, expected);
    take(&world, key, &jobs[..100], "12:01:00").await;
    assert_eq!(drops(&world).await, expected);
}

#[tokio::test]
async fn a_check_that_is_removed_comes_back_with_its_next_report() {
    let world = World::migrated().await;
    let key = key(&world, "web", 100).await;
    take(&world, key, &[check_in("a", "success", "")], "12:00:00").await;
    let remove = json!({"p_name": "a", "p_by": "anna"});
    world.call("ops_remove_check", remove).await;
    assert_eq!(world.value("(select count(*) from ops.monitors)").await, 0);
    take(&world, key, &[check_in("a", "success", "")], "12:01:00").await;
    assert_eq!(array(&heartbeats(&world).await).len(), 1);
}
