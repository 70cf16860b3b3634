//! What is deleted by age: what is past and nothing else, in parts that nobody waits for, and
//! not what an incident is judged by.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, app, array, at, call};

const NOON: &str = "2026-11-24T12:00:00Z";

/// A row just older than it is kept and one just younger, of each table that is kept by age;
/// the settings are the defaults.
const ROWS: &str = "
    insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
    select 'e', 'GET', 200, 1, timestamptz '2026-11-24T12:00:00Z' - make_interval(hours => 24 * 30) + n * interval '1 s'
    from unnest('{-1,1}'::int[]) as n;
    insert into public.performance_metrics (name, value, unit, timestamp)
    select 'm', 1, 'ms', timestamptz '2026-11-24T12:00:00Z' - make_interval(hours => 24 * 30) + n * interval '1 s'
    from unnest('{-1,1}'::int[]) as n;
    insert into public.analytics_events (event_name, timestamp)
    select 'e', timestamptz '2026-11-24T12:00:00Z' - make_interval(hours => 24 * 90) + n * interval '1 s'
    from unnest('{-1,1}'::int[]) as n;
    insert into public.user_sessions (session_start)
    select timestamptz '2026-11-24T12:00:00Z' - make_interval(hours => 24 * 90) + n * interval '1 s'
    from unnest('{-1,1}'::int[]) as n;
    insert into public.feature_usage (feature_name, date)
    select 'f', date '2026-11-24' - 90 + n from unnest('{-1,0}'::int[]) as n;
    insert into public.error_logs (message, severity, resolved, resolved_at, timestamp)
    select word, 'low', resolved, resolved_at, at
    from (values
        ('gone: resolved long ago', true, timestamptz '2026-10-25T11:59:59Z', timestamptz '2026-10-01T00:00:00Z'),
        ('kept: resolved lately', true, '2026-10-25T12:00:01Z', '2026-10-01T00:00:00Z'),
        ('gone: resolved, nobody says when', true, null, '2026-10-25T11:59:59Z'),
        ('kept: not resolved', false, null, '2025-10-21T12:00:00Z'),
        ('gone: never resolved', false, null, '2025-10-20T11:59:59Z')
    ) as written (word, resolved, resolved_at, at);
    insert into public.business_metrics (metric_name, metric_value, timestamp)
    select 'b', 1, timestamptz '2026-11-24T12:00:00Z' - make_interval(hours => 24 * 365) + n * interval '1 s'
    from unnest('{-1,1}'::int[]) as n;
    insert into public.system_health (service_name, status, timestamp)
    select 's', 'healthy', timestamptz '2026-11-24T12:00:00Z' - make_interval(hours => 24 * 35) + n * interval '1 s'
    from unnest('{-1,1}'::int[]) as n;";

/// The claim of a run of the maintenance.
async fn claim(world: &World, now: &str) -> Value {
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 245, "p_manual": true, "p_now": at(now),
    });
    let claim = world.call("ops_claim_run", arguments).await;
    assert_eq!(claim["outcome"], "claimed", "{claim}");
    claim
}

async fn finish(world: &World, claim: &Value, now: &str) {
    let arguments = json!({
        "p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "done", "p_summary": {}, "p_now": at(now),
    });
    world.call("ops_finish_run", arguments).await;
}

fn part_of(claim: &Value, name: &str, limit: u32, now: &str) -> Value {
    json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_name": name, "p_limit": limit, "p_now": at(now)})
}

/// A whole run: what the last part of each table said, by its name.
async fn run(world: &World, now: &str, limit: u32) -> Value {
    let claim = claim(world, now).await;
    let mut ends = json!({});
    for name in names(world).await {
        let mut rows = 0;
        loop {
            let mut part = world
                .call("ops_forget_rows", part_of(&claim, &name, limit, now))
                .await;
            rows += part["rows"].as_u64().unwrap();
            if part["outcome"] != "more" {
                part["rows"] = json!(rows);
                part.as_object_mut().unwrap().remove("milliseconds");
                ends[&name] = part;
                break;
            }
        }
    }
    finish(world, &claim, now).await;
    ends
}

