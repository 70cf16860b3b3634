//! The deployment check, from the platform's signed webhook by way of the database to the
//! answer that the platform is given.

use http::StatusCode;
use local_supabase::{
    fault::{Mode, Service},
    platforms::vercel::deployments::Deployment,
};
use ops::endpoint::Endpoint;
use serde_json::{Value, json};

use crate::{
    channels::query,
    door::{key, send},
    door_drains::{SECRET, signature},
    support::{Answer, Bundle, get},
};

/// A bundle beside an app of which a release waits for its domains.
async fn waiting() -> (Bundle, String) {
    let mut bundle = Bundle::start().await;
    bundle
        .env
        .insert("VERCEL_WEBHOOK_SECRET".into(), SECRET.into());
    let project = bundle.env["APP_VERCEL_PROJECT_ID"].clone();
    let release = Deployment {
        project: (project, "wine-app".to_owned()),
        url: bundle.env["NEXT_PUBLIC_APP_URL"].clone(),
        ..Deployment::staged("dpl_1", 1, "commit1")
    };
    let platforms = bundle.stack.platforms();
    platforms.vercel.state().deployments.all.push(release);
    let key = key(&bundle, "{}").await;
    (bundle, format!("/api/drain/vercel-webhook?key={key}"))
}

/// What the platform tells of a run.
fn told(kind: &str, run: &str) -> String {
    json!({
        "id": format!("{kind} {run}"), "type": kind, "createdAt": 1_795_521_600_000_i64,
        "payload": {
            "team": {"id": "team_1"}, "checkRun": {"id": run, "checkId": "chk_1"},
            "deployment": {"id": "dpl_1", "url": "elsewhere.example"},
        },
    })
    .to_string()
}

async fn webhook(bundle: &Bundle, target: &str, body: &str, signed: &str) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-vercel-signature", signed),
    ];
    send(bundle, target, &headers, body.to_owned()).await
}

/// What a tick said of the runs.
async fn tick(bundle: &Bundle) -> Value {
    let monitor = bundle.instance(Endpoint::Monitor);
    let ticked = get(&monitor, "/api/cron/monitor")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(ticked.status, StatusCode::OK, "{:?}", ticked.bytes);
    ticked.json()["checkRun"].clone()
}

/// What the platform was answered, with the runs.
fn answered(bundle: &Bundle) -> Vec<(String, String)> {
    let state = bundle.stack.platforms().vercel.state();
    let answers = state.check_runs.answers.iter();
    answers
        .map(|(run, said)| (run.clone(), said["conclusion"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn a_webhook_that_is_signed_is_answered_by_the_tick_with_what_was_found() {
    let (bundle, target) = waiting().await;
    let start = told("deployment.checkrun.start", "run_1");
    let other = signature(told("deployment.checkrun.start", "run_2").as_bytes());
    let refused = webhook(&bundle, &target, &start, &other).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(tick(&bundle).await, json!({"outcome": "nothing"}));

    // The platform tells twice.
    for _ in 0..2 {
        let taken = webhook(&bundle, &target, &start, &signature(start.as_bytes())).await;
        assert_eq!(taken.status, StatusCode::OK, "{:?}", taken.bytes);
    }
    let ticked = tick(&bundle).await;
    assert_eq!(
        (&ticked["outcome"], &ticked["run"], &ticked["conclusion"]),
        (&json!("taken"), &json!("run_1"), &json!("succeeded")),
        "{ticked}"
    );
    let good = ("run_1".to_owned(), "succeeded".to_owned());
    assert_eq!(answered(&bundle), std::slice::from_ref(&good));
    assert_eq!(tick(&bundle).await, json!({"outcome": "nothing"}));

    // One of a release that does not work, and one that nobody wants to know any more.
    bundle.fault(Service::App, Mode::Status).await;
    for (kind, run) in [
        ("deployment.checkrun.start", "run_2"),
        ("deployment.checkrun.cancel", "run_3"),
        ("deployment.checkrun.start", "run_3"),
    ] {
        let body = told(kind, run);
        let taken = webhook(&bundle, &target, &body, &signature(body.as_bytes())).await;
        assert_eq!(taken.status, StatusCode::OK, "{:?}", taken.bytes);
    }
    let ticked = tick(&bundle).await;
    assert_eq!(ticked["conclusion"], "failed", "{ticked}");
    let text = ticked["text"].as_str().unwrap();
    assert!(
        text.contains("health: its front page answers 500"),
        "{text}"
    );
    assert_eq!(tick(&bundle).await, json!({"outcome": "nothing"}));
    let bad = ("run_2".to_owned(), "failed".to_owned());
    assert_eq!(answered(&bundle), [good, bad]);
    let kept = "select jsonb_agg(run || ' ' || conclusion order by run) from ops.check_runs";
    assert_eq!(
        query(&bundle, kept).await,
        json!(["run_1 succeeded", "run_2 failed", "run_3 canceled"])
    );
}
