//! `/api/cron/monitor`, from a broken service to a message and back.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::StatusCode;
use local_supabase::{
    capture::Channel,
    fault::{Fault, Mode, Service},
    postgres::{Cluster, ClusterOptions},
    stack::{Stack, StackOptions},
};
use ops::{config::Config, endpoint::Endpoint, function::Function, router};
use serde_json::{Value, json};

use crate::{
    proxy::{self, Verdict},
    support::{self, Bundle, get},
};

const PATH: &str = "/api/cron/monitor";

/// One tick as an operator asks for it, so that tests need not wait for slots.
async fn tick(bundle: &Bundle, app: &Function) -> (StatusCode, Value) {
    let answer = get(app, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    (answer.status, answer.json())
}

async fn ticks(bundle: &Bundle, app: &Function, count: usize) -> Value {
    let mut last = Value::Null;
    for _ in 0..count {
        let (status, body) = tick(bundle, app).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        last = body;
    }
    last
}

/// The messages so far, as `channel subject-or-first-line`.
fn told(bundle: &Bundle) -> Vec<(Channel, String)> {
    let messages = bundle.stack.inbox().messages();
    messages
        .into_iter()
        .map(|message| {
            let line = message.text.lines().next().unwrap_or_default().to_owned();
            (message.channel, message.subject.unwrap_or(line))
        })
        .collect()
}

async fn count(bundle: &Bundle, sql: &str) -> i64 {
    bundle
        .admin()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn a_quiet_tick_sees_everything_and_tells_nobody() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    let body = ticks(&bundle, &app, 1).await;
    assert_eq!(body["outcome"], "done");
    assert_eq!(body["job"], "monitor");
    assert_eq!(body["slot"], Value::Null, "a manual run has none");
    let checks = body["checks"].as_array().unwrap();
    let up = checks
        .iter()
        .filter(|check| check["status"] == "up")
        .count();
    assert_eq!(up, 6, "{body}");
    assert_eq!(body["openAlerts"], 0);
    assert!(told(&bundle).is_empty());
    let services = "select count(*) from public.system_health where status = 'healthy'";
    assert_eq!(count(&bundle, services).await, 6);
}

#[tokio::test]
async fn the_app_away_is_told_after_three_ticks_and_its_return_after_two_once_each() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    ticks(&bundle, &app, 1).await;
    bundle.fault(Service::App, Mode::Refuse).await;
    ticks(&bundle, &app, 2).await;
    assert_eq!(told(&bundle), []);
    let body = ticks(&bundle, &app, 1).await;
    assert_eq!(body["transitions"][0]["kind"], "opened", "{body}");
    let firing = told(&bundle);
    assert_eq!(firing.len(), 2, "{firing:?}");
    ticks(&bundle, &app, 5).await;
    assert_eq!(
        told(&bundle).len(),
        2,
        "told once, however many ticks follow"
    );

    bundle.fault(Service::App, Mode::Ok).await;
    ticks(&bundle, &app, 1).await;
    assert_eq!(told(&bundle).len(), 2);
    ticks(&bundle, &app, 1).await;
    let resolved = told(&bundle);
    assert_eq!(resolved.len(), 4, "{resolved:?}");
    ticks(&bundle, &app, 5).await;
    assert_eq!(told(&bundle).len(), 4);
    for channel in [Channel::Slack, Channel::Email] {
        let on_channel = resolved.iter().filter(|(on, _)| *on == channel).count();
        assert_eq!(on_channel, 2, "{resolved:?}");
    }
    assert_eq!(count(&bundle, "select count(*) from ops.alerts").await, 1);
    assert_eq!(
        count(
            &bundle,
            "select count(*) from ops.alerts where status = 'resolved'"
        )
        .await,
        1
    );
    assert_eq!(
        count(
            &bundle,
            "select count(*) from ops.incidents where resolved_at is not null"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn a_hanging_or_failing_app_is_down_too() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    let answering = |status| Fault {
        mode: Mode::Status,
        status: Some(status),
        delay_ms: None,
    };
    for (fault, reason) in [
        (answering(500), "http_status"),
        (answering(302), "redirect"),
        // It takes the request and never answers.
        (Mode::Hang.into(), "timeout"),
    ] {
        bundle.fault(Service::App, fault).await;
        let body = ticks(&bundle, &app, 1).await;
        let check = &body["checks"][0];
        assert_eq!(
            (&check["status"], &check["reason"]),
            (&json!("down"), &json!(reason)),
            "{check}"
        );
    }
}

#[tokio::test]
async fn settings_say_what_is_checked_and_expected() {
    let bundle = Bundle::start().await;
    let url = bundle.stack.app_url();
    let urls = json!([
        { "url": format!("{url}/"), "name": "home", "contains": "Pourtrait" },
        { "url": format!("{url}/api/ping"), "name": "wrong-text", "contains": "not on this page" },
    ]);
    let set = "select public.ops_set_setting('app.urls', $1::text::jsonb, 'test')";
    bundle
        .admin()
        .await
        .execute(set, &[&urls.to_string()])
        .await
        .unwrap();
    let app = bundle.instance(Endpoint::Monitor);
    let body = ticks(&bundle, &app, 1).await;
    assert_eq!(body["checks"][0]["status"], "up", "{body}");
    assert_eq!(body["checks"][1]["reason"], "text", "{body}");
}

#[tokio::test]
async fn a_service_beside_the_app_alerts_by_slack_alone() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    bundle.fault(Service::Openai, Mode::Refuse).await;
    ticks(&bundle, &app, 4).await;
    let told = told(&bundle);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, Channel::Slack);
}

