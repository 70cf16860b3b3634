//! `checks` against a running bundle.

use dev::DevOptions;
use serde_json::json;

use crate::support::{Folder, bundle, call_with, send};

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_added_tried_changed_and_removed() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let mut env = running.env.clone();
    env.insert("POURTRAIT_USER".to_owned(), "Ada".to_owned());
    let url = format!("url={}", env["NEXT_PUBLIC_APP_URL"]);

    let added = call_with(&env, &["checks", "add", "home", "http", &url, "status=200"]).await;
    assert_eq!(added.status, 0, "{added:?}");
    assert!(added.stderr.starts_with("target: 127.0.0.1:"), "{added:?}");
    assert!(added.stdout.starts_with("home (http): "), "{added:?}");

    let tried = call_with(&env, &["checks", "test", "home"]).await;
    assert_eq!(tried.status, 0, "{tried:?}");
    assert!(tried.stdout.starts_with("home: up, after "), "{tried:?}");
    let edited = call_with(
        &env,
        &["checks", "edit", "home", "contains=no such words", "--json"],
    )
    .await;
    assert_eq!(edited.json()["contains"], "no such words", "{edited:?}");
    let tried = call_with(&env, &["checks", "test", "home", "--json"]).await;
    assert_eq!(tried.status, 1, "{tried:?}");
    assert_eq!(tried.json()["check"]["reason"], "text");

    let listed = call_with(&env, &["checks", "list"]).await;
    let line = listed
        .stdout
        .lines()
        .find(|line| line.starts_with("home "))
        .unwrap();
    assert!(line.contains("not yet") && line.ends_with("Ada"), "{line}");
    let removed = call_with(&env, &["checks", "remove", "home"]).await;
    assert_eq!(removed.status, 0, "{removed:?}");
    let gone = call_with(&env, &["checks", "test", "home"]).await;
    assert_eq!(gone.status, 2, "{gone:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_probed_is_refused_and_what_is_not_watched_is_told() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let mut env = running.env.clone();
    let odd = [
        "checks",
        "add",
        "odd",
        "tcp",
        "host=10.99.99.355",
        "port=80",
    ];
    let refused = call_with(&env, &odd).await;
    assert_ne!(refused.status, 0, "{refused:?}");
    assert!(
        refused.stderr.contains("host of check odd must be"),
        "{refused:?}"
    );
    let whole = [
        "checks",
        "add",
        "whole",
        "tcp",
        "host=localhost",
        "port=8e1",
        "timeoutMs=1e3",
    ];
    let added = call_with(&env, &whole).await;
    assert!(added.stdout.contains("timeoutMs=1000 "), "{added:?}");
    assert!(added.stdout.contains("port=80"), "{added:?}");

    let watched = call_with(&env, &["check", "--live"]).await;
    assert!(
        watched.stdout.contains("pages of the app: 1"),
        "{watched:?}"
    );
    env.remove("NEXT_PUBLIC_APP_URL");
    let unwatched = call_with(&env, &["check", "--live"]).await;
    assert_eq!(unwatched.status, 1, "{unwatched:?}");
    assert!(
        unwatched.stdout.contains("no page of the app"),
        "{unwatched:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_is_given_a_url_that_works() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let env = running.env.clone();
    let fields = ["periodSeconds=3600", "graceSeconds=60"];
    let added = call_with(
        &env,
        &[&["checks", "add", "import", "heartbeat"], &fields[..]].concat(),
    )
    .await;
    assert_eq!(added.status, 0, "{added:?}");
    let url = added.stdout.lines().last().unwrap();
    let path = url
        .strip_prefix(&running.base_url)
        .expect("a URL of the bundle");
    let answer = send(&running, http::Method::GET, path, None).await;
    assert_eq!(
        answer.json(),
        json!({"heartbeat": "import", "event": "success", "tookSeconds": null})
    );
    let again = call_with(&env, &["checks", "token", "import", "--json"]).await;
    assert_ne!(again.json()["url"], url, "{again:?}");
    let answer = send(&running, http::Method::GET, path, None).await;
    assert_eq!(
        answer.status,
        http::StatusCode::UNAUTHORIZED,
        "the former token has ended"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refuses_is_status_2_in_its_words() {
    let (running, _database) = bundle(DevOptions::default()).await;
    for (arguments, words) in [
        (
            ["add", "x", "http", "url=ftp://a.example"].as_slice(),
            "https://",
        ),
        (
            &["add", "x", "icmp"],
            "http, tls, dns, tcp, heartbeat or rule",
        ),
        (&["add", "x", "http", "url"], "FIELD=VALUE"),
        (
            &["edit", "x", "url=https://a.example"],
            "name must be the name of a check, got x",
        ),
        (&["edit", "x"], "FIELD=VALUE"),
    ] {
        let called = call_with(&running.env, &[&["checks"], arguments].concat()).await;
        assert_eq!(called.status, 2, "{called:?}");
        assert!(called.stderr.contains(words), "{called:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_applied_elsewhere_and_twice_is_once() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let env = running.env.clone();
    let url = format!("url={}", env["NEXT_PUBLIC_APP_URL"]);
    let tagged = ["checks", "add", "home", "http", &url, r#"tags=["eu"]"#];
    call_with(&env, &tagged).await;
    call_with(
        &env,
        &["checks", "add", "port", "tcp", "host=localhost", "port=1"],
    )
    .await;
    let listed = call_with(&env, &["checks", "list", "--tag", "eu"]).await;
    assert!(
        listed.stdout.contains("home") && !listed.stdout.contains("port "),
        "{listed:?}"
    );

    let folder = Folder::empty();
    let file = folder.path().join("checks.json");
    let exported = call_with(&env, &["checks", "export"]).await;
    std::fs::write(&file, &exported.stdout).unwrap();
    let file = file.to_str().unwrap();
    call_with(&env, &["checks", "remove", "home"]).await;
    call_with(&env, &["checks", "edit", "port", "everySeconds=300"]).await;
    for (dry_run, summary) in [
        (true, "1 would be added, 1 changed, 0 removed"),
        (true, "1 would be added, 1 changed, 0 removed"),
        (false, "1 were added, 1 changed, 0 removed"),
        (false, "0 were added, 0 changed, 0 removed"),
    ] {
        let mut arguments = vec!["checks", "apply", file];
        arguments.extend(dry_run.then_some("--dry-run"));
        let applied = call_with(&env, &arguments).await;
        assert_eq!(applied.status, 0, "{applied:?}");
        assert!(applied.stdout.contains(summary), "{applied:?}");
    }
    assert_eq!(
        call_with(&env, &["checks", "export"]).await.stdout,
        exported.stdout
    );
    let history = call_with(&env, &["checks", "history", "home"]).await;
    assert_eq!(
        (history.status, history.stdout.lines().count()),
        (0, 1),
        "{history:?}"
    );

    let contacts = [
        "contacts",
        "add",
        "Ada",
        "--role",
        "cto",
        "--email",
        "ada@wine.example",
    ];
    call_with(&env, &contacts).await;
    let exported = call_with(&env, &["contacts", "export"]).await;
    let file = folder.path().join("contacts.json");
    std::fs::write(&file, &exported.stdout).unwrap();
    let applied = call_with(
        &env,
        &["contacts", "apply", file.to_str().unwrap(), "--remove"],
    )
    .await;
    assert!(
        applied
            .stdout
            .contains("0 were added, 0 changed, 0 removed"),
        "{applied:?}"
    );
    let wrong = call_with(&env, &["checks", "apply", file.to_str().unwrap()]).await;
    assert_eq!(wrong.status, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("an array `checks`"), "{wrong:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_that_no_probe_could_read_is_refused_at_once() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let added = call_with(
        &running.env,
        &[
            "checks",
            "add",
            "x",
            "http",
            "url=https://a.example/",
            "matches=(?=x)",
        ],
    )
    .await;
    assert_eq!(added.status, 2, "{added:?}");
    assert!(added.stderr.contains("look-around"), "{added:?}");
    running.stop().await.unwrap();
}
