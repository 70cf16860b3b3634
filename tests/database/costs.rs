//! What the month costs: our own figures times the settings' prices, and nothing where nobody
//! tells.

use serde_json::{Value, json};

use crate::support::{World, app, array, at, verdict};

async fn costs(world: &World, now: &str) -> Value {
    world.call("ops_costs", json!({"p_now": at(now)})).await
}

async fn set(world: &World, key: &str, value: Value) {
    let arguments = json!({"p_key": key, "p_value": value, "p_by": "anna"});
    world.call("ops_set_setting", arguments).await;
}

fn item<'a>(costs: &'a Value, name: &str, subject: Option<&str>) -> &'a Value {
    array(&costs["items"])
        .iter()
        .find(|item| item["item"] == name && item["subject"].as_str() == subject)
        .unwrap_or_else(|| panic!("{name} {subject:?} in {costs}"))
}

/// Half of November has passed at the beginning of the sixteenth.
const HALF: &str = "2026-11-16T00:00:00Z";

const ROWS: &str = "
    insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
    select gen_random_uuid(), 'monitor', timestamptz '2026-11-02T00:00:00Z' + n * interval '1 min', 1, 'done',
           timestamptz '2026-11-02T00:00:00Z' + n * interval '1 min',
           timestamptz '2026-11-02T00:00:00Z' + n * interval '1 min' + interval '18 s'
    from generate_series(1, 1000) as n;
    -- Nobody called it, it was last month, it is to come.
    insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
    select gen_random_uuid(), 'monitor', at, 1, outcome, at, at + interval '1 h'
    from (values (timestamptz '2026-11-03T00:00:00Z', 'missed'), ('2026-10-31T23:59:00Z', 'done'),
                 ('2026-11-16T00:01:00Z', 'done')) as run (at, outcome);
    insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
    values ('00000000-0000-4000-8000-0000000000d1', 'backup', '2026-11-05T00:00:00Z', 1, 'done', '2026-11-05T00:00:00Z', '2026-11-05T00:30:00Z'),
           ('00000000-0000-4000-8000-0000000000d2', 'backup', '2026-11-06T00:00:00Z', 1, 'done', '2026-11-06T00:00:00Z', '2026-11-06T00:30:00Z');
    insert into ops.backups (run, outcome, snapshot, taken_at, sealed_at, finished_at, figures)
    values ('00000000-0000-4000-8000-0000000000d1', 'done', 's', '2026-11-05T00:00:00Z', '2026-11-05T00:30:00Z', '2026-11-05T00:30:00Z',
            '{\"bytesStored\": 2500000000, \"bytesRead\": 1, \"bytesReceived\": 10000000000, \"files\": {\"fetchedBytes\": 4000000000}, \"requests\": {\"put\": 300000, \"get\": 99999, \"head\": 1, \"list\": 0}}'),
           ('00000000-0000-4000-8000-0000000000d2', 'done', 's', '2026-11-06T00:00:00Z', '2026-11-06T00:30:00Z', '2026-11-06T00:30:00Z',
            '{\"bytesStored\": \"NaN\", \"files\": [], \"requests\": {\"put\": 100000, \"get\": \"many\"}}');
    insert into ops.backup_rereads
        (id, started_at, finished_at, round_began_at, from_position, upto_position, objects, bytes, objects_there, bytes_there,
         objects_old, objects_old_read, unread, received_at)
    select gen_random_uuid(), at, at, at, 0, 1, 1, 1500000000, 1, 1, 0, 0, '[]', at
    from (values (timestamptz '2026-11-04T00:00:00Z'), ('2026-11-05T00:00:00Z'), ('2026-10-31T23:59:00Z')) as share (at);
    insert into ops.database_sizes (day, bytes) values ('2026-11-15T00:00:00Z', 12000000000);
    select ops.note_channels('{email}', '2026-11-01T00:00:00Z');
    insert into ops.outbox (kind, channel, severity, facts, created_at, next_attempt_at, status, sent_at)
    select 'notice', 'email', 'low', '{}', at, at, 'sent', at
    from (values (timestamptz '2026-11-10T00:00:00Z'), ('2026-11-11T00:00:00Z'), ('2026-10-11T00:00:00Z')) as told (at)";

