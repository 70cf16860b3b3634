//! Sends that monitoring is blind, without the database: straight to every channel.
//! The next tick that commits makes an ordinary alert of it.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use outside::clock::{self, Deadline};

use crate::{
    app::App,
    messages::{
        channels::{Channel, Delivery, Outgoing, Place},
        message::{Content, Message},
        message_facts::{Facts, Kind, Severity},
        message_links::Places,
        rules::Rule,
    },
};

/// How long the first channel may take, before the others are asked.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends to those channels, and returns those that were told. `since` is when the
/// first tick failed, `reason` a phrase that names no secret.
///
/// Instances share nothing while the database is out of reach, and the email's provider
/// takes one letter of a name. So the email goes first: where another instance was
/// quicker, that one tells all channels, and this one says nothing.
pub async fn send(
    app: &App,
    channels: &[Channel],
    since: Timestamp,
    reason: &str,
    deadline: Deadline,
) -> Vec<Channel> {
    let now = clock::now();
    let content = content(app, since, reason, now);
    let key = key(app, now);
    let outgoing = Outgoing {
        content: &content,
        key: &key,
        place: &Place::Anew,
    };
    let App {
        config, outbound, ..
    } = app;
    let mut told = Vec::new();
    let (first, others): (Vec<Channel>, Vec<Channel>) = channels
        .iter()
        .partition(|channel| channel.knows_what_was_said());
    for channel in first {
        let Some(sender) = config.channels.sender(channel) else {
            continue;
        };
        let deadline = deadline.within(FIRST_TIMEOUT);
        match sender.send_unless_said(outgoing, outbound, deadline).await {
            Some(delivery) => {
                note(channel, &delivery);
                told.extend(delivery.is_sent().then_some(channel));
            }
            None => return channels.to_vec(),
        }
    }
    let sent = others.into_iter().map(async |channel| {
        let delivery = config
            .channels
            .send(channel, outgoing, outbound, deadline)
            .await;
        note(channel, &delivery);
        delivery.is_sent().then_some(channel)
    });
    told.extend(join_all(sent).await.into_iter().flatten());
    told
}

fn content(app: &App, since: Timestamp, reason: &str, now: Timestamp) -> Content {
    let deployment = &app.config.deployment;
    let facts = Facts {
        rule: Rule::MonitoringBlind.as_str().into(),
        subject: "database".into(),
        fingerprint: Some("monitoring_blind:database".into()),
        severity: Severity::Critical,
        kind: Kind::Firing,
        since: Some(since),
        opened_at: Some(now),
        reason: Some(reason.to_owned()),
        environment: Some(deployment.environment.as_str().into()),
        deployment: deployment.id.clone(),
        commit: deployment.commit.clone(),
        ..Facts::default()
    };
    let places = Places {
        base: app.config.base_url.as_ref(),
        runbook: None,
    };
    Content::Message(Message::new(&facts, places))
}

/// One name per project and hour, however many instances see the same outage. The
/// provider of emails and a machine send, or take, one message of that name.
fn key(app: &App, now: Timestamp) -> String {
    let hour = now.strftime("%Y-%m-%dT%H");
    let host = app
        .config
        .supabase
        .as_ref()
        .and_then(|supabase| supabase.url.host_str());
    match host {
        Some(host) => format!("monitoring-blind-{host}-{hour}"),
        None => format!("monitoring-blind-{hour}"),
    }
}

