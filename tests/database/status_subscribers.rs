//! Subscribers of the status page: nobody hears without having confirmed it, nobody is told
//! twice, and whoever asks learns nothing of who is known.

use serde_json::{Value, json};

use crate::{
    status::{go_down, say, write},
    support::{World, app, array, at},
};

const HASH: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

fn hash(number: u32) -> String {
    format!("{number:064x}")
}

async fn subscribe(world: &World, now: &str, address: &str, client: &str) -> (Value, String) {
    subscribe_to(world, now, address, client, &[]).await
}

/// What is answered, and the id of the request.
async fn subscribe_to(
    world: &World,
    now: &str,
    address: &str,
    client: &str,
    components: &[&str],
) -> (Value, String) {
    let id = uuid::Uuid::new_v4().to_string();
    let confirm = format!("{:0>64}", id.replace('-', ""));
    let arguments = json!({
        "p_id": id, "p_kind": "email", "p_address_hash": address, "p_address": format!("sealed {address}"),
        "p_components": components, "p_confirm_hash": confirm, "p_client": client,
        "p_environment": "production", "p_now": at(now),
    });
    (world.call("ops_subscribe", arguments).await, confirm)
}

async fn confirm(world: &World, now: &str, token: &str) -> Value {
    let arguments = json!({"p_hash": token, "p_now": at(now)});
    world.call("ops_confirm_subscription", arguments).await["subscriber"].clone()
}

/// Leases what is due.
async fn claim(world: &World, now: &str) -> (String, Vec<Value>) {
    let claim = uuid::Uuid::new_v4().to_string();
    let arguments = json!({
        "p_claim": claim, "p_limit": 200, "p_lease_seconds": 60, "p_environment": "production",
        "p_queue": true, "p_now": at(now),
    });
    let claimed = world.call("ops_claim_subscriber_messages", arguments).await;
    (claim, array(&claimed["messages"]).clone())
}

async fn settle(world: &World, now: &str, claim: &str, results: Value) {
    let arguments = json!({"p_claim": claim, "p_results": results, "p_now": at(now)});
    world
        .call("ops_settle_subscriber_messages", arguments)
        .await;
}

/// Sends everything that is due; returns its facts.
async fn send(world: &World, now: &str) -> Vec<Value> {
    let (lease, messages) = claim(world, now).await;
    let results: Vec<_> = messages
        .iter()
        .map(|message| json!({"id": message["id"], "outcome": "sent"}))
        .collect();
    settle(world, now, &lease, json!(results)).await;
    messages
        .into_iter()
        .map(|message| message["facts"].clone())
        .collect()
}

fn kinds(facts: &[Value]) -> Vec<&str> {
    facts
        .iter()
        .map(|facts| facts["kind"].as_str().unwrap())
        .collect()
}

/// A subscriber of everything since 09:00.
async fn subscribed(world: &World, address: &str) -> Value {
    let (_, token) = subscribe(world, "08:59:00", address, address).await;
    assert_eq!(kinds(&send(world, "08:59:30").await), ["confirm"]);
    confirm(world, "09:00:00", &token).await
}

#[tokio::test]
async fn a_subscription_begins_with_a_confirmation_that_acts_once() {
    let world = World::migrated().await;
    let (answer, token) = subscribe(&world, "08:00:00", HASH, "client").await;
    assert_eq!(answer, json!({"outcome": "taken"}));
    world.tick("08:00:00", &[app("up")]).await;
    assert_eq!(kinds(&send(&world, "08:00:30").await), ["confirm"]);
    say(&world, "08:00:40", "degraded", None).await.unwrap();
    assert!(
        send(&world, "08:01:00").await.is_empty(),
        "it is not confirmed"
    );
    assert_eq!(
        confirm(&world, "08:02:00", HASH).await,
        Value::Null,
        "no token"
    );
    let id = confirm(&world, "08:02:00", &token).await;
    assert!(id.is_string());
    assert_eq!(
        confirm(&world, "08:02:10", &token).await,
        Value::Null,
        "used"
    );
    assert!(
        send(&world, "08:03:00").await.is_empty(),
        "what was before it asked is no news"
    );
    say(&world, "08:03:10", "major_outage", None).await.unwrap();
    let facts = send(&world, "08:04:00").await;
    assert_eq!(kinds(&facts), ["states"]);
    assert_eq!(facts[0]["changes"][0]["to"], "major_outage");

    let (_, late) = subscribe(&world, "08:00:00", &hash(7), "client").await;
    assert_eq!(
        confirm(&world, "2026-11-26T08:00:01Z", &late).await,
        Value::Null,
        "late"
    );
}

