//! What is used of what there is: kept, told with its reason where nobody knows, projected, and
//! an alert where little is left.

use serde_json::{Value, json};

use crate::support::{World, app, array, at, verdict};

async fn keep(world: &World, now: &str, functions: Value) -> Value {
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 245, "p_manual": true, "p_now": at(now),
    });
    let claim = world.call("ops_claim_run", claim).await;
    let call = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_functions": functions, "p_now": at(now)});
    let kept = world.call("ops_keep_resources", call).await;
    let finish = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "done", "p_summary": {}, "p_now": at(now)});
    world.call("ops_finish_run", finish).await;
    kept
}

fn functions() -> Value {
    json!({"seconds": {"monitor": 55, "backup": 300}, "cronJobs": 4, "peakBytes": 40_000_000, "memoryBytes": 512_000_000})
}

async fn resource(world: &World, name: &str, now: &str) -> Value {
    let listed = world
        .value(&format!("ops.list_resources('{}')", at(now)))
        .await;
    array(&listed)
        .iter()
        .find(|one| one["resource"] == name)
        .unwrap_or(&Value::Null)
        .clone()
}

async fn host(world: &World, now: &str, document: Value) {
    let watch = json!({"p_sources": ["database_host"], "p_now": at(now)});
    world.call("ops_claim_platform_readings", watch).await;
    let store = json!({"p_source": "database_host", "p_document": document, "p_error": null, "p_now": at(now)});
    world.call("ops_store_platform_reading", store).await;
}

async fn set(world: &World, key: &str, value: Value) {
    world
        .call(
            "ops_set_setting",
            json!({"p_key": key, "p_value": value, "p_by": "anna"}),
        )
        .await;
}

fn machine(busy: f64, all: f64, free: f64) -> Value {
    json!({"cpuSeconds": all, "cpuBusySeconds": busy, "memoryBytes": 1e9, "memoryFreeBytes": 2.5e8,
           "diskBytes": 8e9, "diskFreeBytes": free})
}

#[tokio::test]
async fn what_nobody_tells_is_null_with_its_reason_and_the_rest_is_measured() {
    let world = World::migrated().await;
    let kept = keep(&world, "12:00:00", functions()).await;
    assert_eq!(kept["outcome"], "done");
    for (name, reason) in [
        (
            "database_disk",
            "the database's host is not read: its platform has no metrics for us",
        ),
        (
            "database_cpu",
            "the database's host is not read: its platform has no metrics for us",
        ),
        (
            "egress",
            "no API tells it: the platforms' own usage pages do",
        ),
        ("openai", "OpenAI tells its quota to no key of a project"),
        ("function_time", "no job ran in 24 hours"),
        ("database_size", "limit.database_gb is not set"),
        (
            "emails",
            "limit.emails_a_day is not set: the plan of Resend says it",
        ),
    ] {
        let one = resource(&world, name, "12:00:00").await;
        assert_eq!(
            (&one["reason"], &one["percent"]),
            (&json!(reason), &Value::Null),
            "{one}"
        );
    }
    let size = world.value("pg_database_size(current_database())").await;
    let kept = resource(&world, "database_size", "12:00:00").await["used"]
        .as_f64()
        .unwrap();
    assert!(
        (kept / size.as_f64().unwrap() - 1.0).abs() < 0.1,
        "{kept} {size}"
    );
    let connections = resource(&world, "connections", "12:00:00").await;
    let maximum = world.value("current_setting('max_connections')::int").await;
    assert_eq!(
        (&connections["capacity"], &connections["reason"]),
        (&maximum, &Value::Null)
    );
    let memory = resource(&world, "function_memory", "12:00:00").await;
    assert_eq!(
        (&memory["percent"], &memory["note"]),
        (&json!(7.8), &json!("maintenance"))
    );
    let crons = resource(&world, "cron_jobs", "12:00:00").await;
    assert_eq!(
        (&crons["used"], &crons["capacity"]),
        (&json!(4), &json!(100))
    );
}

