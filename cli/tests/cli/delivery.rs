//! `alerts messages`, `resend` and `prove`, and `schedule`, against a running
//! bundle.

use std::collections::BTreeMap;

use dev::{DevOptions, Running};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use local_supabase::{
    fault::{Fault, Mode, Service},
    postgres::TestDatabase,
};
use outside::clock;
use serde_json::{Value, json};

use crate::support::{bundle, call_with, send};

/// A bundle that calls nothing by schedule, so that a test decides what is sent.
fn quiet() -> DevOptions {
    DevOptions {
        crons: false,
        ..DevOptions::default()
    }
}

async fn admin(database: &TestDatabase) -> tokio_postgres::Client {
    let cluster = database.cluster().await.unwrap();
    cluster.connect_admin(database.name()).await.unwrap()
}

/// What `check --live` says of the alerts' channels.
async fn checked(env: &BTreeMap<String, String>) -> Vec<String> {
    let checked = call_with(env, &["check", "--live", "--json"]).await;
    let findings = checked.json()["findings"].clone();
    let about = findings.as_array().unwrap().iter();
    about
        .filter(|finding| finding["subject"] == "alerts")
        .map(|finding| {
            let [level, text] = ["level", "text"].map(|key| finding[key].as_str().unwrap());
            // Up to the time.
            let words: Vec<&str> = text.split(' ').take(4).collect();
            format!("{level}: {}", words.join(" "))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_proven_and_what_one_gave_up_is_sent_anew() {
    let (running, _database) = bundle(quiet()).await;
    let env = &running.env;
    assert_eq!(
        checked(env).await,
        [
            "warning: slack was never proven:",
            "warning: email was never proven:"
        ]
    );

    running
        .stack()
        .set_fault(Service::Slack, gone())
        .await
        .unwrap();
    let proven = call_with(env, &["alerts", "prove", "--json"]).await;
    assert_eq!(proven.status, 1, "slack did not take it: {proven:?}");
    assert!(
        proven.stderr.starts_with("target: 127.0.0.1:"),
        "{proven:?}"
    );
    let dead = call_with(env, &["alerts", "messages", "--dead", "--json"]).await;
    let messages = dead.json()["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 1, "{dead:?}");
    assert_eq!(messages[0]["error"], "the channel is archived");
    assert_eq!(checked(env).await[0], "error: slack has taken nothing");

    running
        .stack()
        .set_fault(Service::Slack, Mode::Ok)
        .await
        .unwrap();
    let id = messages[0]["id"].as_str().unwrap();
    let resent = call_with(env, &["alerts", "resend", &id[..8], "--json"]).await;
    assert_eq!(
        (resent.status, &resent.json()["outcome"]),
        (0, &json!("queued"))
    );
    let again = call_with(env, &["alerts", "resend", &id[..8]]).await;
    assert_eq!(again.status, 2, "it is dead no more: {again:?}");

    let proven = call_with(env, &["alerts", "prove"]).await;
    assert_eq!(proven.status, 0, "{proven:?}");
    assert!(proven.stdout.starts_with("MESSAGE "), "{proven:?}");
    assert_eq!(
        checked(env).await,
        ["ok: slack was last proven", "ok: email was last proven"]
    );
    running.stop().await.unwrap();
}

/// An answer after which Slack's webhook is given up.
fn gone() -> Fault {
    Fault {
        mode: Mode::Status,
        status: Some(410),
        delay_ms: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_scheduled_in_the_database_shown_and_taken_back() {
    let (running, database) = bundle(quiet()).await;
    let env = &running.env;
    let absent = call_with(env, &["schedule", "status"]).await;
    assert_eq!(absent.status, 1, "{absent:?}");
    assert!(
        absent.stderr.contains(
            "the database lacks the extensions pg_cron, pg_net, supabase_vault (Supabase:"
        ),
        "{absent:?}"
    );

    let admin = admin(&database).await;
    admin
        .batch_execute(include_str!("../../../tests/sql/scheduler_stand_ins.sql"))
        .await
        .unwrap();
    let none = call_with(env, &["schedule", "status"]).await;
    assert_eq!(
        none.stdout, "nothing is scheduled in the database\n",
        "{none:?}"
    );

    let installed = call_with(env, &["schedule", "install", "--json"]).await;
    assert_eq!(installed.status, 0, "{installed:?}");
    assert!(
        installed.stderr.starts_with("target: 127.0.0.1"),
        "{installed:?}"
    );
    let status = installed.json();
    let jobs: Vec<&Value> = status["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["job"])
        .collect();
    assert_eq!(
        jobs,
        [
            "pourtrait_backup",
            "pourtrait_dispatch",
            "pourtrait_maintenance",
            "pourtrait_monitor",
            "pourtrait_watchdog"
        ]
    );
    assert_eq!(status["baseUrl"], json!(running.base_url));
    for secret in ["CRON_SECRET", "SLACK_WEBHOOK_URL"] {
        assert!(!installed.stdout.contains(&env[secret]), "{secret}");
    }

    let removed = call_with(env, &["schedule", "remove"]).await;
    assert_eq!(
        removed.stdout, "nothing is scheduled in the database\n",
        "{removed:?}"
    );

    let mut without = env.clone();
    without.remove("CRON_SECRET");
    let refused = call_with(&without, &["schedule", "install"]).await;
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(
        refused.stderr.contains("CRON_SECRET is not set"),
        "{refused:?}"
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_are_shown_and_one_is_forgotten() {
    let (running, database) = bundle(quiet()).await;
    let env = &running.env;
    let none = call_with(env, &["schedule", "clocks"]).await;
    assert_eq!(
        (none.status, none.stdout.as_str()),
        (0, "no clock has called yet\n")
    );

    let now = clock::now();
    let slots = [2, 1, 0].map(|minutes| now - SignedDuration::from_mins(minutes));
    for slot in slots {
        call_as(&running, &format!("?clock=aws&slot={slot:.0}")).await;
    }
    call_as(&running, "?clock=spare").await;
    let shown = call_with(env, &["schedule", "clocks"]).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let lines: Vec<_> = shown.stdout.lines().map(words).collect();
    assert_eq!(
        lines[0],
        ["CLOCK", "JOB", "STATUS", "LAST", "CALL", "EVERY"]
    );
    assert_eq!(lines[1][..3], ["aws", "dispatch", "ok"]);
    assert_eq!(lines[1][4..], ["60", "s"]);
    assert_eq!(lines[2][..3], ["spare", "dispatch", "new"]);
    assert_eq!(lines[2][4..], ["not", "known", "yet"]);

    admin(&database)
        .await
        .execute(
            "update ops.clocks set last_at = now() - interval '72 hours' where clock = 'spare'",
            &[],
        )
        .await
        .unwrap();
    let gone = call_with(env, &["schedule", "clocks", "--json"]).await;
    assert_eq!(
        (gone.status, &gone.json()[1]["status"]),
        (1, &json!("gone"))
    );

    let forgotten = call_with(env, &["schedule", "forget", "spare"]).await;
    assert_eq!(
        (forgotten.status, forgotten.stdout.as_str()),
        (
            0,
            "spare is forgotten; once it calls again it is known again\n"
        )
    );
    let unknown = call_with(env, &["schedule", "forget", "spare"]).await;
    assert_eq!(
        (unknown.status, unknown.stdout.as_str()),
        (1, "no clock \"spare\" is known\n")
    );
    let left = call_with(env, &["schedule", "clocks", "--json"]).await;
    assert_eq!(left.json().as_array().unwrap().len(), 1, "{left:?}");
    running.stop().await.unwrap();
}

/// A call of the delivery as a scheduler makes it.
async fn call_as(running: &Running, query: &str) {
    let path = format!("/api/alerts/dispatch{query}");
    let called = send(running, Method::GET, &path, Some("CRON_SECRET")).await;
    assert_eq!(called.status, StatusCode::OK, "{called:?}");
}
