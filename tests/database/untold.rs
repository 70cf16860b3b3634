//! What fires and was told to nobody is told anew, and telling a machine tells nobody.

use serde_json::{Value, json};

use crate::{
    failing_channels::{mind, settle},
    people::{act, everybody, messages, raise, resolve},
    support::{World, app, at, minutes},
};

/// Raises an alert where those channels are configured.
async fn raise_on(world: &World, now: &str, severity: &str, channels: &[&str]) {
    let alert = json!({"status": "firing", "source": "test", "type": "t", "severity": severity,
                       "title": "T", "subject": "x"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": channels, "p_now": at(now)});
    world.call("ops_raise_alerts", arguments).await;
}

async fn untold(world: &World, now: &str) -> Value {
    let finding = format!(
        "(select jsonb_agg(finding -> 'subject') from jsonb_array_elements(ops.self_audit('{}') -> 'findings') as finding
          where finding ->> 'kind' = 'untold_alerts')",
        at(now)
    );
    world.value(&finding).await
}

#[tokio::test]
async fn what_its_only_channel_gave_up_is_told_when_that_takes_messages_again() {
    let world = World::migrated().await;
    raise_on(&world, "12:00:00", "high", &["slack"]).await;
    settle(&world, "12:00:05", "slack", "dead").await;
    // The pause doubles with each message that was given up.
    for (early, due, outcome) in [
        ("12:00:34", "12:00:35", "dead"),
        ("12:01:34", "12:01:35", "dead"),
        ("12:03:34", "12:03:35", "sent"),
    ] {
        mind(&world, early, &["slack"]).await;
        assert_eq!(settle(&world, early, "slack", outcome).await, 0, "{early}");
        mind(&world, due, &["slack"]).await;
        mind(&world, due, &["slack"]).await;
        assert_eq!(settle(&world, due, "slack", outcome).await, 1, "{due}");
    }
    for now in ["12:30:00", "15:59:00"] {
        mind(&world, now, &["slack"]).await;
        assert_eq!(settle(&world, now, "slack", "sent").await, 0, "{now}");
    }
}

#[tokio::test]
async fn an_end_that_was_given_up_is_told_when_its_channel_takes_messages_again() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    settle(&world, "12:00:05", "slack", "sent").await;
    resolve(&world, "12:01:00", "x").await;
    assert_eq!(settle(&world, "12:01:05", "slack", "dead").await, 1);
    // The pause doubles with each attempt.
    for (early, due, outcome) in [
        ("12:01:34", "12:01:35", "dead"),
        ("12:02:34", "12:02:35", "dead"),
        ("12:04:34", "12:04:35", "sent"),
    ] {
        mind(&world, early, &["slack"]).await;
        assert_eq!(settle(&world, early, "slack", outcome).await, 0, "{early}");
        mind(&world, due, &["slack"]).await;
        assert_eq!(settle(&world, due, "slack", outcome).await, 1, "{due}");
    }
    mind(&world, "15:00:00", &["slack"]).await;
    assert_eq!(
        messages(&world).await,
        ["firing slack sent", "resolved slack sent"]
    );
}

#[tokio::test]
async fn a_beginning_that_may_have_arrived_has_an_end_though_it_was_given_up() {
    for (first, ends) in [("retry", 1), ("refused", 0)] {
        let world = World::migrated().await;
        raise(&world, "12:00:00", "high", "x").await;
        settle(&world, "12:00:05", "slack", first).await;
        settle(&world, "12:01:00", "slack", "dead").await;
        resolve(&world, "12:02:00", "x").await;
        let told = settle(&world, "12:02:05", "slack", "sent").await;
        assert_eq!(told, ends, "{first}");
    }
}

#[tokio::test]
async fn an_end_is_told_elsewhere_once_and_to_its_own_readers() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    settle(&world, "12:00:05", "slack", "sent").await;
    resolve(&world, "12:01:00", "x").await;
    settle(&world, "12:01:05", "slack", "dead").await;
    for now in ["12:01:10", "12:01:35", "12:01:36"] {
        mind(&world, now, &["slack", "email"]).await;
        settle(&world, now, "slack", "dead").await;
        settle(&world, now, "email", "sent").await;
    }
    mind(&world, "12:02:35", &["slack", "email"]).await;
    settle(&world, "12:02:36", "slack", "sent").await;
    assert_eq!(
        messages(&world).await,
        [
            "firing slack sent",
            "resolved slack sent",
            "resolved email sent"
        ]
    );
}

#[tokio::test]
async fn an_end_is_not_tried_again_where_it_would_be_untrue_or_unasked() {
    for what in ["begun again", "a day old", "nobody heard", "not configured"] {
        let world = World::migrated().await;
        raise(&world, "12:00:00", "high", "x").await;
        settle(&world, "12:00:05", "slack", "sent").await;
        resolve(&world, "12:01:00", "x").await;
        settle(&world, "12:01:05", "slack", "dead").await;
        let (mut now, mut channels) = (at("12:03:00"), ["slack"]);
        match what {
            "begun again" => drop(raise(&world, "12:02:00", "high", "x").await),
            "a day old" => now = "2026-11-25T12:01:00Z".to_owned(),
            "nobody heard" => {
                world
                    .execute(
                        "update ops.outbox set status = 'dead', sent_at = null;
                         update ops.deliveries set outcome = 'dead'",
                    )
                    .await;
            }
            _ => channels = ["email"],
        }
        mind(&world, &now, &channels).await;
        let ends = messages(&world).await;
        assert!(
            ends.contains(&"resolved slack dead".to_owned()),
            "{what}: {ends:?}"
        );
    }
}

