//! The module that pages send with, run by Node against the door.

use std::{path::Path, process::Command};

use dev::DevOptions;
use serde_json::json;

use crate::support::{bundle, call_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_what_it_saw_and_who_it_was_with_consent_alone() {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("skipped: Node is not installed here");
        return;
    }
    let (running, database) = bundle(DevOptions::default()).await;
    let added = call_with(&running.env, &["door", "add", "web", "--json"]).await;
    let url = added.json()["url"].as_str().unwrap().to_owned();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/door");
    let node = move || {
        let mut node = Command::new("node");
        node.arg("test.js").current_dir(folder).env("DOOR_URL", url);
        node.output().unwrap()
    };
    let ended = tokio::task::spawn_blocking(node).await.unwrap();
    assert!(ended.status.success(), "{ended:?}");

    let cluster = database.cluster().await.unwrap();
    let session = cluster.connect_postgres(database.name()).await.unwrap();
    let rows = session
        .query(
            "select concat_ws(' ', kind, name, value, regexp_replace(person, '^v-.*', 'visitor'), (session is not null)::text) from ops.items order by 1",
            &[],
        )
        .await
        .unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        rows,
        [
            "error Error u1 true",
            "error RangeError u1 true",
            "error TypeError u1 true",
            "event after_consent visitor false",
            "event before visitor false",
            "event large u1 true",
            "event wine_added u1 true",
            "feedback feedback u1 true",
            "metric wines_total 1200 u1 true",
            "page_view /wines u1 true",
            "web_vital LCP 1234.5 u1 true",
        ]
    );
    let lcp = session
        .query_one(
            "select detail::text from ops.items where kind = 'web_vital'",
            &[],
        )
        .await
        .unwrap();
    let lcp: serde_json::Value = serde_json::from_str(lcp.get(0)).unwrap();
    assert_eq!(
        lcp,
        json!({"path": "/wines", "metric": "v5-1", "rating": "good", "navigationType": "navigate"})
    );
    running.stop().await.unwrap();
}
