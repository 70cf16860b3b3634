use serde_json::json;

use super::*;

fn judged(kind: &str, detail: Value) -> Judged {
    let Value::Object(detail) = detail else {
        panic!("no object")
    };
    judge(kind, &detail)
}

fn key(kind: &str, detail: Value) -> String {
    match judged(kind, detail) {
        Judged::Issue(issue) => issue.key,
        Judged::Nothing(reason) => panic!("{reason}"),
    }
}

#[test]
fn what_differs_from_one_to_the_next_splits_no_issue() {
    for (one, other) in [
        ("wine 17 is gone", "wine 4711 is gone"),
        (
            "no user 7c5c1f3e-2a4b-4c6d-8e9f-0a1b2c3d4e5f",
            "no user 00000000-0000-4000-8000-000000000001",
        ),
        (
            "cannot reach https://a.example/x?y=1",
            "cannot reach https://b.example/z",
        ),
        (
            "duplicate key \"wines_pkey\"",
            "duplicate key \"users_pkey\"",
        ),
        (
            "timeout after 1.5e3 ms at 10.0.0.1:5432",
            "timeout after 90 ms at 10.0.0.2:5432",
        ),
        (
            "late since 2026-11-24T12:00:00Z",
            "late since 2025-01-01 00:00",
        ),
    ] {
        assert_eq!(
            key("Error", json!({"message": one})),
            key("Error", json!({"message": other})),
            "{one}"
        );
    }
    assert_ne!(
        key("Error", json!({"message": "wine is gone"})),
        key("Error", json!({"message": "user is gone"}))
    );
    assert_ne!(
        key("Error", json!({"message": "x"})),
        key("TypeError", json!({"message": "x"}))
    );
}

fn with_frames(frames: &Value, message: &str) -> Value {
    json!({"message": message, "frames": frames})
}

#[test]
fn a_deployment_splits_no_issue() {
    let frames = |build: &str, hash: &str, line: u32| {
        json!([
            {"filename": "node:internal/process", "function": "run", "in_app": false},
            {"filename": format!("https://wine.example/_next/static/{build}/_buildManifest.js"),
             "function": "load", "lineno": line},
            {"filename": format!("https://wine.example/_next/static/chunks/app/wines/page-{hash}.js?dpl=x"),
             "function": "addWine", "lineno": line, "colno": 7},
        ])
    };
    assert_eq!(
        key(
            "TypeError",
            with_frames(
                &frames("bRz1x2y3z4a5b6c7d8e9f", "1a2b3c4d5e6f7a8b", 1),
                "a is 1"
            )
        ),
        key(
            "TypeError",
            with_frames(
                &frames("QqWwEeRrTtYyUuIiOoPpA", "ffffffff00000000", 9),
                "b is 2"
            )
        ),
    );
}

#[test]
fn a_chunk_that_is_called_by_a_hash_alone_says_nothing() {
    let thrown = |message: &str, chunk: &str, function: &str| {
        let stack = format!(
            "TypeError: {message}\n    at {function} (https://wine.example/_next/static/chunks/{chunk}.js:1:275)\n    \
             at s5 (https://wine.example/_next/static/chunks/3q3nxnnvmjfve.js:31:6)"
        );
        json!({"message": message, "stack": stack, "transaction": "/wines/[id]"})
    };
    let known = key("TypeError", thrown("no wine 7", "2c01s5mfsz6zb", "onClick"));
    for same in [
        thrown("no wine 7", "0a9b8c7d6e5f4", "onClick"),
        thrown("no wine 8", "1b9k8j7h6g_~4", "onClick"),
    ] {
        assert_eq!(key("TypeError", same), known);
    }
    for other in [
        thrown("no glass", "2c01s5mfsz6zb", "onClick"),
        thrown("no wine 7", "2c01s5mfsz6zb", "onSubmit"),
        thrown("no wine 7", "2c01s5mfsz6zb", "a"),
    ] {
        assert_ne!(key("TypeError", other), known);
    }
    for (function, culprit) in [("onClick", "onClick"), ("a", "/wines/[id]")] {
        let Judged::Issue(issue) = judged("TypeError", thrown("x", "2c01s5mfsz6zb", function))
        else {
            panic!("an issue")
        };
        assert_eq!(issue.culprit, culprit);
    }
    let server = |hash: &str| {
        let file = format!("/var/task/.next/server/chunks/ssr/[root-of-the-server]__{hash}._.js");
        key(
            "Error",
            with_frames(&json!([{"filename": file, "function": "Page"}]), "x"),
        )
    };
    assert_eq!(server("037__m11pd4wt"), server("18u5oopw909p9"));
}

#[test]
fn frames_of_the_app_count_before_the_message() {
    let at = |function: &str| json!([{"filename": "app/api/wines/route.ts", "function": function}]);
    assert_eq!(
        key("Error", with_frames(&at("addWine"), "x")),
        key("Error", with_frames(&at("addWine"), "y"))
    );
    assert_ne!(
        key("Error", with_frames(&at("addWine"), "x")),
        key("Error", with_frames(&at("dropWine"), "x"))
    );
}

#[test]
fn a_stack_is_read_as_browsers_and_node_write_it() {
    let chrome = "TypeError: x\n    at addWine (https://wine.example/_next/static/chunks/app-1a2b3c4d5e6f.js:1:23)\n    at async load (https://wine.example/_next/static/chunks/main-00aa11bb22cc.js:4:5)";
    let firefox = "addWine@https://wine.example/_next/static/chunks/app-ffeeddccbbaa.js:9:9\nload@https://wine.example/_next/static/chunks/main-99aa88bb77cc.js:1:1";
    assert_eq!(
        key("TypeError", json!({"message": "x", "stack": chrome})),
        key("TypeError", json!({"message": "x", "stack": firefox}))
    );
    let Judged::Issue(issue) = judged("TypeError", json!({"message": "x", "stack": chrome})) else {
        panic!("an issue")
    };
    assert_eq!(issue.culprit, "addWine /_next/static/chunks/app*.js");
    assert_eq!(issue.title, "TypeError: x");
}

