//! Holds: one cause is told once, and its consequences wait for its end.

use serde_json::{Value, json};

use crate::{
    people::{act, advance, contact, messages, raise},
    support::{World, app, array, at, dependency, minutes, transitions},
};

/// A kept check that depends on those, with other fields.
async fn kept(world: &World, name: &str, needs: &[&str], fields: Value) {
    let mut check = json!({"kind": "tcp", "host": "a.example", "port": 1});
    if !needs.is_empty() {
        check["dependsOn"] = json!(needs);
    }
    for (field, value) in fields.as_object().unwrap() {
        check[field] = value.clone();
    }
    let arguments = json!({"p_name": name, "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
}

/// What a tick reports of a kept check.
fn seen(name: &str, status: &str) -> Value {
    json!({
        "name": format!("check:{name}"), "kind": "tcp", "service": "app", "critical": false,
        "status": status, "latencyMs": 5, "reason": null, "detail": {},
    })
}

/// Three ticks from that time on that see all of this.
async fn three(world: &World, from: &str, checks: &[Value]) {
    for now in minutes(from, 3) {
        world.tick(&now, checks).await;
    }
}

/// The subjects and kinds of what is leased on Slack at that time, and sent.
async fn told(world: &World, now: &str) -> Vec<String> {
    let arguments = json!({"p_claim": uuid::Uuid::new_v4(), "p_channels": ["slack"], "p_limit": 50,
                           "p_lease_seconds": 60, "p_now": at(now)});
    let claimed = world.call("ops_claim_messages", arguments).await;
    let mut told = Vec::new();
    let mut results = Vec::new();
    let mut lease = Value::Null;
    for message in array(&claimed["messages"]) {
        let fact = |key: &str| message["facts"][key].as_str().unwrap();
        told.push(format!("{} {}", fact("kind"), fact("subject")));
        results.push(json!({"id": message["id"], "outcome": "sent"}));
        lease = message["lease"].clone();
    }
    assert_eq!(claimed["digests"], json!([]));
    if !told.is_empty() {
        let arguments = json!({"p_claim": lease, "p_results": results, "p_now": at(now)});
        world.call("ops_settle_messages", arguments).await;
    }
    told
}

/// What holds the alert about that subject, as `alerts list` says.
async fn held_by(world: &World, now: &str, subject: &str) -> Value {
    let listed = world
        .call("ops_list_alerts", json!({"p_now": at(now)}))
        .await;
    let alerts = array(&listed["alerts"]).iter();
    let mut of_it = alerts.filter(|alert| alert["subject"] == subject);
    of_it.next().expect("an open alert")["heldBy"].clone()
}

const DATABASE: &str = "firing database";

#[tokio::test]
async fn a_consequence_waits_while_its_cause_is_bad_and_is_never_told_if_it_recovers() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    three(
        &world,
        "12:00:00",
        &[dependency("database", "down"), seen("search", "down")],
    )
    .await;
    assert_eq!(told(&world, "12:02:05").await, [DATABASE]);
    let cause = json!({"rule": "database_failing", "subject": "database"});
    assert_eq!(held_by(&world, "12:02:06", "search").await, cause);
    let dashboard = world.dashboard(3600, "12:02:06").await;
    let recent = array(&dashboard["alerts"]["recentAlerts"]).iter();
    let held: Vec<&Value> = recent.map(|alert| &alert["heldBy"]).collect();
    assert!(
        held.contains(&&cause) && held.contains(&&Value::Null),
        "{held:?}"
    );
    for now in minutes("12:03:00", 2) {
        world
            .tick(
                &now,
                &[dependency("database", "up"), seen("search", "down")],
            )
            .await;
    }
    assert_eq!(told(&world, "12:04:05").await, ["resolved database"]);
    for now in minutes("12:05:00", 2) {
        world
            .tick(&now, &[dependency("database", "up"), seen("search", "up")])
            .await;
    }
    assert!(
        told(&world, "12:06:05").await.is_empty(),
        "it recovered within the grace"
    );
    assert_eq!(
        world
            .value("(select count(*) from ops.alerts where status <> 'resolved')")
            .await,
        0
    );
}

#[tokio::test]
async fn what_is_still_bad_after_the_grace_is_told_and_its_end_too() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    three(
        &world,
        "12:00:00",
        &[dependency("database", "down"), seen("search", "down")],
    )
    .await;
    told(&world, "12:02:05").await;
    let mut heard = Vec::new();
    for now in minutes("12:03:00", 5) {
        world
            .tick(
                &now,
                &[dependency("database", "up"), seen("search", "down")],
            )
            .await;
        for line in told(&world, &now).await {
            heard.push(format!("{} {line}", &now[11..16]));
        }
    }
    assert_eq!(heard, ["12:04 resolved database", "12:07 firing search"]);
    for now in minutes("12:08:00", 2) {
        world.tick(&now, &[seen("search", "up")]).await;
    }
    assert_eq!(told(&world, "12:09:05").await, ["resolved search"]);
}

