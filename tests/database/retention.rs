//! Who comes back: cohorts that were counted by hand, and what is refused or not known.

use serde_json::{Value, json};

use crate::support::{World, array, at};

async fn was_there(world: &World, number: u32, times: &[&str]) {
    for time in times {
        let sql = format!(
            "insert into auth.users (id) values ('00000000-0000-4000-8000-00000000000{number}') on conflict do nothing;
             insert into public.analytics_events (event_name, user_id, timestamp)
             values ('x', '00000000-0000-4000-8000-00000000000{number}', '{}')",
            at(time)
        );
        world.execute(&sql).await;
    }
}

async fn retention(world: &World, unit: &str, count: u32) -> Value {
    let arguments = json!({"p_unit": unit, "p_count": count, "p_now": at("12:00:00")});
    world.call("ops_retention", arguments).await["cohorts"].clone()
}

fn cohort(from: &str, people: u32, returned: &Value) -> Value {
    json!({"from": format!("2026-{from}T00:00:00+00:00"), "people": people, "returned": returned})
}

/// 24 November 2026 is a Tuesday.
#[tokio::test]
async fn a_cohort_is_of_a_week_or_of_a_day() {
    let world = World::migrated().await;
    let roll_up = format!("select ops.roll_up_figures(1000, '{}')", at("12:00:00"));
    was_there(
        &world,
        1,
        &[
            "2026-11-10T10:00:00Z",
            "2026-11-17T10:00:00Z",
            "2026-11-18T10:00:00Z",
        ],
    )
    .await;
    was_there(&world, 2, &["2026-11-15T23:59:59Z", "2026-11-23T00:00:01Z"]).await;
    world.execute(&roll_up).await;
    was_there(&world, 3, &["2026-11-16T00:00:01Z", "11:00:00"]).await;
    // Somebody known was there before, and that comes late.
    was_there(&world, 1, &["2026-11-03T10:00:00Z"]).await;
    // Of what has not come yet nobody knows.
    was_there(&world, 4, &["13:00:00"]).await;
    let weeks = retention(&world, "week", 4).await;
    let expected = json!([
        cohort("11-02", 1, &json!([1, 1, 0])),
        cohort("11-09", 1, &json!([0, 1])),
        cohort("11-16", 1, &json!([1])),
        cohort("11-23", 0, &json!([])),
    ]);
    assert_eq!(weeks, expected);
    let days = retention(&world, "day", 9).await;
    assert_eq!(
        days[0],
        cohort("11-16", 1, &json!([0, 0, 0, 0, 0, 0, 0, 1]))
    );
    world.execute(&roll_up).await;
    assert_eq!(retention(&world, "week", 4).await, expected);
    assert_eq!(retention(&world, "day", 9).await, days);
    // Who was there before the first cohort is of none.
    let newest = retention(&world, "week", 2).await;
    assert_eq!(
        newest,
        json!([
            cohort("11-16", 1, &json!([1])),
            cohort("11-23", 0, &json!([]))
        ])
    );
}

#[tokio::test]
async fn what_was_forgotten_is_not_known_and_what_is_asked_wrongly_is_refused() {
    let world = World::migrated().await;
    let keep = json!({"p_key": "retention.visits_days", "p_value": 31, "p_by": "test"});
    world.call("ops_set_setting", keep).await;
    was_there(&world, 1, &["2026-10-13T10:00:00Z", "2026-11-17T10:00:00Z"]).await;
    world
        .execute(&format!(
            "select ops.roll_up_figures(1000, '{}')",
            at("12:00:00")
        ))
        .await;
    let weeks = retention(&world, "week", 7).await;
    // Days are kept from 24 October on, so only the weeks from the 26th on are known whole.
    assert_eq!(weeks[0], cohort("10-12", 1, &json!([null, 0, 0, 0, 1, 0])));
    assert_eq!(array(&weeks).len(), 7);
    for wrong in [
        json!({"p_unit": "month"}),
        json!({"p_count": 0}),
        json!({"p_count": 14}),
        json!({"p_unit": "day", "p_count": 32}),
        json!({"p_environment": "moon"}),
    ] {
        let [state, message, _] = world.refusal("ops_retention", wrong).await;
        assert_eq!(state, "22023", "{message}");
    }
}
