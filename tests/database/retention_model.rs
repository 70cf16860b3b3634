//! Who comes back, against a reference that reads rows: whoever was there when, in whatever
//! order that came in and however much of it is rolled up.
//!
//! `COHORTS=100 cargo test --test database retention_model` plays more histories, from the
//! `SEED=` that a failure prints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    chance::{Dice, any_seed, wanted},
    support::{World, at},
};

const HISTORIES: u64 = 4;

/// Tuesday noon, when the tests look, in seconds after a Monday's midnight thirteen weeks before.
const NOW: i64 = (13 * 7 + 1) * DAY + 12 * 3600;
const DAY: i64 = 86_400;

/// The day on which somebody was there: a second belongs to the minute that it ends.
fn day(second: i64) -> i64 {
    ((second - 1).div_euclid(60) * 60).div_euclid(DAY)
}

fn reference(rows: &[(u64, i64)], length: i64, count: i64) -> Value {
    let mut times: BTreeMap<u64, BTreeSet<i64>> = BTreeMap::new();
    for (person, second) in rows.iter().filter(|(_, second)| *second <= NOW) {
        times
            .entry(*person)
            .or_default()
            .insert(day(*second).div_euclid(length));
    }
    let current = NOW.div_euclid(DAY).div_euclid(length);
    let cohorts = (current - count + 1..=current).map(|cohort| {
        let people: Vec<_> = times
            .values()
            .filter(|own| own.first() == Some(&cohort))
            .collect();
        let returned: Vec<_> = (cohort + 1..=current)
            .map(|later| people.iter().filter(|own| own.contains(&later)).count())
            .collect();
        json!({"people": people.len(), "returned": returned})
    });
    cohorts.collect()
}

async fn compare(world: &World, rows: &[(u64, i64)], seed: u64) {
    for (unit, length, count) in [
        ("week", 7, 12),
        ("week", 7, 3),
        ("day", 1, 31),
        ("day", 1, 4),
    ] {
        let arguments = json!({"p_unit": unit, "p_count": count, "p_now": at("12:00:00")});
        let mut counted = world.call("ops_retention", arguments).await["cohorts"].take();
        for cohort in counted.as_array_mut().unwrap() {
            cohort.as_object_mut().unwrap().remove("from");
        }
        assert_eq!(
            counted,
            reference(rows, length, count),
            "SEED={seed} {unit} {count} {rows:?}"
        );
    }
}

#[tokio::test]
async fn whoever_comes_whenever_is_of_one_cohort_and_counted_when_they_return() {
    let first = wanted("SEED").unwrap_or_else(any_seed);
    for seed in first..first + wanted("COHORTS").unwrap_or(HISTORIES) {
        let world = World::migrated().await;
        world
            .execute(
                "insert into auth.users (id) select ('00000000-0000-4000-8000-00000000000' || n)::uuid
                 from generate_series(0, 9) as n",
            )
            .await;
        let mut dice = Dice(seed);
        let mut rows: Vec<(u64, i64)> = Vec::new();
        for _ in 0..20 {
            let person = dice.roll(10);
            let weeks = i64::try_from(dice.roll(12)).unwrap();
            let second = match dice.roll(3) {
                // Around midnight, where a day ends.
                0 => {
                    (NOW.div_euclid(DAY) - 7 * weeks) * DAY + i64::try_from(dice.roll(122)).unwrap()
                        - 60
                }
                1 => NOW - i64::try_from(dice.roll(20)).unwrap() * DAY,
                _ => NOW - 7 * weeks * DAY + i64::try_from(dice.roll(7200)).unwrap() - 3600,
            };
            rows.push((person, second));
            let sql = format!(
                "insert into public.analytics_events (event_name, user_id, environment, timestamp)
                 values ('x', '00000000-0000-4000-8000-00000000000{person}', 'production',
                     timestamptz '{0}' - interval '{1} s'),
                     ('x', '00000000-0000-4000-8000-000000000009', 'preview', timestamptz '{0}' - interval '70 d')",
                at("12:00:00"),
                NOW - second
            );
            world.execute(&sql).await;
            match dice.roll(4) {
                0 => {
                    let limit = 1 + dice.roll(5);
                    let roll_up =
                        format!("select ops.roll_up_figures({limit}, '{}')", at("12:00:00"));
                    world.execute(&roll_up).await;
                }
                1 => compare(&world, &rows, seed).await,
                _ => {}
            }
        }
        compare(&world, &rows, seed).await;
        world
            .execute(&format!(
                "select ops.roll_up_figures(1000, '{}')",
                at("12:00:00")
            ))
            .await;
        compare(&world, &rows, seed).await;
    }
}