#[tokio::test]
async fn a_consequence_that_opens_before_its_cause_waits_for_it() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    let both = [dependency("database", "down"), seen("search", "down")];
    world.tick("12:00:00", &[seen("search", "down")]).await;
    world.tick("12:01:00", &both).await;
    let opened = world.tick("12:02:00", &both).await;
    assert_eq!(transitions(&opened), ["opened check_failing search"]);
    assert!(told(&world, "12:02:05").await.is_empty());
    world.tick("12:03:00", &both).await;
    assert_eq!(told(&world, "12:03:05").await, [DATABASE]);
}

#[tokio::test]
async fn a_cause_that_was_nothing_lets_go_at_once() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    let down = seen("search", "down");
    for now in minutes("12:00:00", 2) {
        world.tick(&now, std::slice::from_ref(&down)).await;
    }
    let both = [dependency("database", "down"), down.clone()];
    world.tick("12:02:00", &both).await;
    assert!(told(&world, "12:02:05").await.is_empty());
    let well = [dependency("database", "up"), down];
    world.tick("12:03:00", &well).await;
    assert_eq!(told(&world, "12:03:05").await, ["firing search"]);
}

#[tokio::test]
async fn a_cause_that_nobody_sees_any_more_holds_nothing_for_long() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    let down = seen("search", "down");
    world
        .tick("12:00:00", &[dependency("database", "down"), down.clone()])
        .await;
    // Once bad, then unknown: it will open no alert.
    for now in minutes("12:01:00", 2) {
        world
            .tick(&now, &[dependency("database", "unknown"), down.clone()])
            .await;
        assert!(told(&world, &now).await.is_empty());
    }
    world
        .tick("12:03:00", &[dependency("database", "unknown"), down])
        .await;
    assert_eq!(told(&world, "12:03:05").await, ["firing search"]);
}

#[tokio::test]
async fn one_hop_is_enough_for_a_chain() {
    let world = World::migrated().await;
    kept(&world, "a", &["database"], json!({})).await;
    kept(&world, "b", &["a"], json!({})).await;
    kept(&world, "c", &["b"], json!({})).await;
    let all = |status: &str| ["a", "b", "c"].map(|name| seen(name, status));
    let mut checks = all("down").to_vec();
    checks.push(dependency("database", "down"));
    three(&world, "12:00:00", &checks).await;
    assert_eq!(told(&world, "12:02:05").await, [DATABASE]);
}

#[tokio::test]
async fn if_ticks_stop_what_was_held_is_told() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    three(
        &world,
        "12:00:00",
        &[dependency("database", "down"), seen("search", "down")],
    )
    .await;
    told(&world, "12:02:05").await;
    assert!(told(&world, "12:04:29").await.is_empty());
    assert_eq!(told(&world, "12:04:30").await, ["firing search"]);
}

