//! Exports that people ask for as the database keeps them: made once, fetched once, and gone.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, at, transitions, verdict};

const ANNA: &str = "00000000-0000-4000-8000-00000000000a";

async fn ask(world: &World, kind: &str, now: &str) {
    let arguments = json!({"p_person": ANNA, "p_kind": kind, "p_now": at(now)});
    world.call("ops_ask_privacy", arguments).await;
}

async fn due(world: &World, now: &str) -> Value {
    world
        .call("ops_due_exports", json!({"p_now": at(now)}))
        .await
}

async fn begin(world: &World, export: Uuid, token: &str, now: &str) -> Value {
    let arguments = json!({
        "p_export": export, "p_person": ANNA, "p_token_hash": token.repeat(64), "p_now": at(now),
    });
    world.call("ops_begin_export", arguments).await
}

async fn end(world: &World, export: Uuid, trouble: Option<&str>, now: &str) -> Value {
    let arguments =
        json!({"p_export": export, "p_bytes": 4096, "p_trouble": trouble, "p_now": at(now)});
    world.call("ops_end_export", arguments).await
}

async fn fetch(world: &World, by: Value, now: &str) -> Value {
    let mut arguments = by;
    arguments["p_now"] = json!(at(now));
    world.call("ops_fetch_export", arguments).await
}

fn link(token: &str) -> Value {
    json!({"p_token_hash": token.repeat(64)})
}

#[tokio::test]
async fn an_export_is_made_once_and_its_link_works_once() {
    let world = World::migrated().await;
    assert_eq!(
        due(&world, "10:00:00").await,
        json!({"person": null, "past": []})
    );
    ask(&world, "erasure", "10:00:00").await;
    assert_eq!(due(&world, "10:00:30").await["person"], Value::Null);
    let odd = json!({"p_person": "nobody", "p_kind": "export", "p_now": at("10:00:40")});
    world.call("ops_ask_privacy", odd).await;
    assert_eq!(due(&world, "10:00:50").await["person"], Value::Null);
    ask(&world, "export", "10:01:00").await;
    assert_eq!(due(&world, "10:02:00").await["person"], ANNA);

    let export = Uuid::new_v4();
    let begun = begin(&world, export, "a", "10:03:00").await;
    assert_eq!(begun["expiresAt"], "2026-12-01T10:03:00+00:00");
    assert_eq!(
        begin(&world, export, "a", "10:03:01").await,
        begun,
        "a lost answer"
    );
    assert_eq!(
        fetch(&world, link("a"), "10:03:30").await["outcome"],
        "unknown",
        "there is no file yet"
    );
    end(&world, export, None, "10:04:00").await;
    let looked = json!({"p_token_hash": "a".repeat(64), "p_is_used": false});
    for _ in 0..2 {
        let looked = fetch(&world, looked.clone(), "10:04:30").await;
        assert_eq!(looked, json!({"outcome": "ready", "export": export}));
    }
    let stranger = json!({"p_person": "00000000-0000-4000-8000-00000000000b"});
    assert_eq!(
        fetch(&world, stranger, "10:05:00").await["outcome"],
        "unknown"
    );
    let mine = json!({"p_person": ANNA});
    assert_eq!(
        fetch(&world, mine.clone(), "10:05:00").await["outcome"],
        "ready"
    );
    for used in [link("a"), mine] {
        assert_eq!(fetch(&world, used, "10:06:00").await["outcome"], "used");
    }
    assert_eq!(due(&world, "11:04:59").await["past"], json!([]));
    assert_eq!(due(&world, "11:05:00").await["past"], json!([export]));
    let removed = json!({"p_export": export, "p_now": at("11:06:00")});
    world.call("ops_note_export_removed", removed).await;
    assert_eq!(due(&world, "11:07:00").await["past"], json!([]));
    assert_eq!(
        fetch(&world, link("a"), "11:08:00").await["outcome"],
        "unknown"
    );
}

#[tokio::test]
async fn only_the_newest_link_works_and_three_tries_are_enough() {
    let world = World::migrated().await;
    ask(&world, "export", "10:00:00").await;
    let ids = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    for (id, token) in ids.into_iter().zip(["a", "b", "c"]) {
        assert_eq!(due(&world, "10:01:00").await["person"], ANNA);
        begin(&world, id, token, "10:01:00").await;
        if token != "a" {
            end(&world, id, None, "10:01:00").await;
        }
    }
    // The first one was killed, the second was made and nobody was told.
    assert_eq!(
        due(&world, "10:02:00").await,
        json!({"person": null, "past": [ids[0], ids[1]]})
    );
    assert_eq!(
        fetch(&world, link("b"), "10:03:00").await["outcome"],
        "expired"
    );
    assert_eq!(
        fetch(&world, link("c"), "10:03:00").await["outcome"],
        "ready"
    );
    let open = world.call("ops_list_privacy_requests", json!({})).await;
    assert_eq!(open["requests"][0]["tries"], 3);
}

#[tokio::test]
async fn what_could_not_be_made_says_why_and_its_file_goes() {
    let world = World::migrated().await;
    ask(&world, "export", "10:00:00").await;
    let export = Uuid::new_v4();
    begin(&world, export, "a", "10:01:00").await;
    let noted = end(
        &world,
        export,
        Some("Storage answered 413: too large"),
        "10:02:00",
    )
    .await;
    assert_eq!(noted, json!({"noted": true}));
    let listed = world.call("ops_list_privacy_requests", json!({})).await;
    assert_eq!(
        listed["requests"][0]["trouble"],
        "Storage answered 413: too large"
    );
    assert_eq!(due(&world, "10:02:00").await["past"], json!([export]));
    assert_eq!(
        fetch(&world, link("a"), "10:03:00").await["outcome"],
        "unknown"
    );
}

#[tokio::test]
async fn whoever_was_erased_meanwhile_is_handed_nothing_and_the_file_goes() {
    let world = World::migrated().await;
    ask(&world, "export", "10:00:00").await;
    let export = Uuid::new_v4();
    begin(&world, export, "a", "10:01:00").await;
    world
        .execute("update ops.exports set person = null; delete from ops.privacy_requests")
        .await;
    let noted = end(&world, export, None, "10:02:00").await;
    assert_eq!(noted, json!({"noted": false}));
    assert_eq!(due(&world, "10:02:00").await["past"], json!([export]));
}

#[tokio::test]
async fn whoever_waits_for_long_is_told_of_until_they_are_answered() {
    let world = World::migrated().await;
    let rule = "privacy_request_waits";
    let tick = world.tick("09:00:00", &[]).await;
    assert_eq!(verdict(&tick, rule, "privacy"), &Value::Null);
    ask(&world, "erasure", "09:01:00").await;
    let tick = world.tick("09:02:00", &[]).await;
    assert_eq!(verdict(&tick, rule, "privacy")["verdict"], "good");
    world
        .execute("update ops.privacy_requests set asked_at = asked_at - interval '15 days'")
        .await;
    let tick = world.tick("09:03:00", &[]).await;
    assert_eq!(transitions(&tick), [format!("opened {rule} privacy")]);
    let close = json!({"p_person": ANNA, "p_kind": "erasure", "p_outcome": "done"});
    world.call("ops_close_privacy_request", close).await;
    let tick = world.tick("09:04:00", &[]).await;
    assert_eq!(transitions(&tick), [format!("resolved {rule} privacy")]);
}
