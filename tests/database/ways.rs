//! How an alert reaches a person: by the channels that the contact chose, in their order,
//! and outside the quiet hours that only a critical one breaks.

use serde_json::{Value, json};

use crate::{
    people::{act, action, contact, timeline},
    support::{World, array, at},
};

const CHANNELS: [&str; 4] = ["slack", "email", "sms", "voice"];

/// Anna is on duty, has every address, and quiet hours from 22:00 to 07:00 in UTC.
async fn anna(world: &World, ways: Value) -> String {
    let fields = json!({
        "email": "anna@wine.example", "slack": "U0ANNA", "ways": ways,
        "addresses": {"sms": "+4915112345678", "voice": "+4915112345678"},
        "quiet": {"days": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "until": "07:00"},
    });
    contact(world, "Anna", "on_call_primary", fields).await
}

async fn raised(world: &World, now: &str, severity: &str, status: &str) -> String {
    let alert = json!({"status": status, "source": "test", "type": "t", "severity": severity,
                       "title": "T", "subject": "x"});
    let arguments = json!({"p_request": uuid::Uuid::new_v4(), "p_alerts": [alert],
                           "p_channels": CHANNELS, "p_now": at(now)});
    let result = world.call("ops_raise_alerts", arguments).await;
    let alert = &result["results"][0]["alert"];
    alert.as_str().unwrap_or_default().to_owned()
}

async fn advance(world: &World, now: &str) {
    let arguments = json!({"p_channels": CHANNELS, "p_now": at(now)});
    world.call("ops_advance_ladder", arguments).await;
}

/// Sends what is due then; returns the kind and the channel of each message, and an `@` for
/// each person whom it addresses there.
async fn sent(world: &World, now: &str) -> Vec<String> {
    let claim = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": CHANNELS, "p_limit": 99,
                       "p_lease_seconds": 60, "p_now": at(now)});
    let claimed = world.call("ops_claim_messages", claim).await;
    let messages = array(&claimed["messages"]);
    let results: Vec<_> = messages
        .iter()
        .map(|message| json!({"id": message["id"], "outcome": "sent"}))
        .collect();
    let lease = claimed["messages"][0]["lease"].clone();
    if !results.is_empty() {
        let settle = json!({"p_claim": lease, "p_results": results, "p_now": at(now)});
        world.call("ops_settle_messages", settle).await;
    }
    let mut lines: Vec<_> = messages.iter().map(line).collect();
    lines.sort();
    lines
}

fn line(message: &Value) -> String {
    let channel = message["channel"].as_str().unwrap();
    let people = message["facts"]["recipients"]["people"].as_array();
    let called = people.into_iter().flatten().filter(|person| {
        let address = match channel {
            "email" | "slack" => &person[channel],
            other => &person["addresses"][other],
        };
        !address.is_null()
    });
    let kind = message["kind"].as_str().unwrap();
    format!("{kind} {channel}{}", "@".repeat(called.count()))
}

/// Who is asked next and when, or why nobody is.
async fn next(world: &World, now: &str) -> String {
    let next = world
        .value(&format!(
            "(select ops.next_asked(alert, '{}') from ops.alerts as alert where status <> 'resolved')",
            at(now)
        ))
        .await;
    format!("{} {} {}", next["at"], next["names"], next["reason"])
}

#[tokio::test]
async fn a_critical_alert_uses_the_ways_that_were_chosen_one_after_another() {
    let world = World::migrated().await;
    anna(&world, json!({"critical": {"sms": 0, "voice": 5}})).await;
    raised(&world, "12:00:00", "critical", "firing").await;
    // Slack names her without a mention, and the email goes to its usual readers.
    assert_eq!(
        sent(&world, "12:00:01").await,
        ["escalation sms@", "firing email", "firing slack"]
    );
    assert_eq!(sent(&world, "12:04:59").await, [""; 0]);
    let named = world
        .rows("select facts #>> '{recipients,people,0,name}' as name from ops.outbox where channel = 'slack'")
        .await;
    assert_eq!(named, json!([{"name": "Anna"}]));
    assert_eq!(sent(&world, "12:05:00").await, ["escalation voice@"]);
    let said = world
        .value("(select facts #> '{escalation,at}' from ops.outbox where channel = 'voice')")
        .await;
    assert_eq!(said, json!("2026-11-24T12:05:00+00:00"));
}

