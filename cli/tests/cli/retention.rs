//! `backup prune`, `pin` and `unpin`: which backups are kept and why, and the others let go.

use std::collections::BTreeMap;

use dev::DevOptions;
use local_supabase::postgres::TestDatabase;
use serde_json::{Value, json};

use crate::{
    backup::{ORDERS, run, with_identity},
    support::{Called, bundle, call_with},
};

async fn good(env: &BTreeMap<String, String>, line: &[&str]) -> Called {
    let called = call_with(env, line).await;
    assert_eq!(called.status, 0, "{line:?}: {called:?}");
    called
}

/// The names of the backups that are listed, the newest first.
async fn names(env: &BTreeMap<String, String>) -> Vec<String> {
    let listed = good(env, &["backup", "list", "--json"]).await.json();
    let name = |backup: &Value| backup["snapshot"].as_str().unwrap().to_owned();
    listed["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(name)
        .collect()
}

async fn audited(database: &TestDatabase) -> Vec<String> {
    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let written = "select action::text from ops.audit where action like 'backup.%' order by seq";
    let rows = session.query(written, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_explained_pinned_let_go_and_put_back() {
    let (running, source) = bundle(DevOptions::default()).await;
    run(&source, ORDERS).await;
    // Whatever the time of day: the newest three are kept.
    run(
        &source,
        "update ops.settings set value = case key when 'backup.keep_hourly' then '1' else '0' end::jsonb
         where key like 'backup.keep\\_%'",
    )
    .await;
    let env = &with_identity(&running);
    for _ in 0..5 {
        good(env, &["backup", "run"]).await;
    }
    let all = names(env).await;
    let [_, _, _, fourth, oldest] = &all[..] else {
        panic!("{all:?}");
    };
    let pinned = good(env, &["backup", "pin", oldest, "--reason", "the audit"]).await;
    assert_eq!(
        pinned.stdout,
        format!("{oldest} is kept until somebody unpins it\n")
    );

    let said = good(env, &["backup", "prune"]).await;
    assert!(
        said.stderr.contains("nothing was done: say --yes"),
        "{said:?}"
    );
    let line = |name: &str| {
        said.stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
    };
    assert!(line(fourth).contains("drop: "), "{said:?}");
    assert!(line(oldest).ends_with("keep: pinned"), "{said:?}");
    assert!(
        said.stdout
            .contains("1 of 5 backups would go into the trash, for 7 days"),
        "{said:?}"
    );
    let dry = good(env, &["backup", "prune", "--dry-run", "--json"])
        .await
        .json();
    assert_eq!(dry["figures"]["kept"], json!(4));
    assert_eq!(names(env).await, all);

    let done = good(env, &["backup", "prune", "--yes"]).await;
    assert!(done.stdout.contains("into the trash went 1,"), "{done:?}");
    assert_eq!(names(env).await.len(), 4);
    let back = good(env, &["backup", "prune", "--undo", fourth]).await;
    assert!(back.stdout.contains("is back"), "{back:?}");
    assert_eq!(names(env).await, all);
    good(env, &["backup", "verify", fourth, "--level", "2"]).await;

    good(env, &["backup", "pin", fourth]).await;
    let none = call_with(env, &["backup", "unpin", &all[0]]).await;
    assert_eq!(none.status, 2, "{none:?}");
    good(env, &["backup", "unpin", oldest]).await;
    good(env, &["backup", "prune", "--yes"]).await;
    assert_eq!(names(env).await, all[..4]);
    // It comes back by being pinned, too.
    good(env, &["backup", "pin", oldest]).await;
    assert_eq!(names(env).await, all);
    assert_eq!(
        audited(&source).await,
        [
            "backup.pinned",
            "backup.pruned",
            "backup.put_back",
            "backup.pinned",
            "backup.unpinned",
            "backup.pruned",
            "backup.pinned",
        ]
    );
}