async fn names(world: &World) -> Vec<String> {
    let rows = world
        .rows("select name from ops.kept_tables order by place")
        .await;
    let names = array(&rows).iter();
    names
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn count(world: &World, table: &str) -> u64 {
    let count = world
        .value(&format!("(select count(*) from {table})"))
        .await;
    count.as_u64().unwrap()
}

async fn set(world: &World, key: &str, value: Value) {
    let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

async fn planned(world: &World, now: &str) -> Value {
    let plan = world
        .call("ops_plan_retention", json!({"p_now": at(now)}))
        .await;
    let tables = array(&plan["tables"]).iter();
    tables
        .map(|table| {
            (
                table["name"].as_str().unwrap().to_owned(),
                table["past"].clone(),
            )
        })
        .collect()
}

#[tokio::test]
async fn what_is_past_goes_and_nothing_else_and_the_plan_said_so() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    let expected = json!({
        "items": 0, "api_usage_metrics": 1, "performance_metrics": 1, "analytics_events": 1, "user_sessions": 1,
        "feature_usage": 1, "error_logs": 2, "unresolved_errors": 1, "business_metrics": 1, "system_health": 1,
    });
    assert_eq!(planned(&world, NOON).await, expected);
    assert_eq!(
        planned(&world, NOON).await,
        expected,
        "a plan deletes nothing"
    );

    let ends = run(&world, NOON, 1000).await;
    for (name, rows) in expected.as_object().unwrap() {
        assert_eq!(&ends[name]["rows"], rows, "{name}: {ends}");
        assert_eq!(ends[name]["outcome"], "done", "{name}: {ends}");
    }
    for table in [
        "api_usage_metrics",
        "performance_metrics",
        "analytics_events",
        "user_sessions",
        "feature_usage",
        "business_metrics",
        "system_health",
    ] {
        assert_eq!(
            count(&world, &format!("public.{table}")).await,
            1,
            "{table}"
        );
    }
    let kept = world
        .rows("select message from public.error_logs order by 1")
        .await;
    assert_eq!(
        kept,
        json!([{"message": "kept: not resolved"}, {"message": "kept: resolved lately"}])
    );

    let again = run(&world, NOON, 1000).await;
    for (name, end) in again.as_object().unwrap() {
        assert_eq!(
            (&end["rows"], &end["outcome"]),
            (&json!(0), &json!("done")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_part_is_bounded_and_what_it_deleted_is_recorded_and_shown() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select 'e', 'GET', 200, 1, timestamptz '2026-10-01T00:00:00Z' + n * interval '1 min' from generate_series(1, 25) as n",
        )
        .await;
    let requests = |document: &Value| {
        array(&document["retention"]["forgotten"])
            .iter()
            .find(|gone| gone["table"] == "public.api_usage_metrics")
            .cloned()
    };
    assert_eq!(requests(&world.dashboard(3600, NOON).await), None);
    let first = claim(&world, NOON).await;
    let part = world
        .call(
            "ops_forget_rows",
            part_of(&first, "api_usage_metrics", 10, NOON),
        )
        .await;
    assert_eq!(
        (&part["outcome"], &part["rows"]),
        (&json!("more"), &json!(10))
    );
    // The oldest go first.
    let oldest = world
        .value("(select min(timestamp) from public.api_usage_metrics)")
        .await;
    assert_eq!(oldest, json!("2026-10-01T00:11:00+00:00"));
    finish(&world, &first, NOON).await;
    run(&world, "2026-11-24T12:10:00Z", 10).await;
    assert_eq!(count(&world, "public.api_usage_metrics").await, 0);

    let document = world.dashboard(3600, "2026-11-24T12:11:00Z").await;
    assert_eq!(
        requests(&document),
        Some(
            json!({"table": "public.api_usage_metrics", "rows24h": 25, "rows30d": 25, "partitions30d": 0,
                    "newestAt": "2026-10-01T00:25:00+00:00"})
        )
    );
    let later = world.dashboard(3600, "2026-11-26T12:11:00Z").await;
    assert_eq!(requests(&later).unwrap()["rows24h"], 0);
    let reported = |from: &str, to: &str| {
        format!(
            "(select value from ops.report_database('{from}', '{to}') where line = 'rows_deleted')"
        )
    };
    for (from, to, rows) in [
        ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z", Value::Null),
        ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", json!(25)),
        ("2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z", json!(0)),
    ] {
        assert_eq!(world.value(&reported(from, to)).await, rows, "{from}");
    }
    let _typed: ops::monitoring::document::Retention =
        serde_json::from_value(document["retention"].clone()).unwrap();
}

#[tokio::test]
async fn a_setting_keeps_within_its_floor_and_its_ceiling() {
    let world = World::migrated().await;
    for (key, floor, ceiling) in [
        ("events", 31, 3660),
        ("requests", 8, 3660),
        ("errors", 7, 3660),
        ("unresolved", 30, 3660),
        ("business", 31, 3660),
        ("evidence", 0, 90),
        ("audit", 365, 3660),
    ] {
        let key = format!("retention.{key}_days");
        for (value, refused) in [
            (floor - 1, true),
            (floor, false),
            (ceiling, false),
            (ceiling + 1, true),
        ] {
            let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
            let answer = world.try_call("ops_set_setting", arguments).await;
            assert_eq!(answer.is_err(), refused, "{key} {value}");
        }
    }
}

#[tokio::test]
async fn a_longer_setting_keeps_longer_and_false_deletes_nothing_of_the_application() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    set(&world, "retention.application", json!(false)).await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(
        ends["error_logs"]["reason"],
        "retention.application is false"
    );
    assert_eq!(ends["items"]["outcome"], "done");
    assert_eq!(count(&world, "public.error_logs").await, 5);
    set(&world, "retention.application", json!(true)).await;
    set(&world, "retention.requests_days", json!(31)).await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(
        (
            &ends["api_usage_metrics"]["rows"],
            &ends["analytics_events"]["rows"]
        ),
        (&json!(0), &json!(1))
    );
}

/// An incident that began a month and a half ago and is open: whatever was recorded since an
/// hour before it stays, of every class; what is older goes.
#[tokio::test]
async fn evidence_of_an_incident_stays_until_a_week_after_its_end_and_its_figures_for_good() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into auth.users (id) values ('00000000-0000-4000-8000-000000000001');
             insert into ops.incidents (severity, status, started_at, title, opened_by, updated_at)
             values ('critical', 'investigating', '2026-10-10T12:00:00Z', 'Slow', 'anna', '2026-10-10T12:00:00Z');
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, timestamp)
             values ('/', 'GET', 500, 1, '00000000-0000-4000-8000-000000000001', '2026-10-11T12:00:00Z'),
                    ('/', 'GET', 500, 1, null, '2026-10-10T11:00:01Z'),
                    ('/', 'GET', 500, 1, null, '2026-10-10T10:59:59Z');
             insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
             values ('a', 'dependency', 'a', 60, false, 'production', '2026-10-01T00:00:00Z', now());
             insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
             select 'a', at, 'up', 60, gen_random_uuid(), 'production'
             from unnest('{2026-10-09T12:00:00Z,2026-10-11T12:00:00Z}'::timestamptz[]) as at;
             select ops.open_item_days('2026-10-12T12:00:00Z')",
        )
        .await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(ends["api_usage_metrics"]["rows"], 1);
    assert_eq!(count(&world, "public.api_usage_metrics").await, 2);
    let oldest = world
        .value("(select min(day_from) from ops.item_days())")
        .await;
    assert_eq!(
        oldest, "2026-10-10",
        "the day of its beginning and all since"
    );
    while world
        .call("ops_maintain", {
            let claim = claim(&world, NOON).await;
            let part = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_now": NOON});
            part
        })
        .await["outcome"]
        == "more"
    {}
    let samples = world.rows("select at from ops.samples order by at").await;
    assert_eq!(samples, json!([{"at": "2026-10-11T12:00:00+00:00"}]));

    let kept = world.dashboard(3600, NOON).await["retention"].clone();
    assert_eq!(
        kept["evidence"],
        json!({"incident": 1, "open": true, "from": "2026-10-10T11:00:00+00:00"})
    );
    assert_eq!(array(&kept["tables"])[1]["held"], true);

    world
        .execute("update ops.incidents set status = 'resolved', resolved_at = '2026-11-24T12:00:00Z', resolved_by = 'anna' where true")
        .await;
    world
        .execute(
            "update ops.jobs set lease_until = '2026-11-24T12:00:00Z' where job = 'maintenance'",
        )
        .await;
    let ends = run(&world, "2026-12-01T11:59:59Z", 1000).await;
    assert_eq!(
        ends["api_usage_metrics"]["rows"], 0,
        "it ended less than a week ago"
    );
    let ends = run(&world, "2026-12-01T12:00:01Z", 1000).await;
    assert_eq!(ends["api_usage_metrics"]["rows"], 2);
    let users = world
        .value("(select ops.incident_impact(incident, '2026-12-01T13:00:00Z') -> 'users' from ops.incidents as incident)")
        .await;
    assert_eq!(users, 1, "counted while its rows were there");
}

