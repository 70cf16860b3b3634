//! Retention against a database that answers as it is told.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::{
    endpoint::Job,
    fake_server::{self, Received, Reply, Server},
};

fn kept(name: &str) -> Value {
    json!({
        "name": name, "table": format!("public.{name}"), "class": "events", "setting": "retention.events_days",
        "days": 90, "keptFrom": "2026-08-26T12:00:00Z", "held": false, "hindrance": null, "note": null,
        "oldestAt": null, "triedAt": null, "endedAt": null,
    })
}

fn part(outcome: &str, rows: u64, milliseconds: u64) -> Value {
    json!({"outcome": outcome, "rows": rows, "partitions": 0, "milliseconds": milliseconds, "reason": null})
}

/// What is reported, and which parts were asked for, where a table is answered so.
async fn forgotten(
    names: &'static [&'static str],
    answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    seconds: u64,
) -> (Report, Vec<(String, u64)>) {
    let counts: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let database = Server::answering(move |request: &Received| {
        if request.head.contains("ops_show_retention") {
            let tables: Vec<_> = names.iter().map(|name| kept(name)).collect();
            let document = json!({"evidence": null, "tables": tables, "forgotten": []});
            return Reply::new(200, &document.to_string());
        }
        let name = request.json()["p_name"].as_str().unwrap().to_owned();
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        answer(&name, *count)
    })
    .await;
    let url = database.url("");
    let app = fake_server::app(&[
        ("SUPABASE_URL", &url),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
    ]);
    let run = Run {
        id: Uuid::nil(),
        job: Job::MAINTENANCE,
        slot: None,
        fence: 1,
        settings: serde_json::Map::new(),
        checks: vec![],
    };
    let deadline = Deadline::after(Duration::from_secs(seconds));
    let report = forget(&app, &run, deadline).await.unwrap();
    let requests = database.requests();
    let asked = requests.iter().skip(1).map(Received::json);
    let asked = asked.map(|body| {
        let name = body["p_name"].as_str().unwrap().to_owned();
        (name, body["p_limit"].as_u64().unwrap())
    });
    (report, asked.collect())
}

fn reply(part: &Value) -> Reply {
    Reply::new(200, &part.to_string())
}

#[tokio::test]
async fn tables_take_turns_and_each_has_its_own_pace() {
    let answer = |name: &str, count: usize| match (name, count) {
        ("a", 1) => reply(&part("more", 1_000, 10)),
        ("a", _) => reply(&part("done", 5, 10)),
        ("b", 1) => reply(&part("more", 1_000, 400)),
        _ => reply(&part("done", 0, 1)),
    };
    let (report, asked) = forgotten(&["a", "b"], answer, 60).await;
    let asked: Vec<_> = asked
        .iter()
        .map(|(name, rows)| (name.as_str(), *rows))
        .collect();
    assert_eq!(
        asked,
        [("a", 1_000), ("b", 1_000), ("a", 2_000), ("b", 500)]
    );
    assert_eq!(
        (report.rows, report.parts, report.is_done()),
        (2_005, 4, true)
    );
}

#[tokio::test]
async fn one_that_is_hindered_or_fails_keeps_no_other_from_its_turn() {
    let answer = |name: &str, _: usize| match name {
        "locked" => {
            let mut hindered = part("hindered", 0, 100);
            hindered["reason"] = json!("somebody else holds a lock on it");
            reply(&hindered)
        }
        "slow" => Reply::new(
            500,
            r#"{"code": "57014", "message": "canceling statement"}"#,
        ),
        _ => reply(&part("done", 3, 1)),
    };
    let (report, asked) = forgotten(&["locked", "slow", "fine"], answer, 60).await;
    assert_eq!((report.rows, report.is_done()), (3, true));
    assert_eq!(
        report.hindered,
        BTreeMap::from([
            (
                "locked".to_owned(),
                "somebody else holds a lock on it".to_owned()
            ),
            (
                "slow".to_owned(),
                "the database could not do a part".to_owned()
            ),
        ])
    );
    // It was tried once more, with the fewest rows.
    let slow: Vec<_> = asked.iter().filter(|(name, _)| name == "slow").collect();
    assert_eq!(slow.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn what_the_time_is_too_short_for_is_told_and_left() {
    let (report, asked) = forgotten(&["a", "b"], |_, _| reply(&part("done", 1, 1)), 5).await;
    assert_eq!(
        (report.left, asked),
        (vec!["a".to_owned(), "b".to_owned()], vec![])
    );
}

#[tokio::test]
async fn a_run_that_was_taken_over_deletes_nothing_more() {
    let superseded = |_: &str, _: usize| reply(&json!({"outcome": "superseded"}));
    let (report, asked) = forgotten(&["a", "b"], superseded, 60).await;
    assert_eq!((report.rows, asked.len()), (0, 1));
}

#[tokio::test]
async fn days_of_the_door_are_dropped_once_their_rows_are_archived() {
    let folder = std::env::temp_dir().join(format!("archive-{}", Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let database = Server::answering(|request: &Received| {
        let answer = if request.head.contains("ops_show_retention") {
            json!({"evidence": null, "tables": [kept(ITEMS), kept("user_sessions")], "forgotten": []})
        } else if request.head.contains("ops_read_past_rows") {
            json!({"outcome": "done"})
        } else {
            part("done", 0, 1)
        };
        reply(&answer)
    })
    .await;
    let (url, archive) = (database.url(""), format!("file://{}", folder.display()));
    let app = fake_server::app(&[
        ("SUPABASE_URL", &url),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
        ("ARCHIVE_URL", &archive),
    ]);
    let run = Run {
        id: Uuid::nil(),
        job: Job::MAINTENANCE,
        slot: None,
        fence: 1,
        settings: serde_json::Map::new(),
        checks: vec![],
    };
    let deadline = Deadline::after(Duration::from_secs(60));
    let report = forget(&app, &run, deadline).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((report.left, report.hindered), (vec![], BTreeMap::new()));
    let asked: Vec<_> = database
        .requests()
        .iter()
        .skip(1)
        .map(|request| {
            let is_dropped = request.head.contains("ops_forget_rows");
            (
                is_dropped,
                request.json()["p_name"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let named = |is_dropped, name: &str| (is_dropped, name.to_owned());
    assert_eq!(
        asked,
        [
            named(false, ITEMS),
            named(false, "user_sessions"),
            named(true, ITEMS)
        ]
    );
}
