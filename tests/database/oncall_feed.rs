//! Calendars from outside: what a reading says becomes who is on call, and what was read
//! last stays in force.

use serde_json::{Value, json};

use crate::{
    oncall_calendar::{away, on_call, rotation, shifts, weekly},
    people::contact,
    support::{World, app, array, transitions, verdict},
};

const URL: &str = "https://calendar.example/secret/oncall.ics";

async fn person(world: &World, name: &str) -> String {
    let address = format!(
        "{}@wine.example",
        name.split(' ').next().unwrap().to_lowercase()
    );
    contact(world, name, "on_call_primary", json!({"email": address})).await
}

/// A rotation of Ada with a calendar, which is claimed at 11:50.
async fn with_calendar(world: &World) -> String {
    let ada = person(world, "Ada Lovelace").await;
    person(world, "Bo").await;
    let id = rotation(world, "Primary", weekly(&[&ada])).await;
    set(world, &id, json!(URL)).await;
    assert_eq!(claim(world, "2026-11-24T11:50:00Z").await.len(), 1);
    id
}

async fn set(world: &World, rotation: &str, url: Value) -> Value {
    let arguments = json!({
        "p_rotation": rotation, "p_url": url, "p_zone": null, "p_by": "test",
        "p_now": "2026-11-24T11:00:00Z",
    });
    world.call("ops_set_calendar", arguments).await
}

async fn claim(world: &World, now: &str) -> Vec<Value> {
    let claimed = world
        .call("ops_claim_calendars", json!({"p_now": now}))
        .await;
    array(&claimed["calendars"]).clone()
}

async fn store(world: &World, rotation: &str, now: &str, reading: Value) -> Value {
    let arguments =
        json!({"p_rotation": rotation, "p_url": URL, "p_reading": reading, "p_now": now});
    let stored = world.call("ops_store_calendar", arguments).await;
    assert_eq!(stored, json!({"stored": true}));
    world
        .value(&format!(
            "(select ops.calendar_document(calendar) from ops.calendars as calendar where rotation = '{rotation}')"
        ))
        .await
}

