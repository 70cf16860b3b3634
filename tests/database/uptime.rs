//! Uptime: four values that sum to the period, whatever the samples.

use serde_json::{Value, json};

use crate::{
    chance::Dice,
    support::{World, at},
};

/// A sample: second of the day, status, how long it is valid.
pub(crate) type Sample = (i64, &'static str, i64);

/// Where the tests' day begins, so that times are seconds.
const MIDNIGHT: &str = "timestamptz '2026-11-24T00:00:00Z'";

pub(crate) async fn store(world: &World, check: &str, samples: &[Sample]) {
    let rows: Vec<String> = samples
        .iter()
        .map(|(second, status, valid)| {
            format!(
                "('{check}', {MIDNIGHT} + interval '{second} s', '{status}', {valid}, gen_random_uuid(), 'production')"
            )
        })
        .collect();
    if !rows.is_empty() {
        world
            .execute(&format!(
                "insert into ops.samples (check_name, at, status, valid_seconds, run, environment) values {}",
                rows.join(", "),
            ))
            .await;
    }
}

pub(crate) async fn uptime(world: &World, check: &str, from: i64, to: i64) -> Value {
    world
        .rows(&format!(
            "select * from ops.uptime('{check}', {MIDNIGHT} + interval '{from} s', {MIDNIGHT} + interval '{to} s')"
        ))
        .await[0]
        .clone()
}

/// Up, degraded, down, unknown and maintenance in whole seconds.
pub(crate) fn seconds(measured: &Value) -> [i32; 5] {
    ["up", "degraded", "down", "unknown", "maintenance"].map(|key| {
        let text = measured[key].to_string();
        let whole = text.strip_suffix(".0").unwrap_or(&text);
        whole.parse().unwrap_or_else(|_| panic!("{key} is {text}"))
    })
}

/// The same by asking every second for itself.
pub(crate) fn brute_force(samples: &[Sample], from: i64, to: i64) -> [i32; 4] {
    let mut sums = [0; 4];
    for second in from..to {
        let newest = samples
            .iter()
            .filter(|(at, _, _)| *at <= second)
            .enumerate()
            .max_by_key(|(order, (at, _, _))| (*at, *order));
        let status = newest
            .filter(|(_, (at, _, valid))| second < at + valid)
            .map_or("unknown", |(_, (_, status, _))| *status);
        match status {
            "up" => sums[0] += 1,
            "degraded" => {
                sums[0] += 1;
                sums[1] += 1;
            }
            "down" => sums[2] += 1,
            _ => sums[3] += 1,
        }
    }
    sums
}

#[tokio::test]
async fn any_sequence_sums_to_its_period_and_equals_brute_force() {
    let world = World::migrated().await;
    let mut dice = Dice(42);
    for case in 0..60 {
        let check = format!("case-{case}");
        let length = usize::try_from(dice.below(30)).unwrap();
        let mut samples: Vec<Sample> = (0..length)
            .map(|_| {
                let status =
                    ["up", "degraded", "down", "unknown"][usize::try_from(dice.below(4)).unwrap()];
                (dice.below(600), status, 1 + dice.below(120))
            })
            .collect();
        if case % 2 == 0 {
            samples.sort_by_key(|(second, _, _)| *second);
        }
        store(&world, &check, &samples).await;
        let from = dice.below(600);
        let to = from + dice.below(300);
        let measured = uptime(&world, &check, from, to).await;
        let [up, degraded, down, unknown] = brute_force(&samples, from, to);
        let expected = [up, degraded, down, unknown, 0];
        assert_eq!(seconds(&measured), expected, "{from}..{to} of {samples:?}");
        let sum = format!(
            "(select up + down + unknown + maintenance = {} from ops.uptime('{check}', {MIDNIGHT} + interval '{from} s', {MIDNIGHT} + interval '{to} s'))",
            to - from,
        );
        assert_eq!(world.value(&sum).await, true);
    }
}

#[tokio::test]
async fn microseconds_sum_exactly() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
             select 'c', {MIDNIGHT} + n * interval '7.000123 s', (array['up', 'down', 'degraded'])[1 + n % 3], 5,
                    gen_random_uuid(), 'production'
             from generate_series(0, 999) as n"
        ))
        .await;
    let exact = format!(
        "(select up + down + unknown + maintenance = 5999.876543
          from ops.uptime('c', {MIDNIGHT} + interval '0.000001 s', {MIDNIGHT} + interval '5999.876544 s'))"
    );
    assert_eq!(world.value(&exact).await, true);
}

