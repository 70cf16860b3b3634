//! What may be kept as a check: everything else is refused where it is stored,
//! with what was expected.

use serde_json::{Value, json};

use crate::support::World;

/// Asserts that each is refused with those words, and that nothing is kept.
async fn refused(cases: &[(Value, &str)]) {
    let world = World::migrated().await;
    for (check, expected) in cases {
        let arguments = json!({"p_name": "x", "p_check": check, "p_by": "anna"});
        let [code, message, hint] = world.refusal("ops_add_check", arguments).await;
        assert_eq!(code, "22023", "{check}: {message}");
        assert!(
            message.contains(expected) || hint.contains(expected),
            "{check}: {message} {hint}"
        );
    }
    let kept = world.rows("select name from ops.custom_checks").await;
    assert_eq!(kept, json!([]));
}

/// A check over HTTP with one more field.
fn http(field: &str, value: Value) -> Value {
    let mut check = json!({"kind": "http", "url": "https://a.example/"});
    check[field] = value;
    check
}

#[tokio::test]
async fn a_url_is_encrypted_or_of_this_machine_and_holds_no_password() {
    refused(&[
        (json!({"kind": "http"}), "https://"),
        (http("url", json!("http://a.example/")), "https://"),
        (
            http("url", json!("http://127.0.0.1.a.example/")),
            "https://",
        ),
        (
            http("url", json!("http://localhost.a.example/")),
            "https://",
        ),
        (
            http("url", json!("https://u:p@a.example/")),
            "must not hold a secret",
        ),
        (http("url", json!("https://u@a.example/")), "https://"),
        (http("url", json!("https://a b.example/")), "https://"),
        (http("url", json!("file:///etc/passwd")), "https://"),
        (http("url", json!(1)), "https://"),
    ])
    .await;
}

#[tokio::test]
async fn plain_http_is_for_this_machine_until_private_addresses_are_allowed() {
    let world = World::migrated().await;
    let add = |name: &str| {
        let check = http("url", json!("http://ledger.internal:8080/health"));
        json!({"p_name": name, "p_check": check, "p_by": "anna"})
    };
    let [code, message, _] = world.refusal("ops_add_check", add("x")).await;
    assert_eq!(code, "22023");
    assert!(
        message.contains("where checks.private_addresses is on"),
        "{message}"
    );
    let allow = json!({"p_key": "checks.private_addresses", "p_value": true, "p_by": "anna"});
    world.call("ops_set_setting", allow).await;
    world.call("ops_add_check", add("x")).await;
}