fn note(channel: Channel, delivery: &Delivery) {
    let channel = channel.as_str();
    match delivery {
        Delivery::Sent { .. } => tracing::warn!(channel, "sent that monitoring is blind"),
        Delivery::Gone { status, error } => {
            tracing::error!(
                channel,
                status,
                error,
                "cannot send that monitoring is blind"
            );
        }
        Delivery::Retry { status, error, .. }
        | Delivery::Refused { status, error, .. }
        | Delivery::Dead { status, error } => {
            tracing::error!(
                channel,
                status,
                error,
                "cannot send that monitoring is blind"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fake_server::{self, Reply, Server},
        messages::channels::{discord, email, slack, webhook},
    };

    fn app(slack: &Server, resend: &Server) -> App {
        fake_server::app(&[
            ("SLACK_WEBHOOK_URL", &slack.url("/hook")),
            ("RESEND_API_KEY", "re_secret"),
            ("RESEND_BASE_URL", &resend.url("")),
            ("RESEND_FROM_EMAIL", "ops@wine.example"),
            ("ADMIN_EMAIL", "a@wine.example"),
            ("SUPABASE_URL", "https://ref.supabase.co"),
            ("SUPABASE_SECRET_KEY", "sb_secret_x"),
        ])
    }

    async fn tell(slack: Reply, resend: Reply) -> (Vec<Channel>, Server, Server) {
        let deadline = Deadline::after(slack.patience().min(resend.patience()));
        let (slack, resend) = (Server::start([slack]).await, Server::start([resend]).await);
        let since = "2026-11-24T03:12:00Z".parse().unwrap();
        let app = app(&slack, &resend);
        let sent = send(
            &app,
            &[slack::CHANNEL, email::CHANNEL],
            since,
            "the database's API does not answer",
            deadline,
        )
        .await;
        (sent, slack, resend)
    }

    #[tokio::test]
    async fn both_channels_hear_of_it_at_once() {
        let email = Reply::new(200, r#"{"id":"e"}"#);
        let (sent, slack, resend) = tell(Reply::new(200, "ok"), email).await;
        assert_eq!(sent, [email::CHANNEL, slack::CHANNEL]);
        let text = &slack.requests()[0].json()["text"];
        assert_eq!(text, "Critical: Monitoring is blind");
        let requests = resend.requests();
        let key = requests[0].header("idempotency-key").unwrap();
        assert!(
            key.starts_with("monitoring-blind-ref.supabase.co-20"),
            "{key}"
        );
        assert_eq!(
            key.len(),
            "monitoring-blind-ref.supabase.co-2026-11-24T03".len()
        );
        let letter = requests[0].json();
        assert_eq!(letter["subject"], "[CRITICAL] Monitoring is blind");
        let text = letter["text"].as_str().unwrap();
        assert!(text.contains("Since: 2026-11-24 03:12 UTC"), "{text}");
        assert!(
            text.contains("the database's API does not answer"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn discord_and_a_machine_hear_of_it_too() {
        let (discord, machine) = (
            Server::start([Reply::new(200, r#"{"id":"1"}"#)]).await,
            Server::start([Reply::new(204, "")]).await,
        );
        let app = fake_server::app(&[
            ("DISCORD_WEBHOOK_URL", &discord.url("/hook")),
            ("ALERT_WEBHOOK_URL", &machine.url("/alerts")),
            (
                "ALERT_WEBHOOK_SECRET",
                "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            ),
        ]);
        let since = "2026-11-24T03:12:00Z".parse().unwrap();
        let deadline = Deadline::after(Duration::from_secs(5));
        let due = [discord::CHANNEL, webhook::CHANNEL];
        let sent = send(&app, &due, since, "no answer", deadline).await;
        assert_eq!(sent, due);
        let content = &discord.requests()[0].json()["content"];
        assert_eq!(content, "🔴 Critical: Monitoring is blind");
        let request = &machine.requests()[0];
        let id = request.header("webhook-id").unwrap();
        assert!(id.starts_with("monitoring-blind-20"), "{id}");
        let data = &request.json()["data"];
        assert_eq!(data["fingerprint"], "monitoring_blind:database");
        assert_eq!(data["reason"], "no answer");
    }

    #[tokio::test]
    async fn a_channel_that_hangs_does_not_silence_the_other() {
        let (sent, ..) = tell(Reply::Hang, Reply::new(200, r#"{"id":"e"}"#)).await;
        assert_eq!(sent, [email::CHANNEL]);
        let (sent, ..) = tell(Reply::new(200, "ok"), Reply::new(500, "")).await;
        assert_eq!(sent, [slack::CHANNEL]);
    }

    #[tokio::test]
    async fn what_another_instance_said_this_hour_is_told_everywhere_and_not_said_again() {
        let taken = Reply::new(409, r#"{"name":"invalid_idempotent_request"}"#);
        let (told, slack, _) = tell(Reply::new(200, "ok"), taken).await;
        assert_eq!(told, [slack::CHANNEL, email::CHANNEL]);
        assert!(slack.requests().is_empty());
    }

    #[tokio::test]
    async fn two_instances_write_no_letter_alike() {
        let mut tags = Vec::new();
        for _ in 0..2 {
            let (.., resend) = tell(Reply::new(200, "ok"), Reply::new(200, r#"{"id":"e"}"#)).await;
            tags.push(resend.requests()[0].json()["tags"].to_string());
        }
        assert_ne!(tags[0], tags[1]);
    }
}
