//! Rows of the application that a webhook tells of before or after the tick
//! reads them: one alert, counted once a row, whoever comes first.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, array, at, call, minutes, transitions};

/// A critical error that was written at that time.
async fn error(world: &World, time: &str, message: &str) -> Uuid {
    row(
        world,
        "error_logs",
        "message, severity",
        &format!("'{message}', 'critical'"),
        time,
    )
    .await
}

async fn row(world: &World, table: &str, columns: &str, values: &str, time: &str) -> Uuid {
    let id = Uuid::new_v4();
    world
        .execute(&format!(
            "insert into public.{table} (id, {columns}, timestamp) values ('{id}', {values}, '{}')",
            at(time),
        ))
        .await;
    id
}

fn webhook(table: &str, id: Uuid, now: &str) -> Value {
    json!({
        "p_table": table, "p_id": id, "p_environment": "production",
        "p_channels": ["slack", "email"], "p_now": at(now),
    })
}

/// What becomes of a row that a webhook tells of.
async fn notice(world: &World, table: &str, id: Uuid, now: &str) -> Value {
    let noticed = world
        .call("ops_notice_event", webhook(table, id, now))
        .await;
    noticed["outcome"].clone()
}

async fn alerts(world: &World) -> Value {
    world
        .rows(
            "select fingerprint, rule, subject, severity, source, occurrences, first_bad_at,
                    last_facts ->> 'message' as message
             from ops.alerts order by opened_at, fingerprint",
        )
        .await
}

async fn occurrences(world: &World) -> Value {
    world
        .value("(select occurrences from ops.alerts where status <> 'resolved')")
        .await
}

#[tokio::test]
async fn a_webhook_opens_the_very_alert_that_the_tick_would_open() {
    let mut opened = Vec::new();
    for by_webhook in [true, false] {
        let world = World::migrated().await;
        world.tick("12:00:00", &[]).await;
        let id = error(&world, "12:00:20", "Payment 17 failed").await;
        let values = "'security', 'error', 'Many logins from 7'";
        let alert = row(
            &world,
            "alerts",
            "type, severity, message",
            values,
            "12:00:25",
        )
        .await;
        if by_webhook {
            assert_eq!(notice(&world, "error_logs", id, "12:00:30").await, "opened");
            assert_eq!(notice(&world, "alerts", alert, "12:00:30").await, "opened");
            assert_eq!(world.deliver("12:00:31").await, 3, "told at once");
            let tick = world.tick("12:01:00", &[]).await;
            assert_eq!(transitions(&tick), Vec::<String>::new());
        } else {
            assert_eq!(transitions(&world.tick("12:01:00", &[]).await).len(), 2);
        }
        opened.push(alerts(&world).await);
    }
    assert_eq!(opened[0], opened[1]);
    assert_eq!(array(&opened[0]).len(), 2);
}

#[tokio::test]
async fn a_row_is_counted_once_in_whichever_order_it_is_seen() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    // The webhook first, the tick after it.
    let first = error(&world, "12:00:20", "Payment 17 failed").await;
    assert_eq!(
        notice(&world, "error_logs", first, "12:00:21").await,
        "opened"
    );
    assert_eq!(
        notice(&world, "error_logs", first, "12:00:22").await,
        "known"
    );
    world.tick("12:01:00", &[]).await;
    assert_eq!(occurrences(&world).await, 1);
    // The tick first, the webhook after it.
    let second = error(&world, "12:01:20", "Payment 18 failed").await;
    world.tick("12:02:00", &[]).await;
    assert_eq!(
        notice(&world, "error_logs", second, "12:02:01").await,
        "known"
    );
    assert_eq!(occurrences(&world).await, 2);
    // Both at the same instant, and a third that only the tick sees.
    let third = error(&world, "12:02:59", "Payment 19 failed").await;
    error(&world, "12:02:59", "Payment 20 failed").await;
    assert_eq!(
        notice(&world, "error_logs", third, "12:03:00").await,
        "updated"
    );
    world.tick("12:03:00", &[]).await;
    assert_eq!(occurrences(&world).await, 4);
    for now in minutes("12:04:00", 8) {
        world.tick(&now, &[]).await;
    }
    assert_eq!(occurrences(&world).await, 4);
    assert_eq!(world.value("(select count(*) from ops.alerts)").await, 1);
}

/// The tick's time is when it began; a row that was committed after it looked is
/// older than that, and must be counted all the same.
#[tokio::test]
async fn a_row_that_was_committed_late_is_counted_once() {
    let world = World::migrated().await;
    error(&world, "11:59:30", "Payment 16 failed").await;
    world.tick("12:00:00", &[]).await;
    error(&world, "11:59:59", "Payment 17 failed").await;
    let third = error(&world, "11:59:58", "Payment 18 failed").await;
    assert_eq!(
        notice(&world, "error_logs", third, "12:00:01").await,
        "updated"
    );
    world.tick("12:01:00", &[]).await;
    world.tick("12:02:00", &[]).await;
    assert_eq!(occurrences(&world).await, 3);
}