#[tokio::test]
async fn each_thing_is_counted_priced_and_projected_to_the_end_of_the_month() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    set(&world, "cost.function_hour", json!(0.1)).await;
    let costs = costs(&world, HALF).await;
    for (name, subject, amount, cost, projected) in [
        ("invocations", Some("monitor"), 1000.0, 0.0006, 0.0012),
        ("function_time", Some("monitor"), 5.0, 0.5, 1.0),
        ("function_time", Some("backup"), 1.0, 0.1, 0.2),
        ("database_size", None, 4.0, 0.5, 0.5),
        ("backup_requests", None, 500_000.0, 2.25, 4.5),
        ("backup_egress", None, 10.0, 0.9, 1.8),
        ("files_egress", None, 4.0, 0.36, 0.72),
    ] {
        let item = item(&costs, name, subject);
        let figures = ["amount", "cost", "projected"].map(|key| item[key].as_f64());
        assert_eq!(figures, [amount, cost, projected].map(Some), "{item}");
        assert_eq!(item["reason"], Value::Null, "{item}");
    }
    for (name, subject, amount, reason) in [
        (
            "backup_rereads",
            None,
            json!(3),
            "what a store asks for being read depends on the provider",
        ),
        (
            "backup_writes",
            None,
            json!(2.5),
            "stores ask for what they hold, not for what is written",
        ),
        (
            "backup_storage",
            None,
            Value::Null,
            "only the store knows how much it holds",
        ),
        (
            "messages",
            Some("email"),
            json!(2),
            "what a message costs depends on the provider's plan",
        ),
        (
            "invocations",
            Some("maintenance"),
            Value::Null,
            "nothing is known yet",
        ),
        (
            "invocations",
            Some("other endpoints"),
            Value::Null,
            "nothing counts the calls of the other endpoints: the platform's own usage page does",
        ),
    ] {
        let item = item(&costs, name, subject);
        assert_eq!(item["amount"].as_f64(), amount.as_f64(), "{item}");
        assert_eq!(
            (&item["cost"], &item["projected"]),
            (&Value::Null, &Value::Null),
            "{item}"
        );
        assert_eq!(item["reason"], reason, "{item}");
    }
    // The sum of what is known: 0.0012 and 0.0000024 of calls, 1.2 of hours, 0.5, 1.8, 0.72 and 4.5.
    assert_eq!(costs["projected"].as_f64(), Some(8.72));
    assert_eq!(costs["limit"], Value::Null);
    let unknown = array(&costs["unknown"]);
    assert!(
        unknown.contains(&json!("messages email")) && !unknown.contains(&json!("database_size")),
        "{unknown:?}"
    );
    let hour = array(&costs["prices"])
        .iter()
        .find(|price| price["key"] == "cost.function_hour")
        .unwrap();
    let today = "to_char(now() at time zone 'UTC', 'YYYY-MM-DD')";
    assert_eq!(hour["readOn"], world.value(today).await, "somebody set it");
}

#[tokio::test]
async fn of_an_empty_project_nothing_is_made_up() {
    let world = World::migrated().await;
    let costs = costs(&world, HALF).await;
    assert_eq!(
        (&costs["cost"], &costs["projected"]),
        (&Value::Null, &Value::Null)
    );
    for item in array(&costs["items"]) {
        assert_eq!(
            (&item["cost"], &item["projected"]),
            (&Value::Null, &Value::Null),
            "{item}"
        );
        assert!(item["reason"].is_string(), "{item}");
    }
}

#[tokio::test]
async fn a_month_is_projected_by_its_own_length_and_not_on_its_first_day() {
    let world = World::migrated().await;
    for (now, share) in [
        ("2026-02-15T00:00:00Z", Some(0.5)),
        ("2028-02-15T12:00:00Z", Some(0.5)),
        ("2026-11-16T00:00:00Z", Some(0.5)),
        ("2026-12-16T12:00:00Z", Some(0.5)),
        ("2026-11-01T23:59:59Z", Some(0.0)),
    ] {
        let sql = format!(
            "(select ops.cost_share('{now}', date_trunc('month', timestamptz '{now}' at time zone 'UTC') at time zone 'UTC',
              (date_trunc('month', timestamptz '{now}' at time zone 'UTC') + interval '1 month') at time zone 'UTC'))"
        );
        assert_eq!(world.value(&sql).await.as_f64(), share, "{now}");
    }
    world.execute(
        "insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
         values (gen_random_uuid(), 'monitor', '2026-11-01T01:00:00Z', 1, 'done', '2026-11-01T01:00:00Z', '2026-11-01T01:00:01Z')",
    ).await;
    let costs = costs(&world, "2026-11-01T12:00:00Z").await;
    let item = item(&costs, "invocations", Some("monitor"));
    assert_eq!(
        (&item["amount"], &item["projected"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(item["reason"], "the month has only begun");
}

#[tokio::test]
async fn runs_that_are_not_kept_for_the_whole_month_are_not_known() {
    let world = World::migrated().await;
    world.execute(ROWS).await;
    set(&world, "retention.runs_days", json!(10)).await;
    let costs = costs(&world, HALF).await;
    let item = item(&costs, "invocations", Some("monitor"));
    assert_eq!(item["amount"], Value::Null);
    assert_eq!(
        item["reason"],
        "runs of the whole month are not kept: retention.runs_days"
    );
}

#[tokio::test]
async fn a_projection_above_the_limit_opens_an_alert_and_without_a_limit_none() {
    let world = World::migrated().await;
    let tick = world.tick("12:00:00", &[app("up")]).await;
    assert_eq!(verdict(&tick, "cost_over_limit", "month"), &Value::Null);
    set(&world, "cost.monthly_limit", json!(5)).await;
    let note = |value: &str, now: &str| {
        format!(
            "insert into ops.facts (name, value, noted_at, changed_at) values ('month_cost', '{value}', '{now}', '{now}')
             on conflict (name) do update set value = excluded.value, noted_at = excluded.noted_at",
            now = at(now)
        )
    };
    for (minute, value, expected) in [
        (1, None, "insufficient"),
        (2, Some("5"), "good"),
        (3, Some("5.01"), "bad"),
        (4, Some("5.01"), "bad"),
        (5, Some("null"), "insufficient"),
        (6, Some("9"), "bad"),
    ] {
        let now = format!("12:0{minute}:00");
        if let Some(value) = value {
            world.execute(&note(value, &now)).await;
        }
        let tick = world.tick(&now, &[app("up")]).await;
        assert_eq!(
            verdict(&tick, "cost_over_limit", "month")["verdict"],
            expected,
            "{now}"
        );
    }
    let opened = "(select jsonb_agg(severity) from ops.alerts where rule = 'cost_over_limit')";
    assert_eq!(world.value(opened).await, json!(["low"]));
    set(&world, "cost.monthly_limit", json!(0)).await;
    for now in ["12:07:00", "12:08:00"] {
        world.tick(now, &[app("up")]).await;
    }
    assert_eq!(
        world
            .value("(select status from ops.alerts where rule = 'cost_over_limit')")
            .await,
        json!("resolved")
    );
}
