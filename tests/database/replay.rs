//! Rules tried on the past: what the rules in force would have done is what was
//! done, and nothing is written.

use serde_json::{Value, json};

use crate::{
    chance::Dice,
    replay_history::{live, really, replay},
    support::{World, app, array, at, minutes, transitions},
};

#[tokio::test]
async fn the_rules_in_force_replay_what_really_happened() {
    let mut rules_seen = std::collections::BTreeSet::new();
    for seed in 1..=3 {
        let world = World::migrated().await;
        live(&world, seed).await;
        let replayed = replay(&world, "11:00:00", &json!({}), &mut Dice(seed)).await;
        assert_eq!(replayed.ticks, 110);
        let real = really(&world).await;
        assert_eq!(replayed.firings, real, "seed {seed}");
        rules_seen.extend(
            real.iter()
                .map(|line| line.split(' ').nth(1).unwrap().to_owned()),
        );
    }
    for rule in [
        "app_down",
        "app_slow",
        "certificate_urgent",
        "check_failing",
        "check_slow",
        "api_average_slow",
        "endpoint_slow",
        "error_rate_high",
        "service_degraded",
        "slo_fast_burn",
    ] {
        assert!(
            rules_seen.contains(&format!("\"{rule}\"")),
            "{rule} never fired: {rules_seen:?}"
        );
    }
}

#[tokio::test]
async fn stricter_rules_open_less_and_nothing_is_written() {
    let world = World::migrated().await;
    live(&world, 7).await;
    let rows = "select relnamespace::regnamespace as space, relname as name,
                    query_to_xml(format('select count(*) from %s', oid::regclass), false, true, '')::text as count
                from pg_class where relkind = 'r' and relnamespace in ('ops'::regnamespace, 'public'::regnamespace)
                order by 1, 2";
    let before = world.rows(rows).await;
    let mut dice = Dice(7);
    let now = replay(&world, "11:00:00", &json!({}), &mut dice).await;
    let mut fewer = now.firings.len();
    for rules in [
        json!({"alert.bad_after": 6}),
        json!({"alert.bad_after": 10, "threshold.app_latency_ms": 10000, "threshold.api_average_ms": 10000}),
        json!({"alert.bad_after": 60}),
    ] {
        let tried = replay(&world, "11:00:00", &rules, &mut dice)
            .await
            .firings
            .len();
        assert!(tried < fewer, "{rules}: {tried} of {fewer}");
        fewer = tried;
    }
    assert_eq!(world.rows(rows).await, before);
}

#[tokio::test]
async fn a_threshold_is_tried_on_the_samples_of_that_time() {
    let world = World::migrated().await;
    for now in minutes("12:00:00", 10) {
        let slow = crate::support::page("https://app.example/", "up", Some(3000));
        assert_eq!(
            transitions(&world.tick(&now, &[slow]).await),
            Vec::<String>::new()
        );
    }
    let rules = json!({"threshold.app_latency_ms": 2999, "severity.app_slow": "low"});
    let replayed = replay(&world, "11:00:00", &rules, &mut Dice(1)).await;
    let expected = "\"2026-11-24T12:02:00+00:00\" \"app_slow\" \"https://app.example/\" \"low\" \
                    \"2026-11-24T12:00:00+00:00\" null";
    assert_eq!(replayed.firings.into_iter().collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn what_is_open_when_a_replay_begins_is_not_opened_again() {
    let world = World::migrated().await;
    for now in minutes("12:00:00", 20) {
        world.tick(&now, &[app("down")]).await;
    }
    for now in minutes("12:20:00", 5) {
        world.tick(&now, &[app("up")]).await;
    }
    let replayed = replay(&world, "12:10:00", &json!({}), &mut Dice(1)).await;
    assert_eq!(replayed.ticks, 15);
    assert_eq!(replayed.firings, really(&world).await);
}

#[tokio::test]
async fn what_is_not_known_neither_opens_nor_resolves() {
    let world = World::migrated().await;
    for (start, count, status) in [
        ("12:00:00", 2, "down"),
        ("12:02:00", 5, "unknown"),
        // After a silence of half an hour.
        ("12:40:00", 1, "down"),
        ("12:41:00", 9, "unknown"),
    ] {
        for now in minutes(start, count) {
            world.tick(&now, &[app(status)]).await;
        }
    }
    let replayed = replay(&world, "11:00:00", &json!({}), &mut Dice(3)).await;
    assert_eq!(replayed.firings, really(&world).await);
    assert_eq!(replayed.firings.len(), 1);
}

#[tokio::test]
async fn every_rule_says_how_it_is_tried() {
    let world = World::migrated().await;
    let rules =
        json!({"threshold.connections_percent": 50, "alert.bad_after": 5, "digest.hour_utc": 3});
    let arguments = json!({"p_since": at("12:00:00"), "p_rules": rules, "p_now": at("13:00:00")});
    let plan = world.call("ops_plan_replay", arguments).await;
    assert_eq!(
        plan["untried"],
        json!(["digest.hour_utc", "threshold.connections_percent"])
    );
    assert_eq!(
        (&plan["from"], &plan["to"]),
        (&plan["to"], &json!("2026-11-24T13:00:00+00:00"))
    );
    let manner = |rule: &str| {
        let found = array(&plan["rules"])
            .iter()
            .find(|known| known["rule"] == rule);
        found.unwrap()["manner"].clone()
    };
    for (rule, expected) in [
        ("app_down", "judged"),
        ("connections_high", "recorded"),
        ("backup_overdue", "recorded"),
        ("critical_error", "happened"),
        ("external", "happened"),
        ("monitoring_blind", "happened"),
        ("monitoring_gap", "none"),
    ] {
        assert_eq!(manner(rule), expected, "{rule}");
    }
    let all = world.value("(select count(*) from ops.rules)").await;
    assert_eq!(json!(array(&plan["rules"]).len()), all);
}

#[tokio::test]
async fn rules_that_could_not_be_set_are_not_tried() {
    let world = World::migrated().await;
    for rules in [
        json!({"alert.bad_after": 0}),
        json!({"alert.bad_after": "often"}),
        json!({"alert.nonsense": 1}),
        json!({"severity.app_slow": "loud"}),
        json!({"severity.nonsense": "low"}),
        json!([]),
        Value::Null,
    ] {
        let arguments =
            json!({"p_since": at("12:00:00"), "p_rules": rules, "p_now": at("13:00:00")});
        let [code, ..] = world.refusal("ops_plan_replay", arguments).await;
        assert_eq!(code, "22023", "{rules}");
    }
}