#[tokio::test]
async fn the_answer_is_the_same_for_known_and_unknown_and_an_address_is_asked_once_a_day() {
    let world = World::migrated().await;
    subscribed(&world, HASH).await;
    let (known, _) = subscribe(&world, "2026-11-25T09:00:00Z", HASH, "c").await;
    let (unknown, _) = subscribe(&world, "2026-11-25T09:00:00Z", &hash(1), "c").await;
    assert_eq!(known, unknown);
    let facts = send(&world, "2026-11-25T09:01:00Z").await;
    let mut kinds = kinds(&facts);
    kinds.sort_unstable();
    assert_eq!(kinds, ["confirm", "known"]);
    for _ in 0..3 {
        subscribe(&world, "2026-11-25T10:00:00Z", &hash(1), "c").await;
        subscribe(&world, "2026-11-25T10:00:00Z", HASH, "c").await;
    }
    assert!(send(&world, "2026-11-25T10:01:00Z").await.is_empty());
}

#[tokio::test]
async fn a_client_may_ask_ten_times_an_hour_and_all_together_three_hundred_times() {
    let world = World::migrated().await;
    for number in 0..10 {
        let (answer, _) = subscribe(&world, "10:00:00", &hash(number), "one").await;
        assert_eq!(answer["outcome"], "taken", "{number}");
    }
    let (answer, _) = subscribe(&world, "10:30:00", &hash(99), "one").await;
    assert_eq!(answer["outcome"], "limited");
    let (answer, _) = subscribe(&world, "11:00:00", &hash(99), "one").await;
    assert_eq!(answer["outcome"], "taken", "the next hour");
    world
        .execute("update ops.subscription_requests set requests = 300 where client = 'all'")
        .await;
    let (answer, _) = subscribe(&world, "11:01:00", &hash(100), "another").await;
    assert_eq!(answer["outcome"], "limited");
    let asked = world.value("(select count(*) from ops.subscribers)").await;
    assert_eq!(asked, 11);
}

#[tokio::test]
async fn an_end_erases_the_address_and_leaves_a_hash() {
    let world = World::migrated().await;
    let id = subscribed(&world, HASH).await;
    world.tick("09:00:00", &[app("up")]).await;
    claim(&world, "09:00:30").await;
    say(&world, "09:00:40", "degraded", None).await.unwrap();
    claim(&world, "09:01:00").await;
    for _ in 0..2 {
        world
            .call(
                "ops_end_subscription",
                json!({"p_id": id, "p_now": at("09:02:00")}),
            )
            .await;
    }
    let row = world
        .rows("select address, address_hash, components, ended_because from ops.subscribers")
        .await;
    assert_eq!(
        row,
        json!([{"address": null, "address_hash": HASH, "components": [], "ended_because": "unsubscribed"}])
    );
    assert_eq!(
        world
            .value("(select count(*) from ops.subscriber_messages)")
            .await,
        0
    );
    // The hash is enough to ask it no more than once a day.
    subscribe(&world, "09:03:00", HASH, "c").await;
    assert!(send(&world, "09:04:00").await.is_empty());
    subscribe(&world, "2026-11-25T09:03:00Z", HASH, "c").await;
    assert_eq!(
        kinds(&send(&world, "2026-11-25T09:04:00Z").await),
        ["confirm"]
    );
}

