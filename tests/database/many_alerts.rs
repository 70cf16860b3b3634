//! One thing done about many alerts, and silences by more than a name.

use serde_json::{Value, json};

use crate::{
    failing_channels::settle,
    people::{messages, raise},
    support::{World, array, at},
};

async fn act(world: &World, now: &str, select: &Value, action: &str, fields: &Value) -> Value {
    let mut arguments = json!({
        "p_request": uuid::Uuid::new_v4(), "p_select": select, "p_action": action, "p_from": null,
        "p_until": null, "p_note": null, "p_actor": "Anna", "p_now": at(now),
    });
    for (key, value) in fields.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    world.call("ops_act_on_alerts", arguments).await
}

/// The open alerts that nobody has, by their subjects.
async fn unanswered(world: &World) -> Vec<String> {
    let rows = world
        .rows("select subject from ops.alerts where status = 'firing' order by 1")
        .await;
    let subject = |row: &Value| row["subject"].as_str().unwrap().to_owned();
    array(&rows).iter().map(subject).collect()
}

#[tokio::test]
async fn what_is_selected_is_acknowledged_and_nothing_else() {
    let world = World::migrated().await;
    let mut ids = Vec::new();
    for subject in ["a", "b", "c"] {
        ids.push(raise(&world, "12:00:00", "high", subject).await);
    }
    let by_id = json!({"alerts": [ids[0], ids[1], uuid::Uuid::new_v4()]});
    let acted = act(&world, "12:01:00", &by_id, "acknowledge", &json!({})).await;
    assert_eq!(array(&acted["acted"]).len(), 2);
    assert_eq!(unanswered(&world).await, ["c"]);
    let by_match = json!({"match": {"subject": ["c", "nothing"]}});
    act(&world, "12:02:00", &by_match, "acknowledge", &json!({})).await;
    assert_eq!(unanswered(&world).await, [""; 0]);
    let everything = json!({"match": {"subject": "*"}});
    act(&world, "12:03:00", &everything, "unacknowledge", &json!({})).await;
    assert_eq!(unanswered(&world).await, ["a", "b", "c"]);
    let number = "(select number from ops.incidents where id = (select incident from ops.alerts where subject = 'b'))";
    let of_incident = json!({"incident": world.value(number).await});
    let resolved = act(&world, "12:04:00", &of_incident, "resolve", &json!({})).await;
    assert!(array(&resolved["acted"]).contains(&json!(ids[1])));
}

#[tokio::test]
async fn a_repeated_request_returns_what_it_did() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "a").await;
    let request = json!({"p_request": uuid::Uuid::new_v4()});
    let everything = json!({"match": {"subject": "*"}});
    let first = act(&world, "12:01:00", &everything, "acknowledge", &request).await;
    raise(&world, "12:02:00", "high", "b").await;
    let again = act(&world, "12:03:00", &everything, "acknowledge", &request).await;
    assert_eq!(again, first);
    assert_eq!(unanswered(&world).await, ["b"]);
}

#[tokio::test]
async fn a_match_is_of_every_field_and_of_one_text_of_each() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "https://a.example/100%_x").await;
    for (matching, expected) in [
        (json!({"subject": "https://a.example/*"}), true),
        (json!({"subject": "*100%_x"}), true),
        (json!({"subject": "*100%%x"}), false),
        (json!({"subject": "https://a.example/"}), false),
        (json!({"severity": ["low", "high"]}), true),
        (json!({"fingerprint": "*"}), false),
        (json!({"severity": ["low", "medium"]}), false),
        (json!({"severity": "high", "subject": "b*"}), false),
        (json!({"rule": "ext*", "severity": null}), true),
        (json!({"tag": "*"}), false),
        (json!({"environment": "preview"}), false),
    ] {
        let sql = format!(
            "(select ops.matches_alert(alert, jsonb_strip_nulls('{matching}')) from ops.alerts as alert)"
        );
        assert_eq!(world.value(&sql).await, expected, "{matching}");
    }
}

