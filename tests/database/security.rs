//! The rules about the database's own figures and about who gets in.

use serde_json::{Value, json};

use crate::support::{World, app, at, minutes, transitions, verdict};

const ANNA: &str = "00000000-0000-4000-8000-00000000000a";

/// A tick's verdict under a rule.
async fn judged(world: &World, now: &str, rule: &str, subject: &str) -> Value {
    let tick = world.tick(now, &[app("up")]).await;
    verdict(&tick, rule, subject)["verdict"].clone()
}

#[tokio::test]
async fn connections_are_judged_by_share() {
    let world = World::migrated().await;
    assert_eq!(
        judged(&world, "12:00:05", "connections_high", "database").await,
        "good"
    );
    // Our own sessions are more than one hundredth.
    let arguments = json!({"p_key": "threshold.connections_percent", "p_value": 1, "p_by": "test"});
    world.call("ops_set_setting", arguments).await;
    assert_eq!(
        judged(&world, "12:01:05", "connections_high", "database").await,
        "bad"
    );
}

#[tokio::test]
async fn slow_statements_are_judged_by_calls_between_two_ticks() {
    let world = World::migrated().await;
    let note = async |now: &str, calls: Value| {
        world
            .execute(&format!(
                "select ops.note_fact('slow_calls', '{calls}', '{}')",
                at(now)
            ))
            .await;
        world.value("ops.slow_calls_per_minute()").await
    };
    assert_eq!(
        note("12:00:00", json!(100)).await,
        Value::Null,
        "one tick is no difference"
    );
    assert_eq!(note("12:02:00", json!(130)).await, json!(15.0));
    assert_eq!(
        note("12:03:00", json!(4)).await,
        Value::Null,
        "the statistics began anew"
    );
    assert_eq!(note("12:04:00", Value::Null).await, Value::Null);
    assert_eq!(
        note("12:05:00", json!(5)).await,
        Value::Null,
        "there was nothing to compare with"
    );
}

#[tokio::test]
async fn a_message_that_waits_too_long_is_noticed_and_a_digest_is_not() {
    let world = World::migrated().await;
    let queue = async |created: &str, digest: bool| {
        world
            .execute(&format!(
                "insert into ops.outbox (kind, channel, severity, digest, facts, created_at, next_attempt_at)
                 values ('notice', 'slack', 'low', {digest}, '{{}}', '{0}', '{0}')",
                at(created),
            ))
            .await;
    };
    queue("09:00:00", true).await;
    assert_eq!(
        judged(&world, "12:00:05", "outbox_stuck", "outbox").await,
        "good"
    );
    queue("11:50:00", false).await;
    assert_eq!(
        judged(&world, "12:02:30", "outbox_stuck", "outbox").await,
        "good"
    );
    assert_eq!(
        judged(&world, "12:05:00", "outbox_stuck", "outbox").await,
        "good"
    );
    assert_eq!(
        judged(&world, "12:06:00", "outbox_stuck", "outbox").await,
        "bad"
    );
}

#[tokio::test]
async fn a_job_is_overdue_after_three_intervals_and_never_before_it_was_set_up() {
    let world = World::migrated().await;
    assert_eq!(
        judged(&world, "12:00:05", "job_overdue", "dispatch").await,
        Value::Null
    );
    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "dispatch", "p_every_seconds": 60,
        "p_lease_seconds": 55, "p_manual": false, "p_now": at("12:00:10"),
    });
    world.call("ops_claim_run", claim).await;
    assert_eq!(
        judged(&world, "12:03:00", "job_overdue", "dispatch").await,
        "good"
    );
    assert_eq!(
        judged(&world, "12:04:00", "job_overdue", "dispatch").await,
        "bad"
    );
    assert_eq!(
        judged(&world, "12:05:00", "job_overdue", "monitor").await,
        Value::Null
    );
}

async fn attempts(
    world: &World,
    count: u32,
    action: &str,
    account: &str,
    address: &str,
    at_time: &str,
) {
    world
        .execute(&format!(
            "insert into auth.audit_log_entries (id, payload, created_at, ip_address)
             select gen_random_uuid(), '{{\"action\": \"{action}\", \"actor_id\": \"{account}\"}}', '{}', '{address}'
             from generate_series(1, {count})",
            at(at_time),
        ))
        .await;
}

