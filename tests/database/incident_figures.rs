//! Incidents in figures: timeline, impact, lists.

use serde_json::{Value, json};

use crate::{
    incidents::{open, show, update},
    people::{act, raise},
    support::{World, app, array, dependency, minutes, page},
};

#[tokio::test]
async fn everything_that_happened_is_one_timeline_in_order() {
    let world = World::migrated().await;
    for now in minutes("12:00:00", 3) {
        world.tick(&now, &[app("down")]).await;
    }
    world.deliver("12:02:10").await;
    let alert = world.value("(select id from ops.alerts)").await;
    act(&world, alert.as_str().unwrap(), "acknowledge", "12:03:30").await;
    update(
        &world,
        1,
        "12:04:00",
        json!({"p_state": "identified", "p_public": "We know what it is."}),
    )
    .await;
    for now in minutes("12:05:00", 2) {
        world.tick(&now, &[app("up")]).await;
    }
    world.deliver("12:06:10").await;
    let incident = show(&world, 1, "12:10:00").await;
    let lines: Vec<String> = array(&incident["timeline"])
        .iter()
        .map(|entry| {
            let words = [&entry["at"], &entry["source"], &entry["kind"]];
            let mut words: Vec<_> = words.iter().filter_map(|word| word.as_str()).collect();
            words[0] = &words[0][11..19];
            words.join(" ")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "12:00:00 sample first_bad",
            "12:02:00 alert opened",
            "12:02:00 incident opened",
            "12:02:00 incident alert_joined",
            "12:02:10 message sent",
            "12:02:10 message sent",
            "12:03:30 alert acknowledged",
            "12:04:00 incident state_changed",
            "12:04:00 incident public_update",
            "12:06:00 alert resolved",
            "12:06:00 incident resolved",
            "12:06:10 message sent",
            "12:06:10 message sent",
        ]
    );
    let times = ["startedAt", "detectedAt", "acknowledgedAt", "resolvedAt"];
    assert_eq!(
        times.map(|key| incident[key].as_str().unwrap()[11..19].to_owned()),
        ["12:00:00", "12:02:00", "12:03:30", "12:06:00"]
    );
    assert_eq!(incident["timeToAcknowledgeSeconds"], 90.0);
    assert_eq!(incident["timeToResolveSeconds"], 240.0);
    assert_eq!(incident["openAlerts"], json!([]));
}

#[tokio::test]
async fn the_impact_is_counted_or_not_known() {
    let world = World::migrated().await;
    open(&world, "Odd", &[], "12:00:00").await;
    let unknown = show(&world, 1, "12:05:00").await["impact"].clone();
    assert_eq!(
        unknown,
        json!({"users": null, "failedRequests": null, "minutesDown": null, "reports": 0, "reporters": null})
    );
    world
        .execute(
            "insert into auth.users (id) values
             ('00000000-0000-4000-8000-000000000001'), ('00000000-0000-4000-8000-000000000002'),
             ('00000000-0000-4000-8000-000000000003');
             insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, timestamp)
             select '/x', 'GET', status, 10, user_id::uuid, stamp::timestamptz
             from (values
                 (500, '00000000-0000-4000-8000-000000000001', '2026-11-24T12:01:00Z'),
                 (503, '00000000-0000-4000-8000-000000000001', '2026-11-24T12:02:00Z'),
                 (500, null, '2026-11-24T12:02:00Z'),
                 (200, '00000000-0000-4000-8000-000000000002', '2026-11-24T12:02:00Z'),
                 (499, '00000000-0000-4000-8000-000000000003', '2026-11-24T12:02:00Z'),
                 (500, '00000000-0000-4000-8000-000000000002', '2026-11-24T11:59:00Z')
             ) as requests (status, user_id, stamp);
             insert into public.error_logs (message, severity, context, environment, timestamp) values
             ('x', 'high', '{\"metadata\": {\"sessionId\": \"s\"}}', 'production', '2026-11-24T12:03:00Z'),
             ('x', 'high', '{\"metadata\": {\"sessionId\": \"t\"}}', 'preview', '2026-11-24T12:03:00Z')",
        )
        .await;
    for now in minutes("12:01:00", 3) {
        let checks = [
            app("up"),
            page("https://app.example/down", "down", None),
            dependency("database", "up"),
        ];
        world.tick(&now, &checks).await;
    }
    world
        .tick("12:04:00", &[app("up"), dependency("database", "up")])
        .await;
    let known = show(&world, 1, "12:05:00").await["impact"].clone();
    assert_eq!(
        known,
        json!({"users": 2, "failedRequests": 3, "minutesDown": 3.0, "reports": 0, "reporters": null})
    );
    // Afterwards nobody is hit any more.
    update(&world, 1, "12:05:00", json!({"p_state": "resolved"})).await;
    let later = "insert into public.api_usage_metrics (endpoint, method, status_code, response_time, timestamp)
                 values ('/x', 'GET', 500, 10, '2026-11-24T12:06:00Z')";
    world.execute(later).await;
    assert_eq!(show(&world, 1, "13:00:00").await["impact"], known);
}

#[tokio::test]
async fn a_list_has_the_newest_and_goes_back() {
    let world = World::migrated().await;
    for title in ["a", "b", "c"] {
        open(&world, title, &[], "12:00:00").await;
    }
    let titles = async |arguments: Value| -> Vec<Value> {
        let listed = world.call("ops_list_incidents", arguments).await;
        array(&listed["incidents"])
            .iter()
            .map(|incident| incident["title"].clone())
            .collect()
    };
    assert_eq!(titles(json!({"p_limit": 2})).await, ["c", "b"]);
    assert_eq!(titles(json!({"p_limit": 2, "p_before": 2})).await, ["a"]);
    assert_eq!(
        world
            .refusal("ops_list_incidents", json!({"p_limit": 101}))
            .await[0],
        "22023"
    );
}

#[tokio::test]
async fn the_dashboard_has_the_newest_twenty_and_all_that_are_open() {
    let world = World::migrated().await;
    open(&world, "The oldest", &[], "09:00:00").await;
    for minute in 0..25 {
        let now = format!("11:{minute:02}:00");
        let number = open(&world, "Odd", &[], &now).await;
        update(&world, number, &now, json!({"p_state": "resolved"})).await;
    }
    let dashboard = world.dashboard(86_400, "12:00:00").await;
    let listed = array(&dashboard["incidents"]);
    assert_eq!(listed.len(), 21);
    assert_eq!(
        (&listed[0]["number"], &listed[20]["title"]),
        (&json!(26), &json!("The oldest"))
    );
}

#[tokio::test]
async fn a_storm_leaves_out_alerts_and_nothing_that_people_did() {
    let world = World::migrated().await;
    open(&world, "Odd", &[], "12:00:00").await;
    for minute in 1..4 {
        raise(
            &world,
            &format!("12:0{minute}:00"),
            "high",
            &minute.to_string(),
        )
        .await;
    }
    update(&world, 1, "12:10:00", json!({"p_public": "We look at it."})).await;
    let cut = "ops.timeline_document((select id from ops.incidents), 4)";
    let cut = world.value(cut).await;
    let kinds: Vec<_> = array(&cut["timeline"])
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["opened", "opened", "severity_changed", "public_update"]
    );
    assert_eq!(cut["timelineLeftOut"], 5);
}
