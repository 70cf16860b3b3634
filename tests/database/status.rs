//! The public status page: what it says follows from what was confirmed, and nothing that is
//! ours gets into it.

use serde_json::{Value, json};

use crate::{
    backups::back_up,
    maintenance::{announce, remove},
    support::{World, app, array, at, dependency},
};

/// The page at that time.
pub(crate) async fn status(world: &World, now: &str) -> Value {
    let arguments = json!({"p_environment": "production", "p_now": at(now)});
    world.call("ops_status", arguments).await
}

/// A tick in which the database is fine and the app has that status.
async fn tick(world: &World, now: &str, page: &str) {
    let checks = [app(page), dependency("database", "up")];
    world.tick(now, &checks).await;
}

/// Three ticks in which the app is down, so that its alert is open at 10:02.
pub(crate) async fn go_down(world: &World) {
    for now in ["10:00:00", "10:01:00", "10:02:00"] {
        tick(world, now, "down").await;
    }
}

fn component<'a>(page: &'a Value, id: &str) -> &'a Value {
    array(&page["components"])
        .iter()
        .find(|component| component["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {page}"))
}

/// The state of a component at that time.
async fn state(world: &World, id: &str, now: &str) -> Value {
    component(&status(world, now).await, id)["state"].clone()
}

pub(crate) async fn write(world: &World, now: &str, words: &str, state: &str) {
    let number = world.value("(select max(number) from ops.incidents)").await;
    let arguments = json!({
        "p_request": uuid::Uuid::new_v4(), "p_number": number, "p_state": state, "p_severity": null,
        "p_cause": null, "p_public": words, "p_by": "anna", "p_now": at(now),
    });
    world.call("ops_update_incident", arguments).await;
}

pub(crate) async fn say(
    world: &World,
    now: &str,
    state: &str,
    note: Option<&str>,
) -> Result<Value, String> {
    let arguments = json!({
        "p_slug": "app", "p_state": state, "p_note": note, "p_until": at("23:00:00"),
        "p_environment": "production", "p_by": "anna", "p_now": at(now),
    });
    let said = world.try_call("ops_say_component", arguments).await;
    said.map_err(|error| error.as_db_error().unwrap().message().to_owned())
}

#[tokio::test]
async fn without_any_component_the_services_that_are_watched_are_shown() {
    let world = World::migrated().await;
    let nothing = status(&world, "09:00:00").await;
    assert_eq!(nothing["components"], json!([]));
    assert_eq!(nothing["state"], "unknown", "nothing is known of nothing");
    tick(&world, "10:00:00", "up").await;
    let page = status(&world, "10:00:20").await;
    let shown: Vec<_> = array(&page["components"])
        .iter()
        .map(|shown| (shown["id"].clone(), shown["name"].clone()))
        .collect();
    assert_eq!(
        json!(shown),
        json!([["app", "The app"], ["sign-in", "Sign in and your data"]])
    );
    assert_eq!(page["state"], "operational");
    assert_eq!(page["name"], "Pourtrait");
    assert_eq!(page["lastLookAt"], "2026-11-24T10:00:00+00:00");
}

#[tokio::test]
async fn a_state_follows_our_own_confirmed_alerts_by_itself() {
    let world = World::migrated().await;
    tick(&world, "09:59:00", "up").await;
    tick(&world, "10:00:00", "down").await;
    assert_eq!(
        state(&world, "app", "10:00:20").await,
        "operational",
        "once is no proof"
    );
    tick(&world, "10:01:00", "down").await;
    tick(&world, "10:02:00", "down").await;
    let page = status(&world, "10:02:20").await;
    assert_eq!(component(&page, "app")["state"], "major_outage");
    assert_eq!(
        component(&page, "app")["since"],
        "2026-11-24T10:00:00+00:00"
    );
    assert_eq!(component(&page, "sign-in")["state"], "operational");
    assert_eq!(page["state"], "major_outage");
    let [incident] = &array(&page["incidents"])[..] else {
        panic!("{page}")
    };
    assert_eq!(incident["components"], json!(["app"]));
    assert_eq!(incident["toldAt"], Value::Null, "nobody was told yet");
    world.deliver("10:02:30").await;
    let page = status(&world, "10:02:40").await;
    assert_eq!(page["incidents"][0]["toldAt"], "2026-11-24T10:02:30+00:00");

    tick(&world, "10:03:00", "up").await;
    tick(&world, "10:04:00", "up").await;
    let page = status(&world, "10:04:20").await;
    assert_eq!(page["state"], "operational");
    let updates: Vec<_> = array(&page["incidents"][0]["updates"])
        .iter()
        .map(|update| {
            json!([
                update["at"],
                update["status"],
                update["kind"],
                update["words"]
            ])
        })
        .collect();
    assert_eq!(
        json!(updates),
        json!([
            ["2026-11-24T10:00:00+00:00", "investigating", "began", null],
            ["2026-11-24T10:04:00+00:00", "resolved", "resolved", null],
        ])
    );
    // It stays for ninety days, whenever somebody looks.
    assert_eq!(
        array(&status(&world, "2027-02-20T00:00:00Z").await["incidents"]).len(),
        1
    );
    assert_eq!(
        array(&status(&world, "2027-02-23T00:00:00Z").await["incidents"]).len(),
        0
    );
}

