//! Whose side an incident is probably on.

use serde_json::{Value, json};

use crate::{
    incidents::open,
    support::{World, app, at, dependency, minutes},
};

/// What was known of each service: `ai down timeout`, of the app with the status
/// of its answer if it has one.
fn services(lines: &[&str]) -> Value {
    lines
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            json!({
                "service": words[0], "status": words[1], "reason": words.get(2),
                "statusCode": words.get(3).map(|code| code.parse::<u64>().unwrap()),
            })
        })
        .collect()
}

fn deployed(seconds_before: u32) -> Value {
    json!({"deployment": "dpl_2", "commit": "abc", "firstSeenAt": at("12:00:00"), "secondsBefore": seconds_before})
}

async fn cause(world: &World, lines: &[&str], began_after: Option<&Value>) -> Value {
    let began_after =
        began_after.map_or_else(|| "null".to_owned(), |document| format!("'{document}'"));
    let call = format!("ops.probable_cause('{}', {began_after})", services(lines));
    world.value(&call).await
}

const WELL: [&str; 5] = [
    "ai up",
    "database up",
    "email up",
    "imageProcessing up",
    "storage up",
];

/// All dependencies are well but those that are named otherwise.
fn but(lines: &[&'static str]) -> Vec<&'static str> {
    let named = |line: &str| {
        lines
            .iter()
            .any(|other| other.split(' ').next() == line.split(' ').next())
    };
    let well = WELL.into_iter().filter(|line| !named(line));
    well.chain(lines.iter().copied()).collect()
}

#[tokio::test]
async fn the_probes_together_say_whose_side_it_is() {
    let world = World::migrated().await;
    let soon = deployed(1800);
    let late = deployed(1801);
    let cases: [(&[&str], Option<&Value>, &str); 29] = [
        (&["ai down timeout"], None, "openai"),
        (&["ai degraded"], None, "openai"),
        (&["ai down http_status"], Some(&soon), "openai"),
        (&["ai down auth"], None, "ours"),
        (&["ai degraded quota"], None, "ours"),
        (&["imageProcessing down http_status"], None, "google"),
        (&["email down timeout"], None, "resend"),
        (&["storage down http_status"], None, "supabase"),
        (
            &["database down timeout", "storage down http_status"],
            None,
            "supabase",
        ),
        (
            &["database down timeout", "app down http_status 500"],
            Some(&soon),
            "supabase",
        ),
        (&["database down not_migrated"], None, "ours"),
        // Several vendors do not fail at once: the way to them does.
        (&["ai down timeout", "email down connect"], None, "vercel"),
        (
            &[
                "ai down timeout",
                "database down timeout",
                "app down timeout",
            ],
            None,
            "vercel",
        ),
        (
            &["ai down http_status", "email down timeout"],
            None,
            "unknown",
        ),
        (&["ai down", "email down timeout"], None, "unknown"),
        // A vendor does not keep the app from being reached.
        (
            &["ai down http_status", "app down connect"],
            None,
            "unknown",
        ),
        (&["ai down connect", "app down connect"], None, "vercel"),
        // The app alone.
        (&["app down http_status 500"], Some(&soon), "ours"),
        (&["app down connect"], Some(&soon), "ours"),
        (&["app down connect"], Some(&late), "vercel"),
        (&["app down tls"], None, "vercel"),
        (&["app down tls_expired"], None, "vercel"),
        (&["app down http_status 502"], None, "vercel"),
        (&["app down http_status 500"], None, "ours"),
        (&["app down text"], None, "ours"),
        (&["app down timeout", "database unknown"], None, "unknown"),
        // Nothing was bad.
        (&["app up"], Some(&soon), "ours"),
        (&["app up"], Some(&late), "unknown"),
        (&["app up"], None, "unknown"),
    ];
    for (lines, began_after, side) in cases {
        let found = cause(&world, &but(lines), began_after).await;
        assert_eq!(found["side"], side, "{lines:?} {began_after:?}");
    }
    assert_eq!(
        cause(&world, &[], None).await,
        json!({"side": "unknown", "evidence": []})
    );
}

#[tokio::test]
async fn the_evidence_is_what_was_bad_well_unknown_and_deployed() {
    let world = World::migrated().await;
    let lines = ["storage unknown", "app down http_status 500", "database up"];
    let soon = deployed(60);
    let mut deployment = soon.clone();
    deployment["kind"] = json!("deployment");
    assert_eq!(
        cause(&world, &lines, Some(&soon)).await,
        json!({"side": "ours", "evidence": [
            {"kind": "bad", "service": "app", "status": "down", "reason": "http_status", "statusCode": 500},
            {"kind": "up", "service": "database"},
            {"kind": "unknown", "service": "storage"},
            deployment,
        ]}),
    );
    let late = cause(&world, &lines, Some(&deployed(86_400))).await;
    assert_eq!(late["evidence"].as_array().unwrap().len(), 3);
}

/// Ticks with that deployment, each with those checks.
async fn ticks(world: &World, from: &str, count: u32, deployment: &str, checks: &[Value]) {
    let fields = json!({"deployment": {"id": deployment, "commit": format!("of {deployment}"), "region": "fra1"}});
    for now in minutes(from, count) {
        world.tick_with(&now, checks, fields.clone()).await;
    }
}

#[tokio::test]
async fn an_incident_keeps_what_it_began_after() {
    let world = World::migrated().await;
    let well = [app("up"), dependency("database", "up")];
    ticks(&world, "11:00:00", 3, "dpl_1", &well).await;
    ticks(&world, "11:50:00", 2, "dpl_2", &well).await;
    ticks(
        &world,
        "12:00:00",
        3,
        "dpl_2",
        &[app("down"), dependency("database", "up")],
    )
    .await;
    // What is deployed later is not what it began after.
    ticks(&world, "12:03:00", 1, "dpl_3", &well).await;
    let incident = &world
        .call("ops_show_incident", json!({"p_number": 1}))
        .await;
    assert_eq!(
        incident["beganAfter"],
        json!({"deployment": "dpl_2", "commit": "of dpl_2", "firstSeenAt": "2026-11-24T11:50:00+00:00",
               "secondsBefore": 600.0})
    );
    assert_eq!(incident["cause"]["side"], "ours");
    // Samples are not kept for ever; what was known is.
    world.execute("delete from ops.samples").await;
    let later = world
        .call("ops_show_incident", json!({"p_number": 1}))
        .await;
    assert_eq!(later["cause"], incident["cause"]);
}

#[tokio::test]
async fn a_deployment_that_was_bad_from_its_first_sample_is_named() {
    let world = World::migrated().await;
    ticks(&world, "11:58:00", 2, "dpl_1", &[app("up")]).await;
    ticks(&world, "12:00:00", 3, "dpl_2", &[app("down")]).await;
    let incident = world
        .call("ops_show_incident", json!({"p_number": 1}))
        .await;
    assert_eq!(incident["beganAfter"]["deployment"], "dpl_2");
    assert_eq!(incident["beganAfter"]["secondsBefore"], 0.0);
}

#[tokio::test]
async fn without_a_change_in_the_samples_it_began_after_nothing() {
    let world = World::migrated().await;
    ticks(&world, "12:00:00", 3, "dpl_1", &[app("down")]).await;
    let incident = world
        .call("ops_show_incident", json!({"p_number": 1}))
        .await;
    assert_eq!(incident["beganAfter"], Value::Null);
}

#[tokio::test]
async fn what_fails_in_the_first_minutes_belongs_to_the_beginning() {
    let world = World::migrated().await;
    for now in minutes("12:00:00", 1) {
        world
            .tick(&now, &[app("down"), dependency("database", "up")])
            .await;
    }
    for now in minutes("12:01:00", 3) {
        world
            .tick(&now, &[app("down"), dependency("database", "down")])
            .await;
    }
    let incident = world
        .call("ops_show_incident", json!({"p_number": 1}))
        .await;
    assert_eq!(incident["cause"]["side"], "supabase");
}

#[tokio::test]
async fn what_was_over_before_it_began_is_no_cause() {
    let world = World::migrated().await;
    for (now, status) in [("12:00:00", "down"), ("12:01:00", "up")] {
        let checks = [app("up"), dependency("ai", status)];
        world.tick(now, &checks).await;
    }
    open(&world, "Nobody can sign in", &[], "12:01:30").await;
    let incident = world
        .call("ops_show_incident", json!({"p_number": 1}))
        .await;
    assert_eq!(incident["cause"]["side"], "unknown");
}
