//! Addresses of networks in the application's tables are shortened in time, and nothing else.

use serde_json::{Value, json};

use crate::support::{World, at};

const NOON: &str = "2026-11-24T12:00:00Z";

async fn claim(world: &World, now: &str) -> Value {
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 245, "p_manual": true, "p_now": at(now),
    });
    world.call("ops_claim_run", arguments).await
}

async fn part(world: &World, claim: &Value, skipped: &[&str], limit: u32, now: &str) -> Value {
    let arguments = json!({
        "p_run": claim["run"], "p_fence": claim["fence"], "p_skipped": skipped, "p_limit": limit, "p_now": at(now),
    });
    world.call("ops_shorten_addresses", arguments).await
}

/// A whole run: how many rows it changed, and what kept it from others.
async fn run(world: &World, limit: u32, now: &str) -> (u64, Vec<String>) {
    let claim = claim(world, now).await;
    let mut rows = 0;
    let mut hindered = Vec::new();
    loop {
        let skipped: Vec<&str> = hindered.iter().map(String::as_str).collect();
        let part = part(world, &claim, &skipped, limit, now).await;
        match part["outcome"].as_str().unwrap() {
            "more" => rows += part["rows"].as_u64().unwrap(),
            "hindered" => hindered.push(part["table"].as_str().unwrap().to_owned()),
            "done" => break,
            other => panic!("{other}"),
        }
    }
    let arguments = json!({
        "p_run": claim["run"], "p_fence": claim["fence"], "p_outcome": "done", "p_summary": {}, "p_now": at(now),
    });
    world.call("ops_finish_run", arguments).await;
    (rows, hindered)
}

async fn addresses(world: &World, table: &str, time: &str) -> Value {
    let listed =
        format!("(select jsonb_agg(ip_address::text order by {time}) from public.{table})");
    world.value(&listed).await
}

#[tokio::test]
async fn addresses_become_networks_once_they_are_old_and_nothing_else_changes() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.analytics_events (event_name, ip_address, timestamp)
             select 'e', address::inet, timestamptz '2026-11-17T12:00:00Z' + after
             from (values
                ('203.0.113.77', interval '-400 days'), ('2001:db8:1:2:3:4:5:6', '-30 days'),
                ('198.51.100.0/24', '-20 days'), (null, '-10 days'), ('0.0.0.0', '-9 days'),
                ('::1', '-1 day'), ('192.0.2.9', '-1 s'), ('192.0.2.9', '1 s')
             ) as rows (address, after);
             insert into public.user_sessions (session_start, ip_address)
             select timestamptz '2026-11-10T00:00:00Z', '192.0.2.1' from generate_series(1, 25);
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp, ip_address)
             values ('e', 'GET', 200, 1, '2026-11-24T11:00:00Z', '192.0.2.3')",
        )
        .await;
    assert_eq!(run(&world, 10, NOON).await, (30, vec![]));
    assert_eq!(
        addresses(&world, "analytics_events", "timestamp").await,
        json!([
            "203.0.113.0/24",
            "2001:db8:1::/48",
            "198.51.100.0/24",
            null,
            "0.0.0.0/24",
            "::/48",
            "192.0.2.0/24",
            "192.0.2.9/32"
        ])
    );
    let sessions = addresses(&world, "user_sessions", "id").await;
    assert_eq!(sessions, json!(vec!["192.0.2.0/24"; 25]));
    assert_eq!(
        addresses(&world, "api_usage_metrics", "timestamp").await,
        json!(["192.0.2.3/32"])
    );
    assert_eq!(
        run(&world, 10, "12:01:00").await,
        (1, vec![]),
        "time goes on"
    );
    // One that comes a day late is found.
    world
        .execute(
            "insert into public.analytics_events (event_name, ip_address, timestamp)
             values ('late', '203.0.113.9', '2026-11-16T13:00:00Z')",
        )
        .await;
    assert_eq!(run(&world, 10, "12:02:00").await, (1, vec![]));
}

#[tokio::test]
async fn a_setting_leaves_them_whole() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.analytics_events (event_name, ip_address, timestamp)
             values ('e', '203.0.113.77', '2026-01-01T00:00:00Z')",
        )
        .await;
    let set = json!({"p_key": "privacy.address_days", "p_value": 0, "p_by": "anna"});
    world.call("ops_set_setting", set).await;
    assert_eq!(run(&world, 10, NOON).await, (0, vec![]));
}

#[tokio::test]
async fn a_table_that_somebody_holds_keeps_no_other_from_its_turn() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into public.analytics_events (event_name, ip_address, timestamp)
             values ('e', '203.0.113.77', '2026-01-01T00:00:00Z');
             insert into public.user_sessions (session_start, ip_address)
             values ('2026-01-01T00:00:00Z', '203.0.113.78')",
        )
        .await;
    let holder = world.session().await;
    holder
        .batch_execute("begin; lock table public.analytics_events in share mode")
        .await
        .unwrap();
    let held = run(&world, 10, NOON).await;
    assert_eq!(held, (1, vec!["analytics_events".to_owned()]));
    holder
        .batch_execute("rollback; begin; select from public.analytics_events for update")
        .await
        .unwrap();
    let held = run(&world, 10, "12:01:00").await;
    assert_eq!(held, (0, vec!["analytics_events".to_owned()]));
    holder.batch_execute("rollback").await.unwrap();
    assert_eq!(run(&world, 10, "12:02:00").await, (1, vec![]));
}
