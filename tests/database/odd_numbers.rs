//! Numbers of the application that cannot be real: they are in no figure, open no
//! alert and are in no document, whatever they are and wherever they stand.
//!
//! `ODD_ROWS=20000 cargo test --test database odd_numbers` writes more rows into each
//! table, and `SEED=` says which.

use ops::monitoring::document::Document;
use serde_json::{Value, json};

use crate::{
    chance::{Dice, any_seed, wanted},
    objectives::views,
    rollups::maintain,
    support::{World, app, array, at},
};

/// How many rows each table gets unless the environment says otherwise.
const ROWS: u64 = 400;

/// Noon, when the tests look, as a second of their day.
const NOON: i64 = 12 * 3600;

/// No measurement, but a value that a column may hold.
const ODD: [&str; 8] = [
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "-1",
    "-0.001",
    "1000000000001",
    "1e30",
    "1e400",
];

/// No time of the past.
const NEVER: [&str; 4] = [
    "'infinity'",
    "'-infinity'",
    "'4000-01-01'",
    "'0044-03-15 BC'",
];

/// A number as the application may have written it; `None` where none is real.
struct Written {
    odd: String,
    clean: Option<String>,
}

fn number(dice: &mut Dice) -> Written {
    if dice.roll(3) == 0 {
        let odd = ODD[usize::try_from(dice.roll(8)).unwrap()].to_owned();
        return Written { odd, clean: None };
    }
    let real = format!("{}.{}", dice.roll(3000), dice.roll(1000));
    Written {
        odd: real.clone(),
        clean: Some(real),
    }
}

/// A status code, which a table holds as a whole number.
fn status(dice: &mut Dice) -> Written {
    let code = [200, 200, 200, 404, 500, 0, -1, 99, 600, i32::MAX]
        [usize::try_from(dice.roll(10)).unwrap()];
    Written {
        odd: code.to_string(),
        clean: (100..600).contains(&code).then(|| code.to_string()),
    }
}

/// A time of the last half year, mostly of the last hour.
fn time(dice: &mut Dice) -> String {
    let most = if dice.roll(4) == 0 { 180 * 86400 } else { 3600 };
    format!(
        "timestamptz '{}' - interval '{} s'",
        at("12:00:00"),
        dice.roll(most)
    )
}

/// A row for either world: of what is real alone, and with what is not. A row of a
/// time that is none is in the second alone.
fn row(dice: &mut Dice, table: &str, columns: &str, values: &[Written]) -> [String; 2] {
    let (time, real) = if dice.roll(10) == 0 {
        (
            NEVER[usize::try_from(dice.roll(4)).unwrap()].to_owned(),
            false,
        )
    } else {
        (time(dice), true)
    };
    let insert = |values: Vec<&str>| {
        format!(
            "insert into public.{table} ({columns}) values ({}, {time});\n",
            values.join(", ")
        )
    };
    let clean = values
        .iter()
        .map(|value| value.clean.as_deref().unwrap_or("null"));
    let clean = if real {
        insert(clean.collect())
    } else {
        String::new()
    };
    [
        clean,
        insert(values.iter().map(|value| value.odd.as_str()).collect()),
    ]
}

fn word(words: &[&str], dice: &mut Dice) -> Written {
    let word = words[usize::try_from(dice.roll(words.len() as u64)).unwrap()];
    let word = format!("'{word}'");
    Written {
        odd: word.clone(),
        clean: Some(word),
    }
}

