//! Devices that push messages reach: added by whom they belong to, one message for each, and
//! left behind when they are gone.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    failing_channels::mind,
    people::contact,
    support::{World, array, at},
};

const CHANNELS: [&str; 3] = ["slack", "email", "push"];

fn subscription(name: &str) -> Value {
    json!({
        "endpoint": format!("https://web.push.apple.com/{name}"),
        "keys": {"p256dh": "A".repeat(87), "auth": "B".repeat(22)},
    })
}

fn device(name: &str, over: &Value) -> Value {
    let mut arguments = json!({
        "p_name": name, "p_subscription": subscription(name), "p_by": "test",
        "p_email": "anna@wine.example", "p_now": at("01:00:00"),
    });
    for (key, value) in over.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    arguments
}

async fn add(world: &World, name: &str) -> Value {
    world.call("ops_add_device", device(name, &json!({}))).await
}

/// Anna, who is asked first, with those devices, which were told that they were added.
async fn anna(world: &World, devices: &[&str]) -> String {
    let fields = json!({"email": "anna@wine.example"});
    let id = contact(world, "Anna", "on_call_primary", fields).await;
    for name in devices {
        add(world, name).await;
    }
    settle(world, "01:00:01", &|_| "sent").await;
    id
}

async fn raised(world: &World, now: &str, subject: &str, status: &str) -> String {
    let alert = json!({"status": status, "source": "test", "type": "t", "severity": "critical",
                       "title": "T", "subject": subject});
    let arguments = json!({"p_request": Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": CHANNELS, "p_now": at(now)});
    let result = world.call("ops_raise_alerts", arguments).await;
    let alert = &result["results"][0]["alert"];
    alert.as_str().unwrap_or_default().to_owned()
}

/// Where a claimed message goes: the end of its device's endpoint.
fn place(message: &Value) -> String {
    let address = &message["facts"]["recipients"]["people"][0]["addresses"]["push"];
    let address: Value = serde_json::from_str(address.as_str().unwrap()).unwrap();
    assert_eq!(address["keys"]["auth"], "B".repeat(22));
    let endpoint = address["endpoint"].as_str().unwrap();
    endpoint.rsplit('/').next().unwrap().to_owned()
}

/// Claims what is due by push and settles each as its device has it; returns kinds and places.
async fn settle(world: &World, now: &str, outcome: &dyn Fn(&str) -> &'static str) -> Vec<String> {
    let claim = json!({"p_claim": Uuid::new_v4(), "p_channels": ["push"], "p_limit": 99,
                       "p_lease_seconds": 60, "p_now": at(now)});
    let claimed = world.call("ops_claim_messages", claim.clone()).await;
    assert_eq!(claimed["digests"], json!([]), "{claimed}");
    let messages = array(&claimed["messages"]);
    let places: Vec<String> = messages.iter().map(place).collect();
    let results: Vec<Value> = messages
        .iter()
        .zip(&places)
        .map(|(message, place)| {
            json!({"id": message["id"], "outcome": outcome(place), "statusCode": 201, "error": null})
        })
        .collect();
    let settlement = json!({"p_claim": claim["p_claim"], "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", settlement).await;
    let mut lines: Vec<String> = messages
        .iter()
        .zip(&places)
        .map(|(message, place)| format!("{} {place}", message["kind"].as_str().unwrap()))
        .collect();
    lines.sort();
    lines
}

async fn listed(world: &World) -> Vec<String> {
    let contacts = world.call("ops_list_contacts", json!({})).await;
    let devices = array(&contacts["contacts"][0]["devices"]);
    let line = |device: &Value| {
        let proven = if device["provenAt"].is_null() {
            ""
        } else {
            " proven"
        };
        format!("{}{proven}", device["name"].as_str().unwrap())
    };
    devices.iter().map(line).collect()
}

#[tokio::test]
async fn whoever_has_the_address_adds_a_device_and_a_message_proves_it() {
    let world = World::migrated().await;
    let id = anna(&world, &[]).await;
    let added = add(&world, "phone").await;
    assert_eq!(
        (&added["contact"], &added["added"]),
        (&json!("Anna"), &json!(true))
    );
    assert_eq!(listed(&world).await, ["phone"]);
    assert_eq!(
        settle(&world, "01:00:01", &|_| "sent").await,
        ["notice phone"]
    );
    assert_eq!(listed(&world).await, ["phone proven"]);

    // A page says so again whenever it is opened.
    let again = add(&world, "phone").await;
    let read: ops::push_devices::Devices = serde_json::from_value(again.clone()).unwrap();
    assert_eq!(
        (read.added, read.devices[0].name.as_str()),
        (Some(false), "phone")
    );
    assert_eq!(again["added"], false);
    assert_eq!(settle(&world, "01:00:02", &|_| "sent").await, [""; 0]);
    assert_eq!(listed(&world).await, ["phone proven"]);

    let by_id = device(
        "laptop",
        &json!({"p_email": null, "p_contact": id, "p_now": at("01:00:03")}),
    );
    world.call("ops_add_device", by_id).await;
    assert_eq!(listed(&world).await, ["phone proven", "laptop"]);
    let upper =
        json!({"p_email": "ANNA@wine.example", "p_endpoint": "https://web.push.apple.com/phone"});
    let removed = world.call("ops_remove_device", upper).await;
    let removed: ops::push_devices::Devices = serde_json::from_value(removed).unwrap();
    assert_eq!((removed.removed, removed.devices.len()), (Some(1), 1));
    assert_eq!(listed(&world).await, ["laptop"]);
}

#[tokio::test]
async fn no_secret_of_a_device_lies_in_a_message_or_a_document() {
    let world = World::migrated().await;
    anna(&world, &["phone"]).await;
    raised(&world, "12:00:00", "x", "firing").await;
    let shown = world.call("ops_list_contacts", json!({})).await.to_string();
    let facts = world.rows("select facts from ops.outbox").await.to_string();
    let ladder = world
        .rows("select person from ops.escalations")
        .await
        .to_string();
    for text in [shown, facts, ladder] {
        for secret in ["web.push.apple.com", "BBBBBBBBBB", "AAAAAAAAAA"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn what_is_no_device_is_refused_without_repeating_it() {
    let world = World::migrated().await;
    anna(&world, &[]).await;
    let keys = |p256dh: &str, auth: &str| {
        json!({"p_subscription": {"endpoint": "https://web.push.apple.com/x",
                                  "keys": {"p256dh": p256dh, "auth": auth}}})
    };
    let long = format!("https://web.push.apple.com/{}", "x".repeat(2_000));
    for over in [
        json!({"p_name": ""}),
        json!({"p_name": "x\ny"}),
        json!({"p_name": "x".repeat(101)}),
        json!({"p_subscription": null}),
        json!({"p_subscription": []}),
        json!({"p_subscription": {"endpoint": "ftp://secret", "keys": {}}}),
        json!({"p_subscription": {"endpoint": long, "keys": {"p256dh": "A".repeat(87), "auth": "B".repeat(22)}}}),
        keys("secret", &"B".repeat(22)),
        keys(&"A".repeat(87), "secret"),
        json!({"p_email": "bo@wine.example"}),
        json!({"p_email": null}),
        json!({"p_contact": Uuid::new_v4()}),
    ] {
        let [state, message, _] = world
            .refusal("ops_add_device", device("phone", &over))
            .await;
        assert_eq!(state, "22023", "{over}: {message}");
        assert!(!message.contains("secret"), "{message}");
    }
    assert_eq!(listed(&world).await, [""; 0]);
}

#[tokio::test]
async fn each_device_gets_the_alert_and_its_end_once() {
    let world = World::migrated().await;
    anna(&world, &["phone", "laptop", "tablet"]).await;
    raised(&world, "12:00:00", "x", "firing").await;
    assert_eq!(
        settle(&world, "12:00:01", &|_| "sent").await,
        ["escalation laptop", "escalation phone", "escalation tablet"]
    );
    raised(&world, "12:10:00", "x", "resolved").await;
    assert_eq!(
        settle(&world, "12:10:01", &|_| "sent").await,
        ["resolved laptop", "resolved phone", "resolved tablet"]
    );
    assert_eq!(settle(&world, "13:00:00", &|_| "sent").await, [""; 0]);
}

#[tokio::test]
async fn a_device_that_takes_nothing_now_is_tried_again_and_the_others_are_not() {
    let world = World::migrated().await;
    anna(&world, &["phone", "laptop"]).await;
    raised(&world, "12:00:00", "x", "firing").await;
    let busy = |place: &str| if place == "phone" { "refused" } else { "sent" };
    settle(&world, "12:00:01", &busy).await;
    assert_eq!(
        settle(&world, "12:02:00", &|_| "sent").await,
        ["escalation phone"]
    );
}

/// The messages that people get besides pushes: channel, kind and title.
async fn others(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select concat_ws(' ', channel, kind, facts ->> 'title') as line from ops.outbox
             where channel <> 'push' and facts ->> 'title' <> 'T' order by 1",
        )
        .await;
    let line = |row: &Value| row["line"].as_str().unwrap().to_owned();
    array(&rows).iter().map(line).collect()
}

#[tokio::test]
async fn a_device_that_is_gone_is_told_and_left_behind_and_its_channel_is_fine() {
    let world = World::migrated().await;
    anna(&world, &["phone", "laptop"]).await;
    raised(&world, "12:00:00", "x", "firing").await;
    let gone = |place: &str| if place == "phone" { "gone" } else { "sent" };
    settle(&world, "12:00:01", &gone).await;
    assert_eq!(listed(&world).await, ["laptop proven"], "at once");

    mind(&world, "2026-11-24T12:01:00Z", &CHANNELS).await;
    mind(&world, "2026-11-24T12:02:00Z", &CHANNELS).await;
    assert_eq!(
        others(&world).await,
        [
            "email notice Push messages no longer reach Anna on phone",
            "slack notice Push messages no longer reach Anna on phone",
        ],
        "once each, and no copy of what the laptop got"
    );
    let failing =
        "(select count(*) from ops.failing_channels(ops.read_settings(), '2026-11-24T12:20:00Z'))";
    assert_eq!(world.value(failing).await, 0);
    raised(&world, "12:10:00", "x", "resolved").await;
    assert_eq!(
        settle(&world, "12:10:01", &|_| "sent").await,
        ["resolved laptop"]
    );
    assert_eq!(
        world.value("(select count(*) from ops.push_devices)").await,
        1
    );
}

#[tokio::test]
async fn what_the_only_device_did_not_take_goes_another_way() {
    let world = World::migrated().await;
    anna(&world, &["phone"]).await;
    // Nobody else would hear of it.
    world
        .execute("update ops.contacts set ways = '{\"critical\": {\"push\": 0}}'")
        .await;
    let alert = json!({"status": "firing", "source": "test", "type": "t", "severity": "critical",
                       "title": "T", "subject": "x"});
    let arguments = json!({"p_request": Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": ["push"], "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    settle(&world, "12:00:01", &|_| "gone").await;
    mind(&world, "2026-11-24T12:01:00Z", &["push", "discord"]).await;
    let copied =
        "(select count(*) from ops.outbox where channel = 'discord' and facts ? 'standsInFor')";
    assert_eq!(world.value(copied).await, 1);
    let device = "(select count(*) from ops.outbox where channel = 'discord' and facts ? 'device')";
    assert_eq!(world.value(device).await, 0);
}

#[tokio::test]
async fn alerts_that_come_at_once_are_a_group_on_each_device() {
    let world = World::migrated().await;
    anna(&world, &["phone", "laptop"]).await;
    let alerts: Vec<Value> = (0..12)
        .map(|nth| {
            json!({"status": "firing", "source": "test", "type": "t", "severity": "critical",
                   "title": "T", "subject": format!("s{nth}")})
        })
        .collect();
    let arguments = json!({"p_request": Uuid::new_v4(), "p_alerts": alerts,
                           "p_channels": CHANNELS, "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    let mut heard = std::collections::BTreeMap::<String, u64>::new();
    for now in ["12:00:01", "12:01:00", "12:02:00", "12:03:00"] {
        let claim = json!({"p_claim": Uuid::new_v4(), "p_channels": ["push"], "p_limit": 99,
                           "p_lease_seconds": 60, "p_now": at(now)});
        let claimed = world.call("ops_claim_messages", claim.clone()).await;
        let mut results = Vec::new();
        for message in array(&claimed["messages"]) {
            let others = message["facts"]["escalation"]["others"].as_u64();
            *heard.entry(place(message)).or_default() += 1 + others.unwrap_or(0);
            results.push(json!({"id": message["id"], "outcome": "sent"}));
        }
        for digest in array(&claimed["digests"]) {
            let items = array(&digest["items"]);
            let places: Vec<String> = items
                .iter()
                .map(|facts| place(&json!({ "facts": facts })))
                .collect();
            assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
            for facts in items {
                let others = facts["escalation"]["others"].as_u64();
                *heard.entry(places[0].clone()).or_default() += 1 + others.unwrap_or(0);
            }
            for id in array(&digest["ids"]) {
                results.push(json!({"id": id, "outcome": "sent"}));
            }
        }
        let settlement =
            json!({"p_claim": claim["p_claim"], "p_results": results, "p_now": at(now)});
        world.call("ops_settle_messages", settlement).await;
    }
    let all = [("laptop".to_owned(), 12), ("phone".to_owned(), 12)];
    assert_eq!(heard.into_iter().collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn a_file_of_contacts_neither_names_devices_nor_takes_any_away() {
    let world = World::migrated().await;
    anna(&world, &["phone"]).await;
    let named = json!([{"name": "Anna", "role": "on_call_primary", "email": "anna@wine.example"}]);
    let apply = |contacts: Value| json!({"p_contacts": contacts, "p_remove": true, "p_dry_run": false, "p_by": "test"});
    let applied = world.call("ops_apply_contacts", apply(named)).await;
    assert_eq!(applied["changes"], json!([]), "nothing changed");
    assert_eq!(listed(&world).await, ["phone proven"]);
    let with_ways = json!([{"name": "Anna", "role": "on_call_primary", "email": "anna@wine.example",
                            "ways": {"critical": {"push": 0, "email": 5}}}]);
    world.call("ops_apply_contacts", apply(with_ways)).await;
    world.call("ops_apply_contacts", apply(json!([]))).await;
    assert_eq!(
        world.value("(select count(*) from ops.push_devices)").await,
        0,
        "with the contact goes what it is reached by"
    );
}

#[tokio::test]
async fn the_monthly_test_proves_every_device_after_quiet_hours() {
    let world = World::migrated().await;
    let id = anna(&world, &["phone", "laptop"]).await;
    let quiet =
        json!({"quiet": {"days": [1, 2, 3, 4, 5, 6, 7], "from": "09:00", "until": "11:00"}});
    let save = json!({"p_contact": id, "p_fields": quiet, "p_by": "test"});
    world.call("ops_save_contact", save).await;
    mind(&world, "2026-11-25T12:00:00Z", &CHANNELS).await;
    mind(&world, "2026-12-01T10:00:00Z", &CHANNELS).await;
    let due = "(select jsonb_agg(distinct next_attempt_at) from ops.outbox
                where channel = 'push' and status = 'pending')";
    assert_eq!(world.value(due).await, json!(["2026-12-01T11:00:00+00:00"]));
    assert_eq!(
        settle(&world, "2026-12-01T11:00:01Z", &|_| "sent").await,
        ["notice laptop", "notice phone"]
    );
    let proven = "(select count(*) from ops.push_devices where proven_at = '2026-12-01T11:00:01Z')";
    assert_eq!(world.value(proven).await, 2);
}

#[tokio::test]
async fn of_a_thousand_devices_one_that_is_gone_takes_no_other_along() {
    let world = World::migrated().await;
    anna(&world, &["phone"]).await;
    world
        .execute(
            "insert into ops.contacts (id, name, role, updated_at, updated_by)
             select gen_random_uuid(), 'P' || nth, 'on_call_primary', '2026-11-24T01:00:00Z', 'test'
             from generate_series(1, 111) as nth;
             insert into ops.push_devices (contact, name, endpoint, public_key, auth_secret, added_at, added_by)
             select contact.id, contact.name || ' ' || nth, 'https://web.push.apple.com/' || contact.name || '-' || nth,
                 repeat('A', 87), repeat('B', 22), '2026-11-24T01:00:00Z', 'test'
             from ops.contacts as contact
             cross join generate_series(1, 9) as nth
             where contact.name <> 'Anna'",
        )
        .await;
    let request = json!({"p_request": Uuid::new_v4(), "p_channels": ["push"], "p_by": "test", "p_now": at("12:00:00")});
    world.call("ops_prove_delivery", request).await;
    let mut told = 0;
    loop {
        let gone = |place: &str| if place == "P50-5" { "gone" } else { "sent" };
        let settled = settle(&world, "12:00:01", &gone).await;
        if settled.is_empty() {
            break;
        }
        told += settled.len();
    }
    assert_eq!(told, 1_000);
    mind(&world, "2026-11-24T12:01:00Z", &CHANNELS).await;
    assert_eq!(
        world.value("(select count(*) from ops.push_devices)").await,
        999
    );
    assert_eq!(
        others(&world).await,
        ["slack notice Push messages no longer reach P50 on P50 5"]
    );
}

#[tokio::test]
async fn what_was_given_up_elsewhere_is_sent_to_every_device() {
    let world = World::migrated().await;
    anna(&world, &["phone", "laptop"]).await;
    raised(&world, "02:00:00", "x", "firing").await;
    // As if the ladder had asked her by email alone, and that had been given up.
    world
        .execute("delete from ops.outbox where kind = 'escalation' and facts ->> 'device' <> (select min(facts ->> 'device') from ops.outbox where kind = 'escalation')")
        .await;
    world
        .execute("update ops.outbox set channel = 'email', status = 'dead', facts = facts - 'device' where kind = 'escalation'")
        .await;
    let message = world
        .value("(select id from ops.outbox where kind = 'escalation')")
        .await;
    let again = json!({"p_request": Uuid::new_v4(), "p_message": message, "p_actor": "Anna",
                        "p_channel": "push", "p_now": at("02:01:00")});
    let resent = world.call("ops_resend_message", again).await;
    assert_eq!(resent["outcome"], "queued");
    assert_eq!(array(&resent["messages"]).len(), 2, "{resent}");
    assert_eq!(resent["message"], resent["messages"][0]);
    assert_eq!(
        settle(&world, "02:01:01", &|_| "sent").await,
        ["escalation laptop", "escalation phone"]
    );
}
