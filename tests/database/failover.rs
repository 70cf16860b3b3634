//! Failover: what a channel does not take goes to another one, once.

use serde_json::{Value, json};

use crate::{
    failing_channels::{mind, settle},
    people::{act, advance, contact, messages, raise, resolve},
    support::{World, at},
};

#[tokio::test]
async fn what_fails_for_five_minutes_goes_to_another_channel_once() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    settle(&world, "12:00:05", "slack", "retry").await;
    advance(&world, "12:05:04").await;
    assert_eq!(messages(&world).await, ["firing slack pending"]);
    for now in ["12:05:05", "12:05:05", "12:06:00"] {
        advance(&world, now).await;
        let expected = ["firing slack pending", "firing email pending"];
        assert_eq!(messages(&world).await, expected, "{now}");
    }
    let copy = world
        .rows("select facts -> 'standsInFor' as channels, facts ->> 'subject' as subject from ops.outbox where channel = 'email'")
        .await;
    assert_eq!(copy, json!([{"channels": ["slack"], "subject": "x"}]));
}

#[tokio::test]
async fn what_was_given_up_goes_to_another_channel_at_once() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    advance(&world, "12:00:30").await;
    assert_eq!(
        messages(&world).await,
        ["firing slack dead", "firing email pending"]
    );
}

#[tokio::test]
async fn a_resolution_answers_the_one_that_arrived() {
    for (slack, expected) in [
        ("refused", vec!["resolved email pending"]),
        // It may have arrived there too.
        (
            "retry",
            vec!["resolved email pending", "resolved slack pending"],
        ),
    ] {
        let world = World::migrated().await;
        raise(&world, "12:00:00", "high", "x").await;
        settle(&world, "12:00:05", "slack", slack).await;
        advance(&world, "12:05:05").await;
        assert_eq!(settle(&world, "12:05:10", "email", "sent").await, 1);
        resolve(&world, "12:06:00", "x").await;
        let mut lines = messages(&world).await;
        lines.retain(|line| line.starts_with("resolved"));
        assert_eq!(lines, expected, "slack: {slack}");
        assert_eq!(settle(&world, "12:07:05", "email", "sent").await, 1);
    }
}

#[tokio::test]
async fn a_resolution_that_fails_goes_to_another_channel_if_its_beginning_arrived() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    settle(&world, "12:00:05", "slack", "sent").await;
    resolve(&world, "12:10:00", "x").await;
    settle(&world, "12:10:05", "slack", "retry").await;
    advance(&world, "12:15:05").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing slack sent",
            "resolved slack pending",
            "resolved email pending"
        ]
    );
    assert_eq!(settle(&world, "12:15:10", "email", "sent").await, 1);
}

#[tokio::test]
async fn what_another_channel_says_already_is_not_repeated() {
    let world = World::migrated().await;
    contact(
        &world,
        "Anna",
        "on_call_primary",
        json!({"email": "a@wine.example", "slack": "U0ABC"}),
    )
    .await;
    raise(&world, "12:00:00", "critical", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    advance(&world, "12:05:05").await;
    assert_eq!(
        messages(&world).await,
        ["firing email pending Anna", "firing slack dead Anna"]
    );
}

#[tokio::test]
async fn what_several_channels_do_not_take_is_repeated_once() {
    let world = World::migrated().await;
    let channels = ["slack", "discord", "email"];
    let alert = json!({"status": "firing", "source": "test", "type": "t", "severity": "medium",
                       "title": "T", "subject": "x"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": channels, "p_now": at("12:00:00")});
    world.call("ops_raise_alerts", arguments).await;
    for channel in ["slack", "discord"] {
        settle(&world, "12:00:05", channel, "dead").await;
    }
    for now in ["12:00:30", "12:01:30"] {
        mind(&world, now, &channels).await;
        let lines = messages(&world).await;
        let copies = lines.iter().filter(|line| line.contains("email"));
        assert_eq!(copies.count(), 1, "{now}: {lines:?}");
    }
}

#[tokio::test]
async fn who_is_reached_by_the_failing_channel_alone_is_named_on_another() {
    let world = World::migrated().await;
    contact(&world, "Anna", "on_call_primary", json!({"slack": "U0ABC"})).await;
    raise(&world, "12:00:00", "critical", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    advance(&world, "12:00:30").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing email pending",
            "firing slack dead Anna",
            "firing email pending Anna"
        ]
    );
}

#[tokio::test]
async fn nothing_is_repeated_of_an_alert_that_somebody_answered_or_that_is_over() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    raise(&world, "12:00:00", "high", "y").await;
    settle(&world, "12:00:05", "slack", "retry").await;
    act(&world, &alert, "acknowledge", "12:04:00").await;
    resolve(&world, "12:04:00", "y").await;
    advance(&world, "12:10:00").await;
    let copies = world
        .value("(select count(*) from ops.outbox where stands_in_for is not null)")
        .await;
    assert_eq!(copies, 0);
}

#[tokio::test]
async fn what_waits_because_nothing_ran_is_not_repeated() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    advance(&world, "13:00:00").await;
    assert_eq!(messages(&world).await, ["firing slack pending"]);
}

