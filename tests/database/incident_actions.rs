//! What people do about incidents.

use serde_json::{Value, json};

use crate::{
    incidents::{open, opening, own_events, show, update, updating},
    people::{raise, resolve},
    support::{World, app, at, dependency},
};

#[tokio::test]
async fn states_and_causes_are_set_by_people_and_only_what_is_said_to_be_public_is() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    update(
        &world,
        1,
        "12:01:00",
        json!({"p_state": "identified", "p_cause": "openai"}),
    )
    .await;
    let note = json!({"p_request": uuid::Uuid::new_v4(), "p_number": 1, "p_kind": "note",
                      "p_text": "our key leaked", "p_by": "Anna", "p_now": at("12:02:00")});
    world.call("ops_note_incident", note).await;
    let told = json!({"p_state": "monitoring", "p_public": " Pairings work again. "});
    update(&world, 1, "12:03:00", told).await;
    let silent = update(&world, 1, "12:04:00", json!({"p_state": "monitoring"})).await;
    assert_eq!(silent["cause"]["side"], "openai");
    assert_eq!(silent["cause"]["by"], "Anna");
    assert_eq!(
        own_events(&world, 1).await[2..],
        [
            "12:01:00 state_changed Anna investigating identified",
            "12:01:00 cause_changed Anna openai",
            "12:02:00 note Anna",
            "12:03:00 state_changed Anna identified monitoring",
            "12:03:00 public_update Anna",
        ]
    );
    assert_eq!(
        world
            .rows("select note, detail from ops.incident_events where kind = 'public_update'")
            .await,
        json!([{"note": "Pairings work again.", "detail": {"state": "monitoring"}}])
    );
    // It still ends with its last alert.
    resolve(&world, "12:05:00", "x").await;
    assert_eq!(show(&world, 1, "12:06:00").await["status"], "resolved");
}