#[tokio::test]
async fn attempts_are_counted_per_address_and_account_within_the_window() {
    let world = World::migrated().await;
    attempts(
        &world,
        20,
        "user_recovery_requested",
        "a",
        "192.0.2.1",
        "12:00:00",
    )
    .await;
    attempts(&world, 90, "login", "b", "192.0.2.2", "12:00:00").await;
    assert_eq!(
        judged(&world, "12:00:05", "sign_in_attempts", "address 192.0.2.1").await,
        Value::Null
    );
    attempts(&world, 1, "login_failed", "c", "192.0.2.1", "12:00:30").await;
    let tick = world.tick("12:01:05", &[app("up")]).await;
    assert_eq!(
        transitions(&tick),
        ["opened sign_in_attempts address 192.0.2.1"]
    );
    assert_eq!(
        verdict(&tick, "sign_in_attempts", "account a"),
        &Value::Null,
        "twenty are not too many"
    );
    assert_eq!(
        verdict(&tick, "sign_in_attempts", "address 192.0.2.2"),
        &Value::Null
    );

    let dashboard = world.dashboard(3600, "12:01:10").await;
    assert_eq!(
        dashboard["security"]["signInAttempts"],
        json!({"mostFromOneAddress": 21, "mostForOneAccount": 20})
    );
    assert_eq!(dashboard["security"]["openAlerts"], 1);
    let mut closed = Vec::new();
    for now in minutes("12:16:05", 2) {
        closed.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(closed, ["resolved sign_in_attempts address 192.0.2.1"]);
}

#[tokio::test]
async fn sign_ins_that_failed_as_a_drain_tells_of_them_are_counted_by_network() {
    let world = World::migrated().await;
    let key = async |name: &str, origins: Value| {
        let key = json!({"p_name": name, "p_origins": origins, "p_items_a_minute": 1000,
                         "p_items_a_day": 10_000, "p_by": "anna", "p_now": at("11:00:00")});
        world.call("ops_add_door_key", key).await["id"].clone()
    };
    let (drain, page) = (
        key("drain", json!([])).await,
        key("page", json!(["https://wine.example"])).await,
    );
    let fail = async |key: &Value, source: &str, count: u32, network: &str| {
        let item = |_| {
            json!({"id": uuid::Uuid::new_v4(), "kind": "event", "name": "sign_in_failed",
                   "time": at("12:00:00"), "environment": "production", "detail": {"network": network}})
        };
        let items: Vec<_> = (0..count).map(item).collect();
        let batch = json!({"p_key": key, "p_source": source, "p_origin": null, "p_visitor": null,
                           "p_items": items, "p_now": at("12:00:01")});
        assert_eq!(world.call("ops_take_items", batch).await["taken"], count);
    };
    fail(&drain, "supabase", 21, "203.0.113.0").await;
    fail(&drain, "supabase", 20, "203.0.114.0").await;
    // Who reads the key of a page can make up what he likes.
    fail(&page, "supabase", 30, "198.51.100.0").await;
    fail(&drain, "own", 30, "198.51.101.0").await;
    let tick = world.tick("12:00:05", &[app("up")]).await;
    assert_eq!(
        transitions(&tick),
        ["opened sign_in_attempts network 203.0.113.0"]
    );
    let dashboard = world.dashboard(3600, "12:01:10").await;
    assert_eq!(
        dashboard["security"]["signInAttempts"],
        json!({"mostFromOneAddress": 21, "mostForOneAccount": 0})
    );
}

#[tokio::test]
async fn refused_requests_are_judged_by_share_and_not_without_traffic() {
    let world = World::migrated().await;
    assert_eq!(
        judged(&world, "12:00:05", "refused_requests", "app").await,
        "insufficient"
    );
    let answer = async |status: u32, count: u32| {
        world
            .execute(&format!(
                "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, \"timestamp\")
                 select '/api/x', 'GET', {status}, 10, '{}' from generate_series(1, {count})",
                at("12:00:30"),
            ))
            .await;
    };
    answer(401, 7).await;
    assert_eq!(
        judged(&world, "12:01:05", "refused_requests", "app").await,
        "insufficient"
    );
    answer(200, 28).await;
    assert_eq!(
        judged(&world, "12:02:05", "refused_requests", "app").await,
        "good"
    );
    answer(403, 1).await;
    assert_eq!(
        judged(&world, "12:03:05", "refused_requests", "app").await,
        "bad"
    );
    let dashboard = world.dashboard(3600, "12:03:10").await;
    assert_eq!(dashboard["security"]["refusedPercent"], json!(22.2222));
}

#[tokio::test]
async fn a_new_admin_alerts_at_once_and_one_less_does_not() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into auth.users (id, raw_app_meta_data) values ('{ANNA}', '{{}}')"
        ))
        .await;
    let role = async |metadata: &str| {
        world
            .execute(&format!(
                "update auth.users set raw_app_meta_data = '{metadata}' where id = '{ANNA}'"
            ))
            .await;
    };
    assert_eq!(
        judged(&world, "12:00:05", "admin_granted", "admin").await,
        "insufficient"
    );
    assert_eq!(
        judged(&world, "12:01:05", "admin_granted", "admin").await,
        "good"
    );
    role(r#"{"role": "admin"}"#).await;
    let tick = world.tick("12:02:05", &[app("up")]).await;
    assert_eq!(transitions(&tick), ["opened admin_granted admin"]);
    let granted = world
        .value("(select facts #> '{detail,granted}' from ops.alerts)")
        .await;
    assert_eq!(granted, json!([ANNA]));
    assert_eq!(
        world.dashboard(3600, "12:02:10").await["security"]["admins"],
        1
    );

    assert_eq!(
        judged(&world, "12:03:05", "admin_granted", "admin").await,
        "insufficient"
    );
    role("{}").await;
    assert_eq!(
        judged(&world, "12:04:05", "admin_granted", "admin").await,
        "insufficient"
    );
    let tick = world.tick("13:02:05", &[app("up")]).await;
    assert_eq!(transitions(&tick), ["resolved admin_granted admin"]);
}