/// An event from nine to nine in Berlin that names somebody.
fn event(summary: &str, day: u32, over: &Value) -> Value {
    let mut event = json!({
        "summary": summary, "attendees": [], "zone": "Europe/Berlin", "endZone": "Europe/Berlin",
        "occurrences": [[format!("2026-11-{day}T09:00:00"), format!("2026-11-{}T09:00:00", day + 1)]],
        "except": [],
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(over.as_object().unwrap().clone());
    event
}

fn reading(events: &[Value]) -> Value {
    json!({"events": events, "leftOut": []})
}

#[tokio::test]
async fn a_calendar_goes_before_the_rotation_and_after_overrides() {
    let world = World::migrated().await;
    let id = with_calendar(&world).await;
    store(
        &world,
        &id,
        "2026-11-24T11:50:01Z",
        reading(&[event("Bo", 25, &json!({}))]),
    )
    .await;
    assert_eq!(
        shifts(&world, &id, "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z").await,
        [
            "11-25 00:00 Ada Lovelace rotation",
            "11-25 08:00 Bo calendar",
            "11-26 08:00 Ada Lovelace rotation",
        ]
    );
    // Whoever is away is passed over here too.
    let bo = world
        .value("(select id from ops.contacts where name = 'Bo')")
        .await;
    away(
        &world,
        bo.as_str().unwrap(),
        "2026-11-25T12:00:00Z",
        "2026-11-25T13:00:00Z",
    )
    .await;
    assert_eq!(
        on_call(&world, &id, "2026-11-25T12:30:00Z").await,
        "Ada Lovelace by rotation"
    );
}

#[tokio::test]
async fn people_are_known_by_address_by_name_or_by_a_text_that_holds_it() {
    let world = World::migrated().await;
    let id = with_calendar(&world).await;
    person(&world, "Al").await;
    contact(
        &world,
        "Ada",
        "on_call_primary",
        json!({"email": "other@wine.example"}),
    )
    .await;
    let events = [
        event(
            "whoever",
            1,
            &json!({"attendees": ["BO@wine.example", "room@wine.example"]}),
        ),
        event("ada lovelace", 3, &json!({})),
        // Ada is somebody else.
        event("On Call - Ada Lovelace. Primary", 5, &json!({})),
        event("Primary: Ada!", 15, &json!({})),
        event("Primary (bo@wine.example)", 7, &json!({})),
        event("Alfred", 9, &json!({})),
        event("job-o@wine.example jobo@wine.example", 17, &json!({})),
        event("Al and Bo", 11, &json!({})),
        event("Al", 13, &json!({"zone": "Mars"})),
    ];
    let document = store(&world, &id, "2026-11-24T11:50:01Z", reading(&events)).await;
    assert_eq!(document["entries"], 5);
    let left_out: Vec<_> = array(&document["leftOut"])
        .iter()
        .map(|one| {
            format!(
                "{}: {}",
                one["event"].as_str().unwrap(),
                one["why"].as_str().unwrap()
            )
        })
        .collect();
    for expected in [
        "Alfred: it names no contact whom alerts ask",
        "Al and Bo: it names several contacts",
        "Al: the zone Mars is not known",
    ] {
        assert!(left_out.iter().any(|line| line == expected), "{left_out:?}");
    }
    for (at, expected) in [
        ("2026-11-01T12:00:00Z", "Bo by calendar"),
        ("2026-11-03T12:00:00Z", "Ada Lovelace by calendar"),
        ("2026-11-05T12:00:00Z", "Ada Lovelace by calendar"),
        ("2026-11-07T12:00:00Z", "Bo by calendar"),
        ("2026-11-15T12:00:00Z", "Ada by calendar"),
    ] {
        assert_eq!(on_call(&world, &id, at).await, expected, "{at}");
    }
}

#[tokio::test]
async fn local_times_become_instants_by_the_rule_of_hand_overs() {
    let world = World::migrated().await;
    let id = with_calendar(&world).await;
    let night = json!({
        "occurrences": [["2027-03-28T02:30:00", "2027-10-31T02:30:00"]],
    });
    let without_zone = json!({
        "zone": null, "endZone": null, "notAfter": "2026-11-26T00:00:00Z",
        "occurrences": [
            ["2026-11-24T00:00:00", "2026-11-25T00:00:00"],
            ["2026-11-25T00:00:00", "2026-11-26T00:00:00"],
            ["2026-11-26T00:00:00", "2026-11-27T00:00:00"],
            ["2026-11-27T00:00:00", "2026-11-28T00:00:00"],
        ],
        // Midnight in Berlin.
        "except": [["2026-11-24T23:00:00", "UTC"]],
    });
    let events = [event("Bo", 1, &night), event("Bo", 1, &without_zone)];
    store(&world, &id, "2026-11-24T11:50:01Z", reading(&events)).await;
    let entries = world
        .rows("select starts_at, ends_at from ops.calendar_entries order by starts_at")
        .await;
    assert_eq!(
        entries,
        json!([
            {"starts_at": "2026-11-23T23:00:00+00:00", "ends_at": "2026-11-24T23:00:00+00:00"},
            {"starts_at": "2026-11-25T23:00:00+00:00", "ends_at": "2026-11-26T23:00:00+00:00"},
            {"starts_at": "2027-03-28T01:00:00+00:00", "ends_at": "2027-10-31T00:30:00+00:00"},
        ])
    );
}

#[tokio::test]
async fn what_was_read_last_stays_in_force_and_is_told_after_a_day() {
    let world = World::migrated().await;
    let id = with_calendar(&world).await;
    let good = reading(&[event("Bo", 25, &json!({}))]);
    store(&world, &id, "2026-11-24T12:00:00Z", good.clone()).await;
    let failed = store(
        &world,
        &id,
        "2026-11-24T12:10:00Z",
        json!({"error": "HTTP 404"}),
    )
    .await;
    assert_eq!(failed["failingSince"], "2026-11-24T12:10:00+00:00");
    let again = store(
        &world,
        &id,
        "2026-11-24T12:20:00Z",
        json!({"error": "timeout"}),
    )
    .await;
    assert_eq!(again["failingSince"], "2026-11-24T12:10:00+00:00");
    assert_eq!(
        (&again["error"], &again["entries"]),
        (&json!("timeout"), &json!(1))
    );
    assert_eq!(
        on_call(&world, &id, "2026-11-25T12:00:00Z").await,
        "Bo by calendar"
    );

    let checks = [app("up")];
    let tick = world.tick("2026-11-25T12:00:00Z", &checks).await;
    assert_eq!(
        verdict(&tick, "oncall_calendar_unread", "Primary")["verdict"],
        "good"
    );
    let tick = world.tick("2026-11-25T12:04:00Z", &checks).await;
    assert!(transitions(&tick).contains(&"opened oncall_calendar_unread Primary".to_owned()));
    store(&world, &id, "2026-11-25T12:04:30Z", good).await;
    let tick = world.tick("2026-11-25T12:05:00Z", &checks).await;
    assert!(transitions(&tick).contains(&"resolved oncall_calendar_unread Primary".to_owned()));
}

#[tokio::test]
async fn a_calendar_is_claimed_by_one_run_and_stored_only_where_it_is_still_wanted() {
    let world = World::migrated().await;
    let id = with_calendar(&world).await;
    assert_eq!(claim(&world, "2026-11-24T11:58:59Z").await.len(), 0);
    let claimed = claim(&world, "2026-11-24T12:00:00Z").await;
    assert_eq!(
        (&claimed[0]["rotation"], &claimed[0]["url"]),
        (&json!(id), &json!(URL))
    );
    store(
        &world,
        &id,
        "2026-11-24T12:00:01Z",
        reading(&[event("Bo", 25, &json!({}))]),
    )
    .await;
    // The same address again keeps what was read; another one does not.
    assert_eq!(set(&world, &id, json!(URL)).await["calendar"]["entries"], 1);
    let other = set(&world, &id, json!("https://other.example/a.ics")).await;
    assert_eq!(
        (&other["calendar"]["host"], &other["calendar"]["entries"]),
        (&json!("other.example"), &json!(0))
    );
    let late = json!({"p_rotation": id, "p_url": URL, "p_reading": reading(&[])});
    assert_eq!(
        world.call("ops_store_calendar", late).await,
        json!({"stored": false})
    );
    assert_eq!(set(&world, &id, Value::Null).await["calendar"], Value::Null);
}

#[tokio::test]
async fn an_address_that_no_function_would_read_is_refused_and_none_is_told() {
    let world = World::migrated().await;
    let id = with_calendar(&world).await;
    for url in [
        "http://calendar.example/secret",
        "ftp://calendar.example/secret",
        "https://user:secret@calendar.example/",
        "calendar",
        "",
    ] {
        let arguments = json!({"p_rotation": id, "p_url": url, "p_zone": null, "p_by": "test"});
        let [code, message, _] = world.refusal("ops_set_calendar", arguments).await;
        assert_eq!(code, "22023");
        assert!(
            message.starts_with("url must be an https address"),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }
    let shown = world.call("ops_show_oncall", json!({})).await;
    assert!(!shown.to_string().contains("secret"), "{shown}");
}
