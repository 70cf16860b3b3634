//! Who has a rotation when: turns by the clock of a zone, overrides, swaps, absences.

use serde_json::{Value, json};

use crate::{
    oncall_calendar::{away, daily, on_call, rotation, save, shifts, take, weekly},
    people::contact,
    support::{World, array},
};

/// A person with that role and an address.
async fn person(world: &World, name: &str, role: &str) -> String {
    let address = format!("{}@wine.example", name.to_lowercase());
    contact(world, name, role, json!({"email": address})).await
}

async fn three(world: &World) -> [String; 3] {
    [
        person(world, "Ada", "on_call_primary").await,
        person(world, "Bo", "on_call_primary").await,
        person(world, "Cy", "senior_engineer").await,
    ]
}

#[tokio::test]
async fn turns_pass_on_at_the_hand_over_and_come_round() {
    let world = World::migrated().await;
    let [ada, bo, cy] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada, &bo, &cy])).await;
    for (at, expected) in [
        ("2026-11-23T07:59:59Z", "Cy by rotation"),
        ("2026-11-23T08:00:00Z", "Ada by rotation"),
        ("2026-11-30T07:59:59Z", "Ada by rotation"),
        ("2026-11-30T08:00:00Z", "Bo by rotation"),
        ("2026-12-14T08:00:00Z", "Ada by rotation"),
        // Turns are counted both ways.
        ("2026-11-16T08:00:00Z", "Cy by rotation"),
        ("2026-11-02T08:00:00Z", "Ada by rotation"),
    ] {
        assert_eq!(on_call(&world, &id, at).await, expected, "{at}");
    }
}

#[tokio::test]
async fn a_rotation_of_one_never_changes_and_one_of_none_is_a_hole() {
    let world = World::migrated().await;
    let [ada, ..] = three(&world).await;
    let one = rotation(&world, "One", weekly(&[&ada])).await;
    let none = rotation(&world, "None", weekly(&[])).await;
    let (from, until) = ("2026-11-24T00:00:00Z", "2026-12-24T00:00:00Z");
    assert_eq!(
        shifts(&world, &one, from, until).await,
        ["11-24 00:00 Ada rotation"]
    );
    assert_eq!(
        shifts(&world, &none, from, until).await,
        ["11-24 00:00 nobody"]
    );
}

/// When turns of days begin that are handed over at a time of a zone.
async fn hand_overs(hand_over: &str, zone: &str, from: &str, until: &str) -> Vec<String> {
    let world = World::migrated().await;
    let [ada, bo, _] = three(&world).await;
    let layer = daily(&[&ada, &bo], hand_over, zone, &from[..10]);
    let id = rotation(&world, "Primary", layer).await;
    let lines = shifts(&world, &id, from, until).await;
    lines
        .iter()
        .skip(1)
        .map(|line| line[..11].to_owned())
        .collect()
}

#[tokio::test]
async fn a_hand_over_that_the_clock_leaves_out_happens_when_it_has_moved() {
    assert_eq!(
        hand_overs(
            "02:30",
            "Europe/Berlin",
            "2027-03-26T12:00:00Z",
            "2027-03-30T00:00:00Z"
        )
        .await,
        ["03-27 01:30", "03-28 01:00", "03-29 00:30"]
    );
    // Lord Howe's clock moves by half an hour.
    assert_eq!(
        hand_overs(
            "02:15",
            "Australia/Lord_Howe",
            "2027-10-01T20:00:00Z",
            "2027-10-04T00:00:00Z"
        )
        .await,
        ["10-02 15:30", "10-03 15:15"]
    );
}

#[tokio::test]
async fn a_hand_over_that_the_clock_tells_twice_happens_the_first_time() {
    assert_eq!(
        hand_overs(
            "02:30",
            "Europe/Berlin",
            "2027-10-29T12:00:00Z",
            "2027-11-02T00:00:00Z"
        )
        .await,
        ["10-30 00:30", "10-31 00:30", "11-01 01:30"]
    );
    assert_eq!(
        hand_overs(
            "01:45",
            "Australia/Lord_Howe",
            "2027-04-02T20:00:00Z",
            "2027-04-05T00:00:00Z"
        )
        .await,
        ["04-03 14:45", "04-04 15:15"]
    );
    // In Havana the doubled hour is the first of the day.
    assert_eq!(
        hand_overs(
            "00:00",
            "America/Havana",
            "2027-11-05T12:00:00Z",
            "2027-11-09T00:00:00Z"
        )
        .await,
        ["11-06 04:00", "11-07 04:00", "11-08 05:00"]
    );
}

