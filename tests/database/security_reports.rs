//! What an auditor reads: what the database answers, and what of a month is kept.

use ops::security_report::answer::Answer;
use serde_json::{Value, json};

use crate::support::{World, array, at};

async fn answer(world: &World) -> Answer {
    let from = "2026-11-01T00:00:00Z";
    let read = world
        .call("ops_security_report", json!({ "p_from": from }))
        .await;
    serde_json::from_value(read).unwrap()
}

#[tokio::test]
async fn the_answer_is_what_the_database_is_now() {
    let world = World::migrated().await;
    let anna = "00000000-0000-4000-8000-00000000000a";
    world
        .execute(&format!(
            "insert into auth.users (id, email, raw_app_meta_data) values ('{anna}', 'anna@wine.example', '{{\"role\": \"admin\"}}');
             analyze auth.users;
             insert into auth.audit_log_entries (id, payload, created_at, ip_address)
             select gen_random_uuid(), jsonb_build_object('action', 'login', 'actor_id', who), now(), ''
             from unnest('{{{anna},{anna},somebody}}'::text[]) as who;
             create function public.everything() returns bigint language sql security definer as 'select 1::bigint';
             insert into public.error_logs (message, severity, \"timestamp\", resolved, resolved_at)
             values ('x', 'low', '2026-01-01T00:00:00Z', true, '2026-02-01T00:00:00Z');
             grant insert on public.alerts to anon"
        ))
        .await;
    let token = json!({"p_name": "import", "p_by": "anna", "p_token_hash": "a".repeat(64)});
    let check = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60});
    world
        .call(
            "ops_add_check",
            json!({"p_name": "import", "p_check": check, "p_by": "anna"}),
        )
        .await;
    world.call("ops_issue_heartbeat_token", token).await;
    let answer = answer(&world).await;
    assert_eq!(answer.people.as_ref().unwrap()[anna], "admin");
    let pseudonym = answer.pseudonyms.keys().next().unwrap();
    assert!(pseudonym.len() == 12 && !anna.contains(pseudonym.as_str()));
    let sign_ins = answer.sign_ins.as_ref().unwrap();
    assert_eq!(
        (sign_ins.len(), sign_ins[0].times),
        (1, 2),
        "people without a role are left out"
    );
    assert!(answer.heartbeats[0].issued_at.is_some());
    let definers: Vec<_> = answer
        .definers
        .iter()
        .map(|one| one.function.as_str())
        .collect();
    assert!(definers.contains(&"public.everything()"), "{definers:?}");
    assert!(
        !definers.iter().any(|name| name.contains("ops_")),
        "{definers:?}"
    );
    let open = answer.grants.iter().find(|granted| granted.role == "anon");
    assert_eq!(open.unwrap().may, ["insert"]);
    assert!(open.unwrap().guarded);
    let errors = answer
        .ages
        .iter()
        .find(|age| age.table == "public.error_logs")
        .unwrap();
    assert_eq!(errors.days, Some(30));
    assert_eq!(
        errors.oldest_at.unwrap().to_string(),
        "2026-02-01T00:00:00Z"
    );
    let audit = answer
        .ages
        .iter()
        .find(|age| age.table == "ops.audit")
        .unwrap();
    assert_eq!(audit.setting.as_deref(), Some("retention.audit_days"));
    assert!(audit.oldest_at.is_some());
    assert!(answer.server.extensions.contains_key("plpgsql"));
    assert_eq!(answer.tables.ours, answer.tables.guarded);
    assert!(answer.permissions["admin"].contains(&"audit.read".to_owned()));
    assert!(answer.former.is_none());
}

#[tokio::test]
async fn what_cannot_be_read_is_null_and_takes_nothing_along() {
    let world = World::migrated().await;
    world
        .execute(
            "set role postgres;
             revoke select (id, raw_app_meta_data) on auth.users from service_role;
             revoke select on auth.audit_log_entries from service_role;
             reset role",
        )
        .await;
    let answer = answer(&world).await;
    assert!(answer.people.is_none() && answer.sign_ins.is_none());
    assert!(!answer.grants.is_empty());
}

async fn claim(world: &World, now: &str) -> Value {
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 55, "p_manual": true, "p_now": now,
    });
    world.call("ops_claim_run", arguments).await
}

async fn due(world: &World, now: &str) -> Value {
    world
        .call("ops_due_security_report", json!({ "p_now": now }))
        .await["due"]["from"]
        .clone()
}

async fn store(world: &World, run: &Value, month: &str, secret: &str) -> Value {
    let from = format!("2026-{month}-01T00:00:00Z");
    let arguments = json!({
        "p_run": run["run"], "p_fence": run["fence"], "p_from": from, "p_to": format!("2026-{month}-28T00:00:00Z"),
        "p_facts": {"secrets": {"known": {"CRON_SECRET": secret}}}, "p_differences": null,
        "p_now": format!("2026-{month}-28T07:00:00Z"),
    });
    world.call("ops_store_security_report", arguments).await["outcome"].clone()
}

#[tokio::test]
async fn a_month_is_due_from_its_hour_on_until_it_is_kept() {
    let world = World::migrated().await;
    assert_eq!(due(&world, "2026-11-01T06:59:00Z").await, Value::Null);
    let october = due(&world, "2026-11-01T07:00:00Z").await;
    assert_eq!(october, "2026-10-01T00:00:00+00:00");
    assert_eq!(
        due(&world, &at("12:00:00")).await,
        october,
        "a month that was late is kept late"
    );
    let late = claim(&world, &at("12:00:00")).await;
    let run = claim(&world, &at("12:05:00")).await;
    assert_eq!(store(&world, &late, "10", "a").await, "superseded");
    assert_eq!(store(&world, &run, "10", "a").await, "done");
    assert_eq!(store(&world, &run, "10", "other").await, "done");
    assert_eq!(due(&world, &at("12:00:00")).await, Value::Null);
    let kept = world
        .rows("select facts #>> '{secrets,known,CRON_SECRET}' as mark from ops.security_reports")
        .await;
    assert_eq!(kept, json!([{"mark": "a"}]), "the first one stays");
}

#[tokio::test]
async fn a_secret_is_as_old_as_reports_have_seen_it_the_same() {
    let world = World::migrated().await;
    let run = claim(&world, &at("12:00:00")).await;
    for (month, secret) in [
        ("06", "a"),
        ("07", "b"),
        ("08", "a"),
        ("09", "a"),
        ("10", "a"),
    ] {
        store(&world, &run, month, secret).await;
    }
    let since = answer(&world).await.former.unwrap().since["CRON_SECRET"];
    assert_eq!(since.to_string(), "2026-08-28T07:00:00Z");
    let rows = world.rows("select 1 from ops.security_reports").await;
    assert_eq!(array(&rows).len(), 5);
}