/// Nothing that somebody forgot to close keeps rows for good.
#[tokio::test]
async fn an_incident_that_nobody_ends_keeps_at_most_four_hundred_days() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.incidents (severity, status, started_at, title, opened_by, updated_at)
             values ('low', 'investigating', '2024-01-01T12:00:00Z', 'Forgotten', 'anna', '2024-01-01T12:00:00Z');
             insert into public.business_metrics (metric_name, metric_value, timestamp)
             values ('gone', 1, '2025-10-20T11:59:59Z'), ('kept', 1, '2025-10-20T12:00:01Z')",
        )
        .await;
    run(&world, NOON, 1000).await;
    let kept = world
        .rows("select metric_name as name from public.business_metrics")
        .await;
    assert_eq!(kept, json!([{"name": "kept"}]));
}

#[tokio::test]
async fn a_lock_of_somebody_else_is_not_waited_for_but_told_and_tried_again() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    let other = world.session().await;
    other
        .batch_execute("begin; lock table public.error_logs in share mode")
        .await
        .unwrap();
    let began = outside::clock::instant();
    let ends = run(&world, NOON, 1000).await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    for name in ["error_logs", "unresolved_errors"] {
        assert_eq!(ends[name]["outcome"], "hindered", "{ends}");
        assert_eq!(ends[name]["reason"], "somebody else holds a lock on it");
    }
    assert_eq!(
        ends["analytics_events"]["rows"], 1,
        "the others had their turn"
    );
    let told = world.dashboard(3600, NOON).await;
    let told = array(&told["retention"]["tables"])
        .iter()
        .find(|table| table["name"] == "error_logs");
    assert_eq!(
        told.unwrap()["hindrance"],
        "somebody else holds a lock on it"
    );

    other.batch_execute("rollback").await.unwrap();
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(
        ends["error_logs"],
        json!({"outcome": "done", "rows": 2, "partitions": 0, "reason": null})
    );
    let told = world.dashboard(3600, NOON).await;
    let told = array(&told["retention"]["tables"])
        .iter()
        .find(|table| table["name"] == "error_logs");
    assert_eq!(told.unwrap()["hindrance"], Value::Null);
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_left_to_them_and_goes_later() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    let other = world.session().await;
    other
        .batch_execute("begin; update public.error_logs set stack = 's' where message = 'gone: resolved long ago'")
        .await
        .unwrap();
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(
        (&ends["error_logs"]["outcome"], &ends["error_logs"]["rows"]),
        (&json!("done"), &json!(1))
    );
    other.batch_execute("commit").await.unwrap();
    assert_eq!(run(&world, NOON, 1000).await["error_logs"]["rows"], 1);
}

