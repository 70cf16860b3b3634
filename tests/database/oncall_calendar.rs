//! A rotation and what people do about it, as tests write them.

use serde_json::{Value, json};

use crate::support::World;

/// Every time of these tests is told, so what is written is written long before.
const LONG_BEFORE: &str = "2026-01-01T00:00:00Z";

/// Adds a rotation of the primaries with that layer; returns its id.
pub(crate) async fn rotation(world: &World, name: &str, layer: Value) -> String {
    let id = uuid::Uuid::new_v4().to_string();
    save(
        world,
        &id,
        &json!({"name": name, "role": "on_call_primary", "layer": layer}),
    )
    .await;
    id
}

/// Adds a layer to a rotation, or replaces it.
pub(crate) async fn save(world: &World, rotation: &str, fields: &Value) -> Value {
    let arguments = json!({
        "p_rotation": rotation, "p_fields": fields, "p_by": "test", "p_now": LONG_BEFORE,
    });
    world.call("ops_save_rotation", arguments).await
}

/// A layer whose members take turns of weeks from Monday at nine in Berlin.
pub(crate) fn weekly(members: &[&str]) -> Value {
    json!({
        "layer": 1, "unit": "week", "every": 1, "weekday": 1, "handOver": "09:00",
        "zone": "Europe/Berlin", "hours": null, "firstOn": "2026-11-23", "members": members,
    })
}

/// A layer whose members take turns of days.
pub(crate) fn daily(members: &[&str], hand_over: &str, zone: &str, first_on: &str) -> Value {
    json!({
        "layer": 1, "unit": "day", "every": 1, "handOver": hand_over, "zone": zone,
        "firstOn": first_on, "members": members,
    })
}

/// Gives a rotation to somebody for a time.
pub(crate) async fn take(
    world: &World,
    rotation: &str,
    contact: &str,
    from: &str,
    until: &str,
) -> Value {
    let arguments = json!({
        "p_override": uuid::Uuid::new_v4(), "p_rotation": rotation, "p_contact": contact,
        "p_from": from, "p_until": until, "p_reason": null, "p_by": "test", "p_now": LONG_BEFORE,
    });
    world.call("ops_override_oncall", arguments).await
}

/// Somebody is away for a time.
pub(crate) async fn away(world: &World, contact: &str, from: &str, until: &str) -> Value {
    let arguments = json!({
        "p_absence": uuid::Uuid::new_v4(), "p_contact": contact, "p_from": from,
        "p_until": until, "p_reason": "holidays", "p_by": "test", "p_now": LONG_BEFORE,
    });
    world.call("ops_add_absence", arguments).await
}

/// Who has a rotation at a time, and why.
pub(crate) async fn on_call(world: &World, rotation: &str, at: &str) -> String {
    let words = world
        .value(&format!(
            "(select coalesce((select name from ops.contacts where id = duty.contact), 'nobody')
                  || coalesce(' by ' || duty.why, '')
              from ops.duty_at('{rotation}', '{at}') as duty)"
        ))
        .await;
    words.as_str().unwrap().to_owned()
}

/// The shifts of a rotation: from when, and who by what.
pub(crate) async fn shifts(world: &World, rotation: &str, from: &str, until: &str) -> Vec<String> {
    let rows = world
        .rows(&format!(
            "select concat_ws(
                 ' ', to_char(shift.starts_at at time zone 'UTC', 'MM-DD HH24:MI'),
                 coalesce(contact.name, 'nobody'), shift.why
             ) as line
             from ops.duty_shifts('{rotation}', '{from}', '{until}') as shift
             left join ops.contacts as contact on contact.id = shift.contact
             order by shift.starts_at"
        ))
        .await;
    let lines = rows.as_array().unwrap().iter();
    lines
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}