#[tokio::test]
async fn what_is_not_measured_is_unknown_and_never_fine() {
    let world = World::migrated().await;
    tick(&world, "09:50:00", "up").await;
    assert_eq!(state(&world, "app", "09:51:59").await, "operational");
    assert_eq!(state(&world, "app", "09:52:00").await, "unknown");
    assert_eq!(status(&world, "09:52:00").await["state"], "unknown");
    // An outage that was seen last is still worse than nothing.
    go_down(&world).await;
    assert_eq!(state(&world, "app", "11:00:00").await, "major_outage");
}

#[tokio::test]
async fn a_component_whose_checks_are_gone_is_unknown() {
    let world = World::migrated().await;
    let check = json!({"name": "checkout", "kind": "http", "spec": {"url": "https://pay.example/"}, "severity": "high"});
    world
        .execute(&format!(
            "insert into ops.custom_checks (name, kind, spec, severity)
             select name, kind, spec, severity from jsonb_populate_record(null::ops.custom_checks, '{check}')"
        ))
        .await;
    let arguments = json!({
        "p_slug": "pay", "p_component": {"name": "Pay", "checks": ["checkout"]}, "p_is_new": true,
        "p_environment": "production", "p_by": "anna", "p_now": at("09:00:00"),
    });
    world.call("ops_set_component", arguments.clone()).await;
    let checkout = |status: &str| {
        json!({
            "name": "check:checkout", "kind": "http", "service": "checkout", "critical": false, "status": status,
            "latencyMs": 10, "reason": (status == "down").then_some("timeout"), "detail": {},
        })
    };
    world.tick("10:00:00", &[app("up"), checkout("up")]).await;
    assert_eq!(state(&world, "pay", "10:00:20").await, "operational");
    for now in ["10:01:00", "10:02:00", "10:03:00"] {
        world.tick(now, &[app("up"), checkout("down")]).await;
    }
    assert_eq!(state(&world, "pay", "10:03:20").await, "partial_outage");
    world
        .execute("delete from ops.custom_checks where name = 'checkout'")
        .await;
    for now in ["10:04:00", "10:05:00", "10:06:00"] {
        world.tick(now, &[app("up")]).await;
    }
    assert_eq!(state(&world, "pay", "10:06:20").await, "unknown");
    // Somebody may still say how it is.
    let arguments = json!({
        "p_slug": "pay", "p_state": "operational", "p_note": "We looked.", "p_until": at("23:00:00"),
        "p_environment": "production", "p_by": "anna", "p_now": at("10:06:30"),
    });
    world.call("ops_say_component", arguments).await;
    assert_eq!(state(&world, "pay", "10:06:40").await, "operational");
    let [code, message, _] = world
        .refusal(
            "ops_set_component",
            json!({
                "p_slug": "x", "p_component": {"name": "X", "checks": ["nothing"]}, "p_is_new": true,
                "p_environment": "production", "p_by": "anna",
            }),
        )
        .await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("22023", "checks must be an empty list, got nothing")
    );
}

