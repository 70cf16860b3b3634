//! Settings: validated, with a history, and never a secret.

use serde_json::{Value, json};

use crate::support::{World, array};

fn change(key: &str, value: &Value) -> Value {
    json!({"p_key": key, "p_value": value, "p_by": "anna"})
}

#[tokio::test]
async fn a_change_is_written_with_who_and_what_it_was() {
    let world = World::migrated().await;
    let changed = world
        .call(
            "ops_set_setting",
            change("threshold.app_latency_ms", &json!(4000)),
        )
        .await;
    assert_eq!(
        (
            &changed["value"],
            &changed["default"],
            &changed["updatedBy"],
            &changed["unit"]
        ),
        (&json!(4000), &json!(5000), &json!("anna"), &json!("ms")),
    );
    // The same again is no change; null is the way back.
    world
        .call(
            "ops_set_setting",
            change("threshold.app_latency_ms", &json!(4000)),
        )
        .await;
    let reset = world
        .call(
            "ops_set_setting",
            change("threshold.app_latency_ms", &Value::Null),
        )
        .await;
    assert_eq!(reset["value"], 5000);
    assert_eq!(
        world
            .rows(
                "select key, old_value, new_value, changed_by from ops.setting_changes order by id"
            )
            .await,
        json!([
            {"key": "threshold.app_latency_ms", "old_value": 5000, "new_value": 4000, "changed_by": "anna"},
            {"key": "threshold.app_latency_ms", "old_value": 4000, "new_value": 5000, "changed_by": "anna"},
        ]),
    );
}