#[tokio::test]
async fn nobody_is_called_who_has_answered_by_then() {
    let world = World::migrated().await;
    anna(&world, json!({"critical": {"sms": 0, "voice": 5}})).await;
    let alert = raised(&world, "12:00:00", "critical", "firing").await;
    sent(&world, "12:00:01").await;
    act(&world, &alert, "acknowledge", "12:04:00").await;
    assert_eq!(sent(&world, "12:06:00").await, [""; 0]);
    raised(&world, "12:08:00", "critical", "resolved").await;
    let ends = sent(&world, "12:20:00").await;
    assert_eq!(ends, ["resolved email", "resolved slack", "resolved sms@"]);
}

#[tokio::test]
async fn a_window_that_comes_and_goes_brings_no_call_forward() {
    let world = World::migrated().await;
    anna(&world, json!({"critical": {"sms": 0, "voice": 30}})).await;
    raised(&world, "12:00:00", "critical", "firing").await;
    sent(&world, "12:00:01").await;
    world
        .execute(
            "insert into ops.maintenance_windows (id, checks, services, starts_at, ends_at, reason, author, created_at)
             values ('00000000-0000-4000-8000-00000000000a', '{x}', '{}', '2026-11-24T12:01:00Z', '2026-11-24T12:10:00Z', 'r', 'a', '2026-11-24T12:01:00Z');
             update ops.maintenance_windows set removed_at = '2026-11-24T12:02:00Z', removed_by = 'a'",
        )
        .await;
    assert_eq!(sent(&world, "12:02:01").await, [""; 0]);
    assert_eq!(sent(&world, "12:30:00").await, ["escalation voice@"]);
}

#[tokio::test]
async fn without_a_chosen_channel_a_critical_alert_uses_every_address() {
    let world = World::migrated().await;
    let id = anna(&world, json!({"critical": {"sms": 0}})).await;
    let telegram = json!({"p_contact": id, "p_by": "test", "p_fields": {
        "addresses": {"telegram": "1234567"}, "ways": {"critical": {"telegram": 0}}}});
    world.call("ops_save_contact", telegram).await;
    raised(&world, "12:00:00", "critical", "firing").await;
    assert_eq!(
        sent(&world, "12:00:01").await,
        [
            "escalation sms@",
            "escalation voice@",
            "firing email@",
            "firing slack@",
        ]
    );
}

#[tokio::test]
async fn what_is_not_critical_reaches_whoever_wants_that_outside_quiet_hours() {
    let world = World::migrated().await;
    anna(&world, json!({"high": {"sms": 0}})).await;
    contact(
        &world,
        "Bo",
        "on_call_secondary",
        json!({"email": "bo@wine.example"}),
    )
    .await;
    raised(&world, "12:00:00", "high", "firing").await;
    assert_eq!(
        sent(&world, "12:00:01").await,
        ["escalation sms@", "firing slack"]
    );
    advance(&world, "12:15:00").await;
    assert_eq!(sent(&world, "12:15:01").await, ["escalation email"]);
    let level = world
        .value("(select facts #> '{escalation,level}' from ops.outbox where channel = 'sms')")
        .await;
    assert_eq!(level, json!(null));
}

