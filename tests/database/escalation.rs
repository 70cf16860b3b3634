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
    assert_eq!(advance(&world, "14:59:59").await, 0);
    assert_eq!(advance(&world, "15:00:00").await, 1, "it begins again");
    expected.push("on_call_primary".to_owned());
    assert_eq!(told(&world).await, expected);
    assert_eq!(advance(&world, "15:15:00").await, 1);
}

#[tokio::test]
async fn whoever_is_on_duty_when_a_rung_is_due_is_asked_and_not_who_was_when_it_was_planned() {
    let world = World::migrated().await;
    let shift = |from: &str, until: &str| {
        let days = [1, 2, 3, 4, 5, 6, 7];
        json!({"email": "x@wine.example", "hours": {"days": days, "from": from, "until": until}})
    };
    contact(&world, "Day", "on_call_primary", shift("08:00", "20:00")).await;
    contact(&world, "Night", "on_call_primary", shift("20:00", "08:00")).await;
    contact(&world, "Max", "cto", shift("20:00", "23:00")).await;
    let alert = raise(&world, "19:50:00", "critical", "x").await;
    assert_eq!(told(&world).await, ["Day"]);
    let next = "(select ops.next_asked(a, '2026-11-24T19:51:00Z') from ops.alerts as a)";
    assert_eq!(
        world.value(next).await,
        json!({"at": "2026-11-24T20:05:00+00:00", "names": ["Night"], "reason": null})
    );
    for time in ["20:05:00", "20:20:00"] {
        advance(&world, time).await;
        world.deliver(time).await;
    }
    assert_eq!(told(&world).await, ["Day", "Night", "Max"]);
    // Nobody is left for the rungs to come, so the next is whoever begins the next round.
    let next = "(select ops.next_asked(a, '2026-11-24T20:21:00Z') from ops.alerts as a)";
    assert_eq!(
        world.value(next).await,
        json!({"at": "2026-11-24T22:50:00+00:00", "names": ["Night"], "reason": null})
    );
    // Somebody who joins is asked as well, and whoever has left is not.
    act(&world, &alert, "acknowledge", "20:21:00").await;
    world
        .execute("delete from ops.contacts where name = 'Night'")
        .await;
    contact(
        &world,
        "New",
        "on_call_primary",
        json!({"email": "n@wine.example"}),
    )
    .await;
    advance(&world, "21:21:00").await;
    // The levels that are left have nobody, so the ladder begins again.
    for time in ["22:00:00", "22:56:00", "23:56:00", "2026-11-25T01:00:00Z"] {
        advance(&world, time).await;
    }
    assert_eq!(told(&world).await.last().unwrap(), "New");
}

#[tokio::test]
async fn a_list_says_who_is_asked_next_or_why_nobody_is() {
    let world = World::migrated().await;
    let next = async |subject: &str, now: &str| {
        let next = format!(
            "(select ops.next_asked(a, '{}') -> 'reason' from ops.alerts as a where subject = '{subject}')",
            at(now)
        );
        world.value(&next).await
    };
    let critical = raise(&world, "12:00:00", "critical", "c").await;
    raise(&world, "12:00:00", "high", "h").await;
    raise(&world, "12:00:00", "medium", "m").await;
    assert_eq!(next("c", "12:00:01").await, "no_contacts");
    assert_eq!(next("h", "12:00:01").await, Value::Null);
    assert_eq!(next("m", "12:00:01").await, "no_ladder");
    advance(&world, "12:15:00").await;
    assert_eq!(next("h", "12:15:01").await, "all_asked");
    everybody(&world).await;
    advance(&world, "12:16:00").await;
    assert_eq!(next("c", "12:16:01").await, Value::Null);
    act(&world, &critical, "acknowledge", "12:17:00").await;
    assert_eq!(next("c", "12:18:00").await, "acknowledged");
    act(&world, &critical, "unacknowledge", "12:19:00").await;
    assert_eq!(next("c", "12:19:01").await, Value::Null);
    world.execute("delete from ops.contacts").await;
    assert_eq!(next("c", "12:19:01").await, "no_contacts");
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
    // No call for seventy minutes, then two: they are not asked all at once.
    assert_eq!(advance(&world, "13:10:00").await, 1);
    assert_eq!(advance(&world, "13:10:00").await, 0);
    assert_eq!(told(&world).await, ["on_call_primary", "on_call_secondary"]);
    for (early, due) in [("13:24:59", "13:25:00"), ("13:54:59", "13:55:00")] {
        assert_eq!(advance(&world, early).await, 0, "{early}");
        assert_eq!(advance(&world, due).await, 1, "{due}");
    }
    assert_eq!(told(&world).await.len(), 6);
}

#[tokio::test]
async fn five_minutes_late_is_in_time_and_a_second_more_is_not() {
    for (told_at, next_due) in [("12:20:00", "12:30:00"), ("12:20:01", "12:35:01")] {
        let world = World::migrated().await;
        everybody(&world).await;
        raise(&world, "12:00:00", "critical", "x").await;
        advance(&world, told_at).await;
        let due = "(select to_char(min(due_at), 'HH24:MI:SS') from ops.escalations where status = 'waiting')";
        assert_eq!(world.value(due).await, next_due, "{told_at}");
    }
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
    assert_eq!(total.iter().sum::<u64>(), 1);
    assert_eq!(told(&world).await.len(), 2);
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
