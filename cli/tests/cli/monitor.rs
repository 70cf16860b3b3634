//! `monitor` as a process: one look, signals, and what it refuses.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use dev::DevOptions;
use local_supabase::port::ClosedPort;
use serde_json::Value;

use crate::support::{Folder, bundle, call, call_with, command};

#[tokio::test(flavor = "multi_thread")]
async fn one_look_says_what_answers() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let good = call_with(&running.env, &["monitor", "--once"]).await;
    assert_eq!(good.status, 0, "{good:?}");
    assert!(good.stderr.contains("watching the bundle at"), "{good:?}");
    assert_eq!(good.stdout.matches(" up ").count(), 2, "{good:?}");

    let closed = ClosedPort::hold().unwrap();
    let nowhere = format!("http://{}", closed.address());
    let lost = [
        "monitor",
        &nowhere,
        "--once",
        "--json",
        "--witness",
        &nowhere,
    ];
    let lost = call_with(&running.env, &lost).await;
    assert_eq!(lost.status, 1, "{lost:?}");
    assert_eq!(lost.json()[0]["seen"], "unknown", "{lost:?}");
    let witness = running.base_url.as_str();
    let down = [
        "monitor",
        &nowhere,
        "--once",
        "--json",
        "--witness",
        witness,
    ];
    let down = call_with(&running.env, &down).await;
    assert_eq!(down.status, 1, "{down:?}");
    assert_eq!(down.json()[0]["seen"], "down", "{down:?}");
    running.stop().await.unwrap();
}

/// Arguments, variables, and what is said.
type Refused<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn it_refuses_to_watch_without_anybody_to_tell() {
    let folder = Folder::empty();
    let url = "https://ops.wine.example";
    let key = ("MONITORING_API_KEY", "0123456789abcdef");
    let cases: [Refused; 6] = [
        (&["monitor"], &[], "BASE_URL is not set"),
        (
            &["monitor", url],
            &[key],
            "a bundle that is down tells nobody",
        ),
        (&["monitor", url, "--dispatch"], &[], "MONITORING_API_KEY"),
        (&["monitor", url, "--slack"], &[key], "SLACK_WEBHOOK_URL"),
        (
            &["monitor", "http://ops.wine.example"],
            &[key],
            "plain http",
        ),
        (&["monitor", url, "--interval", "1s"], &[key], "10s to 1h"),
    ];
    for (arguments, variables, text) in cases {
        let called = call(folder.path(), variables, arguments);
        assert_eq!(called.status, 2, "{arguments:?}: {called:?}");
        assert!(called.stderr.contains(text), "{arguments:?}: {called:?}");
    }
}

#[test]
fn signals_reopen_the_log_and_end_it_cleanly() {
    let folder = Folder::empty();
    let closed = ClosedPort::hold().unwrap();
    let nowhere = format!("http://{}", closed.address());
    let variables = [("MONITORING_API_KEY", "0123456789abcdef")];
    let arguments = ["monitor", &nowhere, "--dispatch", "--witness", &nowhere];
    let mut child = command(folder.path(), &variables, &arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success(), "{name}");
    };
    // It hears of signals once it has looked.
    let stdout = child.stdout.as_mut().map(BufReader::new);
    let mut line = String::new();
    stdout.unwrap().read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["subject"], &line["seen"]),
        (&"bundle".into(), &"unknown".into())
    );
    signal("-HUP");
    signal("-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
