//! Checks and contacts as a file names them.

use serde_json::{Value, json};

use crate::support::World;

/// Applies checks; the answer.
async fn apply(world: &World, checks: &Value, remove: bool, dry_run: bool) -> Value {
    let arguments =
        json!({"p_checks": checks, "p_remove": remove, "p_dry_run": dry_run, "p_by": "anna"});
    world.call("ops_apply_checks", arguments).await
}

async fn apply_contacts(world: &World, contacts: &Value, remove: bool, dry_run: bool) -> Value {
    let arguments =
        json!({"p_contacts": contacts, "p_remove": remove, "p_dry_run": dry_run, "p_by": "anna"});
    world.call("ops_apply_contacts", arguments).await
}

/// What a plan does, as names with their change.
fn changes(plan: &Value) -> Vec<(&str, &str)> {
    let changes = plan["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["change"].as_str().unwrap(),
            )
        })
        .collect()
}

async fn kept(world: &World) -> Value {
    world
        .rows("select name, updated_by, updated_at, spec from ops.custom_checks order by name")
        .await
}

/// Two checks that need each other's kind of neighbours, and one beside them.
fn file() -> Value {
    json!([
        {"name": "shop", "kind": "http", "url": "https://shop.example/", "dependsOn": ["search"], "tags": ["eu"]},
        {"name": "search", "kind": "tcp", "host": "search.example", "port": 443, "everySeconds": 300},
        {"name": "import", "kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60, "enabled": false},
    ])
}

#[tokio::test]
async fn a_file_is_planned_applied_once_and_then_changes_nothing() {
    let world = World::migrated().await;
    let planned = apply(&world, &file(), false, true).await;
    let all = [("import", "added"), ("search", "added"), ("shop", "added")];
    assert_eq!(changes(&planned), all);
    assert_eq!(planned["dryRun"], true);
    assert_eq!(kept(&world).await, json!([]), "a plan changes nothing");
    assert_eq!(
        world.rows("select name from ops.check_changes").await,
        json!([]),
        "and is no change"
    );

    let applied = apply(&world, &file(), false, false).await;
    assert_eq!(applied["changes"], planned["changes"]);
    let before = kept(&world).await;
    let again = apply(&world, &file(), true, false).await;
    assert_eq!(changes(&again), []);
    assert_eq!(
        kept(&world).await,
        before,
        "what is as it should be is not touched"
    );
}

#[tokio::test]
async fn what_was_exported_applies_as_nothing() {
    let world = World::migrated().await;
    apply(&world, &file(), false, false).await;
    let listed = world.call("ops_list_checks", json!({})).await;
    let exported: Vec<_> = listed["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["definition"].clone())
        .collect();
    let names: Vec<_> = exported.iter().map(|check| &check["name"]).collect();
    assert_eq!(names, ["import", "search", "shop"]);
    assert_eq!(
        changes(&apply(&world, &json!(exported), true, false).await),
        []
    );
}

#[tokio::test]
async fn a_file_says_all_of_a_check_and_what_it_does_not_name_goes_only_on_demand() {
    let world = World::migrated().await;
    apply(&world, &file(), false, false).await;
    // Without its interval the check has the default one again.
    let fewer = json!([{"name": "search", "kind": "tcp", "host": "search.example", "port": 80}]);
    let plan = apply(&world, &fewer, false, false).await;
    assert_eq!(changes(&plan), [("search", "edited")]);
    let change = &plan["changes"][0];
    assert_eq!(
        (
            &change["from"]["everySeconds"],
            &change["to"]["everySeconds"]
        ),
        (&json!(300), &json!(60))
    );
    assert_eq!(plan["unnamed"], json!(["import", "shop"]));
    let plan = apply(&world, &fewer, true, false).await;
    assert_eq!(changes(&plan), [("import", "removed"), ("shop", "removed")]);
    assert_eq!(plan["unnamed"], json!([]));
    let by = world
        .rows("select distinct changed_by from ops.check_changes")
        .await;
    assert_eq!(by, json!([{"changed_by": "anna"}]));
}

#[tokio::test]
async fn one_check_that_is_not_valid_leaves_all_as_they_were() {
    let world = World::migrated().await;
    apply(&world, &file(), false, false).await;
    let before = kept(&world).await;
    let one = |fields: Value| {
        let mut checks = file();
        checks.as_array_mut().unwrap().push(fields);
        checks[1]["port"] = json!(8443);
        checks
    };
    for (checks, expected) in [
        (
            one(json!({"name": "x", "kind": "tcp", "host": "a", "port": 0})),
            "port of check x must be",
        ),
        (
            one(json!({"name": "x", "kind": "tcp", "host": "a", "port": 1, "everySeconds": 1})),
            "everySeconds of check x must be",
        ),
        (
            one(json!({"kind": "tcp", "host": "a", "port": 1})),
            "name must be 1 to 50",
        ),
        (one(json!(7)), "name must be 1 to 50"),
        (
            one(json!({"name": "shop", "kind": "dns", "host": "a"})),
            "one that no other check of the file has, got shop",
        ),
        (
            json!([{"name": "shop", "kind": "dns", "host": "a"}]),
            "kind of check shop must be http as before",
        ),
        (
            one(json!({"name": "x", "kind": "dns", "host": "a", "dependsOn": ["nowhere"]})),
            "dependsOn of check x must be",
        ),
        (
            json!([{"name": "import", "kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60, "tags": ["A b"]}]),
            "tags of check import must be",
        ),
        (json!({}), "checks must be an array"),
    ] {
        for dry_run in [true, false] {
            let arguments =
                json!({"p_checks": checks, "p_remove": true, "p_dry_run": dry_run, "p_by": "anna"});
            let [code, message, _] = world.refusal("ops_apply_checks", arguments).await;
            assert_eq!(code, "22023", "{message}");
            assert!(message.contains(expected), "{checks}: {message}");
        }
    }
    assert_eq!(kept(&world).await, before);
    // What others need is not removed from under them.
    let needed =
        json!({"p_checks": [file()[0]], "p_remove": true, "p_dry_run": false, "p_by": "anna"});
    let [_, message, _] = world.refusal("ops_apply_checks", needed).await;
    assert!(
        message.contains("search, which is needed by check shop"),
        "{message}"
    );
}

#[tokio::test]
async fn contacts_are_planned_and_applied_by_their_names() {
    let world = World::migrated().await;
    let file = json!([
        {"name": "Anna", "role": "on_call_primary", "email": "anna@wine.example"},
        {"name": "Ben", "role": "cto", "slack": "U0BEN12",
         "hours": {"days": [1, 2], "from": "09:00", "until": "17:00"}, "zone": "Europe/Paris"},
    ]);
    let planned = apply_contacts(&world, &file, false, true).await;
    assert_eq!(changes(&planned), [("Anna", "added"), ("Ben", "added")]);
    assert_eq!(world.rows("select name from ops.contacts").await, json!([]));
    apply_contacts(&world, &file, false, false).await;
    let before = world.rows("select * from ops.contacts order by name").await;
    assert_eq!(
        changes(&apply_contacts(&world, &file, true, false).await),
        []
    );
    assert_eq!(
        world.rows("select * from ops.contacts order by name").await,
        before
    );

    // A name in other letters is the same person, with the same id.
    let other = json!([{"name": "BEN", "role": "executive", "slack": "U0BEN12"}]);
    let plan = apply_contacts(&world, &other, false, false).await;
    assert_eq!(
        (changes(&plan), &plan["unnamed"]),
        (vec![("BEN", "edited")], &json!(["Anna"]))
    );
    assert_eq!(plan["changes"][0]["from"]["zone"], "Europe/Paris");
    assert_eq!(plan["changes"][0]["to"]["hours"], Value::Null);
    let plan = apply_contacts(&world, &other, true, false).await;
    assert_eq!(changes(&plan), [("Anna", "removed")]);

    for (contacts, expected) in [
        (json!([{"name": "X", "role": "cto"}]), "email must be given"),
        (
            json!([{"name": "X", "role": "boss", "email": "x@y.example"}]),
            "role must be",
        ),
        (json!([{"name": "X", "phone": 1}]), "fields must be"),
        (json!([7]), "fields must be"),
        (
            json!([{"name": "x", "role": "cto", "email": "x@y.example"}, {"name": "X", "role": "cto", "email": "x@y.example"}]),
            "no other contact of the file has",
        ),
    ] {
        let arguments =
            json!({"p_contacts": contacts, "p_remove": true, "p_dry_run": false, "p_by": "anna"});
        let [code, message, _] = world.refusal("ops_apply_contacts", arguments).await;
        assert_eq!(code, "22023", "{message}");
        assert!(message.contains(expected), "{contacts}: {message}");
    }
    assert_eq!(
        world.rows("select name from ops.contacts").await,
        json!([{"name": "BEN"}])
    );
}

#[tokio::test]
async fn the_history_of_a_check_begins_with_the_newest_sample() {
    let world = World::migrated().await;
    apply(&world, &file(), false, false).await;
    world
        .admin
        .batch_execute(
            "insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
             select name, '2026-01-01'::timestamptz + make_interval(mins => nth), 'up', 120, gen_random_uuid(), 'test'
             from generate_series(1, 5) as nth cross join unnest('{check:shop,check:search}'::text[]) as name",
        )
        .await
        .unwrap();
    let seen = world
        .call("ops_list_samples", json!({"p_name": "shop", "p_limit": 2}))
        .await;
    let times: Vec<_> = seen["samples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["at"])
        .collect();
    assert_eq!(
        times,
        ["2026-01-01T00:05:00+00:00", "2026-01-01T00:04:00+00:00"]
    );
    let [code, ..] = world
        .refusal("ops_list_samples", json!({"p_name": "nowhere"}))
        .await;
    assert_eq!(code, "22023");
    assert_eq!(
        world
            .call("ops_list_samples", json!({"p_name": "import"}))
            .await,
        json!({"samples": []})
    );
}