/// A trigger or a key of the application that refuses keeps its own table alone.
#[tokio::test]
async fn a_table_that_refuses_is_told_and_the_others_go_on() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    world
        .execute(
            "create table public.notes (event uuid references public.analytics_events (id));
             insert into public.notes select id from public.analytics_events order by timestamp limit 1",
        )
        .await;
    let ends = run(&world, NOON, 1000).await;
    let reason = ends["analytics_events"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("violates foreign key constraint"),
        "{reason}"
    );
    assert_eq!(count(&world, "public.analytics_events").await, 2);
    assert_eq!(ends["user_sessions"]["rows"], 1);
}

/// Whoever is killed in the middle has deleted a part and recorded it, or neither.
#[tokio::test]
async fn a_part_that_is_cut_off_leaves_nothing_half_done() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    let first = claim(&world, NOON).await;
    let service = world.session().await;
    service
        .batch_execute("set session authorization authenticator; set role service_role; begin")
        .await
        .unwrap();
    let part = call(
        &service,
        "ops_forget_rows",
        part_of(&first, "analytics_events", 10, NOON),
    )
    .await
    .unwrap();
    assert_eq!(part["rows"], 1);
    let killed = "select pg_terminate_backend(pid) from pg_stat_activity
                  where state = 'idle in transaction' and datname = current_database()";
    world.execute(killed).await;
    drop(service);
    assert_eq!(count(&world, "public.analytics_events").await, 2);
    assert_eq!(count(&world, "ops.forgotten_rows").await, 0);

    // The run that takes over deletes it, and the one that wakes up late does nothing.
    world
        .execute(
            "update ops.jobs set lease_until = '2026-11-24T12:00:00Z' where job = 'maintenance'",
        )
        .await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(ends["analytics_events"]["rows"], 1);
    let late = world
        .call("ops_forget_rows", part_of(&first, "error_logs", 10, NOON))
        .await;
    assert_eq!(late, json!({"outcome": "superseded"}));
}

