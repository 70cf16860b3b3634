//! What a database forgets once it was made from a backup, and what its first
//! ticks say.

use serde_json::{Value, json};

use crate::{
    backups::{back_up, claim, shown},
    support::{World, app, at, transitions, verdict},
};

/// Ends a restore at that time, as the database's owner does.
async fn restored(world: &World, now: &str) -> Value {
    let call = format!(
        "ops.after_restore('snapshot-of-11:00:00', '{}', 42.5, '{}')",
        at("11:00:00"),
        at(now)
    );
    world.execute("set role postgres").await;
    let answer = world.value(&call).await;
    world.execute("reset role").await;
    answer
}

#[tokio::test]
async fn what_was_half_done_is_ended_and_recorded() {
    let world = World::migrated().await;
    for now in ["10:57:00", "10:58:00", "10:59:00"] {
        world.tick(now, &[app("down")]).await;
    }
    // One message is sent, one is being sent, and a backup takes the snapshot.
    let messages = world.claim_messages("10:59:10").await;
    let sent = &messages["messages"][0];
    let arguments = json!({"p_claim": sent["lease"], "p_now": at("10:59:11"),
                           "p_results": [{"id": sent["id"], "outcome": "sent"}]});
    world.call("ops_settle_messages", arguments).await;
    let running = claim(&world, "11:00:00").await;

    let answer = restored(&world, "14:00:00").await;
    assert_eq!(
        answer,
        json!({"outcome": "recorded", "now": "2026-11-24T14:00:00+00:00", "jobs": 3,
               "abandonedRuns": 1, "supersededMessages": 1}),
    );
    assert_eq!(
        world
            .rows("select status, lease from ops.outbox order by status")
            .await,
        json!([{"status": "sent", "lease": null}, {"status": "superseded", "lease": null}]),
    );
    assert_eq!(
        world
            .rows("select job, fence, lease_run from ops.jobs order by job")
            .await,
        json!([{"job": "backup", "fence": 1001, "lease_run": null},
               {"job": "maintenance", "fence": 1000, "lease_run": null},
               {"job": "monitor", "fence": 1003, "lease_run": null}]),
    );
    assert_eq!(
        world
            .rows("select outcome from ops.runs where job = 'backup'")
            .await,
        json!([{"outcome": "abandoned"}])
    );
    assert_eq!(
        world
            .rows("select snapshot, taken_at, restored_at, seconds from ops.restores")
            .await,
        json!([{"snapshot": "snapshot-of-11:00:00", "taken_at": "2026-11-24T11:00:00+00:00",
                "restored_at": "2026-11-24T14:00:00+00:00", "seconds": 42.5}]),
    );

    // Whoever wakes up late for the former database is refused.
    let late = json!({"p_run": running["run"], "p_fence": running["fence"], "p_lease_seconds": 90});
    assert_eq!(
        world.call("ops_extend_lease", late).await["outcome"],
        "superseded"
    );
    assert_eq!(world.deliver("14:00:05").await, 0, "nobody is paged again");
}

#[tokio::test]
async fn the_next_tick_judges_anew_and_tells_of_the_gap() {
    let world = World::migrated().await;
    for now in ["10:57:00", "10:58:00", "10:59:00"] {
        world.tick(now, &[app("down")]).await;
    }
    restored(&world, "14:00:00").await;
    let tick = world.tick("14:00:30", &[app("up")]).await;
    // Nothing that this database holds was recorded after that tick.
    assert_eq!(tick["gap"]["from"], "2026-11-24T10:59:00+00:00");
    assert_eq!(tick["gap"]["to"], "2026-11-24T14:00:30+00:00");
    assert_eq!(transitions(&tick), [""; 0]);
    let tick = world.tick("14:01:30", &[app("up")]).await;
    assert_eq!(
        transitions(&tick),
        ["resolved app_down https://app.example/"]
    );
    let told = "select kind, facts ->> 'rule' as rule from ops.outbox where status = 'pending' group by 1, 2";
    assert_eq!(
        world.rows(told).await,
        json!([{"kind": "notice", "rule": "monitoring_gap"}]),
        "whoever was not told of the beginning is not told of the end"
    );
}

#[tokio::test]
async fn a_restored_database_is_as_old_as_the_restore() {
    let world = World::migrated().await;
    back_up(&world, "10:30:00").await;
    claim(&world, "11:00:00").await;
    restored(&world, "14:00:00").await;
    let tick = world.tick("14:50:00", &[]).await;
    assert_eq!(
        verdict(&tick, "backup_overdue", "backup")["verdict"],
        "good"
    );
    assert_eq!(
        verdict(&tick, "backup_failed", "backup")["verdict"],
        "good",
        "the run that took the backup did not fail"
    );
    let document = shown(&world, "14:10:00").await;
    assert_eq!(
        (&document["status"], &document["ageSeconds"]),
        (&json!("ok"), &json!(600.0))
    );
    assert_eq!(
        document["restores"],
        json!([{"snapshot": "snapshot-of-11:00:00", "takenAt": "2026-11-24T11:00:00+00:00",
                "restoredAt": "2026-11-24T14:00:00+00:00", "seconds": 42.5}])
    );
    // What was scheduled there and does not run here is missed.
    let tick = world.tick("14:51:00", &[]).await;
    assert_eq!(transitions(&tick), ["opened backup_overdue backup"]);
    back_up(&world, "15:00:00").await;
    let tick = world.tick("15:01:00", &[]).await;
    assert!(
        transitions(&tick).contains(&"resolved backup_overdue backup".to_owned()),
        "{tick}"
    );
}

#[tokio::test]
async fn without_a_schedule_a_restored_database_misses_no_backup() {
    let world = World::migrated().await;
    world.tick("10:59:00", &[]).await;
    restored(&world, "14:00:00").await;
    let tick = world.tick("18:00:00", &[]).await;
    for rule in ["backup_overdue", "backup_rpo_breached", "backup_failed"] {
        assert_eq!(verdict(&tick, rule, "backup"), &Value::Null, "{rule}");
    }
}

#[tokio::test]
async fn only_the_owner_and_the_servers_key_may_say_that_it_was_restored() {
    let world = World::migrated().await;
    for (role, allowed) in [
        ("postgres", true),
        ("service_role", true),
        ("authenticated", false),
        ("anon", false),
    ] {
        world.execute(&format!("set role {role}")).await;
        let called = world
            .admin
            .batch_execute("select ops.after_restore('x', now(), 1)")
            .await;
        assert_eq!(called.is_ok(), allowed, "{role}: {called:?}");
        world.execute("reset role").await;
    }
}