#[tokio::test]
async fn named_cases() {
    let world = World::migrated().await;
    let cases: [(&str, &[Sample], [i32; 4]); 7] = [
        ("no data is unknown", &[], [0, 0, 0, 100]),
        (
            "a sample before the period reaches into it",
            &[(950, "up", 120)],
            [70, 0, 0, 30],
        ),
        (
            "one that does not reach says nothing",
            &[(850, "up", 120)],
            [0, 0, 0, 100],
        ),
        (
            "a sample is valid for its time only",
            &[(1000, "up", 60)],
            [60, 0, 0, 40],
        ),
        (
            "the next sample ends it",
            &[(1000, "up", 60), (1030, "down", 60)],
            [30, 0, 60, 10],
        ),
        (
            "degraded is up",
            &[(1000, "degraded", 500)],
            [100, 100, 0, 0],
        ),
        (
            "one at the end has lasted no time",
            &[(1100, "up", 60)],
            [0, 0, 0, 100],
        ),
    ];
    for (name, samples, [up, degraded, down, unknown]) in cases {
        store(&world, name, samples).await;
        let measured = uptime(&world, name, 1000, 1100).await;
        assert_eq!(
            seconds(&measured),
            [up, degraded, down, unknown, 0],
            "{name}"
        );
    }
}

#[tokio::test]
async fn percent_and_bounds() {
    let world = World::migrated().await;
    for (seconds, expected) in [
        (
            "60, 10, 20, 20, 0",
            json!({"up": 60, "degraded": 10, "down": 20, "unknown": 20, "maintenance": 0,
                   "percent": 75.0, "lower": 60.0, "upper": 80.0, "coverage": 80.0}),
        ),
        (
            "30, 0, 0, 20, 50",
            json!({"up": 30, "degraded": 0, "down": 0, "unknown": 20, "maintenance": 50,
                   "percent": 100.0, "lower": 60.0, "upper": 100.0, "coverage": 60.0}),
        ),
        (
            "0, 0, 0, 100, 0",
            json!({"up": 0, "degraded": 0, "down": 0, "unknown": 100, "maintenance": 0,
                   "percent": null, "lower": null, "upper": null, "coverage": 0.0}),
        ),
    ] {
        assert_eq!(
            world
                .value(&format!("ops.uptime_document({seconds})"))
                .await,
            expected
        );
    }
}

#[tokio::test]
async fn adjoining_periods_add_up() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
             select 'app', {MIDNIGHT} - n * interval '997 s',
                    (array['up', 'up', 'down', 'degraded', 'unknown'])[1 + n % 5], 1200, gen_random_uuid(), 'production'
             from generate_series(0, 8000) as n"
        ))
        .await;
    for seconds in [3600, 86400, 604_800, 2_592_000, 7_776_000] {
        let windows = world
            .value(&format!("ops.uptime_windows('app', {seconds}, {MIDNIGHT})"))
            .await;
        for (name, length) in [
            ("24h", 86400),
            ("7d", 604_800),
            ("30d", 2_592_000),
            ("window", seconds),
        ] {
            let whole = uptime(&world, "app", -length, 0).await;
            for key in ["up", "degraded", "down", "unknown"] {
                assert_eq!(
                    windows[name][key].as_f64(),
                    whole[key].as_f64(),
                    "{key} of {name} with {seconds}",
                );
            }
        }
    }
    assert_eq!(
        world
            .value(&format!("timestamptz '{}' = {MIDNIGHT}", at("00:00:00")))
            .await,
        true
    );
}