/// Rows of before the triggers are in no figure until they are counted.
#[tokio::test]
async fn nothing_is_deleted_before_it_is_counted() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    world
        .execute("update ops.counted_tables set finished = false where name = 'analytics_events'")
        .await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(
        ends["analytics_events"]["reason"],
        "its rows of before the triggers are not all counted yet"
    );
    assert_eq!(count(&world, "public.analytics_events").await, 2);
    assert_eq!(ends["user_sessions"]["rows"], 1);
}

#[tokio::test]
async fn days_of_items_are_dropped_whole_one_a_part() {
    let world = World::migrated().await;
    world
        .execute(
            "select ops.open_item_days('2026-10-12T12:00:00Z');
             insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, detail)
             select at::date, gen_random_uuid(), 'event', at, at, 's', 1, 'production', 'e', '{}'
             from generate_series(timestamptz '2026-10-05T12:00:00Z', '2026-10-15T12:00:00Z', interval '1 day') as at",
        )
        .await;
    let first = claim(&world, NOON).await;
    let part = world
        .call("ops_forget_rows", part_of(&first, "items", 10, NOON))
        .await;
    assert_eq!(
        (&part["rows"], &part["partitions"], &part["outcome"]),
        (&json!(1), &json!(1), &json!("more"))
    );
    finish(&world, &first, NOON).await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(ends["items"]["outcome"], "done");
    assert_eq!(count(&world, "ops.item_days()").await, 0);
    let gone = world.rows("select rows, partitions, from_at from ops.forgotten_rows where table_name = 'ops.items'").await;
    assert_eq!(
        gone,
        json!([{"rows": 11, "partitions": 11, "from_at": "2026-10-05T00:00:00+00:00"}])
    );
}

/// An operator's own partition of a month goes once all of it is past; one for whatever has no
/// other is emptied row by row, and no day is made beside the rows of that day in it.
#[tokio::test]
async fn odd_partitions_are_dealt_with_by_what_they_hold() {
    let world = World::migrated().await;
    world
        .execute(
            "create table ops.a_month partition of ops.items for values from ('2026-09-01') to ('2026-10-01');
             create table ops.items_rest partition of ops.items default;
             alter table ops.a_month owner to postgres; alter table ops.items_rest owner to postgres;
             insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, detail)
             select day, gen_random_uuid(), 'event', day, day, 's', 1, 'production', 'e', '{}'
             from unnest('{2026-09-10,2026-10-20,2026-10-21,2026-11-24}'::date[]) as day",
        )
        .await;
    let note = world
        .call("ops_plan_retention", json!({"p_now": NOON}))
        .await;
    assert_eq!(array(&note["tables"])[0]["name"], "items");
    let opened = world
        .value("ops.open_item_days('2026-11-24T12:00:00Z')")
        .await;
    assert_eq!(opened, 10, "all but the day whose rows lie elsewhere");
    let ends = run(&world, NOON, 1).await;
    assert_eq!(ends["items"]["outcome"], "done");
    assert_eq!(ends["items"]["rows"], 3);
    let left = world.rows("select day from ops.items").await;
    assert_eq!(left, json!([{"day": "2026-11-24"}]));
    let month = world.value("to_regclass('ops.a_month') is null").await;
    assert_eq!(month, true);
    world.execute("analyze ops.items_rest").await;
    let note = world
        .call("ops_plan_retention", json!({"p_now": NOON}))
        .await;
    assert_eq!(
        array(&note["tables"])[0]["note"],
        "items lie apart from their days in ops.items_rest"
    );
}