/// One row of each of the application's tables.
fn rows(dice: &mut Dice) -> [String; 2] {
    let vitals = ["LCP", "FID", "INP", "CLS", "page_load_time"];
    let events = [
        "wine_added",
        "user_registered",
        "taste_profile_completed",
        "revenue",
    ];
    let endpoint = [
        word(&["/a", "/b?c=1"], dice),
        word(&["GET", "POST"], dice),
        status(dice),
        number(dice),
    ];
    let measured = [word(&vitals, dice), number(dice), word(&["ms"], dice)];
    let metrics = ["wine_consumed", "food_pairing_requested", "revenue"];
    let counted = [word(&metrics, dice), number(dice)];
    let event = [word(&events, dice)];
    let error = [
        word(&["it broke", "it broke 7 times"], dice),
        word(&["low", "critical"], dice),
    ];
    let alert = [
        word(&["system"], dice),
        word(&["warning", "error"], dice),
        word(&["slow"], dice),
        word(&[r#"{"value": "NaN", "more": 1e400}"#], dice),
    ];
    let health = [
        word(&["app"], dice),
        word(&["healthy"], dice),
        number(dice),
        number(dice),
    ];
    let session = [number(dice)];
    let usage = [word(&["search"], dice), number(dice), number(dice)];
    let mut worlds = [String::new(), String::new()];
    for (table, columns, values) in [
        (
            "api_usage_metrics",
            "endpoint, method, status_code, response_time, timestamp",
            &endpoint[..],
        ),
        (
            "performance_metrics",
            "name, value, unit, timestamp",
            &measured[..],
        ),
        (
            "business_metrics",
            "metric_name, metric_value, timestamp",
            &counted[..],
        ),
        ("analytics_events", "event_name, timestamp", &event[..]),
        ("error_logs", "message, severity, timestamp", &error[..]),
        (
            "alerts",
            "type, severity, message, data, timestamp",
            &alert[..],
        ),
        (
            "system_health",
            "service_name, status, response_time, error_rate, timestamp",
            &health[..],
        ),
        (
            "user_sessions",
            "duration_seconds, session_start",
            &session[..],
        ),
        (
            "feature_usage",
            "feature_name, success_rate, average_duration, last_used",
            &usage[..],
        ),
    ] {
        for (world, row) in worlds.iter_mut().zip(row(dice, table, columns, values)) {
            world.push_str(&row);
        }
    }
    worlds
}

/// Where the application's columns hold whatever it likes, as an early version of its
/// tables may.
async fn loose() -> World {
    let world = World::migrated().await;
    world
        .execute(
            "alter table public.api_usage_metrics alter response_time type numeric,
                 alter response_time drop not null, alter status_code drop not null;
             alter table public.performance_metrics alter value type numeric, alter value drop not null;
             alter table public.business_metrics alter metric_value type numeric,
                 alter metric_value drop not null;
             alter table public.system_health alter response_time type numeric, alter error_rate type numeric;
             alter table public.user_sessions alter duration_seconds type numeric;
             alter table public.feature_usage alter success_rate type numeric,
                 alter average_duration type numeric",
        )
        .await;
    world
}

/// What was seen of those rows: the verdicts of a tick, and the dashboard of each range.
async fn seen(world: &World, rows: &str) -> (Value, Vec<Value>) {
    world.execute(rows).await;
    maintain(world, NOON, 1000).await;
    let tick = world.tick("12:00:00", &[app("up")]).await;
    let mut documents = Vec::new();
    for seconds in [3_600, 86_400, 604_800, 2_592_000, 7_776_000, 31_536_000] {
        documents.push(world.dashboard(seconds, "12:00:00").await);
    }
    (tick, documents)
}

/// Asserts that a document holds no word that a number has become.
fn every_number_is_one(document: &Value) {
    match document {
        Value::String(text) => {
            assert!(
                !["NaN", "Infinity", "-Infinity"].contains(&text.as_str()),
                "{document}"
            );
        }
        Value::Array(items) => items.iter().for_each(every_number_is_one),
        Value::Object(fields) => fields.values().for_each(every_number_is_one),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn figures_are_those_of_the_real_numbers_alone() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    println!("rows of SEED={seed}");
    let mut dice = Dice(seed);
    let [mut clean, mut odd] = [String::new(), String::new()];
    for _ in 0..wanted("ODD_ROWS").unwrap_or(ROWS) {
        let [one, other] = rows(&mut dice);
        clean.push_str(&one);
        odd.push_str(&other);
    }
    let (of_clean, of_odd) = (loose().await, loose().await);
    let (clean_tick, clean) = seen(&of_clean, &clean).await;
    let (odd_tick, odd) = seen(&of_odd, &odd).await;

    let [of_odd_rows, of_clean_rows] = [&odd_tick, &clean_tick].map(|tick| {
        let mut rules = array(&tick["rules"]).clone();
        // One tells of the server that the tests share, the others of every event,
        // whatever its time.
        let told = ["connections_high", "critical_error", "app_alert"];
        rules.retain(|verdict| !told.iter().any(|rule| verdict["rule"] == *rule));
        rules
    });
    assert_eq!(of_odd_rows, of_clean_rows);
    every_number_is_one(&odd_tick);
    every_number_is_one(&of_odd.rows("select * from ops.alerts").await);
    every_number_is_one(&of_odd.rows("select * from ops.outbox").await);
    for (odd, clean) in odd.iter().zip(&clean) {
        every_number_is_one(odd);
        serde_json::from_value::<Document>(odd.clone()).expect("a document");
        for section in [
            "performance",
            "errors",
            "business",
            "systemHealth",
            "slo",
            "security",
            "uptime",
        ] {
            let [odd, clean] = [odd, clean].map(|document| {
                let mut section = document[section].clone();
                // Each world has accounts and an access of its own.
                if let Some(section) = section.as_object_mut() {
                    section.remove("accessChangedAt");
                }
                section
            });
            assert_eq!(odd, clean, "{section}");
        }
        for (what, count) in odd["dataQuality"]["leftOut"].as_object().unwrap() {
            assert!(count.as_u64().unwrap() > 0, "{what}: {odd}");
        }
    }
}

/// What the dashboard and the rules say once a single row is there.
#[tokio::test]
async fn one_response_time_that_is_no_number_changes_nothing_but_its_count() {
    let world = World::migrated().await;
    world
        .execute(&format!(
            "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
             select '/a', 'GET', 500, case n when 1 then 'NaN'::numeric else 100 end, '{}' from generate_series(1, 40) as n",
            at("11:59:00"),
        ))
        .await;
    let tick = world.tick("12:00:00", &[app("up")]).await;
    for rule in ["api_slow", "api_average_slow"] {
        let verdict = crate::support::verdict(&tick, rule, "app");
        assert_eq!(
            [&verdict["verdict"], &verdict["value"], &verdict["samples"]],
            [&json!("good"), &json!(100.0), &json!(39)],
            "{rule}"
        );
    }
    let document = world.dashboard(3600, "12:00:00").await;
    assert_eq!(document["performance"]["averageResponseTime"], 100.0);
    assert_eq!(document["performance"]["requests"], 40);
    // That it failed is known all the same.
    assert_eq!(document["errors"]["failedRequests"], 40);
    assert_eq!(document["dataQuality"]["leftOut"]["responseTimes"], 1);
}

#[tokio::test]
async fn a_web_vital_of_odd_values_alone_is_measured_and_says_nothing() {
    let world = World::migrated().await;
    views(&world, "LCP", 150, 150, (1.0, -1.0)).await;
    maintain(&world, NOON, 200).await;
    let document = world.dashboard(3600, "12:00:00").await;
    let vital = &document["slo"]["webVitals"]["LCP"];
    assert_eq!(
        [&vital["p75"], &vital["views"], &vital["verdict"]],
        [&Value::Null, &json!(0), &json!("insufficient")]
    );
    assert_eq!(document["dataQuality"]["leftOut"]["webVitals"], 150);
    assert_eq!(array(&document["alerts"]["recentAlerts"]).len(), 0);
}
