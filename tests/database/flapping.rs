//! What comes and goes needs longer to be well.

use serde_json::json;

use crate::support::{World, app, at, minutes, transitions};

/// The good observations that a rule needs with those openings behind it.
async fn good_after(world: &World, openings: &[&str], now: &str) -> i64 {
    world.execute("truncate ops.alerts cascade").await;
    for opened_at in openings {
        world
            .execute(&format!(
                "insert into ops.alerts (fingerprint, rule, subject, severity, source, first_bad_at, opened_at,
                     status, resolved_at, facts, last_facts)
                 values ('f', 'app_down', 's', 'high', 'monitor', '{0}', '{0}', 'resolved', '{0}', '{{}}', '{{}}')",
                at(opened_at),
            ))
            .await;
    }
    let damped = format!(
        "(select (ops.damp_flapping(in_force, 'f', ops.read_settings(), '{}')).good_after
          from ops.effective_rules(ops.read_settings()) as in_force where in_force.rule = 'app_down')",
        at(now),
    );
    world.value(&damped).await.as_i64().unwrap()
}

#[tokio::test]
async fn three_openings_within_the_hour_double_what_is_needed() {
    let world = World::migrated().await;
    for (openings, expected) in [
        ([].as_slice(), 2),
        (&["11:30:00", "11:50:00"], 2),
        (&["11:10:00", "11:30:00", "11:50:00"], 4),
        (&["11:00:00", "11:30:00", "11:50:00"], 2),
        (&["11:00:01", "11:30:00", "11:50:00", "11:55:00"], 4),
        (&["11:30:00", "11:50:00", "12:00:01"], 2),
    ] {
        let found = good_after(&world, openings, "12:00:00").await;
        assert_eq!(found, expected, "{openings:?}");
    }
    for (key, value) in [("alert.flap_openings", 2), ("alert.flap_factor", 5)] {
        let arguments = json!({"p_key": key, "p_value": value, "p_by": "test"});
        world.call("ops_set_setting", arguments).await;
    }
    assert_eq!(
        good_after(&world, &["11:30:00", "11:50:00"], "12:00:00").await,
        10
    );
}

#[tokio::test]
async fn what_is_down_two_minutes_of_three_is_one_alert() {
    let world = World::migrated().await;
    let mut seen = Vec::new();
    for (index, now) in minutes("12:00:05", 18).iter().enumerate() {
        let status = if index % 3 < 2 { "down" } else { "up" };
        seen.extend(transitions(&world.tick(now, &[app(status)]).await));
    }
    assert_eq!(seen, ["opened app_down https://app.example/"]);
    let alert = world
        .rows("select first_bad_at, opened_at, occurrences from ops.alerts")
        .await;
    assert_eq!(
        alert,
        json!([{"first_bad_at": "2026-11-24T12:00:05+00:00", "opened_at": "2026-11-24T12:06:05+00:00",
                "occurrences": 12}])
    );
}

#[tokio::test]
async fn an_app_that_comes_and_goes_stays_one_alert_from_the_third_opening_on() {
    let world = World::migrated().await;
    let mut seen = Vec::new();
    // Three bad minutes, then two good ones, five times over.
    for (index, now) in minutes("12:00:05", 25).iter().enumerate() {
        let status = if index % 5 < 3 { "down" } else { "up" };
        for transition in transitions(&world.tick(now, &[app(status)]).await) {
            seen.push(transition.split(' ').next().unwrap().to_owned());
        }
    }
    assert_eq!(seen, ["opened", "resolved", "opened", "resolved", "opened"]);
    for now in minutes("12:25:05", 2) {
        seen.extend(transitions(&world.tick(&now, &[app("up")]).await));
    }
    assert_eq!(seen.len(), 6, "four good minutes in a row are enough");
}
