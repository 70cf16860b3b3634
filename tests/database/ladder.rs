//! Who is asked when about an alert that opens at a named time.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    people::{advance, contact, everybody, raise, resolve},
    support::{World, array, at},
};

/// Climbs the ladder of a critical alert that opens then, as far as its last level:
/// minutes, level, name, and the levels whose place it takes.
async fn ladder(world: &World, opened: &str) -> Vec<String> {
    let opened: Timestamp = at(opened).parse().unwrap();
    let alert = raise(world, &opened.to_string(), "critical", "x").await;
    for minutes in [15, 30, 60, 120] {
        let due = opened + SignedDuration::from_mins(minutes);
        advance(world, &due.to_string()).await;
    }
    let query = format!(
        "select concat_ws(' ', (extract(epoch from told_at - '{opened}') / 60)::integer, level, person ->> 'name', nullif(passed, '{{}}')::text) as line
         from ops.escalations where alert = '{alert}' and status = 'told' order by told_at, level, id",
    );
    let rows = world.rows(&query).await;
    let over = opened + SignedDuration::from_mins(121);
    resolve(world, &over.to_string(), "x").await;
    let lines = array(&rows).iter();
    lines
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

fn mail(name: &str) -> Value {
    json!({"email": format!("{name}@wine.example")})
}

#[tokio::test]
async fn the_matrix_is_climbed_level_by_level() {
    let world = World::migrated().await;
    everybody(&world).await;
    assert_eq!(
        ladder(&world, "12:00:00").await,
        [
            "0 1 on_call_primary",
            "15 1 on_call_secondary",
            "30 2 engineering_manager",
            "30 2 senior_engineer",
            "60 3 cto",
            "60 3 vendor_support",
            "120 4 executive",
            "120 4 external_consultant",
        ]
    );
}

#[tokio::test]
async fn nobody_makes_no_ladder() {
    let world = World::migrated().await;
    assert_eq!(ladder(&world, "12:00:00").await, [""; 0]);
}

#[tokio::test]
async fn the_dashboard_says_who_is_asked_next_rung_by_rung() {
    let world = World::migrated().await;
    everybody(&world).await;
    let alert = raise(&world, &at("12:00:00"), "critical", "x").await;
    advance(&world, &at("12:00:00")).await;
    let ladder = |now: &'static str| {
        let world = &world;
        async move { world.dashboard(3600, now).await["alerts"]["recentAlerts"][0]["ladder"].clone() }
    };
    let rung = |time: &str, level: u32, names: &[&str]| json!({"at": format!("2026-11-24T{time}:00+00:00"), "level": level, "names": names});
    assert_eq!(
        ladder("12:01:00").await,
        json!({"reason": null, "until": null, "rungs": [
            rung("12:15", 1, &["on_call_secondary"]),
            rung("12:30", 2, &["engineering_manager", "senior_engineer"]),
            rung("13:00", 3, &["cto", "vendor_support"]),
            rung("14:00", 4, &["executive", "external_consultant"]),
        ]})
    );
    world
        .execute(&format!(
            "update ops.alerts set status = 'acknowledged', acknowledged_at = '2026-11-24T12:02Z', acknowledged_by = 'Anna', \
             acknowledged_until = '2026-11-24T13:02Z' where id = '{alert}'"
        ))
        .await;
    assert_eq!(
        ladder("12:03:00").await,
        json!({"reason": "acknowledged", "until": "2026-11-24T13:02:00+00:00", "rungs": []})
    );
    resolve(&world, &at("12:04:00"), "x").await;
    assert_eq!(ladder("12:05:00").await, Value::Null);
}

#[tokio::test]
async fn without_a_primary_the_secondary_is_asked_first() {
    let world = World::migrated().await;
    contact(&world, "Bo", "on_call_secondary", mail("bo")).await;
    assert_eq!(ladder(&world, "12:00:00").await, ["0 1 Bo"]);
}