#[tokio::test]
async fn news_reach_whom_they_concern_and_nobody_twice() {
    let world = World::migrated().await;
    subscribed(&world, HASH).await;
    world
        .tick(
            "09:00:00",
            &[app("up"), crate::support::dependency("database", "up")],
        )
        .await;
    let (_, token) = subscribe_to(&world, "09:00:00", &hash(2), "b", &["sign-in", "nothing"]).await;
    send(&world, "09:00:10").await;
    confirm(&world, "09:00:20", &token).await;
    go_down(&world).await;
    let facts = send(&world, "10:02:30").await;
    assert_eq!(
        kinds(&facts),
        ["states"],
        "whoever asked for something else hears nothing"
    );
    assert_eq!(
        facts[0]["changes"],
        json!([{"id": "app", "name": "The app", "from": "operational", "to": "major_outage"}])
    );
    write(&world, "10:03:00", "We found it.", "identified").await;
    let facts = send(&world, "10:03:30").await;
    assert_eq!(kinds(&facts), ["words"]);
    assert_eq!(
        (
            &facts[0]["words"],
            &facts[0]["components"],
            &facts[0]["status"]
        ),
        (
            &json!("We found it."),
            &json!(["The app"]),
            &json!("identified")
        )
    );
    assert!(send(&world, "10:04:30").await.is_empty());
}

#[tokio::test]
async fn an_address_that_refuses_three_messages_hears_no_more_and_stops_nobody() {
    let world = World::migrated().await;
    world.tick("08:59:00", &[app("up")]).await;
    let mut tokens = Vec::new();
    for number in 0..50 {
        tokens.push(
            subscribe(&world, "08:59:00", &hash(number), &hash(number))
                .await
                .1,
        );
    }
    send(&world, "08:59:30").await;
    for token in tokens {
        confirm(&world, "09:00:00", &token).await;
    }
    for (minute, state) in ["degraded", "partial_outage", "major_outage"]
        .iter()
        .enumerate()
    {
        say(&world, &format!("09:{minute:02}:10"), state, Some("x"))
            .await
            .unwrap();
        let now = format!("09:{minute:02}:30");
        let (lease, messages) = claim(&world, &now).await;
        assert_eq!(messages.len(), 50);
        let results: Vec<_> = messages
            .iter()
            .map(|message| {
                let outcome = if message["addressHash"] == hash(7) {
                    "dead"
                } else {
                    "sent"
                };
                json!({"id": message["id"], "outcome": outcome})
            })
            .collect();
        settle(&world, &now, &lease, json!(results)).await;
    }
    let ended = world.rows("select address_hash, address, ended_because from ops.subscribers where ended_at is not null").await;
    assert_eq!(
        ended,
        json!([{"address_hash": hash(7), "address": null, "ended_because": "refused"}])
    );
    // It is never written to again, whoever asks.
    subscribe(&world, "2026-11-26T09:00:00Z", &hash(7), "c").await;
    assert!(send(&world, "2026-11-26T09:01:00Z").await.is_empty());
}

#[tokio::test]
async fn what_was_not_settled_is_due_again_when_its_lease_ends_and_is_given_up_after_eight() {
    let world = World::migrated().await;
    subscribe(&world, "08:00:00", HASH, "c").await;
    let (_, first) = claim(&world, "08:00:10").await;
    assert_eq!(first.len(), 1);
    assert_eq!(claim(&world, "08:00:30").await.1.len(), 0, "it is leased");
    let mut now: jiff::Timestamp = at("08:01:10").parse().unwrap();
    let mut tries = 1;
    loop {
        let (lease, messages) = claim(&world, &now.to_string()).await;
        if messages.is_empty() {
            break;
        }
        tries += 1;
        let retry = json!([{"id": messages[0]["id"], "outcome": "retry"}]);
        settle(&world, &now.to_string(), &lease, retry).await;
        now += jiff::SignedDuration::from_hours(1);
    }
    assert_eq!(tries, 8);
    let status = world
        .value("(select status from ops.subscriber_messages)")
        .await;
    assert_eq!(status, "dead");
}

