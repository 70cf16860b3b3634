//! Readings of the platforms: pins of production, and the provider's own backups.

use serde_json::{Value, json};

use crate::support::{World, at, transitions, verdict};

async fn claim(world: &World, sources: &[&str], now: &str) -> Value {
    let arguments = json!({"p_sources": sources, "p_now": at(now)});
    world.call("ops_claim_platform_readings", arguments).await["sources"].clone()
}

async fn store(world: &World, source: &str, document: Value, now: &str) -> Value {
    let arguments =
        json!({"p_source": source, "p_document": document, "p_error": null, "p_now": at(now)});
    world.call("ops_store_platform_reading", arguments).await["changed"].clone()
}

async fn unread(world: &World, source: &str, error: &str, now: &str) -> Value {
    let arguments =
        json!({"p_source": source, "p_document": null, "p_error": error, "p_now": at(now)});
    world.call("ops_store_platform_reading", arguments).await["changed"].clone()
}

fn project(assigns: &Value) -> Value {
    json!({
        "name": "app", "assigns": assigns, "change": null,
        "live": {"id": "dpl_a", "at": at("08:00:00"), "commit": null},
    })
}

fn of(rule: &str, tick: &Value) -> Vec<String> {
    let mut changes = transitions(tick);
    changes.retain(|change| change.contains(rule));
    changes
}

#[tokio::test]
async fn each_source_is_read_once_an_hour_and_a_row_written_when_it_changes() {
    let world = World::migrated().await;
    let all = ["app_project", "provider_backups"];
    assert_eq!(claim(&world, &all, "09:00:00").await, json!(all));
    assert_eq!(claim(&world, &all, "09:50:00").await, json!([]));
    assert_eq!(claim(&world, &all, "09:55:00").await, json!(all));

    let free = project(&json!(true));
    assert_eq!(
        store(&world, "app_project", free.clone(), "09:00:00").await,
        true
    );
    assert_eq!(
        store(&world, "app_project", free.clone(), "10:00:00").await,
        false
    );
    assert_eq!(
        unread(&world, "app_project", "answered 401", "11:00:00").await,
        true
    );
    assert_eq!(
        unread(&world, "app_project", "answered 401", "12:00:00").await,
        false
    );
    assert_eq!(store(&world, "app_project", free, "13:00:00").await, true);
    assert_eq!(
        world
            .value("(select count(*) from ops.platform_readings)")
            .await,
        3
    );

    let odd = json!({"assigns": "perhaps"});
    let arguments = json!({
        "p_source": "app_project", "p_document": odd, "p_error": null, "p_now": at("14:00:00"),
    });
    let refusal = world.refusal("ops_store_platform_reading", arguments).await;
    assert_eq!(refusal[0], "22023");
}

#[tokio::test]
async fn production_that_is_pinned_for_a_day_is_told_until_it_is_free() {
    let world = World::migrated().await;
    claim(&world, &["app_project"], "09:00:00").await;
    store(&world, "app_project", project(&json!(true)), "09:00:00").await;
    store(&world, "app_project", project(&json!(false)), "10:00:00").await;
    // What cannot be read, or does not say, neither ends a pin nor begins one.
    unread(&world, "app_project", "timeout", "11:00:00").await;
    store(&world, "app_project", project(&Value::Null), "12:00:00").await;
    let tick = world.tick("12:01:00", &[]).await;
    let judged = verdict(&tick, "release_pinned", "app_project");
    assert_eq!(judged["verdict"], "insufficient");
    let shown = world.dashboard(3600, "12:01:00").await["production"]["projects"][0].clone();
    assert_eq!(
        (&shown["state"], &shown["pinnedSince"]),
        (&json!("unknown"), &Value::Null)
    );

    store(&world, "app_project", project(&json!(false)), "13:00:00").await;
    let tick = world.tick("2026-11-25T09:59:00Z", &[]).await;
    assert_eq!(of("release_pinned", &tick), Vec::<String>::new());
    let shown =
        world.dashboard(3600, "2026-11-25T09:59:00Z").await["production"]["projects"].clone();
    assert_eq!(
        (
            &shown[0]["state"],
            &shown[0]["pinnedSince"],
            &shown[1]["state"]
        ),
        (
            &json!("pinned"),
            &json!("2026-11-24T10:00:00+00:00"),
            &json!("not watched")
        )
    );
    let tick = world.tick("2026-11-25T10:04:00Z", &[]).await;
    assert_eq!(
        of("release_pinned", &tick),
        ["opened release_pinned app_project"]
    );
    store(
        &world,
        "app_project",
        project(&json!(true)),
        "2026-11-25T11:00:00Z",
    )
    .await;
    let tick = world.tick("2026-11-25T11:01:00Z", &[]).await;
    assert_eq!(
        of("release_pinned", &tick),
        ["resolved release_pinned app_project"]
    );
}

