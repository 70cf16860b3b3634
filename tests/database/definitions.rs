//! Checks as data: what may be kept, who changed it, when it is due, and what
//! follows from what was seen.

use serde_json::{Value, json};

use crate::support::{World, app, array, at, certificate, minutes, transitions, verdict};

async fn add(world: &World, name: &str, check: Value) -> Value {
    let arguments = json!({"p_name": name, "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await
}

/// A check over HTTP, added, with those fields.
async fn added(world: &World, name: &str, fields: Value) {
    let mut check = json!({"kind": "http", "url": "https://a.example/"});
    for (field, value) in fields.as_object().unwrap() {
        check[field] = value.clone();
    }
    add(world, name, check).await;
    // As if it had been there for long.
    world
        .execute(&format!(
            "alter table ops.custom_checks disable trigger all;
             update ops.custom_checks set updated_at = '2026-11-01' where name = '{name}';
             alter table ops.custom_checks enable trigger all"
        ))
        .await;
}

/// What a tick reports of that check.
fn kept(name: &str, status: &str, latency_ms: u32) -> Value {
    json!({
        "name": format!("check:{name}"), "kind": "http", "service": "app", "critical": false,
        "status": status, "latencyMs": latency_ms,
        "reason": (status == "down").then_some("http_status"), "detail": {"url": "https://a.example/"},
    })
}

/// The names of the checks that a claim says are due.
fn due(claim: &Value) -> Vec<&str> {
    array(&claim["checks"])
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_change_is_written_with_who_made_it() {
    let world = World::migrated().await;
    let check =
        json!({"kind": "http", "url": "https://a.example/", "contains": "ok", "everySeconds": 300});
    let document = add(&world, "home", check).await;
    assert_eq!(
        (
            &document["everySeconds"],
            &document["timeoutMs"],
            &document["severity"],
            &document["enabled"]
        ),
        (&json!(300), &json!(10000), &json!("high"), &json!(true))
    );
    let changes = json!({"contains": null, "status": 204, "everySeconds": null, "severity": "low"});
    let arguments = json!({"p_name": "home", "p_changes": changes, "p_by": "bert"});
    let edited = world.call("ops_edit_check", arguments).await;
    assert_eq!(
        edited,
        json!({"name": "home", "kind": "http", "url": "https://a.example/", "status": 204,
               "everySeconds": 60, "timeoutMs": 10000, "severity": "low", "enabled": true})
    );
    world
        .call(
            "ops_remove_check",
            json!({"p_name": "home", "p_by": "carl"}),
        )
        .await;
    assert_eq!(
        world
            .rows("select change, changed_by, old_value ->> 'severity' as before, new_value ->> 'severity' as after from ops.check_changes order by id")
            .await,
        json!([
            {"change": "added", "changed_by": "anna", "before": null, "after": "high"},
            {"change": "edited", "changed_by": "bert", "before": "high", "after": "low"},
            {"change": "removed", "changed_by": "carl", "before": "low", "after": null},
        ])
    );
}

#[tokio::test]
async fn a_certificate_on_the_way_of_a_check_that_is_not_due_is_still_watched() {
    let sign_in = json!([{"url": "https://app.example/sign-in"}]);
    for (field, value) in [("redirects", json!(1)), ("before", sign_in)] {
        let mut check =
            json!({"kind": "http", "url": "https://shop.example/", "everySeconds": 300});
        check[field] = value;
        watch_the_way(check).await;
    }
}

async fn watch_the_way(check: Value) {
    let world = World::migrated().await;
    add(&world, "shop", check).await;
    let seen = |hosts: Value| {
        json!({"name": "check:shop", "kind": "http", "service": "app", "critical": false, "status": "up",
               "latencyMs": 1, "reason": null, "detail": {"hosts": hosts}})
    };
    let on_the_way = seen(json!(["shop.example", "app.example"]));
    let mut told = Vec::new();
    for (now, checks) in [
        ("12:00:05", vec![on_the_way.clone(), certificate(Some(3))]),
        ("12:01:05", vec![on_the_way.clone(), certificate(Some(3))]),
        ("12:02:05", vec![on_the_way, certificate(Some(3))]),
        ("12:03:05", vec![]),
        ("12:04:05", vec![]),
        (
            "12:05:05",
            vec![seen(json!(["shop.example", "elsewhere.example"]))],
        ),
        ("12:06:05", vec![]),
    ] {
        let tick = world.tick(now, &checks).await;
        told.extend(
            transitions(&tick)
                .into_iter()
                .map(|told| format!("{now} {told}")),
        );
    }
    assert_eq!(
        told,
        [
            "12:02:05 opened certificate_urgent app.example",
            "12:06:05 resolved certificate_urgent app.example"
        ]
    );
}

#[tokio::test]
async fn what_is_not_there_or_would_lose_its_history_is_refused() {
    let world = World::migrated().await;
    add(&world, "home", json!({"kind": "dns", "host": "a"})).await;
    for (function, arguments) in [
        (
            "ops_add_check",
            json!({"p_name": "home", "p_check": {"kind": "dns", "host": "b"}, "p_by": "anna"}),
        ),
        (
            "ops_edit_check",
            json!({"p_name": "home", "p_changes": {"kind": "tcp"}, "p_by": "anna"}),
        ),
        (
            "ops_edit_check",
            json!({"p_name": "home", "p_changes": {"name": "b"}, "p_by": "anna"}),
        ),
        (
            "ops_edit_check",
            json!({"p_name": "none", "p_changes": {}, "p_by": "anna"}),
        ),
        (
            "ops_remove_check",
            json!({"p_name": "none", "p_by": "anna"}),
        ),
        ("ops_remove_check", json!({"p_name": "home", "p_by": " "})),
        (
            "ops_issue_heartbeat_token",
            json!({"p_name": "home", "p_by": "anna", "p_token_hash": "0".repeat(64)}),
        ),
    ] {
        let [code, message, _] = world.refusal(function, arguments.clone()).await;
        assert_eq!(code, "22023", "{arguments}: {message}");
    }
}

#[tokio::test]
async fn what_is_looked_at_seldom_opens_and_resolves_at_once_after_a_second_look() {
    let world = World::migrated().await;
    for (every, spec, expected) in [
        (60, json!({}), [3, 2, 0]),
        (300, json!({}), [3, 2, 0]),
        (301, json!({}), [1, 1, 2]),
        (86_400, json!({"opensAfter": 4}), [4, 1, 0]),
        (60, json!({"opensAfter": 1}), [1, 2, 2]),
        (60, json!({"resolvesAfter": 5}), [3, 5, 0]),
        (60, json!({"opensAfter": 1, "retries": 0}), [1, 2, 0]),
        (60, json!({"retries": 3}), [3, 2, 3]),
    ] {
        let check = json!({"every_seconds": every, "spec": spec});
        let found = world
            .value(&format!(
                "(select array[ops.bad_after(c, 3), ops.good_after(c, 2), ops.retries(c, 3)]
                  from jsonb_populate_record(null::ops.custom_checks, '{check}') as c)"
            ))
            .await;
        assert_eq!(found, json!(expected), "{check}");
    }
}

#[tokio::test]
async fn a_check_is_due_when_its_interval_is_over() {
    let world = World::migrated().await;
    added(&world, "often", json!({})).await;
    added(&world, "seldom", json!({"everySeconds": 300})).await;
    added(&world, "off", json!({"enabled": false})).await;
    let mut seen = Vec::new();
    // Ticks come some seconds early or late.
    for now in [
        "12:00:05", "12:01:01", "12:02:09", "12:03:05", "12:04:02", "12:05:01", "12:06:05",
    ] {
        let claim = world.claim(now).await;
        let names: Vec<String> = due(&claim).iter().map(|name| (*name).to_owned()).collect();
        let checks: Vec<_> = names.iter().map(|name| kept(name, "up", 9)).collect();
        world.commit(&claim, now, &checks, json!({})).await;
        seen.push(names.len());
    }
    assert_eq!(seen, [2, 1, 1, 1, 1, 2, 1]);
    let valid = world
        .rows("select distinct check_name, valid_seconds from ops.samples order by 1")
        .await;
    assert_eq!(
        valid,
        json!([{"check_name": "check:often", "valid_seconds": 120},
               {"check_name": "check:seldom", "valid_seconds": 600}])
    );
}

#[tokio::test]
async fn a_changed_check_is_due_at_once_and_a_run_by_hand_probes_all() {
    let world = World::migrated().await;
    added(&world, "seldom", json!({"everySeconds": 86400})).await;
    world.tick("12:00:05", &[kept("seldom", "up", 9)]).await;
    assert_eq!(due(&world.claim("12:01:05").await), Vec::<&str>::new());
    let arguments = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "monitor", "p_every_seconds": 60,
        "p_lease_seconds": 55, "p_manual": true, "p_now": at("12:02:30"),
    });
    assert_eq!(
        due(&world.call("ops_claim_run", arguments).await),
        ["seldom"]
    );
    world
        .execute(
            "alter table ops.custom_checks disable trigger all;
             update ops.custom_checks set updated_at = '2026-11-24 12:02:00Z' where name = 'seldom';
             alter table ops.custom_checks enable trigger all",
        )
        .await;
    assert_eq!(due(&world.claim("12:04:05").await), ["seldom"]);
    let backup = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "dispatch", "p_every_seconds": 60,
        "p_lease_seconds": 55, "p_manual": false, "p_now": at("12:04:05"),
    });
    let claim = world.call("ops_claim_run", backup).await;
    assert_eq!(claim["checks"], Value::Null, "no other job probes");
}

