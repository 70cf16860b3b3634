//! `door` and `errors` against a running bundle: a key is made, something is sent with it, and
//! what went wrong is listed.

use dev::DevOptions;
use http::Method;
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::support::{bundle, call_with};

async fn send(url: &str, body: &Value) -> u16 {
    let outbound = Outbound::default();
    let request = outbound.client().unwrap().request(Method::POST, url);
    let response = request.body(body.to_string()).send().await.unwrap();
    response.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_comes_in_by_a_key_and_is_dealt_with() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&running.env, &arguments).await
    };
    let none = call("door keys").await;
    assert!(none.stdout.starts_with("no project keys"), "{none:?}");
    let added = call("door add web --json").await;
    assert_eq!(added.status, 0, "{added:?}");
    let made = added.json();
    let url = made["url"].as_str().unwrap().to_owned();
    let dsn = made["dsn"].as_str().unwrap();
    let signed = made["signed"].as_str().unwrap();
    assert!(
        dsn.contains(&format!("://{signed}@127.0.0.1:")) && dsn.ends_with("/1"),
        "{dsn}"
    );

    let error = json!({
        "release": "1.0", "user": "u1",
        "items": [{"type": "error", "name": "TypeError", "message": "no wine 17", "handled": false}],
    });
    assert_eq!(send(&url, &error).await, 200);
    let again = json!({
        "release": "1.0", "user": "u2",
        "items": [{"type": "error", "name": "TypeError", "message": "no wine 4711"}],
    });
    assert_eq!(send(&url, &again).await, 200);

    let listed = call("errors list --json").await.json();
    let issue = &listed["errors"][0];
    assert_eq!((&issue["events"], &issue["people"]), (&json!(2), &json!(2)));
    let id = issue["id"].as_str().unwrap();
    let shown = call(&format!("errors show {}", &id[..8])).await;
    assert!(
        shown.stdout.contains("TypeError: no wine 4711"),
        "{shown:?}"
    );
    let resolved = call(&format!("errors resolve {}", &id[..8])).await;
    assert!(resolved.stdout.contains("is resolved by"), "{resolved:?}");
    assert_eq!(call("errors list").await.stdout, "no open errors\n");
    let wrong = call("errors resolve zzzz").await;
    assert_eq!(wrong.status, 2, "{wrong:?}");

    let rotated = call("door rotate 1 --json").await.json();
    assert_eq!(rotated["key"]["id"], 2);
    assert_eq!(call("door revoke 1").await.status, 0);
    assert_eq!(send(&url, &error).await, 401);
    let second = rotated["url"].as_str().unwrap();
    assert_eq!(send(second, &json!([7, {"type": "riddle"}])).await, 200);
    let keys = call("door keys").await.stdout;
    for words in [
        "closed since",
        "2 taken, 0 too many",
        "unknown type",
        rotated["signed"].as_str().unwrap(),
    ] {
        assert!(keys.contains(words), "{words} in {keys}");
    }
    assert_eq!(call("door revoke 9").await.status, 2);
    running.stop().await.unwrap();
}
