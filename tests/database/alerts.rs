//! Where an alert is told, when its end is told, and which incident it joins.

use serde_json::{Value, json};

use crate::support::{World, app, array, at, dependency, minutes, page, transitions};

/// Three bad ticks from noon on, with those channels configured.
async fn app_goes_down(world: &World, channels: &[&str]) {
    for now in minutes("12:00:05", 3) {
        world
            .tick_with(&now, &[app("down")], json!({"channels": channels}))
            .await;
    }
}

async fn app_comes_back(world: &World) {
    let mut happened = Vec::new();
    for now in minutes("12:03:05", 2) {
        happened.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    // That a channel takes nothing is an alert of its own.
    happened.retain(|line| !line.contains("channel_failing"));
    assert_eq!(happened, ["resolved app_down https://app.example/"]);
}

async fn slack_messages(world: &World) -> Value {
    world
        .rows(
            "select kind, status from ops.outbox where channel = 'slack' order by created_at, kind",
        )
        .await
}

/// Settles the one Slack message that is claimed at that time.
async fn settle(world: &World, claimed: &Value, outcome: &str, now: &str) {
    let slack = array(&claimed["messages"])
        .iter()
        .find(|message| message["channel"] == "slack")
        .expect("a message");
    let arguments = json!({
        "p_claim": slack["lease"], "p_results": [{"id": slack["id"], "outcome": outcome}], "p_now": at(now),
    });
    world.call("ops_settle_messages", arguments).await;
}

fn channels_of(claimed: &Value) -> Vec<(&str, &str)> {
    array(&claimed["messages"])
        .iter()
        .map(|message| {
            (
                message["kind"].as_str().unwrap(),
                message["channel"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn routing() {
    let world = World::migrated().await;
    for (severity, configured, expected) in [
        (
            "critical",
            "{slack,email}",
            json!([["slack", false], ["email", false]]),
        ),
        ("critical", "{email}", json!([["email", false]])),
        ("high", "{slack,email}", json!([["slack", false]])),
        ("medium", "{slack,email}", json!([["slack", false]])),
        ("medium", "{email}", json!([["email", false]])),
        ("low", "{slack,email}", json!([["slack", true]])),
        ("low", "{email}", json!([["email", true]])),
        (
            "critical",
            "{webhook,discord,email,slack}",
            json!([
                ["slack", false],
                ["email", false],
                ["discord", false],
                ["webhook", false]
            ]),
        ),
        (
            "high",
            "{slack,email,discord,webhook}",
            json!([["slack", false], ["discord", false], ["webhook", false]]),
        ),
        ("medium", "{email,discord}", json!([["discord", false]])),
        (
            "medium",
            "{email,webhook}",
            json!([["email", false], ["webhook", false]]),
        ),
        (
            "low",
            "{slack,email,discord,webhook}",
            json!([["slack", true], ["discord", true], ["webhook", false]]),
        ),
        (
            "low",
            "{email,webhook}",
            json!([["email", true], ["webhook", false]]),
        ),
        ("low", "{webhook}", json!([["webhook", false]])),
        ("high", "{slack,slack}", json!([["slack", false]])),
        ("critical", "{}", json!([[null, false]])),
        ("low", "{}", json!([[null, true]])),
    ] {
        let routes = format!(
            "(select jsonb_agg(jsonb_build_array(channel, digest)) from ops.route('{severity}', '{configured}'))"
        );
        assert_eq!(
            world.value(&routes).await,
            expected,
            "{severity} to {configured}"
        );
    }
}

#[tokio::test]
async fn without_a_channel_a_dead_row_says_so() {
    let world = World::migrated().await;
    app_goes_down(&world, &[]).await;
    let dead = world.dashboard(3600, "12:03:00").await["outbox"]["dead"].clone();
    assert_eq!(array(&dead).len(), 1);
    assert_eq!(dead[0]["channel"], Value::Null);
    assert_eq!(dead[0]["rule"], "app_down");
    assert_eq!(dead[0]["error"], "no channel configured");
    app_comes_back(&world).await;
    assert_eq!(world.value("(select count(*) from ops.outbox)").await, 1);
}

#[tokio::test]
async fn an_end_is_told_after_a_beginning_that_was_sent() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack"]).await;
    world.deliver("12:02:10").await;
    app_comes_back(&world).await;
    assert_eq!(
        channels_of(&world.claim_messages("12:04:10").await),
        [("resolved", "slack")]
    );
}

#[tokio::test]
async fn nothing_is_told_of_what_nobody_tried_to_tell() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack"]).await;
    app_comes_back(&world).await;
    assert_eq!(
        slack_messages(&world).await,
        json!([{"kind": "firing", "status": "superseded"}])
    );
    assert!(channels_of(&world.claim_messages("12:04:10").await).is_empty());
}

#[tokio::test]
async fn the_end_waits_for_a_beginning_that_is_under_way() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack"]).await;
    let leased = world.claim_messages("12:04:04").await;
    app_comes_back(&world).await;
    assert!(channels_of(&world.claim_messages("12:04:10").await).is_empty());
    settle(&world, &leased, "sent", "12:04:20").await;
    assert_eq!(
        channels_of(&world.claim_messages("12:04:21").await),
        [("resolved", "slack")]
    );
}

#[tokio::test]
async fn the_end_takes_the_place_of_a_beginning_that_may_have_arrived() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack"]).await;
    let failed = world.claim_messages("12:02:10").await;
    settle(&world, &failed, "retry", "12:02:11").await;
    app_comes_back(&world).await;
    assert_eq!(
        channels_of(&world.claim_messages("12:10:00").await),
        [("resolved", "slack")]
    );
    assert!(channels_of(&world.claim_messages("12:10:01").await).is_empty());
}

#[tokio::test]
async fn the_end_goes_with_a_beginning_that_dies() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack"]).await;
    let leased = world.claim_messages("12:04:04").await;
    app_comes_back(&world).await;
    settle(&world, &leased, "dead", "12:04:20").await;
    assert_eq!(
        slack_messages(&world).await,
        json!([{"kind": "firing", "status": "dead"}, {"kind": "resolved", "status": "superseded"}]),
    );
    assert!(channels_of(&world.claim_messages("12:10:00").await).is_empty());
}

#[tokio::test]
async fn no_end_is_told_of_a_beginning_that_was_given_up_before() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack"]).await;
    let leased = world.claim_messages("12:02:10").await;
    settle(&world, &leased, "dead", "12:02:11").await;
    app_comes_back(&world).await;
    assert_eq!(
        slack_messages(&world).await,
        json!([{"kind": "firing", "status": "dead"}])
    );
}