#[tokio::test]
async fn a_leap_day_is_a_day_and_zones_of_odd_minutes_are_held() {
    assert_eq!(
        hand_overs(
            "09:00",
            "Asia/Kathmandu",
            "2028-02-27T12:00:00Z",
            "2028-03-02T00:00:00Z"
        )
        .await,
        ["02-28 03:15", "02-29 03:15", "03-01 03:15"]
    );
    assert_eq!(
        hand_overs(
            "00:10",
            "America/St_Johns",
            "2026-11-23T12:00:00Z",
            "2026-11-26T00:00:00Z"
        )
        .await,
        ["11-24 03:40", "11-25 03:40"]
    );
}

#[tokio::test]
async fn layers_follow_the_sun_and_the_first_that_holds_a_time_has_it() {
    let world = World::migrated().await;
    let [ada, bo, cy] = three(&world).await;
    let mut day = daily(&[&ada], "09:00", "Europe/Berlin", "2026-11-23");
    day["hours"] = json!({"from": "09:00", "until": "17:00"});
    let id = rotation(&world, "Sun", day).await;
    let mut night = daily(&[&bo], "20:00", "Pacific/Auckland", "2026-11-23");
    night["layer"] = json!(2);
    night["hours"] = json!({"from": "20:00", "until": "08:00"});
    save(&world, &id, &json!({"layer": night})).await;
    let (from, until) = ("2026-11-23T07:00:00Z", "2026-11-24T08:00:00Z");
    assert_eq!(
        shifts(&world, &id, from, until).await,
        [
            "11-23 07:00 Bo rotation",
            // Auckland's layer has until 19:00 UTC, and Berlin's is asked first.
            "11-23 08:00 Ada rotation",
            "11-23 16:00 Bo rotation",
            "11-23 19:00 nobody",
            "11-24 07:00 Bo rotation",
        ]
    );
    let mut rest = daily(&[&cy], "09:00", "UTC", "2026-11-23");
    rest["layer"] = json!(3);
    save(&world, &id, &json!({"layer": rest})).await;
    assert_eq!(
        on_call(&world, &id, "2026-11-23T20:00:00Z").await,
        "Cy by rotation"
    );
}

#[tokio::test]
async fn an_override_goes_before_the_rotation_and_the_last_one_before_the_others() {
    let world = World::migrated().await;
    let [ada, bo, cy] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada])).await;
    take(
        &world,
        &id,
        &bo,
        "2026-11-24T08:00:00Z",
        "2026-11-24T20:00:00Z",
    )
    .await;
    let late = json!({
        "p_override": uuid::Uuid::new_v4(), "p_rotation": id, "p_contact": cy,
        "p_from": "2026-11-24T10:00:00Z", "p_until": "2026-11-24T11:00:00Z", "p_reason": "dentist",
        "p_by": "test", "p_now": "2026-11-24T00:00:00Z",
    });
    let first = world.call("ops_override_oncall", late.clone()).await;
    assert_eq!(world.call("ops_override_oncall", late).await, first);
    assert_eq!(
        shifts(&world, &id, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await,
        [
            "11-24 00:00 Ada rotation",
            "11-24 08:00 Bo override",
            "11-24 10:00 Cy override",
            "11-24 11:00 Bo override",
            "11-24 20:00 Ada rotation",
        ]
    );
    // What has passed stays; what is still to come is dropped.
    let end = json!({"p_change": first["id"], "p_now": "2026-11-24T10:30:00Z"});
    assert_eq!(
        world.call("ops_end_oncall_change", end.clone()).await,
        json!({"ended": 1})
    );
    assert_eq!(
        world.call("ops_end_oncall_change", end).await,
        json!({"ended": 0})
    );
    assert_eq!(
        on_call(&world, &id, "2026-11-24T10:29:00Z").await,
        "Cy by override"
    );
    assert_eq!(
        on_call(&world, &id, "2026-11-24T10:30:00Z").await,
        "Bo by override"
    );
}