#[tokio::test]
async fn a_failing_check_alerts_with_the_severity_of_its_own() {
    let world = World::migrated().await;
    added(&world, "home", json!({"severity": "critical"})).await;
    for now in minutes("12:00:05", 2) {
        assert!(transitions(&world.tick(&now, &[kept("home", "down", 9)]).await).is_empty());
    }
    let third = world.tick("12:02:05", &[kept("home", "down", 9)]).await;
    assert_eq!(transitions(&third), ["opened check_failing home"]);
    let alert = world
        .rows("select severity, facts ->> 'reason' as reason, facts #>> '{detail,check}' as kind from ops.alerts")
        .await;
    assert_eq!(
        alert,
        json!([{"severity": "critical", "reason": "http_status", "kind": "http"}])
    );
    world.tick("12:03:05", &[kept("home", "unknown", 9)]).await;
    world.tick("12:04:05", &[kept("home", "up", 9)]).await;
    let second = world.tick("12:05:05", &[kept("home", "up", 9)]).await;
    assert_eq!(transitions(&second), ["resolved check_failing home"]);
    assert_eq!(
        verdict(&second, "check_failing", "home"),
        &Value::Null,
        "what is good is not listed"
    );
}

#[tokio::test]
async fn a_check_is_slow_above_its_own_limit_until_the_limit_is_taken_away() {
    let world = World::migrated().await;
    added(&world, "home", json!({"maxLatencyMs": 500})).await;
    let tick = world.tick("12:00:05", &[kept("home", "up", 501)]).await;
    assert_eq!(verdict(&tick, "check_slow", "home")["verdict"], "bad");
    let tick = world.tick("12:01:05", &[kept("home", "down", 501)]).await;
    assert_eq!(
        verdict(&tick, "check_slow", "home")["verdict"],
        "insufficient"
    );
    let mut opened = Vec::new();
    for now in minutes("12:02:05", 2) {
        opened.extend(transitions(
            &world.tick(&now, &[kept("home", "up", 501)]).await,
        ));
    }
    assert_eq!(opened, ["opened check_slow home"]);
    let arguments = json!({"p_name": "home", "p_changes": {"maxLatencyMs": null}, "p_by": "anna"});
    world.call("ops_edit_check", arguments).await;
    let mut closed = Vec::new();
    for now in minutes("12:04:05", 2) {
        closed.extend(transitions(
            &world.tick(&now, &[kept("home", "up", 501)]).await,
        ));
    }
    assert_eq!(closed, ["resolved check_slow home"]);
}