#[tokio::test]
async fn each_channel_hears_the_end_of_what_it_heard() {
    let world = World::migrated().await;
    app_goes_down(&world, &["slack", "email"]).await;
    let claimed = world.claim_messages("12:02:10").await;
    settle(&world, &claimed, "sent", "12:02:11").await;
    let email = array(&claimed["messages"])
        .iter()
        .find(|message| message["channel"] == "email")
        .unwrap();
    let dead = json!({"p_claim": email["lease"], "p_results": [{"id": email["id"], "outcome": "dead"}],
                      "p_now": at("12:02:11")});
    world.call("ops_settle_messages", dead).await;
    app_comes_back(&world).await;
    assert_eq!(
        channels_of(&world.claim_messages("12:04:10").await),
        [("resolved", "slack"), ("firing", "slack")],
        "the end, and that email takes nothing"
    );
}

#[tokio::test]
async fn serious_alerts_of_one_time_are_one_incident() {
    let world = World::migrated().await;
    let slow = page("https://app.example/slow", "up", Some(9000));
    let deployment = json!({"deployment": {"id": "dpl_1", "commit": "abc", "region": "fra1"}});
    for now in minutes("12:00:05", 3) {
        let checks = [app("up"), slow.clone(), dependency("ai", "down")];
        world.tick_with(&now, &checks, deployment.clone()).await;
    }
    let incident = "select number, severity, status, started_at, resolved_at, rule, deployment_id, commit_sha, affects
                    from ops.incidents order by number";
    let expected = json!({
        "number": 1, "severity": "high", "status": "investigating",
        "started_at": "2026-11-24T12:00:05+00:00", "resolved_at": null, "rule": "app_slow",
        "deployment_id": "dpl_1", "commit_sha": "abc", "affects": ["app"],
    });
    assert_eq!(world.rows(incident).await, json!([expected]));
    assert_eq!(
        world
            .rows("select rule, incident is null as alone from ops.alerts order by rule")
            .await,
        json!([{"rule": "app_slow", "alone": false}, {"rule": "service_degraded", "alone": true}]),
    );

    // A critical one joins and makes it critical.
    for now in minutes("12:03:05", 3) {
        world
            .tick(
                &now,
                &[app("up"), slow.clone(), dependency("database", "down")],
            )
            .await;
    }
    let joined = world
        .rows("select severity, rule, affects from ops.incidents")
        .await;
    assert_eq!(
        joined,
        json!([{"severity": "critical", "rule": "app_slow", "affects": ["app", "database"]}])
    );

    // It ends with the last of them.
    for now in minutes("12:06:05", 2) {
        world
            .tick(
                &now,
                &[app("up"), slow.clone(), dependency("database", "up")],
            )
            .await;
    }
    assert_eq!(
        world.value("(select status from ops.incidents)").await,
        "investigating"
    );
    for now in minutes("12:08:05", 2) {
        world
            .tick(
                &now,
                &[app("up"), page("https://app.example/slow", "up", Some(10))],
            )
            .await;
    }
    assert_eq!(
        world
            .rows("select status, resolved_at from ops.incidents")
            .await,
        json!([{"status": "resolved", "resolved_at": "2026-11-24T12:09:05+00:00"}]),
    );

    for now in minutes("12:10:05", 3) {
        world.tick(&now, &[app("down")]).await;
    }
    assert_eq!(
        world.value("(select max(number) from ops.incidents)").await,
        2
    );
}

#[tokio::test]
async fn everything_at_once_is_one_incident_named_after_the_worst() {
    let world = World::migrated().await;
    let mut checks: Vec<Value> = ["database", "ai", "imageProcessing", "email", "storage"]
        .map(|service| dependency(service, "down"))
        .into();
    checks.extend((0..50).map(|n| page(&format!("https://app.example/{n}"), "down", None)));
    let mut opened = 0;
    for now in minutes("12:00:05", 5) {
        opened += transitions(&world.tick(&now, &checks).await).len();
    }
    assert_eq!(opened, 55);
    assert_eq!(
        world.rows("select severity, rule from ops.incidents").await,
        json!([{"severity": "critical", "rule": "app_down"}]),
    );
    assert_eq!(
        world.value("(select count(*) from ops.outbox)").await,
        51 * 2 + 4
    );
}