#[tokio::test]
async fn what_opened_without_a_channel_is_told_once_there_is_one() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise_on(&world, "12:00:00", "critical", &[]).await;
    mind(&world, "12:05:00", &["slack", "email"]).await;
    assert_eq!(
        messages(&world).await[2..],
        [
            "firing email pending on_call_primary",
            "firing slack pending on_call_primary",
        ],
        "with whoever was asked meanwhile"
    );
}

#[tokio::test]
async fn nothing_is_told_anew_that_was_answered_silenced_or_waits() {
    for what in ["acknowledge", "silence", "wait", "digest"] {
        let world = World::migrated().await;
        let severity = if what == "digest" { "low" } else { "high" };
        let alert = raise(&world, "12:00:00", severity, "x").await;
        match what {
            "digest" => {}
            "wait" => {
                settle(&world, "12:00:05", "slack", "refused").await;
            }
            _ => {
                settle(&world, "12:00:05", "slack", "dead").await;
            }
        }
        if what == "silence" {
            let over = json!({"p_until": at("20:00:00"), "p_note": "known"});
            let silence = crate::people::action(&alert, "silence", "12:00:10", &over);
            world.call("ops_act_on_alert", silence).await;
        } else if what == "acknowledge" {
            act(&world, &alert, "acknowledge", "12:00:10").await;
        }
        mind(&world, "12:04:00", &["slack", "email"]).await;
        let firings = world.value(
            "(select count(*) from ops.outbox where kind = 'firing' and stands_in_for is null)",
        );
        assert_eq!(firings.await, 1, "{what}");
    }
}

#[tokio::test]
async fn nothing_is_told_anew_that_was_seen_well_since() {
    let world = World::migrated().await;
    let tick = async |now: &str, status: &str| {
        let fields = json!({"channels": ["slack"]});
        world.tick_with(now, &[app(status)], fields).await;
        let firings = "(select count(*) from ops.outbox
                        where kind = 'firing' and facts ->> 'rule' = 'app_down')";
        world.value(firings).await
    };
    for now in minutes("12:00:05", 3) {
        tick(&now, "down").await;
    }
    settle(&world, "12:02:06", "slack", "dead").await;
    assert_eq!(tick("12:03:05", "up").await, 1);
    assert_eq!(tick("12:04:05", "down").await, 2);
}

#[tokio::test]
async fn a_machine_that_was_told_is_nobody_who_was_told() {
    const ALL: [&str; 3] = ["slack", "email", "webhook"];
    let world = World::migrated().await;
    raise_on(&world, "12:00:00", "medium", &ALL).await;
    settle(&world, "12:00:05", "webhook", "sent").await;
    settle(&world, "12:00:05", "slack", "refused").await;
    mind(&world, "12:05:06", &ALL).await;
    assert_eq!(
        messages(&world).await,
        [
            "firing slack pending",
            "firing webhook sent",
            "firing email pending"
        ]
    );
    let about_slack = "(select array_agg(route.channel) from ops.alerts as alert
        cross join lateral ops.route_alert(alert, '{slack,email,webhook}') as route)";
    world
        .execute("update ops.alerts set rule = 'channel_failing', subject = 'slack'")
        .await;
    assert_eq!(world.value(about_slack).await, json!(["email", "webhook"]));
}

#[tokio::test]
async fn where_there_is_nothing_but_a_machine_it_counts() {
    let world = World::migrated().await;
    raise_on(&world, "12:00:00", "high", &["webhook"]).await;
    settle(&world, "12:00:05", "webhook", "sent").await;
    mind(&world, "12:10:00", &["webhook"]).await;
    assert_eq!(messages(&world).await, ["firing webhook sent"]);
    assert_eq!(untold(&world, "12:30:00").await, Value::Null);
}

#[tokio::test]
async fn the_audit_finds_what_nobody_was_told_of() {
    let world = World::migrated().await;
    raise_on(&world, "12:00:00", "high", &["slack"]).await;
    settle(&world, "12:00:05", "slack", "refused").await;
    assert_eq!(untold(&world, "12:09:59").await, Value::Null);
    assert_eq!(untold(&world, "12:10:00").await, json!(["x"]));
    settle(&world, "12:10:05", "slack", "sent").await;
    assert_eq!(untold(&world, "12:20:00").await, Value::Null);
}

#[tokio::test]
async fn one_word_says_why_a_message_was_not_sent() {
    let world = World::migrated().await;
    let reason = async |now: &str| {
        let reason = format!(
            "(select jsonb_agg(ops.unsent_reason(message, '{{slack}}', '{}') order by channel, kind) from ops.outbox as message)",
            at(now)
        );
        world.value(&reason).await
    };
    let alert = raise(&world, "12:00:00", "high", "x").await;
    assert_eq!(reason("12:00:00").await, json!(["due"]));
    settle(&world, "12:00:05", "slack", "refused").await;
    assert_eq!(reason("12:00:10").await, json!(["retrying"]));
    let over = json!({"p_until": at("13:00:00"), "p_note": "known"});
    let silence = crate::people::action(&alert, "silence", "12:00:20", &over);
    world.call("ops_act_on_alert", silence).await;
    assert_eq!(reason("12:30:00").await, json!(["silenced"]));
    assert_eq!(reason("13:00:00").await, json!(["due"]));
    world.claim_messages("13:00:00").await;
    assert_eq!(reason("13:00:59").await, json!(["being_sent"]));
    assert_eq!(reason("13:01:00").await, json!(["due"]));
    settle(&world, "13:01:00", "slack", "dead").await;
    assert_eq!(reason("13:00:00").await, json!(["given_up"]));
    world
        .execute("update ops.outbox set channel = 'email', status = 'pending', leased_until = null")
        .await;
    assert_eq!(reason("13:00:00").await, json!(["channel_not_configured"]));
}
