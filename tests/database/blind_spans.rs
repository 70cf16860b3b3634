//! Time in which monitoring saw nothing is nobody's lateness.

use serde_json::{Value, json};

use crate::support::{World, app, array, at, verdict};

async fn add_check(world: &World, name: &str, check: Value) {
    let arguments = json!({"p_name": name, "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
}

#[tokio::test]
async fn blind_time_is_counted_where_it_overlaps() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.blind_spans (began_at, ended_at) values
                 ('2026-11-24T12:00:00Z', '2026-11-24T12:10:00Z'),
                 ('2026-11-24T12:20:00Z', '2026-11-24T12:25:00Z')",
        )
        .await;
    for (from, to, minutes) in [
        ("11:00:00", "12:00:00", 0),
        ("11:00:00", "12:01:00", 1),
        ("12:05:00", "12:06:00", 1),
        ("12:09:00", "12:21:00", 2),
        ("11:00:00", "13:00:00", 15),
        ("12:25:00", "13:00:00", 0),
    ] {
        let blind = format!(
            "extract(epoch from ops.blind_time('{}', '{}')) / 60",
            at(from),
            at(to)
        );
        assert_eq!(
            world.value(&blind).await.as_f64(),
            Some(f64::from(minutes)),
            "{from} {to}"
        );
    }
    for (length, from) in [
        ("5 minutes", "12:25:00"),
        ("6 minutes", "12:19:00"),
        ("15 minutes", "12:10:00"),
        ("16 minutes", "11:59:00"),
        ("1 hour", "11:15:00"),
    ] {
        let seen = format!(
            "to_char(ops.seen_from('{}', '{length}'), 'HH24:MI:SS')",
            at("12:30:00")
        );
        assert_eq!(world.value(&seen).await, from, "{length}");
    }
}

#[tokio::test]
async fn no_heartbeat_rule_or_job_is_late_for_an_outage_of_our_own() {
    let world = World::migrated().await;
    let beat = json!({"kind": "heartbeat", "periodSeconds": 300, "graceSeconds": 60});
    add_check(&world, "import", beat).await;
    let rule = json!({"kind": "rule", "event": "order", "windowMinutes": 10, "minimum": 1});
    add_check(&world, "orders", rule).await;
    world
        .execute(
            "insert into ops.heartbeats (name, token_hash, first_at, succeeded_at) values
                 ('import', repeat('0', 64), '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z');
             insert into public.analytics_events (event_name, \"timestamp\", environment)
                 values ('order', '2026-11-24T12:00:00Z', 'production');
             insert into ops.jobs (job, every_seconds, first_slot, last_slot, fence)
                 values ('dispatch', 60, '2026-11-24T11:00:00Z', '2026-11-24T12:00:00Z', 1)
                 on conflict (job) do update set first_slot = excluded.first_slot, last_slot = excluded.last_slot",
        )
        .await;
    world.tick("12:00:05", &[app("up")]).await;
    let after = world.tick("12:30:05", &[app("up")]).await;
    for (rule, subject) in [
        ("check_failing", "import"),
        ("check_failing", "orders"),
        ("job_overdue", "dispatch"),
    ] {
        let verdict = verdict(&after, rule, subject);
        assert_ne!(verdict["verdict"], "bad", "{rule} {subject}: {verdict}");
    }
    // What is missing since is missed.
    let mut last = after;
    for minute in 31..=42 {
        last = world.tick(&format!("12:{minute}:05"), &[app("up")]).await;
    }
    for (rule, subject) in [("check_failing", "import"), ("check_failing", "orders")] {
        assert_eq!(
            verdict(&last, rule, subject)["verdict"],
            "bad",
            "{rule} {subject}"
        );
    }
}

#[tokio::test]
async fn every_channel_hears_that_monitoring_sees_again_where_nothing_was_recorded() {
    for (recorded, channels) in [(false, json!(["email", "slack"])), (true, json!(["slack"]))] {
        let world = World::migrated().await;
        world.tick("12:00:05", &[app("up")]).await;
        if recorded {
            let run = json!({
                "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
                "p_lease_seconds": 55, "p_manual": false, "p_now": at("12:10:00"),
            });
            world.call("ops_claim_run", run).await;
        }
        world.tick("12:30:05", &[app("up")]).await;
        let notices = world
            .rows("select channel, facts #> '{detail,unreachable}' as unreachable from ops.outbox where facts ->> 'rule' = 'monitoring_gap' order by channel")
            .await;
        let told: Vec<&Value> = array(&notices).iter().map(|row| &row["channel"]).collect();
        assert_eq!(json!(told), channels);
        assert_eq!(notices[0]["unreachable"], !recorded);
    }
}
