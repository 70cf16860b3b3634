//! The second scheduler, against stand-ins of `pg_cron`, `pg_net` and Vault with
//! the functions and views that it uses, as role `postgres`.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{World, array, at, verdict};

/// The calls that are scheduled.
const CALLS: &str = r#"[{"job": "monitor", "schedule": "* * * * *", "path": "/api/cron/monitor"},
    {"job": "maintenance", "schedule": "*/10 * * * *", "path": "/api/cron/maintenance"}]"#;

/// A project with the extensions, and a session of its owner.
async fn project() -> (World, Client) {
    let world = World::migrated().await;
    world
        .execute(include_str!("../sql/scheduler_stand_ins.sql"))
        .await;
    let owner = world.session().await;
    owner.batch_execute("set role postgres").await.unwrap();
    (world, owner)
}

/// Reads one value as the owner.
async fn value(owner: &Client, expression: &str) -> Value {
    let sql = format!("select to_jsonb({expression})::text");
    let row = owner
        .query_one(&sql, &[])
        .await
        .unwrap_or_else(|error| panic!("{expression}: {error:?}"));
    row.get::<_, Option<String>>(0)
        .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

async fn install(owner: &Client, now: &str, webhook: &str) -> Value {
    let call = format!(
        "ops.schedule_calls('https://ops.wine.example', 'cron-secret-of-the-bundle', {webhook}, '{CALLS}', '{}')",
        at(now)
    );
    value(owner, &call).await
}

async fn watch(owner: &Client, now: &str) -> Value {
    value(owner, &format!("ops.watch_bundle('{}')", at(now))).await
}

#[tokio::test]
async fn without_the_extensions_it_says_which_are_missing() {
    let world = World::migrated().await;
    let error = world
        .admin
        .batch_execute("select ops.scheduled_calls()")
        .await
        .unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "0A000");
    assert_eq!(
        error.message(),
        "the database lacks the extensions pg_cron, pg_net, supabase_vault"
    );
}

#[tokio::test]
async fn installing_twice_schedules_once_and_no_command_holds_a_secret() {
    let (world, owner) = project().await;
    for webhook in ["null", "'https://hooks.slack.test/T/1'"] {
        install(&owner, "12:00:00", webhook).await;
    }
    let status = value(&owner, "ops.scheduled_calls()").await;
    let jobs: Vec<&Value> = array(&status["jobs"])
        .iter()
        .map(|job| &job["job"])
        .collect();
    assert_eq!(
        jobs,
        [
            "pourtrait_maintenance",
            "pourtrait_monitor",
            "pourtrait_watchdog"
        ]
    );
    assert_eq!(status["tellsSlack"], true);
    assert_eq!(status["baseUrl"], "https://ops.wine.example");
    let commands = world
        .rows("select command from cron.job order by jobname")
        .await;
    assert_eq!(
        commands,
        json!([
            {"command": "select ops.call_bundle('/api/cron/maintenance')"},
            {"command": "select ops.call_bundle('/api/cron/monitor')"},
            {"command": "select ops.watch_bundle(now())"},
        ])
    );
    let secrets = world
        .rows("select name from vault.secrets order by name")
        .await;
    assert_eq!(
        secrets,
        json!([{"name": "pourtrait_cron_secret"}, {"name": "pourtrait_slack_webhook"}])
    );
}

#[tokio::test]
async fn a_call_carries_the_secret_and_waits_for_nobody() {
    let (world, owner) = project().await;
    install(&owner, "12:00:00", "null").await;
    let request = value(&owner, "ops.call_bundle('/api/cron/monitor')").await;
    assert_eq!(
        world
            .rows("select request, path from ops.scheduler_calls")
            .await,
        json!([{"request": request, "path": "/api/cron/monitor"}])
    );
    assert_eq!(
        world
            .rows(
                "select method, url, params - 'slot' as params, headers, timeout from net.requests"
            )
            .await,
        json!([{"method": "GET", "url": "https://ops.wine.example/api/cron/monitor", "timeout": 10_000,
                "params": {"clock": "supabase"},
                "headers": {"Authorization": "Bearer cron-secret-of-the-bundle"}}])
    );
}

/// What a tick at that time is told of why the scheduler is silent since 12:00.
async fn why(world: &World) -> Value {
    let call = format!(
        "ops.why_scheduler_silent('{}', '{}')",
        at("12:00:00"),
        at("12:05:00")
    );
    world.value(&call).await
}