#[tokio::test]
async fn whoever_is_away_is_passed_over_and_if_all_are_there_is_a_hole() {
    let world = World::migrated().await;
    let [ada, bo, cy] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada, &bo])).await;
    take(
        &world,
        &id,
        &cy,
        "2026-11-28T00:00:00Z",
        "2026-11-29T00:00:00Z",
    )
    .await;
    away(&world, &ada, "2026-11-24T00:00:00Z", "2026-11-30T00:00:00Z").await;
    away(&world, &bo, "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z").await;
    // One who took it and is away has not taken it.
    away(&world, &cy, "2026-11-28T12:00:00Z", "2026-11-29T00:00:00Z").await;
    assert_eq!(
        shifts(&world, &id, "2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z").await,
        [
            "11-23 12:00 Ada rotation",
            "11-24 00:00 Bo stand_in",
            "11-25 00:00 nobody",
            "11-26 00:00 Bo stand_in",
            "11-28 00:00 Cy override",
            "11-28 12:00 Bo stand_in",
            "11-30 00:00 Ada rotation",
            "11-30 08:00 Bo rotation",
        ]
    );
}

#[tokio::test]
async fn somebody_who_was_removed_leaves_the_turns_of_the_others_where_they_are() {
    let world = World::migrated().await;
    let [ada, bo, cy] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada, &bo, &cy])).await;
    world
        .call("ops_remove_contact", json!({"p_contact": bo}))
        .await;
    for (at, expected) in [
        ("2026-11-24T08:00:00Z", "Ada by rotation"),
        ("2026-12-01T08:00:00Z", "Cy by stand_in"),
        ("2026-12-08T08:00:00Z", "Cy by rotation"),
        ("2026-12-15T08:00:00Z", "Ada by rotation"),
    ] {
        assert_eq!(on_call(&world, &id, at).await, expected, "{at}");
    }
    let shown = world
        .call("ops_show_oncall", json!({"p_at": "2026-11-24T08:00:00Z"}))
        .await;
    assert_eq!(
        shown["rotations"][0]["layers"][0]["members"],
        json!(["Ada", null, "Cy"])
    );
}

#[tokio::test]
async fn a_swap_gives_each_the_shift_of_the_other_once() {
    let world = World::migrated().await;
    let [ada, bo, _] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada, &bo])).await;
    let swap = |over: Value| {
        let mut arguments = json!({
            "p_request": uuid::Uuid::new_v4(), "p_rotation": id, "p_one": ada, "p_other": bo,
            "p_one_at": null, "p_other_at": null, "p_reason": null, "p_by": "test",
            "p_now": "2026-11-24T12:00:00Z",
        });
        arguments
            .as_object_mut()
            .unwrap()
            .extend(over.as_object().unwrap().clone());
        arguments
    };
    let request = swap(json!({}));
    let first = world.call("ops_swap_oncall", request.clone()).await;
    assert_eq!(world.call("ops_swap_oncall", request).await, first);
    assert_eq!(array(&first["overrides"]).len(), 2);
    assert_eq!(
        shifts(&world, &id, "2026-11-24T00:00:00Z", "2026-12-14T12:00:00Z").await,
        [
            "11-24 00:00 Ada rotation",
            "11-24 12:00 Bo swap",
            "11-30 08:00 Ada swap",
            "12-07 08:00 Ada rotation",
            "12-14 08:00 Bo rotation",
        ]
    );
    let [code, message, _] = world
        .refusal("ops_swap_oncall", swap(json!({"p_other": ada})))
        .await;
    assert_eq!(code, "22023");
    assert_eq!(message, "other must be somebody else than one, got Ada");
    let ended = json!({"p_change": first["overrides"][0]["swap"], "p_now": "2026-11-24T12:00:00Z"});
    assert_eq!(
        world.call("ops_end_oncall_change", ended).await,
        json!({"ended": 2})
    );
}

#[tokio::test]
async fn changes_are_forgotten_once_they_have_been_over_for_long() {
    let world = World::migrated().await;
    let [ada, bo, _] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada])).await;
    take(
        &world,
        &id,
        &bo,
        "2026-11-24T00:00:00Z",
        "2026-11-25T00:00:00Z",
    )
    .await;
    away(&world, &ada, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
    let left = async |now: &str| {
        world
            .value(&format!("ops.forget_oncall_changes('{now}')"))
            .await;
        let count =
            "(select count(*) from ops.oncall_overrides) + (select count(*) from ops.absences)";
        world.value(count).await
    };
    assert_eq!(left("2027-12-29T12:00:00Z").await, 2);
    assert_eq!(left("2027-12-31T00:00:00Z").await, 0);
}