#[tokio::test]
async fn a_ladder_stands_still_while_its_alert_is_held() {
    let world = World::migrated().await;
    contact(
        &world,
        "Anna",
        "on_call_primary",
        json!({"email": "anna@wine.example"}),
    )
    .await;
    contact(
        &world,
        "Max",
        "engineering_manager",
        json!({"email": "max@wine.example"}),
    )
    .await;
    kept(
        &world,
        "checkout",
        &["database"],
        json!({"severity": "critical"}),
    )
    .await;
    let ladder = "select person ->> 'name' as name, step.status, to_char(due_at, 'HH24:MI') as due
                  from ops.escalations as step join ops.alerts as alert on alert.id = step.alert
                  where alert.subject = 'checkout' and step.status <> 'done'
                      and (person is not null or after_minutes in (0, 30)) order by due_at";
    let down = |database: &str| [dependency("database", database), seen("checkout", "down")];
    three(&world, "12:00:00", &down("down")).await;
    for now in minutes("12:03:00", 40) {
        world.tick(&now, &down("down")).await;
    }
    assert_eq!(
        world.rows(ladder).await,
        json!([{"name": null, "status": "waiting", "due": "12:02"},
               {"name": null, "status": "waiting", "due": "12:32"}])
    );
    // Well from 12:44 on, and three minutes of grace.
    for now in minutes("12:43:00", 5) {
        world.tick(&now, &down("up")).await;
    }
    assert_eq!(
        world.rows(ladder).await,
        json!([{"name": "Anna", "status": "told", "due": "12:47"},
               {"name": null, "status": "waiting", "due": "13:17"}])
    );
    assert!(
        told(&world, "12:47:05")
            .await
            .contains(&"firing checkout".to_owned())
    );
}

#[tokio::test]
async fn what_is_critical_is_held_only_by_what_is_critical_and_nothing_by_what_can_wait() {
    let world = World::migrated().await;
    kept(&world, "payments", &["ai"], json!({"severity": "critical"})).await;
    kept(&world, "answers", &["ai"], json!({})).await;
    kept(&world, "docs", &[], json!({"severity": "low"})).await;
    kept(&world, "search", &["docs"], json!({})).await;
    let mut checks = ["payments", "answers", "docs", "search"]
        .map(|name| seen(name, "down"))
        .to_vec();
    checks.push(dependency("ai", "down"));
    three(&world, "12:00:00", &checks).await;
    let mut heard = told(&world, "12:02:05").await;
    heard.sort();
    assert_eq!(heard, ["firing ai", "firing payments", "firing search"]);
}

#[tokio::test]
async fn a_held_alert_joins_the_incident_and_an_acknowledged_cause_still_holds() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    let down = [dependency("database", "down"), seen("search", "down")];
    three(&world, "12:00:00", &down).await;
    told(&world, "12:02:05").await;
    assert_eq!(
        world
            .value("(select count(distinct incident) from ops.alerts where incident is not null)")
            .await,
        1
    );
    let cause = world
        .value("(select id from ops.alerts where rule = 'database_failing')")
        .await;
    act(&world, cause.as_str().unwrap(), "acknowledge", "12:02:30").await;
    for now in minutes("12:03:00", 10) {
        world.tick(&now, &down).await;
        assert!(told(&world, &now).await.is_empty());
    }
}

#[tokio::test]
async fn messages_that_are_held_are_not_stuck() {
    let world = World::migrated().await;
    kept(&world, "search", &["database"], json!({})).await;
    let down = [dependency("database", "down"), seen("search", "down")];
    three(&world, "12:00:00", &down).await;
    world.deliver("12:02:05").await;
    let mut waited = Value::Null;
    for now in minutes("12:03:00", 20) {
        let tick = world.tick(&now, &down).await;
        waited = array(&tick["rules"])
            .iter()
            .find(|rule| rule["rule"] == "outbox_stuck")
            .expect("a verdict")["value"]
            .clone();
    }
    assert_eq!(waited, json!(0));
    assert_eq!(
        messages(&world).await.last().unwrap(),
        "firing slack sent",
        "{:?}",
        messages(&world).await
    );
}

#[tokio::test]
async fn an_alert_that_is_raised_between_ticks_is_held_too() {
    let world = World::migrated().await;
    world
        .execute(
            "insert into ops.dependencies (rule, subject, needs_rule) values ('external', 'import', 'app_down')",
        )
        .await;
    three(&world, "12:00:00", &[app("down")]).await;
    world.deliver("12:02:05").await;
    raise(&world, "12:02:10", "high", "import").await;
    raise(&world, "12:02:10", "high", "other").await;
    advance(&world, "12:02:11").await;
    assert_eq!(told(&world, "12:02:12").await, ["firing other"]);
}