#[tokio::test]
async fn a_second_caller_of_a_slot_is_skipped_however_often_it_calls() {
    let bundle = Bundle::start().await;
    let cron = bundle.secret("CRON_SECRET");
    let instances: Vec<Function> = (0..10)
        .map(|_| bundle.instance(Endpoint::Monitor))
        .collect();
    let calls = instances
        .iter()
        .map(|app| get(app, PATH).bearer(cron).send());
    let answers = futures_util::future::join_all(calls).await;
    let mut outcomes: Vec<String> = Vec::new();
    for answer in answers {
        assert_eq!(answer.status, StatusCode::OK);
        outcomes.push(answer.json()["outcome"].as_str().unwrap().to_owned());
    }
    outcomes.sort();
    // Ten calls may straddle a minute's end, which is two slots, never ten runs.
    let done = outcomes.iter().filter(|outcome| *outcome == "done").count();
    assert!((1..=2).contains(&done), "{outcomes:?}");
    assert_eq!(
        outcomes.len() - done,
        outcomes
            .iter()
            .filter(|outcome| *outcome == "skipped")
            .count()
    );
    let runs = "select count(*) from ops.runs where job = 'monitor' and outcome = 'done'";
    assert_eq!(count(&bundle, runs).await, i64::try_from(done).unwrap());
}

#[tokio::test]
async fn without_its_database_a_tick_tells_people_itself_once_and_is_taken_over_later() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    ticks(&bundle, &app, 1).await;
    bundle.fault(Service::Database, Mode::Status).await;
    for _ in 0..2 {
        let (status, body) = tick(&bundle, &app).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body["outcome"], "failed");
    }
    assert_eq!(
        told(&bundle).len(),
        2,
        "once on each channel: {:?}",
        told(&bundle)
    );
    let email = bundle
        .stack
        .inbox()
        .requests(Service::Resend)
        .pop()
        .unwrap();
    let key = email.headers["idempotency-key"].to_str().unwrap();
    assert!(key.starts_with("monitoring-blind-"), "{key}");

    bundle.fault(Service::Database, Mode::Ok).await;
    ticks(&bundle, &app, 6).await;
    let told = told(&bundle);
    assert_eq!(told.len(), 4, "one resolution on each channel: {told:?}");
    assert_eq!(count(&bundle, "select count(*) from ops.alerts").await, 1);
}

#[tokio::test]
async fn a_channel_that_missed_the_emergency_is_told_by_the_next_tick() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    bundle.fault(Service::Database, Mode::Status).await;
    bundle.fault(Service::Slack, Mode::Refuse).await;
    tick(&bundle, &app).await;
    assert_eq!(told(&bundle).len(), 1, "email alone");
    bundle.fault(Service::Slack, Mode::Ok).await;
    tick(&bundle, &app).await;
    assert_eq!(told(&bundle).len(), 2, "Slack too, email not again");
    bundle.fault(Service::Database, Mode::Ok).await;
    ticks(&bundle, &app, 4).await;
    assert_eq!(told(&bundle).len(), 4, "one resolution on each");
}

