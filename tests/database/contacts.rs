//! Contacts: validated, proven by what was sent, removed without a trace in
//! ladders to come.

use serde_json::{Value, json};

use crate::{
    people::{action, advance, contact, raise},
    support::{World, array, at},
};

fn save(id: &str, fields: &Value) -> Value {
    json!({"p_contact": id, "p_fields": fields, "p_by": "test", "p_now": at("01:00:00")})
}

async fn first(world: &World) -> Value {
    world.call("ops_list_contacts", json!({})).await["contacts"][0].clone()
}

#[tokio::test]
async fn a_contact_is_changed_field_by_field() {
    let world = World::migrated().await;
    let hours = json!({"days": [1, 2], "from": "09:00", "until": "17:30"});
    let fields = json!({"email": "a@wine.example", "slack": "U0ABC", "hours": hours});
    let id = contact(&world, "Anna", "on_call_primary", fields).await;
    let listed = first(&world).await;
    assert_eq!(
        (&listed["hours"], &listed["level"], &listed["zone"]),
        (&hours, &json!(1), &json!("UTC"))
    );
    let changed = world
        .call(
            "ops_save_contact",
            save(&id, &json!({"role": "cto", "hours": null, "slack": null})),
        )
        .await;
    assert_eq!(
        (
            &changed["name"],
            &changed["role"],
            &changed["email"],
            &changed["slack"],
            &changed["hours"]
        ),
        (
            &json!("Anna"),
            &json!("cto"),
            &json!("a@wine.example"),
            &Value::Null,
            &Value::Null
        ),
    );
}

#[tokio::test]
async fn what_is_not_valid_is_refused_with_what_it_should_be() {
    let world = World::migrated().await;
    contact(
        &world,
        "Anna",
        "on_call_primary",
        json!({"email": "a@wine.example"}),
    )
    .await;
    let id = uuid::Uuid::new_v4().to_string();
    let good = json!({"name": "Bo", "role": "cto", "email": "b@wine.example"});
    for (over, expected) in [
        (
            json!({"name": ""}),
            "name must be a text of 1 to 100 characters",
        ),
        (
            json!({"name": "anna"}),
            "name must be one that no other contact has, got anna",
        ),
        (
            json!({"role": "boss"}),
            "role must be on_call_primary, on_call_secondary",
        ),
        (json!({"email": null}), "email must be given, or else slack"),
        (
            json!({"email": "Bo <b@wine.example>"}),
            "an email address without a name",
        ),
        (
            json!({"email": "b@wine.example, c@wine.example"}),
            "an email address without a name",
        ),
        (json!({"slack": "@bo"}), "a Slack id that begins with"),
        (
            json!({"slack": "<!channel>"}),
            "a Slack id that begins with",
        ),
        (json!({"zone": "Middle-earth"}), "the IANA name"),
        (json!({"zone": "XYZ+3"}), "the IANA name"),
        (
            json!({"hours": {"days": [8], "from": "09:00", "until": "10:00"}}),
            "days from 1 to 7",
        ),
        (
            json!({"hours": {"days": [1], "from": "09:00", "until": "09:00"}}),
            "days from 1 to 7",
        ),
        (
            json!({"hours": {"days": [1], "from": "09:00"}}),
            "days from 1 to 7",
        ),
        (json!({"phone": "1"}), "fields among name, role"),
    ] {
        let mut fields = good.clone();
        fields
            .as_object_mut()
            .unwrap()
            .extend(over.as_object().unwrap().clone());
        let [code, message, _] = world.refusal("ops_save_contact", save(&id, &fields)).await;
        assert_eq!(code, "22023", "{over}");
        assert!(message.contains(expected), "{over}: {message}");
    }
}

#[tokio::test]
async fn a_channel_is_proven_by_what_was_sent_and_unproven_by_another_address() {
    let world = World::migrated().await;
    let fields = json!({"email": "a@wine.example", "slack": "U0ABC"});
    let id = contact(&world, "Anna", "on_call_primary", fields).await;
    let test = json!({"p_contact": id, "p_by": "Bo", "p_now": at("12:00:00")});
    let queued = world.call("ops_test_contact", test).await;
    assert_eq!(queued["queued"], json!(["email", "slack"]));
    assert_eq!(
        first(&world).await["emailProvenAt"],
        Value::Null,
        "queued is not sent"
    );
    assert_eq!(world.deliver("12:00:30").await, 2);
    let proven = first(&world).await;
    for channel in ["emailProvenAt", "slackProvenAt"] {
        assert_eq!(proven[channel], "2026-11-24T12:00:30+00:00", "{channel}");
    }
    let moved = save(&id, &json!({"email": "anna@wine.example"}));
    let moved = world.call("ops_save_contact", moved).await;
    assert_eq!(moved["emailProvenAt"], Value::Null);
    assert_eq!(moved["slackProvenAt"], "2026-11-24T12:00:30+00:00");
}

#[tokio::test]
async fn a_message_to_the_former_address_proves_nothing() {
    let world = World::migrated().await;
    let fields = json!({"email": "a@wine.example"});
    let id = contact(&world, "Anna", "on_call_primary", fields).await;
    let test = json!({"p_contact": id, "p_by": "Bo", "p_now": at("12:00:00")});
    world.call("ops_test_contact", test).await;
    world
        .call(
            "ops_save_contact",
            save(&id, &json!({"email": "anna@wine.example"})),
        )
        .await;
    world.deliver("12:00:30").await;
    assert_eq!(first(&world).await["emailProvenAt"], Value::Null);
}

#[tokio::test]
async fn who_was_removed_is_asked_no_more_and_who_was_asked_stays_in_the_story() {
    let world = World::migrated().await;
    let anna = json!({"email": "a@wine.example"});
    let anna = contact(&world, "Anna", "on_call_primary", anna).await;
    let bo = contact(
        &world,
        "Bo",
        "on_call_secondary",
        json!({"email": "b@wine.example"}),
    )
    .await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    for id in [anna, bo] {
        let removed = world
            .call("ops_remove_contact", json!({"p_contact": id}))
            .await;
        assert_eq!(removed["removed"], 1);
    }
    assert_eq!(advance(&world, "12:15:00").await, 0);
    let arguments = action(&alert, "acknowledge", "12:16:00", &json!({}));
    let document = world.call("ops_act_on_alert", arguments).await["alert"].clone();
    let names: Vec<&Value> = array(&document["ladder"])
        .iter()
        .filter(|step| step["status"] == "told")
        .map(|step| &step["name"])
        .collect();
    assert_eq!(names, ["Anna"]);
}
