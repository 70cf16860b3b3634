//! The ladder: whoever's time has come is told, once, until somebody answers.

use serde_json::{Value, json};

use crate::{
    people::{act, advance, contact, everybody, messages, raise, resolve, timeline, told},
    support::{World, app, array, at, call, minutes},
};

const BOUNDARIES: [(&str, &[&str]); 4] = [
    ("12:15:00", &["on_call_secondary"]),
    ("12:30:00", &["engineering_manager", "senior_engineer"]),
    ("13:00:00", &["cto", "vendor_support"]),
    ("14:00:00", &["executive", "external_consultant"]),
];

fn a_second_before(time: &str) -> String {
    let time: jiff::Timestamp = at(time).parse().unwrap();
    (time - jiff::SignedDuration::from_secs(1)).to_string()
}

#[tokio::test]
async fn a_critical_alert_climbs_at_each_boundary_and_not_a_second_before() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    let mut expected = vec!["on_call_primary".to_owned()];
    assert_eq!(told(&world).await, expected);
    for (time, names) in BOUNDARIES {
        assert_eq!(advance(&world, &a_second_before(time)).await, 0, "{time}");
        assert_eq!(told(&world).await, expected, "a second before {time}");
        assert_eq!(advance(&world, time).await, 1, "{time}");
        expected.extend(names.iter().map(|name| (*name).to_owned()));
        assert_eq!(told(&world).await, expected, "{time}");
    }
    assert_eq!(advance(&world, "2026-11-26T00:00:00Z").await, 0);
}

#[tokio::test]
async fn the_first_message_goes_to_whom_it_always_goes_and_to_whoever_is_on_call() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing email pending on_call_primary",
            "firing slack pending on_call_primary",
        ]
    );
    let usual = world
        .rows("select distinct facts #> '{recipients,usual}' as usual from ops.outbox")
        .await;
    assert_eq!(usual, json!([{"usual": true}]));
}

#[tokio::test]
async fn a_level_is_one_message_on_slack_and_one_email_each() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    advance(&world, "12:15:00").await;
    world.deliver("12:15:05").await;
    advance(&world, "12:30:00").await;
    let claimed = world.claim_messages("12:30:05").await;
    let mut lines: Vec<String> = array(&claimed["messages"])
        .iter()
        .map(|message| {
            let people = array(&message["facts"]["recipients"]["people"]);
            let names: Vec<&str> = people
                .iter()
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            format!(
                "{} {} to {}",
                message["kind"].as_str().unwrap(),
                message["channel"].as_str().unwrap(),
                names.join("+")
            )
        })
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "escalation email to engineering_manager",
            "escalation email to senior_engineer",
            "escalation slack to engineering_manager+senior_engineer",
        ]
    );
    let escalation = &claimed["messages"][0]["facts"]["escalation"];
    assert_eq!(escalation["level"], 2);
    let before: Vec<&Value> = array(&escalation["told"])
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(before, ["on_call_primary", "on_call_secondary"]);
}

#[tokio::test]
async fn missed_calls_lose_nobody_and_doubled_ones_tell_nobody_twice() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    // No call for seventy minutes, then two.
    assert_eq!(advance(&world, "13:10:00").await, 3);
    assert_eq!(advance(&world, "13:10:00").await, 0);
    assert_eq!(
        told(&world).await,
        [
            "on_call_primary",
            "on_call_secondary",
            "engineering_manager",
            "senior_engineer",
            "cto",
            "vendor_support"
        ]
    );
}

#[tokio::test]
async fn a_tick_and_a_delivery_may_move_the_ladder_at_once() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    let (one, two) = (world.session().await, world.session().await);
    let arguments = json!({"p_channels": ["slack", "email"], "p_now": at("12:30:00")});
    let [first, second] = futures_util::future::join_all([
        call(&one, "ops_advance_ladder", arguments.clone()),
        call(&two, "ops_advance_ladder", arguments),
    ])
    .await
    .try_into()
    .unwrap();
    let total = [first, second].map(|answer| answer.unwrap()["told"].as_u64().unwrap());
    assert_eq!(total.iter().sum::<u64>(), 2);
    assert_eq!(told(&world).await.len(), 4);
}

#[tokio::test]
async fn a_tick_opens_with_the_ladder_and_moves_it() {
    let world = World::migrated().await;
    everybody(&world).await;
    for now in minutes("12:00:00", 3) {
        world.tick(&now, &[app("down")]).await;
    }
    assert_eq!(told(&world).await, ["on_call_primary"]);
    let early = world.tick("12:16:59", &[app("down")]).await;
    assert_eq!(early["escalated"], 0);
    let due = world.tick("12:17:00", &[app("down")]).await;
    assert_eq!(due["escalated"], 1, "opened at 12:02:00");
    assert_eq!(told(&world).await, ["on_call_primary", "on_call_secondary"]);
}

#[tokio::test]
async fn without_contacts_a_critical_alert_goes_where_it_always_went() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "x").await;
    assert_eq!(
        messages(&world).await,
        ["firing email pending", "firing slack pending"]
    );
    assert_eq!(advance(&world, "15:00:00").await, 0);
    assert_eq!(messages(&world).await.len(), 2);
}

#[tokio::test]
async fn a_high_alert_adds_email_after_fifteen_minutes() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "high", "x").await;
    assert_eq!(advance(&world, "12:14:59").await, 0);
    assert_eq!(messages(&world).await, ["firing slack pending"]);
    assert_eq!(advance(&world, "12:15:00").await, 1);
    assert_eq!(
        messages(&world).await,
        ["firing slack pending", "escalation email pending"]
    );
    assert_eq!(
        advance(&world, "15:00:00").await,
        0,
        "and climbs no further"
    );
}