#[tokio::test]
async fn an_email_that_goes_to_a_room_instead_ends_there_once() {
    let world = World::migrated().await;
    anna(&world, json!({"critical": {"email": 0}})).await;
    raised(&world, "12:00:00", "critical", "firing").await;
    sent(&world, "12:00:01").await;
    // The next round asks her alone by email, which is copied to the room.
    world
        .execute(
            "insert into ops.outbox (kind, channel, severity, alert, facts, created_at, next_attempt_at, status, sent_at)
             select 'escalation', 'slack', 'critical', id,
                 jsonb_build_object('recipients', jsonb_build_object('usual', false, 'people', jsonb_build_array(
                     (select ops.person_document(contact) from ops.contacts as contact)))),
                 '2026-11-24T12:05:00Z', '2026-11-24T12:05:00Z', 'sent', '2026-11-24T12:05:01Z'
             from ops.alerts",
        )
        .await;
    raised(&world, "12:08:00", "critical", "resolved").await;
    let ends = sent(&world, "12:20:00").await;
    assert_eq!(ends, ["resolved email@", "resolved slack"]);
}

#[tokio::test]
async fn nobody_counts_as_asked_whose_channels_are_not_configured() {
    let world = World::migrated().await;
    let fields = json!({"addresses": {"telegram": "1234567"}, "ways": {"high": {"telegram": 0}}});
    contact(&world, "Anna", "on_call_primary", fields).await;
    raised(&world, "12:00:00", "high", "firing").await;
    assert_eq!(sent(&world, "12:00:01").await, ["firing slack"]);
    advance(&world, "12:10:00").await;
    assert_eq!(timeline(&world).await, ["opened"]);
    advance(&world, "12:15:00").await;
    assert_eq!(sent(&world, "12:15:01").await, ["escalation email"]);
}

#[tokio::test]
async fn quiet_hours_hold_what_is_not_critical_until_their_end() {
    let world = World::migrated().await;
    anna(&world, json!({"high": {"sms": 0, "slack": 0}})).await;
    raised(&world, "23:00:00", "high", "firing").await;
    assert_eq!(sent(&world, "23:00:01").await, ["firing slack"]);
    assert_eq!(
        next(&world, "23:00:01").await,
        r#""2026-11-25T07:00:00+00:00" ["Anna"] null"#
    );
    // The email does not wait for her.
    advance(&world, "23:15:00").await;
    assert_eq!(sent(&world, "23:15:01").await, ["escalation email"]);
    advance(&world, "2026-11-25T06:59:00Z").await;
    let night = sent(&world, "2026-11-25T06:59:30Z").await;
    assert!(!night.iter().any(|line| line.contains('@')), "{night:?}");
    let audit = world
        .value(&format!("ops.self_audit('{}')", "2026-11-25T06:59:30Z"))
        .await;
    assert!(
        !audit.to_string().contains("overdue_escalations"),
        "{audit}"
    );
    advance(&world, "2026-11-25T07:05:00Z").await;
    assert_eq!(
        sent(&world, "2026-11-25T07:05:01Z").await,
        ["escalation slack@", "escalation sms@"]
    );
}

#[tokio::test]
async fn a_critical_alert_breaks_quiet_hours() {
    let world = World::migrated().await;
    anna(&world, json!({"critical": {"sms": 0}, "high": {"sms": 0}})).await;
    raised(&world, "23:00:00", "high", "firing").await;
    assert_eq!(sent(&world, "23:00:01").await, ["firing slack"]);
    // It became worse.
    raised(&world, "23:10:00", "critical", "firing").await;
    let woken = sent(&world, "23:10:01").await;
    assert!(woken.contains(&"escalation sms@".to_owned()), "{woken:?}");
    raised(&world, "23:20:00", "critical", "resolved").await;
    let ends = sent(&world, "23:20:01").await;
    assert!(ends.contains(&"resolved sms@".to_owned()), "{ends:?}");
}

#[tokio::test]
async fn nobody_is_woken_to_hear_that_it_is_over() {
    let world = World::migrated().await;
    anna(&world, json!({"high": {"sms": 0}})).await;
    raised(&world, "21:59:00", "high", "firing").await;
    let told = sent(&world, "21:59:01").await;
    assert_eq!(told, ["escalation sms@", "firing slack"]);
    raised(&world, "23:00:00", "high", "resolved").await;
    assert_eq!(sent(&world, "23:00:01").await, ["resolved slack"]);
    let reason = world
        .value(&format!(
            "(select ops.waiting_reason(message, '{}') from ops.outbox as message where status = 'pending')",
            at("23:00:01")
        ))
        .await;
    assert_eq!(reason, json!("person_later"));
    assert_eq!(
        sent(&world, "2026-11-25T07:00:00Z").await,
        ["resolved sms@"]
    );
}