#[tokio::test]
async fn access_that_changes_without_a_migration_is_drift() {
    let world = World::migrated().await;
    world
        .execute("create table public.cellars (id bigint)")
        .await;
    assert_eq!(
        judged(&world, "12:00:05", "access_drift", "public").await,
        "insufficient"
    );
    for (now, change) in [
        (
            "12:01:05",
            "alter table public.cellars enable row level security",
        ),
        (
            "12:02:05",
            "create policy everybody on public.cellars using (true)",
        ),
        ("12:03:05", "revoke select on public.cellars from anon"),
        (
            "12:04:05",
            "create function public.cellar() returns int language sql security definer as 'select 1'",
        ),
        ("12:05:05", "grant update (id) on public.cellars to anon"),
    ] {
        world.execute(change).await;
        assert_eq!(
            judged(&world, now, "access_drift", "public").await,
            "bad",
            "{change}"
        );
    }
    world
        .execute(
            "drop policy everybody on public.cellars;
             insert into ops.migrations (version, name, sha256) values ('9999', 'x', 'x')",
        )
        .await;
    assert_eq!(
        judged(&world, "13:10:05", "access_drift", "public").await,
        "good",
        "a recorded migration is meant"
    );
    let dashboard = world.dashboard(3600, "13:10:10").await;
    assert_eq!(
        dashboard["security"]["accessChangedAt"],
        "2026-11-24T13:10:05+00:00"
    );
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_null_and_its_rule_is_silent() {
    let world = World::migrated().await;
    world
        .execute(
            "set role postgres;
             revoke select (id, raw_app_meta_data) on auth.users from service_role;
             revoke select on auth.audit_log_entries from service_role;
             reset role",
        )
        .await;
    attempts(&world, 90, "login_failed", "a", "192.0.2.1", "12:00:00").await;
    for now in minutes("12:00:05", 2) {
        let tick = world.tick(&now, &[app("up")]).await;
        assert_eq!(
            verdict(&tick, "admin_granted", "admin")["verdict"],
            "insufficient"
        );
        assert_eq!(
            verdict(&tick, "sign_in_attempts", "address 192.0.2.1"),
            &Value::Null
        );
    }
    let security = world.dashboard(3600, "12:01:10").await["security"].clone();
    assert_eq!(
        (&security["admins"], &security["signInAttempts"]),
        (&Value::Null, &Value::Null)
    );
    world
        .execute("update pg_class set reltuples = 200001 where oid = 'auth.users'::regclass")
        .await;
    world
        .execute("grant select (id, raw_app_meta_data) on auth.users to service_role")
        .await;
    world.tick("12:02:05", &[app("up")]).await;
    let security = world.dashboard(3600, "12:02:10").await["security"].clone();
    assert_eq!(
        security["admins"],
        Value::Null,
        "too large to be read every minute"
    );
}