#[tokio::test]
async fn what_is_not_due_stays_as_it_was_and_what_is_removed_resolves() {
    let world = World::migrated().await;
    added(
        &world,
        "seldom",
        json!({"everySeconds": 3600, "url": "https://APP.example/x"}),
    )
    .await;
    for now in minutes("12:00:05", 3) {
        world
            .tick(&now, &[kept("seldom", "down", 9), certificate(Some(3))])
            .await;
    }
    let open = "select rule from ops.alerts where status = 'firing' order by rule";
    let both = json!([{"rule": "certificate_urgent"}, {"rule": "check_failing"}]);
    assert_eq!(world.rows(open).await, both);
    for now in minutes("12:03:05", 5) {
        world.tick(&now, &[app("up")]).await;
    }
    assert_eq!(world.rows(open).await, both);
    world
        .call(
            "ops_remove_check",
            json!({"p_name": "seldom", "p_by": "anna"}),
        )
        .await;
    for now in minutes("12:08:05", 2) {
        world.tick(&now, &[app("up")]).await;
    }
    assert_eq!(world.rows(open).await, json!([]));
}

#[tokio::test]
async fn kept_checks_are_no_service_of_the_old_readers() {
    let world = World::migrated().await;
    added(&world, "home", json!({})).await;
    world
        .tick("12:00:05", &[kept("home", "down", 9), app("up")])
        .await;
    let services = world
        .rows("select service_name, status from public.system_health")
        .await;
    assert_eq!(
        services,
        json!([{"service_name": "app", "status": "healthy"}])
    );
    let listed = world.call("ops_list_checks", json!({})).await;
    let home = &listed["checks"][0];
    assert_eq!(
        (
            &home["status"],
            &home["reason"],
            &home["updatedBy"],
            &home["definition"]["name"]
        ),
        (
            &json!("down"),
            &json!("http_status"),
            &json!("anna"),
            &json!("home")
        )
    );
}