#[tokio::test]
async fn a_repeated_call_changes_nothing_and_answers_the_same() {
    let world = World::migrated().await;
    for (function, arguments) in [
        ("ops_open_incident", opening("Odd", &[], "12:00:00")),
        (
            "ops_update_incident",
            updating(1, "12:01:00", &json!({"p_public": "We look at it."})),
        ),
        (
            "ops_note_incident",
            json!({"p_request": uuid::Uuid::new_v4(), "p_number": 1, "p_kind": "action", "p_text": "t",
                   "p_by": "Anna", "p_owner": "Bo", "p_due": "2026-12-01", "p_now": at("12:02:00")}),
        ),
    ] {
        let first = world.call(function, arguments.clone()).await;
        let mut later = arguments;
        later["p_now"] = json!(at("13:00:00"));
        assert_eq!(world.call(function, later).await, first, "{function}");
    }
    assert_eq!(
        own_events(&world, 1).await,
        [
            "12:00:00 opened Anna",
            "12:01:00 public_update Anna",
            "12:02:00 action Anna"
        ]
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said() {
    let world = World::migrated().await;
    world
        .tick("11:59:00", &[app("up"), dependency("database", "up")])
        .await;
    open(&world, "Odd", &[], "12:00:00").await;
    let refused = async |function: &str, mut arguments: Value, change: Value| {
        arguments
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let [code, message, _] = world.refusal(function, arguments).await;
        assert_eq!(code, "22023", "{message}");
        message
    };
    let open = opening("Odd", &[], "12:00:00");
    let update = updating(1, "12:01:00", &json!({}));
    let note = json!({"p_request": uuid::Uuid::new_v4(), "p_number": 1, "p_kind": "note", "p_text": "t", "p_by": "Anna"});
    for (function, arguments, change, message) in [
        (
            "ops_open_incident",
            &open,
            json!({"p_title": " "}),
            "title must be a text of 1 to 500 characters, got nothing",
        ),
        (
            "ops_open_incident",
            &open,
            json!({"p_affects": ["mail"]}),
            "affects must be a list of app or database, got mail",
        ),
        (
            "ops_open_incident",
            &open,
            json!({"p_severity": "bad"}),
            "severity must be critical, high, medium or low, got bad",
        ),
        (
            "ops_open_incident",
            &open,
            json!({"p_started_at": at("12:00:01")}),
            "started_at must be within the last 30 days, got 2026-11-24",
        ),
        (
            "ops_update_incident",
            &update,
            json!({}),
            "state must be given, or else severity, cause or public",
        ),
        (
            "ops_update_incident",
            &update,
            json!({"p_state": "over"}),
            "state must be investigating, identified, monitoring or resolved, got over",
        ),
        (
            "ops_update_incident",
            &update,
            json!({"p_public": ""}),
            "public must be a text of 1 to 2000 characters",
        ),
        (
            "ops_update_incident",
            &update,
            json!({"p_public": "sk-abcdefgh"}),
            "public must not hold a secret",
        ),
        (
            "ops_update_incident",
            &update,
            json!({"p_number": 9, "p_state": "resolved"}),
            "there is no incident 9",
        ),
        (
            "ops_note_incident",
            &note,
            json!({"p_kind": "action"}),
            "owner must be a text of 1 to 100 characters",
        ),
        (
            "ops_note_incident",
            &note,
            json!({"p_owner": "Bo"}),
            "owner must be left out of a note, got Bo",
        ),
        (
            "ops_note_incident",
            &note,
            json!({"p_number": 9}),
            "there is no incident 9",
        ),
    ] {
        let said = refused(function, arguments.clone(), change).await;
        assert!(said.starts_with(message), "{said}");
    }
    assert_eq!(own_events(&world, 1).await, ["12:00:00 opened Anna"]);
    assert_eq!(
        world.value("public.ops_show_incident(9)").await,
        Value::Null
    );
}

#[tokio::test]
async fn what_people_open_again_goes_on() {
    let world = World::migrated().await;
    open(&world, "Odd", &[], "12:00:00").await;
    update(&world, 1, "12:05:00", json!({"p_state": "resolved"})).await;
    let again = update(&world, 1, "12:06:00", json!({"p_state": "resolved"})).await;
    assert_eq!(
        again["resolvedAt"], "2026-11-24T12:05:00+00:00",
        "it was over before"
    );
    let goes_on = update(&world, 1, "12:10:00", json!({"p_state": "investigating"})).await;
    assert_eq!(
        [
            &goes_on["status"],
            &goes_on["resolvedAt"],
            &goes_on["resolvedBy"]
        ],
        [&json!("investigating"), &Value::Null, &Value::Null]
    );
    assert_eq!(
        own_events(&world, 1).await[1..],
        [
            "12:05:00 resolved Anna investigating resolved",
            "12:10:00 reopened Anna resolved investigating",
        ]
    );
}

/// Does one thing about the only incident, as the dashboard does.
async fn answer(world: &World, now: &str, action: &str, fields: Value) -> Value {
    let mut arguments = json!({
        "p_request": uuid::Uuid::new_v4(), "p_incident": world.value("(select id from ops.incidents)").await,
        "p_action": action, "p_until": null, "p_note": null, "p_actor": "anna@wine.example",
        "p_role": "responder", "p_now": at(now),
    });
    for (key, value) in fields.as_object().unwrap() {
        arguments[key] = value.clone();
    }
    world.call("ops_act_on_incident", arguments).await
}

#[tokio::test]
async fn an_incident_is_answered_as_a_whole_by_one_call() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    raise(&world, "12:00:00", "high", "y").await;
    let answers = async || {
        world
            .rows("select status, acknowledged_by as by, acknowledged_until as until from ops.alerts order by subject")
            .await
    };
    let until = json!({"p_until": at("13:00:00"), "p_note": "on it"});
    let done = answer(&world, "12:01:00", "acknowledge", until).await;
    assert_eq!(done["outcome"], "done", "{done}");
    let one = json!({"status": "acknowledged", "by": "anna@wine.example", "until": "2026-11-24T13:00:00+00:00"});
    assert_eq!(answers().await, json!([one, one]));
    let until = json!({"p_until": at("14:00:00")});
    assert_eq!(
        answer(&world, "12:02:00", "snooze", until).await["outcome"],
        "done"
    );
    assert_eq!(answers().await[0]["until"], "2026-11-24T14:00:00+00:00");

    let noted = answer(&world, "12:03:00", "note", json!({"p_note": " a fuse "})).await;
    assert_eq!(noted["outcome"], "done");
    let over = answer(&world, "12:04:00", "resolve", json!({"p_note": "new fuse"})).await;
    assert_eq!(
        (&over["outcome"], &over["incident"]["status"]),
        (&json!("done"), &json!("resolved"))
    );
    assert_eq!(
        own_events(&world, 1).await[1..],
        [
            "12:00:00 alert_joined",
            "12:00:00 alert_joined",
            "12:03:00 note anna@wine.example",
            "12:04:00 note anna@wine.example",
            "12:04:00 resolved anna@wine.example investigating resolved",
        ]
    );
    assert_eq!(
        answer(&world, "12:05:00", "resolve", json!({})).await["outcome"],
        "unchanged"
    );
}

#[tokio::test]
async fn an_answer_to_an_incident_is_checked_and_a_repeated_one_is_the_first() {
    let world = World::migrated().await;
    raise(&world, "12:00:00", "high", "x").await;
    let nobody = json!({"p_incident": uuid::Uuid::new_v4()});
    assert_eq!(
        answer(&world, "12:01:00", "resolve", nobody).await["outcome"],
        "unknown"
    );
    let request = json!({"p_request": uuid::Uuid::new_v4(), "p_note": "seen"});
    let first = answer(&world, "12:01:00", "note", request.clone()).await;
    assert_eq!(answer(&world, "13:00:00", "note", request).await, first);
    let incident = world.value("(select id from ops.incidents)").await;
    for (action, fields) in [
        ("silence", json!({})),
        ("note", json!({})),
        ("note", json!({"p_note": " "})),
        ("note", json!({"p_note": "x".repeat(1_001)})),
        ("snooze", json!({})),
        ("snooze", json!({"p_until": at("11:00:00")})),
        ("acknowledge", json!({"p_until": "2027-11-24T12:00:00Z"})),
        ("resolve", json!({"p_actor": " "})),
    ] {
        let mut arguments = json!({
            "p_request": uuid::Uuid::new_v4(), "p_incident": incident, "p_action": action,
            "p_until": null, "p_note": null, "p_actor": "anna", "p_now": at("12:02:00"),
        });
        for (key, value) in fields.as_object().unwrap() {
            arguments[key] = value.clone();
        }
        let [code, message, _] = world.refusal("ops_act_on_incident", arguments).await;
        assert_eq!(code, "22023", "{action} {fields}: {message}");
    }
}
