//! Proof of delivery: a test a month on every channel.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    failing_channels::{mind, settle},
    people::contact,
    support::{World, array, at, verdict},
};

const BOTH: [&str; 2] = ["slack", "email"];

/// The tests so far, as `channel status`.
async fn tests(world: &World) -> Vec<String> {
    let rows = world
        .rows(
            "select concat_ws(' ', proof.channel, message.status) as line
             from ops.channel_proofs as proof
             join ops.outbox as message on message.id = proof.message
             order by proof.queued_at, proof.channel",
        )
        .await;
    array(&rows)
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_test_is_due_on_the_first_weekday_of_a_month() {
    let world = World::migrated().await;
    for (month, due) in [
        ("2026-08-01", "2026-08-03T10:00:00+00:00"),
        ("2026-11-01", "2026-11-02T10:00:00+00:00"),
        ("2026-12-01", "2026-12-01T10:00:00+00:00"),
        ("2027-01-01", "2027-01-01T10:00:00+00:00"),
    ] {
        let found = world
            .value(&format!("ops.proof_due_at('{month}', 10)"))
            .await;
        assert_eq!(found, due, "{month}");
    }
    for (now, month) in [
        ("2026-11-02T09:59:59Z", "2026-10-01"),
        ("2026-11-02T10:00:00Z", "2026-11-01"),
        ("2027-01-01T09:59:59Z", "2026-12-01"),
        ("2027-01-31T23:00:00-05:00", "2027-01-01"),
    ] {
        let found = world.value(&format!("ops.proof_month('{now}', 10)")).await;
        assert_eq!(found, month, "{now}");
    }
}

#[tokio::test]
async fn every_channel_is_tested_once_a_month_however_often_it_is_called() {
    let world = World::migrated().await;
    mind(&world, "2026-10-20T12:00:00Z", &BOTH).await;
    mind(&world, "2026-11-02T09:59:59Z", &BOTH).await;
    assert_eq!(tests(&world).await, [""; 0], "not before it is due");
    for now in [
        "2026-11-02T10:00:00Z",
        "2026-11-02T10:00:00Z",
        "2026-11-20T00:00:00Z",
    ] {
        mind(&world, now, &BOTH).await;
        assert_eq!(
            tests(&world).await,
            ["email pending", "slack pending"],
            "{now}"
        );
    }
    // The calls of weeks were missed.
    mind(&world, "2026-12-20T00:00:00Z", &BOTH).await;
    assert_eq!(tests(&world).await.len(), 4);
}

#[tokio::test]
async fn a_channel_that_is_new_waits_for_the_next_month() {
    let world = World::migrated().await;
    mind(&world, "2026-11-24T12:00:00Z", &["slack"]).await;
    assert_eq!(tests(&world).await, [""; 0]);
    mind(&world, "2026-12-01T11:00:00Z", &BOTH).await;
    assert_eq!(tests(&world).await, ["slack pending"]);
}

#[tokio::test]
async fn a_test_says_that_it_is_one_and_whom_an_alert_would_ask() {
    let world = World::migrated().await;
    contact(&world, "Bo", "on_call_secondary", json!({"slack": "U0B"})).await;
    contact(&world, "Anna", "on_call_primary", json!({"slack": "U0A"})).await;
    mind(&world, "2026-11-24T12:00:00Z", &["slack"]).await;
    mind(&world, "2026-12-01T10:00:00Z", &["slack"]).await;
    let facts = world.value("(select facts from ops.outbox)").await;
    assert_eq!(facts["title"], "Monthly test of alerts by slack");
    assert_eq!(
        facts["message"],
        "Nothing is wrong and nothing has to be done. Once a month this goes the whole way of an alert. \
         A critical alert would ask Anna first."
    );
}

#[tokio::test]
async fn whoever_asks_has_a_test_now_and_once_per_request() {
    let world = World::migrated().await;
    let request = json!({"p_request": Uuid::new_v4(), "p_channels": BOTH, "p_by": "Anna", "p_now": at("12:00:00")});
    let first = world.call("ops_prove_delivery", request.clone()).await;
    assert_eq!(array(&first["queued"]).len(), 2);
    assert_eq!(world.call("ops_prove_delivery", request).await, first);
    assert_eq!(tests(&world).await, ["email pending", "slack pending"]);

    settle(&world, "12:00:05", "slack", "sent").await;
    settle(&world, "12:00:05", "email", "dead").await;
    let listed = world
        .call("ops_list_channels", json!({"p_now": at("12:01:00")}))
        .await;
    let line = |channel: &Value| [channel["provenAt"].clone(), channel["error"].clone()];
    let [email, slack] = array(&listed["channels"]).as_slice() else {
        panic!("{listed}");
    };
    assert_eq!(line(email), [Value::Null, json!("refused")]);
    assert_eq!(
        line(slack),
        [json!("2026-11-24T12:00:05+00:00"), Value::Null]
    );
    assert_eq!(listed["maximumDays"], 35);

    // A test is about its own channel, so nothing stands in for it.
    mind(&world, "12:06:00", &BOTH).await;
    assert_eq!(tests(&world).await.len(), 2);
    assert_eq!(
        world.value("(select count(*) from ops.outbox)").await,
        2,
        "no copy"
    );
}

#[tokio::test]
async fn a_test_of_nothing_or_by_nobody_is_refused() {
    let world = World::migrated().await;
    for (channels, by) in [
        (json!([]), "Anna"),
        (json!(["pigeon"]), "Anna"),
        (json!(BOTH), " "),
    ] {
        let request = json!({"p_request": Uuid::new_v4(), "p_channels": channels, "p_by": by});
        assert_eq!(
            world.refusal("ops_prove_delivery", request).await[0],
            "22023"
        );
    }
}

/// What a tick at that time says of Slack's proof.
async fn judged(world: &World, now: &str) -> Value {
    let tick = world.tick(now, &[]).await;
    verdict(&tick, "delivery_unproven", "slack")["verdict"].clone()
}

#[tokio::test]
async fn a_test_that_is_not_sent_within_a_day_is_an_alert() {
    let world = World::migrated().await;
    assert_eq!(judged(&world, "2026-10-20T12:00:00Z").await, "insufficient");
    assert_eq!(judged(&world, "2026-11-02T10:00:00Z").await, "good");
    assert_eq!(judged(&world, "2026-11-03T09:59:00Z").await, "good");
    assert_eq!(judged(&world, "2026-11-03T10:00:00Z").await, "bad");
    world.deliver("2026-11-03T10:00:30Z").await;
    assert_eq!(judged(&world, "2026-11-03T10:01:00Z").await, "good");
}

#[tokio::test]
async fn a_channel_that_took_nothing_for_too_long_is_unproven() {
    let world = World::migrated().await;
    let arguments = json!({"p_key": "proof.maximum_days", "p_value": 10, "p_by": "test"});
    world.call("ops_set_setting", arguments).await;
    mind(&world, "2026-11-03T12:00:00Z", &BOTH).await;
    assert_eq!(judged(&world, "2026-11-13T12:00:00Z").await, "good");
    let tick = world.tick("2026-11-13T12:01:00Z", &[]).await;
    let slack = verdict(&tick, "delivery_unproven", "slack");
    assert_eq!(
        (&slack["verdict"], &slack["value"]),
        (&json!("bad"), &json!(10.0))
    );
    // A message about anything proves it as well.
    world.deliver("2026-11-13T12:01:30Z").await;
    assert_eq!(judged(&world, "2026-11-13T12:02:00Z").await, "good");
}

#[tokio::test]
async fn a_phone_is_tested_by_each_whom_it_may_wake_and_not_at_all_where_there_is_nobody() {
    let world = World::migrated().await;
    let channels = ["slack", "sms", "voice"];
    for (name, addresses) in [
        ("Anna", json!({"sms": "+4915112345678"})),
        ("Bo", json!({"sms": "+4915187654321"})),
    ] {
        let fields = json!({"name": name, "role": "on_call_primary", "addresses": addresses});
        let contact = json!({"p_contact": Uuid::new_v4(), "p_fields": fields, "p_by": "test"});
        world.call("ops_save_contact", contact).await;
    }
    mind(&world, "2026-10-20T12:00:00Z", &channels).await;
    mind(&world, "2026-11-02T10:00:00Z", &channels).await;
    let asked = "(select jsonb_agg(channel || coalesce(' ' || (facts #>> '{recipients,people,0,name}'), '') order by 1)
                  from ops.outbox)";
    assert_eq!(
        world.value(asked).await,
        json!(["slack", "sms Anna", "sms Bo"])
    );
    for channel in channels {
        settle(&world, "2026-11-02T10:00:05Z", channel, "sent").await;
    }
    let proven =
        "(select jsonb_agg(name order by name) from ops.contacts where addresses_proven ? 'sms')";
    assert_eq!(world.value(proven).await, json!(["Anna", "Bo"]));
    // Nobody has a number that is called.
    let tick = world
        .tick_with("2026-12-20T12:00:05Z", &[], json!({"channels": channels}))
        .await;
    let voice = verdict(&tick, "delivery_unproven", "voice");
    assert_eq!(voice["verdict"], "good", "{tick}");
}
