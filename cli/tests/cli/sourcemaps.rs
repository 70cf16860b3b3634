//! `sourcemaps` and `errors show` against a running bundle: the maps of a build are kept, an
//! error of it comes in, and is shown as somebody wrote it.

use dev::DevOptions;
use http::Method;
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::support::{Folder, bundle, call_with};

const ID: &str = "93f96559-b5c7-42c8-9c08-f2e47e0f6396";

/// A map in sections: from the second line on, column 20 is where wine is drunk, and column
/// 40 where a bottle is opened.
fn map() -> String {
    json!({
        "version": 3, "sources": [], "debugId": ID,
        "sections": [{"offset": {"line": 1, "column": 0}, "map": {
            "version": 3, "names": [],
            "sources": ["turbopack:///[project]/lib/store.js"],
            "sourcesContent": ["export function drinkWine(bottle) {\n  throw new TypeError('no cork');\n}\nexport const open = async (b) => drinkWine(b);\n"],
            "mappings": "oBACQ,oBAEyB",
        }}],
    })
    .to_string()
}

fn build() -> Folder {
    let folder = Folder::empty();
    let chunks = folder.path().join(".next/static/chunks");
    std::fs::create_dir_all(&chunks).unwrap();
    let end = format!("x();\n//# debugId={ID}\n//# sourceMappingURL=2p_na84.js.map\n");
    for (name, text) in [
        ("0jwj.js", end.as_str()),
        ("2p_na84.js.map", &map()),
        (
            "broken.js.map",
            "{\"version\":3,\"sources\":[\"a\"],\"names\":[],\"mappings\":\"D\"}",
        ),
        ("page.js.map", "<!doctype html>\u{1b}"),
        ("cut.js.map", "\u{1f}"),
    ] {
        std::fs::write(chunks.join(name), text).unwrap();
    }
    // The beginning of a gzip file.
    std::fs::write(chunks.join("cut.js.map"), [0x1f, 0x8b, 8, 0]).unwrap();
    folder
}

async fn send(url: &str, stack: &str, fields: Value) {
    let mut error =
        json!({"type": "error", "name": "TypeError", "message": "no cork", "stack": stack});
    error
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let outbound = Outbound::default();
    let request = outbound.client().unwrap().request(Method::POST, url);
    let response = request.body(error.to_string()).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_build_is_shown_as_somebody_wrote_it() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let build = build();
    let folder = build.path().join(".next");
    let folder = folder.to_str().unwrap();
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&running.env, &arguments).await
    };
    let none = call("sourcemaps list").await;
    assert_eq!(none.stdout, "no source maps are kept\n");

    let upload = format!("sourcemaps upload {folder} --release 1.4.2");
    let uploaded = call(&upload).await;
    assert_eq!(uploaded.status, 1, "{uploaded:?}");
    for words in [
        "1 source map of 1.4.2 kept, 1 of them new",
        "cut.js.map: it was cut off",
        "broken.js.map: a mapping leads to -1",
        "page.js.map: expected value at line 1",
    ] {
        assert!(uploaded.stdout.contains(words), "{words} in {uploaded:?}");
    }
    let again = call(&format!("{upload} --json")).await.json();
    assert_eq!((&again["new"], &again["bytesSent"]), (&json!(0), &json!(0)));
    assert_eq!(again["kept"], json!(["~/_next/static/chunks/0jwj.js"]));
    let empty = call_with(
        &running.env,
        &["sourcemaps", "upload", "/dev", "--release", "1"],
    )
    .await;
    assert_eq!(empty.status, 1, "{empty:?}");
    let absent = call("sourcemaps upload absent --release 1.4.2").await;
    assert_eq!(absent.status, 2, "{absent:?}");

    let url = call("door add web --json").await.json()["url"].clone();
    let url = url.as_str().unwrap();
    let file = "https://wine.example/_next/static/chunks/0jwj.js";
    let stack = format!(
        "TypeError: no cork\n    at r ({file}:2:21)\n    at async t ({file}:2:41)\n    at Array.map (<anonymous>)\n    at e ({file}:1:1)\n    at x (https://wine.example/other.js:1:1)"
    );
    send(url, &stack, json!({"release": "1.4.2"})).await;
    let listed = call("errors list --json").await.json();
    let id = listed["errors"][0]["id"].as_str().unwrap().to_owned();
    let shown = call(&format!("errors show {id}")).await.stdout;
    for lines in [
        "    at drinkWine (lib/store.js:2:9) ← r (https://wine.example/_next/static/chunks/0jwj.js:2:21)\n",
        "            1 | export function drinkWine(bottle) {\n      >     2 |   throw new TypeError('no cork');\n            3 | }\n",
        "    at ? (lib/store.js:4:34) ← async t (",
        "    at Array.map (<anonymous>)\n    at e (https://wine.example/_next/static/chunks/0jwj.js:1:1)\n",
        "  1 frame as built, not as written: the source map knows of no source there\n",
        "  1 frame as built, not as written: the release 1.4.2 has no source map of ~/other.js\n",
    ] {
        assert!(shown.contains(lines), "{lines} in\n{shown}");
    }
    let document = call(&format!("errors show {id} --json")).await.json();
    let frame = &document["newest"][0]["frames"][1];
    assert_eq!(
        (
            &frame["original"]["file"],
            &frame["original"]["function"],
            &frame["unresolved"]
        ),
        (&json!("lib/store.js"), &json!("drinkWine"), &Value::Null)
    );

    let listed = call("sourcemaps list").await.stdout;
    assert!(listed.contains("1.4.2    1     0.1 MB"), "{listed}");
    let listed = call("sourcemaps list --release 1.4.2").await.stdout;
    assert!(listed.contains(ID), "{listed}");
    assert_eq!(call("sourcemaps delete --release 1.4.2").await.status, 0);
    assert_eq!(call("sourcemaps delete --release 1.4.2").await.status, 2);
    let shown = call(&format!("errors show {id}")).await.stdout;
    let reason = "4 frames as built, not as written: no source map of the release 1.4.2 is kept";
    assert!(shown.contains(reason), "{shown}");
    running.stop().await.unwrap();
}
