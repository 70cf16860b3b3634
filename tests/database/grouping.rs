//! Many alerts at once: which messages go alone, and which go together.

use serde_json::{Value, json};

use crate::{
    people::{advance, contact, raise, resolve},
    support::{World, array, at},
};

/// A claim on one channel, or both.
async fn claim(world: &World, now: &str, channels: &[&str]) -> Value {
    let arguments = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": channels, "p_limit": 20,
                           "p_lease_seconds": 60, "p_now": at(now)});
    world.call("ops_claim_messages", arguments).await
}

/// What a claim sends, in order: `firing a`, `group firing b c`.
fn parcels(claimed: &Value) -> Vec<String> {
    let word = |facts: &Value, key: &str| facts[key].as_str().unwrap().to_owned();
    let alone = array(&claimed["messages"]).iter().map(|message| {
        let facts = &message["facts"];
        format!("{} {}", word(facts, "kind"), word(facts, "subject"))
    });
    let together = array(&claimed["digests"]).iter().map(|digest| {
        assert_eq!(digest["occasion"], "group", "{digest}");
        let items = array(&digest["items"]);
        let subjects: Vec<String> = items.iter().map(|facts| word(facts, "subject")).collect();
        format!("group {} {}", word(&items[0], "kind"), subjects.join(" "))
    });
    alone.chain(together).collect()
}

