//! Source maps: kept in parts, found by debug id or by the file of a version, and forgotten
//! once their version has had no error for long.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{World, array};

const ID: &str = "00000000-0000-4000-8000-000000000001";

/// The name of a content of that text in parts of one letter.
fn content(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

async fn put(world: &World, text: &str, now: &str) {
    for (part, letter) in text.chars().enumerate() {
        let arguments = json!({
            "p_content": content(text), "p_part": part, "p_bytes": BASE64_STANDARD.encode(letter.to_string()),
            "p_now": now,
        });
        world.call("ops_put_source_map_part", arguments).await;
    }
}

fn map(file: &str, text: &str, debug_id: Option<&str>) -> Value {
    json!({"file": file, "content": content(text), "debug_id": debug_id, "parts": text.len(), "size": 10})
}

async fn name(world: &World, release: &str, maps: &[Value], now: &str) -> Value {
    let arguments = json!({"p_release": release, "p_maps": maps, "p_by": "anna", "p_now": now});
    world.call("ops_name_source_maps", arguments).await["refused"].clone()
}

async fn missing(world: &World, texts: &[&str]) -> Value {
    let contents: Vec<_> = texts.iter().map(|text| content(text)).collect();
    world
        .call("ops_missing_source_maps", json!({ "p_contents": contents }))
        .await["missing"]
        .clone()
}

/// The contents that are found for files, and how many maps their version has.
async fn found(world: &World, files: &Value) -> Vec<(Value, Value)> {
    let answer = world
        .call("ops_find_source_maps", json!({ "p_files": files }))
        .await;
    let found = array(&answer["found"]).iter();
    found
        .map(|found| {
            (
                found["map"]["content"].clone(),
                found["mapsOfRelease"].clone(),
            )
        })
        .collect()
}

const NOW: &str = "2026-11-24T10:00:00Z";

#[tokio::test]
async fn a_map_is_named_once_its_content_is_there_whole() {
    let world = World::migrated().await;
    let maps = [map("~/a.js", "abc", None), map("~/b.js", "b", None)];
    put(&world, "b", NOW).await;
    let refused = name(&world, "1.4", &maps, NOW).await;
    let expected = json!([{"file": "~/a.js", "reason": "its content is not there whole"}]);
    assert_eq!(refused, expected);
    assert_eq!(
        missing(&world, &["abc", "b"]).await,
        json!([content("abc")])
    );

    put(&world, "abc", NOW).await;
    assert_eq!(name(&world, "1.4", &maps, NOW).await, json!([]));
    assert_eq!(name(&world, "1.4", &maps, NOW).await, json!([]));
    assert_eq!(missing(&world, &["abc", "b"]).await, json!([]));
    let listed = world
        .call("ops_list_source_maps", json!({"p_release": "1.4"}))
        .await;
    assert_eq!(array(&listed["maps"]).len(), 2);
    assert_eq!(
        (
            &listed["releases"][0]["maps"],
            &listed["releases"][0]["size"]
        ),
        (&json!(2), &json!(20))
    );

    // What a map has is not changed by whoever sends other bytes by its name.
    let other = json!({"p_content": content("b"), "p_part": 0, "p_bytes": "eA=="});
    world.call("ops_put_source_map_part", other).await;
    let read = json!({"p_content": content("b"), "p_part": 0});
    let part = world.call("ops_read_source_map", read).await;
    assert_eq!(part["bytes"], BASE64_STANDARD.encode("b"));
    let read = json!({"p_content": content("b"), "p_part": 1});
    assert_eq!(
        world.call("ops_read_source_map", read).await["bytes"],
        Value::Null
    );
}

#[tokio::test]
async fn a_map_is_found_by_its_id_and_else_by_the_file_of_a_version() {
    let world = World::migrated().await;
    for (text, hour) in [("a", 8), ("b", 9), ("c", 10)] {
        let now = format!("2026-11-24T{hour:02}:00:00Z");
        put(&world, text, &now).await;
        let id = (text == "a").then_some(ID);
        name(&world, "1.4", &[map("~/a.js", text, id)], &now).await;
    }
    let files = json!([
        {"debugId": ID.to_uppercase(), "release": "1.5", "file": "~/z.js"},
        {"debugId": "odd", "release": "1.4", "file": "~/a.js"},
        {"debugId": null, "release": "1.4", "file": "~/z.js"},
        {"release": null, "file": null},
        7,
    ]);
    let expected = [
        (json!(content("a")), json!(0)),
        (json!(content("c")), json!(3)),
        (Value::Null, json!(3)),
        (Value::Null, json!(0)),
        (Value::Null, json!(0)),
    ];
    assert_eq!(found(&world, &files).await, expected);
    // The same once more is the newest again.
    name(
        &world,
        "1.4",
        &[map("~/a.js", "b", None)],
        "2026-11-24T11:00:00Z",
    )
    .await;
    assert_eq!(found(&world, &files).await[1].0, json!(content("b")));
}

#[tokio::test]
async fn what_cannot_be_a_map_is_refused_alone_and_in_words() {
    let world = World::migrated().await;
    put(&world, "a", NOW).await;
    let odd = [
        json!({"file": "", "content": content("a"), "parts": 1, "size": 1}),
        json!({"file": "~/a", "content": content("a"), "parts": 1, "size": -1}),
        json!({"file": "~/b", "content": content("a"), "parts": 1, "size": 1, "debug_id": "odd"}),
        json!({"file": "~/c", "content": content("a"), "parts": "x", "size": 1}),
        json!(7),
        map("~/d", "a", None),
    ];
    let refused = name(&world, "1.4", &odd, NOW).await;
    assert_eq!(array(&refused).len(), 5, "{refused}");
    for (function, arguments) in [
        (
            "ops_put_source_map_part",
            json!({"p_content": "x", "p_part": 0, "p_bytes": "eA=="}),
        ),
        (
            "ops_put_source_map_part",
            json!({"p_content": content("a"), "p_part": 32, "p_bytes": "eA=="}),
        ),
        (
            "ops_put_source_map_part",
            json!({"p_content": content("a"), "p_part": 0, "p_bytes": ""}),
        ),
        (
            "ops_put_source_map_part",
            json!({"p_content": content("a"), "p_part": 0, "p_bytes": "!"}),
        ),
        (
            "ops_name_source_maps",
            json!({"p_release": "", "p_maps": [], "p_by": "anna"}),
        ),
        (
            "ops_name_source_maps",
            json!({"p_release": "1", "p_maps": {}, "p_by": "anna"}),
        ),
        ("ops_find_source_maps", json!({"p_files": 7})),
        (
            "ops_read_source_map",
            json!({"p_content": null, "p_part": 0}),
        ),
        ("ops_delete_source_maps", json!({"p_release": "unknown"})),
    ] {
        let [state, message, _] = world.refusal(function, arguments).await;
        assert!(state.starts_with("22"), "{function}: {state} {message}");
    }
}

#[tokio::test]
async fn what_was_deleted_takes_what_nobody_else_has() {
    let world = World::migrated().await;
    for text in ["a", "b"] {
        put(&world, text, "2026-11-24T08:00:00Z").await;
    }
    name(
        &world,
        "1.4",
        &[map("~/a.js", "a", None), map("~/b.js", "b", None)],
        NOW,
    )
    .await;
    name(&world, "1.5", &[map("~/a.js", "a", None)], NOW).await;
    let arguments = json!({"p_release": "1.4", "p_now": NOW});
    let deleted = world.call("ops_delete_source_maps", arguments).await;
    assert_eq!(deleted, json!({"release": "1.4", "deleted": 2}));
    assert_eq!(missing(&world, &["a", "b"]).await, json!([content("b")]));
    assert_eq!(
        world
            .value("(select count(*) from ops.source_map_parts)")
            .await,
        1
    );
}

#[tokio::test]
async fn maps_go_ninety_days_after_the_last_error_of_their_version() {
    let world = World::migrated().await;
    for (text, release) in [("a", "old"), ("b", "alive")] {
        put(&world, text, NOW).await;
        name(&world, release, &[map("~/a.js", text, None)], NOW).await;
    }
    // Half an upload.
    put(&world, "c", NOW).await;
    world
        .execute(
            "insert into ops.releases (environment, release, first_seen, last_seen, last_error_at) values
                 ('production', 'old', '2026-11-24', '2027-03-01', '2026-11-25'),
                 ('preview', 'alive', '2026-11-24', '2027-01-01', '2027-01-01')",
        )
        .await;
    let forget = async |now: &str| {
        world
            .value(&format!("ops.forget_source_maps(100, '{now}')"))
            .await
    };
    assert_eq!(forget("2026-11-25T09:00:00Z").await, 0);
    assert_eq!(forget("2026-11-25T11:00:00Z").await, 1);
    assert_eq!(forget("2027-02-23T12:00:00Z").await, 1);
    let kept = world.call("ops_list_source_maps", json!({})).await;
    assert_eq!(kept["releases"][0]["release"], "alive");
    assert_eq!(
        kept["releases"][0]["lastErrorAt"],
        "2027-01-01T00:00:00+00:00"
    );
    assert_eq!(array(&kept["releases"]).len(), 1);
    assert_eq!(missing(&world, &["a"]).await, json!([content("a")]));
    assert_eq!(forget("2027-04-02T00:00:00Z").await, 1);
    assert_eq!(
        world
            .value("(select count(*) from ops.source_map_parts)")
            .await,
        0
    );
}