#[tokio::test]
async fn a_pin_is_as_old_as_the_rollback_and_ends_with_the_token() {
    let world = World::migrated().await;
    claim(&world, &["app_project"], "09:00:00").await;
    let mut pinned = project(&json!(false));
    pinned["change"] = json!({"kind": "rollback", "at": "2026-11-22T03:00:00Z", "to": "dpl_a"});
    store(&world, "app_project", pinned, "09:00:00").await;
    let tick = world.tick("09:01:00", &[]).await;
    assert_eq!(
        of("release_pinned", &tick),
        ["opened release_pinned app_project"]
    );
    claim(&world, &[], "10:00:00").await;
    let tick = world.tick("10:01:00", &[]).await;
    assert_eq!(
        of("release_pinned", &tick),
        ["resolved release_pinned app_project"]
    );
}

fn backups(pitr: bool, listed: &[(&str, &str)], latest: Option<&str>) -> Value {
    let backups: Vec<Value> = listed
        .iter()
        .map(|(time, status)| json!({"at": at(time), "status": status}))
        .collect();
    json!({"pitr": pitr, "backups": backups, "latestPhysical": latest.map(at)})
}

#[tokio::test]
async fn the_providers_backups_are_judged() {
    let fresh = ("03:00:00", "COMPLETED");
    let old = ("2026-11-23T09:00:00Z", "COMPLETED");
    for (document, state, judged) in [
        (backups(false, &[fresh], None), "fine", "good"),
        (
            backups(false, &[("10:00:00", "PENDING"), fresh], None),
            "fine",
            "good",
        ),
        (
            backups(false, &[("10:00:00", "FAILED"), fresh], None),
            "failed",
            "bad",
        ),
        (backups(false, &[old], None), "old", "bad"),
        (backups(false, &[], None), "none", "insufficient"),
        (backups(true, &[], Some("11:55:00")), "fine", "good"),
        (backups(true, &[fresh], Some("11:45:00")), "gap", "bad"),
        (backups(true, &[fresh], None), "gap", "bad"),
    ] {
        let world = World::migrated().await;
        claim(&world, &["provider_backups"], "12:00:00").await;
        store(&world, "provider_backups", document.clone(), "12:00:00").await;
        let tick = world.tick("12:01:00", &[]).await;
        let seen = verdict(&tick, "provider_backup", "provider");
        assert_eq!(seen["verdict"], judged, "{document}");
        let shown = world.dashboard(3600, "12:01:00").await["providerBackups"].clone();
        assert_eq!(shown["state"], state, "{document}");
    }
}

#[tokio::test]
async fn what_nobody_could_read_for_a_day_is_no_backup_that_is_known() {
    let world = World::migrated().await;
    let tick = world.tick("08:00:00", &[]).await;
    assert_eq!(verdict(&tick, "provider_backup", "provider"), &Value::Null);
    let shown = world.dashboard(3600, "08:00:00").await["providerBackups"].clone();
    assert_eq!(shown["state"], "not watched");

    claim(&world, &["provider_backups"], "09:00:00").await;
    unread(&world, "provider_backups", "answered 401", "09:00:00").await;
    let tick = world.tick("09:01:00", &[]).await;
    let seen = verdict(&tick, "provider_backup", "provider");
    assert_eq!(seen["verdict"], "insufficient");
    let listed = backups(false, &[("08:00:00", "COMPLETED")], None);
    store(&world, "provider_backups", listed, "10:00:00").await;
    unread(&world, "provider_backups", "answered 401", "11:00:00").await;
    let tick = world.tick("2026-11-25T09:00:00Z", &[]).await;
    assert_eq!(of("provider_backup", &tick), Vec::<String>::new());
    let tick = world.tick("2026-11-25T12:01:00Z", &[]).await;
    assert_eq!(
        of("provider_backup", &tick),
        ["opened provider_backup provider"]
    );
    let shown = world.dashboard(3600, "2026-11-25T12:01:00Z").await["providerBackups"].clone();
    assert_eq!(
        (&shown["state"], &shown["error"]),
        (&json!("unreadable"), &json!("answered 401"))
    );
    // A list that was emptied is not none to watch.
    store(
        &world,
        "provider_backups",
        backups(false, &[], None),
        "2026-11-25T13:00:00Z",
    )
    .await;
    let shown = world.dashboard(3600, "2026-11-25T13:00:00Z").await["providerBackups"].clone();
    assert_eq!(shown["state"], "old");
}
