//! What depends on what: what may be said, and what is refused.

use serde_json::{Value, json};

use crate::support::World;

/// Arguments that add a check over TCP which depends on those.
fn check(name: &str, needs: &Value) -> Value {
    let check = json!({"kind": "tcp", "host": "a.example", "port": 1, "dependsOn": needs});
    json!({"p_name": name, "p_check": check, "p_by": "anna"})
}

fn edit(name: &str, needs: &Value) -> Value {
    json!({"p_name": name, "p_changes": {"dependsOn": needs}, "p_by": "anna"})
}

/// Asserts that a call is refused with those words.
async fn refused(world: &World, function: &str, arguments: Value, words: &str) {
    let [code, message, hint] = world.refusal(function, arguments.clone()).await;
    assert_eq!(code, "22023", "{arguments}: {message}");
    assert!(
        message.contains(words) || hint.contains(words),
        "{arguments}: {message} {hint}"
    );
}

#[tokio::test]
async fn a_check_depends_on_checks_and_services_that_are_there() {
    let world = World::migrated().await;
    world
        .call("ops_add_check", check("search", &json!(["database"])))
        .await;
    let added = world
        .call("ops_add_check", check("shop", &json!(["search", "app"])))
        .await;
    assert_eq!(added["dependsOn"], json!(["search", "app"]));
    for (needs, words) in [
        (
            json!(["serach"]),
            "names of checks and services, got serach",
        ),
        (json!(["imageprocessing"]), "imageProcessing"),
        (json!("search"), "an array of 1 to 20 names"),
        (json!([]), "an array of 1 to 20 names"),
        (json!([1]), "an array of 1 to 20 names"),
        (json!(vec!["app"; 21]), "an array of 1 to 20 names"),
    ] {
        refused(&world, "ops_add_check", check("x", &needs), words).await;
        refused(&world, "ops_edit_check", edit("shop", &needs), words).await;
    }
    let edited = world
        .call("ops_edit_check", edit("shop", &json!(null)))
        .await;
    assert_eq!(edited.get("dependsOn"), None);
}

#[tokio::test]
async fn a_circle_is_refused_however_long_it_is() {
    let world = World::migrated().await;
    for (name, needs) in [("a", "app"), ("b", "a"), ("c", "b")] {
        world
            .call("ops_add_check", check(name, &json!([needs])))
            .await;
    }
    for needs in ["a", "b", "c"] {
        let arguments = edit("a", &json!(["app", needs]));
        refused(&world, "ops_edit_check", arguments, "would need itself").await;
    }
    // A name of its own that a service has too is itself.
    refused(
        &world,
        "ops_add_check",
        check("email", &json!(["email"])),
        "would need itself",
    )
    .await;
    let rows = |values: &str| {
        format!(
            "insert into ops.dependencies (rule, subject, needs_rule, needs_subject) values {values}"
        )
    };
    for closing in [
        "('app_down', null, 'check_failing', 'c')",
        "('app_down', 'https://app.example/', 'check_failing', 'b')",
        "('database_failing', null, 'app_slow', null)",
        "('external', null, 'external', 'x')",
    ] {
        let refusal = world.admin.batch_execute(&rows(closing)).await;
        let refusal = refusal.expect_err(closing);
        assert_eq!(refusal.code().unwrap().code(), "22023", "{closing}");
    }
    world
        .execute(&rows(
            "('app_down', 'https://app.example/', 'database_failing', null), ('external', 'x', 'external', 'y')",
        ))
        .await;
}

#[tokio::test]
async fn what_others_need_is_not_removed_under_them() {
    let world = World::migrated().await;
    for (name, needs) in [("a", "app"), ("b", "a")] {
        world
            .call("ops_add_check", check(name, &json!([needs])))
            .await;
    }
    let remove = |name: &str| json!({"p_name": name, "p_by": "anna"});
    refused(
        &world,
        "ops_remove_check",
        remove("a"),
        "is needed by check b",
    )
    .await;
    for name in ["b", "a"] {
        world.call("ops_remove_check", remove(name)).await;
    }
}

#[tokio::test]
async fn checks_that_are_added_together_may_name_each_other() {
    let world = World::migrated().await;
    world
        .execute(
            r#"insert into ops.custom_checks (name, kind, spec) values
               ('b', 'dns', '{"host": "b.example", "dependsOn": ["a"]}'),
               ('a', 'dns', '{"host": "a.example"}')"#,
        )
        .await;
    let together = world
        .admin
        .batch_execute("delete from ops.custom_checks where name in ('a', 'b')")
        .await;
    together.expect("and be removed together");
}

#[tokio::test]
async fn the_rules_of_the_bundle_need_pages_and_database() {
    let world = World::migrated().await;
    let listed = world
        .rows(
            "select rule || coalesce(' ' || subject, '') as line, string_agg(
                 needs_rule || case when same_subject then ' of the same' else '' end, ', ' order by needs_rule
             ) as needs
             from ops.list_dependencies() group by 1 order by 1",
        )
        .await;
    let both = "app_down, database_failing";
    let expected = [
        ("api_average_slow", both),
        ("api_slow", both),
        ("app_slow", "app_down of the same, database_failing"),
        ("check_slow", "check_failing of the same"),
        ("endpoint_slow", both),
        ("error_rate_high", both),
        ("page_load_slow", both),
        ("service_degraded database", "database_failing"),
        ("service_degraded storage", "database_failing"),
        ("slo_fast_burn", both),
        ("slo_slow_burn", both),
        ("web_vital_poor", both),
    ]
    .map(|(line, needs)| json!({"line": line, "needs": needs}));
    assert_eq!(listed, json!(expected));
}