#[tokio::test]
async fn an_answer_that_is_garbage_is_an_outage_of_the_database() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    let answer = "create or replace function public.ops_claim_run(p_run uuid, p_job text, p_every_seconds integer, p_lease_seconds integer, p_manual boolean, p_now timestamptz default null, p_clock text default null, p_scheduled_for timestamptz default null) returns jsonb language sql as $$ select '[1]'::jsonb $$";
    bundle.admin().await.batch_execute(answer).await.unwrap();
    let (status, _) = tick(&bundle, &app).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(told(&bundle).len(), 2);
}

#[tokio::test]
async fn a_restart_of_the_database_between_two_tries_is_survived() {
    let mut bundle = Bundle::start().await;
    // Both tries of the first attempt are refused, the second attempt is not.
    let refused = AtomicUsize::new(0);
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), move |request| {
        let first = request.uri().path() == "/rest/v1/rpc/ops_claim_run"
            && refused.fetch_add(1, Ordering::SeqCst) < 2;
        if first {
            Verdict::Refuse(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            Verdict::Pass
        }
    })
    .await;
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    let app = bundle.instance(Endpoint::Monitor);
    let (status, body) = tick(&bundle, &app).await;
    assert_eq!(
        (status, &body["outcome"]),
        (StatusCode::OK, &json!("done")),
        "{body}"
    );
    assert!(told(&bundle).is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_happens_twice() {
    let mut bundle = Bundle::start().await;
    bundle.fault(Service::App, Mode::Status).await;
    let direct = bundle.instance(Endpoint::Monitor);
    ticks(&bundle, &direct, 2).await;
    // The answer to each kind of call is lost once.
    let lost = Mutex::new(HashSet::new());
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), move |request| {
        let changes = request.uri().path().starts_with("/rest/v1/rpc/ops_")
            && !request.uri().path().ends_with("ping");
        if changes && lost.lock().unwrap().insert(request.uri().path().to_owned()) {
            Verdict::LoseAnswer
        } else {
            Verdict::Pass
        }
    })
    .await;
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    let app = bundle.instance(Endpoint::Monitor);
    ticks(&bundle, &app, 1).await;
    assert_eq!(told(&bundle).len(), 2, "{:?}", told(&bundle));
    assert_eq!(count(&bundle, "select count(*) from ops.alerts").await, 1);
    assert_eq!(count(&bundle, "select count(*) from ops.runs").await, 3);
}

#[tokio::test]
async fn a_slow_database_makes_a_slow_tick_and_no_alarm() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Monitor);
    let slow = Fault {
        mode: Mode::Slow,
        status: None,
        delay_ms: Some(700),
    };
    bundle.fault(Service::Database, slow).await;
    let body = ticks(&bundle, &app, 1).await;
    assert_eq!(body["outcome"], "done");
    let checks = body["checks"].as_array().unwrap();
    let database = checks.iter().find(|check| check["name"] == "database");
    assert!(
        database.unwrap()["latencyMs"].as_f64() >= Some(700.0),
        "{body}"
    );
    assert_eq!(told(&bundle), []);
}

#[tokio::test]
async fn a_database_that_restarts_during_a_tick_loses_nothing() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.create_database("restarted", None).await.unwrap();
    support::migrate(&cluster, "restarted").await;
    let options = StackOptions {
        database: "restarted".into(),
        ..StackOptions::default()
    };
    let stack = Stack::start(&cluster, options).await.unwrap();
    let env = stack.env();
    let app = router::function(
        Endpoint::Monitor,
        Config::from_lookup(&|name| env.get(name).cloned()),
    );
    // The app answers only once the database is on its way down and up again.
    let slow = Fault {
        mode: Mode::Slow,
        status: None,
        delay_ms: Some(1_500),
    };
    stack.set_fault(Service::App, slow).await.unwrap();
    let tick = get(&app, PATH).bearer(&env["MONITORING_API_KEY"]).send();
    let probing = async {
        while stack.inbox().requests(Service::Openai).is_empty() {
            tokio::task::yield_now().await;
        }
        cluster.restart().await.unwrap();
    };
    let (answer, ()) = tokio::join!(tick, probing);
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    assert_eq!(answer.json()["outcome"], "done");
    let admin = cluster.connect_admin("restarted").await.unwrap();
    let runs = admin
        .query_one("select count(*) from ops.runs where outcome = 'done'", &[])
        .await
        .unwrap();
    assert_eq!(runs.get::<_, i64>(0), 1);
    assert!(stack.inbox().messages().is_empty());
}
