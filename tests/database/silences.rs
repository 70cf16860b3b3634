//! Silences: messages wait, observation does not.

use serde_json::{Value, json};

use crate::{
    people::{action, advance, everybody, messages, raise, resolve, timeline},
    support::{World, app, at, minutes, transitions},
};

/// Silences what matches until then; returns the silence.
async fn silence(world: &World, now: &str, matching: Value, until: &str) -> Value {
    let arguments = json!({
        "p_silence": uuid::Uuid::new_v4(), "p_match": matching, "p_until": at(until),
        "p_reason": "planned work", "p_author": "Anna", "p_now": at(now),
    });
    world.call("ops_add_silence", arguments).await
}

#[tokio::test]
async fn a_silenced_alert_opens_and_is_told_when_the_silence_ends() {
    let world = World::migrated().await;
    silence(&world, "11:59:00", json!({"rule": "app_down"}), "12:30:00").await;
    let mut happened = Vec::new();
    for now in minutes("12:00:00", 3) {
        happened.extend(transitions(&world.tick(&now, &[app("down")]).await));
    }
    assert_eq!(happened, ["opened app_down https://app.example/"]);
    assert_eq!(world.deliver("12:29:59").await, 0);
    assert_eq!(world.deliver("12:30:00").await, 2);
}

#[tokio::test]
async fn what_was_never_told_ends_in_silence() {
    let world = World::migrated().await;
    silence(&world, "11:59:00", json!({"subject": "x"}), "13:00:00").await;
    raise(&world, "12:00:00", "critical", "x").await;
    resolve(&world, "12:20:00", "x").await;
    assert_eq!(world.deliver("13:00:00").await, 0);
    assert_eq!(
        messages(&world).await,
        ["firing email superseded", "firing slack superseded"]
    );
}

#[tokio::test]
async fn a_resolution_is_told_in_spite_of_a_silence_if_the_beginning_was() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    world.deliver("12:00:05").await;
    silence(&world, "12:01:00", json!({"subject": "x"}), "13:00:00").await;
    resolve(&world, "12:20:00", "x").await;
    assert_eq!(world.deliver("12:20:05").await, 1);
}

#[tokio::test]
async fn a_silence_holds_back_what_is_queued_already() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    raise(&world, "12:00:00", "high", "other").await;
    silence(&world, "12:00:01", json!({"subject": "x"}), "13:00:00").await;
    assert_eq!(world.deliver("12:00:05").await, 1, "the other");
    assert_eq!(world.deliver("13:00:00").await, 1);
}

#[tokio::test]
async fn the_ladder_waits_for_the_end_of_a_silence() {
    let world = World::migrated().await;
    everybody(&world).await;
    raise(&world, "12:00:00", "critical", "x").await;
    world.deliver("12:00:05").await;
    silence(&world, "12:01:00", json!({"rule": "external"}), "12:40:00").await;
    assert_eq!(advance(&world, "12:39:59").await, 0);
    assert_eq!(advance(&world, "12:40:00").await, 1);
    // Those who come after it are not asked at the same moment.
    assert_eq!(advance(&world, "12:54:59").await, 0);
    assert_eq!(advance(&world, "12:55:00").await, 1);
}

#[tokio::test]
async fn a_silence_that_is_ended_lets_go_of_what_it_held_and_no_other_holds() {
    let world = World::migrated().await;
    let first = silence(&world, "11:00:00", json!({"subject": "x"}), "18:00:00").await;
    let second = silence(&world, "11:00:00", json!({"rule": "external"}), "15:00:00").await;
    raise(&world, "12:00:00", "high", "x").await;
    for (silence, expected) in [(&first, 0), (&second, 1)] {
        let end = json!({"p_silence": silence["id"], "p_by": "Bo", "p_now": at("12:30:00")});
        let ended = world.call("ops_end_silence", end).await;
        assert_eq!(
            (&ended["endsAt"], &ended["endedBy"]),
            (&json!("2026-11-24T12:30:00+00:00"), &json!("Bo"))
        );
        assert_eq!(world.deliver("12:30:01").await, expected);
    }
    assert_eq!(
        world
            .call("ops_list_alerts", json!({"p_now": at("12:31:00")}))
            .await["silences"],
        json!([])
    );
}

#[tokio::test]
async fn all_that_a_silence_names_must_match() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    for (now, matching, silenced) in [
        ("12:01", json!({"rule": "external", "subject": "x"}), true),
        ("12:02", json!({"rule": "external", "subject": "y"}), false),
        ("12:03", json!({"rule": "app_down", "subject": "x"}), false),
        ("12:04", json!({"fingerprint": "external:test:t:x"}), true),
        ("12:05", json!({"fingerprint": "external:test:t:"}), false),
    ] {
        let second = |second: &str| at(&format!("{now}:{second}"));
        let made = silence(&world, &second("00"), matching.clone(), "13:00:00").await;
        let listed = world
            .call("ops_list_alerts", json!({"p_now": second("01")}))
            .await;
        assert_eq!(
            listed["alerts"][0]["silencedUntil"].is_string(),
            silenced,
            "{matching}"
        );
        let end = json!({"p_silence": made["id"], "p_by": "Bo", "p_now": second("02")});
        world.call("ops_end_silence", end).await;
    }
}

#[tokio::test]
async fn a_digest_waits_for_the_first_one_after_the_silence() {
    let world = World::migrated().await;
    silence(
        &world,
        "11:00:00",
        json!({"subject": "x"}),
        "2026-11-25T10:00:00Z",
    )
    .await;
    raise(&world, "12:00:00", "low", "x").await;
    assert_eq!(world.deliver("2026-11-25T09:00:00Z").await, 0);
    assert_eq!(world.deliver("2026-11-26T09:00:00Z").await, 1);
}

#[tokio::test]
async fn an_alert_is_silenced_by_its_identity_with_reason_and_end() {
    let world = World::migrated().await;
    let alert = raise(&world, "12:00:00", "high", "x").await;
    let over = json!({"p_until": at("14:00:00"), "p_note": "known"});
    let request = action(&alert, "silence", "12:01:00", &over);
    let document = world.call("ops_act_on_alert", request).await["alert"].clone();
    assert_eq!(document["silencedUntil"], "2026-11-24T14:00:00+00:00");
    assert_eq!(document["status"], "firing");
    assert_eq!(
        timeline(&world).await.last().unwrap(),
        "silenced Anna known"
    );
}

#[tokio::test]
async fn a_silence_without_reason_end_or_target_is_refused() {
    let world = World::migrated().await;
    let good = json!({
        "p_silence": uuid::Uuid::new_v4(), "p_match": {"rule": "app_down"}, "p_until": at("13:00:00"),
        "p_reason": "r", "p_author": "Anna", "p_now": at("12:00:00"),
    });
    for over in [
        json!({"p_match": {}}),
        json!({"p_match": {"rule": ""}}),
        json!({"p_match": {"colour": "low"}}),
        json!({"p_until": null}),
        json!({"p_until": at("12:00:00")}),
        json!({"p_until": "2027-03-01T00:00:00Z"}),
        json!({"p_reason": " "}),
        json!({"p_author": ""}),
    ] {
        let mut arguments = good.clone();
        let changed = over.as_object().unwrap().clone();
        arguments.as_object_mut().unwrap().extend(changed);
        assert_eq!(
            world.refusal("ops_add_silence", arguments).await[0],
            "22023",
            "{over}"
        );
    }
    let first = world.call("ops_add_silence", good.clone()).await;
    assert_eq!(world.call("ops_add_silence", good).await, first, "repeated");
}
