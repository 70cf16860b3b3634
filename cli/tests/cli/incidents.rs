//! `incidents` against a running bundle.

use std::collections::BTreeMap;

use dev::DevOptions;
use serde_json::Value;

use crate::support::{Called, Folder, bundle, call_with};

async fn incidents(env: &BTreeMap<String, String>, arguments: &[&str]) -> Called {
    call_with(env, &[&["incidents"], arguments].concat()).await
}

/// The same, where it has to work.
async fn done(env: &BTreeMap<String, String>, arguments: &[&str]) -> String {
    let called = incidents(env, arguments).await;
    assert_eq!(called.status, 0, "{called:?}");
    called.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_opened_worked_on_and_written_up() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let mut env = running.env.clone();
    env.insert("POURTRAIT_USER".to_owned(), "Ada".to_owned());
    assert_eq!(done(&env, &["list"]).await, "there is no incident\n");

    let opened = incidents(&env, &["open", "No mail arrives", "--severity", "high"]).await;
    assert!(
        opened.stderr.starts_with("target: 127.0.0.1:"),
        "{opened:?}"
    );
    assert_eq!(
        opened.stdout,
        "incident 1, high, investigating: No mail arrives\n"
    );
    done(&env, &["note", "1", "The queue is full"]).await;
    done(&env, &["note", "1", "Watch the queue", "--lesson"]).await;
    let action = [
        "action",
        "1",
        "Add a check",
        "--owner",
        "Bo",
        "--due",
        "2026-12-24",
    ];
    done(&env, &action).await;
    let update = [
        "update",
        "1",
        "--state",
        "resolved",
        "--severity",
        "medium",
        "--cause",
        "resend",
        "--public",
        "Mail arrives again.",
    ];
    assert_eq!(
        done(&env, &update).await,
        "incident 1, medium, resolved: No mail arrives\n"
    );

    let shown = done(&env, &["show", "1"]).await;
    for text in [
        "cause               Resend, says Ada",
        "UTC  incident opened (Ada)",
        "UTC  note: The queue is full (Ada)",
        "UTC  to do by Bo until 2026-12-24: Add a check (Ada)",
        "UTC  severity changed from high to medium (Ada)",
        "UTC  public, resolved: Mail arrives again. (Ada)",
    ] {
        assert!(shown.contains(text), "{text} in {shown}");
    }
    let listed: Value = serde_json::from_str(&done(&env, &["list", "--json"]).await).unwrap();
    assert_eq!(listed["incidents"][0]["resolvedBy"], "Ada");

    let folder = Folder::empty();
    let file = folder.path().join("postmortem.md");
    let path = file.to_str().unwrap();
    done(&env, &["postmortem", "1", "--out", path]).await;
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        written.starts_with("# Incident 1: No mail arrives\n"),
        "{written}"
    );
    assert!(
        written.contains("| Add a check | Bo | 2026-12-24 |"),
        "{written}"
    );
    let twice = incidents(&env, &["postmortem", "1", "--out", path]).await;
    assert_eq!(twice.status, 1, "what somebody has edited stays: {twice:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_alerts_of_an_incident_are_acknowledged_together() {
    let (running, database) = bundle(DevOptions::default()).await;
    let cluster = database.cluster().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    let raised = "select public.ops_raise_alerts(gen_random_uuid(), '[
        {\"status\": \"firing\", \"source\": \"ci\", \"type\": \"t\", \"severity\": \"critical\", \"title\": \"A\", \"subject\": \"a\"},
        {\"status\": \"firing\", \"source\": \"ci\", \"type\": \"t\", \"severity\": \"high\", \"title\": \"B\", \"subject\": \"b\"}
    ]', '{slack}')";
    admin.batch_execute(raised).await.unwrap();
    let acknowledged = done(&running.env, &["acknowledge", "1", "--for", "2h", "--json"]).await;
    let acknowledged: Value = serde_json::from_str(&acknowledged).unwrap();
    assert!(
        acknowledged["timeToAcknowledgeSeconds"].is_number(),
        "{acknowledged}"
    );
    let sql = "select count(*) from ops.alerts where status = 'acknowledged'";
    let count: i64 = admin.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(count, 2);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_is_status_2_and_says_what_was_expected() {
    let (running, _database) = bundle(DevOptions::default()).await;
    for (arguments, text) in [
        (vec!["show", "7"], "there is no incident 7"),
        (
            vec!["update", "7", "--state", "resolved"],
            "there is no incident 7",
        ),
        (vec!["acknowledge", "7"], "there is no incident 7"),
        (vec!["update", "7"], "--state"),
        (vec!["update", "7", "--state", "over"], "investigating"),
        (
            vec!["open", "x", "--severity", "high", "--affects", "mail"],
            "affects must be",
        ),
        (vec!["open", "x"], "--severity"),
        (
            vec!["action", "7", "x", "--owner", "Bo", "--due", "soon"],
            "--due",
        ),
        (vec!["list", "--limit", "101"], "1 to 100"),
    ] {
        let called = incidents(&running.env, &arguments).await;
        assert_eq!(called.status, 2, "{called:?}");
        assert!(called.stderr.contains(text), "{called:?}");
    }
    running.stop().await.unwrap();
}
