//! Many alerts at once: each person is called once a level, not once an alert,
//! and each channel hears once of each cause.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    people::{act, advance, everybody, messages},
    support::{World, array, at, dependency, minutes, page},
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

const CAUSES: [&str; 5] = ["database", "ai", "imageProcessing", "email", "storage"];
const CHECKS: usize = 50;

/// Five dependencies and fifty checks that fail at once and recover at once.
#[derive(Debug, Clone, Copy)]
struct Storm {
    /// Whether each check says which of the dependencies it needs.
    declared: bool,
    /// Whether the checks fail one tick before what they depend on.
    early: bool,
    /// Every which claim is the last thing that its worker does.
    killed: Option<usize>,
}

impl Storm {
    async fn keep_checks(self, world: &World) {
        for n in 0..CHECKS {
            let mut check = json!({"kind": "tcp", "host": "a.example", "port": 1});
            if self.declared {
                check["dependsOn"] = json!([CAUSES[n % CAUSES.len()]]);
            }
            let arguments = json!({"p_name": format!("c{n:02}"), "p_check": check, "p_by": "test"});
            world.call("ops_add_check", arguments).await;
        }
    }

    /// What the tick of that minute sees: twelve minutes of outage.
    fn checks(self, minute: usize) -> Vec<Value> {
        let status = |begins: usize| {
            if (begins..12).contains(&minute) {
                "down"
            } else {
                "up"
            }
        };
        let causes = CAUSES.map(|service| dependency(service, status(usize::from(self.early))));
        let checks = (0..CHECKS).map(|n| {
            json!({
                "name": format!("check:c{n:02}"), "kind": "tcp", "service": "app",
                "critical": false, "status": status(0), "latencyMs": 5, "reason": null, "detail": {},
            })
        });
        causes.into_iter().chain(checks).collect()
    }

    /// Half an hour of ticks and deliveries; returns what was sent within five
    /// minutes of the first message, each message once however often it was tried.
    async fn rage(self, world: &World) -> BTreeSet<String> {
        let mut claims = 0;
        let mut sent = BTreeSet::new();
        for (minute, now) in minutes("12:00:00", 30).iter().enumerate() {
            world.tick(now, &self.checks(minute)).await;
            for channel in ["slack", "email"] {
                loop {
                    let parcels = claim(world, channel, now).await;
                    if parcels.is_empty() {
                        break;
                    }
                    // The first messages leave with the third tick.
                    if minute <= 2 + 5 {
                        sent.extend(parcels.iter().map(|(_, ids)| format!("{channel} {ids}")));
                    }
                    claims += 1;
                    if self.killed.is_some_and(|which| claims % which == 0) {
                        break;
                    }
                    settle(world, &parcels, now).await;
                }
            }
        }
        sent
    }
}

/// What is leased on a channel: each parcel's lease and rows.
async fn claim(world: &World, channel: &str, now: &str) -> Vec<(Value, Value)> {
    let arguments = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": [channel], "p_limit": 5,
                           "p_lease_seconds": 60, "p_now": at(now)});
    let claimed = world.call("ops_claim_messages", arguments).await;
    let alone = array(&claimed["messages"]).iter();
    let together = array(&claimed["digests"]).iter();
    alone
        .map(|one| (one["lease"].clone(), json!([one["id"]])))
        .chain(together.map(|group| (group["lease"].clone(), group["ids"].clone())))
        .collect()
}

async fn settle(world: &World, parcels: &[(Value, Value)], now: &str) {
    let ids = parcels.iter().flat_map(|(_, ids)| array(ids));
    let results: Vec<Value> = ids.map(|id| json!({"id": id, "outcome": "sent"})).collect();
    let arguments = json!({"p_claim": parcels[0].0, "p_results": results, "p_now": at(now)});
    world.call("ops_settle_messages", arguments).await;
}

/// Lets a storm rage and asserts that it ends as it has to; returns how many
/// messages Slack and email got in the first five minutes, and the subjects of
/// which anybody was told.
async fn check(storm: Storm) -> ([usize; 2], Vec<String>) {
    let world = World::migrated().await;
    storm.keep_checks(&world).await;
    let sent = storm.rage(&world).await;
    let open = "(select count(*) from ops.alerts where status <> 'resolved')";
    assert_eq!(world.value(open).await, 0, "{storm:?}");
    let unsettled =
        "select kind, channel, status from ops.outbox where status not in ('sent', 'superseded')";
    assert_eq!(world.rows(unsettled).await, json!([]), "{storm:?}");
    let uneven = "select firing.alert, firing.channel, count(ending.id)
                  from ops.outbox as firing
                  left join ops.outbox as ending on ending.after = firing.id and ending.status = 'sent'
                  where firing.kind = 'firing'
                  group by firing.id
                  having count(ending.id) <> case firing.status when 'sent' then 1 else 0 end";
    assert_eq!(world.rows(uneven).await, json!([]), "{storm:?}");
    let told = "select distinct facts ->> 'subject' as subject from ops.outbox where status = 'sent' order by 1";
    let told = world.rows(told).await;
    let subjects = array(&told)
        .iter()
        .map(|row| row["subject"].as_str().unwrap().to_owned())
        .collect();
    let on = |channel: &str| sent.iter().filter(|line| line.starts_with(channel)).count();
    ([on("slack"), on("email")], subjects)
}

#[tokio::test]
async fn each_channel_hears_once_of_each_cause_and_nothing_of_consequences() {
    for (early, killed) in [
        (false, None),
        (true, None),
        (false, Some(2)),
        (true, Some(3)),
    ] {
        let storm = Storm {
            declared: true,
            early,
            killed,
        };
        let ([slack, email], told) = check(storm).await;
        // Storage stands on the database.
        assert_eq!(
            told,
            ["ai", "database", "email", "imageProcessing"],
            "{storm:?}"
        );
        assert_eq!((slack, email), (4, 1), "{storm:?}");
    }
}

#[tokio::test]
async fn without_declared_dependencies_a_storm_is_a_handful_of_messages_all_the_same() {
    for (early, killed) in [
        (false, None),
        (true, None),
        (false, Some(2)),
        (true, Some(3)),
    ] {
        let storm = Storm {
            declared: false,
            early,
            killed,
        };
        let ([slack, email], told) = check(storm).await;
        assert_eq!(told.len(), CHECKS + 4, "{storm:?}");
        assert!(slack <= 7, "{slack} on Slack in {storm:?}");
        assert_eq!(email, 1, "{storm:?}");
    }
}