#[tokio::test]
async fn an_acknowledged_high_alert_adds_no_email() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    act(&world, &alert, "acknowledge", "12:14:00").await;
    assert_eq!(advance(&world, "12:20:00").await, 0);
}

#[tokio::test]
async fn lesser_alerts_have_no_ladder() {
    let world = World::migrated().await;
    everybody(&world).await;
    for severity in ["medium", "low"] {
        raise(&world, "12:00:00", severity, severity).await;
    }
    assert_eq!(advance(&world, "16:00:00").await, 0);
    assert_eq!(
        messages(&world).await,
        ["firing slack pending", "firing slack pending"]
    );
}

#[tokio::test]
async fn an_alert_that_becomes_critical_starts_the_ladder_then() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "high", "x").await;
    world.deliver("12:00:05").await;
    raise(&world, "12:10:00", "critical", "x").await;
    assert_eq!(told(&world).await, ["on_call_primary"]);
    assert_eq!(
        advance(&world, "12:20:00").await,
        0,
        "the email of before is dropped"
    );
    assert_eq!(advance(&world, "12:25:00").await, 1);
    assert_eq!(told(&world).await, ["on_call_primary", "on_call_secondary"]);
}

#[tokio::test]
async fn a_resolution_ends_the_ladder_and_takes_back_what_is_queued() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    advance(&world, "12:15:00").await;
    resolve(&world, "12:15:30", "x").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing email sent on_call_primary",
            "firing slack sent on_call_primary",
            "escalation email superseded on_call_secondary",
            "escalation slack superseded on_call_secondary",
            "resolved email pending on_call_primary",
            "resolved slack pending on_call_primary",
        ]
    );
    assert_eq!(advance(&world, "15:00:00").await, 0);
}

#[tokio::test]
async fn everybody_who_was_told_hears_of_the_end_once() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    for time in ["12:15:00", "12:30:00"] {
        advance(&world, time).await;
        world.deliver(time).await;
    }
    resolve(&world, "12:40:00", "x").await;
    let resolutions: Vec<String> = messages(&world)
        .await
        .into_iter()
        .filter(|line| line.starts_with("resolved"))
        .collect();
    assert_eq!(
        resolutions,
        [
            "resolved email pending engineering_manager",
            "resolved email pending on_call_primary",
            "resolved email pending on_call_secondary",
            "resolved email pending senior_engineer",
            "resolved slack pending on_call_primary",
        ]
    );
}

#[tokio::test]
async fn who_has_no_address_is_named_where_others_read() {
    let world = World::migrated().await;
    contact(&world, "Anna", "on_call_primary", json!({"slack": "U0ABC"})).await;
    contact(&world, "Bo", "on_call_secondary", json!({"slack": "U0DEF"})).await;
    let raised = json!({"status": "firing", "source": "test", "type": "t", "severity": "critical",
                        "title": "T", "subject": "x"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [raised],
                           "p_channels": ["email"], "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    let advancing = json!({"p_channels": ["email"], "p_now": at("12:15:00")});
    world.call("ops_advance_ladder", advancing).await;
    assert_eq!(
        messages(&world).await,
        ["firing email pending Anna", "escalation email pending Bo"]
    );
    let usual = world
        .rows("select distinct facts #> '{recipients,usual}' as usual from ops.outbox")
        .await;
    assert_eq!(usual, json!([{"usual": true}]));
}

#[tokio::test]
async fn with_no_channel_each_step_is_a_dead_message_that_shows() {
    let world = World::migrated().await;
    everybody(&world).await;
    let raised = json!({"status": "firing", "source": "test", "type": "t", "severity": "critical",
                        "title": "T", "subject": "x"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [raised],
                           "p_channels": [], "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    assert_eq!(
        messages(&world).await,
        ["escalation dead on_call_primary", "firing dead"]
    );
}

#[tokio::test]
async fn the_timeline_tells_the_whole_climb() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, "12:00:00", "critical", "x").await;
    advance(&world, "12:15:00").await;
    act(&world, &alert, "acknowledge", "12:20:00").await;
    resolve(&world, "12:30:00", "x").await;
    assert_eq!(
        timeline(&world).await,
        [
            "opened",
            "escalated",
            "escalated",
            "acknowledged Anna",
            "resolved"
        ]
    );
    let levels = world
        .rows("select detail ->> 'level' as level from ops.alert_events where kind = 'escalated'")
        .await;
    assert_eq!(levels, json!([{"level": "1"}, {"level": "1"}]));
}

#[tokio::test]
async fn who_is_on_call_hears_of_the_end_of_what_was_only_high_at_first() {
    let world = World::migrated().await;
    contact(
        &world,
        "Anna",
        "on_call_primary",
        json!({"email": "a@wine.example"}),
    )
    .await;
    raise(&world, "12:00:00", "high", "x").await;
    advance(&world, "12:15:00").await;
    world.deliver("12:15:05").await;
    raise(&world, "12:20:00", "critical", "x").await;
    world.deliver("12:20:05").await;
    resolve(&world, "12:30:00", "x").await;
    let resolutions: Vec<String> = messages(&world)
        .await
        .into_iter()
        .filter(|line| line.starts_with("resolved"))
        .collect();
    assert_eq!(
        resolutions,
        ["resolved email pending Anna", "resolved slack pending"]
    );
}

#[tokio::test]
async fn a_restored_database_climbs_from_the_beginning() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    world
        .execute("select ops.after_restore('snapshot', '2026-11-24T12:01:00Z', 1, '2026-11-24T20:00:00Z')")
        .await;
    assert_eq!(advance(&world, "20:00:30").await, 1);
    assert_eq!(told(&world).await, ["on_call_primary"]);
    assert_eq!(advance(&world, "20:15:30").await, 1);
}