#[tokio::test]
async fn the_host_is_what_its_platform_says_and_processors_are_busy_between_two_readings() {
    let world = World::migrated().await;
    let cpu = |now: &str| format!("ops.host_busy_percent('{}')", at(now));
    host(&world, "10:00:00", machine(100.0, 1000.0, 2e9)).await;
    assert_eq!(
        world.value(&cpu("10:00:01")).await,
        Value::Null,
        "one reading says nothing"
    );
    host(&world, "11:00:00", machine(1000.0, 4600.0, 2e9)).await;
    assert_eq!(world.value(&cpu("11:00:01")).await, json!(25.0));
    keep(&world, "11:10:00", functions()).await;
    let disk = resource(&world, "database_disk", "11:10:00").await;
    assert_eq!(
        (&disk["used"], &disk["percent"]),
        (&json!(6e9), &json!(75.0))
    );
    assert_eq!(
        resource(&world, "database_memory", "11:10:00").await["percent"],
        75.0
    );
    assert_eq!(
        world.dashboard(3600, "11:11:00").await["performance"]["cpuUsage"],
        25.0
    );
    // Its counters begin anew when it is started anew, and old readings say nothing of now.
    host(&world, "12:00:00", machine(5.0, 60.0, 2e9)).await;
    assert_eq!(world.value(&cpu("12:00:01")).await, Value::Null);
    host(
        &world,
        "13:00:00",
        machine(5.0 + 1800.0, 60.0 + 3600.0, 2e9),
    )
    .await;
    assert_eq!(world.value(&cpu("13:00:01")).await, json!(50.0));
    assert_eq!(world.value(&cpu("16:00:01")).await, Value::Null);
    keep(&world, "17:00:00", functions()).await;
    let disk = resource(&world, "database_disk", "17:00:00").await;
    assert_eq!(
        (&disk["used"], &disk["reason"]),
        (&Value::Null, &json!("its host was not read lately"))
    );
}

#[tokio::test]
async fn a_reading_that_is_no_machine_is_refused() {
    let world = World::migrated().await;
    let store = json!({"p_source": "database_host", "p_document": {"diskBytes": "large"}, "p_error": null, "p_now": at("12:00:00")});
    let [code, ..] = world.refusal("ops_store_platform_reading", store).await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn what_only_grows_is_full_in_as_many_days_as_its_line_says() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.resource_days (resource, day, used)
             select 'storage', date '2026-11-24' - back, 60e9 - back * 1e9 from generate_series(1, 5) as back;
             insert into ops.resource_readings (resource, used, capacity, unit, read_at)
             values ('storage', 60e9, 100e9, 'B', '2026-11-24T12:00:00Z'),
                    ('connections', 30, 60, 'connections', '2026-11-24T12:00:00Z')",
        )
        .await;
    assert_eq!(
        resource(&world, "storage", "12:00:00").await["daysToFull"],
        Value::Null,
        "too few days"
    );
    world
        .execute(
            "insert into ops.resource_days (resource, day, used)
             select 'storage', date '2026-11-24' - back, 60e9 - back * 1e9 from unnest('{0,6,7}'::int[]) as back;
             insert into ops.resource_days (resource, day, used)
             select 'connections', date '2026-11-24' - back, 30 - back from generate_series(0, 9) as back",
        )
        .await;
    let storage = resource(&world, "storage", "12:00:00").await;
    assert_eq!(
        (&storage["perDay"], &storage["daysToFull"]),
        (&json!(1_000_000_000.0), &json!(40.0))
    );
    let days = array(&storage["days"]);
    assert_eq!(
        (days.len(), &days[29], &days[21]),
        (30, &json!(60_000_000_000_u64), &Value::Null)
    );
    for (column, known) in [("capacity", "100e9"), ("used", "60e9")] {
        let becomes = async |value: &str| {
            let sql = format!(
                "update ops.resource_readings set {column} = {value} where resource = 'storage'"
            );
            world.execute(&sql).await;
        };
        becomes("null").await;
        let unknown = resource(&world, "storage", "12:00:00").await;
        assert_eq!(unknown["daysToFull"], Value::Null, "no {column}");
        becomes(known).await;
    }
    let connections = resource(&world, "connections", "12:00:00").await;
    assert_eq!(
        (&connections["perDay"], &connections["daysToFull"]),
        (&json!(1.0), &Value::Null)
    );
    world.execute("update ops.resource_days set used = 60e9 + (date '2026-11-24' - day) where resource = 'storage'").await;
    assert_eq!(
        resource(&world, "storage", "12:00:00").await["daysToFull"],
        Value::Null,
        "it shrinks"
    );
    let document: Vec<ops::monitoring::document::Resource> = serde_json::from_value(
        world
            .value("ops.list_resources('2026-11-24T12:00:00Z')")
            .await,
    )
    .unwrap();
    assert_eq!(document.len(), 2);
}

