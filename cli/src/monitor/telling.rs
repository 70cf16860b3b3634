//! Tells people: by the bundle, which knows who is on call, else by the channels themselves.
//!
//! Either way the same news has the same name, so that it is taken once however often it is
//! sent. What nobody takes is told again after the next look.

use std::time::Duration;

use jiff::Timestamp;
use ops::{
    app::App,
    messages::{
        channels::{Channel, Outgoing, Place},
        message::{Content, Message},
        message_facts::{Facts, Kind, Severity},
        message_links::Places,
        rules::Rule,
    },
};
use outside::clock::Deadline;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::{
    probing::Subject,
    watched::{News, Way},
};

/// How long telling may take.
const TIME: Duration = Duration::from_secs(20);

const SOURCE: &str = "pourtrait monitor";

/// How people may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// By the bundle, and by itself where that does not answer.
    Both,
    /// By the bundle alone.
    DispatchAlone,
    /// By itself, to Slack alone.
    SlackAlone,
}

/// Tells news of a subject. `None` if nobody took it.
pub(super) async fn tell(
    app: &App,
    bundle: &Url,
    ways: Ways,
    known_by: Option<Way>,
    subject: Subject,
    news: &News,
) -> Option<Way> {
    let by_dispatch = ways != Ways::SlackAlone && known_by != Some(Way::Itself);
    if by_dispatch && dispatch(app, bundle, subject, news).await {
        return Some(Way::Dispatch);
    }
    let by_itself = ways != Ways::DispatchAlone && known_by != Some(Way::Dispatch);
    if by_itself && by_channels(app, ways, subject, news).await {
        return Some(Way::Itself);
    }
    None
}

/// Whether the bundle took it.
async fn dispatch(app: &App, bundle: &Url, subject: Subject, news: &News) -> bool {
    let (Some(key), Ok(url), Ok(client)) = (
        &app.config.monitoring_api_key,
        bundle.join("/api/alerts/dispatch"),
        app.outbound.client(),
    ) else {
        return false;
    };
    let sent = client
        .post(url)
        .bearer_auth(key.expose_secret())
        .json(&json!({ "alerts": [raised(subject, news)] }))
        .timeout(TIME)
        .send()
        .await;
    sent.is_ok_and(|response| response.status().is_success())
}

/// The alert as the bundle takes it.
fn raised(subject: Subject, news: &News) -> Value {
    let mut alert = json!({
        "source": SOURCE,
        "type": "outside_monitor",
        "subject": subject.as_str(),
        "fingerprint": fingerprint(subject),
    });
    match news {
        News::Opened { since, reason } => {
            alert["status"] = "firing".into();
            alert["severity"] = "critical".into();
            alert["title"] = title(subject).into();
            alert["message"] = format!("{reason}, since {since}").into();
        }
        News::Resolved { .. } | News::Works => alert["status"] = "resolved".into(),
    }
    alert
}

/// Whether at least one channel took it.
async fn by_channels(app: &App, ways: Ways, subject: Subject, news: &News) -> bool {
    let (since, kind, reason) = match news {
        News::Opened { since, reason } => (*since, Kind::Firing, Some(reason.clone())),
        News::Resolved { since } => (*since, Kind::Resolved, None),
        // Nobody heard of anything: there is nothing to take back.
        News::Works => return true,
    };
    let content = content(app, subject, since, kind, reason);
    let key = format!("monitor-{}-{}-{since}", subject.as_str(), kind.as_str());
    let outgoing = Outgoing {
        content: &content,
        key: &key,
        place: &Place::Anew,
    };
    let mut taken = false;
    for channel in channels(app, ways) {
        let deadline = Deadline::after(TIME);
        let delivery = app
            .config
            .channels
            .send(channel, outgoing, &app.outbound, deadline)
            .await;
        taken |= delivery.is_sent();
    }
    taken
}

fn channels(app: &App, ways: Ways) -> Vec<Channel> {
    let mut channels = app.config.channels.list();
    channels.retain(|channel| match ways {
        Ways::SlackAlone => channel.as_str().starts_with("slack"),
        Ways::Both | Ways::DispatchAlone => true,
    });
    channels
}

fn content(
    app: &App,
    subject: Subject,
    since: Timestamp,
    kind: Kind,
    reason: Option<String>,
) -> Content {
    let facts = Facts {
        rule: Rule::External.as_str().into(),
        subject: subject.as_str().into(),
        fingerprint: Some(fingerprint(subject)),
        severity: Severity::Critical,
        kind,
        since: Some(since),
        title: Some(title(subject).to_owned()),
        message: reason,
        origin: Some(SOURCE.to_owned()),
        environment: Some("production".to_owned()),
        ..Facts::default()
    };
    let places = Places {
        base: app.config.base_url.as_ref(),
        runbook: None,
    };
    Content::Message(Message::new(&facts, places))
}

fn title(subject: Subject) -> &'static str {
    match subject {
        Subject::Bundle => "The watcher does not answer, seen from outside",
        Subject::App => "The app does not answer, seen from outside",
    }
}

fn fingerprint(subject: Subject) -> String {
    format!("outside_monitor:{}", subject.as_str())
}