#[test]
fn what_is_known_of_next_and_react_is_one_issue_each_or_none() {
    assert_eq!(
        key(
            "ChunkLoadError",
            json!({"message": "Loading chunk 17 failed."})
        ),
        key(
            "Error",
            json!({"message": "Failed to fetch dynamically imported module: https://x/y.js"})
        )
    );
    assert_eq!(
        key(
            "Error",
            json!({"message": "Minified React error #418; visit https://react.dev/errors/418?args[]=x"})
        ),
        key(
            "Error",
            json!({"message": "Minified React error #418; visit https://react.dev/errors/418?args[]=y"})
        )
    );
    assert_ne!(
        key("Error", json!({"message": "Minified React error #418; x"})),
        key("Error", json!({"message": "Minified React error #425; x"}))
    );
    let hydration = |route: &str| json!({"message": "Hydration failed because the server rendered text", "transaction": route});
    assert_eq!(key("Error", hydration("/a")), key("Error", hydration("/a")));
    assert_ne!(key("Error", hydration("/a")), key("Error", hydration("/b")));
    for (detail, reason) in [
        (
            json!({"message": "NEXT_REDIRECT;replace;/login;307;"}),
            "no error of Next.js",
        ),
        (
            json!({"message": "x", "digest": "NEXT_NOT_FOUND"}),
            "no error of Next.js",
        ),
        (
            json!({"message": "x", "frames": [{"filename": "chrome-extension://abc/x.js"}]}),
            "of a browser's extension",
        ),
    ] {
        assert_eq!(judged("Error", detail), Judged::Nothing(reason));
    }
}

#[test]
fn an_explicit_fingerprint_wins_and_may_add_to_the_usual_one() {
    let detail =
        |fingerprint: Value, message: &str| json!({"message": message, "fingerprint": fingerprint});
    assert_eq!(
        key("Error", detail(json!(["payment"]), "x")),
        key("TypeError", detail(json!(["payment"]), "y"))
    );
    let usual = key("Error", json!({"message": "x"}));
    for none in [json!([]), json!(["{{ default }}"]), json!("x"), json!([7])] {
        assert_eq!(key("Error", detail(none, "x")), usual);
    }
    assert_ne!(
        key("Error", detail(json!(["{{ default }}", "eu"]), "x")),
        key("Error", detail(json!(["{{ default }}", "us"]), "x"))
    );
}

#[test]
fn odd_frames_and_messages_spoil_nothing() {
    for detail in [
        json!({}),
        json!({"message": 7, "frames": "none", "stack": []}),
        json!({"message": "\u{0}\n\n", "frames": [7, {}, {"filename": ""}, null]}),
        json!({"message": "a".repeat(100_000), "stack": "at ".repeat(50_000)}),
        json!({"stack": "@@@:::((((:1:2\n at (::1:1)"}),
    ] {
        assert!(key("Error", detail).starts_with("1:"));
    }
}

#[test]
fn a_deployment_by_turbopack_splits_no_issue_and_lumps_none_together() {
    let error = |file: &str, function: &str, message: &str| {
        json!({"message": message, "transaction": "/wines",
               "frames": [{"filename": file, "function": function, "lineno": 2, "colno": 221}]})
    };
    let chunk = |hash: &str| format!("https://wine.example/_next/static/chunks/{hash}.js");
    let key_of = |file: &str, function: &str, message: &str| {
        key("TypeError", error(file, function, message))
    };
    let [one, other] = ["0jwjhnydx479k", "2p_na84cini--"].map(chunk);
    // Neither the file nor the function says where it was, so the message counts.
    assert_eq!(
        key_of(&one, "t", "no cork in 7"),
        key_of(&other, "e", "no cork in 8")
    );
    assert_ne!(key_of(&one, "t", "no cork"), key_of(&one, "t", "no glass"));
    assert_eq!(
        key_of(&one, "addWine", "no cork in 7"),
        key_of(&other, "addWine", "no cork in 8")
    );
    let server = |name: &str| format!("/var/task/.next/server/chunks/ssr/{name}.js");
    let [one, other] = [
        "[root-of-the-server]__1yu7-01gfta2c._",
        "[root-of-the-server]__0_wo2si-eecmd._",
    ]
    .map(&server);
    assert_ne!(key_of(&one, "c", "no cork"), key_of(&one, "c", "no glass"));
    assert_eq!(key_of(&one, "c", "no cork"), key_of(&other, "d", "no cork"));
    let [one, other] = [
        "app_wines_[id]_page_0zdzu4gzt--ge",
        "app_wines_[id]_page_1c5t_vsn6u8fr",
    ]
    .map(server);
    assert_eq!(key_of(&one, "c", "x"), key_of(&other, "d", "y"));

    for (file, expected) in [
        (chunk("0jwjhnydx479k"), "/_next/static/chunks/*"),
        (
            chunk("turbopack-18_5df4vs6w4n"),
            "/_next/static/chunks/turbopack-*",
        ),
        (chunk("framework"), "/_next/static/chunks/framework.js"),
        (
            chunk("xé2p_na84cini"),
            "/_next/static/chunks/xé2p_na84cini.js",
        ),
    ] {
        assert_eq!(stable_file(&file), expected);
    }
    let Judged::Issue(issue) = judged("TypeError", error(&chunk("0jwjhnydx479k"), "t", "x")) else {
        panic!("an issue")
    };
    assert_eq!(issue.culprit, "/wines");
}