/// A table that has a day's name and is no partition: one that was detached becomes the
/// partition again with its rows; one that is something else gets out of the way.
#[tokio::test]
async fn a_table_in_the_place_of_a_day_keeps_nothing_from_being_taken() {
    let world = World::migrated().await;
    world
        .execute(
            "select ops.open_item_days('2026-11-24T12:00:00Z');
             insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, detail)
             values ('2026-11-23', gen_random_uuid(), 'event', '2026-11-23', now(), 's', 1, 'production', 'e', '{}');
             alter table ops.items detach partition ops.items_20261123;
             drop table ops.items_20261124;
             create table ops.items_20261124 (note text);
             insert into ops.items_20261124 values ('mine');
             alter table ops.items_20261124 owner to postgres;
             drop table ops.items_20261122",
        )
        .await;
    world
        .execute("select ops.open_item_days('2026-11-24T12:00:00Z')")
        .await;
    assert_eq!(count(&world, "ops.item_days()").await, 11);
    assert_eq!(
        count(&world, "ops.items").await,
        1,
        "what was detached is back"
    );
    let apart = world
        .value("(select relname like 'loose\\_items\\_20261124\\_%' from pg_class where relname like 'loose%' and relkind = 'r')")
        .await;
    assert_eq!(apart, true);
    let secured = world
        .value("(select bool_and(relrowsecurity) from pg_class where relname like 'items\\_2026%' and relkind = 'r')")
        .await;
    assert_eq!(secured, true);
    world
        .execute("select ops.open_item_days('2026-11-24T12:00:00Z')")
        .await;
    assert_eq!(count(&world, "ops.item_days()").await, 11, "once is enough");
}

/// Whoever writes meanwhile waits no longer than a part and a lock may take.
#[tokio::test(flavor = "multi_thread")]
async fn writers_hardly_wait_while_much_is_deleted() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.error_logs (message, severity, resolved, resolved_at, timestamp)
             select 'm' || n % 50, 'low', true, timestamptz '2026-10-01T00:00:00Z' + n * interval '1 s',
                    timestamptz '2026-10-01T00:00:00Z' + n * interval '1 s'
             from generate_series(1, 60000) as n",
        )
        .await;
    let session = world.session().await;
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        let mut count_of_writes = 0_u32;
        while stopped.try_recv().is_err() {
            let began = outside::clock::instant();
            // It takes what is about to go as well.
            session
                .batch_execute(
                    "insert into public.error_logs (message, severity) values ('new', 'low');
                     update public.error_logs set stack = 's'
                     where id = (select id from public.error_logs where resolved order by coalesce(resolved_at, timestamp) limit 1)",
                )
                .await
                .unwrap();
            longest = longest.max(began.elapsed());
            count_of_writes += 1;
        }
        (longest, count_of_writes)
    });
    run(&world, NOON, 1000).await;
    let _sent = stop.send(());
    let (longest, writes) = writing.await.unwrap();
    run(&world, NOON, 1000).await;
    assert_eq!(count(&world, "public.error_logs where resolved").await, 0);
    assert!(writes > 20, "{writes} writes");
    // A part takes a tenth of a second; this machine may be busy.
    assert!(
        longest < Duration::from_secs(2),
        "{longest:?} of {writes} writes"
    );
    eprintln!("{writes} writes beside deleting, the longest took {longest:?}");
}

/// Ticks and reports go on as they were with rows gone: figures are of before.
#[tokio::test]
async fn figures_stay_when_their_rows_go() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    world.tick("11:58:00", &[app("up")]).await;
    let before = world.dashboard(31_536_000, NOON).await;
    run(&world, NOON, 1000).await;
    let after = world.dashboard(31_536_000, NOON).await;
    for key in [
        "errors",
        "business",
        "performance",
        "people",
        "features",
        "sessions",
    ] {
        assert_eq!(before[key], after[key], "{key}");
    }
}