/// A device asks; returns the whole answer.
async fn subscribe_device(world: &World, now: &str, device: &str, components: &[&str]) -> Value {
    let arguments = json!({
        "p_id": uuid::Uuid::new_v4(), "p_address_hash": device, "p_address": format!("sealed {now}"),
        "p_components": components, "p_client": "client", "p_environment": "production", "p_now": at(now),
    });
    world.call("ops_subscribe_device", arguments).await
}

#[tokio::test]
async fn a_device_hears_at_once_is_changed_by_asking_again_and_ends() {
    let world = World::migrated().await;
    world.tick("08:58:00", &[app("up")]).await;
    let first = subscribe_device(&world, "08:59:00", HASH, &[]).await;
    assert_eq!(first["outcome"], "taken");
    assert_eq!(kinds(&send(&world, "08:59:30").await), ["welcome"]);
    let again = subscribe_device(&world, "09:00:00", HASH, &["app", "nothing"]).await;
    assert_eq!(again["subscriber"], first["subscriber"]);
    assert!(
        send(&world, "09:00:30").await.is_empty(),
        "one welcome is enough"
    );
    let kept = "select kind, components, address, confirm_hash from ops.subscribers";
    assert_eq!(
        world.rows(kept).await,
        json!([{"kind": "push", "components": ["app"], "address": "sealed 09:00:00", "confirm_hash": null}])
    );
    say(&world, "09:01:00", "degraded", None).await.unwrap();
    assert_eq!(kinds(&send(&world, "09:01:30").await), ["states"]);

    let end = json!({"p_address_hash": HASH, "p_now": at("09:02:00")});
    for _ in 0..2 {
        world.call("ops_end_device_subscription", end.clone()).await;
    }
    let kept = "select address, ended_because from ops.subscribers";
    assert_eq!(
        world.rows(kept).await,
        json!([{"address": null, "ended_because": "unsubscribed"}])
    );
    let back = subscribe_device(&world, "09:03:00", HASH, &[]).await;
    assert_eq!(back["subscriber"], first["subscriber"]);
    assert_eq!(kinds(&send(&world, "09:03:30").await), ["welcome"]);
}

#[tokio::test]
async fn a_device_that_is_gone_is_forgotten_at_once_and_may_come_back() {
    let world = World::migrated().await;
    let first = subscribe_device(&world, "08:59:00", HASH, &[]).await;
    let (lease, messages) = claim(&world, "08:59:30").await;
    let gone = json!([{"id": messages[0]["id"], "outcome": "gone"}]);
    settle(&world, "08:59:40", &lease, gone).await;
    let kept = "select address, ended_because from ops.subscribers";
    assert_eq!(
        world.rows(kept).await,
        json!([{"address": null, "ended_because": "refused"}])
    );
    let back = subscribe_device(&world, "09:00:00", HASH, &[]).await;
    assert_eq!(back, first, "its browser asked whoever sits there anew");
}

#[tokio::test]
async fn devices_and_addresses_are_counted_together_and_claimed_apart() {
    let world = World::migrated().await;
    for number in 0..5 {
        subscribe_device(&world, "10:00:00", &hash(number), &[]).await;
        subscribe(&world, "10:00:00", &hash(number), "client").await;
    }
    let limited = subscribe_device(&world, "10:00:30", &hash(9), &[]).await;
    assert_eq!(limited, json!({"outcome": "limited"}));
    for kind in ["email", "push"] {
        let arguments = json!({
            "p_claim": uuid::Uuid::new_v4(), "p_limit": 200, "p_lease_seconds": 60, "p_environment": "production",
            "p_queue": false, "p_now": at("10:01:00"), "p_kind": kind,
        });
        let claimed = world.call("ops_claim_subscriber_messages", arguments).await;
        let messages = array(&claimed["messages"]);
        assert_eq!(messages.len(), 5, "{kind}");
        assert!(messages.iter().all(|message| message["kind"] == kind));
    }
}
