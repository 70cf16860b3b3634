//! People who are asked, alerts that ask, and what people do about them.

use serde_json::{Value, json};

use crate::support::{World, array, at};

/// Adds a contact with that role and those other fields; returns its id.
pub(crate) async fn contact(world: &World, name: &str, role: &str, fields: Value) -> String {
    let mut all = json!({"name": name, "role": role});
    all.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let id = uuid::Uuid::new_v4();
    let arguments = json!({
        "p_contact": id, "p_fields": all, "p_by": "test", "p_now": at("00:00:00"),
    });
    world.call("ops_save_contact", arguments).await;
    id.to_string()
}

/// One contact of each role, named after it, each with an address.
pub(crate) async fn everybody(world: &World) {
    for role in [
        "on_call_primary",
        "on_call_secondary",
        "engineering_manager",
        "senior_engineer",
        "cto",
        "vendor_support",
        "executive",
        "external_consultant",
    ] {
        contact(
            world,
            role,
            role,
            json!({"email": format!("{role}@wine.example")}),
        )
        .await;
    }
}

/// Raises an alert from outside with both channels configured; returns its id.
pub(crate) async fn raise(world: &World, now: &str, severity: &str, subject: &str) -> String {
    raised(world, now, severity, subject, "firing").await
}

/// Says that it is over.
pub(crate) async fn resolve(world: &World, now: &str, subject: &str) {
    raised(world, now, "critical", subject, "resolved").await;
}

async fn raised(world: &World, now: &str, severity: &str, subject: &str, status: &str) -> String {
    let alert = json!({"status": status, "source": "test", "type": "t", "severity": severity,
                       "title": "T", "subject": subject});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": ["slack", "email"], "p_now": at(now)});
    let result = world.call("ops_raise_alerts", arguments).await;
    result["results"][0]["alert"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Moves the ladder at that time; returns how many steps were told.
pub(crate) async fn advance(world: &World, now: &str) -> u64 {
    let arguments = json!({"p_channels": ["slack", "email"], "p_now": at(now)});
    let advanced = world.call("ops_advance_ladder", arguments).await;
    advanced["told"].as_u64().unwrap()
}

/// What Anna's request to do something about an alert is.
pub(crate) fn action(alert: &str, action: &str, now: &str, over: &Value) -> Value {
    let mut arguments = json!({
        "p_request": uuid::Uuid::new_v4(), "p_alert": alert, "p_action": action, "p_until": null,
        "p_note": null, "p_actor": "Anna", "p_now": at(now),
    });
    arguments
        .as_object_mut()
        .unwrap()
        .extend(over.as_object().unwrap().clone());
    arguments
}

/// Anna does something about an alert; returns what became of it.
pub(crate) async fn act(world: &World, alert: &str, what: &str, now: &str) -> String {
    let result = world
        .call("ops_act_on_alert", action(alert, what, now, &json!({})))
        .await;
    result["outcome"].as_str().unwrap().to_owned()
}

/// The names of those whom the ladder has told so far, in order.
pub(crate) async fn told(world: &World) -> Vec<String> {
    let rows = world
        .rows("select coalesce(person ->> 'name', 'email') as name from ops.escalations where status = 'told' order by told_at, level, id")
        .await;
    array(&rows)
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Every message about alerts so far: kind, channel, status and the names of
/// those whom it addresses.
pub(crate) async fn messages(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select concat_ws(' ', kind, channel, status, (
                 select string_agg(value ->> 'name', '+' order by value ->> 'name')
                 from jsonb_array_elements(facts #> '{recipients,people}')
             )) as line
             from ops.outbox order by created_at, kind, channel, 1",
        )
        .await;
    array(&rows)
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

/// The timeline of all alerts: kind and actor.
pub(crate) async fn timeline(world: &World) -> Vec<String> {
    let rows = world
        .rows("select concat_ws(' ', kind, actor, note) as line from ops.alert_events order by id")
        .await;
    array(&rows)
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}
