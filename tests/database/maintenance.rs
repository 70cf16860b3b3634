//! Maintenance windows: when they are in force, and that uptime leaves them out; and what the
//! maintenance job forgets.

use serde_json::{Value, json};

use crate::{
    backups,
    muting::ticks,
    support::{World, app, array, at, dependency},
};

pub(crate) async fn announce(world: &World, now: &str, window: Value) -> Value {
    let arguments = json!({
        "p_id": uuid::Uuid::new_v4(), "p_window": window, "p_by": "anna", "p_now": at(now),
    });
    world.call("ops_add_maintenance", arguments).await
}

pub(crate) async fn remove(world: &World, id: &Value, now: &str) -> Value {
    let arguments = json!({"p_id": id, "p_by": "ben", "p_now": at(now)});
    world.call("ops_remove_maintenance", arguments).await
}

/// The concrete intervals between two times, as `from/to`.
async fn intervals(world: &World, from: &str, to: &str) -> Vec<String> {
    let rows = world
        .rows(&format!(
            "select to_char(lower(span), 'YYYY-MM-DD HH24:MI') || '/' || to_char(upper(span), 'YYYY-MM-DD HH24:MI') as span
             from ops.list_maintenance('{}', '{}') order by span",
            at(from),
            at(to),
        ))
        .await;
    array(&rows)
        .iter()
        .map(|row| row["span"].as_str().unwrap().to_owned())
        .collect()
}

fn recurring(weekdays: &[u32], time: &str, minutes: u32, zone: &str, until: &str) -> Value {
    json!({
        "reason": "import", "weekdays": weekdays, "localTime": time, "durationMinutes": minutes,
        "zone": zone, "endsAt": until,
    })
}

#[tokio::test]
async fn a_window_counts_from_its_announcement_to_its_removal() {
    let world = World::migrated().await;
    let window = json!({
        "reason": "Move the database", "startsAt": at("09:00:00"), "endsAt": at("14:00:00"),
    });
    let added = announce(&world, "10:00:00", window).await;
    assert_eq!(
        (&added["state"], &added["author"], &added["nextFrom"]),
        (
            &json!("active"),
            &json!("anna"),
            &json!("2026-11-24T10:00:00+00:00")
        ),
    );
    let day = ("00:00:00", "2026-11-25T00:00:00Z");
    assert_eq!(
        intervals(&world, day.0, day.1).await,
        ["2026-11-24 10:00/2026-11-24 14:00"]
    );
    let removed = remove(&world, &added["id"], "12:00:00").await;
    assert_eq!(
        (&removed["state"], &removed["removedBy"]),
        (&json!("removed"), &json!("ben"))
    );
    // Once more, later and by somebody else, changes nothing.
    assert_eq!(
        remove(&world, &added["id"], "13:00:00").await["removedAt"],
        removed["removedAt"]
    );
    assert_eq!(
        intervals(&world, day.0, day.1).await,
        ["2026-11-24 10:00/2026-11-24 12:00"]
    );
    assert_eq!(
        intervals(&world, "11:00:00", "11:30:00").await,
        ["2026-11-24 11:00/2026-11-24 11:30"]
    );

    let planned = json!({"reason": "x", "startsAt": at("20:00:00"), "endsAt": at("21:00:00")});
    let planned = announce(&world, "12:00:00", planned).await;
    assert_eq!(planned["state"], "planned");
    remove(&world, &planned["id"], "13:00:00").await;
    assert_eq!(
        intervals(&world, "13:00:00", day.1).await,
        Vec::<String>::new()
    );

    let listed = world
        .call("ops_list_maintenance", json!({"p_now": at("12:30:00")}))
        .await;
    assert_eq!(array(&listed["maintenance"]).len(), 2);
}

#[tokio::test]
async fn announcing_twice_is_announcing_once() {
    let world = World::migrated().await;
    let arguments = json!({
        "p_id": uuid::Uuid::new_v4(), "p_by": "anna", "p_now": at("10:00:00"),
        "p_window": {"reason": "x", "endsAt": at("12:00:00")},
    });
    let first = world.call("ops_add_maintenance", arguments.clone()).await;
    assert_eq!(first["startsAt"], "2026-11-24T10:00:00+00:00");
    assert_eq!(world.call("ops_add_maintenance", arguments).await, first);
    assert_eq!(
        world
            .value("(select count(*) from ops.maintenance_windows)")
            .await,
        1
    );
}