#[tokio::test]
async fn people_make_it_worse_at_once_and_better_only_with_a_note() {
    let world = World::migrated().await;
    tick(&world, "09:59:00", "up").await;
    say(&world, "09:59:10", "degraded", None).await.unwrap();
    let page = status(&world, "09:59:20").await;
    let shown = component(&page, "app");
    assert_eq!(
        (
            &shown["state"],
            &shown["measured"],
            &shown["byHand"],
            &shown["since"]
        ),
        (
            &json!("degraded"),
            &json!("operational"),
            &json!(true),
            &json!("2026-11-24T09:59:10+00:00")
        ),
    );
    assert_eq!(array(&page["components"]).len(), 2, "the others stay");

    go_down(&world).await;
    // What is measured is worse by now, and nobody wrote that it is not.
    assert_eq!(state(&world, "app", "10:02:20").await, "major_outage");
    let refused = say(&world, "10:02:30", "operational", None)
        .await
        .unwrap_err();
    assert!(
        refused.starts_with("note must be given, because the checks say major_outage"),
        "{refused}"
    );
    say(
        &world,
        "10:02:30",
        "operational",
        Some("Only our probe is cut off."),
    )
    .await
    .unwrap();
    let page = status(&world, "10:02:40").await;
    let shown = component(&page, "app");
    assert_eq!(
        (&shown["state"], &shown["measured"], &shown["note"]),
        (
            &json!("operational"),
            &json!("major_outage"),
            &json!("Only our probe is cut off.")
        ),
    );
    assert_eq!(
        state(&world, "app", "23:00:01").await,
        "major_outage",
        "its time is over"
    );
    say(&world, "10:03:00", "measured", None).await.unwrap();
    assert_eq!(state(&world, "app", "10:03:10").await, "major_outage");
    assert!(say(&world, "10:03:00", "unknown", None).await.is_err());
}