#[tokio::test]
async fn webhooks_and_a_tick_at_once_count_every_row_once() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    let mut rows = Vec::new();
    for index in 0..6 {
        rows.push(
            error(
                &world,
                &format!("12:00:{:02}", 20 + index),
                "Payment failed",
            )
            .await,
        );
    }
    let claim = world.claim("12:01:00").await;
    let mut callers = Vec::new();
    for id in rows.iter().chain(&rows).copied() {
        let session = world.session().await;
        callers.push(tokio::spawn(async move {
            let answer = call(
                &session,
                "ops_notice_event",
                webhook("error_logs", id, "12:01:00"),
            );
            answer.await.unwrap()["outcome"].clone()
        }));
    }
    world.commit(&claim, "12:01:00", &[], json!({})).await;
    let mut seen_first = 0;
    for caller in callers {
        if caller.await.unwrap() != "known" {
            seen_first += 1;
        }
    }
    assert!(seen_first <= 6, "{seen_first}");
    assert_eq!(occurrences(&world).await, 6);
    assert_eq!(world.value("(select count(*) from ops.alerts)").await, 1);
}

#[tokio::test]
async fn what_a_tick_would_not_read_is_ignored() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    let columns = "message, severity, environment, resolved";
    for (values, time) in [
        ("'lesser', 'high', 'production', false", "12:00:20"),
        ("'elsewhere', 'critical', 'preview', false", "12:00:20"),
        ("'done with', 'critical', 'production', true", "12:00:20"),
        ("'long ago', 'critical', 'production', false", "09:00:00"),
        ("'not yet', 'critical', 'production', false", "12:00:31"),
    ] {
        let id = row(&world, "error_logs", columns, values, time).await;
        assert_eq!(
            notice(&world, "error_logs", id, "12:00:30").await,
            "ignored",
            "{values}"
        );
    }
    assert_eq!(
        notice(&world, "error_logs", Uuid::new_v4(), "12:00:30").await,
        "ignored"
    );
    let elsewhere = error(&world, "12:00:20", "boom").await;
    assert_eq!(
        notice(&world, "alerts", elsewhere, "12:00:30").await,
        "ignored"
    );
    assert_eq!(alerts(&world).await, json!([]));
}

#[tokio::test]
async fn a_webhook_tells_of_a_row_without_a_time_of_its_own() {
    let world = World::migrated().await;
    world.tick("12:00:00", &[]).await;
    let columns = "message, severity, environment, resolved";
    let values = "'boom', 'critical', 'production', false";
    let id = row(
        &world,
        "error_logs",
        columns,
        values,
        "0044-03-15T12:00:00Z BC",
    )
    .await;
    assert_eq!(notice(&world, "error_logs", id, "12:00:30").await, "opened");
    assert_eq!(notice(&world, "error_logs", id, "12:00:31").await, "known");
    world.tick("12:01:00", &[]).await;
    assert_eq!(occurrences(&world).await, 1);
}

#[tokio::test]
async fn another_table_or_channel_is_refused() {
    let world = World::migrated().await;
    for (argument, value) in [
        ("p_table", json!("wines")),
        ("p_table", Value::Null),
        ("p_id", Value::Null),
        ("p_environment", Value::Null),
        ("p_channels", json!(["pager"])),
    ] {
        let mut arguments = webhook("error_logs", Uuid::new_v4(), "12:00:00");
        arguments[argument] = value;
        let [code, ..] = world.refusal("ops_notice_event", arguments).await;
        assert_eq!(code, "22023", "{argument}");
    }
}

#[tokio::test]
async fn what_is_noticed_is_forgotten_once_no_tick_looks_there() {
    let world = World::migrated().await;
    world.tick("2026-11-24T12:00:00Z", &[]).await;
    let id = error(&world, "2026-11-24T12:00:20Z", "boom").await;
    assert_eq!(
        notice(&world, "error_logs", id, "2026-11-24T12:00:30Z").await,
        "opened"
    );
    // Three days without a tick: the next one looks back as far as the last one.
    world.tick("2026-11-27T12:00:00Z", &[]).await;
    assert_eq!(
        world
            .value("(select max(occurrences) from ops.alerts)")
            .await,
        1
    );
    assert_eq!(
        world
            .value("(select count(*) from ops.noticed_events)")
            .await,
        1
    );
    world.tick("2026-11-27T12:01:00Z", &[]).await;
    assert_eq!(
        world
            .value("(select count(*) from ops.noticed_events)")
            .await,
        0
    );
}

#[tokio::test]
async fn what_somebody_raises_began_when_they_say_if_that_can_be() {
    let world = World::migrated().await;
    for (since, expected) in [
        (json!("2026-11-24T11:40:00Z"), "2026-11-24T11:40:00+00:00"),
        (json!("2026-11-24T12:00:01Z"), "2026-11-24T12:00:00+00:00"),
        (json!("0001-01-01T00:00:00Z"), "2026-11-24T12:00:00+00:00"),
        (Value::Null, "2026-11-24T12:00:00+00:00"),
    ] {
        let alert = json!({
            "status": "firing", "source": "alertmanager", "type": "t", "severity": "high",
            "title": "t", "fingerprint": since.to_string(), "since": since,
        });
        let arguments = json!({
            "p_request": Uuid::new_v4(), "p_alerts": [alert], "p_channels": ["slack"],
            "p_now": at("12:00:00"),
        });
        let raised = world.call("ops_raise_alerts", arguments).await;
        let id = raised["results"][0]["alert"].as_str().unwrap();
        let found = format!("(select first_bad_at from ops.alerts where id = '{id}')");
        assert_eq!(world.value(&found).await, expected, "{since}");
    }
}