#[tokio::test]
async fn now_and_next_are_told() {
    let world = World::migrated().await;
    let [ada, bo, _] = three(&world).await;
    let id = rotation(&world, "Primary", weekly(&[&ada, &bo])).await;
    away(&world, &bo, "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z").await;
    away(&world, &ada, "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z").await;
    let told = async |at: &str| {
        let duty = world.value(&format!("ops.list_duty('{at}')")).await;
        duty[0].clone()
    };
    assert_eq!(
        told("2026-11-24T12:00:00Z").await,
        json!({"rotation": "Primary", "role": "on_call_primary", "name": "Ada", "why": "rotation",
               "until": "2026-11-30T08:00:00+00:00", "next": "Bo"})
    );
    assert_eq!(told("2026-12-01T12:00:00Z").await["next"], Value::Null);
    assert_eq!(told("2026-12-05T12:00:00Z").await["name"], Value::Null);
    assert_eq!(told("2026-12-05T12:00:00Z").await["next"], "Bo");
    let dashboard = world.dashboard(3600, "2026-11-24T12:00:00Z").await;
    assert_eq!(dashboard["onCall"][0]["name"], "Ada");
    let alerts = json!({"p_now": "2026-11-24T12:00:00Z"});
    let alerts = world.call("ops_list_alerts", alerts).await;
    assert_eq!(alerts["onCall"], dashboard["onCall"]);
    save(&world, &id, &json!({"layer": weekly(&[&ada])})).await;
    assert_eq!(told("2026-12-06T12:00:00Z").await["until"], Value::Null);
}

#[tokio::test]
async fn what_is_not_valid_is_refused_with_what_it_should_be() {
    let world = World::migrated().await;
    let [ada, ..] = three(&world).await;
    let told = person(&world, "Stella", "stakeholder").await;
    let id = rotation(&world, "Primary", weekly(&[&ada])).await;
    let with = |field: &str, value: Value| {
        let mut layer = weekly(&[&ada]);
        layer[field] = value;
        json!({"layer": layer})
    };
    for (fields, expected) in [
        (
            json!({"name": ""}),
            "name must be a text of 1 to 100 characters, got nothing",
        ),
        (
            json!({"role": "stakeholder"}),
            "role must be on_call_primary, on_call_secondary,",
        ),
        (
            json!({"days": 1}),
            "fields must be an object with fields among name, role and layer, got days",
        ),
        (
            with("zone", json!("Mars")),
            "zone must be the IANA name of a time zone, such as Europe/Berlin, got Mars",
        ),
        (
            with("handOver", json!("25:00")),
            "handOver must be a time of the day such as 09:00, got \"25:00\"",
        ),
        (
            with("unit", json!("month")),
            "unit must be day or week, got month",
        ),
        (
            with("every", json!(0)),
            "every must be a whole number from 1 to 52, got 0",
        ),
        (
            with("weekday", json!(8)),
            "weekday must be a number from 1 for Monday to 7 for Sunday, got 8",
        ),
        (
            with("firstOn", json!("2027-02-29")),
            "firstOn must be a day such as 2026-11-30, got \"2027-02-29\"",
        ),
        (
            with("hours", json!({"from": "09:00", "until": "09:00"})),
            "hours must be two different times, or left out, got 09:00:00",
        ),
        (
            with("members", json!(["Ada"])),
            "members must be ids of contacts, got \"Ada\"",
        ),
        (
            with("members", json!([told])),
            "members must be a contact whom alerts ask, got Stella, who is told and never asked",
        ),
        (
            with("colour", json!("red")),
            "layer must be an object with fields among layer, unit,",
        ),
    ] {
        let arguments = json!({"p_rotation": id, "p_fields": fields, "p_by": "test"});
        let [code, message, _] = world.refusal("ops_save_rotation", arguments).await;
        assert_eq!(code, "22023", "{fields}");
        assert!(message.starts_with(expected), "{message}");
    }
    let another = json!({
        "p_rotation": uuid::Uuid::new_v4(), "p_by": "test",
        "p_fields": {"name": "PRIMARY", "role": "on_call_primary"},
    });
    let [_, message, _] = world.refusal("ops_save_rotation", another).await;
    assert_eq!(
        message,
        "name must be one that no other rotation has, got PRIMARY"
    );
    let backwards = json!({
        "p_override": uuid::Uuid::new_v4(), "p_rotation": id, "p_contact": ada,
        "p_from": "2026-11-24T10:00:00Z", "p_until": "2026-11-24T10:00:00Z", "p_reason": null,
        "p_by": "test", "p_now": "2026-11-24T00:00:00Z",
    });
    let [_, message, _] = world.refusal("ops_override_oncall", backwards).await;
    assert!(
        message.starts_with("until must be a time after now and after the beginning"),
        "{message}"
    );
}