#[tokio::test]
async fn words_and_titles_are_those_that_people_gave_for_everybody() {
    let world = World::migrated().await;
    go_down(&world).await;
    write(&world, "10:05:00", "We found it.", "identified").await;
    let titled = json!({
        "p_request": uuid::Uuid::new_v4(), "p_number": 1, "p_title": "Nobody can open the app", "p_by": "anna",
        "p_now": at("10:05:30"),
    });
    world.call("ops_title_incident", titled).await;
    write(&world, "10:07:00", "It is over.", "resolved").await;
    let incident = status(&world, "10:08:00").await["incidents"][0].clone();
    assert_eq!(incident["title"], "Nobody can open the app");
    let told: Vec<_> = array(&incident["updates"])
        .iter()
        .map(|update| json!([update["status"], update["words"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["investigating", null],
            ["identified", "We found it."],
            ["resolved", "It is over."]
        ]),
        "whoever resolves it with words says it once"
    );
}

#[tokio::test]
async fn an_incident_of_people_is_public_once_they_wrote() {
    let world = World::migrated().await;
    tick(&world, "10:00:00", "up").await;
    let open = json!({
        "p_request": uuid::Uuid::new_v4(), "p_title": "zz-internal host db7", "p_severity": "high",
        "p_affects": ["app"], "p_by": "anna", "p_now": at("10:00:10"),
    });
    world.call("ops_open_incident", open).await;
    let page = status(&world, "10:00:20").await;
    assert_eq!(
        (&page["incidents"], &page["state"]),
        (&json!([]), &json!("operational"))
    );
    write(&world, "10:00:30", "Payments are slow.", "identified").await;
    let page = status(&world, "10:00:40").await;
    assert_eq!(component(&page, "app")["state"], "partial_outage");
    assert_eq!(page["incidents"][0]["title"], Value::Null);
    assert_eq!(
        array(&page["incidents"][0]["updates"]).len(),
        1,
        "its beginning was never public"
    );
    write(&world, "10:00:50", "Watching.", "monitoring").await;
    assert_eq!(state(&world, "app", "10:01:00").await, "degraded");
}

#[tokio::test]
async fn maintenance_is_public_only_with_words() {
    let world = World::migrated().await;
    tick(&world, "10:00:00", "up").await;
    let window = json!({
        "reason": "zz-internal: move db7", "startsAt": at("10:10:00"), "endsAt": at("10:20:00"), "services": ["app"],
    });
    let added = announce(&world, "10:00:00", window.clone()).await;
    tick(&world, "10:11:00", "up").await;
    let page = status(&world, "10:11:20").await;
    assert_eq!(
        (&page["maintenances"], &page["state"]),
        (&json!([]), &json!("operational"))
    );
    let publish = |words: &str, now: &str| json!({"p_id": added["id"], "p_title": "Moving house", "p_words": words, "p_by": "anna", "p_now": at(now)});
    world
        .call("ops_publish_maintenance", publish("We move.", "10:11:30"))
        .await;
    world
        .call("ops_publish_maintenance", publish("We move!", "10:11:40"))
        .await;
    world
        .call("ops_publish_maintenance", publish("We move!", "10:11:45"))
        .await;
    let page = status(&world, "10:11:50").await;
    assert_eq!(component(&page, "app")["state"], "maintenance");
    assert_eq!(component(&page, "sign-in")["state"], "operational");
    let shown = &page["maintenances"][0];
    assert_eq!(
        (
            &shown["words"],
            &shown["sequence"],
            &shown["state"],
            &shown["components"]
        ),
        (
            &json!("We move!"),
            &json!(1),
            &json!("active"),
            &json!(["app"])
        ),
    );
    assert!(!page.to_string().contains("zz-internal"), "{page}");

    let later = json!({"reason": "x", "startsAt": at("20:00:00"), "endsAt": at("21:00:00")});
    let later = announce(&world, "10:12:00", later).await;
    let words = json!({"p_id": later["id"], "p_title": null, "p_words": "Later.", "p_by": "anna", "p_now": at("10:12:10")});
    world.call("ops_publish_maintenance", words).await;
    remove(&world, &later["id"], "10:13:00").await;
    let page = status(&world, "10:13:10").await;
    let cancelled = &page["maintenances"][1];
    assert_eq!(
        (
            &cancelled["state"],
            &cancelled["from"],
            &cancelled["components"]
        ),
        (
            &json!("cancelled"),
            &json!("2026-11-24T20:00:00+00:00"),
            &json!(["app", "sign-in"])
        ),
    );
}

#[tokio::test]
async fn windows_at_the_end_of_time_hide_no_others() {
    let world = World::migrated().await;
    tick(&world, "10:00:00", "up").await;
    world
        .execute(
            "insert into ops.maintenance_windows
                 (id, reason, author, starts_at, ends_at, created_at, public_words, published_at)
             values
                 (gen_random_uuid(), 'x', 'x', '0001-01-01', '9999-12-31', '0001-01-01', 'for ever', '2026-11-24'),
                 (gen_random_uuid(), 'x', 'x', '9999-12-01', '9999-12-31', '2026-11-24', 'far', '2026-11-24'),
                 (gen_random_uuid(), 'x', 'x', '-infinity', 'infinity', '-infinity', 'always', '-infinity'),
                 (gen_random_uuid(), 'x', 'x', '2026-11-25', '2026-11-26', '2026-11-24', 'near', '2026-11-24')",
        )
        .await;
    let page = status(&world, "10:00:20").await;
    let times: Vec<_> = array(&page["maintenances"])
        .iter()
        .flat_map(|shown| ["from", "to"].map(|key| shown[key].as_str().unwrap().to_owned()))
        .collect();
    assert!(
        times.iter().all(|time| time.starts_with("202")),
        "{times:?}"
    );
    assert!(page.to_string().contains("near"), "{page}");
}

#[tokio::test]
async fn ninety_days_add_up_and_are_blank_before_anybody_looked() {
    let world = World::migrated().await;
    tick(&world, "2026-11-20T10:00:00Z", "up").await;
    tick(&world, "2026-11-20T10:01:00Z", "down").await;
    tick(&world, "10:00:00", "up").await;
    let page = status(&world, "10:01:00").await;
    let days = &component(&page, "app")["days"];
    assert_eq!(days["from"], "2026-08-27");
    let of = |key: &str, day: usize| days[key][day].clone();
    for key in ["up", "down", "unknown", "maintenance"] {
        assert_eq!(array(&days[key]).len(), 90, "{key}");
        assert_eq!(of(key, 84), Value::Null, "{key}: before the first look");
    }
    assert_eq!((of("up", 85), of("down", 85)), (json!(60), json!(120)));
    assert_eq!(of("unknown", 85), 86400 - 180);
    assert_eq!((of("up", 86), of("unknown", 86)), (json!(0), json!(86400)));
    assert_eq!((of("up", 89), of("unknown", 89)), (json!(60), json!(36000)));
    assert_eq!(days["percent"], 50.0);
    assert!(days["coverage"].as_f64().unwrap() < 0.1, "{days}");
}

#[tokio::test]
async fn nothing_of_ours_gets_into_the_page() {
    let world = World::migrated().await;
    let page_down = |status: &str| {
        json!({
            "name": "app:https://zz-secret.example/", "kind": "app", "service": "app", "critical": true,
            "status": status, "latencyMs": 1, "reason": "zz-reason", "detail": {"url": "https://zz-secret.example/", "region": "zz-region"},
        })
    };
    for now in ["10:00:00", "10:01:00", "10:02:00"] {
        world.tick(now, &[page_down("down")]).await;
    }
    write(&world, "10:03:00", "Public words.", "identified").await;
    let note = json!({
        "p_request": uuid::Uuid::new_v4(), "p_number": 1, "p_kind": "note", "p_text": "zz-draft", "p_by": "zz-author@wine.example",
        "p_now": at("10:03:10"),
    });
    world.call("ops_note_incident", note).await;
    let window =
        json!({"reason": "zz-reason", "startsAt": at("20:00:00"), "endsAt": at("21:00:00")});
    announce(&world, "10:04:00", window).await;
    let page = status(&world, "10:05:00").await.to_string();
    assert!(page.contains("Public words."));
    for ours in ["zz-", "app_down", "anna", "https://"] {
        assert!(!page.contains(ours), "{ours} in {page}");
    }
    let ids = world
        .rows("select id::text as id from ops.incidents union all select id::text from ops.alerts")
        .await;
    for id in array(&ids) {
        assert!(!page.contains(id["id"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn a_page_that_is_not_public_says_nothing() {
    let world = World::migrated().await;
    tick(&world, "10:00:00", "up").await;
    let close = json!({"p_key": "status.public", "p_value": false, "p_by": "anna"});
    world.call("ops_set_setting", close).await;
    let page = status(&world, "10:00:20").await;
    assert_eq!(page["isPublic"], false);
    assert_eq!(page.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn the_copy_outside_is_written_on_a_change_and_every_five_minutes_by_one_alone() {
    let world = World::migrated().await;
    let due = async |fingerprint: &str, now: &str| {
        let arguments = json!({"p_place": "main", "p_fingerprint": fingerprint, "p_now": at(now)});
        world.call("ops_claim_status_copy", arguments).await["isDue"] == true
    };
    let settle = async |fingerprint: &str, written: bool, now: &str| {
        let arguments = json!({
            "p_place": "main", "p_fingerprint": fingerprint, "p_is_written": written, "p_now": at(now),
        });
        world.call("ops_settle_status_copy", arguments).await["tell"].clone()
    };
    assert!(due("a", "10:00:00").await);
    assert!(!due("a", "10:00:10").await, "somebody is at it");
    assert_eq!(settle("a", true, "10:00:20").await, Value::Null);
    assert!(!due("a", "10:01:00").await);
    assert!(due("b", "10:01:00").await, "it changed");
    assert_eq!(settle("b", false, "10:01:10").await, "failing");
    assert!(due("b", "10:02:00").await);
    assert_eq!(
        settle("b", false, "10:02:10").await,
        Value::Null,
        "told once"
    );
    assert!(due("b", "10:03:00").await);
    assert_eq!(settle("b", true, "10:03:10").await, "recovered");
    assert!(!due("b", "10:07:00").await);
    assert!(due("b", "10:08:00").await, "five minutes");
}

/// Off until somebody wants it; and never where they lie.
#[tokio::test]
async fn how_many_copies_of_the_backups_there_are_is_public_where_a_setting_says_so() {
    let world = World::migrated().await;
    let trust = async |now: &str| status(&world, now).await["trust"].clone();
    back_up(&world, "09:00:00").await;
    let keys = |trust: &Value| trust.as_object().unwrap().len();
    assert_eq!(keys(&trust("09:10:00").await), 3);
    let on = json!({"p_key": "status.backups", "p_value": true, "p_by": "anna"});
    world.call("ops_set_setting", on).await;
    let one = trust("09:10:00").await;
    assert_eq!(
        (&one["ageSeconds"], &one["places"], &one["behindSeconds"]),
        (&json!(600), &json!(1), &Value::Null)
    );
    let replication = json!({
        "id": uuid::Uuid::new_v4(), "place": "s3://copies/wine", "newestHere": at("09:00:00"),
        "newestThere": at("08:30:00"), "copied": 1, "objects": 12, "bytes": 5000, "backupsLeft": 1, "trouble": null,
    });
    let arguments = json!({"p_replication": replication, "p_now": at("09:11:00")});
    world.call("ops_record_replication", arguments).await;
    let two = trust("09:12:00").await;
    assert_eq!(
        (&two["places"], &two["behindSeconds"]),
        (&json!(2), &json!(1800))
    );
    assert!(!two.to_string().contains("copies"), "{two}");
}