#[tokio::test]
async fn what_is_expected_of_an_answer_is_of_its_form() {
    refused(&[
        (
            http("method", json!("BREW")),
            "method of check x must be GET, HEAD",
        ),
        (http("body", json!("")), "body of check x must be"),
        (http("status", json!([])), "a whole number from 100 to 599"),
        (
            http("status", json!([200, "2xx"])),
            "a whole number from 100 to 599",
        ),
        (http("status", json!(99)), "a whole number from 100 to 599"),
        (http("contains", json!("")), "contains of check x must be"),
        (http("key", json!("${CHECK_A}")), "given with its key"),
        (
            http("notContains", json!(7)),
            "notContains of check x must be",
        ),
        (http("matches", json!("")), "matches of check x must be"),
        (
            http("notMatches", json!("x".repeat(501))),
            "a text of 1 to 500 characters, got 501 characters",
        ),
        (
            http("answerHeaders", json!("x")),
            "an object of names and what is expected",
        ),
        (
            http("answerHeaders", json!({"a": true, "b": null})),
            "{\"matches\": …}, got b",
        ),
        (
            http("answerHeaders", json!({"b": {"matches": "x", "y": "z"}})),
            "{\"matches\": …}, got b",
        ),
        (http("json", json!(["$.a"])), "paths like $.a.b[0]"),
        (http("json", json!({"a.b": 1})), "paths like $.a.b[0]"),
        (http("json", json!({"$.a[*]": 1})), "paths like $.a.b[0]"),
        (http("json", json!({"$..a": 1})), "paths like $.a.b[0]"),
        (http("json", json!({"$.a": [1]})), "single values"),
        // It would be rounded on its way to the function.
        (
            http("json", json!({"$.a": 0.123_456_789_012_345_6})),
            "at most 15 digits",
        ),
        (
            http("redirects", json!(6)),
            "redirects of check x must be a whole number from 0 to 5",
        ),
        (
            http("maxLatencyMs", json!(0)),
            "maxLatencyMs of check x must be",
        ),
        (
            http("colour", json!("red")),
            "keys of check x must be among before",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_header_holds_no_secret_and_names_no_other_variable() {
    refused(&[
        (
            http("headers", json!({"x y": "z"})),
            "1 to 100 letters, digits and hyphens",
        ),
        (
            http("headers", json!({"x": "a\r\nb: c"})),
            "printable characters",
        ),
        (http("headers", json!({"x": "${HOME}"})), "${CHECK_…}"),
        (
            http("headers", json!({"x": "${CRON_SECRET}"})),
            "${CHECK_…}",
        ),
        (
            http("headers", json!({"x": "${CHECK_A}${MONITORING_API_KEY}"})),
            "${CHECK_…}",
        ),
        (
            http("headers", json!({"Authorization": "Bearer abc"})),
            "comes from a variable",
        ),
        (
            http("headers", json!({"X-Api-Key": "abc"})),
            "comes from a variable",
        ),
        (
            http("headers", json!({"x": "sk-abcdef"})),
            "must not hold a secret",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_asked_for_before_is_held_to_the_same_and_keeps_by_name() {
    let step = |fields: Value| {
        let mut step = json!({"url": "https://a.example/sign-in"});
        step.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        step
    };
    let keep = step(json!({"keep": {"token": {"json": "$.token"}}}));
    let with = |before: Value, fields: Value| {
        let mut check = http("before", before);
        check
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        check
    };
    refused(&[
        (http("before", json!([])), "an array of 1 to 10 requests"),
        (
            http("before", json!([7])),
            "before[0] of check x must be an object",
        ),
        (
            http("before", json!([step(json!({"before": []}))])),
            "before[0] of check x must be an object without other keys",
        ),
        (
            http("before", json!([step(json!({"url": "ftp://a"}))])),
            "before[0].url of check x must be a URL",
        ),
        (
            http("before", json!([step(json!({"status": 99}))])),
            "before[0].status of check x must be",
        ),
        (
            http(
                "before",
                json!([step(json!({"headers": {"cookie": "a=b"}}))]),
            ),
            "before[0].headers.cookie of check x must be a text that comes from a variable",
        ),
        (
            http(
                "before",
                json!([step(json!({"keep": {"Token": {"json": "$"}}}))]),
            ),
            "before[0].keep of check x must be",
        ),
        (
            http(
                "before",
                json!([step(json!({"keep": {"t": {"json": "$", "header": "a"}}}))]),
            ),
            "before[0].keep of check x must be",
        ),
        // A name stands for something from the next request on.
        (
            http(
                "before",
                json!([step(
                    json!({"keep": {"t": {"header": "a"}}, "headers": {"x": "${t}"}})
                )]),
            ),
            "before[0].headers.x of check x must be",
        ),
        (
            http("headers", json!({"x": "${token}"})),
            "headers.x of check x must be",
        ),
        (
            with(json!([keep]), json!({"url": "https://${token}.a.example/"})),
            "url of check x must be a URL",
        ),
        (
            with(
                json!([keep]),
                json!({"url": "https://a.example/${other}/ "}),
            ),
            "url of check x must be a URL",
        ),
    ])
    .await;
    let world = World::migrated().await;
    let check = with(
        json!([
            keep,
            step(json!({"headers": {"Authorization": "Bearer ${token}"}}))
        ]),
        json!({"url": "https://a.example/${token}?q=${token}", "headers": {"Cookie": "${token}"}}),
    );
    let arguments = json!({"p_name": "x", "p_check": check, "p_by": "anna"});
    world.call("ops_add_check", arguments).await;
}

#[tokio::test]
async fn every_other_kind_asks_for_what_it_needs() {
    refused(&[
        (json!({"kind": "tls"}), "host of check x must be"),
        (
            json!({"kind": "tls", "host": "a b"}),
            "host of check x must be",
        ),
        (
            json!({"kind": "tcp", "host": "a.example"}),
            "port of check x must be",
        ),
        (
            json!({"kind": "tcp", "host": "a.example", "port": 0}),
            "from 1 to 65535",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "address": "b.example"}),
            "address of check x must be an IP address",
        ),
        (
            json!({"kind": "tls", "host": "a.example", "startTls": "xmpp"}),
            "startTls of check x must be smtp, imap, pop3 or postgres",
        ),
        (
            json!({"kind": "tls", "host": "a.example", "certificate": "${CHECK_A}"}),
            "given with its key",
        ),
        (
            json!({"kind": "tls", "host": "a.example", "ca": "${HOME}"}),
            "ca of check x must be a variable",
        ),
        (
            json!({"kind": "tls", "host": "a.example", "ca": "-----BEGIN CERTIFICATE-----"}),
            "must not hold a secret",
        ),
        (
            json!({"kind": "tcp", "host": "a.example", "port": 25, "send": ""}),
            "send of check x must be",
        ),
        (
            json!({"kind": "tcp", "host": "a.example", "port": 25, "notContains": "x"}),
            "keys of check x must be among host, port, send",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "record": "HINFO"}),
            "record of check x must be A, AAAA,",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "values": ["x"]}),
            "values of check x must be absent unless",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "record": "A", "address": "127.0.0.1"}),
            "address of check x must be absent",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "record": "A", "absent": true, "values": ["x"]}),
            "values of check x must be",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "record": "A", "port": 53}),
            "port of check x must be absent unless a server",
        ),
        (
            json!({"kind": "dns", "host": "a.example", "record": "A", "server": "a.example"}),
            "server of check x must be an IP address",
        ),
        (
            json!({"kind": "heartbeat", "periodSeconds": 60}),
            "graceSeconds of check x must be",
        ),
        (
            json!({"kind": "rule", "event": "x", "windowMinutes": 60}),
            "minimum of check x must be",
        ),
        (
            json!({"kind": "rule", "event": "x", "metric": "y", "windowMinutes": 60, "minimum": 1}),
            "event of check x must be",
        ),
        (
            json!({"kind": "rule", "windowMinutes": 60, "minimum": 1}),
            "event of check x must be",
        ),
        (
            json!({"kind": "rule", "metric": "x", "of": "y", "windowMinutes": 60, "minimum": 1}),
            "of of check x must be absent",
        ),
        (
            json!({"kind": "rule", "event": "x", "aggregate": "sum", "windowMinutes": 60, "minimum": 1}),
            "aggregate of check x must be",
        ),
        (
            json!({"kind": "rule", "metric": "x", "windowMinutes": 60, "dropPercent": 101}),
            "dropPercent of check x must be a number from 1 to 100",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_all_kinds_have_in_common_is_held_to_bounds() {
    let dns = |field: &str, value: Value| {
        let mut check = json!({"kind": "dns", "host": "a.example"});
        check[field] = value;
        check
    };
    refused(&[
        (
            json!({"kind": "icmp"}),
            "http, tls, dns, tcp, heartbeat or rule",
        ),
        (dns("everySeconds", json!(59)), "everySeconds"),
        (dns("everySeconds", json!(60.5)), "everySeconds"),
        (dns("timeoutMs", json!(10001)), "timeoutMs"),
        (
            dns("severity", json!("loud")),
            "severity of check x must be critical, high, medium or low",
        ),
        (
            dns("enabled", json!("yes")),
            "enabled of check x must be true or false",
        ),
        (json!({"host": "a.example"}), "kind must be http"),
        (json!([]), "an object of fields"),
    ])
    .await;
    let world = World::migrated().await;
    for name in ["", "A", "a b", "-a", "a/b"] {
        let arguments =
            json!({"p_name": name, "p_check": {"kind": "dns", "host": "a"}, "p_by": "anna"});
        let [code, ..] = world.refusal("ops_add_check", arguments).await;
        assert_eq!(code, "22023", "{name}");
    }
}

#[tokio::test]
async fn sql_is_held_to_the_same() {
    let world = World::migrated().await;
    let refused = world
        .admin
        .batch_execute("insert into ops.custom_checks (name, kind, spec) values ('x', 'tcp', '{}')")
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22023");
    world
        .execute("insert into ops.custom_checks (name, kind, spec) values ('x', 'dns', '{\"host\": \"a\"}')")
        .await;
    let changes = world
        .rows("select change, changed_by from ops.check_changes")
        .await;
    assert_eq!(
        changes,
        json!([{"change": "added", "changed_by": "supabase_admin"}])
    );
}