#[tokio::test]
async fn why_calls_do_not_come_through_is_read_from_the_answers_of_pg_net() {
    let world = World::migrated().await;
    assert_eq!(why(&world).await, json!({"reason": "no_calls"}));
    let called = format!(
        "insert into ops.scheduler_calls (request, path, called_at) values (7, '/api/cron/monitor', '{}')",
        at("12:04:00")
    );
    world.execute(&called).await;
    assert_eq!(why(&world).await, json!({"reason": "unreadable_answers"}));

    world
        .execute(include_str!("../sql/scheduler_stand_ins.sql"))
        .await;
    assert_eq!(why(&world).await, json!({"reason": "no_answers"}));
    assert_eq!(
        world
            .value(&format!("ops.newest_answer('{}')", at("12:05:00")))
            .await,
        json!({})
    );
    for (created, status, timed_out, error, expected) in [
        (
            "11:59:00",
            "200",
            "false",
            "null",
            json!({"reason": "no_answers"}),
        ),
        (
            "12:04:01",
            "401",
            "false",
            "null",
            json!({"reason": "auth", "statusCode": 401}),
        ),
        (
            "12:04:01",
            "503",
            "null",
            "null",
            json!({"reason": "http_status", "statusCode": 503}),
        ),
        (
            "12:04:01",
            "null",
            "true",
            "'Timeout of 10000 ms'",
            json!({"reason": "timeout", "statusCode": null}),
        ),
        (
            "12:04:01",
            "null",
            "false",
            "'no route'",
            json!({"reason": "connect", "statusCode": null}),
        ),
    ] {
        world
            .execute(&format!(
                "delete from net._http_response where true;
                 insert into net._http_response (id, status_code, timed_out, error_msg, created)
                 values (7, {status}, {timed_out}, {error}, '{}')",
                at(created)
            ))
            .await;
        assert_eq!(why(&world).await, expected, "{status} {error}");
    }
    world
        .execute("revoke all on all tables in schema net from public")
        .await;
    let role = "set role service_role; select ops.newest_answer(now())";
    assert!(
        world.admin.batch_execute(role).await.is_ok(),
        "it is no error"
    );
}

#[tokio::test]
async fn a_scheduler_that_never_came_through_is_a_silent_clock() {
    let (world, owner) = project().await;
    install(&owner, "12:00:00", "null").await;
    let early = world.tick("12:03:00", &[]).await;
    assert_eq!(
        verdict(&early, "clock_silent", "supabase")["verdict"],
        "insufficient"
    );
    let late = world.tick("12:04:00", &[]).await;
    assert_eq!(verdict(&late, "clock_silent", "supabase")["verdict"], "bad");
    value(&owner, "ops.unschedule_calls()").await;
    let removed = world.tick("12:05:00", &[]).await;
    assert_ne!(
        verdict(&removed, "clock_silent", "supabase")["verdict"],
        "bad"
    );
}

#[tokio::test]
async fn a_silent_bundle_is_told_once_an_hour_and_its_return_once() {
    let (world, owner) = project().await;
    assert_eq!(watch(&owner, "12:00:00").await, "not installed");
    install(&owner, "12:00:00", "'https://hooks.slack.test/T/1'").await;
    for (now, expected) in [
        ("12:05:00", "well"),
        ("12:05:01", "sent"),
        ("12:06:00", "sent before"),
        ("13:05:00", "sent before"),
        ("13:05:01", "sent"),
    ] {
        assert_eq!(watch(&owner, now).await, expected, "{now}");
    }
    world.tick("13:10:00", &[]).await;
    assert_eq!(watch(&owner, "13:10:30").await, "resolved");
    assert_eq!(watch(&owner, "13:11:30").await, "well");
    let posted = world
        .rows("select url, body ->> 'text' as text from net.requests order by id")
        .await;
    let texts: Vec<&str> = array(&posted)
        .iter()
        .map(|post| post["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts.len(), 3, "{posted}");
    assert!(
        texts[0]
            .starts_with("Critical: the monitor has committed no tick since 2026-11-24 12:00 UTC."),
        "{posted}"
    );
    assert_eq!(
        texts[2],
        "Resolved: the monitor commits ticks again, after 70 min of silence."
    );
    assert_eq!(posted[0]["url"], "https://hooks.slack.test/T/1");
}

#[tokio::test]
async fn a_bundle_that_never_ticked_is_silent_since_its_installation() {
    let (world, owner) = project().await;
    world.execute("delete from ops.jobs").await;
    install(&owner, "12:00:00", "'https://hooks.slack.test/T/1'").await;
    assert_eq!(watch(&owner, "12:05:00").await, "well");
    assert_eq!(watch(&owner, "12:05:01").await, "sent");
    let posted = world
        .value("(select body ->> 'text' from net.requests)")
        .await;
    let text = posted.as_str().unwrap();
    assert!(text.contains("since 2026-11-24 12:00 UTC"), "{text}");
}

#[tokio::test]
async fn removing_takes_back_jobs_and_secrets_and_nothing_else() {
    let (world, owner) = project().await;
    world
        .execute("select cron.schedule('of_the_app', '0 3 * * *', 'select 1'); select vault.create_secret('x', 'of_the_app')")
        .await;
    install(&owner, "12:00:00", "'https://hooks.slack.test/T/1'").await;
    for _ in 0..2 {
        let status = value(&owner, "ops.unschedule_calls()").await;
        assert_eq!(
            (&status["jobs"], &status["baseUrl"]),
            (&json!([]), &Value::Null)
        );
    }
    let kept = world
        .rows("select jobname as name from cron.job union all select name from vault.secrets")
        .await;
    assert_eq!(
        kept,
        json!([{"name": "of_the_app"}, {"name": "of_the_app"}])
    );
}

#[tokio::test]
async fn an_address_with_a_path_or_no_secret_is_refused() {
    let (_world, owner) = project().await;
    for (url, secret) in [
        ("https://ops.wine.example/api", "s"),
        ("ops.wine.example", "s"),
        ("https://ops.wine.example", ""),
    ] {
        let call =
            format!("select ops.schedule_calls('{url}', '{secret}', null, '{CALLS}', now())");
        let error = owner.batch_execute(&call).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().code().code(), "22023", "{url}");
    }
}