#[tokio::test]
async fn an_empty_level_falls_through_to_the_next_that_has_somebody() {
    let world = World::migrated().await;
    contact(&world, "Anna", "on_call_primary", mail("anna")).await;
    contact(&world, "Eve", "executive", mail("eve")).await;
    assert_eq!(
        ladder(&world, "12:00:00").await,
        ["0 1 Anna", "30 4 Eve {2,3}"]
    );
}

#[tokio::test]
async fn an_empty_first_level_asks_the_second_at_once() {
    let world = World::migrated().await;
    contact(&world, "Max", "engineering_manager", mail("max")).await;
    contact(&world, "Cleo", "cto", mail("cleo")).await;
    assert_eq!(
        ladder(&world, "12:00:00").await,
        ["0 2 Max {1}", "60 3 Cleo"]
    );
}

#[tokio::test]
async fn whoever_is_off_duty_is_passed_over_and_asked_in_their_own_time() {
    let world = World::migrated().await;
    let office = |from: &str, until: &str| {
        json!({"email": "x@wine.example", "zone": "Europe/Berlin",
               "hours": {"days": [1, 2, 3, 4, 5], "from": from, "until": until}})
    };
    contact(&world, "Anna", "on_call_primary", mail("anna")).await;
    contact(
        &world,
        "Max",
        "engineering_manager",
        office("09:00", "18:00"),
    )
    .await;
    contact(&world, "Cleo", "cto", office("08:00", "18:00")).await;
    contact(&world, "Eve", "executive", mail("eve")).await;
    // 24 November 2026 is a Tuesday; Berlin is one hour ahead of UTC.
    for (opened, expected) in [
        (
            "08:00:00",
            vec!["0 1 Anna", "30 2 Max", "60 3 Cleo", "120 4 Eve"],
        ),
        ("07:29:59", vec!["0 1 Anna", "30 3 Cleo {2}", "120 4 Eve"]),
        (
            "07:30:00",
            vec!["0 1 Anna", "30 2 Max", "60 3 Cleo", "120 4 Eve"],
        ),
        ("06:29:00", vec!["0 1 Anna", "30 4 Eve {2,3}", "60 3 Cleo"]),
        ("2026-11-28T10:00:00Z", vec!["0 1 Anna", "30 4 Eve {2,3}"]),
    ] {
        assert_eq!(ladder(&world, opened).await, expected, "{opened}");
    }
}

#[tokio::test]
async fn hours_never_leave_the_beginning_to_nobody() {
    let world = World::migrated().await;
    let asleep = json!({"email": "x@wine.example",
                        "hours": {"days": [1, 2, 3, 4, 5], "from": "09:00", "until": "17:00"}});
    contact(&world, "Anna", "on_call_primary", asleep.clone()).await;
    contact(&world, "Max", "engineering_manager", asleep).await;
    assert_eq!(
        ladder(&world, "03:00:00").await,
        ["0 1 Anna", "30 2 Max"],
        "rather wake somebody than tell nobody"
    );
}

#[tokio::test]
async fn hours_are_meant_in_their_zone_and_may_pass_midnight() {
    let world = World::migrated().await;
    let night = json!({"email": "x@wine.example", "zone": "America/New_York",
                       "hours": {"days": [5], "from": "22:00", "until": "06:00"}});
    contact(&world, "Nora", "on_call_primary", night).await;
    // Friday 27 November 2026, 22:00 in New York, is 03:00 UTC on Saturday.
    for (time, on_duty) in [
        ("2026-11-28T02:59:59Z", false),
        ("2026-11-28T03:00:00Z", true),
        ("2026-11-28T10:59:59Z", true),
        ("2026-11-28T11:00:00Z", false),
        ("2026-11-29T03:00:00Z", false),
        // Summer time: 22:00 is 02:00 UTC.
        ("2026-07-04T02:00:00Z", true),
        ("2026-07-04T01:59:59Z", false),
    ] {
        let found = world
            .value(&format!(
                "(select ops.is_on_duty(c, '{time}') from ops.contacts as c)"
            ))
            .await;
        assert_eq!(found, on_duty, "{time}");
    }
}