/// A local time keeps its place on the clock, and a window its length, whatever
/// the clocks do. Paris: 29 March 2026, 02:00 becomes 03:00; 25 October, 03:00
/// becomes 02:00.
#[tokio::test]
async fn a_recurring_window_follows_the_clocks_of_its_zone() {
    let world = World::migrated().await;
    let all = [1, 2, 3, 4, 5, 6, 7];
    for (name, window, from, to, expected) in [
        (
            "an hour earlier in UTC once clocks went forward",
            recurring(&all, "23:00", 120, "Europe/Paris", "2026-06-01T00:00:00Z"),
            "2026-03-28T00:00:00Z",
            "2026-03-31T00:00:00Z",
            vec![
                "2026-03-28 00:00/2026-03-28 00:00",
                "2026-03-28 22:00/2026-03-29 00:00",
                "2026-03-29 21:00/2026-03-29 23:00",
                "2026-03-30 21:00/2026-03-30 23:00",
            ],
        ),
        (
            "a time that is left out begins when clocks have moved",
            recurring(&[7], "02:30", 60, "Europe/Paris", "2026-06-01T00:00:00Z"),
            "2026-03-22T00:00:00Z",
            "2026-04-06T00:00:00Z",
            vec![
                "2026-03-22 01:30/2026-03-22 02:30",
                "2026-03-29 01:30/2026-03-29 02:30",
                "2026-04-05 00:30/2026-04-05 01:30",
            ],
        ),
        (
            "a time that comes twice is the second",
            recurring(&[7], "02:30", 60, "Europe/Paris", "2026-12-01T00:00:00Z"),
            "2026-10-18T00:00:00Z",
            "2026-11-02T00:00:00Z",
            vec![
                "2026-10-18 00:30/2026-10-18 01:30",
                "2026-10-25 01:30/2026-10-25 02:30",
                "2026-11-01 01:30/2026-11-01 02:30",
            ],
        ),
        (
            "weekdays are those of the zone",
            recurring(
                &[1],
                "06:00",
                60,
                "Pacific/Auckland",
                "2026-12-31T00:00:00Z",
            ),
            "2026-11-22T00:00:00Z",
            "2026-11-30T00:00:00Z",
            // Monday morning there is Sunday evening in UTC.
            vec![
                "2026-11-22 17:00/2026-11-22 18:00",
                "2026-11-29 17:00/2026-11-29 18:00",
            ],
        ),
        (
            "the last one ends with the rule",
            recurring(&all, "10:00", 120, "UTC", "2026-11-25T11:00:00Z"),
            "2026-11-24T00:00:00Z",
            "2026-11-28T00:00:00Z",
            vec![
                "2026-11-24 10:00/2026-11-24 12:00",
                "2026-11-25 10:00/2026-11-25 11:00",
            ],
        ),
    ] {
        world.execute("delete from ops.maintenance_windows").await;
        announce(&world, "2026-01-01T00:00:00Z", window).await;
        let found = intervals(&world, from, to).await;
        let expected: Vec<&str> = expected
            .into_iter()
            .filter(|span| span[..16] != span[17..])
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test]
async fn what_is_not_a_window_is_refused() {
    let world = World::migrated().await;
    world
        .tick("09:00:00", &[dependency("database", "up")])
        .await;
    let once = |key: &str, value: Value| {
        let mut window = json!({"reason": "x", "endsAt": at("12:00:00")});
        window[key] = value;
        window
    };
    let mut daily = recurring(&[1], "02:00", 60, "Mars/Olympus", "2026-12-01T00:00:00Z");
    for (window, expected) in [
        (
            json!({"reason": "x"}),
            "endsAt must be a time after the beginning and after now, got nothing",
        ),
        (
            once("endsAt", json!(at("09:59:00"))),
            "endsAt must be a time after",
        ),
        (
            once("endsAt", json!("2027-01-24T00:00:00Z")),
            "within 30 days",
        ),
        (
            once("endsAt", json!("soon")),
            "endsAt must be a time such as",
        ),
        (once("reason", json!(" ")), "reason must be"),
        (
            once("zone", json!("UTC")),
            "zone must be absent without localTime",
        ),
        (
            once("services", json!(["databse"])),
            "services that are watched, got databse",
        ),
        (
            once("checks", json!(["database", "nothing"])),
            "checks that are watched, got nothing",
        ),
        (daily.clone(), "IANA"),
        (
            {
                daily["durationMinutes"] = json!(1441);
                daily.clone()
            },
            "durationMinutes must be a whole number from 1 to 1440",
        ),
        (
            {
                daily["durationMinutes"] = json!(60);
                daily["weekdays"] = json!([0]);
                daily.clone()
            },
            "weekdays must be an array of numbers",
        ),
        (
            {
                daily["weekdays"] = json!([1]);
                daily["localTime"] = json!("25:00");
                daily.clone()
            },
            "localTime must be a time of the day",
        ),
    ] {
        let arguments = json!({
            "p_id": uuid::Uuid::new_v4(), "p_window": window, "p_by": "anna", "p_now": at("10:00:00"),
        });
        let [code, message, _] = world.refusal("ops_add_maintenance", arguments).await;
        assert_eq!(code, "22023", "{window}");
        assert!(message.contains(expected), "{window}: {message}");
    }
    let nobody = json!({"p_id": uuid::Uuid::new_v4(), "p_by": "anna"});
    let [code, ..] = world.refusal("ops_remove_maintenance", nobody).await;
    assert_eq!(code, "22023");
}

#[tokio::test]
async fn uptime_leaves_maintenance_out() {
    let world = World::migrated().await;
    world
        .tick("10:00:00", &[app("up"), dependency("ai", "up")])
        .await;
    announce(
        &world,
        "10:00:30",
        json!({"reason": "x", "startsAt": at("10:01:00"), "endsAt": at("10:03:00"), "services": ["app"]}),
    )
    .await;
    ticks(
        &world,
        "10:01:00",
        4,
        &[app("down"), dependency("ai", "up")],
    )
    .await;
    for (check, expected) in [
        (
            "app",
            json!({"up": 60.0, "down": 120.0, "unknown": 0.0, "maintenance": 120.0}),
        ),
        (
            "ai",
            json!({"up": 300.0, "down": 0, "unknown": 0.0, "maintenance": 0}),
        ),
    ] {
        let found = world
            .rows(&format!(
                "select up, down, unknown, maintenance from ops.uptime('{check}', '{}', '{}')",
                at("10:00:00"),
                at("10:05:00")
            ))
            .await;
        assert_eq!(found[0], expected, "{check}");
    }
}

/// The history of backups refers to the runs that made them and is kept for good.
#[tokio::test]
async fn old_runs_are_forgotten_but_not_those_of_backups() {
    let world = World::migrated().await;
    let long_ago = "2026-10-01T12:00:00Z";
    world.tick(long_ago, &[app("up")]).await;
    let run = backups::claim(&world, long_ago).await;
    let sealed = json!({"snapshot": "s", "takenAt": long_ago, "sealedAt": long_ago});
    let arguments = json!({
        "p_run": run["run"], "p_fence": run["fence"], "p_outcome": "done", "p_backup": sealed, "p_now": long_ago,
    });
    world.call("ops_finish_backup", arguments).await;
    world.tick("11:59:00", &[app("up")]).await;

    let claim = json!({
        "p_run": uuid::Uuid::new_v4(), "p_job": "maintenance", "p_every_seconds": 600,
        "p_lease_seconds": 600, "p_manual": false, "p_now": at("12:00:00"),
    });
    let claim = world.call("ops_claim_run", claim).await;
    let part = json!({"p_run": claim["run"], "p_fence": claim["fence"], "p_now": at("12:00:00")});
    let mut outcome = json!("more");
    while outcome == "more" {
        outcome = world.call("ops_maintain", part.clone()).await["outcome"].clone();
    }
    assert_eq!(outcome, "done");

    let old = world
        .rows("select job, outcome from ops.runs where started_at < '2026-10-02' order by job")
        .await;
    assert_eq!(old, json!([{"job": "backup", "outcome": "done"}]));
    let kept = world.rows("select snapshot from ops.backups").await;
    assert_eq!(kept, json!([{"snapshot": "s"}]));
}