#[tokio::test]
async fn what_waits_behind_a_failing_message_is_repeated_too() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    settle(&world, "12:00:05", "slack", "retry").await;
    raise(&world, "12:01:00", "medium", "y").await;
    advance(&world, "12:05:59").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing slack pending",
            "firing slack pending",
            "firing email pending"
        ]
    );
    advance(&world, "12:06:00").await;
    assert_eq!(messages(&world).await.len(), 4);
}

#[tokio::test]
async fn a_channel_that_is_configured_no_more_leaves_its_messages_to_another() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    mind(&world, "12:04:59", &["email"]).await;
    assert_eq!(messages(&world).await, ["firing slack pending"]);
    mind(&world, "12:05:00", &["email"]).await;
    assert_eq!(
        messages(&world).await,
        ["firing slack superseded", "firing email pending"]
    );
}

#[tokio::test]
async fn no_copy_goes_to_a_channel_that_fails_too_until_it_takes_something() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "critical", "x").await;
    settle(&world, "12:00:05", "email", "retry").await;
    settle(&world, "12:00:05", "slack", "sent").await;
    raise(&world, "12:01:00", "medium", "y").await;
    settle(&world, "12:01:05", "slack", "retry").await;
    advance(&world, "12:08:00").await;
    let copies = "(select count(*) from ops.outbox where stands_in_for is not null)";
    assert_eq!(world.value(copies).await, 0);
    settle(&world, "12:09:00", "email", "sent").await;
    advance(&world, "12:09:05").await;
    assert_eq!(world.value(copies).await, 1);
}

#[tokio::test]
async fn a_copy_that_fails_goes_on_to_a_channel_that_was_not_tried() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    advance(&world, "12:00:30").await;
    settle(&world, "12:00:35", "email", "dead").await;
    for now in ["12:01:00", "12:02:00"] {
        advance(&world, now).await;
    }
    assert_eq!(
        messages(&world).await,
        [
            "firing slack dead",
            "firing email dead",
            "firing slack pending"
        ],
        "there is no third, so it is told anew after a pause"
    );
}

#[tokio::test]
async fn no_copy_goes_back_to_the_channel_that_it_stands_in_for() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    settle(&world, "12:00:05", "slack", "dead").await;
    advance(&world, "12:00:30").await;
    settle(&world, "12:00:35", "email", "dead").await;
    // Slack works again.
    raise(&world, "12:00:36", "medium", "y").await;
    settle(&world, "12:00:37", "slack", "sent").await;
    let copies = "(select count(*) from ops.outbox where stands_in_for is not null)";
    for now in ["12:00:40", "12:02:00"] {
        advance(&world, now).await;
        assert_eq!(world.value(copies).await, 1, "{now}");
    }
    assert_eq!(
        messages(&world).await.last().unwrap(),
        "firing slack pending",
        "it is told anew instead"
    );
}

#[tokio::test]
async fn a_silence_holds_a_copy_back() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "medium", "x").await;
    settle(&world, "12:00:05", "slack", "retry").await;
    let silence = json!({
        "p_silence": uuid::Uuid::new_v4(), "p_match": {"subject": "x"}, "p_until": at("13:00:00"),
        "p_reason": "known", "p_author": "Anna", "p_now": at("12:01:00"),
    });
    world.call("ops_add_silence", silence).await;
    advance(&world, "12:06:00").await;
    assert_eq!(settle(&world, "12:59:59", "email", "sent").await, 0);
    assert_eq!(settle(&world, "13:00:00", "email", "sent").await, 1);
}

/// Where an alert is told, given the configured channels.
async fn routed(world: &World, alert: Value, channels: &str) -> Value {
    let route = format!(
        "(select jsonb_agg(route.channel order by route.channel)
          from ops.route_alert(jsonb_populate_record(null::ops.alerts, '{alert}'), '{channels}') as route)"
    );
    world.value(&route).await
}

#[tokio::test]
async fn an_alert_about_a_channel_is_never_told_by_that_channel_alone() {
    let world = World::migrated().await;
    for (rule, subject, severity, channels, expected) in [
        (
            "channel_failing",
            "slack",
            "high",
            "{slack,email}",
            json!(["email"]),
        ),
        (
            "channel_failing",
            "email",
            "high",
            "{slack,email}",
            json!(["slack"]),
        ),
        (
            "channel_failing",
            "slack",
            "high",
            "{slack}",
            json!(["slack"]),
        ),
        (
            "channel_failing",
            "slack",
            "critical",
            "{slack,email}",
            json!(["email", "slack"]),
        ),
        (
            "delivery_unproven",
            "slack",
            "medium",
            "{slack,email}",
            json!(["email"]),
        ),
        (
            "service_degraded",
            "email",
            "medium",
            "{slack,email}",
            json!(["slack"]),
        ),
        (
            "service_degraded",
            "email",
            "medium",
            "{email}",
            json!(["email"]),
        ),
        (
            "service_degraded",
            "ai",
            "medium",
            "{email}",
            json!(["email"]),
        ),
        ("app_down", "email", "high", "{}", json!([null])),
    ] {
        let alert = json!({"rule": rule, "subject": subject, "severity": severity});
        assert_eq!(
            routed(&world, alert.clone(), channels).await,
            expected,
            "{alert} {channels}"
        );
    }
}