/// Settles all that a claim holds with that outcome.
async fn settle(world: &World, claimed: &Value, now: &str, outcome: &str) {
    let single = array(&claimed["messages"])
        .iter()
        .map(|message| (message["lease"].clone(), message["id"].clone()));
    let grouped = array(&claimed["digests"]).iter().flat_map(|digest| {
        array(&digest["ids"])
            .iter()
            .map(|id| (digest["lease"].clone(), id.clone()))
    });
    let (leases, results): (Vec<_>, Vec<_>) = single
        .chain(grouped)
        .map(|(lease, id)| (lease, json!({"id": id, "outcome": outcome})))
        .unzip();
    let Some(lease) = leases.first() else { return };
    let arguments = json!({"p_claim": lease, "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", arguments).await;
}

/// What is sent on Slack at that time.
async fn sent(world: &World, now: &str) -> Vec<String> {
    let claimed = claim(world, now, &["slack"]).await;
    settle(world, &claimed, now, "sent").await;
    parcels(&claimed)
}

async fn raise_all(world: &World, now: &str, severity: &str, subjects: &[&str]) {
    for subject in subjects {
        raise(world, now, severity, subject).await;
    }
}

#[tokio::test]
async fn the_worst_of_an_incident_goes_alone_and_the_others_together() {
    let world = World::migrated().await;
    raise_all(&world, "12:00:00", "high", &["a", "b"]).await;
    raise(&world, "12:00:01", "critical", "worst").await;
    assert_eq!(
        sent(&world, "12:00:05").await,
        ["firing worst", "group firing a b"]
    );
    for subject in ["a", "b", "worst"] {
        resolve(&world, "12:10:00", subject).await;
    }
    assert_eq!(
        sent(&world, "12:10:05").await,
        ["resolved worst", "group resolved a b"]
    );
    assert!(sent(&world, "13:00:00").await.is_empty(), "once each");
}

#[tokio::test]
async fn two_are_no_group_and_what_is_in_no_incident_goes_alone() {
    let world = World::migrated().await;
    raise_all(&world, "12:00:00", "high", &["a", "b"]).await;
    raise_all(&world, "12:00:00", "medium", &["m", "n"]).await;
    assert_eq!(
        sent(&world, "12:00:05").await,
        ["firing a", "firing b", "firing m", "firing n"]
    );
}

#[tokio::test]
async fn beyond_the_cap_messages_go_together_and_groups_keep_their_distance() {
    let world = World::migrated().await;
    for n in 0..8 {
        raise(&world, &format!("12:00:0{n}"), "medium", &format!("m{n}")).await;
    }
    let alone: Vec<String> = (0..5).map(|n| format!("firing m{n}")).collect();
    let mut expected = alone;
    expected.push("group firing m5 m6 m7".to_owned());
    assert_eq!(sent(&world, "12:00:10").await, expected);
    raise_all(&world, "12:00:20", "medium", &["n0", "n1"]).await;
    assert!(sent(&world, "12:00:30").await.is_empty());
    assert!(sent(&world, "12:01:09").await.is_empty());
    raise(&world, "12:01:09", "medium", "n2").await;
    assert_eq!(sent(&world, "12:01:10").await, ["group firing n0 n1 n2"]);
    // Another alone in its group is a message like others.
    raise(&world, "12:02:00", "medium", "late").await;
    assert!(sent(&world, "12:02:01").await.is_empty());
    assert_eq!(sent(&world, "12:02:10").await, ["firing late"]);
    raise(&world, "12:05:11", "medium", "calm").await;
    assert_eq!(sent(&world, "12:05:11").await, ["firing calm"]);
}

#[tokio::test]
async fn the_first_message_of_an_incident_never_waits() {
    let world = World::migrated().await;
    for n in 0..7 {
        raise(&world, "12:00:00", "medium", &format!("m{n}")).await;
    }
    sent(&world, "12:00:05").await;
    raise_all(&world, "12:00:10", "high", &["a", "b", "c"]).await;
    raise(&world, "12:00:10", "critical", "root").await;
    assert_eq!(sent(&world, "12:00:11").await, ["firing root"]);
    assert_eq!(sent(&world, "12:01:05").await, ["group firing a b c"]);
}

#[tokio::test]
async fn a_channel_is_counted_for_itself() {
    let world = World::migrated().await;
    for n in 0..7 {
        raise(&world, "12:00:00", "medium", &format!("m{n}")).await;
    }
    sent(&world, "12:00:05").await;
    raise(&world, "12:00:10", "critical", "root").await;
    let both = claim(&world, "12:00:11", &["slack", "email"]).await;
    assert_eq!(parcels(&both), ["firing root", "firing root"]);
}

#[tokio::test]
async fn a_group_fails_dies_and_is_tried_again_as_a_whole() {
    let world = World::migrated().await;
    raise_all(&world, "12:00:00", "high", &["a", "b", "c", "d"]).await;
    let first = claim(&world, "12:00:05", &["slack"]).await;
    let ids = first["digests"][0]["ids"].clone();
    settle(&world, &first, "12:00:06", "retry").await;
    // Each row has a pause of its own: the first that is over does not tear it apart.
    let due = world
        .value("(select min(next_attempt_at) from ops.outbox where bundle is not null)")
        .await;
    let early = claim(&world, due.as_str().unwrap(), &["slack"]).await;
    assert_eq!(early["digests"], json!([]));
    // This worker dies, and so does the next.
    for now in ["12:02:00", "12:04:00"] {
        let claimed = claim(&world, now, &["slack"]).await;
        assert_eq!(claimed["digests"][0]["ids"], ids, "{now}");
    }
    let last = claim(&world, "12:06:00", &["slack"]).await;
    assert_eq!(last["digests"][0]["ids"], ids);
    settle(&world, &last, "12:06:05", "sent").await;
    for subject in ["a", "b", "c", "d"] {
        resolve(&world, "12:10:00", subject).await;
    }
    let told = sent(&world, "12:10:05").await;
    assert_eq!(told, ["resolved a", "group resolved b c d"]);
}

#[tokio::test]
async fn the_end_of_a_grouped_beginning_waits_for_it_and_dies_with_it() {
    let world = World::migrated().await;
    raise_all(&world, "12:00:00", "high", &["a", "b", "c"]).await;
    let claimed = claim(&world, "12:00:05", &["slack"]).await;
    resolve(&world, "12:01:00", "b").await;
    assert!(sent(&world, "12:00:40").await.is_empty(), "not known yet");
    settle(&world, &claimed, "12:01:01", "dead").await;
    resolve(&world, "12:02:00", "c").await;
    // Of what fires and was told to nobody the beginning is told anew.
    assert_eq!(sent(&world, "12:02:05").await, ["firing a"]);
}

#[tokio::test]
async fn people_are_called_together_only_for_what_they_are_all_called_for() {
    let world = World::migrated().await;
    for (name, role) in [("Anna", "on_call_primary"), ("Bo", "on_call_secondary")] {
        let email = format!("{name}@wine.example");
        contact(&world, name, role, json!({"email": email})).await;
    }
    raise_all(&world, "12:00:00", "critical", &["a", "b", "c"]).await;
    raise_all(&world, "12:00:00", "high", &["x", "y", "z"]).await;
    let first = claim(&world, "12:00:05", &["slack"]).await;
    assert_eq!(
        parcels(&first)[0],
        "firing a",
        "the worst goes alone: {first}"
    );
    let mut groups: Vec<(String, usize)> = array(&first["digests"])
        .iter()
        .map(|digest| {
            let people = array(&digest["items"])
                .iter()
                .map(|facts| facts["recipients"]["people"][0]["name"].to_string());
            let mut people: Vec<String> = people.collect();
            let count = people.len();
            people.dedup();
            (people.join(" and "), count)
        })
        .collect();
    groups.sort();
    assert_eq!(groups, [("\"Anna\"".to_owned(), 2), ("null".to_owned(), 3)]);
    settle(&world, &first, "12:00:06", "sent").await;
    advance(&world, "12:15:00").await;
    let email = claim(&world, "12:15:01", &["email"]).await;
    let bo = array(&email["messages"])
        .iter()
        .chain(array(&email["digests"]))
        .filter(|parcel| parcel.to_string().contains("Bo@"))
        .count();
    assert_eq!(bo, 1, "one call for three alerts: {email}");
}

#[tokio::test]
async fn a_group_of_hundreds_is_one_message_of_which_the_worst_are_shown() {
    let world = World::migrated().await;
    let alerts: Vec<Value> = (0..300)
        .map(|n| {
            json!({"status": "firing", "source": "test", "type": "t", "severity": "high",
                   "title": "T", "subject": format!("s{n:03}")})
        })
        .collect();
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": alerts,
                           "p_channels": ["slack", "email"], "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    let claimed = claim(&world, "12:00:05", &["slack"]).await;
    assert_eq!(array(&claimed["messages"]).len(), 1);
    let group = &claimed["digests"][0];
    assert_eq!(array(&group["ids"]).len(), 299);
    assert_eq!(array(&group["items"]).len(), 200);
    settle(&world, &claimed, "12:00:06", "sent").await;
    assert_eq!(
        world
            .value("(select count(*) from ops.outbox where status = 'sent')")
            .await,
        300
    );
}