#[tokio::test]
async fn an_acknowledgement_that_runs_out_at_night_wakes_nobody() {
    let world = World::migrated().await;
    anna(&world, json!({"high": {"sms": 0, "slack": 0}})).await;
    let alert = raised(&world, "21:00:00", "high", "firing").await;
    sent(&world, "21:00:01").await;
    let until = json!({"p_until": at("22:30:00")});
    world
        .call(
            "ops_act_on_alert",
            action(&alert, "acknowledge", "21:30:00", &until),
        )
        .await;
    advance(&world, "22:20:00").await;
    assert_eq!(sent(&world, "22:20:01").await, ["reminder slack"]);
    advance(&world, "22:30:00").await;
    assert!(
        timeline(&world)
            .await
            .contains(&"acknowledgement_ended".to_owned())
    );
    let ended = sent(&world, "22:30:01").await;
    assert!(ended.contains(&"escalation slack".to_owned()), "{ended:?}");
    assert!(!ended.iter().any(|line| line.contains("sms")), "{ended:?}");
    assert_eq!(
        sent(&world, "2026-11-25T07:00:00Z").await,
        ["escalation sms@"]
    );
}

#[tokio::test]
async fn quiet_hours_end_at_their_time_whatever_clocks_do() {
    let world = World::migrated().await;
    let fields = json!({
        "email": "x@wine.example", "zone": "Europe/Berlin",
        "quiet": {"days": [6, 7], "from": "23:30", "until": "02:30"},
    });
    contact(&world, "Anna", "on_call_primary", fields).await;
    for (moment, ends) in [
        // Saturday's begin at 22:30 in UTC.
        ("2026-11-28T22:29:59Z", json!(null)),
        ("2026-11-28T22:30:00Z", json!("2026-11-29T01:30:00+00:00")),
        ("2026-11-29T01:29:59Z", json!("2026-11-29T01:30:00+00:00")),
        ("2026-11-29T01:30:00Z", json!(null)),
        // Friday has none.
        ("2026-11-27T23:30:00Z", json!(null)),
        // 02:30 is missing on 29 March 2026: clocks go from 02:00 to 03:00.
        ("2026-03-29T00:59:00Z", json!("2026-03-29T01:30:00+00:00")),
        ("2026-03-29T01:10:00Z", json!(null)),
        // It comes twice on 25 October 2026, and the second one counts.
        ("2026-10-25T00:29:00Z", json!("2026-10-25T01:30:00+00:00")),
        ("2026-10-25T00:31:00Z", json!(null)),
        ("2026-10-25T01:29:00Z", json!("2026-10-25T01:30:00+00:00")),
    ] {
        let until = world
            .value(&format!(
                "(select to_jsonb(ops.quiet_hours_until(contact, '{moment}')) from ops.contacts as contact)"
            ))
            .await;
        assert_eq!(until, ends, "{moment}");
    }
}

#[tokio::test]
async fn the_monthly_test_comes_after_quiet_hours_and_one_that_is_asked_for_at_once() {
    let world = World::migrated().await;
    let id = anna(&world, json!({})).await;
    let zone = json!({"p_contact": id, "p_by": "test", "p_fields": {"zone": "Pacific/Auckland"}});
    world.call("ops_save_contact", zone).await;
    advance(&world, "2026-11-30T10:00:00Z").await;
    // The first weekday of December; 10:00 in UTC is 23:00 in Auckland.
    advance(&world, "2026-12-01T10:00:00Z").await;
    let early = sent(&world, "2026-12-01T10:00:01Z").await;
    assert_eq!(early, ["notice email", "notice slack"]);
    assert_eq!(
        sent(&world, "2026-12-01T18:00:00Z").await,
        ["notice sms@", "notice voice@"]
    );
    let asked = json!({"p_request": uuid::Uuid::new_v4(), "p_channels": ["sms"], "p_by": "anna",
                       "p_now": "2026-12-02T10:00:00Z"});
    world.call("ops_prove_delivery", asked).await;
    assert_eq!(sent(&world, "2026-12-02T10:00:01Z").await, ["notice sms@"]);
}