#[tokio::test]
async fn little_left_is_an_alert_and_nearly_nothing_a_worse_one() {
    let world = World::migrated().await;
    let tick = world.tick("12:00:00", &[app("up")]).await;
    assert_eq!(verdict(&tick, "resource_high", "storage"), &Value::Null);
    world
        .execute("insert into ops.resource_readings (resource, used, capacity, unit, read_at) values ('storage', 80, 100, 'B', '2026-11-24T12:00:00Z')")
        .await;
    for (minute, used, high, full) in [
        (1, 80, "good", "good"),
        (2, 81, "bad", "good"),
        (3, 95, "bad", "good"),
        (4, 96, "bad", "bad"),
        (5, 96, "bad", "bad"),
        (6, 96, "bad", "bad"),
    ] {
        world
            .execute(&format!(
                "update ops.resource_readings set used = {used} where resource = 'storage'"
            ))
            .await;
        let now = format!("12:0{minute}:00");
        let tick = world.tick(&now, &[app("up")]).await;
        let said = ["resource_high", "resource_full"]
            .map(|rule| verdict(&tick, rule, "storage")["verdict"].clone());
        assert_eq!(said, [json!(high), json!(full)], "{used}");
    }
    let opened = "(select jsonb_agg(rule || ' ' || severity order by opened_at) from ops.alerts)";
    assert_eq!(
        world.value(opened).await,
        json!(["resource_high medium", "resource_full high"])
    );
    // What was not read for a day says nothing.
    world
        .execute("update ops.resource_readings set read_at = '2026-11-23T12:00:00Z' where true")
        .await;
    let tick = world.tick("12:07:00", &[app("up")]).await;
    assert_eq!(
        verdict(&tick, "resource_full", "storage")["verdict"],
        "insufficient"
    );
}

#[tokio::test]
async fn a_limit_that_is_set_is_the_capacity() {
    let world = World::migrated().await;
    set(&world, "limit.database_gb", json!(0.01)).await;
    set(&world, "limit.emails_a_day", json!(100)).await;
    world
        .execute(
            "select ops.note_channels('{email}', '2026-11-24T00:00:00Z');
             insert into ops.outbox (kind, channel, severity, facts, created_at, next_attempt_at, status, sent_at)
             select 'notice', 'email', 'low', '{}', at, at, 'sent', at
             from (values (timestamptz '2026-11-24T10:00:00Z'), ('2026-11-23T11:00:00Z')) as told (at);
             insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
             values (gen_random_uuid(), 'monitor', '2026-11-24T11:00:00Z', 1, 'done', '2026-11-24T11:00:00Z', '2026-11-24T11:00:11Z'),
                    (gen_random_uuid(), 'backup', '2026-11-24T11:00:00Z', 1, 'done', '2026-11-24T11:00:00Z', '2026-11-24T11:00:45Z')",
        )
        .await;
    keep(&world, "12:00:00", functions()).await;
    assert_eq!(
        resource(&world, "database_size", "12:00:00").await["capacity"],
        1e7
    );
    let emails = resource(&world, "emails", "12:00:00").await;
    assert_eq!(
        (&emails["used"], &emails["percent"]),
        (&json!(1), &json!(1.0))
    );
    let longest = resource(&world, "function_time", "12:00:00").await;
    assert_eq!(
        (&longest["used"], &longest["capacity"], &longest["note"]),
        (&json!(11.0), &json!(55), &json!("monitor"))
    );
}