/// Rows that lie in the archive go, all of a part or none: none if they changed meanwhile.
#[tokio::test]
async fn archived_rows_go_only_if_they_are_as_they_were_archived() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    let first = claim(&world, NOON).await;
    let read = part_of(&first, "error_logs", 10, NOON);
    let part = world.call("ops_read_past_rows", read.clone()).await;
    assert_eq!(
        (&part["outcome"], &part["day"], &part["table"]),
        (&json!("rows"), &json!("2026-10-25"), &json!("error_logs"))
    );
    assert_eq!(
        (array(&part["rows"]).len(), array(&part["ids"]).len()),
        (2, 2)
    );
    let clear: Vec<_> = array(&part["columns"])
        .iter()
        .filter(|column| column["clear"] == true)
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        clear,
        [
            "id",
            "severity",
            "timestamp",
            "environment",
            "resolved",
            "resolved_at",
            "created_at"
        ]
    );
    let forget = |part: &Value, reason: Value| {
        json!({"p_run": first["run"], "p_fence": first["fence"], "p_name": "error_logs", "p_ids": part["ids"],
               "p_digest": part["digest"], "p_reason": reason, "p_now": NOON})
    };
    let refused = world
        .call(
            "ops_forget_archived",
            forget(&part, json!("the store refuses")),
        )
        .await;
    assert_eq!(
        refused,
        json!({"outcome": "hindered", "rows": 0, "reason": "the store refuses"})
    );
    world
        .execute(
            "update public.error_logs set stack = 'late' where message = 'gone: resolved long ago'",
        )
        .await;
    let changed = world
        .call("ops_forget_archived", forget(&part, Value::Null))
        .await;
    assert_eq!(
        changed["reason"],
        "the rows changed since they were archived"
    );
    assert_eq!(count(&world, "public.error_logs").await, 5);

    let part = world.call("ops_read_past_rows", read.clone()).await;
    let gone = world
        .call("ops_forget_archived", forget(&part, Value::Null))
        .await;
    assert_eq!(gone, json!({"outcome": "done", "rows": 2, "reason": null}));
    let recorded = world
        .rows("select rows, archived from ops.forgotten_rows")
        .await;
    assert_eq!(recorded, json!([{"rows": 2, "archived": 2}]));
    assert_eq!(
        world.call("ops_read_past_rows", read).await,
        json!({"outcome": "done"})
    );
}

/// With an archive the rows of a day of the door go first, and then its empty partition.
#[tokio::test]
async fn archived_items_go_a_part_at_a_time_and_their_days_after_them() {
    let world = World::migrated().await;
    world
        .execute(
            "select ops.open_item_days('2026-10-12T12:00:00Z');
             insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, person, detail)
             select at::date, gen_random_uuid(), 'event', at, at, 's', 1, 'production', 'e', 'anna', '{}'
             from generate_series(timestamptz '2026-10-05T12:00:00Z', '2026-10-06T14:00:00Z', interval '1 hour') as at",
        )
        .await;
    let first = claim(&world, NOON).await;
    let mut parts = Vec::new();
    loop {
        let read = part_of(&first, "items", 10, NOON);
        let part = world.call("ops_read_past_rows", read).await;
        if part["outcome"] == "done" {
            break;
        }
        let names = array(&part["columns"]).iter();
        let sealed: Vec<_> = names
            .filter(|column| column["clear"] == false)
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        assert_eq!(sealed, ["person", "session", "detail"]);
        let forget = json!({
            "p_run": first["run"], "p_fence": first["fence"], "p_name": "items", "p_ids": part["ids"],
            "p_digest": part["digest"], "p_now": NOON,
        });
        let gone = world.call("ops_forget_archived", forget).await;
        assert_eq!(gone["outcome"], "done", "{gone}");
        parts.push((part["day"].clone(), gone["rows"].as_u64().unwrap()));
    }
    assert_eq!(
        parts,
        [
            (json!("2026-10-05"), 10),
            (json!("2026-10-05"), 2),
            (json!("2026-10-06"), 10),
            (json!("2026-10-06"), 5)
        ]
    );
    finish(&world, &first, NOON).await;
    let ends = run(&world, NOON, 1000).await;
    assert_eq!(ends["items"]["outcome"], "done");
    assert_eq!(count(&world, "ops.item_days()").await, 0);
    let gone = world
        .rows("select rows, archived from ops.forgotten_rows where table_name = 'ops.items'")
        .await;
    assert_eq!(gone, json!([{"rows": 27, "archived": 27}]));
}