#[tokio::test]
async fn the_list_is_sorted_and_every_default_is_valid() {
    let world = World::migrated().await;
    let listed = world.call("ops_list_settings", json!({})).await;
    let settings = array(&listed["settings"]);
    let keys: Vec<&str> = settings
        .iter()
        .map(|setting| setting["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys.len(), 139);
    assert!(keys.is_sorted());
    for setting in settings {
        assert_eq!(setting["value"], setting["default"]);
        let arguments = change(setting["key"].as_str().unwrap(), &setting["default"]);
        world.call("ops_set_setting", arguments).await;
    }
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_those_that_are_near() {
    let world = World::migrated().await;
    let [code, message, hint] = world
        .refusal("ops_set_setting", change("alert.bad", &json!(1)))
        .await;
    assert_eq!(code, "22023");
    assert_eq!(message, "key must be the key of a setting, got alert.bad");
    assert_eq!(
        hint,
        "known settings: alert.bad_after, alert.event_quiet_minutes, alert.flap_factor, alert.flap_minutes, \
         alert.flap_openings, alert.good_after"
    );
    let [_, _, hint] = world
        .refusal("ops_set_setting", change("nonsense", &json!(1)))
        .await;
    assert!(
        hint.contains("app.urls") && hint.contains("window.error_rate_minutes"),
        "{hint}"
    );
    let [code, ..] = world
        .refusal(
            "ops_set_setting",
            json!({"p_key": "app.urls", "p_value": [], "p_by": " "}),
        )
        .await;
    assert_eq!(code, "22023");
}

/// Asserts in which words a value is refused, or a part of it.
async fn check_part(world: &World, key: &str, value: Value, part: &str, expected: &str) {
    let [code, message, _] = world.refusal("ops_set_setting", change(key, &value)).await;
    assert_eq!(code, "22023", "{key} {value}");
    let words = format!("setting {key}{part} must be {expected}, got ");
    assert!(message.starts_with(&words), "{value}: {message}");
}

/// Asserts in which words a value is refused as a whole.
async fn check(world: &World, key: &str, value: Value, expected: &str) {
    check_part(world, key, value, "", expected).await;
}

#[tokio::test]
async fn numbers_and_texts_are_checked() {
    let world = World::migrated().await;
    for value in [json!(0), json!(61), json!(2.5), json!("3"), json!([3])] {
        check(
            &world,
            "alert.bad_after",
            value,
            "a whole number from 1 to 60",
        )
        .await;
    }
    for value in [json!(100.1), json!(-1), json!(true)] {
        let expected = "a number from 0 to 100";
        check(&world, "threshold.error_rate_percent", value, expected).await;
    }
    let expected = "a text of at most 2000 characters";
    check(&world, "links.runbook", json!(1), expected).await;
    for (key, value) in [
        ("threshold.error_rate_percent", json!(0.5)),
        ("links.runbook", json!("https://wiki.example/runbook")),
    ] {
        world.call("ops_set_setting", change(key, &value)).await;
    }
}

/// One checked URL with other fields.
fn url(fields: &Value) -> Value {
    let mut item = json!({"url": "https://app.example/"});
    let fields = fields.as_object().unwrap().clone();
    item.as_object_mut().unwrap().extend(fields);
    json!([item])
}

#[tokio::test]
async fn checked_urls_are_checked() {
    let world = World::migrated().await;
    let list = "an array of at most 1000 objects {url, name?, status?, contains?, …}";
    let item = "an object {url, name?, status?, contains?, …}";
    let address = "a URL of at most 1000 ASCII characters that begins with http:// or https:// \
                   and names a host and a port that can exist";
    let status = "a whole number from 100 to 599 or an array of such numbers";
    for (value, part, expected) in [
        (json!("https://app.example/"), "", list),
        (json!(["https://app.example/"]), "[0]", item),
        (json!([{}]), "[0].url", address),
        (json!([{"url": 7}]), "[0].url", address),
        (json!([{"url": "ftp://x"}]), "[0].url", address),
        (json!([{"url": "https://a b"}]), "[0].url", address),
        (
            json!([{"url": format!("https://a/{}", "b".repeat(1000))}]),
            "[0].url",
            address,
        ),
        (
            json!([{"url": "https://a"}, {"url": "https://a"}]),
            "[1].url",
            "a URL that the list has once",
        ),
        (
            url(&json!({"method": "GET"})),
            "[0]",
            "an object without other keys than url, name, status, contains, notContains, matches, \
             notMatches, answerHeaders or json",
        ),
        (url(&json!({"status": 99})), "[0].status", status),
        (url(&json!({"status": 200.5})), "[0].status", status),
        (url(&json!({"status": "200"})), "[0].status", status),
        (url(&json!({"status": []})), "[0].status", status),
        (url(&json!({"status": [200, 600]})), "[0].status", status),
        (
            url(&json!({"contains": ""})),
            "[0].contains",
            "a text of 1 to 500 characters",
        ),
        (
            url(&json!({"name": "A page"})),
            "[0].name",
            "1 to 50 lower-case letters, digits and hyphens, the first no hyphen",
        ),
    ] {
        check_part(&world, "app.urls", value, part, expected).await;
    }
    for value in [
        url(&json!({"status": 204})),
        url(&json!({"status": [200, 301], "contains": "Wine", "name": "home-page"})),
        url(&json!({"notMatches": "(?i)error", "answerHeaders": {"x-powered-by": false}})),
        json!([{"url": "http://127.0.0.1:3000"}, {"url": "https://a.example/b?c=d#e"}]),
    ] {
        world
            .call("ops_set_setting", change("app.urls", &value))
            .await;
    }
}

#[tokio::test]
async fn a_secret_is_refused_and_not_repeated() {
    let world = World::migrated().await;
    for secret in [
        "sk-proj-abcdefgh12345681",
        "re_AbCdEf123456",
        "sb_secret_abcdefgh",
        "xoxb-123456-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "https://hooks.slack.com/services/T0/B0/x",
        "https://user:word@example.org/",
    ] {
        let [code, message, hint] = world
            .refusal("ops_set_setting", change("links.runbook", &json!(secret)))
            .await;
        assert_eq!(code, "22023", "{secret}");
        assert_eq!(message, "setting links.runbook must not hold a secret");
        assert_eq!(hint, "Name an environment variable instead.");
    }
    let inside = url(&json!({"contains": "sk-abcdefgh12345681"}));
    let [_, message, _] = world
        .refusal("ops_set_setting", change("app.urls", &inside))
        .await;
    assert_eq!(message, "setting app.urls must not hold a secret");
    for harmless in [
        "https://wiki.example/task-force",
        "RESEND_API_KEY",
        "https://x.example/re_engagement",
    ] {
        world
            .call("ops_set_setting", change("links.runbook", &json!(harmless)))
            .await;
    }
}

#[tokio::test]
async fn queries_are_checked() {
    let world = World::migrated().await;
    let key = "backup.drill_queries";
    let list = "an array of at most 50 objects {name, query}";
    let item = "an object {name, query}: a name of 1 to 100 characters and a query of 1 to 4000 that \
                begins with select or with";
    let one = |name: &str, query: &str| json!({"name": name, "query": query});
    for (value, part, expected) in [
        (json!({}), "", list),
        (json!(vec![one("a", "select 1"); 51]), "", list),
        (
            json!([one("a", "select 1"), one("a", "select 2")]),
            "",
            "a name of its own for each",
        ),
        (json!(["select 1"]), "[0]", item),
        (json!([one("", "select 1")]), "[0]", item),
        (json!([one("a", "delete from x")]), "[0]", item),
        (json!([one("a", "selection")]), "[0]", item),
        (json!([one("b", "select 1"), {"name": "a"}]), "[1]", item),
        (
            json!([{"name": "a", "query": "select 1", "sql": "x"}]),
            "[0]",
            item,
        ),
    ] {
        check_part(&world, key, value, part, expected).await;
    }
    let good = json!([
        one("wines", "select count(*) > 0 from wines"),
        one("b", "\n WITH a as (select 1) table a")
    ]);
    world.call("ops_set_setting", change(key, &good)).await;
    let asked = world.call("ops_list_drills", json!({})).await;
    assert_eq!(asked["queries"], good);
}
