//! Many alerts at once: each person is called once a level, not once an alert.

use serde_json::{Value, json};

use crate::{
    people::{act, advance, everybody, messages},
    support::{World, array, minutes, page},
};

/// Fifty pages that go down at once, with everybody to be asked.
async fn storm(world: &World) {
    everybody(world).await;
    let checks: Vec<Value> = (0..50)
        .map(|n| page(&format!("https://app.example/{n}"), "down", None))
        .collect();
    for now in minutes("12:00:00", 3) {
        world.tick(&now, &checks).await;
    }
    // As many claims as it takes.
    while world.deliver("12:02:05").await > 0 {}
}

#[tokio::test]
async fn a_storm_calls_each_person_once_a_level() {
    let world = World::migrated().await;
    storm(&world).await;
    let calls =
        "select channel, count(*) from ops.outbox where kind = 'escalation' group by channel";
    assert_eq!(
        world.rows(calls).await,
        json!([]),
        "the first messages call"
    );
    assert_eq!(advance(&world, "12:17:00").await, 50);
    let mut lines = messages(&world).await;
    lines.retain(|line| line.starts_with("escalation"));
    assert_eq!(
        lines,
        [
            "escalation email pending on_call_secondary",
            "escalation slack pending on_call_secondary",
        ]
    );
    let others = "select distinct facts #> '{escalation,others}' as others
                  from ops.outbox where kind = 'escalation'";
    assert_eq!(world.rows(others).await, json!([{"others": 49}]));
}

#[tokio::test]
async fn a_call_for_many_stands_though_its_own_alert_is_over_or_answered() {
    let world = World::migrated().await;
    storm(&world).await;
    advance(&world, "12:17:00").await;
    let caller = world
        .value("(select alert from ops.outbox where kind = 'escalation' limit 1)")
        .await;
    act(&world, caller.as_str().unwrap(), "resolve", "12:17:10").await;
    let mut claimed: Vec<String> = array(&world.claim_messages("12:17:20").await["messages"])
        .iter()
        .map(|message| {
            let named = |key: &str| message[key].as_str().unwrap();
            format!("{} {}", named("kind"), named("channel"))
        })
        .collect();
    claimed.sort();
    assert_eq!(
        claimed,
        [
            "escalation email",
            "escalation slack",
            "resolved email",
            "resolved slack",
        ],
        "and the end of the first messages is told as ever"
    );
}
