//! The archive against stores that behave in every way: rows go only once both files lie there.

use backup::keys::{self, Identities};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::{
    endpoint::Job,
    fake_server::{self, Received, Reply, Server},
};

fn past_rows() -> Value {
    json!({
        "outcome": "rows", "table": "analytics_events", "day": "2026-08-01", "digest": "d1",
        "columns": [
            {"name": "id", "kind": "text", "scale": null, "clear": true},
            {"name": "properties", "kind": "text", "scale": null, "clear": false},
            {"name": "value", "kind": "decimal", "scale": 3, "clear": true},
        ],
        "rows": [["00000000-0000-4000-8000-000000000001", "{\"mail\": \"anna@wine.example\"}", "1.500"],
                 ["00000000-0000-4000-8000-000000000002", null, "2.25"]],
        "ids": ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"],
    })
}

/// What a store does with what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Keeps,
    Refuses,
    Tears,
    Hangs,
}

/// What the store was given by path, what the database was told, and what came of it.
async fn archived(
    behaviour: Behaviour,
    recipient: Option<&str>,
) -> (Vec<(String, Vec<u8>)>, Vec<Value>, Archived) {
    let database = Server::answering(|request: &Received| {
        let body = request.json();
        let answer = if request.head.contains("ops_read_past_rows") {
            past_rows()
        } else if body["p_reason"].is_null() {
            json!({"outcome": "done", "rows": 2, "reason": null})
        } else {
            json!({"outcome": "hindered", "rows": 0, "reason": body["p_reason"]})
        };
        Reply::new(200, &answer.to_string())
    })
    .await;
    let folder = std::env::temp_dir().join(format!("archive-{}", Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let store = Server::answering(move |_: &Received| match behaviour {
        Behaviour::Refuses => Reply::new(403, "<Error><Code>AccessDenied</Code></Error>"),
        // It acknowledges everything, and says other bytes afterwards.
        Behaviour::Tears => Reply::new(200, "PAR1 torn")
            .header("etag: \"1\"")
            .header("last-modified: Tue, 24 Nov 2026 12:00:00 GMT"),
        Behaviour::Hangs => Reply::Hang,
        Behaviour::Keeps => Reply::new(500, ""),
    })
    .await;
    let url = match behaviour {
        Behaviour::Keeps => format!("file://{}", folder.display()),
        Behaviour::Refuses | Behaviour::Tears | Behaviour::Hangs => {
            format!(
                "s3://bucket/p?endpoint={}&region=auto",
                store.url("").trim_end_matches('/')
            )
        }
    };
    let base = database.url("");
    let mut variables = vec![
        ("SUPABASE_URL", base.as_str()),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
        ("ARCHIVE_URL", url.as_str()),
        ("ARCHIVE_ACCESS_KEY_ID", "id"),
        ("ARCHIVE_SECRET_ACCESS_KEY", "secret"),
    ];
    variables.extend(recipient.map(|recipient| ("BACKUP_RECIPIENTS", recipient)));
    let app = fake_server::app(&variables);
    let run = Run {
        id: Uuid::nil(),
        job: Job::MAINTENANCE,
        slot: None,
        fence: 1,
        settings: serde_json::Map::new(),
        checks: vec![],
    };
    let archive = Archive::open(&app).unwrap().unwrap();
    let patience = if behaviour == Behaviour::Hangs { 3 } else { 20 };
    let deadline = Deadline::after(Duration::from_secs(patience));
    let outcome = archive
        .part(&app, &run, "analytics_events", deadline)
        .await
        .unwrap();
    let place = folder.join("analytics_events/day=2026-08-01");
    let mut files: Vec<_> = std::fs::read_dir(&place)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    std::fs::remove_dir_all(&folder).unwrap();
    let told = database
        .requests()
        .iter()
        .skip(1)
        .map(Received::json)
        .collect();
    (files, told, outcome)
}

#[tokio::test]
async fn what_is_personal_lies_there_for_whoever_reads_the_backups_alone() {
    let keys = keys::generate();
    let (files, told, outcome) = archived(Behaviour::Keeps, Some(&keys.recipient)).await;
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["part-d1.parquet", "part-d1.parquet.zst.age"]);
    let identities = Identities::parse(keys.identity.expose_secret()).unwrap();
    let whole = seal::open(&files[1].1, &identities, 1_000_000).unwrap();
    assert!(whole.starts_with(b"PAR1") && whole.ends_with(b"PAR1"));
    let holds = |file: &[u8], name: &str| {
        file.windows(name.len())
            .any(|window| window == name.as_bytes())
    };
    assert!(holds(&whole, "properties") && holds(&whole, "value"));
    assert!(!holds(&files[0].1, "properties") && holds(&files[0].1, "value"));
    assert!(matches!(outcome, Archived::Rows(2)));
    assert_eq!(
        (&told[0]["p_digest"], &told[0]["p_reason"]),
        (&json!("d1"), &Value::Null)
    );
    assert_eq!(told[0]["p_ids"], past_rows()["ids"]);
}

#[tokio::test]
async fn without_anybody_to_read_it_nothing_personal_is_archived() {
    let (files, _, outcome) = archived(Behaviour::Keeps, None).await;
    assert_eq!(files.len(), 1);
    assert!(matches!(outcome, Archived::Rows(2)));
}

#[tokio::test]
async fn rows_stay_where_the_store_refuses_tears_or_is_late() {
    for (behaviour, words) in [
        (Behaviour::Refuses, "refuses"),
        (
            Behaviour::Tears,
            "other bytes are there than those it acknowledged",
        ),
        (Behaviour::Hangs, "the archive does not answer in time"),
    ] {
        let (_, told, outcome) = archived(behaviour, None).await;
        let Archived::Hindered(reason) = outcome else {
            panic!("{behaviour:?}: deleted");
        };
        assert!(reason.contains(words), "{behaviour:?}: {reason}");
        assert_eq!(told.len(), 1, "{behaviour:?}");
        assert_eq!(told[0]["p_reason"], json!(reason), "{behaviour:?}");
    }
}

#[tokio::test]
async fn an_archive_that_is_wanted_and_cannot_be_opened_is_no_archive_at_all() {
    let app = fake_server::app(&[("ARCHIVE_URL", "file:///nowhere/at/all")]);
    assert!(Archive::open(&app).is_err());
    let app = fake_server::app(&[("ARCHIVE_URL", "s3://bucket")]);
    assert!(Archive::open(&app).is_err());
    assert!(Archive::open(&fake_server::app(&[])).unwrap().is_none());
}
