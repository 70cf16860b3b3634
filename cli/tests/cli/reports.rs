//! `report` and `costs` against a running bundle: a report in its forms, sent where a setting
//! names a channel, what is outdated, and what the month costs.

use dev::DevOptions;

use crate::support::{Folder, bundle, call_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_shown_and_sent_and_what_is_outdated_is_handed_in() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&running.env, &arguments).await
    };
    let shown = call("report monthly --at 2026-11-24").await;
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(
        shown
            .stdout
            .starts_with("Monthly report of October 2026: nothing calls for a look\n"),
        "{shown:?}"
    );
    assert!(
        shown
            .stdout
            .contains("  Requests: no data yet | /dashboard\n"),
        "{shown:?}"
    );
    let html = call("report monthly --at 2026-11-24 --format html").await;
    assert!(html.stdout.starts_with("<!doctype html>"), "{html:?}");
    let json = call("report weekly --at 2026-11-24 --json").await.json();
    assert_eq!(
        (&json["kind"], &json["from"]),
        (
            &serde_json::json!("weekly"),
            &serde_json::json!("2026-11-16T00:00:00+00:00")
        )
    );
    for wrong in [
        "report hourly",
        "report daily --at yesterday",
        "report daily --at 2999-01-01",
        "report daily --environment moon",
        "report daily --send",
        "report outdated --file no-such-file",
    ] {
        let refused = call(wrong).await;
        assert_eq!(refused.status, 2, "{wrong}: {refused:?}");
    }

    let named = call(r#"settings set report.daily ["email"]"#).await;
    assert_eq!(named.status, 0, "{named:?}");
    let sent = call("report daily --send").await;
    assert_eq!(sent.status, 0, "{sent:?}");
    assert!(sent.stderr.starts_with("target: "), "{sent:?}");
    assert!(
        sent.stderr
            .ends_with("queued for email; the next delivery sends it\n"),
        "{sent:?}"
    );

    let folder = Folder::empty();
    let file = folder.path().join("npm-outdated.json");
    let list = r#"{"next":{"current":"15.0.0","wanted":"15.0.3","latest":"15.1.0"}}"#;
    std::fs::write(&file, list).unwrap();
    let handed_in = call(&format!("report outdated --file {}", file.display())).await;
    assert_eq!(handed_in.status, 0, "{handed_in:?}");
    assert_eq!(
        handed_in.stdout,
        "handed in from npm: 1 outdated dependency\n"
    );

    let costs = call("costs").await;
    assert_eq!(costs.status, 0, "{costs:?}");
    assert!(
        costs.stdout.contains("cost.monthly_limit sets no limit"),
        "{costs:?}"
    );
}