#[tokio::test]
async fn odd_selections_are_refused_in_words() {
    let world = World::migrated().await;
    for (select, action, fields, expected) in [
        (json!({}), "acknowledge", json!({}), "select must be"),
        (json!([]), "acknowledge", json!({}), "select must be"),
        (
            json!({"incident": 1, "alerts": []}),
            "acknowledge",
            json!({}),
            "select must be",
        ),
        (
            json!({"incident": "x"}),
            "acknowledge",
            json!({}),
            "incident must be",
        ),
        (
            json!({"incident": 1e300}),
            "acknowledge",
            json!({}),
            "incident must be",
        ),
        (
            json!({"alerts": ["x"]}),
            "acknowledge",
            json!({}),
            "alerts must be",
        ),
        (
            json!({"alerts": [null]}),
            "acknowledge",
            json!({}),
            "alerts must be",
        ),
        (
            json!({"match": {}}),
            "acknowledge",
            json!({}),
            "match must be",
        ),
        (
            json!({"match": {"colour": "red"}}),
            "acknowledge",
            json!({}),
            "match must be",
        ),
        (
            json!({"match": {"subject": 7}}),
            "acknowledge",
            json!({}),
            "subject of the match must be",
        ),
        (
            json!({"match": {"subject": []}}),
            "acknowledge",
            json!({}),
            "subject of the match must be",
        ),
        (
            json!({"match": {"subject": [["x"]]}}),
            "acknowledge",
            json!({}),
            "subject of the match must be",
        ),
        (
            json!({"match": {"subject": "x"}}),
            "silence",
            json!({"p_until": at("13:00:00")}),
            "reason must be",
        ),
        (
            json!({"match": {"subject": "x"}}),
            "silence",
            json!({"p_note": "works"}),
            "until must be",
        ),
        (
            json!({"match": {"subject": "x"}}),
            "acknowledge",
            json!({"p_from": at("13:00:00")}),
            "from must be",
        ),
    ] {
        let mut arguments = json!({
            "p_request": uuid::Uuid::new_v4(), "p_select": select, "p_action": action, "p_from": null,
            "p_until": null, "p_note": null, "p_actor": "Anna", "p_now": at("12:00:00"),
        });
        for (key, value) in fields.as_object().unwrap() {
            arguments[key] = value.clone();
        }
        let [state, message, _] = world.refusal("ops_act_on_alerts", arguments).await;
        assert_eq!(state, "22023", "{select}");
        assert!(message.starts_with(expected), "{select}: {message}");
    }
}

#[tokio::test]
async fn a_silence_that_begins_later_holds_back_what_is_due_then() {
    let world = World::migrated().await;
    let everything = json!({"match": {"severity": ["high", "medium"]}});
    let later = json!({"p_from": at("13:00:00"), "p_until": at("14:00:00"), "p_note": "works"});
    let silence = act(&world, "12:00:00", &everything, "silence", &later).await;
    assert_eq!(silence["silence"]["startsAt"], "2026-11-24T13:00:00+00:00");
    raise(&world, "12:30:00", "high", "before").await;
    assert_eq!(settle(&world, "12:30:05", "slack", "sent").await, 1);
    raise(&world, "12:59:58", "high", "just before").await;
    raise(&world, "13:10:00", "high", "within").await;
    raise(&world, "13:10:00", "critical", "otherwise").await;
    assert_eq!(settle(&world, "13:10:05", "slack", "sent").await, 1);
    assert_eq!(settle(&world, "13:59:59", "slack", "sent").await, 0);
    assert_eq!(settle(&world, "14:00:00", "slack", "sent").await, 2);
    let waiting = messages(&world).await;
    let waits = waiting.iter().any(|line| line == "firing slack pending");
    assert!(!waits, "{waiting:?}");
}

#[tokio::test]
async fn an_alert_is_silenced_by_its_identity_alone_whatever_that_holds() {
    let world = World::migrated().await;
    let star = raise(&world, "12:00:00", "high", "https://*.example/").await;
    let selected = json!({"alerts": [star]});
    let works = json!({"p_until": at("13:00:00"), "p_note": "works"});
    act(&world, "12:00:01", &selected, "silence", &works).await;
    raise(&world, "12:00:02", "high", "https://shop.example/").await;
    let silenced = "(select jsonb_agg(subject) from ops.alerts as alert
                     where ops.silenced_until(alert, '2026-11-24T12:30:00Z') is not null)";
    assert_eq!(world.value(silenced).await, json!(["https://*.example/"]));
}
