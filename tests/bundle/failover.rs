//! A channel that fails, a dead man's switch that hears only of what is well.

use http::StatusCode;
use local_supabase::{
    capture::Channel,
    fault::{Mode, Service},
};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};

use crate::{
    answering::dispatch,
    proxy::{self, Verdict},
    support::{Bundle, get},
};

async fn tick(bundle: &Bundle, app: &Function) -> Value {
    let answer = get(app, "/api/cron/monitor")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

/// Lets so many minutes pass for every message and attempt.
async fn pass(bundle: &Bundle, minutes: u32) {
    bundle
        .admin()
        .await
        .batch_execute(&format!(
            "update ops.outbox set next_attempt_at = next_attempt_at - interval '{minutes} min';
             update ops.deliveries set started_at = started_at - interval '{minutes} min'"
        ))
        .await
        .unwrap();
}

fn emails(bundle: &Bundle) -> Vec<(String, String)> {
    let messages = bundle.stack.inbox().messages();
    messages
        .into_iter()
        .filter(|message| message.channel == Channel::Email)
        .map(|message| (message.subject.unwrap_or_default(), message.text))
        .collect()
}

#[tokio::test]
async fn what_slack_does_not_take_arrives_by_email_and_so_does_its_end() {
    let bundle = Bundle::start().await;
    bundle.fault(Service::Slack, Mode::Status).await;
    bundle
        .admin()
        .await
        .batch_execute(
            "insert into ops.alerts (fingerprint, rule, subject, severity, source, first_bad_at, opened_at, facts, last_facts)
             values ('slow', 'app_slow', 'https://wine.example/', 'medium', 'monitor', now(), now(), '{}', '{}');
             select ops.queue_firing(alert, ops.make_context('{slack,email}', ops.read_settings(), 'production'), now())
             from ops.alerts as alert",
        )
        .await
        .unwrap();
    dispatch(&bundle).await;
    assert_eq!(emails(&bundle), []);
    pass(&bundle, 6).await;
    dispatch(&bundle).await;
    let sent = emails(&bundle);
    let [(subject, text)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(subject, "[MEDIUM] https://wine.example/ answers slowly");
    assert!(
        text.contains("In place of: Slack, where it does not arrive"),
        "{text}"
    );

    bundle
        .admin()
        .await
        .batch_execute(
            "select ops.resolve_alert(id, '{}', ops.make_context('{slack,email}', ops.read_settings(), 'production'), now())
             from ops.alerts",
        )
        .await
        .unwrap();
    dispatch(&bundle).await;
    let subjects: Vec<String> = emails(&bundle)
        .into_iter()
        .map(|(subject, _)| subject)
        .collect();
    assert_eq!(
        subjects[1..],
        ["[Resolved] https://wine.example/ answers in time again"]
    );
}

#[tokio::test]
async fn the_switch_is_called_after_a_clean_tick_and_not_while_something_is_left_undone() {
    let mut bundle = Bundle::start().await;
    let monitor = bundle.instance(Endpoint::Monitor);
    assert_eq!(tick(&bundle, &monitor).await["heartbeat"], Value::Null);

    // The sample app answers any GET; what matters is whether it was asked.
    let url = bundle.env["NEXT_PUBLIC_APP_URL"].clone();
    bundle.env.insert("HEARTBEAT_URL".into(), url);
    let monitor = bundle.instance(Endpoint::Monitor);
    let body = tick(&bundle, &monitor).await;
    assert_eq!(body["audit"], json!({"clean": true, "findings": []}));
    assert_eq!(body["heartbeat"], json!({"outcome": "sent"}));

    bundle
        .admin()
        .await
        .batch_execute(
            "insert into ops.jobs (job, every_seconds, first_slot, last_slot)
             values ('nightly', 60, now() - interval '1 day', now() - interval '1 day')",
        )
        .await
        .unwrap();
    let body = tick(&bundle, &monitor).await;
    assert_eq!(body["audit"]["findings"][0]["kind"], "stale_jobs", "{body}");
    assert_eq!(body["heartbeat"], json!({"outcome": "withheld"}));
}

#[tokio::test]
async fn the_switch_is_not_called_while_nothing_can_be_delivered() {
    let mut bundle = Bundle::start().await;
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), |request| {
        if request.uri().path().ends_with("/ops_claim_messages") {
            Verdict::Refuse(StatusCode::BAD_REQUEST)
        } else {
            Verdict::Pass
        }
    })
    .await;
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    let url = bundle.env["NEXT_PUBLIC_APP_URL"].clone();
    bundle.env.insert("HEARTBEAT_URL".into(), url);
    let monitor = bundle.instance(Endpoint::Monitor);
    let body = tick(&bundle, &monitor).await;
    assert_eq!(body["audit"]["clean"], true, "{body}");
    assert_eq!(body["delivery"], Value::Null);
    assert_eq!(body["heartbeat"], json!({"outcome": "withheld"}));
}

#[tokio::test]
async fn a_switch_that_is_away_spoils_no_tick_and_is_named_nowhere() {
    let mut bundle = Bundle::start().await;
    let url = "http://127.0.0.1:1/secret-ping".to_owned();
    bundle.env.insert("HEARTBEAT_URL".into(), url);
    let monitor = bundle.instance(Endpoint::Monitor);
    let body = tick(&bundle, &monitor).await;
    assert_eq!(body["outcome"], "done");
    assert_eq!(
        body["heartbeat"],
        json!({"outcome": "failed", "reason": "connect"})
    );
    assert!(!body.to_string().contains("secret-ping"), "{body}");
}

#[tokio::test]
async fn an_alert_about_email_is_told_by_slack() {
    let bundle = Bundle::start().await;
    let monitor = bundle.instance(Endpoint::Monitor);
    bundle.fault(Service::Resend, Mode::Status).await;
    for _ in 0..3 {
        tick(&bundle, &monitor).await;
    }
    let told: Vec<String> = bundle
        .stack
        .inbox()
        .messages()
        .into_iter()
        .map(|message| message.text.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert!(
        told.iter()
            .any(|line| line.contains("Email (Resend) is degraded")),
        "{told:?}"
    );
}
