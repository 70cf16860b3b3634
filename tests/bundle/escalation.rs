//! The whole life of an alert that somebody answers late.

use http::StatusCode;
use local_supabase::capture::Channel;
use ops::endpoint::Endpoint;

use crate::{
    answering::{dispatch, link, press, raise},
    support::Bundle,
};

/// What each channel was told, in order: `email anna@…: subject` and `slack: text`.
fn told(bundle: &Bundle) -> Vec<String> {
    let mut told: Vec<String> = bundle
        .stack
        .inbox()
        .messages()
        .iter()
        .map(|message| match message.channel {
            Channel::Email => {
                let to: Vec<&str> = message.raw["to"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|to| to.as_str().unwrap())
                    .collect();
                let subject = message.raw["subject"].as_str().unwrap();
                format!("email {}: {subject}", to.join(","))
            }
            Channel::Slack => format!("slack: {}", message.raw["text"].as_str().unwrap()),
            _ => panic!("not configured: {message:?}"),
        })
        .collect();
    told.sort();
    told
}

/// Lets so many minutes pass for every ladder and acknowledgement.
async fn pass(bundle: &Bundle, minutes: u32) {
    bundle
        .admin()
        .await
        .batch_execute(&format!(
            "update ops.escalations set due_at = due_at - interval '{minutes} min';
             update ops.alerts set opened_at = opened_at - interval '{minutes} min',
                 acknowledged_until = acknowledged_until - interval '{minutes} min'"
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_whole_life_of_an_alert_that_somebody_answers_late() {
    let mut bundle = Bundle::start().await;
    bundle
        .env
        .insert("ADMIN_EMAIL".into(), "ops@wine.example".into());
    for (name, role, slack) in [
        ("Anna", "on_call_primary", "'U0ANNA'"),
        ("Bo", "on_call_secondary", "null"),
        ("Cleo", "cto", "null"),
    ] {
        bundle
            .admin()
            .await
            .batch_execute(&format!(
                "insert into ops.contacts (id, name, role, email, slack_id, updated_at, updated_by)
                 values (gen_random_uuid(), '{name}', '{role}', lower('{name}') || '@wine.example', {slack}, now(), 'test')"
            ))
            .await
            .unwrap();
    }
    let inbox = bundle.stack.inbox();

    raise(&bundle, "cellar", "firing").await;
    assert_eq!(
        told(&bundle),
        [
            "email ops@wine.example,anna@wine.example: [CRITICAL] The cellar is <b>warm</b>",
            "slack: Critical: The cellar is &lt;b&gt;warm&lt;/b&gt;",
        ]
    );
    assert!(
        inbox
            .messages()
            .iter()
            .any(|message| message.raw.to_string().contains("<@U0ANNA>"))
    );
    inbox.clear();

    pass(&bundle, 15).await;
    assert_eq!(dispatch(&bundle).await["escalated"], 1);
    assert_eq!(dispatch(&bundle).await["escalated"], 0);
    assert_eq!(
        told(&bundle),
        [
            "email bo@wine.example: [CRITICAL] Unanswered for 15 min: The cellar is <b>warm</b>",
            "slack: Critical: Unanswered for 15 min: The cellar is &lt;b&gt;warm&lt;/b&gt;",
        ]
    );
    let bos = link(&bundle, "Acknowledge");
    inbox.clear();

    // Level 2 is empty, so the CTO is asked in its place, with the vendors.
    pass(&bundle, 15).await;
    assert_eq!(dispatch(&bundle).await["escalated"], 1);
    let text = inbox
        .messages()
        .iter()
        .map(|message| message.raw.to_string())
        .collect::<String>();
    assert!(
        text.contains("because level 2 has nobody to ask now"),
        "{text}"
    );
    assert!(text.contains("https://status.openai.com"), "{text}");
    inbox.clear();

    let app = bundle.instance(Endpoint::Acknowledge);
    assert_eq!(press(&app, &bos, "&name=Bo").await.status, StatusCode::OK);
    pass(&bundle, 59).await;
    dispatch(&bundle).await;
    assert_eq!(told(&bundle), [""; 0], "Bo is at it");
    pass(&bundle, 2).await;
    dispatch(&bundle).await;
    assert_eq!(
        told(&bundle),
        [
            "email bo@wine.example: [CRITICAL] Acknowledged and not resolved: The cellar is <b>warm</b>",
            "slack: Critical: Acknowledged and not resolved: The cellar is &lt;b&gt;warm&lt;/b&gt;",
        ]
    );
    inbox.clear();

    raise(&bundle, "cellar", "resolved").await;
    dispatch(&bundle).await;
    let mut heard = told(&bundle);
    heard.retain(|line| line.starts_with("email"));
    assert_eq!(
        heard,
        [
            "email bo@wine.example: [Resolved] The cellar is <b>warm</b>",
            "email cleo@wine.example: [Resolved] The cellar is <b>warm</b>",
            "email ops@wine.example,anna@wine.example: [Resolved] The cellar is <b>warm</b>",
        ]
    );
    assert_eq!(told(&bundle).len(), 4, "and Slack once");
}