#[tokio::test]
async fn ways_that_lead_nowhere_are_refused() {
    let world = World::migrated().await;
    for (fields, expected) in [
        (json!({"ways": []}), "ways must be an object"),
        (
            json!({"ways": {"low": {"email": 0}}}),
            "the severity of ways",
        ),
        (json!({"ways": {"high": {}}}), "used at once"),
        (json!({"ways": {"high": {"email": 5}}}), "used at once"),
        (json!({"ways": {"high": {"sms": 0}}}), "has an address"),
        (json!({"ways": {"high": {"pigeon": 0}}}), "has an address"),
        (
            json!({"ways": {"high": ["email"]}}),
            "an object of channels",
        ),
        (json!({"ways": {"high": {"email": 1.5}}}), "whole number"),
        (json!({"ways": {"high": {"email": -1}}}), "whole number"),
        (json!({"ways": {"high": {"email": 1e300}}}), "whole number"),
        (json!({"ways": {"high": {"email": "0"}}}), "whole number"),
        (
            json!({"ways": {"high": {"email": 0, "slack": 5}}}),
            "goes at once",
        ),
        (
            json!({"quiet": {"days": [1], "from": "22:00"}}),
            "quiet must be days",
        ),
        (
            json!({"quiet": {"days": [1], "from": "22:00", "until": "22:00"}}),
            "quiet must be days",
        ),
    ] {
        let mut all = json!({"name": "Anna", "role": "on_call_primary",
                             "email": "anna@wine.example", "slack": "U0ANNA"});
        all.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let arguments = json!({"p_contact": uuid::Uuid::new_v4(), "p_fields": all, "p_by": "test"});
        let [state, message, _] = world.refusal("ops_save_contact", arguments).await;
        assert_eq!(state, "22023", "{fields}");
        assert!(message.contains(expected), "{fields}: {message}");
    }
}

#[tokio::test]
async fn a_way_goes_with_its_severity_and_an_address_in_use_stays() {
    let world = World::migrated().await;
    let id = anna(
        &world,
        json!({"critical": {"sms": 0}, "high": {"email": 0}}),
    )
    .await;
    let save = |fields: Value| json!({"p_contact": id, "p_by": "test", "p_fields": fields});
    let saved = world
        .call("ops_save_contact", save(json!({"ways": {"high": null}})))
        .await;
    assert_eq!(saved["ways"], json!({"critical": {"sms": 0}}));
    assert_eq!(saved["quiet"]["from"], "22:00");
    let [_, message, _] = world
        .refusal(
            "ops_save_contact",
            save(json!({"addresses": {"sms": null}})),
        )
        .await;
    assert!(message.contains("ways for critical"), "{message}");
    let saved = world
        .call(
            "ops_save_contact",
            save(json!({"ways": null, "quiet": null})),
        )
        .await;
    assert_eq!(
        (&saved["ways"], &saved["quiet"]),
        (&json!({}), &json!(null))
    );
}

#[tokio::test]
async fn a_stakeholder_has_no_ways() {
    let world = World::migrated().await;
    for fields in [
        json!({"ways": {"high": {"email": 0}}}),
        json!({"quiet": {"days": [1], "from": "22:00", "until": "07:00"}}),
    ] {
        let mut all = json!({"name": "Sam", "role": "stakeholder", "email": "sam@wine.example"});
        all.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let arguments = json!({"p_contact": uuid::Uuid::new_v4(), "p_fields": all, "p_by": "test"});
        let [_, message, _] = world.refusal("ops_save_contact", arguments).await;
        assert!(message.contains("told by email"), "{message}");
    }
}
