//! `contacts devices`: on which devices push messages reach somebody.

use dev::DevOptions;
use local_supabase::stack::Channels;
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::support::{Folder, bundle, call_with, command};

#[test]
fn a_key_is_made_where_nothing_is_configured() {
    let folder = Folder::empty();
    let keygen = ["contacts", "keygen", "--json"];
    let made = command(folder.path(), &[], &keygen).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let keys: Value = serde_json::from_slice(&made.stdout).unwrap();
    let length = |name: &str| keys[name].as_str().unwrap().len();
    assert_eq!((length("VAPID_PRIVATE_KEY"), length("publicKey")), (43, 87));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_added_proven_and_taken_away() {
    let options = DevOptions {
        channels: Channels::All,
        ..DevOptions::default()
    };
    let (running, _database) = bundle(options).await;
    let call = async |arguments: &[&str]| call_with(&running.env, arguments).await;
    let anna = ["--role", "cto", "--email", "anna@wine.example"];
    call(&[&["contacts", "add", "Anna"], &anna[..]].concat()).await;
    let none = call(&["contacts", "devices", "Anna"]).await;
    assert_eq!(none.status, 0, "{none:?}");
    assert!(none.stdout.contains("no devices"), "{none:?}");
    assert!(
        none.stderr.contains("/dashboard"),
        "where to press: {none:?}"
    );

    let url = format!("{}/subscriptions", running.env["PUSH_SERVICE_URL"]);
    let outbound = Outbound::default();
    let made = outbound.client().unwrap().post(url).send().await.unwrap();
    let subscription: Value = made.json().await.unwrap();
    let mut elsewhere = subscription.clone();
    elsewhere["endpoint"] = json!("https://evil.example/x");
    let folder = Folder::with(&[
        ("browser.json", &subscription.to_string()),
        ("elsewhere.json", &elsewhere.to_string()),
        ("odd.json", "endpoint"),
    ]);
    let file = |name: &str| folder.path().join(name).display().to_string();
    for (odd, said) in [
        ("elsewhere.json", "push services"),
        ("odd.json", "must be JSON"),
    ] {
        let refused = call(&["contacts", "devices", "Anna", "--add", &file(odd)]).await;
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(said), "{refused:?}");
    }

    let browser = file("browser.json");
    let add = [
        "contacts", "devices", "Anna", "--add", &browser, "--as", "Laptop",
    ];
    let added = call(&add).await;
    assert_eq!(added.status, 0, "{added:?}");
    assert!(
        added.stdout.contains("Laptop  added") && added.stdout.contains("not proven"),
        "{added:?}"
    );
    let tested = call(&["contacts", "test", "Anna"]).await;
    assert_eq!(tested.status, 0, "{tested:?}");
    let listed = call(&["contacts", "devices", "Anna"]).await;
    assert!(listed.stdout.contains("last reached"), "{listed:?}");

    let unknown = call(&["contacts", "devices", "Anna", "--remove", "Phone"]).await;
    assert_eq!(unknown.status, 2, "{unknown:?}");
    let removed = call(&["contacts", "devices", "Anna", "--remove", "laptop"]).await;
    assert!(removed.stdout.contains("no devices"), "{removed:?}");
    running.stop().await.unwrap();
}
